"""Drawing in a draft over the API: operations with their answers, previews, steps back and forward, the areas."""

import json

import pytest
import shapely
import squares
from drawn import CARVE, HOME, MISSES, NORTH, PUSH, SOUTH, SPLIT, land_of, line, ring, send
from office import WEST, Person, add_accounts, open_office, village_code

from layers.redrawing.draft_rights import APPROVERS
from layers.storage.store import Store
from web.again import Repeats


@pytest.fixture
def draft(person):
    """A draft of the first village: who draws, its address."""
    one = person("planner")
    made = one.send("POST", "/api/v1/drafts", {"title": "试划", "parent_code": HOME}).json
    return one, f"/api/v1/drafts/{made['id']}"


def test_a_push_moves_land_between_two_grids_and_says_what_stands_on_it(draft):
    one, path = draft
    before = land_of(one, path)
    answer = send(one, path, 1, PUSH).json
    (result,) = answer["results"]
    assert result["ok"] and answer["valid"] and answer["area_change_m2"] == 0
    (change,) = result["changes"]
    assert (change["from"], change["to"]) == (NORTH, SOUTH)
    assert {"area_m2", "households", "households_estimated", "incidents", "cameras", "piece"} <= set(change)
    after = land_of(one, path)
    assert set(after) == {SOUTH, NORTH}
    # The two new corners are put on whole centimetres: that shifts 4 km of border by up to half of one.
    assert after[SOUTH].area - before[SOUTH].area == pytest.approx(change["area_m2"], abs=0.005 * 4000)
    assert sum(shape.area for shape in after.values()) == pytest.approx(sum(b.area for b in before.values()), abs=1e-3)
    assert shapely.union_all(list(after.values())).equals(shapely.union_all(list(before.values())))
    assert one.get(path).json["version"] == answer["version"] == 2


def test_a_preview_answers_the_same_and_keeps_nothing(draft):
    one, path = draft
    looked = send(one, path, 1, PUSH, preview=True).json
    assert one.get(path).json["operations"] == []
    done = send(one, path, 1, PUSH).json
    assert looked["results"] == done["results"]
    assert looked["areas"] == done["areas"]
    assert (looked["version"], done["version"]) == (1, 2)


def test_of_several_operations_each_has_its_answer_and_a_refused_one_its_place(draft):
    one, path = draft
    answer = send(one, path, 1, SPLIT, MISSES, CARVE).json
    split, missed, carved = answer["results"]
    assert split["ok"] and carved["ok"] and answer["valid"]
    assert (missed["ok"], missed["reason"]) == (False, "misses")
    assert missed["what"] and missed["mend"] and missed["piece"]["type"]
    lon, lat = shapely.get_coordinates(shapely.from_geojson(json.dumps(missed["piece"])))[0]
    assert 110.9 < lon < 111.3 and 27.5 < lat < 27.8
    assert [kept["op"] for kept in one.get(path).json["operations"]] == ["split", "carve"]
    assert split["codes"] == [f"{HOME}003", f"{HOME}004"]
    assert carved["codes"] == [f"{HOME}900"]
    assert set(land_of(one, path)) == {NORTH, *split["codes"], *carved["codes"]}


def test_undo_and_redo_give_back_the_very_same_shapes(draft):
    one, path = draft
    first = one.get(f"{path}/areas").json["features"]
    send(one, path, 1, SPLIT)
    split = one.get(f"{path}/areas").json["features"]
    undone = one.send("POST", f"{path}/undo", {"version": 2}).json
    assert undone["valid"] and undone["version"] == 3
    assert [each["geometry"] for each in one.get(f"{path}/areas").json["features"]] == [e["geometry"] for e in first]
    assert one.send("POST", f"{path}/redo", {"version": 3}).json["version"] == 4
    assert one.get(f"{path}/areas").json["features"] == split
    nothing = one.send("POST", f"{path}/redo", {"version": 4})
    assert nothing.status_code == 409


def test_a_second_browser_that_saves_on_an_old_version_is_told_and_nothing_is_lost(draft, person):
    one, path = draft
    other = person("administrator")
    assert send(one, path, 1, SPLIT).status_code == 200
    for late in (
        send(other, path, 1, PUSH),
        other.send("POST", f"{path}/undo", {"version": 1}),
        send(other, path, 1, PUSH, preview=True),
    ):
        assert late.status_code == 409
        assert "planner" in late.json["what"]
    assert [kept["op"] for kept in one.get(path).json["operations"]] == ["split"]


def test_an_answer_that_was_lost_is_given_again_and_the_act_not_repeated(draft, app):
    one, path = draft
    headers = {"Idempotency-Key": "push-00001"}
    first = send(one, path, 1, PUSH, headers=headers).json
    app.extensions["wangge_repeats"] = Repeats()
    again = send(one, path, 1, PUSH, headers=headers)
    assert again.status_code == 200
    assert {**again.json, "areas": None} == {**first, "areas": None}
    assert len(one.get(path).json["operations"]) == 1


def test_the_areas_come_with_the_land_around_and_their_figures(draft):
    one, path = draft
    send(one, path, 1, PUSH)
    found = one.get(f"{path}/areas").json
    features = {each["id"]: each for each in found["features"]}
    around = [code for code, each in features.items() if not each["properties"]["editable"]]
    assert around and all(not code.startswith(HOME) for code in around)
    mine = features[SOUTH]["properties"]
    assert {"name", "parent_code", "area_m2", "households", "cameras", "incidents", "locked", "breaks"} <= set(mine)
    assert mine["changed"] and not mine["locked"]
    assert {row["code"] for row in found["before"]} == {SOUTH, NORTH}
    assert sum(row["households"] for row in found["before"]) == sum(
        features[code]["properties"]["households"] for code in (SOUTH, NORTH)
    )
    assert set(found["snapped"]) == {"grids", "max_m"} and found["conflicts"] == []
    tag = one.get(f"{path}/areas").headers["ETag"]
    assert one.get(f"{path}/areas", headers={"If-None-Match": tag}).status_code == 304


def test_a_locked_grid_is_left_alone(draft):
    one, path = draft
    assert one.send("PATCH", path, {"version": 1, "locked": [NORTH]}).status_code == 200
    (result,) = send(one, path, 2, PUSH).json["results"]
    assert (result["ok"], result["reason"], result["codes"]) == (False, "locked", [NORTH])


def test_land_stays_in_its_village_in_a_draft_of_a_township(person):
    one = person("planner")
    made = one.send("POST", "/api/v1/drafts", {"title": "全镇", "parent_code": WEST}).json
    path = f"/api/v1/drafts/{made['id']}"
    other = f"{village_code(1)}001"
    over = {"op": "transfer", "from": SOUTH, "to": other, "piece": ring((0.8, 0.2), (1.0, 0.2), (1.0, 0.6), (0.8, 0.6))}
    far = {"op": "split", "grid": other, "line": line((1.5, -0.1), (1.5, 1.1))}
    refused, done = send(one, path, 1, over, far).json["results"]
    assert (refused["ok"], refused["reason"], done["ok"]) == (False, "outside_parent", True)


def test_who_may_not_see_cameras_gets_no_camera_figure(draft, app):
    one, path = draft
    app.extensions["wangge_store"].settings.set(APPROVERS, ["viewer"])
    send(one, path, 1, PUSH)
    seen = Person(app, "viewer").get(f"{path}/areas").json
    shown = [each["properties"] for each in seen["features"]] + seen["before"]
    assert shown and not any("cameras" in each or "camera_state" in each or "incidents" in each for each in shown)


def test_the_land_around_ends_where_the_own_township_ends(person):
    body = {"title": "边上", "parent_code": village_code(1)}
    codes = {}
    for name in ("planner", "planner-west"):
        one = person(name)
        path = f"/api/v1/drafts/{one.send('POST', '/api/v1/drafts', body).json['id']}"
        codes[name] = {each["id"] for each in one.get(f"{path}/areas").json["features"]}
    assert {code for code in codes["planner"] if code.startswith(village_code(2))}
    assert codes["planner-west"] == {code for code in codes["planner"] if code.startswith(WEST[:9])}


def test_a_store_of_grids_alone_is_one_land_without_anything_around(tmp_path):
    with Store.create(str(tmp_path / "free.gpkg"), codes="free") as store:
        halves = [squares.square(column, 0) for column in range(3)]
        squares.put(store, "grid", squares.frame(halves, grid_code=["a", "b", "c"]))
        add_accounts(store)
        one = Person(open_office(store, WORK_FOLDER=str(tmp_path / "work")), "planner")
        path = f"/api/v1/drafts/{one.send('POST', '/api/v1/drafts', {'title': '全部'}).json['id']}"
        assert [each["id"] for each in one.get(f"{path}/areas").json["features"]] == ["a", "b", "c"]
        (merged,) = send(one, path, 1, {"op": "merge", "grids": ["a", "b"]}).json["results"]
        assert merged["codes"] == ["a-1"]
        assert [each["id"] for each in one.get(f"{path}/areas").json["features"]] == ["a-1", "c"]
        west = Person(one.app, "planner-west")
        assert west.get(path).status_code == 404
