"""Border lines and their joint inspections over the API."""

import pytest
from office import village_code


@pytest.fixture
def planner(person):
    one = person("planner")
    made = one.send("POST", "/api/v1/borders/derive", {"on": "2024-01-01"})
    assert made.status_code == 200 and made.json["boundary_line"] == {"kept": 0, "new": 4, "ended": 0}
    return one


def test_lines_are_derived_and_listed_as_a_layer(planner):
    # One line between the townships, three between the four villages in a row.
    assert planner.send("POST", "/api/v1/borders/derive", {"on": "2024-06-01"}).json["change"] is None
    table = planner.get("/api/v1/table/boundary_line?lang=en").json
    assert sorted(row["number"] for row in table["rows"]) == ["0001", "0002", "0003", "0004"]
    shapes = planner.get("/features/boundary_line?bbox=110,27,112,28").json["features"]
    assert {shape["geometry"]["type"] for shape in shapes} == {"LineString"}
    early = planner.send("POST", "/api/v1/borders/derive", {"on": "2023-01-01"})
    assert early.status_code == 400 and "2024-01-01" in early.json["mend"]


def test_inspections_of_a_year(planner, person):
    body = {
        "line_number": "0002",
        "inspected_on": "2025-04-02",
        "units": "石门村、桥门村",
        "state": "sound",
        "photo": "2-1.jpg",
    }
    made = planner.send("POST", "/api/v1/borders/inspections", body)
    assert made.status_code == 201 and made.json["line_number"] == "0002"
    listed = planner.get("/api/v1/borders/inspections?year=2025&lang=en").json
    row = next(line for line in listed["lines"] if line["number"] == "0002")
    assert row["done_on"] == "2025-04-02" and row["state_label"] == "sound"
    assert row["areas"] == ["石门村", "桥门村"] and row["area_codes"] == [village_code(0), village_code(1)]
    assert listed["done"] == 1 and listed["period_years"] == 5 and "353" in listed["source"]
    due = planner.get("/api/v1/borders/inspections?year=2030").json
    assert {line["number"]: line["reason"] for line in due["lines"]}["0002"] == "period"
    assert person("viewer").get("/api/v1/borders/inspections?year=2025").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"line_number": "0099"},
        {"inspected_on": "2999-01-01"},
        {"inspected_on": None},
        {"state": "splendid"},
        {"photo": "a/b.jpg"},
        {"note": "电话 13800138000"},
        {"extra": 1},
    ],
)
def test_what_cannot_be_kept_is_refused(planner, wrong):
    good = {"line_number": "0001", "inspected_on": "2025-04-02"}
    answer = planner.send("POST", "/api/v1/borders/inspections", {**good, **wrong})
    assert answer.status_code in (400, 404, 422)
    assert planner.get("/api/v1/borders/inspections?year=2025").json["done"] == 0


def test_rights(planner, person):
    body = {"line_number": "0001", "inspected_on": "2025-04-02"}
    for role in ("viewer", "reporter", "dispatcher"):
        assert person(role).send("POST", "/api/v1/borders/inspections", body).status_code == 403
        assert person(role).send("POST", "/api/v1/borders/derive", {}).status_code == 403
    assert person("grid_manager").send("POST", "/api/v1/borders/inspections", body).status_code == 201
    assert person("planner").get("/api/v1/borders/inspections?year=1").status_code == 400
