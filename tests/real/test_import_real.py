"""Real files as they come: one county three ways, and cities abroad, through the import of the product."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from geo.crs import to_metric
from layers.imports.importing import ImportOptions, ImportReport, import_file
from layers.rights import OWNER
from layers.selection import frames
from layers.storage.store import Store

pytestmark = pytest.mark.real


def load(store: Store, path: Path, kind: str, **options: object) -> ImportReport:
    report = import_file(store, path, ImportOptions(kind, **options), viewer=OWNER)  # type: ignore[arg-type]
    assert report.stored or options.get("dry_run"), report.findings[:5]
    return report


def sorts(report: ImportReport) -> Counter:
    return Counter(finding.kind for finding in report.findings if finding.severity != "info")


def positions(store: Store) -> dict[str, tuple[float, float]]:
    villages = frames.read_layer(store, "village", OWNER)
    located = villages[villages.geometry.notna()]
    metric = to_metric(located, "EPSG:4546").geometry
    return dict(zip(located.index, zip(metric.x, metric.y, strict=True), strict=True))


def test_one_county_three_ways_is_one_county(real_data: Path, tmp_path: Path) -> None:
    ways = {
        "gpkg": ("yongshun_433127.gpkg", {"source_layer": "villages"}),
        "shp": ("yongshun_villages_gbk_noCPG_epsg4525.zip", {}),
        "csv": ("yongshun_villages_gbk_gcj02.csv", {"crs": "gcj02"}),
    }
    found, names = {}, {}
    for way, (file, options) in ways.items():
        with Store.create(str(tmp_path / f"{way}.gpkg")) as store:
            load(store, real_data / "cn/yongshun_433127.gpkg", "county", source_layer="county")
            report = load(store, real_data / "cn" / file, "village", **options)
            found[way] = positions(store)
            villages = frames.read_layer(store, "village", OWNER)
            names[way] = villages.loc[list(found[way]), "name"].to_dict()
            if way == "gpkg":
                assert (report.rows_stored, report.no_location) == (301, 47)
                assert len([f for f in report.findings if f.kind == "no_location" and f.code]) == 47
                assert villages.geometry.isna().sum() == 47
    assert len(found["gpkg"]) == 254
    for way in ("shp", "csv"):
        assert found[way].keys() == found["gpkg"].keys()
        apart = [np.hypot(*np.subtract(found[way][code], found["gpkg"][code])) for code in found["gpkg"]]
        assert max(apart) < 1.5
        assert names[way] == names["gpkg"]


def test_the_gcj02_county_is_suspected_until_it_is_declared(real_data: Path, tmp_path: Path) -> None:
    with Store.create(str(tmp_path / "a.gpkg")) as store:
        load(store, real_data / "cn/yongshun_433127.gpkg", "county", source_layer="county")
        outline = load(
            store,
            real_data / "cn/yongshun_433127.gpkg",
            "county",
            source_layer="county_gcj02",
            mode="replace",
            dry_run=True,
        )
        assert "--crs gcj02" in next(f for f in outline.findings if f.kind == "datum").mend.en
        load(store, real_data / "cn/yongshun_433127.gpkg", "village", source_layer="villages")
        table = real_data / "cn/yongshun_villages_gbk_gcj02.csv"
        assert sorts(load(store, table, "village", mode="update", dry_run=True))["datum"] == 1
        told = load(store, table, "village", mode="update", crs="gcj02")
        assert (told.rows_same, told.rows_stored) == (254, 0)
        converted = load(
            store,
            real_data / "cn/yongshun_433127.gpkg",
            "county",
            source_layer="county_gcj02",
            mode="replace",
            crs="gcj02",
        )
        assert converted.provenance["crs"] == "gcj02" and sorts(converted)["datum"] == 0


def test_towns_villages_and_vanished_codes_of_a_second_county(real_data: Path, tmp_path: Path) -> None:
    with Store.create(str(tmp_path / "a.gpkg")) as store:
        file = real_data / "cn/longhui_430524.gpkg"
        load(store, file, "county", source_layer="county")
        assert load(store, file, "township", source_layer="towns").rows_stored == 24
        report = load(store, file, "village", source_layer="villages")
        assert report.rows_stored == 574 and report.no_location == 247
        assert sorts(report)["parent"] == 0
        newer = load(
            store,
            real_data / "cn/longhui_430524_hierarchy_2023.csv",
            "village",
            mode="replace",
            mapping={"code23": "code", "name23": "name", "town23": "parent_code"},
            dry_run=True,
        )
        assert sorts(newer)["vanished"] == 80


def test_mountain_villages_abroad_keep_their_names_and_their_edges(real_data: Path, tmp_path: Path) -> None:
    with Store.create(str(tmp_path / "a.gpkg"), codes="free") as store:
        report = load(store, real_data / "cn_tw/nantou_villages.gpkg", "village")
        villages = frames.read_layer(store, "village", OWNER)
        assert report.rows_stored == 262 and sorts(report) == {}
        assert villages.loc["10008040011", "name"] == "延平里"
        assert villages.loc["10008040011", "parent_code"] == "10008040"
        assert to_metric(villages).area.sum() / 1e6 == pytest.approx(4098, abs=10)


def test_tracts_blocks_cameras_and_incidents_of_one_city(real_data: Path, tmp_path: Path) -> None:
    expected = json.loads((real_data / "expected_counts.json").read_text())
    file = real_data / "brooklyn/brooklyn.gpkg"
    with Store.create(str(tmp_path / "a.gpkg"), codes="free") as store:
        assert load(store, file, "village", source_layer="census_tracts_2020").rows_stored == 804
        assert load(store, file, "grid", source_layer="census_blocks_2020").rows_stored == 9769
        assert load(store, file, "camera", source_layer="camera_intersections").rows_stored == 10377
        shootings = load(store, file, "incident", source_layer="shootings")
        outside = sorts(shootings)["outside"] + shootings.no_location
        assert (shootings.rows_stored, outside) == (11129, expected["brooklyn_shootings_x_tracts"]["outside"])
        grids = frames.read_layer(store, "grid", OWNER, geometry=False)
        assert (grids.index.str[:11] == grids["village_code"]).all()
        cameras = frames.read_layer(store, "camera", OWNER, geometry=False)
        per_tract = cameras.groupby("village_code")["camera_count"].sum()
        tracts = frames.read_layer(store, "village", OWNER, geometry=False).index
        assert int((per_tract.reindex(tracts, fill_value=0) < 5).sum()) == 192
        assert int(per_tract.max()) == expected["brooklyn_cameras(weighted n_cameras)_x_tracts"]["max"]


def test_a_quarter_of_a_million_incidents_from_a_packed_table(real_data: Path, tmp_path: Path) -> None:
    expected = json.loads((real_data / "expected_counts.json").read_text())["toronto_incidents_x_tracts"]
    with Store.create(str(tmp_path / "a.gpkg"), codes="free") as store:
        load(store, real_data / "toronto/areas.gpkg", "village", source_layer="census_tracts_2011")
        report = load(store, real_data / "toronto/incidents.csv.gz", "incident")
        assert (report.rows_stored, sorts(report)["outside"]) == (expected["points"], expected["outside"])
        points = frames.read_points(store, "incident", OWNER, columns=["village_code", "occurred_hour"])
        homes = Counter(points.columns["village_code"])
        assert [homes[code] for code in expected["top5"]] == list(expected["top5"].values())
        assert {int(hour) for hour in points.columns["occurred_hour"]} == set(range(24))
        again = import_file(store, real_data / "toronto/incidents.csv.gz", ImportOptions("incident"), viewer=OWNER)
        assert again.already_imported
        cameras = load(store, real_data / "toronto/areas.gpkg", "camera", source_layer="red_light_cameras")
        assert cameras.rows_stored == 293
        assert str(frames.read_layer(store, "camera", OWNER)["in_use_on"].iloc[0])[:10] == "2007-11-09"


def test_blocks_in_metres_of_a_foreign_system_stay_a_coverage(real_data: Path, tmp_path: Path) -> None:
    import shapely

    with Store.create(str(tmp_path / "a.gpkg"), codes="free") as store:
        assert load(store, real_data / "ellis/ellis_blocks.gpkg", "grid").rows_stored == 2296
        grids = frames.read_layer(store, "grid", OWNER)
        metric = to_metric(grids)
        assert shapely.coverage_is_valid(np.asarray(metric.geometry.array), gap_width=0.0) or (
            metric.area.sum() == pytest.approx(2330e6, rel=0.01)
        )
        assert grids["population"].sum() > 20_000


def test_a_nations_points_become_a_reference_layer(real_data: Path, tmp_path: Path) -> None:
    with Store.create(str(tmp_path / "a.gpkg")) as store:
        report = load(store, real_data / "cn/cn_admin_points_2016.csv.gz", "reference:points", crs="gcj02")
        with gzip.open(real_data / "cn/cn_admin_points_2016.csv.gz", "rt", encoding="utf-8") as file:
            assert report.rows_stored == sum(1 for _ in csv.reader(file)) - 1
