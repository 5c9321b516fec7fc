"""The server as a process: one per store, many slow clients, jobs, basemaps from files, files to take away."""

import contextlib
import http.client
import io
import json
import re
import socket
import threading
import time
import urllib.parse
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import PASSWORD, Person, open_office
from tilefiles import PNG, make_mbtiles

from geo.errors import ConflictError
from layers.storage import jobs
from layers.storage.store import Store
from web import serve


@pytest.fixture
def address(office_store: Store, tmp_path) -> Iterator[tuple[str, int]]:
    """A running server on the small office."""
    from waitress.server import create_server

    app = open_office(office_store, WORK_FOLDER=str(tmp_path / "work"))
    server = create_server(app, host="127.0.0.1", port=0, threads=8, connection_limit=1000, channel_timeout=10)

    def run() -> None:
        # Closing the server takes the socket away from under its loop: that is how the loop ends here.
        with contextlib.suppress(OSError):
            server.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield "127.0.0.1", server.effective_port
    server.close()
    thread.join(5)


def ask(address: tuple[str, int], method: str, path: str, body: str | None = None, headers: dict | None = None):
    connection = http.client.HTTPConnection(*address, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer, data


def test_slow_clients_do_not_keep_others_waiting(address):
    idle = []
    for _ in range(120):
        one = socket.create_connection(address)
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        idle.append(one)
    began = time.perf_counter()
    answer, _ = ask(address, "GET", "/healthz")
    took = time.perf_counter() - began
    for one in idle:
        one.close()
    assert answer.status == 200
    assert took < 2


def test_a_person_signs_in_over_the_wire_and_reads(address):
    answer, page = ask(address, "GET", "/sign-in")
    cookie = answer.getheader("Set-Cookie").split(";")[0]
    token = re.search(rb'csrf_token" value="([^"]+)"', page).group(1).decode()
    form = urllib.parse.urlencode({"name": "viewer", "password": PASSWORD, "csrf_token": token})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    answer, _ = ask(address, "POST", "/sign-in", form, headers)
    assert answer.status == 303
    headers = {"Cookie": answer.getheader("Set-Cookie").split(";")[0], "Accept-Encoding": "gzip"}
    answer, data = ask(address, "GET", "/features/village", headers=headers)
    assert answer.status == 200 and answer.getheader("Content-Encoding") == "gzip" and data[:2] == b"\x1f\x8b"


def test_a_second_server_on_one_store_is_refused(office_store):
    app = open_office(office_store)
    with serve.running(app), Store.open(str(office_store.path)) as again:
        other = open_office(again)
        with pytest.raises(ConflictError), serve.running(other):
            pytest.fail("two servers ran")
    with serve.running(app):
        assert app.config["JOB_WORKER"] is False


def test_open_listening_without_tls_is_warned_about(office_store):
    def said(**settings):
        return [text.en for text in serve.warnings(open_office(office_store, **settings))]

    assert said(HOST="127.0.0.1") == []
    assert "in the clear" in said(HOST="0.0.0.0")[0]
    assert said(HOST="0.0.0.0", TLS=True) == []


def test_the_job_thread_does_queued_work_and_notices_a_dead_child(office_store, tmp_path):
    app = open_office(office_store, JOB_WORKER=True, WORK_FOLDER=str(tmp_path / "work"))
    one = Person(app, "planner")
    with serve.running(app):
        content = io.BytesIO("村编码,户数\n990101001201,333\n".encode())
        upload = one.send(
            "POST", "/api/v1/uploads", data={"file": (content, "a.csv")}, content_type="multipart/form-data"
        ).json
        body = {"upload": upload["upload"], "options": {"kind": "village", "mode": "update"}}
        job = one.send("POST", "/api/v1/imports", body).json["job"]
        deadline = time.monotonic() + 100
        while jobs.read_job(office_store, job)["state"] in ("queued", "running"):
            assert time.monotonic() < deadline
            threading.Event().wait(0.1)
    assert one.get(f"/api/v1/jobs/{job}").json["state"] == "done"


def test_a_basemap_file_is_listed_and_served_and_nothing_beside_it(app, person, tmp_path):
    folder = tmp_path / "maps"
    folder.mkdir()
    make_mbtiles(folder / "影像.mbtiles", {(3, 6, 3): PNG + b"tile"}, format="png", attribution="made up")
    make_mbtiles(tmp_path / "outside.mbtiles", {(0, 0, 0): PNG})
    app.config["BASEMAP_FOLDER"] = str(folder)
    one = person("viewer")
    found = one.get("/basemap/影像/3/6/3")
    assert (found.status_code, found.mimetype, found.get_data()) == (200, "image/png", PNG + b"tile")
    assert one.get("/basemap/影像/3/6/4").status_code == 204
    for path in ("/basemap/outside/0/0/0", "/basemap/..%2foutside/0/0/0", "/basemap/影像.mbtiles/3/6/3"):
        assert one.get(path).status_code == 404
    assert "影像" in one.get("/").get_data(as_text=True)


FORMATS = {
    "geojson": b"{",
    "gpkg": b"SQLite format 3",
    "shp": b"PK",
    "kml": b"<?xml",
    "csv": b"PK",
    "xlsx": b"PK",
    "parquet": b"PAR1",
}


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_is_sent_under_a_name_of_layer_and_day(app, person, form):
    answer = person("planner").get(f"/api/v1/export?what=village&format={form}&as_of=2026-05-01")
    assert answer.status_code == 200 and answer.get_data()[:20].startswith(FORMATS[form])
    named = answer.headers["Content-Disposition"]
    assert "2026-05-01" in named and "filename*=UTF-8''" in named
    assert "village" in named and urllib.parse.quote("村") in named
    work = list(Path(app.config["WORK_FOLDER"]).iterdir())
    assert work == [], "the file stays behind"


def test_an_export_keeps_the_filter_and_the_area(person):
    def codes(name, query):
        body = person(name).get(f"/api/v1/export?what=camera&format=geojson{query}").get_data()
        return [feature["properties"]["village_code"] for feature in json.loads(body)["features"]]

    assert len(codes("planner", "")) == 11
    assert len(codes("planner", "&where=status='offline'")) == 4
    assert {code[:9] for code in codes("planner-west", "")} == {"990101001"}
    shp = person("planner").get("/api/v1/export?what=village&format=shp&encoding=gbk").get_data()
    with zipfile.ZipFile(io.BytesIO(shp)) as archive:
        assert any(name.endswith(".cpg") for name in archive.namelist())


def test_a_csv_comes_with_its_provenance_unless_it_is_asked_for_alone(person):
    one, query = person("planner"), "/api/v1/export?what=coverage&format=csv&encoding=gbk&as_of=2026-05-01"
    answer, alone = one.get(query), one.get(f"{query}&plain=1")
    named = urllib.parse.unquote(answer.headers["Content-Disposition"])
    assert answer.mimetype == "application/zip" and named.endswith("覆盖_2026-05-01_csv.zip")
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
        assert archive.namelist() == ["coverage.csv", "coverage.csv.provenance.json"]
        table, told = archive.read("coverage.csv"), json.loads(archive.read("coverage.csv.provenance.json"))
    assert table == alone.get_data() and "code" in table.decode("gbk").splitlines()[0]
    assert told["as_of"] == "2026-05-01" and told["export"]["format"] == "csv"
    assert alone.headers["Content-Disposition"].endswith("2026-05-01.csv")
    assert one.get(f"{query}&plain=perhaps").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?what=",
        "?what=nothing",
        "?what=village&format=exe",
        "?what=village&encoding=ebcdic",
        "?what=reference:none",
    ],
)
def test_exports_that_make_no_sense_are_refused(person, query):
    answer = person("planner").get(f"/api/v1/export{query}")
    assert answer.status_code in (400, 404) and set(answer.json) == {"code", "what", "where", "mend"}


@pytest.mark.parametrize(("form", "magic"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_print_maps_are_made(person, form, magic):
    answer = person("viewer").get(f"/api/v1/print?view=coverage&format={form}&title=试&paper=A4&landscape=0")
    assert answer.status_code == 200 and answer.get_data()[:4] == magic
    assert person("viewer").get("/api/v1/print?view=coverage&format=svg").status_code == 400


def test_a_map_to_send_by_mail_is_one_file(person):
    answer = person("viewer").get("/api/v1/standalone?view=coverage&title=试")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    assert b"<html" in answer.get_data()[:2000].lower()
