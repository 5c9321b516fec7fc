"""Exports of layers and results: equal when read back, under the viewer's rights, whole or not at all."""

import json
import os
import sqlite3
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
import squares

from geo import crs
from geo.errors import InputError, NotFoundError, RightsError, StoreError
from layers.exports import exporting, gdal_out
from layers.exports.export_source import with_gi_fields
from layers.exports.exporting import FORMATS, export, export_name, format_name
from layers.imports import importing
from layers.kinds import KINDS
from layers.rights import OWNER, Viewer
from layers.selection import frames
from layers.storage.audit import read_audit
from layers.storage.store import Store

PLANNER = Viewer("planner", "planner")
NASTY = ['=HYPERLINK("http://x")', "</script><img src=x onerror=alert(1)>", "運誠乗", "堽城村", "a'b\"c&d", "-1"]
SUFFIX = {
    "geojson": ".geojson",
    "gpkg": ".gpkg",
    "shp": ".zip",
    "kml": ".kml",
    "csv": ".csv",
    "xlsx": ".xlsx",
    "parquet": ".parquet",
}


@pytest.fixture
def county_store(gpkg_store: Store) -> Store:
    """The county of squares on its 1 cm grid, as an import leaves it, with names that other programs would run."""
    for kind, rows in (("county", squares.county()), ("township", squares.townships()), ("camera", squares.cameras())):
        squares.put(gpkg_store, kind, rows)
    villages = squares.villages().assign(name=NASTY)
    villages.geometry = crs.snap_centimetre(villages.geometry.array, crs.metric_crs(villages.total_bounds))
    squares.put(gpkg_store, "village", villages)
    return gpkg_store


def read_back(path: Path) -> gpd.GeoDataFrame:
    if path.suffix == ".parquet":
        return gpd.read_parquet(path)
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    if path.suffix == ".xlsx":
        return pd.read_excel(path, dtype=object)
    return pyogrio.read_dataframe(path)


def test_a_file_named_without_its_folder_is_written_where_the_reader_stands(
    county_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = export(county_store, OWNER, "village", Path("villages.gpkg"))
    assert report.rows == len(pyogrio.read_dataframe(tmp_path / "villages.gpkg"))


def test_kml_carries_names_codes_and_shapes(county_store: Store, tmp_path: Path) -> None:
    export(county_store, OWNER, "village", tmp_path / "v.kml")
    stored, back = frames.read_layer(county_store, "village", OWNER), read_back(tmp_path / "v.kml")
    assert back["Name"].tolist() == NASTY and back["code"].tolist() == stored["code"].tolist()
    assert back["households"].fillna(-9).tolist() == stored["households"].fillna(-9).tolist()
    flat = shapely.force_2d(back.geometry.array)
    assert shapely.equals_exact(flat, stored.geometry.array, tolerance=1e-9, normalize=True).all()


@pytest.mark.parametrize("name", ["geojson", "gpkg", "parquet"])
def test_export_of_villages_reads_back_equal(county_store: Store, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"v{SUFFIX[name]}"
    report = export(county_store, OWNER, "village", path)
    stored = frames.read_layer(county_store, "village", OWNER)
    back = read_back(path)
    assert report.rows == len(back) == 6
    assert back["code"].tolist() == stored["code"].tolist()
    assert back["name"].tolist() == NASTY
    assert back["households"].fillna(-9).astype(int).tolist() == stored["households"].fillna(-9).astype(int).tolist()
    assert shapely.equals_exact(back.geometry.array, shapely.normalize(stored.geometry.array), normalize=True).all()


@pytest.mark.parametrize("name", list(FORMATS))
def test_export_then_import_gives_the_same_villages(county_store: Store, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"v{SUFFIX[name]}"
    export(county_store, OWNER, "village", path, wkt=True)
    with Store.create(str(tmp_path / "other.gpkg"), codes="free") as other:
        options = importing.ImportOptions("village")
        report = importing.import_file(other, path, options, viewer=OWNER)
        assert report.stored, [finding.what.zh for finding in report.findings]
        before, after = (frames.read_layer(store, "village", OWNER) for store in (county_store, other))
    assert after.index.tolist() == before.index.tolist()
    assert after["name"].tolist() == NASTY
    for field in KINDS["village"].names:
        assert after[field].astype(str).tolist() == before[field].astype(str).tolist(), field
    assert shapely.equals_exact(after.geometry.array, before.geometry.array, tolerance=1e-9, normalize=True).all()


@pytest.mark.parametrize("name", ["csv", "kml"])
def test_cameras_keep_every_column_through_text(county_store: Store, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"c{SUFFIX[name]}"
    export(county_store, OWNER, "camera", path)
    with Store.create(str(tmp_path / "other.gpkg"), codes="free") as other:
        report = importing.import_file(other, path, importing.ImportOptions("camera"), viewer=OWNER)
        assert report.stored, [finding.what.zh for finding in report.findings]
        before, after = (frames.read_layer(store, "camera", OWNER) for store in (county_store, other))
    for field in KINDS["camera"].names:
        assert after[field].astype(str).tolist() == before[field].astype(str).tolist(), field
    there = before.geometry.notna().to_numpy()
    assert after.geometry.notna().tolist() == there.tolist()
    assert shapely.distance(after.geometry.array[there], before.geometry.array[there]).max() < 1e-8


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_file_has_its_provenance_beside_it(county_store: Store, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"v{SUFFIX[name]}"
    report = export(county_store, OWNER, "village", path, where="households > 300")
    told = json.loads((tmp_path / (path.name + ".provenance.json")).read_text("utf-8"))
    assert told["layers"][0]["kind"] == "village" and told["layers"][0]["version"] == 1
    assert told["export"]["rows"] == report.rows == 3
    assert told["export"]["where"] == "households > 300" and told["export"]["format"] == name
    assert set(report.files) == {path, tmp_path / (path.name + ".provenance.json")}


def test_a_csv_in_a_zip_has_its_provenance_beside_it_and_imports_again(county_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "v.zip"
    report = export(county_store, OWNER, "village", path, format="csv", wkt=True)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["village.csv", "village.csv.provenance.json"]
        assert json.loads(archive.read("village.csv.provenance.json"))["export"]["rows"] == report.rows == 6
    with Store.create(str(tmp_path / "other.gpkg"), codes="free") as other:
        again = importing.import_file(other, path, importing.ImportOptions("village"), viewer=OWNER)
        assert again.stored and again.rows_stored == 6


def test_provenance_is_inside_where_the_format_has_a_place(county_store: Store, tmp_path: Path) -> None:
    for name in ("geojson", "gpkg", "xlsx", "parquet", "kml"):
        export(county_store, OWNER, "village", tmp_path / f"v{SUFFIX[name]}")
    inside = [
        json.loads((tmp_path / "v.geojson").read_text("utf-8"))["provenance"],
        json.loads(pyogrio.read_info(tmp_path / "v.gpkg", layer="village")["layer_metadata"]["PROVENANCE"]),
        json.loads(pq.read_schema(tmp_path / "v.parquet").metadata[b"provenance"]),
    ]
    assert [told["layers"][0]["kind"] for told in inside] == ["village"] * 3
    told = dict(openpyxl.load_workbook(tmp_path / "v.xlsx")["来源 provenance"].iter_rows(values_only=True))
    assert json.loads(told["export"])["what"] == "village"
    assert '"function": "layers.exports.exporting"' in (tmp_path / "v.kml").read_text("utf-8")


def test_geojson_follows_the_standard(county_store: Store, tmp_path: Path) -> None:
    export(county_store, OWNER, "village", tmp_path / "v.geojson")
    read = json.loads((tmp_path / "v.geojson").read_text("utf-8"))
    assert "crs" not in read
    ring = shapely.LinearRing(read["features"][0]["geometry"]["coordinates"][0])
    assert ring.is_ccw
    assert 110 < ring.coords[0][0] < 112 and 29 < ring.coords[0][1] < 31


def test_geoparquet_carries_the_box_of_every_row(county_store: Store, tmp_path: Path) -> None:
    export(county_store, OWNER, "village", tmp_path / "v.parquet")
    schema = pq.read_schema(tmp_path / "v.parquet")
    geo = json.loads(schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0" and "bbox" in geo["columns"]["geometry"]["covering"]
    assert gpd.read_parquet(tmp_path / "v.parquet", bbox=(111.01, 30.01, 111.02, 30.02))["code"].tolist() == [
        squares.V1
    ]


def test_gpkg_holds_the_one_layer_and_nothing_of_the_store(county_store: Store, tmp_path: Path) -> None:
    export(county_store, OWNER, "village", tmp_path / "v.gpkg")
    with sqlite3.connect(tmp_path / "v.gpkg") as file:
        tables = {row[0] for row in file.execute("SELECT table_name FROM gpkg_contents")}
        names = {row[0] for row in file.execute("SELECT name FROM sqlite_master")}
    file.close()
    assert tables == {"village"}
    assert not {"account", "audit", "change", "village_row"} & names


def test_rows_without_position_are_kept_in_every_format(county_store: Store, tmp_path: Path) -> None:
    for name in FORMATS:
        path = tmp_path / f"c{SUFFIX[name]}"
        export(county_store, OWNER, "camera", path)
        assert len(read_back(path)) == 10, name


def test_coverage_export_is_what_the_page_shows_with_shapes(county_store: Store, tmp_path: Path) -> None:
    from layers.figures.derived import coverage

    result = coverage(county_store, PLANNER)
    export(county_store, PLANNER, "coverage", tmp_path / "c.gpkg")
    back = read_back(tmp_path / "c.gpkg")
    assert back["code"].tolist() == result.rows["code"].tolist()
    assert back["shortfall"].tolist() == result.rows["shortfall"].tolist()
    assert back.geometry.notna().all()
    told = json.loads((tmp_path / "c.gpkg.provenance.json").read_text("utf-8"))
    assert told["rule_set"]["name"] == result.provenance["rule_set"]["name"] and told["rule_set"]["date"]


def test_hotspots_carry_the_field_names_of_common_software(county_store: Store, tmp_path: Path) -> None:
    squares.put(county_store, "incident", squares.incidents())
    export(county_store, PLANNER, "hotspots", tmp_path / "h.shp", unit="cell", cell_m=2000, exposure="area")
    back = read_back(tmp_path / "h.shp")
    assert {"GiZScore", "GiPValue", "Gi_Bin"} <= set(back.columns)
    assert set(back["Gi_Bin"]) <= {-3, -2, -1, 0, 1, 2, 3} and back["Gi_Bin"].max() == 3


def test_gi_p_value_is_two_sided_and_only_the_bin_is_corrected() -> None:
    rows = with_gi_fields(pd.DataFrame({"gi_z": [1.959964, -3.5, 0.0, np.nan]}))
    assert rows["GiPValue"].iloc[0] == pytest.approx(0.05, abs=1e-6)
    # Corrected over three: 0.05 * 3 / 2 = 0.075 is below 0.10 only; 0.00047 * 3 is below 0.01.
    assert rows["Gi_Bin"].tolist()[:3] == [1, -3, 0]
    assert pd.isna(rows["Gi_Bin"].iloc[3])


def test_viewer_gets_no_cameras_but_coverage_without_any_position_of_one(county_store: Store, tmp_path: Path) -> None:
    viewer = Viewer("guest", "viewer")
    with pytest.raises(RightsError):
        export(county_store, viewer, "camera", tmp_path / "c.csv")
    assert list(tmp_path.glob("c.csv*")) == []
    export(county_store, viewer, "coverage", tmp_path / "v.geojson")
    text = (tmp_path / "v.geojson").read_text("utf-8")
    for device in squares.cameras()["device_id"]:
        assert device not in text
    with pytest.raises(RightsError):
        export(county_store, viewer, "coverage", tmp_path / "g.csv", unit="grid")


def test_area_scope_limits_the_rows_of_an_export(county_store: Store, tmp_path: Path) -> None:
    manager = Viewer("south", "grid_manager", areas=(squares.SOUTH,))
    export(county_store, manager, "village", tmp_path / "v.csv")
    assert read_back(tmp_path / "v.csv")["code"].tolist() == [squares.V1, squares.V2, squares.V3]
    export(county_store, manager, "coverage", tmp_path / "c.csv")
    assert set(read_back(tmp_path / "c.csv")["code"]) == {squares.V1, squares.V2, squares.V3}


def test_every_export_is_in_the_audit_trail(county_store: Store, tmp_path: Path) -> None:
    export(county_store, PLANNER, "village", tmp_path / "v.csv", where="households > 300")
    last = read_audit(county_store, limit=1)[0]
    assert (last["actor"], last["action"]) == ("planner", "export")
    assert last["details"]["what"] == "village" and last["details"]["where"] == "households > 300"


def test_unknown_format_names_those_there_are() -> None:
    for path, given in ((Path("v.dxf"), None), (Path("v.csv"), "dxf"), (Path("v"), None)):
        with pytest.raises(InputError) as caught:
            format_name(path, given)
        assert "geojson" in caught.value.mend.zh and "xlsx" in caught.value.mend.zh
    assert format_name(Path("v.GEOJSON")) == "geojson" and format_name(Path("v.dat"), "csv") == "csv"


def test_unknown_option_names_those_there_are(county_store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        export(county_store, OWNER, "coverage", tmp_path / "c.csv", cell_m=500)
    assert "rule_id" in caught.value.mend.en
    with pytest.raises(NotFoundError):
        export(county_store, OWNER, "nonsense", tmp_path / "c.csv")


def test_the_store_is_never_overwritten(county_store: Store) -> None:
    assert county_store.path is not None
    for target in (county_store.path, county_store.path.parent / "." / county_store.path.name):
        with pytest.raises(InputError):
            export(county_store, OWNER, "village", target, format="gpkg")
    assert len(frames.read_layer(county_store, "village", OWNER)) == 6


def test_no_other_store_and_no_backup_is_overwritten_but_an_older_export_is(
    county_store: Store, tmp_path: Path
) -> None:
    Store.create(str(tmp_path / "other.gpkg")).close()
    before = (tmp_path / "other.gpkg").read_bytes()
    with pytest.raises(InputError):
        export(county_store, OWNER, "village", tmp_path / "other.gpkg")
    assert (tmp_path / "other.gpkg").read_bytes() == before
    for where in ("households > 300", None):
        export(county_store, OWNER, "village", tmp_path / "v.gpkg", where=where)
    assert len(read_back(tmp_path / "v.gpkg")) == 6


def test_missing_folder_and_impossible_name_are_told(county_store: Store, tmp_path: Path) -> None:
    for target in (tmp_path / "none" / "v.csv", tmp_path, tmp_path / ("長" * 90 + ".csv")):
        with pytest.raises(InputError):
            export(county_store, OWNER, "village", target, format="csv")
    assert sorted(path.name for path in tmp_path.iterdir() if "store" not in path.name) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_write_permission_is_told(county_store: Store, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(InputError):
        export(county_store, OWNER, "village", tmp_path / "closed" / "v.csv")


def test_failing_export_leaves_the_older_file_and_nothing_else(
    county_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "v.gpkg"
    target.write_text("older")
    monkeypatch.setattr(gdal_out.sys, "executable", "/bin/false")
    with pytest.raises(StoreError):
        export(county_store, OWNER, "village", target)
    assert target.read_text() == "older"
    assert [path.name for path in target.parent.iterdir()] == ["v.gpkg"]


def test_full_disk_is_told_and_leaves_nothing(
    county_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(exporting.tables_out, "write_csv", full)
    with pytest.raises(InputError) as caught:
        export(county_store, OWNER, "village", tmp_path / "out" / "v.csv")
    assert "No space left" in caught.value.what.en
    assert list((tmp_path / "out").iterdir()) == []


def test_writing_child_is_a_process_of_its_own(county_store: Store, tmp_path: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys; from pathlib import Path; from layers.storage.store import Store; from layers.exports.exporting import export;"
        "from layers.rights import OWNER; store = Store.open(sys.argv[1]); export(store, OWNER, 'village', sys.argv[2]);"
        "print('pyogrio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(county_store.path), str(tmp_path / "v.gpkg")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
    assert (tmp_path / "v.gpkg").stat().st_size > 0


def test_file_names_are_safe_on_every_system() -> None:
    assert export_name("村（社区）", "望川县", "2026-11-21", "csv") == "望川县_村（社区）_2026-11-21.csv"
    assert export_name("覆盖", "望川县", "2026-11-21", "_csv.zip") == "望川县_覆盖_2026-11-21_csv.zip"
    assert export_name('a/b\\c:*?"<>|', "..", "2026-11-21", ".zip") == "_a-b-c_2026-11-21.zip"
    assert export_name("", "CON", "2026-11-21", ".csv").startswith("CON_2026")
    for name in (
        export_name("長" * 300, "x\u202e\x00", "2026-11-21", ".csv"),
        export_name("", "", "2026-11-21", ".csv"),
    ):
        assert len(name.encode()) <= 255 and not set(name) & set('<>:"/\\|?*\u202e\x00')
