"""The whole way on real data, as a planner would go it: import, coverage and hotspots through the command line.

The expected figures were worked out by an independent ray-casting program (`expected_counts.json` beside the data).
"""

import io
import json
import os
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from web.cli import main

DATA = os.environ.get("WANGGE_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not DATA and not os.environ.get("CI"), reason="WANGGE_REAL_DATA is not set: real data not tested"
    ),
]


@pytest.fixture(scope="module")
def data() -> Path:
    assert DATA, "WANGGE_REAL_DATA must name the folder of real data"
    return Path(DATA)


@pytest.fixture(scope="module")
def expected(data):
    return json.loads((data / "expected_counts.json").read_text())


def run(*arguments) -> str:
    """Standard output of one command that must succeed."""
    out = io.StringIO()
    with redirect_stdout(out):
        status = main([str(argument) for argument in arguments])
    assert status == 0, (arguments, out.getvalue()[-2000:])
    return out.getvalue()


def take(store, source, kind, *mapping, source_layer=None) -> None:
    """Import a file, or one of its layers, with some columns mapped by hand."""
    layer = ["--source-layer", source_layer] if source_layer else []
    run("import", source, *layer, "--layer", kind, *(["--map", *mapping] if mapping else []), "--store", store)


def figures(rows) -> dict[str, float]:
    return {row["code"]: row.get("value", row.get("count")) for row in rows}


def check_counts(counts: dict[str, float], wanted: dict) -> None:
    assert len(counts) == wanted["areas"]
    assert sum(value == 0 for value in counts.values()) == wanted["areas_with_zero"]
    assert sum(value < 5 for value in counts.values()) == wanted["areas_below_5"]
    assert max(counts.values()) == wanted["max"]
    assert {code: counts[code] for code in wanted["top5"]} == wanted["top5"]


@pytest.fixture(scope="module")
def brooklyn(data, tmp_path_factory):
    store = tmp_path_factory.mktemp("brooklyn") / "brooklyn.gpkg"
    source = data / "brooklyn" / "brooklyn.gpkg"
    run("init", "--store", store, "--codes", "free")
    take(store, source, "village", "GEOID=code", source_layer="census_tracts_2020")
    take(store, source, "grid", "GEOID=grid_code", source_layer="census_blocks_2020")
    take(store, source, "camera", "n_cameras=camera_count", "id=device_id", source_layer="camera_intersections")
    take(store, source, "incident", "occurred_local=occurred_at", source_layer="shootings")
    return store


def test_brooklyn_cameras_per_tract_are_the_published_counts(brooklyn, expected):
    wanted = expected["brooklyn_cameras(weighted n_cameras)_x_tracts"]
    answer = json.loads(run("coverage", "--rule", "cam_admin", "--unit", "village", "--json", "--store", brooklyn))
    check_counts(figures(answer["rows"]), wanted)
    assert answer["summary"]["short"] == 192
    assert answer["summary"]["units"] == 804
    assert answer["summary"]["outside"] == 0
    shortfalls = [(-row["shortfall"], row["code"]) for row in answer["rows"] if row["state"] != "no_data"]
    assert shortfalls == sorted(shortfalls)


def test_brooklyn_blocks_without_a_checked_intersection(data, expected, tmp_path):
    store, source = tmp_path / "blocks.gpkg", data / "brooklyn" / "brooklyn.gpkg"
    run("init", "--store", store, "--codes", "free")
    take(store, source, "grid", "GEOID=grid_code", source_layer="census_blocks_2020")
    take(store, source, "camera", "id=device_id", "n_cameras=retention_days", source_layer="camera_intersections")
    answer = json.loads(run("coverage", "--rule", "cam_admin", "--unit", "grid", "--json", "--store", store))
    check_counts(figures(answer["rows"]), expected["brooklyn_intersections_x_blocks"])


def test_brooklyn_shootings_per_tract_and_those_outside(brooklyn, expected):
    wanted = expected["brooklyn_shootings_x_tracts"]
    answer = json.loads(run("hotspots", "--unit", "village", "--json", "--store", brooklyn))
    check_counts(figures(answer["rows"]), wanted)
    # The independent count calls the 10 rows with an empty point "outside" too; here they have no position.
    assert (answer["summary"]["outside"], answer["summary"]["no_location"]) == (6, 10)
    assert answer["summary"]["outside"] + answer["summary"]["no_location"] == wanted["outside"]


@pytest.mark.parametrize(
    ("layer", "code", "name", "figure"),
    [
        ("census_tracts_2011", "ctuid", "region", "toronto_incidents_x_tracts"),
        ("neighbourhoods_158", "AREA_NAME", "AREA_NAME", "toronto_incidents_x_neighbourhoods"),
    ],
)
def test_toronto_incidents_per_area_and_those_outside(data, expected, tmp_path_factory, layer, code, name, figure):
    store = tmp_path_factory.mktemp("toronto") / "toronto.gpkg"
    run("init", "--store", store, "--codes", "free")
    run(
        "import",
        data / "toronto" / "areas.gpkg",
        "--source-layer",
        layer,
        "--layer",
        "village",
        "--map",
        f"{code}=code",
        "--store",
        store,
    )
    take(store, data / "toronto" / "incidents.csv.gz", "incident", "id=incident_no")
    answer = json.loads(run("hotspots", "--unit", "village", "--json", "--store", store))
    check_counts(figures(answer["rows"]), expected[figure])
    assert answer["summary"]["outside"] == expected[figure]["outside"]
    assert answer["summary"]["no_location"] == 0


def test_toronto_red_light_cameras_per_tract(data, expected, tmp_path):
    store = tmp_path / "toronto.gpkg"
    run("init", "--store", store, "--codes", "free")
    areas = data / "toronto" / "areas.gpkg"
    take(store, areas, "village", "ctuid=code", source_layer="census_tracts_2011")
    take(store, areas, "camera", "ID=device_id", source_layer="red_light_cameras")
    answer = json.loads(run("coverage", "--unit", "village", "--json", "--store", store))
    check_counts(figures(answer["rows"]), expected["toronto_rlc_x_tracts"])


def test_nantou_villages_come_in_whole(data, tmp_path):
    store = tmp_path / "nantou.gpkg"
    run("init", "--store", store, "--codes", "free")
    take(
        store,
        data / "cn_tw" / "nantou_villages.gpkg",
        "village",
        "VILLCODE=code",
        "VILLNAME=name",
        "TOWNCODE=parent_code",
    )
    (village,) = [
        layer for layer in json.loads(run("layers", "--json", "--store", store)) if layer["kind"] == "village"
    ]
    assert (village["rows"], village["with_geometry"]) == (262, 262)


def test_a_county_of_village_points_has_derived_areas_and_says_where_it_knows_nothing(data, tmp_path):
    store, source = tmp_path / "county.gpkg", data / "cn" / "yongshun_433127.gpkg"
    run("init", "--store", store)
    run("import", source, "--source-layer", "county", "--layer", "county", "--store", store)
    run(
        "import",
        source,
        "--source-layer",
        "villages",
        "--layer",
        "village",
        "--findings",
        tmp_path / "findings.json",
        "--store",
        store,
    )
    findings = json.loads((tmp_path / "findings.json").read_text())
    assert (
        len(
            [
                finding
                for finding in findings
                if (finding["row"] and "geometry" not in finding["column"] and finding["severity"] != "info")
                or finding["column"] == "geometry"
            ]
        )
        >= 47
    )
    answer = json.loads(run("coverage", "--unit", "village", "--json", "--store", store))
    assert answer["summary"]["units"] == 301
    assert answer["summary"]["no_data"] >= 47
    assert all(row["derived"] for row in answer["rows"] if row["state"] != "no_data")
