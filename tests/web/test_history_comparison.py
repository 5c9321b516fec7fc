"""Boundaries held against each other over the API: what differs, for whom, and what is refused."""

from datetime import timedelta

import pytest
import shapely
from office import EAST, WEST, village_code
from redrawn import decide, halves

from layers.deciding.boundary_changes import compare_boundaries
from layers.redrawing import draft_operations, drafts
from layers.rights import OWNER, Viewer
from layers.selection.frames import read_layer
from layers.storage import history

SPLIT, BEFORE = "2026-03-01", "2026-02-28"
FIRST, LAST = (f"{village_code(number)}001" for number in (0, 3))
WEST_PARTS, EAST_PARTS = ((f"{code[:12]}801", f"{code[:12]}802") for code in (FIRST, LAST))


@pytest.fixture
def redrawn(office_store):
    """The office after a decision that split one grid in the west and one in the east."""
    halves(office_store, FIRST, SPLIT, WEST_PARTS)
    halves(office_store, LAST, SPLIT, EAST_PARTS)
    return office_store


def rows_of(answer):
    assert answer.status_code == 200, answer.json
    return {row["code"]: row["state"] for row in answer.json["rows"]}


def test_two_days_differ_in_what_was_decided_between_them(redrawn, person):
    one = person("planner")
    found = one.get(f"/api/v1/comparison/grid?compare={BEFORE}").json
    assert (found["before"], found["after"]) == (BEFORE, history.today().isoformat())
    assert found["counts"] == {"changed": 0, "new": 4, "ended": 2, "unchanged": 6}
    states = {row["code"]: row["state"] for row in found["rows"]}
    assert states == {FIRST: "ended", LAST: "ended"} | dict.fromkeys((*WEST_PARTS, *EAST_PARTS), "new")
    assert {(link["old_code"], link["new_code"]) for link in found["links"]} == {
        *((FIRST, part) for part in WEST_PARTS),
        *((LAST, part) for part in EAST_PARTS),
    }
    sides = {(one_["id"], one_["properties"]["side"]) for one_ in found["geometry"]["features"]}
    assert sides == {(FIRST, "before"), (LAST, "before"), *((part, "after") for part in (*WEST_PARTS, *EAST_PARTS))}
    area = {row["code"]: row["area_before_m2"] or row["area_after_m2"] for row in found["rows"]}
    assert area[FIRST] == pytest.approx(sum(area[part] for part in WEST_PARTS), abs=1)
    swapped = one.get(f"/api/v1/comparison/grid?as_of={BEFORE}&compare={history.today()}").json
    assert swapped["rows"] == found["rows"] and swapped["before"] == BEFORE
    assert one.get(f"/api/v1/comparison/village?compare={BEFORE}").json["counts"]["unchanged"] == 4


def test_a_border_that_was_pushed_is_changed_and_another_name_is_not(redrawn):
    code = f"{village_code(1)}001"
    old = read_layer(redrawn, "grid", OWNER).loc[[code]].drop(columns="fid").reset_index(drop=True)
    pushed = old.copy()
    west, south, east, north = old.geometry[0].bounds
    pushed.geometry = [shapely.box(west, south, east - 0.001, north)]
    decide(redrawn, "grid", "2026-05-01", ends=[code], begins=old.assign(name="新名称"))
    same = compare_boundaries(redrawn, OWNER, "grid", "2026-04-30", "2026-05-01")
    assert same.counts == {"changed": 0, "new": 0, "ended": 0, "unchanged": 10}
    decide(redrawn, "grid", "2026-06-01", ends=[code], begins=pushed)
    moved = compare_boundaries(redrawn, OWNER, "grid", "2026-04-30", "2026-06-01")
    assert moved.counts["changed"] == 1
    row = moved.rows.iloc[0]
    # A long side that is straight in degrees bulges by metres on the ground, a shorter one by less.
    assert row["gained_m2"] < 50 and row["lost_m2"] == pytest.approx(row["area_before_m2"] / 40, rel=1e-3)


def test_nobody_sees_changes_outside_the_own_areas(redrawn, person):
    west = rows_of(person("grid_manager-west").get(f"/api/v1/comparison/grid?compare={BEFORE}"))
    assert set(west) == {FIRST, *WEST_PARTS}
    body = person("viewer-west").get("/api/v1/comparison/grid?compare=1899-12-31").get_data(as_text=True)
    assert EAST[:9] not in body and WEST[:9] in body


def test_a_draft_is_compared_by_those_who_may_see_it(redrawn, person):
    planner = Viewer("planner", "planner")
    on = (history.today() + timedelta(days=30)).isoformat()
    code = f"{village_code(2)}001"
    draft = drafts.create(redrawn, planner, title="再分", parent_code=code[:12], effective_from=on)
    west, south, east, north = read_layer(redrawn, "grid", OWNER).loc[code].geometry.bounds
    # A border ends at corners the outline has: from one to the opposite one.
    line = {"type": "LineString", "coordinates": [[west, south], [east, north]]}
    asks = person("planner")
    empty = asks.get(f"/api/v1/comparison/grid?compare=draft:{draft.id}")
    assert rows_of(empty) == {}
    operation = {"op": "split", "grid": code, "line": line}
    done = draft_operations.apply(redrawn, planner, draft.id, draft.version, [operation]).as_dict("en")
    assert done["results"][0]["ok"], done["results"]
    states = rows_of(asks.get(f"/api/v1/comparison/grid?compare=draft:{draft.id}"))
    assert sorted(states.values()) == ["ended", "new", "new"] and states[code] == "ended"
    assert person("viewer").get(f"/api/v1/comparison/grid?compare=draft:{draft.id}").status_code == 403
    assert person("grid_manager-west").get(f"/api/v1/comparison/grid?compare=draft:{draft.id}").status_code == 404
    assert asks.get("/api/v1/comparison/grid?compare=draft:987654").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("grid?compare=yesterday", 400),
        ("grid?compare=draft:one", 400),
        ("grid?compare=2026-02-30", 400),
        ("facility?compare=2026-01-01", 400),
        ("nothing?compare=2026-01-01", 404),
        ("grid?compare=2026-01-01&side=left", 400),
    ],
)
def test_what_cannot_be_compared_is_said(redrawn, person, path, status):
    answer = person("planner").get(f"/api/v1/comparison/{path}")
    assert answer.status_code == status
    assert answer.json["what"]


def test_an_unchanged_comparison_is_not_sent_again(redrawn, person):
    one = person("planner")
    first = one.get(f"/api/v1/comparison/grid?compare={BEFORE}")
    again = one.get(f"/api/v1/comparison/grid?compare={BEFORE}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    code = f"{village_code(1)}001"
    halves(redrawn, code, "2026-04-01", (f"{code[:12]}801", f"{code[:12]}802"))
    third = one.get(f"/api/v1/comparison/grid?compare={BEFORE}", headers={"If-None-Match": first.headers["ETag"]})
    assert third.status_code == 200 and third.json["counts"]["ended"] == 3
