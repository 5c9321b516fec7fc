"""What a page shows a role is all that role can find: camera positions, other roles' answers, hidden columns."""

import gzip
import io
import json
import zipfile

import pytest
from office import frames
from routes import PER_KIND, all_routes, path_of

OUTER = ("viewer", "reporter", "viewer-west", "reporter-west")
# Every option of the figures that could bring a camera or an incident nearer.
EXTRA = (
    "/api/v1/coverage?unit=township",
    "/api/v1/coverage?unit=county&against=2020-01-01",
    "/api/v1/coverage?threshold=1&status=offline",
    "/api/v1/coverage?class=1&older_than=3",
    "/api/v1/coverage?unit=grid",
    "/api/v1/coverage?where=device_id+is+not+null",
    "/api/v1/coverage?where=status='online'",
    "/api/v1/table/coverage?size=500",
    "/api/v1/table/hotspots?size=500",
    "/api/v1/table/coverage?q=点位",
    "/api/v1/hotspots?unit=village",
    "/api/v1/hotspots?unit=cell&cell_m=50",
    "/api/v1/hotspots?category=盗窃",
    "/api/v1/search?q=点位",
    "/api/v1/search?q=99010100132",
    "/api/v1/search?q=W00",
    "/api/v1/density.png",
    "/features/village?where=device_id+is+not+null",
    "/features/village?columns=device_id",
    "/features/camera:?bbox=111,27,112,28",
    "/features/camera_row?bbox=111,27,112,28",
    "/features/reference:camera?bbox=111,27,112,28",
    "/api/v1/table/account",
    "/api/v1/table/reference:account",
    *(f"/api/v1/export?what={what}&format={form}" for what in ("coverage", "hotspots", "village", "camera", "incident")
      for form in ("geojson", "gpkg", "csv", "xlsx", "kml", "shp", "parquet")),
    "/api/v1/standalone?view=coverage",
    "/api/v1/standalone?view=hotspots",
    "/api/v1/print?view=coverage&format=pdf",
    "/?kind=camera&bbox=111,27.6,111.2,27.7",
)  # fmt: skip


def secrets() -> list[bytes]:
    """Every spelling of a camera or an incident that must not come out."""
    found = []
    for kind, key in (("camera", "device_id"), ("incident", "incident_no")):
        frame = frames()[kind]
        found += [value.encode() for value in frame[key]]
        for point in frame.geometry:
            # Five decimals are a metre: cut and rounded.
            for value in (point.x, point.y):
                found += [f"{value:.7f}"[:-2].encode(), f"{value:.5f}".encode()]
    found += [name.encode() for name in frames()["camera"]["name"]]
    return found


def contents(answer) -> list[bytes]:
    """The bytes of an answer, unpacked as far as they are packed."""
    data = answer.get_data()
    if answer.headers.get("Content-Encoding") == "gzip":
        data = gzip.decompress(data)
    found = [data]
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found += [archive.read(name) for name in archive.namelist()]
    found += [str(value).encode() for value in answer.headers.values()]
    return found


@pytest.mark.parametrize("name", OUTER)
def test_no_camera_or_incident_is_in_any_byte_a_viewer_can_get(shared_app, people, name):
    one, hidden, answered = people(name), secrets(), 0
    paths = [path_of(rule) for method, rule in all_routes(shared_app) if method == "GET" and rule != "/sign-out"]
    for rule in PER_KIND:
        for kind in ("camera", "incident", "village", "grid", "township", "county", "facility"):
            paths += [path_of(rule, kind=kind, key=key) for key in ("1", "2", "990101001201")]
    # Each format is made by a process of its own; one role tries them all, the others the two plainest.
    extra = [path for path in EXTRA if name == OUTER[0] or "format=" not in path or path.endswith(("=csv", "=geojson"))]
    for path in [*paths, *extra]:
        answer = one.get(path)
        assert answer.status_code < 500, (path, answer.get_data(as_text=True)[:300])
        answered += answer.status_code == 200
        for part in contents(answer):
            leaks = [word.decode() for word in hidden if word in part]
            assert not leaks, (path, leaks[:3])
    assert answered > 30


def test_the_same_crawl_finds_cameras_where_they_may_be_seen(people):
    # The proof that the crawl above would notice a leak.
    hidden = secrets()
    for path in ("/features/camera?bbox=111,27,112,28&precision=full", "/api/v1/export?what=camera&format=csv"):
        parts = contents(people("planner").get(path))
        assert sum(any(word in part for part in parts) for word in hidden) > 20, path


def test_figures_of_a_viewer_are_those_of_his_export(people):
    one = people("viewer")
    shown = one.get("/api/v1/coverage").json["rows"]
    taken = json.loads(contents(one.get("/api/v1/export?what=coverage&format=geojson"))[0])["features"]
    by_code = {feature["properties"]["code"]: feature["properties"] for feature in taken}
    assert len(shown) == 4
    for row in shown:
        assert by_code[row["code"]]["shortfall"] == row["shortfall"]
        assert by_code[row["code"]]["value"] == row["value"]


def test_the_etag_of_another_role_does_not_open_anything(people):
    for path in (
        "/api/v1/layers",
        "/api/v1/coverage",
        "/api/v1/search?q=门",
        "/features/village",
        "/api/v1/table/village",
    ):
        planner, viewer, west = people("planner").get(path), people("viewer").get(path), people("viewer-west").get(path)
        tags = [answer.headers["ETag"] for answer in (planner, viewer, west)]
        assert len(set(tags)) == 3, path
        for tag in tags[:2]:
            again = people("viewer-west").get(path, headers={"If-None-Match": tag})
            assert again.status_code == 200
            assert again.get_data() == west.get_data()
        assert people("viewer-west").get(path, headers={"If-None-Match": tags[2]}).status_code == 304


def test_data_is_never_kept_by_a_cache_in_between(shared_app, people):
    one = people("administrator")
    for method, rule in all_routes(shared_app):
        if method != "GET" or rule.startswith(("/static", "/fonts")):
            continue
        headers = one.get(path_of(rule)).headers
        control = headers.get("Cache-Control", "")
        assert "no-store" in control or "private" in control, rule
        assert "public" not in control
        assert "Cookie" in headers.get("Vary", ""), rule


def test_settings_and_accounts_show_no_secret(shared_app, people):
    one, store = people("administrator"), shared_app.extensions["wangge_store"]
    key = store.settings.get("signing_key")
    assert len(key) == 64
    for path in ("/api/v1/settings", "/api/v1/accounts", "/api/v1/audit?size=500", "/api/v1/session", "/admin"):
        body = one.get(path).get_data(as_text=True)
        assert key not in body
        assert "$argon2" not in body and "password_hash" not in body
