"""A draft as a package for the file: both maps, figures that add up, moved land, the layer as it would be, lineage."""

import csv
import io
import json
import zipfile
from pathlib import Path

import docx
import geopandas as gpd
import pytest
import shapely
from decided import BOSS, PLANNER, approved, drawn, fill, grids, merge, neighbours, split
from openpyxl import load_workbook

from geo.errors import InputError, NotFoundError
from layers.deciding import draft_sides
from layers.prints.draft_package import write_package
from layers.redrawing import drafts
from layers.rights import Viewer
from layers.storage.store import Store

FILES = {
    "report.docx", "before.png", "after.png", "maps.pdf", "figures.xlsx", "pieces.xlsx", "pieces.geojson", "lineage.csv",
    "provenance.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, draft_sides.Sides, int]:
    """The package of a draft that splits a grid and merges two others, what it was made of, and the households."""
    folder = tmp_path_factory.mktemp("package")
    with Store.create(str(folder / "store.gpkg")) as store:
        fill(store)
        one, two = neighbours(store)[0]
        other = next(code for code in grids(store).index if code not in (one, two))
        draft = drawn(store, [merge(one, two, into=one), split(store, other)], title="=调整 <b>东村</b>")
        path = write_package(store, PLANNER, draft.id, folder / "package.zip")
        laid = draft_sides.sides(store, PLANNER, drafts.read(store, PLANNER, draft.id))
        return path, laid, int(grids(store)["households"].sum())


def inside(path: Path, name: str) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(name))


def test_the_package_holds_everything_and_nothing_else(packed):
    with zipfile.ZipFile(packed[0]) as archive:
        assert set(archive.namelist()) == FILES | {"grid.gpkg", "grid.gpkg.provenance.json"}
        assert archive.read("before.png")[:4] == b"\x89PNG" and archive.read("maps.pdf")[:5] == b"%PDF-"
        assert archive.read("before.png") != archive.read("after.png")


def test_figures_before_and_after_add_up(packed):
    rows = list(load_workbook(inside(packed[0], "figures.xlsx")).worksheets[0].values)
    head, body = rows[0], rows[1:]
    before, after = (head.index(f"户数（{side}）") for side in ("前", "后"))
    assert {row[2] for row in body} == {"有改动", "新设", "撤销"}
    assert sum(row[before] or 0 for row in body) == sum(row[after] or 0 for row in body) > 0
    area = [head.index(name) for name in head if name.startswith("面积")]
    assert sum(row[area[0]] or 0 for row in body) == pytest.approx(sum(row[area[1]] or 0 for row in body), abs=1e-3)


def test_moved_land_is_a_table_and_a_layer_of_the_same_pieces(packed):
    laid = packed[1]
    layer = gpd.read_file(inside(packed[0], "pieces.geojson"))
    rows = list(load_workbook(inside(packed[0], "pieces.xlsx")).worksheets[0].values)[1:]
    assert len(layer) == len(rows) == len(laid.pieces) == 3  # one grid merged into another, one split in two
    assert sorted(zip(layer["from_code"], layer["to_code"], strict=True)) == sorted((row[1], row[2]) for row in rows)
    assert shapely.area(layer.to_crs(laid.crs.to_epsg()).geometry.to_numpy()).sum() == pytest.approx(
        sum(row[3] for row in rows), rel=1e-6
    )


def test_the_layer_is_whole_and_names_where_its_land_came_from(packed, tmp_path):
    (tmp_path / "grid.gpkg").write_bytes(inside(packed[0], "grid.gpkg").read())
    layer = gpd.read_file(tmp_path / "grid.gpkg")
    assert layer["households"].sum() == packed[2]
    assert set(layer["draft_change"]) == {"same", "changed", "new"}
    rows = list(csv.DictReader(inside(packed[0], "lineage.csv").read().decode("utf-8-sig").splitlines()))
    whole: dict[str, float] = {}
    for row in rows:
        whole[row["old_code"]] = whole.get(row["old_code"], 0) + float(row["share_of_area"])
    assert whole and all(share == pytest.approx(1) for share in whole.values())


def test_the_document_reads_as_text_with_both_maps(packed):
    paper = docx.Document(inside(packed[0], "report.docx"))
    words = [paragraph.text for paragraph in paper.paragraphs]
    assert words[0] == "=调整 <b>东村</b>" and "户数增长" in words
    assert len(paper.inline_shapes) == 2 and len(paper.tables) == 3
    facts = json.loads(inside(packed[0], "provenance.json").read())
    assert facts["draft"]["title"] == "=调整 <b>东村</b>" and facts["notes"]


def test_a_decision_shows_the_day_before_beside_its_day(store, tmp_path):
    fill(store)
    one, two = neighbours(store)[0]
    decided = approved(store, drawn(store, [merge(one, two, into=one)], on="2031-05-01"))
    laid = draft_sides.sides(store, BOSS, decided)
    assert (laid.before_on, laid.after_on) == ("2031-04-30", "2031-05-01")
    assert {code: laid.states[code] for code in laid.differing()} == {one: "changed", two: "ended"}
    (piece,) = laid.pieces
    assert (piece.source, piece.target, piece.share_of_area, piece.estimated) == (two, one, 1.0, False)
    path = write_package(store, BOSS, decided.id, tmp_path / "decision.zip", language="en", format="geojson")
    with zipfile.ZipFile(path) as archive:
        layer = json.loads(archive.read("grid.geojson"))
    assert two not in {feature["properties"]["grid_code"] for feature in layer["features"]}


def test_what_is_not_ones_own_or_unknown_is_refused(gpkg_store, tmp_path):
    fill(gpkg_store)
    one, two = neighbours(gpkg_store)[0]
    draft = drawn(gpkg_store, [merge(one, two)])
    stranger = Viewer("far", "grid_manager", ("990199001000",))
    with pytest.raises(NotFoundError):
        write_package(gpkg_store, stranger, draft.id, tmp_path / "a.zip")
    with pytest.raises(InputError):
        write_package(gpkg_store, PLANNER, draft.id, tmp_path / "a.zip", format="dwg")
    assert list(tmp_path.glob("*.zip")) == []
