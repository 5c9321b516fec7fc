"""The boundaries of a figure over the API, on the command line, in exports, prints and standalone maps."""

import io
import json
import zipfile

import pytest
from command_line import CommandLine, use_chinese
from office import village_code
from redrawn import halves

from layers.prints.view_content import Options, read_content, source_lines
from layers.rights import OWNER
from web.early import first_view
from web.standalone import standalone_html

SPLIT = "2026-03-08"
OLD = f"{village_code(0)}001"
PARTS = (f"{OLD[:12]}801", f"{OLD[:12]}802")
MODES = ("then", "today", "2026-01-01")


@pytest.fixture
def redrawn(office_store):
    """The office: a grid in the west was split on 8 March, between its incidents of that month."""
    halves(office_store, OLD, SPLIT, PARTS)
    return office_store


@pytest.fixture
def line(redrawn, capsys, tmp_path, monkeypatch):
    use_chinese(monkeypatch, tmp_path)
    return CommandLine(capsys, tmp_path / "office.gpkg")


def counted(shape):
    by_code = {row["code"]: row["count"] for row in shape["rows"]}
    return by_code | {row["code"]: row["count"] for row in shape["ended"]}


def test_each_mode_counts_every_incident_once(redrawn, person):
    one = person("planner")
    found = {mode: one.get(f"/api/v1/hotspots?unit=grid&boundaries={mode}").json for mode in MODES}
    for mode, shape in found.items():
        assert shape["boundaries"]["mode"] == ("date" if mode[0].isdigit() else mode)
        assert sum(counted(shape).values()) == shape["summary"]["total"] == 27
    then, today, start = (counted(found[mode]) for mode in MODES)
    assert OLD in then and OLD in start and OLD not in today
    assert then[OLD] + sum(then[part] for part in PARTS) == start[OLD] == sum(today[part] for part in PARTS)
    assert 0 < then[OLD] < start[OLD]
    assert found["then"]["ended"][0]["ended_on"] == SPLIT


def test_page_api_and_command_line_say_the_same(redrawn, person, line):
    one = person("planner")
    for mode in MODES:
        for what, options in (("hotspots", "unit=grid"), ("coverage", "unit=grid&rule=cam_admin")):
            asked = one.get(f"/api/v1/{what}?{options}&boundaries={mode}").json
            rule = ["--rule", "cam_admin"] if what == "coverage" else []
            told = line.json(what, "--unit", "grid", *rule, "--boundaries", mode)
            assert told["rows"] == asked["rows"]
            assert told["boundaries"]["on"] == asked["boundaries"]["on"]
    assert line.run("hotspots", "--unit", "grid", "--boundaries", "then") == 0
    assert OLD in line.out and "按当时边界" in line.err
    assert line.run("coverage", "--unit", "grid", "--boundaries", "2026-01-01") == 0
    assert "按 2026-01-01 的边界" in line.err
    assert line.run("coverage", "--boundaries", "once") == 2


def test_what_names_no_boundaries_is_refused_and_roles_without_incidents_may_not_choose(redrawn, person):
    answer = person("planner").get("/api/v1/coverage?boundaries=sometime")
    assert answer.status_code == 400 and answer.json["where"] == "boundaries"
    assert person("viewer").get("/api/v1/hotspots?unit=village&boundaries=today").status_code == 403
    assert person("viewer").get("/api/v1/coverage?unit=village&boundaries=2026-01-01").status_code == 200


def test_an_export_lists_what_has_ended_and_names_the_mode(redrawn, person):
    answer = person("planner").get("/api/v1/export?what=hotspots&format=csv&unit=grid&boundaries=then")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
        table = archive.read("hotspots.csv").decode("utf-8-sig")
        made = json.loads(archive.read("hotspots.csv.provenance.json"))
    assert any(OLD in row and SPLIT in row for row in table.splitlines())
    assert made["boundaries"]["mode"] == "then"
    assert "按当时边界" in made["notes"][0]["zh"]


@pytest.mark.parametrize(("language", "word"), [("zh", "按 2026-01-01 的边界"), ("en", "boundaries of 2026-01-01")])
def test_prints_and_standalone_maps_name_the_boundaries(redrawn, tmp_path, language, word):
    for view in ("coverage", "hotspots"):
        figures = {"unit": "grid", "boundaries": "2026-01-01"}
        content = read_content(redrawn, OWNER, view, Options(language, "2026-06-01", figures=figures))
        assert word in content.subtitle.to(language)
        assert any(word in text for text in source_lines(content, language))
        assert OLD in set(content.codes) and content.drawn_on == "2026-01-01"
    path = tmp_path / "map.html"
    standalone_html(redrawn, OWNER, "coverage", path, language=language, unit="grid", boundaries="2026-01-01")
    assert word in path.read_text("utf-8")


def test_the_page_asks_early_for_the_areas_of_the_chosen_boundaries():
    entry = {"kind": "village", "rows": 4, "geometry": "area", "columns": [{"name": "name"}]}
    bounds = [111.0, 27.6, 111.2, 27.7]
    for given, expected in (("2026-01-01", "as_of=2026-01-01"), ("then", "as_of=2026-05-01"), ("today", "")):
        asked = {"layers": "village", "as_of": "2026-05-01", "boundaries": given}
        shapes, figures = first_view("coverage", asked, [entry], bounds).addresses
        assert ("as_of=" in shapes) == bool(expected) and expected in shapes
        assert f"boundaries={given}" in figures and "as_of=2026-05-01" in figures


def test_where_there_are_grids_alone_they_are_the_map():
    grid = {"kind": "grid", "rows": 4, "geometry": "area", "columns": [{"name": "name"}]}
    village = grid | {"kind": "village"}
    for listed, expected in (([grid], ["grid"]), ([grid, village], ["county", "township", "village"])):
        view = first_view("redraw", {}, listed, [111.0, 27.6, 111.2, 27.7])
        assert view.config["layers"] == expected
        assert [f"/features/{expected[-1]}?" in address for address in view.addresses] == [True]
