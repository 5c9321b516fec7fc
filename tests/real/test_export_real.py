"""Exports and prints of real counties: what goes out comes in again equal, and every place name has its letters."""

import json

import pandas as pd
import pytest
import shapely

from layers.exports.exporting import FORMATS, export
from layers.exports.gdal_out import as_multi
from layers.imports import importing
from layers.imports.importing import ImportOptions
from layers.kinds import KINDS
from layers.prints import print_layout, print_page, print_view
from layers.prints.view_content import Options
from layers.rights import OWNER
from layers.selection import frames
from layers.storage.store import Store
from web.standalone import standalone_html

pytestmark = pytest.mark.real

DAY = "2026-01-01"


def take(store, path, kind, **options):
    report = importing.import_file(store, path, ImportOptions(kind, **options), viewer=OWNER)
    assert report.stored, [finding.what.zh for finding in report.findings if finding.severity == "error"][:5]
    return report


@pytest.fixture(scope="module")
def mountain_county(real_data, tmp_path_factory):
    """A county with village points only, 47 of 301 without a position."""
    with Store.create(str(tmp_path_factory.mktemp("county") / "store.gpkg")) as store:
        source = real_data / "cn" / "yongshun_433127.gpkg"
        take(store, source, "county", source_layer="county")
        take(store, source, "village", source_layer="villages", mapping={"town_code": "parent_code"}, skip_bad=True)
        yield store


@pytest.fixture(scope="module")
def island_county(real_data, tmp_path_factory):
    """Real village polygons with traditional characters."""
    with Store.create(str(tmp_path_factory.mktemp("island") / "store.gpkg"), codes="free") as store:
        take(store, real_data / "cn_tw" / "nantou_villages.gpkg", "village", repair=True)
        yield store


@pytest.mark.parametrize("name", list(FORMATS))
def test_village_polygons_come_back_equal_from_every_format(island_county, tmp_path, name):
    path = tmp_path / f"villages{FORMATS[name][0]}"
    report = export(island_county, OWNER, "village", path, wkt=True)
    told = json.loads((tmp_path / f"{path.name}.provenance.json").read_text("utf-8"))
    short = told.get("shapefile_columns", {})
    with Store.create(str(tmp_path / "other.gpkg"), codes="free") as other:
        take(other, path, "village", mapping={cut: full for cut, full in short.items() if cut != full})
        before, after = (frames.read_layer(store, "village", OWNER) for store in (island_county, other))
    assert len(after) == report.rows == 262
    for column in KINDS["village"].names:
        assert after[column].astype(str).tolist() == before[column].astype(str).tolist(), column
    # A Shapefile does not tell an area from an area of one part.
    first, second = (
        as_multi(shapely.orient_polygons(frame.geometry.array), "MultiPolygon") for frame in (before, after)
    )
    assert shapely.equals_exact(first, second, tolerance=1e-8, normalize=True).all()


def test_points_without_position_and_rare_names_survive(mountain_county, tmp_path):
    export(mountain_county, OWNER, "village", tmp_path / "v.gpkg")
    with Store.create(str(tmp_path / "other.gpkg")) as other:
        take(other, tmp_path / "v.gpkg", "village", skip_bad=True)
        before, after = (frames.read_layer(store, "village", OWNER) for store in (mountain_county, other))
    pd.testing.assert_series_equal(after["name"], before["name"])
    assert after.geometry.isna().sum() == before.geometry.isna().sum() > 0


@pytest.mark.parametrize("which", ["mountain_county", "island_county"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_name_of_a_real_county_has_its_letters_in_print(which, language, request):
    sheet = print_view.sheet(request.getfixturevalue(which), OWNER, "village", Options(language, DAY))
    drawing = print_layout.draw(sheet, print_page.page("A3"))
    assert drawing.letters.missing == () and drawing.letters.families() == ["Wangge Sans SC"]


def test_coverage_of_derived_villages_counts_all_of_them(mountain_county, tmp_path):
    report = export(mountain_county, OWNER, "coverage", tmp_path / "c.geojson")
    rows = [feature["properties"] for feature in json.loads((tmp_path / "c.geojson").read_text("utf-8"))["features"]]
    assert len(rows) == report.rows == len(frames.read_layer(mountain_county, "village", OWNER))
    assert {row["state"] for row in rows if not row["derived"]} == {"no_data"}


def test_standalone_map_of_a_real_county_is_small_enough_to_mail(mountain_county, tmp_path):
    standalone_html(mountain_county, OWNER, "coverage", tmp_path / "m.html")
    assert (tmp_path / "m.html").stat().st_size < 2_000_000
