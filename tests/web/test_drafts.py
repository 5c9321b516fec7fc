"""Drafts over the API: begun, listed, read, changed; who may; texts that are no texts; the same request twice."""

import pytest
from office import EAST, HOSTILE, WEST, village_code

from web.again import Repeats

HOME, OTHER, FAR = village_code(0), village_code(1), village_code(2)


def begin(one, code=HOME, **more):
    answer = one.send("POST", "/api/v1/drafts", {"title": "试划", "parent_code": code, **more})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.json


def test_a_draft_is_begun_read_listed_and_changed(person):
    one = person("planner")
    made = begin(one, reason="网格过大", effective_from="2031-01-01")
    assert (made["version"], made["state"], made["author"], made["effective_from"]) == (
        1, "draft", "planner", "2031-01-01",
    )  # fmt: skip
    path = f"/api/v1/drafts/{made['id']}"
    assert one.get(path).json == made
    changed = one.send("PATCH", path, {"version": 1, "title": "再划", "attachments": ["会议纪要.pdf"]}).json
    assert (changed["version"], changed["title"], changed["attachments"]) == (2, "再划", ["会议纪要.pdf"])
    (listed,) = one.get("/api/v1/drafts").json
    assert (listed["id"], listed["title"], listed["operations"]) == (made["id"], "再划", 0)
    assert one.get("/api/v1/drafts?state=draft").json == [listed]
    assert one.get("/api/v1/drafts?state=approved").json == []
    assert one.get("/api/v1/drafts?lang=en").json[0]["state_label"] == "draft"


def test_the_second_of_two_who_save_is_told_who_was_first(person):
    first, second = person("planner"), person("administrator")
    path = f"/api/v1/drafts/{begin(first)['id']}"
    assert first.send("PATCH", path, {"version": 1, "title": "甲"}).status_code == 200
    late = second.send("PATCH", path, {"version": 1, "title": "乙"})
    assert late.status_code == 409
    assert late.json["code"] == "conflict"
    assert "planner" in late.json["what"]
    assert first.get(path).json["title"] == "甲"


def test_the_same_key_makes_one_draft_even_when_the_server_has_forgotten_it(app, person):
    one = person("planner")
    body, headers = {"title": "一次", "parent_code": HOME}, {"Idempotency-Key": "draft-0001"}
    first = one.send("POST", "/api/v1/drafts", body, headers=headers)
    app.extensions["wangge_repeats"] = Repeats()
    again = one.send("POST", "/api/v1/drafts", body, headers=headers)
    assert (again.status_code, again.json) == (201, first.json)
    assert len(one.get("/api/v1/drafts").json) == 1
    other = person("administrator").send("POST", "/api/v1/drafts", body, headers=headers)
    assert other.json["id"] != first.json["id"]


def test_a_title_that_is_a_script_is_kept_and_shown_as_text(person):
    one = person("planner")
    made = begin(one, title=HOSTILE, reason=HOSTILE)
    answer = one.get(f"/api/v1/drafts/{made['id']}")
    assert (answer.json["title"], answer.json["reason"]) == (HOSTILE, HOSTILE)
    assert answer.mimetype == "application/json"
    assert b"</script" not in answer.get_data()


def test_a_grid_manager_drafts_in_the_own_township_only(person):
    one = person("grid_manager-west")
    begin(one)
    begin(one, WEST)
    for code in (FAR, EAST):
        answer = one.send("POST", "/api/v1/drafts", {"title": "越界", "parent_code": code})
        assert answer.status_code in (403, 404), code


def test_drafts_of_other_areas_read_like_none_at_all(person):
    other = begin(person("planner"), FAR)["id"]
    one = person("grid_manager-west")
    none = one.get("/api/v1/drafts/123456").json
    for answer in (
        one.get(f"/api/v1/drafts/{other}"),
        one.send("PATCH", f"/api/v1/drafts/{other}", {"version": 1, "title": "改"}),
    ):
        assert answer.status_code == 404
        assert answer.json == {**none, "what": none["what"].replace("123456", str(other))}
    assert one.get("/api/v1/drafts").json == []


@pytest.mark.parametrize("role", ["viewer", "reporter", "dispatcher"])
def test_roles_that_draw_nothing_see_no_draft(person, role):
    made = begin(person("planner"))["id"]
    one = person(role)
    for answer in (
        one.get("/api/v1/drafts"),
        one.get(f"/api/v1/drafts/{made}"),
        one.get("/redraw"),
        one.send("POST", "/api/v1/drafts", {"title": "试", "parent_code": HOME}),
        one.send("PATCH", f"/api/v1/drafts/{made}", {"version": 1, "title": "改"}),
    ):
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "题" * 201, "parent_code": HOME},
        {"title": 5, "parent_code": HOME},
        {"title": "题", "parent_code": ["x"]},
        {"title": "题", "parent_code": HOME, "level": "county"},
        {"title": "题", "parent_code": HOME, "effective_from": "2031-13-01"},
        {"title": "题", "parent_code": HOME, "state": "approved"},
        {"title": "题"},
    ],
)
def test_a_draft_that_cannot_be_begun_is_refused_with_the_field(person, body):
    one = person("planner")
    answer = one.send("POST", "/api/v1/drafts", body)
    assert answer.status_code == 400
    assert answer.json["where"]
    assert one.get("/api/v1/drafts").json == []


@pytest.mark.parametrize("number", ["0", "999", str(2**63), "1e3", "-1", "x"])
def test_a_number_without_a_draft_is_not_found(person, number):
    assert person("planner").get(f"/api/v1/drafts/{number}").status_code == 404


def test_a_change_of_nothing_or_without_version_is_refused(person):
    one = person("planner")
    path = f"/api/v1/drafts/{begin(one)['id']}"
    for body in ({"version": 1}, {"title": "改"}, {"version": "x", "title": "改"}, {"version": 1, "author": "me"}):
        assert one.send("PATCH", path, body).status_code == 400, body
    assert one.get(path).json["version"] == 1
