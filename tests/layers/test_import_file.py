"""A file becomes rows or findings: the whole way, on both engines."""

import gzip
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from layers.imports.importing import ImportOptions, ImportReport, import_file
from layers.imports.undoing import undo_change
from layers.rights import OWNER, Viewer
from layers.selection import frames
from layers.storage.store import Store

VILLAGES = """村代码,村名,乡镇,户数,经度,纬度
433127101002,望川居委会,望川镇,120,109.71,29.09
433127101201,河口村,望川镇,85,109.67,29.08
433127101202,石桥村,望川镇,,109.73,29.07
433127101203,无位村,望川镇,40,,
"""


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def load(store: Store, path: Path, kind: str, **options: object) -> ImportReport:
    return import_file(store, path, ImportOptions(kind, **options), viewer=OWNER)  # type: ignore[arg-type]


def kinds(report: ImportReport, severity: str | None = None) -> list[str]:
    return [f.kind for f in report.findings if severity is None or f.severity == severity]


def read(store: Store, kind: str) -> gpd.GeoDataFrame:
    return frames.read_layer(store, kind, OWNER)


def test_a_gbk_table_without_any_hint_becomes_villages(store: Store, tmp_path: Path) -> None:
    report = load(store, write(tmp_path, "村.csv", VILLAGES, "gbk"), "village")
    assert report.stored and report.rows_stored == 4 and report.rows_read == 4
    assert report.no_location == 1 and kinds(report, "warning") == ["no_location"]
    villages = read(store, "village")
    assert villages.loc["433127101002", "name"] == "望川居委会"
    assert villages.loc["433127101002", "parent_code"] == "433127101000"
    assert villages.loc["433127101002"].geometry.equals(shapely.Point(109.71, 29.09))
    assert villages.loc["433127101203"].geometry is None
    assert villages["households"].tolist()[:2] == [120, 85]
    assert report.provenance["encoding"] == "gb18030" and len(report.provenance["sha256"]) == 64


def test_columns_that_are_no_field_are_named_once(gpkg_store: Store, tmp_path: Path) -> None:
    report = load(gpkg_store, write(tmp_path, "a.csv", VILLAGES), "village")
    named = [finding for finding in report.findings if finding.kind == "columns"]
    assert len(named) == 1 and "乡镇" in named[0].what.zh and named[0].severity == "info"


def test_a_dry_run_changes_nothing(gpkg_store: Store, tmp_path: Path) -> None:
    report = load(gpkg_store, write(tmp_path, "a.csv", VILLAGES), "village", dry_run=True)
    assert not report.stored and report.rows_ready == 4 and report.change_id is None
    assert gpkg_store.versions(["village"]) == {"village": 0}


def test_with_errors_nothing_is_stored_unless_bad_rows_may_be_skipped(store: Store, tmp_path: Path) -> None:
    bad = VILLAGES + "43312710199,短码村,望川镇,1,109.7,29.1\n433127101002,重复村,望川镇,1,109.7,29.1\n"
    path = write(tmp_path, "bad.csv", bad)
    refused = load(store, path, "village")
    assert not refused.stored and kinds(refused, "error") == ["code", "duplicate"]
    assert [f.row for f in refused.findings if f.severity == "error"] == [5, 6]
    assert store.versions(["village"]) == {"village": 0}
    taken = load(store, path, "village", skip_bad=True)
    assert taken.stored and taken.rows_stored == 4


def test_the_same_file_again_is_recognised(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", VILLAGES)
    first = load(store, path, "village")
    again = load(store, path, "village")
    assert again.already_imported and not again.stored and again.change_id == first.change_id
    assert kinds(again) == ["already_imported"]
    assert len(read(store, "village")) == 4
    undo_change(store, first.change_id, "owner")  # type: ignore[arg-type]
    assert load(store, path, "village").stored


def test_codes_that_are_there_already_are_errors_in_append_mode(gpkg_store: Store, tmp_path: Path) -> None:
    load(gpkg_store, write(tmp_path, "a.csv", VILLAGES), "village")
    report = load(gpkg_store, write(tmp_path, "b.csv", VILLAGES.replace("河口村", "河口新村")), "village")
    assert not report.stored and set(kinds(report, "error")) == {"exists"}


def test_replace_ends_what_vanished_and_leaves_what_is_the_same(store: Store, tmp_path: Path) -> None:
    load(store, write(tmp_path, "a.csv", VILLAGES), "village")
    changed = VILLAGES.replace("河口村", "河口新村").replace("433127101202,石桥村,望川镇,,109.73,29.07\n", "")
    report = load(store, write(tmp_path, "b.csv", changed), "village", mode="replace")
    assert report.stored and (report.rows_stored, report.rows_closed, report.rows_same) == (1, 2, 2)
    assert [f.code for f in report.findings if f.kind == "vanished"] == ["433127101202"]
    assert sorted(read(store, "village")["name"]) == ["无位村", "望川居委会", "河口新村"]
    before = frames.read_layer(store, "village", OWNER, as_of="2020-01-01")
    assert sorted(before["name"]) == ["无位村", "望川居委会", "河口村", "石桥村"]


def test_a_skipped_row_does_not_end_the_row_it_would_have_replaced(gpkg_store: Store, tmp_path: Path) -> None:
    load(gpkg_store, write(tmp_path, "a.csv", VILLAGES), "village")
    bad = VILLAGES.replace("109.67,29.08", "509.67,29.08")
    report = load(gpkg_store, write(tmp_path, "b.csv", bad), "village", mode="replace", skip_bad=True)
    assert report.stored and (report.rows_stored, report.rows_closed) == (0, 0)
    assert read(gpkg_store, "village").loc["433127101201"].geometry.x == 109.67


def test_update_changes_only_what_the_file_says(store: Store, tmp_path: Path) -> None:
    load(store, write(tmp_path, "a.csv", VILLAGES), "village")
    text = "村代码,户数\n433127101002,121\n433127101201,\n433127101204,9\n"
    report = load(store, write(tmp_path, "b.csv", text), "village", mode="update")
    assert report.stored and (report.rows_stored, report.rows_closed, report.rows_same) == (2, 1, 1)
    assert kinds(report, "info") == ["new"]
    villages = read(store, "village")
    assert villages.loc["433127101002", "households"] == 121
    assert villages.loc["433127101002", "name"] == "望川居委会"
    assert villages.loc["433127101002"].geometry is not None
    assert villages.loc["433127101201", "households"] == 85
    assert len(villages) == 5


def test_update_needs_a_key(gpkg_store: Store, tmp_path: Path) -> None:
    from geo.errors import InputError

    with pytest.raises(InputError):
        load(gpkg_store, write(tmp_path, "a.csv", VILLAGES), "facility", mode="update")


def test_rows_begin_on_the_day_that_is_named(gpkg_store: Store, tmp_path: Path) -> None:
    load(gpkg_store, write(tmp_path, "a.csv", VILLAGES), "village", as_of="2024-05-01")
    assert len(frames.read_layer(gpkg_store, "village", OWNER, as_of="2024-04-30")) == 0
    assert len(frames.read_layer(gpkg_store, "village", OWNER, as_of="2024-05-01")) == 4
    report = load(gpkg_store, write(tmp_path, "b.csv", VILLAGES + "\n"), "village", mode="replace", as_of="2020-01-01")
    assert (not report.stored and kinds(report)[-1:] == ["history"]) or "history" in kinds(report)


def test_spoiled_codes_are_restored_with_a_warning(gpkg_store: Store, tmp_path: Path) -> None:
    text = "村代码,村名,经度,纬度\n433127101002.0,甲村,109.7,29.1\n4.33127101201E+11,乙村,109.7,29.2\n"
    report = load(gpkg_store, write(tmp_path, "a.csv", text), "village")
    assert report.stored and kinds(report, "warning") == ["code_number", "code_number"]
    assert sorted(read(gpkg_store, "village").index) == ["433127101002", "433127101201"]


def test_township_codes_are_padded(gpkg_store: Store, tmp_path: Path) -> None:
    load(gpkg_store, write(tmp_path, "a.csv", "代码,名称\n433127101,望川镇\n"), "township")
    towns = read(gpkg_store, "township")
    assert towns.index.tolist() == ["433127101000"]
    assert towns["parent_code"].tolist() == ["433127000000"]


def test_personal_columns_and_cells_are_named_and_never_stored(store: Store, tmp_path: Path) -> None:
    text = (
        "村代码,村名,村主任姓名,备注电话,说明,经度,纬度\n"
        "433127101002,甲村,张三丰,13812345678,11010519491231002X,109.7,29.1\n"
        "433127101201,请拨13912345678,李四光,13912345678,无,109.7,29.2\n"
    ) + "".join(f"4331271012{number:02d},村{number},王五,,,109.7,29.3\n" for number in range(10, 30))
    report = load(store, write(tmp_path, "a.csv", text), "village")
    refused = {f.column for f in report.findings if f.kind == "personal" and f.row == 0}
    assert refused == {"村主任姓名", "备注电话", "说明"}
    said = repr(report.findings) + repr(report.provenance)
    for secret in ("张三丰", "13812345678", "13912345678", "11010519491231002X"):
        assert secret not in said
    villages = read(store, "village")
    assert villages.loc["433127101201", "name"] is None
    assert "13912345678" not in villages.to_csv()


def test_a_reference_layer_keeps_its_columns_but_not_the_personal_ones(store: Store, tmp_path: Path) -> None:
    text = "学校,联系电话,学生数,学校代码,经度,纬度\n一小,13812345678,300,0012,109.7,29.1\n二小,13912345678,250,0013,109.8,29.2\n"
    path = write(tmp_path, "schools.csv", text)
    report = load(store, path, "reference:学校")
    assert report.stored and report.rows_stored == 2
    schools = read(store, "reference:学校")
    assert {"学校", "学生数", "学校代码"} <= set(schools.columns) and "联系电话" not in schools.columns
    assert schools["学校代码"].tolist() == ["0012", "0013"]
    assert schools["学生数"].tolist() == [300, 250]
    assert schools.geometry.iloc[0].equals(shapely.Point(109.7, 29.1))
    assert not load(store, write(tmp_path, "more.csv", text + "\n"), "reference:学校").stored
    assert load(store, path, "reference:学校", mode="replace", crs="EPSG:4326").stored


def test_incident_times_give_day_and_hour_and_the_other_way_round(store: Store, tmp_path: Path) -> None:
    text = "编号,类型,时间,经度,纬度\n1,噪声,2026年3月1日 23时30分,109.7,29.1\n2,噪声,46082,109.7,29.1\n3,噪声,,109.7,29.1\n"
    load(store, write(tmp_path, "a.csv", text), "incident")
    rows = read(store, "incident").set_index("incident_no")
    assert [str(value)[:10] for value in rows["occurred_on"]] == ["2026-03-01", "2026-03-01", "NaT"]
    assert rows["occurred_hour"].tolist()[0] == 23 and pd.isna(rows["occurred_hour"].iloc[1])
    assert pd.isna(rows["occurred_at"].iloc[1])
    text = "编号,发生日期,时,经度,纬度\n7,2026-03-01,14,109.7,29.1\n"
    load(store, write(tmp_path, "b.csv", text), "incident")
    assert read(store, "incident").set_index("incident_no").loc["7", "occurred_at"] == pd.Timestamp("2026-03-01 14:00")


def test_dates_that_may_be_read_two_ways_are_asked_about(gpkg_store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "编号,日期,经度,纬度\n1,03/04/2026,109.7,29.1\n")
    assert kinds(load(gpkg_store, path, "incident"), "error") == ["date"]
    assert load(gpkg_store, path, "incident", dates="dmy").stored
    assert str(read(gpkg_store, "incident")["occurred_on"].iloc[0])[:10] == "2026-04-03"


def test_camera_values_are_understood_or_reported(gpkg_store: Store, tmp_path: Path) -> None:
    text = (
        "设备编码,点位名称,数量,类别,状态,朝向,启用日期,经度,纬度\n"
        "34020000001320000101,东门,0,一类,在线,东南,2024年1月5日,109.7,29.1\n"
        "34020000002000000001,西门,2,甲类,故障,西,,0,0\n"
        "12,南门,-1,3,规划,400,,109.7,29.1\n"
    )
    report = load(gpkg_store, write(tmp_path, "a.csv", text), "camera")
    assert not report.stored and kinds(report, "error") == ["negative"]
    assert sorted(kinds(report, "warning")) == ["choice", "device", "device", "no_location", "number"]
    assert load(gpkg_store, tmp_path / "a.csv", "camera", skip_bad=True).rows_stored == 2
    rows = read(gpkg_store, "camera").set_index("device_id")
    east = rows.loc["34020000001320000101"]
    assert (east["camera_count"], east["video_class"], east["status"], east["azimuth"]) == (0, "1", "online", 135.0)


def test_rows_know_the_village_and_grid_they_fall_in(store: Store, tmp_path: Path) -> None:
    cameras = write(
        tmp_path, "c.csv", "设备编码,经度,纬度\n34020000001320000101,109.75,29.05\n34020000001320000102,120,30\n"
    )
    load(store, cameras, "camera")
    square = shapely.box(109.7, 29.0, 109.8, 29.1)
    areas = gpd.GeoDataFrame({"code": ["433127101201"], "name": ["甲村"]}, geometry=[square], crs="EPSG:4326")
    areas.to_file(tmp_path / "v.gpkg", driver="GPKG")
    grids = gpd.GeoDataFrame({"grid_code": ["433127101201001"]}, geometry=[square], crs="EPSG:4326")
    grids.to_file(tmp_path / "g.geojson", driver="GeoJSON")
    load(store, tmp_path / "v.gpkg", "village")
    load(store, tmp_path / "g.geojson", "grid")
    rows = read(store, "camera").set_index("device_id")
    assert rows["village_code"].tolist() == ["433127101201", None]
    assert rows["grid_code"].tolist() == ["433127101201001", None]
    assert read(store, "grid")["village_code"].tolist() == ["433127101201"]
    more = write(
        tmp_path, "d.csv", "设备编码,经度,纬度\n34020000001320000103,109.76,29.06\n34020000001320000104,121,30\n"
    )
    report = load(store, more, "camera")
    assert kinds(report, "warning") == ["outside"]
    assert read(store, "camera").set_index("device_id").loc["34020000001320000103", "village_code"] == "433127101201"


def test_the_parent_is_found_by_position_where_codes_say_nothing(tmp_path: Path) -> None:
    with Store.create(str(tmp_path / "free.gpkg"), codes="free") as store:
        towns = gpd.GeoDataFrame(
            {"code": ["T2", "T1"]}, geometry=[shapely.box(1, 1, 2, 2), shapely.box(0, 1, 1, 2)], crs=4326
        )
        towns.to_file(tmp_path / "t.gpkg", driver="GPKG")
        tracts = gpd.GeoDataFrame(
            {"GEOID": [17031010100, 17031010201]},
            geometry=[shapely.box(1.1, 1.1, 1.2, 1.2), shapely.box(5, 5, 6, 6)],
            crs=4326,
        )
        tracts.to_file(tmp_path / "v.gpkg", driver="GPKG")
        assert load(store, tmp_path / "t.gpkg", "township").stored
        report = load(store, tmp_path / "v.gpkg", "village")
        assert report.stored and kinds(report, "warning") == ["parent"]
        villages = read(store, "village")
        assert villages.loc["17031010100", "parent_code"] == "T2"
        assert villages.loc["17031010201", "parent_code"] is None


def test_overlapping_areas_are_warnings_with_a_place(gpkg_store: Store, tmp_path: Path) -> None:
    shapes = [shapely.box(109.7, 29.0, 109.8, 29.1), shapely.box(109.79, 29.0, 109.9, 29.1)]
    areas = gpd.GeoDataFrame({"code": ["433127101201", "433127101202"]}, geometry=shapes, crs=4326)
    areas.to_file(tmp_path / "v.gpkg", driver="GPKG")
    report = load(gpkg_store, tmp_path / "v.gpkg", "village")
    assert report.stored
    overlap = next(f for f in report.findings if f.kind == "overlap")
    assert overlap.severity == "warning" and overlap.lon == pytest.approx(109.795, abs=0.005)


def test_an_invalid_ring_is_refused_or_mended_when_asked(gpkg_store: Store, tmp_path: Path) -> None:
    bowtie = shapely.Polygon([(109, 29), (109.1, 29.1), (109.1, 29), (109, 29.1)])
    gpd.GeoDataFrame({"code": ["433127101201"]}, geometry=[bowtie], crs=4326).to_file(
        tmp_path / "v.gpkg", driver="GPKG"
    )
    assert kinds(load(gpkg_store, tmp_path / "v.gpkg", "village"), "error") == ["invalid"]
    mended = load(gpkg_store, tmp_path / "v.gpkg", "village", repair=True)
    assert mended.stored and kinds(mended, "warning") == ["mended"]
    assert read(gpkg_store, "village").geometry.iloc[0].is_valid


def test_villages_at_one_point_are_named(gpkg_store: Store, tmp_path: Path) -> None:
    text = "村代码,经度,纬度\n433127101201,109.7,29.1\n433127101202,109.7,29.1\n433127101203,109.8,29.1\n"
    report = load(gpkg_store, write(tmp_path, "a.csv", text), "village")
    stacked = [f for f in report.findings if f.kind == "stacked"]
    assert len(stacked) == 1 and "433127101202" in stacked[0].what.zh and stacked[0].severity == "warning"


def test_a_layer_in_gcj02_is_suspected_and_converted_only_when_told(gpkg_store: Store, tmp_path: Path) -> None:
    import numpy as np

    from geo import datum

    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(109.7, 109.9, 40), rng.uniform(29.0, 29.2, 40)
    codes = [f"4331271012{number:02d}" for number in range(40)]
    true = "\n".join(f"{c},{x:.9f},{y:.9f}" for c, x, y in zip(codes, lon, lat, strict=True))
    load(gpkg_store, write(tmp_path, "a.csv", f"村代码,经度,纬度\n{true}\n"), "village")
    moved = "\n".join(f"{c},{x:.9f},{y:.9f}" for c, x, y in zip(codes, *datum.wgs84_to_gcj02(lon, lat), strict=True))
    path = write(tmp_path, "b.csv", f"村代码,经度,纬度\n{moved}\n")
    report = load(gpkg_store, path, "village", mode="update", dry_run=True)
    suspected = next(f for f in report.findings if f.kind == "datum")
    assert "--crs gcj02" in suspected.mend.en and suspected.severity == "warning"
    report = load(gpkg_store, path, "village", mode="update", crs="gcj02")
    assert (report.rows_same, report.rows_stored) == (40, 0)


def test_swapped_rows_are_exchanged_with_a_warning_each(gpkg_store: Store, tmp_path: Path) -> None:
    text = "村代码,经度,纬度\n433127101201,109.7,29.1\n433127101202,29.2,109.8\n"
    report = load(gpkg_store, write(tmp_path, "a.csv", text), "village")
    assert [(f.kind, f.row) for f in report.findings if f.severity == "warning"] == [("swapped", 2)]
    assert read(gpkg_store, "village").loc["433127101202"].geometry.equals(shapely.Point(109.8, 29.2))


def test_one_slip_of_the_pen_does_not_hide_what_the_numbers_are(gpkg_store: Store, tmp_path: Path) -> None:
    slipped = VILLAGES.replace("109.67,29.08", "109.67,92.08")
    report = load(gpkg_store, write(tmp_path, "a.csv", slipped), "village", skip_bad=True)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert [(finding.row, finding.kind) for finding in errors] == [(2, "position")], errors
    assert report.rows_stored == 3


def test_every_format_gives_the_same_rows(gpkg_store: Store, tmp_path: Path) -> None:
    shapes = [shapely.box(109.7, 29.0, 109.8, 29.1), shapely.box(109.8, 29.0, 109.9, 29.1)]
    table = gpd.GeoDataFrame({"name": ["一区", "二区"], "zone_type": ["甲", "乙"]}, geometry=shapes, crs="EPSG:4490")
    table.to_file(tmp_path / "a.gpkg", driver="GPKG")
    table.to_file(tmp_path / "b.geojson", driver="GeoJSON")
    table.to_file(tmp_path / "c.fgb", driver="FlatGeobuf")
    table.to_parquet(tmp_path / "d.parquet")
    table.to_file(tmp_path / "e.geojsonl", driver="GeoJSONSeq")
    (tmp_path / "shp").mkdir()
    pyogrio.write_dataframe(table, tmp_path / "shp" / "区.shp", encoding="GBK")
    (tmp_path / "shp" / "区.cpg").unlink()
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        for part in sorted((tmp_path / "shp").iterdir()):
            archive.write(part, part.name)
    (tmp_path / "g.geojson.gz").write_bytes(gzip.compress((tmp_path / "b.geojson").read_bytes()))
    text = "名称,区域类型,geometry\n" + "\n".join(
        f'{row.name},{row.zone_type},"{row.geometry.wkt}"' for row in table.itertuples(index=False)
    )
    write(tmp_path, "h.csv", text)
    shp = {"mapping": {"zone_type": "zone_type"}}
    for path, options in [
        (tmp_path / "a.gpkg", {}), (tmp_path / "b.geojson", {}), (tmp_path / "c.fgb", {}), (tmp_path / "d.parquet", {}),
        (tmp_path / "e.geojsonl", {}), (tmp_path / "f.zip", shp), (tmp_path / "shp" / "区.shp", shp),
        (tmp_path / "g.geojson.gz", {}), (tmp_path / "h.csv", {}),
    ]:  # fmt: skip
        report = load(gpkg_store, path, "no_camera_zone", mode="replace", **options)
        assert report.stored and report.rows_stored == 2, (path.name, report.findings)
        found = read(gpkg_store, "no_camera_zone").set_index("name")
        assert found["zone_type"].to_dict() == {"一区": "甲", "二区": "乙"}, path.name
        assert found.geometry.loc["一区"].equals_exact(shapes[0].normalize(), 1e-9) or found.geometry.loc[
            "一区"
        ].normalize().equals_exact(shapes[0].normalize(), 1e-9), path.name


def test_a_workbook_with_a_title_above_its_header_is_read(gpkg_store: Store, tmp_path: Path) -> None:
    import datetime as dt

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["望川县视频监控点台账"])
    sheet.append(["点位名称", "数量", "启用日期", "经度", "纬度"])
    sheet.append(["东门", 2, dt.datetime(2024, 1, 5), 109.7, 29.1])
    sheet.append([None, None, None, None, None])
    sheet.append(["西门", 3.0, 46082, "109°42'46\"", "29 5 43"])
    book.create_sheet("其他")
    book.save(tmp_path / "a.xlsx")
    report = load(gpkg_store, tmp_path / "a.xlsx", "camera")
    assert report.stored and report.rows_stored == 2, report.findings
    rows = read(gpkg_store, "camera").set_index("name")
    assert rows["camera_count"].to_dict() == {"东门": 2, "西门": 3}
    assert [str(value)[:10] for value in rows["in_use_on"]] == ["2024-01-05", "2026-03-01"]
    assert rows.loc["西门"].geometry.x == pytest.approx(109 + 42 / 60 + 46 / 3600)
    assert not load(gpkg_store, tmp_path / "a.xlsx", "camera", sheet="没有").stored


def test_kml_is_read(gpkg_store: Store, tmp_path: Path) -> None:
    kml = (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        "<name>东门</name><Point><coordinates>109.7,29.1,0</coordinates></Point></Placemark></Document></kml>"
    )
    report = load(gpkg_store, write(tmp_path, "a.kml", kml), "camera")
    assert report.stored and read(gpkg_store, "camera")["name"].tolist() == ["东门"]


def test_several_layers_have_to_be_chosen_from(gpkg_store: Store, tmp_path: Path) -> None:
    one = gpd.GeoDataFrame({"code": ["433127101201"]}, geometry=[shapely.box(109.7, 29.0, 109.8, 29.1)], crs=4326)
    one.to_file(tmp_path / "a.gpkg", layer="甲", driver="GPKG")
    one.to_file(tmp_path / "a.gpkg", layer="乙", driver="GPKG")
    report = load(gpkg_store, tmp_path / "a.gpkg", "village")
    assert kinds(report, "error") == ["layer"] and "乙" in report.findings[0].mend.zh
    assert load(gpkg_store, tmp_path / "a.gpkg", "village", source_layer="乙").stored


def test_an_account_limited_to_some_areas_imports_only_there(store: Store, tmp_path: Path) -> None:
    load(store, write(tmp_path, "v.csv", VILLAGES), "village")
    planner = Viewer("p", "planner", ("433127101002",))
    path = write(tmp_path, "b.csv", "村代码,户数\n433127101002,1\n433127101201,2\n")
    report = import_file(store, path, ImportOptions("village", mode="update"), viewer=planner)
    assert not report.stored and [f.code or f.row for f in report.findings if f.kind == "scope"] == [2]


def test_only_planners_and_administrators_import(gpkg_store: Store, tmp_path: Path) -> None:
    from geo.errors import RightsError

    with pytest.raises(RightsError):
        import_file(
            gpkg_store, write(tmp_path, "a.csv", VILLAGES), ImportOptions("village"), viewer=Viewer("v", "viewer")
        )


def test_a_cancelled_import_leaves_nothing(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", VILLAGES)
    told: list[float] = []

    def progress(share: float, total: float | None, message: object) -> None:
        told.append(share)

    def cancelled() -> bool:
        return bool(told) and told[-1] >= 0.6  # every row is checked; storing is about to begin

    report = import_file(store, path, ImportOptions("village"), viewer=OWNER, progress=progress, cancelled=cancelled)
    assert not report.stored and "cancelled" in kinds(report)
    assert len(read(store, "village")) == 0
    assert load(store, path, "village").stored


def test_progress_never_goes_back_and_ends_at_one(gpkg_store: Store, tmp_path: Path) -> None:
    shares: list[float] = []
    path = write(tmp_path, "a.csv", VILLAGES)
    import_file(gpkg_store, path, ImportOptions("village"), viewer=OWNER, progress=lambda s, t, m: shares.append(s))
    assert shares == sorted(shares) and shares[-1] == 1.0
