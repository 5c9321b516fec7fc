"""The first start, what the log holds, and that the server asks nobody for anything."""

import io
import json
import logging
import socket

import pytest
from office import HOSTILE, Person, fill, make_store_file, open_office, token_in
from routes import UNSAFE, all_routes, path_of

from layers.storage import accounts
from layers.storage.store import Store
from web import logs


@pytest.fixture
def log() -> io.StringIO:
    """The server's log as it would be written."""
    stream, logger = io.StringIO(), logs.logger()
    before = list(logger.handlers), logger.propagate, logger.level
    logs.open_log(stream)
    yield stream
    logger.handlers[:], logger.propagate, logger.level = before


def test_the_first_administrator_must_change_the_password_before_anything_else(tmp_path, log):
    with Store.create(str(tmp_path / "new.gpkg")) as store:
        fill(store)
        name, word = accounts.ensure_administrator(store)
        assert accounts.ensure_administrator(store) is None
        app = open_office(store)
        one = Person(app)
        answer = one.client.post(
            "/sign-in", data={"name": name, "password": word, "csrf_token": token_in(one.client.get("/sign-in"))}
        )
        assert answer.headers["Location"] == "/password"
        for method, rule in all_routes(app):
            if rule in ("/password", "/sign-in", "/sign-out", "/healthz", "/static/<path:filename>", "/fonts/<file>"):
                continue
            if method == "GET":
                page = one.get(path_of(rule))
                assert page.status_code in (302, 403), rule
                assert page.status_code == 403 or page.headers["Location"] == "/password"
        form = {"old": word, "new": "four-quiet-boats", "again": "four-quiet-boats"}
        form["csrf_token"] = token_in(one.client.get("/password"))
        assert one.client.post("/password", data=form).headers["Location"] == "/"
        assert one.get("/api/v1/accounts").status_code == 200
    assert word not in log.getvalue() and "four-quiet-boats" not in log.getvalue()
    assert len(word) >= 12


def test_one_request_is_one_line_whatever_is_in_it(shared_app, people, log):
    one = people("planner")
    before = len(log.getvalue().splitlines())
    forged = 'x"}\n{"at":"2026-01-01T00:00:00Z","what":"admin signed in"}\r\n\x1b[31m\u202e\u2028'
    one.get("/features/village", query_string={"where": forged, "q": forged})
    one.get("/nowhere/" + "%0a%1b[31m")
    one.client.get("/healthz", headers={"User-Agent": "a\tb", "X-Forwarded-For": "1.1.1.1 {}"})
    Person(shared_app).sign_in(forged, forged)
    lines = log.getvalue().splitlines()[before:]
    assert len(lines) == 5
    for line in lines:
        assert line.isascii() and "\x1b" not in line
        assert json.loads(line)["what"] == "request"
    assert "admin signed in" not in log.getvalue()


def test_the_log_holds_no_filter_no_place_and_no_password(shared_app, people, log):
    one = people("planner")
    one.get("/features/camera?bbox=111.0123456,27.6123456,111.1,27.7")
    one.get("/api/v1/features/camera/12345")
    Person(shared_app).sign_in("planner", "not-my-password")
    assert "/features/<kind>" in log.getvalue()
    for word in ("111.0123", "27.6123", "12345", "not-my-password", "bbox"):
        assert word not in log.getvalue()


def test_a_fault_is_logged_with_its_trace_and_shown_without(app, person, log):
    def broken() -> str:
        raise RuntimeError("secret detail /srv/office.gpkg")

    app.add_url_rule("/healthz/broken", "broken", broken)
    from web.access import ACCESS, PUBLIC

    ACCESS["/healthz/broken"] = PUBLIC
    try:
        for accept in ("application/json", "text/html"):
            answer = app.test_client().get("/healthz/broken", headers={"Accept": accept})
            assert answer.status_code == 500
            body = answer.get_data(as_text=True)
            assert "secret" not in body and "Traceback" not in body and "office.gpkg" not in body
    finally:
        del ACCESS["/healthz/broken"]
    assert "secret detail" in log.getvalue()
    assert logging.getLogger("wangge").handlers


def test_the_server_asks_nobody_for_anything(shared_app, people, monkeypatch):
    asked = []
    connect = socket.socket.connect

    def watch(self, address):
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(("127.", "::1", "localhost")):
            asked.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watch)
    one = people("administrator")
    basemap = {"name": "x", "url": "http://tiles.example.org/{z}/{x}/{y}.png", "attribution": "x", "datum": "wgs84"}
    assert one.send("PUT", "/api/v1/settings", {"values": {"BASEMAPS": [basemap]}}).status_code == 200
    for method, rule in all_routes(shared_app):
        if method == "GET":
            one.get(path_of(rule))
    assert asked == []
    assert "http://tiles.example.org" in one.get("/").headers["Content-Security-Policy"]


def test_names_that_are_scripts_reach_every_page_as_text(tmp_path):
    make_store_file(tmp_path / "hostile.gpkg", name=HOSTILE)
    with Store.open(str(tmp_path / "hostile.gpkg")) as store:
        store.settings.set("web", {"PLACE_NAME": HOSTILE, "UNIT_NAME": HOSTILE})
        app = open_office(store, WORK_FOLDER=str(tmp_path / "work"))
        one = Person(app, "administrator")
        pages = 0
        for method, rule in all_routes(app):
            if method in UNSAFE or rule == "/sign-out":
                continue
            answer = one.get(path_of(rule))
            assert answer.status_code < 500, rule
            if answer.mimetype == "text/html":
                pages += 1
                assert b"<img src=x" not in answer.get_data(), rule
        assert pages >= 8
        found = one.get("/features/village").json["features"][0]["properties"]
        assert found["name"] == HOSTILE
        assert one.get("/api/v1/search?q=onerror").json[0]["name"] == HOSTILE
