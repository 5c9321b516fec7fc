"""The way of a draft to a decision over the API: who may take which step, dates, conflicts, lost answers, history."""

from copy import deepcopy
from datetime import timedelta

import pytest
from drawn import CARVE, HOME, NORTH, PUSH, SOUTH, SPLIT, send
from office import village_code

from layers.figures import rules
from layers.redrawing.draft_rights import APPROVERS
from layers.rights import Viewer
from layers.storage.history import today
from web.again import Repeats

LATER = (today() + timedelta(days=40)).isoformat()


def drawn(one, *operations, code=HOME, **more):
    """A draft with something drawn in it: its address and version."""
    body = {"title": "南北调整", "parent_code": code, "reason": "户数过多", "effective_from": LATER, **more}
    made = one.send("POST", "/api/v1/drafts", body).json
    path = f"/api/v1/drafts/{made['id']}"
    answer = send(one, path, 1, *operations).json
    assert all(result["ok"] for result in answer["results"]), answer["results"]
    return path, answer["version"]


def step(one, path, name, version, **more):
    headers = more.pop("headers", None)
    return one.send("POST", f"{path}/{name}", {"version": version, **more}, headers=headers)


def decide(person, path, version):
    """Hand in by the author, agree and approve by others; the draft as it then is."""
    assert step(person("grid_manager"), path, "submit", version).status_code == 200
    assert step(person("planner"), path, "review", version + 1, verdict="agree").json["state"] == "reviewed"
    answer = step(person("administrator"), path, "approve", version + 2)
    assert answer.status_code == 200, answer.json
    return answer.json


def codes_on(one, day):
    return {each["id"] for each in one.get(f"/features/grid?as_of={day}").json["features"]}


def test_a_draft_goes_its_way_and_is_seen_from_its_day_on(person):
    author = person("grid_manager")
    path, version = drawn(author, SPLIT)
    before = codes_on(author, today())
    handed_in = step(author, path, "submit", version, note="请审").json
    assert (handed_in["state"], handed_in["offices_missing"], handed_in["may_edit"]) == ("proposed", [""], False)
    reviewed = step(person("planner"), path, "review", version + 1, verdict="agree", note="同意").json
    assert reviewed["state"] == "reviewed"
    approved = step(person("administrator"), path, "approve", version + 2).json
    assert (approved["state"], approved["effective_from"]) == ("approved", LATER)
    assert [said["verdict"] for said in approved["reviews"]] == ["submit", "agree", "approve"]
    assert codes_on(author, today()) == before
    assert codes_on(author, LATER) == before - {SOUTH} | {f"{HOME}003", f"{HOME}004"}
    (day,) = [each for each in author.get("/api/v1/dates").json if each["on"] == LATER]
    assert (day["future"], day["kinds"], day["decisions"][0]["title"]) == (True, ["grid"], "南北调整")
    history = author.get(f"/api/v1/history/grid/{SOUTH}").json
    assert history["versions"][-1]["valid_to"] == LATER
    assert {link["new_code"] for link in history["successors"]} == {f"{HOME}003", f"{HOME}004"}
    shown = author.get(f"{path}/areas").json
    assert {each["id"] for each in shown["features"] if each["properties"].get("changed")} == {
        f"{HOME}003", f"{HOME}004",
    }  # fmt: skip


def test_nobody_judges_what_he_drew_and_steps_need_their_rights(person):
    planner, manager = person("planner"), person("grid_manager")
    path, version = drawn(planner, SPLIT)
    assert step(manager, path, "submit", version).status_code == 403
    assert step(planner, path, "submit", version).status_code == 200
    assert step(planner, path, "review", version + 1, verdict="agree").status_code == 403
    assert step(manager, path, "review", version + 1, verdict="agree").status_code == 403
    assert step(person("administrator"), path, "review", version + 1, verdict="agree").status_code == 200
    assert step(planner, path, "approve", version + 2).status_code == 403
    assert step(manager, path, "approve", version + 2).status_code == 403


def test_a_named_approver_approves_whatever_the_role(person, app):
    path, version = drawn(person("grid_manager"), SPLIT)
    step(person("grid_manager"), path, "submit", version)
    step(person("planner"), path, "review", version + 1, verdict="agree")
    assert step(person("reporter"), path, "approve", version + 2).status_code == 403
    app.extensions["wangge_store"].settings.set(APPROVERS, ["reporter"])
    assert step(person("reporter"), path, "approve", version + 2).json["state"] == "approved"


def test_steps_out_of_order_or_without_reason_are_refused(person):
    author, other = person("grid_manager"), person("planner")
    path, version = drawn(author, SPLIT, reason="")
    assert step(author, path, "submit", version).status_code == 400
    assert step(other, path, "review", version, verdict="agree").status_code == 409
    assert step(person("administrator"), path, "approve", version).status_code == 409
    author.send("PATCH", path, {"version": version, "reason": "户数过多"})
    assert step(author, path, "submit", version).status_code == 409
    assert step(author, path, "submit", version + 1).status_code == 200
    assert step(other, path, "review", version + 2).status_code == 400
    assert step(other, path, "review", version + 2, verdict="perhaps").status_code == 400
    assert step(other, path, "send_back", version + 2).status_code == 400
    assert step(other, path, "send_back", version + 2, note="请说明").json["state"] == "draft"
    assert send(author, path, version + 3, CARVE).json["results"][0]["ok"]
    empty = author.send("POST", "/api/v1/drafts", {"title": "空", "parent_code": HOME, "reason": "无"}).json
    assert step(author, f"/api/v1/drafts/{empty['id']}", "submit", 1).status_code == 400


def test_a_decision_is_withdrawn_before_its_day_and_what_it_ended_counts_again(person):
    author = person("grid_manager")
    before = codes_on(author, LATER)
    path, version = drawn(author, SPLIT)
    approved = decide(person, path, version)
    assert step(author, path, "withdraw", approved["version"]).status_code == 403
    back = step(person("administrator"), path, "withdraw", approved["version"], note="暂缓").json
    assert back["state"] == "draft"
    assert codes_on(author, LATER) == before
    assert author.get("/api/v1/dates").json == []


def test_what_a_decision_changed_below_a_draft_is_a_conflict_with_names_until_it_is_rebased(person):
    author = person("grid_manager")
    mine, version = drawn(author, PUSH)
    theirs, other_version = drawn(author, CARVE)
    decide(person, theirs, other_version)
    late = step(author, mine, "submit", version)
    assert late.status_code == 409
    assert {change["code"] for change in late.json["changed"]} <= {SOUTH, NORTH}
    assert all(change["by"] == "administrator" and change["at"] for change in late.json["changed"])
    shown = author.get(f"{mine}/areas").json
    assert {change["code"] for change in shown["conflicts"]} == {c["code"] for c in late.json["changed"]}
    assert shown["conflict"] and f"{HOME}900" in {each["id"] for each in shown["features"]}
    rebased = step(author, mine, "rebase", version)
    assert rebased.status_code == 200, rebased.json
    facts = rebased.json
    assert len(facts["operations"]) + len(facts["lost"]) == 1
    assert all(set(each) >= {"reason", "what", "mend"} and isinstance(each["what"], str) for each in facts["lost"])
    assert author.get(f"{mine}/areas").json["conflicts"] == []


@pytest.mark.parametrize("name", ["submit", "review", "approve", "discard"])
def test_a_step_whose_answer_was_lost_is_answered_again(person, app, name):
    author = person("grid_manager")
    path, version = drawn(author, SPLIT)
    who, more = author, {}
    if name in ("review", "approve"):
        step(author, path, "submit", version)
        who, version, more = person("planner"), version + 1, {"verdict": "agree"}
    if name == "approve":
        step(who, path, "review", version, **more)
        who, version, more = person("administrator"), version + 1, {}
    headers = {"Idempotency-Key": f"lost-{name}"}
    first = step(who, path, name, version, headers=headers, **more)
    assert first.status_code == 200
    app.extensions["wangge_repeats"] = Repeats()
    again = step(who, path, name, version, headers=headers, **more)
    assert (again.status_code, again.json) == (200, first.json)
    assert step(who, path, name, version, **more).status_code == 409


def test_a_discarded_draft_stays_on_file_and_takes_nothing_more(person):
    one = person("planner")
    path, version = drawn(one, SPLIT)
    assert step(one, path, "discard", version).json["state"] == "discarded"
    assert send(one, path, version + 1, CARVE).status_code == 409
    assert one.get(path).json["operations"]


def test_drafts_of_other_areas_take_no_step_of_anybody_else(person):
    path, version = drawn(person("planner"), {"op": "merge", "grids": [f"{village_code(2)}001", f"{village_code(2)}002"]},
                          code=village_code(2))  # fmt: skip
    west = person("planner-west")
    for name in (
        "operations",
        "undo",
        "redo",
        "submit",
        "withdraw",
        "send_back",
        "review",
        "approve",
        "rebase",
        "discard",
    ):
        body = {"operations": [SPLIT]} if name == "operations" else {}
        assert step(west, path, name, version, **body).status_code == 404, name
    assert west.get(f"{path}/areas").status_code == 404


def test_the_history_of_an_area_of_others_is_not_told(person):
    one = person("planner-west")
    assert one.get(f"/api/v1/history/grid/{village_code(2)}001").status_code == 404
    assert one.get("/api/v1/history/grid/none").status_code == 404
    assert one.get("/api/v1/history/camera/1").status_code == 404
    assert one.get(f"/api/v1/history/grid/{SOUTH}").json["versions"]


def test_a_draft_is_downloaded_as_a_layer_by_those_who_may_see_it(person):
    one = person("planner")
    path, _ = drawn(one, SPLIT)
    address = f"/api/v1/export?what=draft:{path.rsplit('/', 1)[1]}&format=geojson"
    answer = one.get(address)
    codes = {each["properties"]["grid_code"] for each in answer.json["features"]}
    assert {f"{HOME}003", f"{HOME}004"} <= codes and SOUTH not in codes
    assert answer.json["provenance"]["draft"]["title"] == "南北调整"
    assert "draft" in answer.headers["Content-Disposition"] and "X-Wangge-Notes" in answer.headers
    assert one.get(address + "&where=kind+%3D+'base'").status_code == 400
    for what in ("draft:", "draft:x", "draft:99", "draft:1:county"):
        assert one.get(f"/api/v1/export?what={what}&format=geojson").status_code == 404, what
    assert one.get(f"/api/v1/print?view=draft:{path[-1]}").status_code == 404
    assert person("viewer").get(address).status_code == 403
    far, _ = drawn(
        one, {"op": "merge", "grids": [f"{village_code(2)}001", f"{village_code(2)}002"]}, code=village_code(2)
    )
    other = f"/api/v1/export?what=draft:{far.rsplit('/', 1)[1]}&format=geojson"
    assert one.get(other).status_code == 200
    assert person("planner-west").get(other).status_code == 404


def test_a_decided_draft_is_downloaded_with_what_it_changed(person):
    path, version = drawn(person("grid_manager"), SPLIT)
    decide(person, path, version)
    one = person("planner")
    found = one.get(f"/api/v1/export?what=draft:{path.rsplit('/', 1)[1]}&format=geojson").json
    rows = {each["properties"]["grid_code"]: each["properties"] for each in found["features"]}
    assert SOUTH not in rows
    for code in (f"{HOME}003", f"{HOME}004"):
        assert (rows[code]["draft_change"], rows[code]["from_codes"]) == ("new", SOUTH)
    assert rows[NORTH]["draft_change"] == "same"
    assert sum(link["share_of_area"] for link in found["provenance"]["lineage"]) == pytest.approx(1)


def test_too_large_a_community_is_told_while_it_is_drawn_and_with_every_step_that_looks(person, office_store):
    body = deepcopy(rules.shipped()["sample-2025"].body)
    next(rule for rule in body["rules"] if rule["id"] == "community_size")["threshold"] = 299
    rules.save_rule_set(office_store, Viewer("planner", "planner"), "own", body)
    with office_store.change("administrator", "settings") as change:
        office_store.settings.put(change.connection, "rule_set", "own")
    planner, village = person("planner"), village_code(0)
    path, version = drawn(
        planner, {"op": "recode", "grid": village}, code=f"{village[:9]}000", level="village", title="村改社区"
    )
    (community,) = planner.get(path).json["codes"]
    shown = {each["id"]: each["properties"].get("breaks") for each in planner.get(f"{path}/areas").json["features"]}
    assert "community_size" in [each["rule"] for each in shown[community]]
    handed_in = step(planner, path, "submit", version).json
    (told,) = handed_in["reviews"][0]["warnings"]
    assert (told["code"], told["rule"]) == (community, "community_size")
    assert told["text"] == "城市社区规模：300 户，标准为不超过 299 户，超出 1 户"
    english = planner.get(f"{path}?lang=en").json["reviews"][0]["warnings"][0]["text"]
    assert english == "size of urban communities: 300 households, at most 299 are asked for, 1 too many"
