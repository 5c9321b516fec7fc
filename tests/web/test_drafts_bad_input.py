"""What comes to the drawing addresses by mistake or malice: a clear answer, nothing half done, the draft still there."""

import json
import math
import shutil

import pytest
from drawn import HOME, NORTH, PUSH, SOUTH, SPLIT, at, line, ring, send
from office import Person, open_office

from layers.storage.store import Store

WELL = {"op": "push", "grid": NORTH, "line": line((0.2, 1.0), (0.3, 0.9), (0.4, 1.0))}
SCRIBBLE = [at(0.2 + 0.5 * i / 10_000, 1.0 + 0.1 * math.sin(i)) for i in range(10_000)]
SWAPPED = [at(0.5, -0.1)[::-1], at(0.5, 1.1)[::-1]]


@pytest.fixture(scope="module")
def planner(office_file, tmp_path_factory):
    """Somebody signed in once; what is refused leaves nothing behind that another test could meet."""
    folder = tmp_path_factory.mktemp("bad_input")
    shutil.copyfile(office_file, folder / "office.gpkg")
    with Store.open(str(folder / "office.gpkg")) as store:
        yield Person(open_office(store, WORK_FOLDER=str(folder / "work")), "planner")


@pytest.fixture
def draft(planner):
    """A draft with one split in it: who draws, its address, its version."""
    made = planner.send("POST", "/api/v1/drafts", {"title": "试划", "parent_code": HOME}).json
    path = f"/api/v1/drafts/{made['id']}"
    assert send(planner, path, 1, SPLIT).json["results"][0]["ok"]
    return planner, path, 2


def require_untouched(one, path, version):
    facts = one.get(path).json
    assert (facts["version"], len(facts["operations"]), facts["state"]) == (version, 1, "draft")


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"op": "push", "grid": NORTH, "line": line((0.2, 1.0), (0.6, 1.2), (0.6, 1.1), (0.2, 1.2), (0.7, 1.0))}, "self_crossing"),
        ({"op": "carve", "ring": ring((0.1, 1.1), (0.5, 1.5), (0.5, 1.1), (0.1, 1.5))}, "self_crossing"),
        ({"op": "push", "grid": NORTH, "line": line((5.0, 5.0), (5.2, 5.2))}, "misses"),
        ({"op": "split", "grid": NORTH, "line": line((0.2, 1.2), (0.4, 1.4))}, "misses"),
        ({"op": "split", "grid": NORTH, "line": {"type": "LineString", "coordinates": [at(0.5, 1.5)] * 2}}, "zero_length"),
        ({"op": "corner", "at": at(0, 1), "to": at(0, 1)}, "zero_length"),
        ({"op": "carve", "ring": {"type": "Polygon", "coordinates": [[at(0.5, 1.5)] * 4]}}, "zero_length"),
        ({"op": "split", "grid": NORTH, "line": {"type": "LineString", "coordinates": SWAPPED}}, "lonlat_swapped"),
        ({"op": "push", "grid": NORTH, "line": {"type": "LineString", "coordinates": SCRIBBLE}}, "too_many_vertices"),
        ({"op": "carve", "ring": {"type": "Polygon", "coordinates": [SCRIBBLE]}}, "too_many_vertices"),
        ({"op": "split", "grid": "nowhere", "line": line((0.5, 0.9), (0.5, 2.1))}, "unknown_grid"),
        ({"op": "split", "grid": SOUTH, "line": line((0.2, -0.1), (0.2, 1.1))}, "ended"),
        ({"op": "merge", "grids": [NORTH, NORTH]}, "malformed"),
        ({"op": "merge", "grids": [NORTH] * 10_000}, "malformed"),
        ({"op": "drop table draft"}, "malformed"),
        ({"op": None}, "malformed"),
        ({}, "malformed"),
        ({"op": "carve", "ring": ring((0.1, 1.1), (0.4, 1.1), (0.4, 1.4)), "codes": [NORTH]}, "malformed"),
        ({"op": "push", "grid": NORTH, "line": {"type": "LineString", "coordinates": [[1e300, 1e300], [0, 0]]}}, "malformed"),
        ({"op": "push", "grid": NORTH, "line": {"type": "GeometryCollection", "geometries": []}}, "malformed"),
        ({"op": "corner", "at": at(0.5, 1.5), "to": at(0.6, 1.6)}, "no_corner"),
    ],
)  # fmt: skip
def test_a_drawing_that_makes_no_sense_is_refused_with_the_reason_and_changes_nothing(draft, operation, reason):
    one, path, version = draft
    for preview in (True, False):
        answer = send(one, path, version, operation, preview=preview)
        assert answer.status_code == 200
        (result,) = answer.json["results"]
        assert (result["ok"], result["reason"]) == (False, reason), result
        assert result["what"] and result["mend"]
        assert answer.json["valid"] and answer.json["area_change_m2"] == 0
    require_untouched(one, path, version)
    (well,) = send(one, path, version, WELL).json["results"]
    assert well["ok"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"version": 2, "operations": [{"op": "split", "grid": NaN}]}', 400),
        (b'{"version": 2, "operations": [{"op": "corner", "at": [1e999, 0]}]}', 400),
        (b'{"version": 2, "operations": [', 400),
        (b'{"version": 2, "operations": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400),
        (b'{"version": 2, "operations": []}', 400),
        (b'{"version": 2, "operations": "split"}', 400),
        (b'{"version": 2, "operations": [5]}', 400),
        (b'{"version": "two", "operations": [{}]}', 400),
        (b'{"operations": [{}]}', 400),
        (b'{"version": 2, "operations": [' + b",".join([b"{}"] * 501) + b"]}", 400),
        (b'{"version": 2, "operations": [{"name": "' + b"x" * 3_000_000 + b'"}]}', 413),
        (b'{"version": 99, "operations": [{}]}', 409),
        (b'{"version": -1, "operations": [{}]}', 400),
        (b'{"version": 2, "operations": [{}], "as": "administrator"}', 400),
    ],
)
def test_a_body_that_is_no_list_of_operations_is_refused_as_a_whole(draft, body, status):
    one, path, version = draft
    answer = one.send("POST", f"{path}/operations", data=body, content_type="application/json")
    assert answer.status_code == status, answer.get_data(as_text=True)[:300]
    assert answer.json["what"]
    require_untouched(one, path, version)


def test_a_name_that_is_a_script_is_kept_as_text(draft):
    one, path, version = draft
    name = "<script>alert(1)</script>'\"--"
    carve = {
        "op": "carve",
        "kind": "dedicated",
        "name": name,
        "ring": ring((0.3, 1.3), (0.6, 1.3), (0.6, 1.6), (0.3, 1.6)),
    }
    (result,) = send(one, path, version, carve).json["results"]
    assert result["ok"]
    answer = one.get(f"{path}/areas")
    found = {each["id"]: each["properties"] for each in answer.json["features"]}
    assert found[result["codes"][0]]["name"] == name
    assert b"</script" not in answer.get_data()


def test_a_drawing_without_token_or_from_another_site_is_refused(draft):
    one, path, version = draft
    body = json.dumps({"version": version, "operations": [PUSH]})
    bare = one.client.post(f"{path}/operations", data=body, content_type="application/json")
    assert bare.status_code == 400
    foreign = one.client.post(
        f"{path}/operations",
        data=body,
        content_type="application/json",
        headers={"X-CSRFToken": one.token, "Sec-Fetch-Site": "cross-site"},
    )
    assert foreign.status_code == 403
    form = one.client.post(f"{path}/operations", data={"version": version}, headers={"X-CSRFToken": one.token})
    assert form.status_code == 415
    require_untouched(one, path, version)
