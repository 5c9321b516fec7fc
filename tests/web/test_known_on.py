"""Figures as known on a moment over the API, on the command line, in tables, files and prints."""

import json

import pytest
from command_line import CommandLine, use_chinese
from office import village_code
from redrawn import halves

from layers.prints.view_content import Options, read_content, source_lines
from layers.rights import OWNER
from layers.storage import schema
from layers.storage.known import as_known
from web.early import first_view

SPLIT = "2026-03-08"
OLD = f"{village_code(0)}001"
PARTS = (f"{OLD[:12]}801", f"{OLD[:12]}802")
ASKED = ("coverage?unit=grid&as_of=2026-06-01", "hotspots?unit=grid&as_of=2026-06-01", "table/coverage?unit=grid&as_of=2026-06-01", "table/grid?as_of=2026-06-01", "density?as_of=2026-06-01")  # fmt: skip


@pytest.fixture
def office(office_store, person):
    """The office, what its planner was told before a grid was split, and the moment of that."""
    one = person("planner")
    told = {path: figure(one, path) for path in ASKED}
    known = schema.now()
    halves(office_store, OLD, SPLIT, PARTS)
    return one, told, known


def figure(one, path, known=None):
    answer = one.get(f"/api/v1/{path}" + (f"{'&' if '?' in path else '?'}known_on={known}" if known else ""))
    assert answer.status_code == 200, answer.json
    body = answer.json
    made = body.pop("provenance", {})
    assert made.get("known_on") == body.pop("known_on", made.get("known_on"))
    assert made == {} or made["known_on"] == known
    return json.dumps(body, sort_keys=True)


def test_what_was_told_is_told_again_with_the_moment_and_not_without(office):
    one, told, known = office
    for path in ASKED:
        assert figure(one, path, known) == told[path], path
    assert figure(one, ASKED[0]) != told[ASKED[0]] and figure(one, ASKED[3]) != told[ASKED[3]]
    tags = {
        one.get(f"/api/v1/{ASKED[0]}{more}").headers["ETag"]
        for more in ("", f"&known_on={known}", "&known_on=2026-01-01")
    }
    assert len(tags) == 3


@pytest.mark.parametrize(
    "wrong", ["yesterday", "2026-02-30", "2026-01-01T24:61", "20260101", "9999-01-01", "2026-01-01%00", "1"]
)
def test_what_is_no_moment_is_a_clear_refusal(person, office_store, wrong):
    for path in (
        "coverage",
        "hotspots",
        "density",
        "table/village",
        "export?what=coverage",
        "print?view=coverage",
        "standalone?view=coverage",
    ):
        answer = person("planner").get(f"/api/v1/{path}{'&' if '?' in path else '?'}known_on={wrong}")
        assert answer.status_code == 400 and answer.json["where"] == "known_on", (path, answer.json)
        assert answer.json["mend"]


def test_viewers_may_look_back_at_coverage_but_not_play_with_hotspots(person, office_store):
    known = schema.now()
    assert person("viewer").get(f"/api/v1/coverage?known_on={known}").status_code == 200
    assert person("viewer").get(f"/api/v1/hotspots?unit=village&known_on={known}").status_code == 403


def test_files_of_the_moment_are_the_same_and_say_so(office, office_store):
    one, _, known = office
    shown = f"format=geojson&as_of=2026-06-01&known_on={known}"
    made = one.get(f"/api/v1/export?what=coverage&unit=grid&{shown}")
    codes = {one["properties"]["code"] for one in json.loads(made.get_data())["features"]}
    assert OLD in codes and not codes & set(PARTS)
    assert (
        one.get(f"/api/v1/export?what=coverage&known_on={known[:10]}").headers["Content-Disposition"].count(known[:10])
    )
    page = one.get(f"/api/v1/standalone?view=coverage&unit=grid&as_of=2026-06-01&known_on={known}")
    assert page.status_code == 200 and "所知" in page.get_data(as_text=True)
    assert one.get(f"/api/v1/print?view=hotspots&unit=grid&format=png&known_on={known}").status_code == 200


def test_command_line_looks_back(office, tmp_path, capsys, monkeypatch):
    one, _, known = office
    use_chinese(monkeypatch, tmp_path)
    line = CommandLine(capsys, tmp_path / "office.gpkg")
    now = line.json("coverage", "--unit", "grid", "--rule", "cam_admin", "--as-of", "2026-06-01")
    then = line.json("coverage", "--unit", "grid", "--rule", "cam_admin", "--as-of", "2026-06-01", "--known-on", known)
    asked = one.get(f"/api/v1/coverage?unit=grid&rule=cam_admin&as_of=2026-06-01&known_on={known}").json
    assert then["rows"] == asked["rows"] != now["rows"]
    assert (then["known_on"], now["known_on"]) == (known, None)
    assert line.run("hotspots", "--unit", "grid", "--known-on", known) == 0
    assert "所知" in line.err
    target = tmp_path / "grids.csv"
    assert line.run("export", "grid", str(target), "--known-on", known) == 0
    assert OLD in target.read_text("utf-8") and PARTS[0] not in target.read_text("utf-8")
    assert line.run("coverage", "--known-on", "once") == 2
    assert line.run("coverage", "--known-on", "9999-01-01") != 0


def test_page_asks_for_the_moment_at_once():
    listed = [{"kind": "village", "rows": 3, "geometry": "area", "columns": [{"name": "name"}]}]
    view = first_view("coverage", {"known_on": "2026-01-01"}, listed, [110.0, 30.0, 111.0, 31.0])
    assert "/api/v1/coverage?known_on=2026-01-01" in view.addresses


def test_paper_names_the_moment(office_store):
    then = as_known(office_store, schema.now())
    content = read_content(then, OWNER, "coverage", Options("zh", then.today))
    assert any("所知" in each for each in source_lines(content, "zh")[2:4])
    assert "所知" in content.subtitle.zh
