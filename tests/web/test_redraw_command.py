"""`wangge redraw` and `wangge export draft:ID` on the small made-up county and in a store of free codes."""

import csv
import json
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
import squares
from command_line import CommandLine, use_chinese
from small_county import make_small_store

from geo import crs
from geo.centimetres import doubled_area
from layers.redrawing import draft_operations, drafts
from layers.rights import OWNER
from layers.storage import accounts
from layers.storage.store import Store

FORMATS = ("geojson", "gpkg", "zip", "kml", "csv", "xlsx", "parquet")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "small.gpkg"
    county = make_small_store(path)
    with Store.open(str(path)) as store:
        accounts.create(store, "viewer", "viewer", password="correct-horse-7")
        other = sorted(county["township"]["code"])[-1]
        accounts.create(store, "far", "grid_manager", password="correct-horse-7", areas=[other])
    return path, county


@pytest.fixture
def line(made, capsys, tmp_path, monkeypatch):
    use_chinese(monkeypatch, tmp_path)
    store = tmp_path / "store.gpkg"
    shutil.copyfile(made[0], store)
    return CommandLine(capsys, store)


@pytest.fixture
def grids(made):
    """The grids of the first village that has three or more, by code."""
    return first_village(made[1]["grid"])


def first_village(frame):
    sizes = frame.groupby("village_code").size()
    village = sorted(sizes[sizes >= 3].index)[0]
    return frame[frame["village_code"] == village].set_index("grid_code").sort_index()


@pytest.fixture
def ops(tmp_path):
    """Write operations to a file; its path."""

    def write(operations, name="ops.json"):
        path = tmp_path / name
        path.write_text(json.dumps(operations, ensure_ascii=False), encoding="utf-8")
        return path

    return write


def split(code, shape):
    """Across the middle, from west to east."""
    west, _, east, _ = shape.bounds
    y = shape.representative_point().y
    return {"op": "split", "grid": code, "line": line_of([[west - 0.001, y], [east + 0.001, y]])}


def line_of(places):
    return {"type": "LineString", "coordinates": places}


def carve(shape, size=0.0003):
    ring = shapely.box(*shape.representative_point().buffer(size).bounds)
    return {"op": "carve", "kind": "dedicated", "name": "中心小学", "ring": shapely.geometry.mapping(ring)}


def neighbours(frame):
    """Two grids that share a border."""
    for a in range(len(frame)):
        for b in range(a + 1, len(frame)):
            if frame.geometry.iloc[a].intersection(frame.geometry.iloc[b]).length > 0:
                return [frame.index[a], frame.index[b]]
    raise AssertionError


def in_metres(shapes):
    """On whole centimetres of the county's zone."""
    lonlat = np.asarray(shapes, dtype=object)
    zone = crs.metric_crs(shapely.total_bounds(lonlat))
    return crs.round_centimetre(crs.transform_geometries(lonlat, crs.LONLAT, zone))


def require_same_land(before, after):
    """The same land to the last square centimetre, divided without gap or overlap."""
    old, new = in_metres(before), in_metres(after)
    assert shapely.coverage_is_valid(new)
    assert doubled_area(list(new)) == doubled_area(list(old))
    assert shapely.coverage_union_all(new).normalize().equals(shapely.coverage_union_all(old).normalize())


def test_operations_become_a_draft_and_each_is_answered(line, ops, grids):
    first, second = neighbours(grids)
    third = next(code for code in grids.index if code not in (first, second))
    path = ops(
        [
            {"op": "merge", "grids": [first, second], "into": first},
            split(third, grids.geometry[third]),
            {"op": "split", "grid": "432025999999001", "line": line_of([[111, 27], [111.1, 27]])},
        ]
    )
    assert line.run("redraw", "--ops", path, "--json", "--title", "调整", "--effective", "2031-03-01") == 1
    answer = json.loads(line.out)
    assert set(answer) == {"draft", "results", "valid", "area_change_m2"}
    merged, parted, unknown = answer["results"]
    assert merged["ok"] and parted["ok"] and answer["valid"] and answer["area_change_m2"] == 0
    assert (unknown["ok"], unknown["reason"]) == (False, "unknown_grid")
    assert unknown["what"] and unknown["mend"] and "piece" in unknown
    (moved,) = merged["changes"]
    assert (moved["from"], moved["to"]) == (second, first)
    assert {"area_m2", "households", "incidents", "cameras", "piece"} <= set(moved)
    with Store.open(line.store) as store:
        draft = drafts.read(store, OWNER, answer["draft"])
    assert [kept["op"] for kept in draft.operations] == ["merge", "split"]
    assert (draft.title, draft.effective_from, draft.state) == ("调整", "2031-03-01", "draft")
    assert (draft.parent_kind, draft.parent_code) == ("village", grids["village_code"].iloc[0])


def test_when_all_are_done_the_exit_code_is_0_and_people_read_a_table(line, ops, grids, monkeypatch):
    path = ops([split(grids.index[0], grids.geometry.iloc[0])], "调整.json")
    assert line.run("redraw", "--ops", path) == 0
    assert "脚本 调整.json" in line.out and "完成" in line.out
    assert "0" in line.err
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert line.run("redraw", "--ops", ops({"operations": [carve(grids.geometry.iloc[0])]})) == 0
    assert "1 of 1 operations done" in line.out


def test_operations_in_two_villages_of_a_township_make_one_draft_of_the_township(line, ops, made):
    frame = made[1]["grid"].set_index("grid_code").sort_index()
    villages = made[1]["village"].set_index("code")["parent_code"]
    town = villages.value_counts().index[0]
    one, two = sorted(villages.index[villages == town])[:2]
    codes = [frame.index[frame["village_code"] == village][0] for village in (one, two)]
    answer = line.json("redraw", "--ops", ops([split(code, frame.geometry[code]) for code in codes]))
    with Store.open(line.store) as store:
        draft = drafts.read(store, OWNER, answer["draft"])
    assert (draft.parent_kind, draft.parent_code) == ("township", town)
    other = sorted(villages.index[villages != town])[0]
    far = frame.index[frame["village_code"] == other][0]
    path = ops([split(code, frame.geometry[code]) for code in (codes[0], far)])
    assert line.run("redraw", "--ops", path, "--json") == 2
    assert "乡镇" in line.err and line.err.count("\n") == 1
    with Store.open(line.store) as store:
        assert len(drafts.list_drafts(store, OWNER)) == 1


def test_grids_without_a_village_code_belong_to_the_village_they_lie_in(capsys, tmp_path, monkeypatch, ops):
    use_chinese(monkeypatch, tmp_path)
    line = CommandLine(capsys, tmp_path / "free.gpkg")
    with Store.create(line.store, codes="free") as store:
        squares.put(store, "village", squares.frame([squares.square(0, 0), squares.square(1, 0)], code=["A", "B"]))
        halves = [squares.square(column, row, 1, 0.5) for column in (0, 1) for row in (0, 0.5)]
        squares.put(store, "grid", squares.frame(halves, grid_code=["a1", "a2", "b1", "b2"]))
    west, east = ({"op": "merge", "grids": [f"{name}1", f"{name}2"]} for name in "ab")
    answer = line.json("redraw", "--ops", ops([east]))
    with Store.open(line.store) as store:
        assert drafts.read(store, OWNER, answer["draft"]).parent_code == "B"
    assert line.run("redraw", "--ops", ops([west, east]), "--json") == 2
    assert "A、B" in line.err


def test_a_carve_alone_finds_its_village_by_its_place(line, ops, grids):
    answer = line.json("redraw", "--ops", ops([carve(grids.geometry.iloc[0])]))
    with Store.open(line.store) as store:
        assert drafts.read(store, OWNER, answer["draft"]).parent_code == grids["village_code"].iloc[0]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", "17", '"split"', "[1]", '[{"op": "split"}, null]', '{"operations": 5}', "[" * 100_000,
        '[{"op": "split", "grid": NaN}]', '{"operations": [[]]}', "\ud83d",
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_of_operations_is_wrong_use(line, tmp_path, text):
    path = tmp_path / "ops.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert line.run("redraw", "--ops", path, "--json") == 2
    assert line.out == ""
    assert line.err.count("\n") == 1
    with Store.open(line.store) as store:
        assert drafts.list_drafts(store, OWNER) == []


def test_a_missing_file_a_wrong_date_and_an_unknown_place_are_wrong_use(line, ops, tmp_path, grids):
    path = ops([split(grids.index[0], grids.geometry.iloc[0])])
    for arguments in (
        ["--ops", tmp_path / "none.json"],
        ["--ops", tmp_path],
        ["--ops", path, "--effective", "2031-02-30"],
        ["--ops", path, "--account", "nobody"],
        ["--ops", path, "--account", "viewer"],
        ["--ops", path, "--account", "far"],
        ["--ops", ops([{"op": "split", "grid": "none", "line": line_of([[111, 27], [111, 28]])}], "b.json")],
        [],
    ):
        assert line.run("redraw", *arguments) == 2, arguments
        assert line.out == ""
    with Store.open(line.store) as store:
        assert drafts.list_drafts(store, OWNER) == []


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"op": "fly", "grid": "{code}"}, "malformed"),
        ({"op": "split", "grid": "{code}"}, "malformed"),
        ({"op": "split", "grid": "{code}", "line": {"type": "LineString", "coordinates": [["x", 1], [2, 3]]}}, "malformed"),
        ({"op": "push", "grid": "{code}", "line": {"type": "LineString", "coordinates": [[0, 0], [1e308, 5]]}}, "malformed"),
        ({"op": "split", "grid": "{code}", "line": {"type": "LineString", "coordinates": [[111.0, 27.5]] * 2}}, "zero_length"),
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_read_is_refused_alone(line, ops, grids, operation, reason):
    code = grids.index[0]
    given = json.loads(json.dumps(operation).replace("{code}", code))
    assert line.run("redraw", "--ops", ops([given, split(code, grids.geometry[code])]), "--json") == 1
    refused, done = json.loads(line.out)["results"]
    assert (refused["ok"], refused["reason"], done["ok"]) == (False, reason, True)


@pytest.fixture(scope="module")
def drawn(made, tmp_path_factory):
    """A store with a draft of a merge, a split and a carve: its path, the draft's number, what became of the codes."""
    path = tmp_path_factory.mktemp("drawn") / "drawn.gpkg"
    shutil.copyfile(made[0], path)
    grids = first_village(made[1]["grid"])
    first, second = neighbours(grids)
    third = next(code for code in grids.index if code not in (first, second))
    operations = [
        {"op": "merge", "grids": [first, second], "into": first},
        split(third, grids.geometry[third]),
        carve(grids.geometry[first]),
    ]
    with Store.open(str(path)) as store:
        given = {"title": "=并网</script>", "parent_code": grids["village_code"].iloc[0]}
        number = drafts.create(store, OWNER, effective_from="2031-03-01", **given).id
        results = draft_operations.apply(store, OWNER, number, 1, operations).results
    assert all(result["ok"] for result in results)
    return path, number, {"merged": first, "ended": {second, third}, "results": results}


@pytest.fixture
def exporting(drawn, capsys, tmp_path, monkeypatch):
    """The command line on the store of `drawn`, which exports leave as it is."""
    use_chinese(monkeypatch, tmp_path)
    return CommandLine(capsys, drawn[0])


def read_back(path: Path):
    """Codes, shapes (None where the format holds none), changes and sources of an exported layer."""
    if path.suffix == ".csv":
        rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
        return {row["grid_code"]: (None, row["draft_change"], row["from_codes"]) for row in rows}
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).worksheets[0]
        heads, *rows = list(sheet.iter_rows(values_only=True))
        listed = [dict(zip(heads, row, strict=True)) for row in rows]
        return {row["grid_code"]: (None, row["draft_change"], row["from_codes"]) for row in listed}
    frame = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
    names = {"grid_code": "grid_code", "draft_change": "draft_change", "from_codes": "from_codes"}
    if path.suffix == ".zip":
        names |= {"draft_change": "draft_chan"}
    return {
        row[names["grid_code"]]: (row.geometry, row[names["draft_change"]], row[names["from_codes"]])
        for _, row in frame.iterrows()
    }


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_draft_is_exported_as_the_whole_layer_it_would_make(exporting, drawn, made, tmp_path, suffix):
    _, number, expected = drawn
    path = tmp_path / f"would_be.{suffix}"
    assert exporting.run("export", f"draft:{number}", path) == 0, exporting.err
    rows = read_back(path)
    before = made[1]["grid"]
    new = {code for result in expected["results"] for code in result["codes"]}
    assert set(rows) == set(before["grid_code"]) - expected["ended"] | new
    assert {code for code, row in rows.items() if row[1] == "new"} == new
    assert rows[expected["merged"]][1] == "changed"
    assert expected["merged"] in rows[expected["merged"]][2].split(";")
    if suffix == "zip":
        with zipfile.ZipFile(path) as packed:
            assert any(name.endswith(".shp") and "draft" in name for name in packed.namelist())
    shapes = [row[0] for row in rows.values()]
    if shapes[0] is not None and suffix != "kml":
        require_same_land(before.geometry.to_numpy(), shapes)


def test_an_exported_draft_says_which_draft_it_is_and_where_the_land_went(exporting, drawn, tmp_path, made):
    _, number, expected = drawn
    path = tmp_path / "would_be.geojson"
    assert exporting.run("export", f"draft:{number}", path) == 0
    assert "=并网" in exporting.err
    provenance = json.loads(Path(f"{path}.provenance.json").read_text())
    said = provenance["draft"]
    assert (said["id"], said["title"], said["state"], said["effective_from"]) == (
        number, "=并网</script>", "draft", "2031-03-01",
    )  # fmt: skip
    shares = {}
    for link in provenance["lineage"]:
        shares[link["old_code"]] = shares.get(link["old_code"], 0) + link["share_of_area"]
    assert expected["ended"] <= set(shares)
    assert all(share == pytest.approx(1) for share in shares.values())
    assert json.loads(path.read_text())["provenance"]["draft"] == said
    before, after = made[1]["grid"], gpd.read_file(path)
    for name in ("households", "population"):
        assert after[name].sum() == before[name].sum()


def test_an_empty_draft_is_the_layer_as_it_is(line, tmp_path, grids, made):
    with Store.open(line.store) as store:
        number = drafts.create(store, OWNER, title="空", parent_code=grids["village_code"].iloc[0]).id
    path = tmp_path / "empty.geojson"
    assert line.run("export", f"draft:{number}", path) == 0
    frame = gpd.read_file(path)
    assert sorted(frame["grid_code"]) == sorted(made[1]["grid"]["grid_code"])
    assert set(frame["draft_change"]) == {"same"}


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("draft:999", []), ("draft:x", []), ("draft:", []), ("draft:-1", []), ("draft:1:camera", []),
        ("draft:{number}", ["--where", "kind = 'base'"]), ("draft:{number}", ["--account", "viewer"]),
        ("draft:{number}", ["--account", "far"]), ("map:draft:{number}", []),
    ],
)  # fmt: skip
def test_exports_of_drafts_that_cannot_be_are_wrong_use(exporting, drawn, tmp_path, what, more):
    path = tmp_path / ("x.png" if what.startswith("map") else "x.csv")
    assert exporting.run("export", what.format(number=drawn[1]), path, *more) == 2
    assert exporting.err.count("\n") == 1
    assert not path.exists()
