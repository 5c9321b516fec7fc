"""Forged, foreign and misshapen requests: tokens, origins, content types, hosts, sizes, redirects."""

import io
import json

import pytest
from office import PASSWORD, Person, token_in
from routes import UNSAFE, all_routes, path_of

from layers.storage import accounts

FORMS = {"/sign-in", "/sign-out", "/password"}


def bodies(rule: str) -> dict:
    if rule == "/api/v1/uploads":
        return {
            "data": {"file": (io.BytesIO(b"a,b\n1,2\n"), "a.csv")},
            "content_type": "multipart/form-data",
        }
    if rule in FORMS:
        return {"data": {"name": "planner", "password": PASSWORD}}
    return {"data": "{}", "content_type": "application/json"}


def test_no_write_happens_without_the_token(shared_app, people):
    one, tried = people("administrator"), 0
    for method, rule in all_routes(shared_app):
        if method not in UNSAFE:
            continue
        tried += 1
        answer = one.client.open(path_of(rule), method=method, **bodies(rule))
        assert answer.status_code == 400, (method, rule, answer.status_code)
        wrong = one.client.open(path_of(rule), method=method, headers={"X-CSRFToken": "forged"}, **bodies(rule))
        assert wrong.status_code == 400, (method, rule, wrong.status_code)
    assert tried >= 14


def test_the_token_of_another_session_does_not_help(people, shared_app):
    other = Person(shared_app, "planner").token
    answer = people("administrator").client.post("/api/v1/backup", json={}, headers={"X-CSRFToken": other})
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_of_another_site_cannot_pass_for_json(shared_app, people, kind):
    one = people("administrator")
    for method, rule in all_routes(shared_app):
        if method in UNSAFE and rule not in FORMS and rule != "/api/v1/uploads":
            answer = one.client.open(
                path_of(rule),
                method=method,
                data='{"name": "x"}',
                content_type=kind,
                headers={"X-CSRFToken": one.token},
            )
            assert answer.status_code == 415, (method, rule, answer.status_code)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_writes_that_a_browser_marks_as_foreign_are_refused(shared_app, people, site):
    one = people("administrator")
    for method, rule in all_routes(shared_app):
        if method in UNSAFE:
            headers = {"X-CSRFToken": one.token, "Sec-Fetch-Site": site}
            answer = one.client.open(path_of(rule), method=method, headers=headers, **bodies(rule))
            assert answer.status_code == 403, (method, rule, answer.status_code)


def test_reading_changes_nothing(shared_app, people):
    store, one = shared_app.extensions["wangge_store"], people("administrator")
    before = (
        store.versions(),
        [account.session_version for account in accounts.list_accounts(store)],
    )
    rows = one.get("/api/v1/audit?size=1").json["rows"][0]["id"]
    for method, rule in all_routes(shared_app):
        # An export leaves a note of who took what: that is its only trace.
        if method == "GET" and rule not in ("/api/v1/export", "/api/v1/print", "/api/v1/standalone"):
            one.get(path_of(rule))
    after = (
        store.versions(),
        [account.session_version for account in accounts.list_accounts(store)],
    )
    assert before == after
    assert one.get("/api/v1/audit?size=1").json["rows"][0]["id"] == rows


EVIL = [
    "//evil.example",
    "/\\evil.example",
    "///evil.example",
    "/\t//evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "/%0d%0aSet-Cookie:a=b",
    "/coverage\r\nX: y",
    "/..//evil.example",
    "/api/v1/../../evil",
    "/nowhere",
    "/sign-out",
    "coverage",
    "",
]


@pytest.mark.parametrize("target", EVIL)
def test_signing_in_leads_nowhere_else(app, person, target):
    one = person()
    page = one.client.get("/sign-in", query_string={"next": target})
    answer = one.client.post(
        "/sign-in", data={"name": "planner", "password": PASSWORD, "csrf_token": token_in(page), "next": target}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("target", ["/coverage?unit=village&bbox=111,27.6,111.2,27.7", "/layers", "/"])
def test_signing_in_leads_back_to_our_own_pages(app, person, target):
    one = person()
    first = one.client.get(target)
    assert first.status_code == 302
    page = one.client.get(first.headers["Location"])
    answer = one.client.post("/sign-in", data={"name": "planner", "password": PASSWORD, "csrf_token": token_in(page)})
    assert answer.headers["Location"] == target


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "a@localhost@evil", "[::1"]
)
def test_unknown_host_names_are_refused(shared_app, host):
    answer = shared_app.test_client().get("/healthz", headers={"Host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "10.1.2.3", "[::1]:8000"])
def test_addresses_and_the_own_name_are_answered(shared_app, host):
    assert shared_app.test_client().get("/healthz", headers={"Host": host}).status_code == 200


def test_a_listed_host_name_is_answered(app):
    app.config["PUBLIC_HOSTS"] = ("Maps.Office.example",)
    assert app.test_client().get("/healthz", headers={"Host": "maps.office.example"}).status_code == 200


def test_headers_are_limited(shared_app):
    client, limit = shared_app.test_client(), shared_app.config["HEADER_MAX_BYTES"]
    assert client.get("/healthz", headers={"X-Long": "x" * (limit - 500)}).status_code == 200
    assert client.get("/healthz", headers={"X-Long": "x" * (limit + 1)}).status_code == 431


def test_json_bodies_are_limited(app, person):
    one = person("planner")
    app.config["JSON_MAX_BYTES"] = 2000
    small, large = json.dumps({"name": "x" * 100, "body": {}}), json.dumps({"name": "x", "body": {"t": "x" * 2000}})
    for data, status in ((small, 400), (large, 413)):
        headers = {"X-CSRFToken": one.token}
        assert (
            one.client.post("/api/v1/rules", data=data, content_type="application/json", headers=headers).status_code
            == status
        )


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b'"x"', b"NaN", b'{"values": {"FEATURES_MAX": NaN}}', b'{"values": {"FEATURES_MAX": 1e999}}',
     b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000],
)  # fmt: skip
def test_bodies_that_are_no_json_of_ours_are_refused(people, data):
    one = people("administrator")
    answer = one.client.put(
        "/api/v1/settings", data=data, content_type="application/json", headers={"X-CSRFToken": one.token}
    )
    assert answer.status_code == 400, answer.get_data(as_text=True)[:200]
    assert set(answer.json) == {"code", "what", "where", "mend"}


@pytest.mark.parametrize("sign", ["\\u0000", "\\u0018", "\\ud800", "\\udfff", "\\ufffe", "\\b"])
@pytest.mark.parametrize("body", ['{"title": "a%s"}', '{"title": {"of": [["%s"]]}}', '{"%s": 1}'])
def test_texts_that_no_store_or_document_holds_are_refused(people, body, sign):
    one = people("planner")
    headers = {"X-CSRFToken": one.token, "Content-Type": "application/json"}
    answer = one.client.post("/api/v1/drafts", data=body % sign, headers=headers)
    assert answer.status_code == 400
    assert "控制字符" in answer.json["what"] and answer.json["mend"]
    assert answer.json["where"] == ("title" if "title" in body else "")


def test_words_in_every_script_and_on_several_lines_are_taken(people):
    one = people("planner")
    title = "网格①\t调整\r\n𠀀\u202e é 🗺"
    body = {"title": title, "parent_code": "nowhere"}
    answer = one.client.post("/api/v1/drafts", json=body, headers={"X-CSRFToken": one.token})
    assert answer.status_code == 404, "of the area, not of the words"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("search?q=%00", 400),
        ("coverage?%00=1", 400),
        ("table/grid?where=name%3D%27%01%27", 400),
        ("features/grid/a%00b", 404),
    ],
)
def test_addresses_that_no_store_can_look_for_are_refused(people, path, status):
    answer = people("planner").get(f"/api/v1/{path}")
    assert answer.status_code == status and answer.json["what"]


def test_names_that_no_store_can_look_for_do_not_sign_in(app, person):
    one = person()
    token = token_in(one.client.get("/sign-in"))
    answer = one.client.post("/sign-in", data={"name": "a\x00", "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 400


def test_every_answer_carries_the_protecting_headers(shared_app, people):
    one = people("planner")
    for path in (
        "/",
        "/healthz",
        "/static/css/theme.css",
        "/nowhere",
        "/features/village",
        "/api/v1/settings",
        "/sign-in",
    ):
        headers = one.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        for part in (
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
            "form-action 'self'",
        ):
            assert part in policy
        script = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in script and "'nonce-" in script


def test_nonces_are_never_used_twice(people):
    one = people("planner")
    assert len({one.get("/").headers["Content-Security-Policy"] for _ in range(5)}) == 5


def test_inline_scripts_of_a_page_carry_the_nonce_and_nothing_comes_from_outside(people):
    for path in ("/", "/layers", "/admin", "/help"):
        answer = people("administrator").get(path)
        page = answer.get_data(as_text=True)
        nonce = answer.headers["Content-Security-Policy"].split("'nonce-")[1].split("'")[0]
        import re

        for tag in re.findall(r"<script\b[^>]*>", page):
            assert "src=" in tag or "application/json" in tag or f'nonce="{nonce}"' in tag, tag
        assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)


@pytest.mark.parametrize(
    "path",
    ["/static/../office.gpkg", "/static/%2e%2e/office.gpkg", "/static/..%2foffice.gpkg", "/office.gpkg", "/static/office.gpkg",
     "/static/css/../../app.py", "/static/.../app.py", "/static//etc/passwd", "/fonts/../words.json", "/fonts/..%2f..%2fapp.py",
     "/.office.gpkg.write-lock", "/uploads/", "/static/js/../../../pyproject.toml", "/basemap/../office/1/0/0", "/backup.gpkg"],
)  # fmt: skip
def test_files_of_the_server_are_not_served(people, path):
    answer = people("administrator").get(path)
    assert answer.status_code in (404, 308), path
    assert b"SQLite format" not in answer.get_data()
