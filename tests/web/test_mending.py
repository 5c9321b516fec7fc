"""Mending over the API: places, plan, consent by hash; what is not agreed to is not done."""

import geopandas as gpd
import pytest
import shapely
from command_line import CommandLine, use_chinese
from office import EAST, WEST, account_name, village_code

from layers import frames, mend_places
from layers.rights import OWNER
from layers.rows import insert_rows, retire_rows

FIRST = village_code(0)


def shift(shape, metres):
    return shapely.transform(shape, lambda xy: xy + metres / 100_000)


@pytest.fixture
def dirty(office_store):
    """The first village's two grids moved: one gap and land outside."""
    grids = frames.read_layer(office_store, "grid", OWNER)
    mine = grids[grids["village_code"] == FIRST]
    change = office_store.open_change("planner", "import", kinds=["grid"])
    retire_rows(office_store, change, "grid", mine["fid"].to_numpy())
    moved = [shift(shape, metres) for shape, metres in zip(mine.geometry, (-0.6, 0.6), strict=True)]
    new = gpd.GeoDataFrame(mine.drop(columns=["fid", "geometry"]), geometry=moved, crs=4490)
    insert_rows(office_store, change, "grid", new)
    office_store.finish_change(change, ["grid"], len(new))
    return office_store


def test_places_plan_and_consent(dirty, person):
    planner = person("planner")
    found = planner.get(f"/api/v1/mending?parent={FIRST}&lang=en").json
    assert found["villages"] == 1 and found["clean"] == 0 and found["total"] == len(found["places"]) > 0
    assert set(found["kinds"]) == {"gap", "outside_parent"}
    for place in found["places"]:
        assert place["parent_code"] == FIRST and place["geometry"]["type"].endswith("Polygon")
        assert "m2" in place["what"] and place["mend"]
    plan = planner.send("POST", "/api/v1/mending/plan", {"parent": WEST}).json
    assert plan["totals"] | {"moved_m2": 0, "largest_shift_m": 0} == {
        "villages": 2, "clean": 1, "mendable": 1, "refused": 0, "grids": 2, "large": 0, "moved_m2": 0, "largest_shift_m": 0,
    }  # fmt: skip
    wrong = planner.send("POST", "/api/v1/mending/apply", {"parent": WEST, "hash": "0" * 64})
    assert wrong.status_code == 409 and wrong.json["code"] == "conflict"
    done = planner.send("POST", "/api/v1/mending/apply", {"parent": WEST, "hash": plan["hash"]})
    assert done.status_code == 200 and done.json["grids"] == 2
    again = planner.get(f"/api/v1/mending?parent={FIRST}").json
    assert again["total"] == 0 and again["clean"] == 1
    undone = person("administrator").send("POST", f"/api/v1/changes/{done.json['change']}/undo", {})
    assert undone.status_code == 200
    assert planner.get(f"/api/v1/mending?parent={FIRST}").json["total"] == found["total"]


def test_the_same_key_mends_once(dirty, person):
    planner = person("planner")
    plan = planner.send("POST", "/api/v1/mending/plan", {"parent": FIRST}).json
    body, key = {"parent": FIRST, "hash": plan["hash"]}, {"Idempotency-Key": "mend-once-123"}
    first = planner.send("POST", "/api/v1/mending/apply", body, headers=key)
    second = planner.send("POST", "/api/v1/mending/apply", body, headers=key)
    assert first.status_code == second.status_code == 200 and first.json == second.json


def test_only_the_own_area_and_only_makers(dirty, person):
    assert person("viewer").get("/api/v1/mending").status_code == 403
    west = person(account_name("planner", "west"))
    assert west.get(f"/api/v1/mending?parent={EAST}").status_code == 404
    assert west.get("/api/v1/mending").json["villages"] == 2
    assert west.send("POST", "/api/v1/mending/plan", {"parent": EAST}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"parent": FIRST, "snapping_m": 0},
        {"parent": FIRST, "snapping_m": "wide"},
        {"parent": FIRST, "gap_width_m": 1e9},
        {"parent": "x" * 65},
        {"parent": FIRST, "unknown": 1},
    ],
)
def test_wrong_tolerances_are_refused(dirty, person, body):
    assert person("planner").send("POST", "/api/v1/mending/plan", body).status_code in (400, 422)


def test_check_on_the_terminal_names_the_places(dirty, capsys, monkeypatch, tmp_path):
    use_chinese(monkeypatch, tmp_path)
    found = mend_places.find(dirty, OWNER, FIRST).places
    dirty.close()
    terminal = CommandLine(capsys, dirty.path)
    assert terminal.run("check") == 0
    assert "位置（经纬度）" in terminal.err
    outside = next(place.finding for place in found if place.finding.kind == "outside_parent")
    assert f"{outside.lon:.4f}" in terminal.err and f"{outside.lat:.4f}" in terminal.err
    assert {row["kind"] for row in terminal.json("check")} >= {"gap", "outside_parent"}
