"""`wangge layers`, `check`, `coverage`, `hotspots`, `export` on the small made-up county."""

import csv
import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from command_line import CommandLine, use_chinese
from small_county import SIZE, make_small_store

from layers.storage import accounts
from layers.storage.store import Store

TOWN = "432025100000"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "small.gpkg"
    county = make_small_store(path)
    with Store.open(str(path)) as store:
        town = sorted(county["township"]["code"])[0]
        for role in ("viewer", "planner"):
            accounts.create(store, role, role, password="correct-horse-7")
        accounts.create(store, "west", "planner", password="correct-horse-7", areas=[town])
        accounts.create(store, "closed", "viewer", password="correct-horse-7")
        accounts.disable(store, "closed")
    return path, county, town


@pytest.fixture
def line(made, capsys, tmp_path, monkeypatch):
    use_chinese(monkeypatch, tmp_path)
    store = tmp_path / "store.gpkg"
    shutil.copyfile(made[0], store)
    return CommandLine(capsys, store)


@pytest.fixture
def county(made):
    return made[1]


def works_by_village(county):
    """Working cameras per village, counted the slow way."""
    cameras, villages = county["camera"], county["village"]
    working = cameras[cameras["status"].isna() | (cameras["status"] == "online")]
    counts = {}
    for code, shape in zip(villages["code"], villages.geometry, strict=True):
        inside = working[working.geometry.notna()].geometry.intersects(shape)
        counts[code] = int(working.loc[inside[inside].index, "camera_count"].sum())
    return counts


def test_layers_as_json_have_the_promised_shape(line, county):
    layers = {layer["kind"]: layer for layer in line.json("layers")}
    assert {tuple(layer) for layer in layers.values()} == {
        ("kind", "rows", "with_geometry", "version", "bounds", "crs")
    }
    assert layers["village"]["rows"] == SIZE["villages"]
    assert layers["village"]["crs"] == "EPSG:4490"
    assert np.allclose(layers["village"]["bounds"], county["village"].total_bounds, atol=1e-4)
    assert layers["staffing"]["bounds"] is None
    assert "reference:roads" in layers
    assert line.err == ""


def test_layers_as_a_table_name_each_layer_in_the_reader_s_language(line, monkeypatch):
    assert line.run("layers") == 0
    assert "村（社区）" in line.out
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert line.run("layers") == 0
    assert "with position" in line.out
    assert "village" in line.out


def test_coverage_as_json_agrees_with_a_slow_count(line, county):
    answer = line.json("coverage", "--rule", "cam_admin", "--unit", "village")
    assert {"rule", "unit", "as_of", "provenance", "summary", "rows"} <= set(answer)
    counts = works_by_village(county)
    assert {row["code"]: row["value"] for row in answer["rows"]} == counts
    assert answer["summary"]["short"] == sum(count < 5 for count in counts.values())
    assert answer["summary"]["cameras_missing"] == sum(max(0, 5 - count) for count in counts.values())
    ranked = [(-row["shortfall"], row["code"]) for row in answer["rows"]]
    assert ranked == sorted(ranked)
    keys = {"code", "name", "parent_code", "value", "required", "shortfall", "state", "derived"}
    assert all(keys <= set(row) for row in answer["rows"])
    assert line.err == ""


def test_coverage_options_reach_the_figures(line):
    strict = line.json("coverage", "--threshold", "50")
    assert strict["rule"]["threshold"] == 50
    assert strict["summary"]["short"] > line.json("coverage")["summary"]["short"]
    early = line.json("coverage", "--as-of", "2016-01-01")
    assert early["as_of"] == "2016-01-01"
    assert early["summary"]["cameras_missing"] > line.json("coverage")["summary"]["cameras_missing"]
    assert "change" in line.json("coverage", "--against", "2020-01-01")
    few = line.json("coverage", "--where", "households > 2000")
    assert 0 < len(few["rows"]) < SIZE["villages"]


def test_coverage_for_people_begins_with_the_answer(line, monkeypatch):
    assert line.run("coverage") == 0
    assert f"{SIZE['villages']} 个村" in line.out.splitlines()[0]
    assert "2025" in line.err
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert line.run("coverage") == 0
    assert "fall short" in line.out.splitlines()[0]


def test_coverage_as_csv_brings_its_provenance(line, tmp_path):
    path = tmp_path / "coverage.csv"
    assert line.run("coverage", "--csv", path) == 0
    assert line.out == ""
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert len(rows) == SIZE["villages"]
    assert json.loads(Path(f"{path}.provenance.json").read_text())["rule_set"]["name"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rule", "no_such_rule"],
        ["--rules", "no_such_set"],
        ["--where", "households >"],
        ["--where", "nosuchcolumn = 1"],
        ["--account", "nobody"],
        ["--account", "closed"],
    ],
)
def test_wrong_options_of_figures_are_wrong_use(line, arguments):
    assert line.run("coverage", *arguments, "--json") == 2
    assert line.out == ""
    assert line.err.count("\n") == 1


@pytest.mark.parametrize("unit", ["cell", "grid", "village"])
def test_hotspots_as_json_have_the_promised_rows(line, unit, county):
    answer = line.json("hotspots", "--unit", unit, "--cell-m", "1000")
    keys = {"lon", "lat", "count", "expected", "ratio", "gi_z", "p", "q", "hot", "cold"}
    assert answer["rows"]
    for row in answer["rows"]:
        assert keys <= set(row)
        assert ("cell" if unit == "cell" else "code") in row
    assert answer["unit"] == unit
    placed = int(county["incident"].geometry.notna().sum())
    assert sum(row["count"] for row in answer["rows"]) + answer["summary"]["outside"] == placed
    assert answer["summary"]["no_location"] == SIZE["incidents"] - placed


def test_hotspots_are_filtered_by_day_and_category(line, county):
    incidents = county["incident"]
    answer = line.json(
        "hotspots", "--unit", "village", "--from", "2025-01-01", "--to", "2025-12-31", "--category", "0503"
    )
    fits = incidents[(incidents["occurred_at"].dt.year == 2025) & (incidents["category"] == "0503")]
    assert sum(row["count"] for row in answer["rows"]) + answer["summary"]["outside"] == fits.geometry.notna().sum()


def test_hotspots_for_people_begin_with_the_answer(line):
    assert line.run("hotspots", "--unit", "village", "--exposure", "households") == 0
    assert "热点" in line.out.splitlines()[0]


def test_check_lists_findings_with_places_and_changes_nothing(line):
    findings = line.json("check")
    assert isinstance(findings, list)
    for finding in findings:
        assert {"row", "column", "code", "severity", "what", "mend", "kind", "lon", "lat"} == set(finding)
    assert line.run("check") == 0
    assert line.out == ""


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "zip", "kml", "csv", "xlsx", "parquet"])
def test_a_layer_is_exported_by_suffix(line, tmp_path, suffix):
    path = tmp_path / f"village.{suffix}"
    assert line.run("export", "village", path) == 0, line.err
    assert path.stat().st_size > 1000
    assert line.out == ""
    if suffix == "geojson":
        assert len(json.loads(path.read_text())["features"]) == SIZE["villages"]
    if suffix == "parquet":
        assert len(gpd.read_parquet(path)) == SIZE["villages"]


def test_an_export_honours_filter_format_and_account(line, tmp_path, made):
    path = tmp_path / "grids.out"
    assert line.run("export", "grid", path, "--format", "csv", "--where", "kind = 'dedicated'") == 0
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert rows
    assert {row["kind"] for row in rows} == {"dedicated"}
    assert line.run("export", "village", path, "--format", "csv", "--account", "west") == 0
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert {row["parent_code"] for row in rows} == {made[2]}


def test_a_viewer_s_export_never_holds_camera_points(line, tmp_path):
    assert line.run("export", "camera", tmp_path / "c.csv", "--account", "viewer") == 2
    assert line.run("layers", "--json", "--account", "viewer") == 0
    assert not {"camera", "incident", "key_area"} & {layer["kind"] for layer in json.loads(line.out)}
    assert not (tmp_path / "c.csv").exists()


def test_results_are_exported_with_their_options(line, tmp_path):
    path = tmp_path / "coverage.geojson"
    assert line.run("export", "coverage", path, "--unit", "township") == 0
    towns = {layer["kind"]: layer["rows"] for layer in line.json("layers")}["township"]
    assert len(json.loads(path.read_text())["features"]) == towns
    assert line.run("export", "hotspots", tmp_path / "hot.csv", "--unit", "grid", "--category", "0299") == 0
    rows = (tmp_path / "hot.csv").read_text("utf-8-sig").splitlines()
    assert len(rows) == SIZE["grids"] + 1


@pytest.mark.parametrize(("view", "suffix"), [("coverage", "png"), ("coverage", "pdf"), ("village", "html")])
def test_maps_are_exported_by_suffix(line, tmp_path, view, suffix):
    path = tmp_path / f"map.{suffix}"
    assert line.run("export", f"map:{view}", path, "--title", "测试图", "--approval-number", "XS(2026)001") == 0, (
        line.err
    )
    begins = {"png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!"}[suffix]
    assert path.read_bytes().lstrip().startswith(begins)


@pytest.mark.parametrize(
    ("what", "name"), [("map:coverage", "m.docx"), ("map:nosuch", "m.png"), ("nosuch", "n.csv"), ("village", "v.xyz")]
)
def test_exports_that_cannot_be_are_wrong_use(line, tmp_path, what, name):
    assert line.run("export", what, tmp_path / name) == 2
    assert not (tmp_path / name).exists()
