"""Mending over the API: places, plan, consent to the plan that was seen; what is not agreed to is not done."""

import geopandas as gpd
import pytest
import shapely
from command_line import CommandLine, use_chinese
from office import EAST, WEST, account_name, village_code

from layers import work
from layers.checking import mend_jobs, mend_places
from layers.rights import OWNER
from layers.selection import frames
from layers.storage import jobs
from layers.storage.rows import insert_rows, retire_rows

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


def ask(planner, step, **body):
    return planner.send("POST", f"/api/v1/mending/{step}", body)


def test_places_plan_and_consent(dirty, person):
    planner = person("planner")
    asked = planner.send("POST", "/api/v1/mending/look?lang=en", {"parent": FIRST})
    found = asked.json["answer"]
    assert asked.status_code == 200 and asked.json["job"]["state"] == "done" and asked.json["step"] == "look"
    assert found["villages"] == 1 and found["clean"] == 0 and found["total"] == len(found["places"]) > 0
    assert set(found["kinds"]) == {"gap", "outside_parent"}
    for place in found["places"]:
        assert place["parent_code"] == FIRST and place["geometry"]["type"].endswith("Polygon")
        assert "m2" in place["what"] and place["mend"]
    asked = ask(planner, "plan", parent=WEST)
    plan = asked.json["answer"]
    assert plan["totals"] | {"moved_m2": 0, "largest_shift_m": 0} == {
        "villages": 2, "clean": 1, "mendable": 1, "refused": 0, "grids": 2, "large": 0, "moved_m2": 0, "largest_shift_m": 0,
    }  # fmt: skip
    done = ask(planner, "apply", plan=asked.json["job"]["id"])
    assert done.status_code == 200 and done.json["answer"]["grids"] == 2
    again = ask(planner, "look", parent=FIRST).json["answer"]
    assert again["total"] == 0 and again["clean"] == 1
    undone = person("administrator").send("POST", f"/api/v1/changes/{done.json['answer']['change']}/undo", {})
    assert undone.status_code == 200
    assert ask(planner, "look", parent=FIRST).json["answer"]["total"] == found["total"]


def test_a_large_area_is_a_job_in_the_background_that_is_found_again(dirty, person, monkeypatch):
    monkeypatch.setattr(mend_jobs, "QUICK_GRIDS", 1)
    planner = person("planner")
    asked = ask(planner, "plan", parent=WEST, snapping_m=0.5)
    job = asked.json["job"]["id"]
    assert asked.status_code == 202 and asked.json["answer"] is None and asked.json["job"]["state"] == "queued"
    assert ask(planner, "plan", parent=WEST, snapping_m=0.5).json["job"]["id"] == job
    assert ask(planner, "apply", plan=job).status_code == 400, "nobody has seen it yet"
    work.run(dirty, job)
    read = planner.get(f"/api/v1/mending/jobs/{job}?lang=en")
    assert read.status_code == 200 and read.json["answer"]["totals"]["grids"] == 2
    assert read.json["asked"] == {"parent": WEST, "snapping_m": 0.5, "gap_width_m": None, "plan": None}
    listed = planner.get("/api/v1/jobs").json[0]
    assert listed["id"] == job and listed["kind"] == "mend" and listed["result"] is None
    repair = ask(planner, "apply", plan=job).json
    assert repair["step"] == "apply" and repair["asked"]["plan"] == job
    assert ask(planner, "apply", plan=job).json["job"]["id"] == repair["job"]["id"]
    work.run(dirty, repair["job"]["id"])
    assert planner.get(f"/api/v1/mending/jobs/{repair['job']['id']}").json["answer"]["grids"] == 2


def test_cancelled_before_it_began_changes_nothing(dirty, person, monkeypatch):
    planner = person("planner")
    plan = ask(planner, "plan", parent=WEST).json["job"]["id"]
    monkeypatch.setattr(mend_jobs, "QUICK_GRIDS", 1)
    before = dirty.versions()
    job = ask(planner, "apply", plan=plan).json["job"]["id"]
    assert planner.send("POST", f"/api/v1/jobs/{job}/cancel", {}).json["state"] == "cancelled"
    work.run(dirty, job)
    read = planner.get(f"/api/v1/mending/jobs/{job}")
    assert read.status_code == 202 and read.json["job"]["state"] == "cancelled" and read.json["answer"] is None
    assert dirty.versions() == before


def test_consent_to_a_plan_of_older_layers_is_a_conflict(dirty, person):
    planner = person("planner")
    plan = ask(planner, "plan", parent=WEST).json["job"]["id"]
    other = ask(planner, "plan", parent=FIRST).json["job"]["id"]
    assert ask(planner, "apply", plan=other).status_code == 200
    stale = ask(planner, "apply", plan=plan)
    assert stale.status_code == 409 and stale.json["code"] == "conflict"
    assert ask(planner, "plan", parent=WEST).json["answer"]["totals"]["clean"] == 2


def test_the_same_key_mends_once(dirty, person):
    planner = person("planner")
    body, key = {"plan": ask(planner, "plan", parent=FIRST).json["job"]["id"]}, {"Idempotency-Key": "mend-once-123"}
    first = planner.send("POST", "/api/v1/mending/apply", body, headers=key)
    second = planner.send("POST", "/api/v1/mending/apply", body, headers=key)
    assert first.status_code == second.status_code == 200 and first.json == second.json


def test_only_the_own_area_and_only_makers(dirty, person):
    for step in ("look", "plan"):
        assert ask(person("viewer"), step).status_code == 403
    west = person(account_name("planner", "west"))
    for step in ("look", "plan"):
        assert ask(west, step, parent=EAST).status_code == 404
    assert ask(west, "look").json["answer"]["villages"] == 2


def test_a_job_of_somebody_else_cannot_be_read_or_agreed_to(dirty, person):
    plan = ask(person("planner"), "plan", parent=WEST).json["job"]["id"]
    other = person(account_name("planner", "west"))
    assert other.get(f"/api/v1/mending/jobs/{plan}").status_code == 404
    assert ask(other, "apply", plan=plan).status_code == 404
    assert ask(other, "apply", plan="nothing").status_code == 404
    assert person("viewer").get(f"/api/v1/mending/jobs/{plan}").status_code == 403
    assert person("administrator").get(f"/api/v1/mending/jobs/{plan}").status_code == 200


def test_a_job_of_another_kind_is_no_mending(dirty, person):
    job = jobs.submit(dirty, "planner", "export", {})
    assert person("planner").get(f"/api/v1/mending/jobs/{job}").status_code == 404
    assert ask(person("planner"), "apply", plan=job).status_code == 404


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
