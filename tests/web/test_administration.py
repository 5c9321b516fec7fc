"""Accounts, rule sets, settings, audit, backup, and writes sent twice."""

import sqlite3
import threading

import pytest
from office import PASSWORD, WEST


def test_an_account_is_made_with_a_password_shown_once_and_changed_at_once(person):
    boss = person("administrator")
    answer = boss.send("POST", "/api/v1/accounts", {"name": "王工", "role": "planner", "areas": [WEST]})
    assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store"
    word = answer.json["password"]
    assert len(word) == 19
    assert "password" not in str(boss.get("/api/v1/accounts").json)
    new = person()
    assert new.sign_in("王工", word).headers["Location"] == "/password"
    assert new.get("/api/v1/session").json["code"] == "rights"


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"name": "x", "role": "king"}, {"name": "a b", "role": "viewer"}, {"name": "", "role": "viewer"},
     {"name": "x" * 65, "role": "viewer"}, {"name": "x", "role": "viewer", "areas": "all"}, {"name": "x", "role": "viewer", "other": 1},
     {"name": "x", "role": "viewer", "password": "short"}, {"name": "<b>", "role": "viewer"}],
)  # fmt: skip
def test_accounts_that_make_no_sense_are_refused(person, body):
    answer = person("administrator").send("POST", "/api/v1/accounts", body)
    assert answer.status_code == 400 and set(answer.json) == {"code", "what", "where", "mend"}


def test_a_name_is_taken_once(person):
    boss = person("administrator")
    assert boss.send("POST", "/api/v1/accounts", {"name": "Planner", "role": "viewer"}).status_code == 409


def test_an_account_is_changed_closed_and_given_a_new_password(person):
    boss = person("administrator")
    changed = boss.send(
        "PATCH", "/api/v1/accounts/viewer", {"role": "reporter", "areas": [WEST], "language": "en"}
    ).json
    assert (changed["role"], changed["areas"], changed["language"]) == ("reporter", [WEST], "en")
    only_areas = boss.send("PATCH", "/api/v1/accounts/viewer", {"areas": []}).json
    assert (only_areas["role"], only_areas["areas"]) == ("reporter", [])
    word = boss.send("PATCH", "/api/v1/accounts/viewer", {"reset_password": True}).json["password"]
    assert person().sign_in("viewer", PASSWORD).status_code == 401
    assert person().sign_in("viewer", word).status_code == 303
    assert boss.send("PATCH", "/api/v1/accounts/viewer", {"disabled": True}).json["disabled"] is True
    assert person().sign_in("viewer", word).status_code == 401
    assert boss.send("PATCH", "/api/v1/accounts/nobody", {"disabled": True}).status_code == 404
    assert boss.send("PATCH", "/api/v1/accounts/viewer", {}).status_code == 400


def test_an_administrator_cannot_shut_himself_out(person):
    boss = person("administrator")
    for body in ({"disabled": True}, {"role": "viewer"}):
        assert boss.send("PATCH", "/api/v1/accounts/administrator", body).status_code == 400
    assert boss.get("/api/v1/accounts").status_code == 200


def test_a_rule_set_is_copied_changed_and_removed(person):
    one = person("planner")
    listed = one.get("/api/v1/rules").json
    shipped = listed["rule_sets"][0]
    assert shipped["shipped"] and listed["current"] == shipped["name"]
    made = one.send("POST", "/api/v1/rules", {"name": "本县", "body": shipped["body"], "based_on": shipped["name"]})
    assert made.status_code == 201 and made.json["version"] == 1
    assert one.send("POST", "/api/v1/rules", {"name": "本县", "body": shipped["body"]}).status_code == 409
    before = one.get("/api/v1/coverage?rule_set=本县").headers["ETag"]
    body = made.json["body"]
    for rule in body["rules"]:
        if rule["id"] == "cam_admin":
            rule["threshold"] = 2
    assert one.send("PUT", "/api/v1/rules/本县", {"body": body, "version": 1}).json["version"] == 2
    after = one.get("/api/v1/coverage?rule_set=本县")
    assert after.headers["ETag"] != before and after.json["rule"]["threshold"] == 2
    assert one.send("PUT", "/api/v1/rules/本县", {"body": body, "version": 1}).status_code == 409
    assert one.send("PUT", "/api/v1/rules/本县", {"body": body}).status_code == 400
    assert one.send("PUT", f"/api/v1/rules/{shipped['name']}", {"body": body, "version": 0}).status_code == 400
    assert one.send("PUT", "/api/v1/rules/本县", {"body": {"rules": 1}, "version": 2}).status_code == 400
    assert one.send("DELETE", "/api/v1/rules/本县").status_code == 204
    assert one.get("/api/v1/coverage?rule_set=本县").status_code == 404


def test_settings_are_changed_checked_and_given_back(person):
    boss = person("administrator")
    found = {entry["name"]: entry for entry in boss.get("/api/v1/settings").json}
    assert found["FEATURES_MAX"]["value"] == 20_000 and "SECRET_KEY" not in found and "STORE" not in found
    changed = boss.send("PUT", "/api/v1/settings", {"values": {"FEATURES_MAX": 500, "PLACE_NAME": "望川"}}).json
    assert {entry["name"]: entry["value"] for entry in changed}["FEATURES_MAX"] == 500
    assert person("viewer").get("/api/v1/session").json["place"]["name"] == "望川"
    back = boss.send("PUT", "/api/v1/settings", {"values": {"FEATURES_MAX": None}}).json
    assert {entry["name"]: entry["value"] for entry in back}["FEATURES_MAX"] == 20_000
    for bad in (
        {"FEATURES_MAX": "many"},
        {"FEATURES_MAX": -1},
        {"SECRET_KEY": "x"},
        {"STORE": "/x"},
        {"NOTHING": 1},
        {"TLS": True},
    ):
        assert boss.send("PUT", "/api/v1/settings", {"values": bad}).status_code == 400, bad


def test_approvers_are_accounts_that_there_are(person):
    boss, planner = person("administrator"), person("planner")
    assert "approve_redraw" not in planner.get("/api/v1/session").json["rights"]
    assert boss.send("PUT", "/api/v1/settings", {"values": {"APPROVERS": ["nobody"]}}).status_code == 400
    changed = boss.send("PUT", "/api/v1/settings", {"values": {"APPROVERS": ["planner"]}}).json
    assert {entry["name"]: entry["value"] for entry in changed}["APPROVERS"] == ["planner"]
    assert "approve_redraw" in planner.get("/api/v1/session").json["rights"]
    boss.send("PUT", "/api/v1/settings", {"values": {"APPROVERS": []}})
    assert "approve_redraw" not in planner.get("/api/v1/session").json["rights"]


@pytest.mark.parametrize(
    "basemap",
    [{"name": "x"}, {"name": "x", "url": "ftp://a/{z}/{x}/{y}"}, {"name": "x", "url": "http://a/"}, {"name": "x", "url": "//a/{z}/{x}/{y}"},
     {"name": "x", "url": "http://a b/{z}/{x}/{y}"}, {"name": "x", "url": "http://a;script-src *;/{z}/{x}/{y}"},
     {"name": "x", "url": "http://u@a/{z}/{x}/{y}"}, {"name": "x", "url": "http://[::1/{z}/{x}/{y}"}, {"name": "x", "url": "http://a/{z}/{x}/{y}\n"},
     {"name": "x", "url": "http://a/{z}/{x}/{y}", "datum": "bd09"}, {"name": "x", "url": "http://a/{z}/{x}/{y}", "more": 1},
     {"name": "x", "url": "http://a/{z}/{x}/{y}", "max_zoom": "18"}, "x", {"url": "http://a/{z}/{x}/{y}"}],
)  # fmt: skip
def test_basemaps_that_could_widen_the_policy_are_refused(person, basemap):
    boss = person("administrator")
    assert boss.send("PUT", "/api/v1/settings", {"values": {"BASEMAPS": [basemap]}}).status_code == 400
    policy = boss.get("/").headers["Content-Security-Policy"]
    assert "img-src 'self' data: blob:;" in policy


def test_hosts_of_basemaps_may_give_images_and_nothing_else(person):
    boss = person("administrator")
    basemap = {
        "name": "影像",
        "url": "https://t{s}.tiles.example.org/{z}/{x}/{y}?tk=k",
        "subdomains": "0123",
        "datum": "wgs84",
    }
    assert boss.send("PUT", "/api/v1/settings", {"values": {"BASEMAPS": [basemap]}}).status_code == 200
    parts = dict(part.split(" ", 1) for part in boss.get("/").headers["Content-Security-Policy"].split("; "))
    assert "https://*.tiles.example.org" in parts["img-src"]
    assert not any("example.org" in value for name, value in parts.items() if name != "img-src")


def test_the_audit_trail_tells_who_did_what(person):
    boss = person("administrator")
    boss.send("PATCH", "/api/v1/accounts/viewer", {"disabled": True})
    trail = boss.get("/api/v1/audit?size=5").json
    assert trail["whole"] is True
    assert (trail["rows"][0]["actor"], trail["rows"][0]["action"]) == ("administrator", "disable_account")
    second = boss.get("/api/v1/audit?size=2&page=2").json["rows"]
    assert [row["id"] for row in second] == [row["id"] for row in trail["rows"][2:4]]


def test_a_backup_is_a_whole_store(person, tmp_path):
    answer = person("administrator").send("POST", "/api/v1/backup", {})
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    (tmp_path / "copy.gpkg").write_bytes(answer.get_data())
    connection = sqlite3.connect(tmp_path / "copy.gpkg")
    assert connection.execute("select count(*) from village_row").fetchone() == (4,)
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


KEY = {"Idempotency-Key": "key-of-this-act-1"}


def test_a_write_sent_twice_happens_once_with_the_same_answer(person):
    boss = person("administrator")
    body = {"name": "new", "role": "viewer"}
    first, second = (boss.send("POST", "/api/v1/accounts", body, headers=KEY) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_data() == second.get_data()
    assert second.headers["Idempotent-Replay"] == "true"
    other = boss.send("POST", "/api/v1/accounts", {"name": "other", "role": "viewer"}, headers=KEY)
    assert other.status_code == 422
    assert boss.send("POST", "/api/v1/accounts", body).status_code == 409


def test_twenty_at_once_with_one_key_do_it_once(app, person):
    boss = person("administrator")
    answers = []

    def post():
        client = app.test_client()
        client.set_cookie("wangge_session", boss.client.get_cookie("wangge_session").value)
        headers = {"X-CSRFToken": boss.token, **KEY}
        answers.append(client.post("/api/v1/accounts", json={"name": "crowd", "role": "viewer"}, headers=headers))

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_data() for answer in answers}) == 1
    assert sum(a["name"] == "crowd" for a in boss.get("/api/v1/accounts").json) == 1


def test_keys_of_two_accounts_do_not_meet(person):
    boss = person("administrator")
    boss.send(
        "POST",
        "/api/v1/accounts",
        {"name": "second", "role": "administrator", "password": "four-quiet-boats"},
        headers=KEY,
    )
    assert person("planner").send("POST", "/api/v1/rules", {"name": "x", "body": {}}, headers=KEY).status_code == 400


@pytest.mark.parametrize("key", ["short", "x" * 101, "with space 1", "新的钥匙新的钥匙"])
def test_keys_of_another_form_are_refused(person, key):
    answer = person("administrator").send(
        "POST", "/api/v1/backup", {}, headers={"Idempotency-Key": key.encode().decode("latin-1")}
    )
    assert answer.status_code == 400
