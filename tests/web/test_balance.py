"""Balancing over the API: figures, a suggestion at once or as a job, a point of it drawn into a draft."""

import json

import pytest
from office import WEST, village_code

from layers import work
from layers.storage import jobs

VILLAGE = village_code(0)
DAY = "2026-03-20"


def ask(who, **body):
    return who.send("POST", "/api/v1/balance/suggest", {"parent_code": VILLAGE, "as_of": DAY, **body})


def new_draft(who, **body):
    given = {"title": "均衡", "parent_code": VILLAGE, "effective_from": DAY, **body}
    made = who.send("POST", "/api/v1/drafts", given)
    assert made.status_code == 201, made.get_data(as_text=True)
    return made.json


def test_figures_of_a_village_name_index_spread_and_source(person):
    found = person("planner").get(f"/api/v1/balance?parent={VILLAGE}&as_of={DAY}")
    assert found.status_code == 200
    body = found.json
    assert [row["code"] for row in body["rows"]] == [f"{VILLAGE}001", f"{VILLAGE}002"]
    assert sum(row["incidents"] for row in body["rows"]) == 15
    assert body["spread"]["count"] == 2
    assert body["spread"]["max_over_mean"] == pytest.approx(
        max(row["index"] for row in body["rows"]) / body["spread"]["mean"], abs=1e-3
    )
    assert body["provenance"]["rule_set"]["name"] == "sample-2025"
    assert body["period"]["to"] == DAY


def test_words_come_in_the_language_of_the_reader(person):
    who = person("planner")
    zh = who.get(f"/api/v1/balance?parent={VILLAGE}&as_of={DAY}&lang=zh").json
    en = who.get(f"/api/v1/balance?parent={VILLAGE}&as_of={DAY}&lang=en").json
    assert zh["label"] == "网格工作量指数"
    assert en["label"] == "workload index of a grid"
    assert [row["index"] for row in zh["rows"]] == [row["index"] for row in en["rows"]]


def test_a_small_suggestion_is_answered_at_once_and_can_be_asked_for_again(person):
    who = person("planner")
    found = ask(who)
    assert found.status_code == 200
    made = found.json["suggestion"]
    assert made["grids"] == 2 and made["blocks"]["source"] == "cell"
    assert made["curve"][0]["moved"] == 0 and made["curve"][0]["operations"] == []
    assert made["curve"][-1]["worst"] < made["curve"][0]["worst"]
    again = who.get(f"/api/v1/balance/suggestions/{found.json['job']['id']}")
    assert again.json["suggestion"] == made
    listed = who.get("/api/v1/jobs").json
    assert "suggestion" not in json.dumps(listed)


def test_a_point_is_drawn_into_a_draft_and_can_be_taken_back(person):
    who = person("planner")
    draft = new_draft(who)
    found = ask(who, draft=draft["id"]).json
    last = len(found["suggestion"]["curve"]) - 1
    drawn = who.send(
        "POST",
        f"/api/v1/balance/suggestions/{found['job']['id']}/apply",
        {"draft": draft["id"], "version": draft["version"], "point": last},
    )
    assert drawn.status_code == 200, drawn.get_data(as_text=True)
    body = drawn.json
    assert all(result["ok"] for result in body["results"])
    assert body["valid"] and body["area_change_m2"] == 0
    kept = who.get(f"/api/v1/drafts/{draft['id']}").json
    assert len(kept["operations"]) == len(found["suggestion"]["curve"][last]["operations"])
    back = who.send("POST", f"/api/v1/drafts/{draft['id']}/undo", {"version": kept["version"]})
    assert back.status_code == 200


def test_a_suggestion_made_on_other_boundaries_is_a_conflict(person):
    who = person("planner")
    draft = new_draft(who)
    found = ask(who, draft=draft["id"]).json
    way = f"/api/v1/balance/suggestions/{found['job']['id']}/apply"
    first = who.send("POST", way, {"draft": draft["id"], "version": draft["version"], "point": 1})
    assert first.status_code == 200
    stale = who.send("POST", way, {"draft": draft["id"], "version": first.json["version"], "point": 1})
    assert stale.status_code == 409
    other = new_draft(who, parent_code=village_code(1))
    assert who.send("POST", way, {"draft": other["id"], "version": other["version"], "point": 1}).status_code == 409


def test_the_point_that_moves_nothing_and_points_that_are_not_there_are_refused(person):
    who = person("planner")
    draft = new_draft(who)
    found = ask(who, draft=draft["id"]).json
    way = f"/api/v1/balance/suggestions/{found['job']['id']}/apply"
    for point in (0, 900):
        body = {"draft": draft["id"], "version": draft["version"], "point": point}
        assert who.send("POST", way, body).status_code == 400


def test_a_thorough_search_is_a_job_that_the_worker_does(person, office_store):
    who = person("planner")
    found = ask(who, effort="thorough")
    assert found.status_code == 202
    job = found.json["job"]["id"]
    draft = new_draft(who)
    way = f"/api/v1/balance/suggestions/{job}/apply"
    early = who.send("POST", way, {"draft": draft["id"], "version": draft["version"], "point": 1})
    assert early.status_code == 400
    work.run(office_store, job)
    done = who.get(f"/api/v1/balance/suggestions/{job}")
    assert done.status_code == 200
    assert done.json["suggestion"]["curve"][-1]["worst"] < 0.2
    # Made for the day of the draft and an untouched draft: it fits.
    late = who.send("POST", way, {"draft": draft["id"], "version": draft["version"], "point": 1})
    assert late.status_code == 200


def test_a_search_that_is_cancelled_leaves_no_suggestion(person, office_store, monkeypatch):
    who = person("planner")
    job = ask(who, effort="thorough").json["job"]["id"]
    assert jobs.claim(office_store, job) is not None
    assert who.send("POST", f"/api/v1/jobs/{job}/cancel").status_code == 200
    work.run(office_store, job)
    state = who.get(f"/api/v1/balance/suggestions/{job}")
    assert state.status_code == 202
    assert state.json["job"]["state"] == "cancelled"
    assert "suggestion" not in state.json


def test_somebody_elses_suggestion_reads_like_none(person):
    job = ask(person("planner")).json["job"]["id"]
    assert person("planner-west").get(f"/api/v1/balance/suggestions/{job}").status_code == 404


def test_other_jobs_are_no_suggestions(person, office_store):
    job = jobs.submit(office_store, "planner", "export", {"what": "grid", "path": "x"})
    assert person("planner").get(f"/api/v1/balance/suggestions/{job}").status_code == 404


def test_areas_of_others_are_refused(person):
    west = person("grid_manager-west")
    assert west.get(f"/api/v1/balance?parent={village_code(3)}&as_of={DAY}").status_code == 403
    assert ask(west, parent_code=village_code(3)).status_code == 403
    assert west.get(f"/api/v1/balance?parent={WEST}&as_of={DAY}").status_code == 200
    seen = west.get(f"/api/v1/balance?as_of={DAY}").json["rows"]
    assert {row["village"] for row in seen} == {village_code(0), village_code(1)}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"parent_code": "990101009999"}, 404),
        ({"blocks": "reference:nothing"}, 404),
        ({"blocks": "camera"}, 400),
        ({"draft": 999_999}, 404),
        ({"effort": "endless"}, 400),
        ({"seed": -1}, 400),
        ({"rule_set": "none"}, 404),
        ({"parent_code": None}, 400),
    ],
)
def test_what_cannot_be_suggested_is_said(person, body, status):
    found = ask(person("planner"), **body)
    assert found.status_code == status, found.get_data(as_text=True)


def test_the_same_key_gives_the_same_suggestion_once(person):
    who = person("planner")
    headers = {"Idempotency-Key": "balance-0001"}
    one, two = (
        who.send("POST", "/api/v1/balance/suggest", {"parent_code": VILLAGE, "as_of": DAY}, headers=headers)
        for _ in range(2)
    )
    assert one.json["job"]["id"] == two.json["job"]["id"]
