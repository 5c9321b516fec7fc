"""Where rows fall is set by position, follows the areas when they change, and remembers an incident's day."""

import numpy as np
import pandas as pd
import pytest
import squares
from squares import V1, V2, V3, at, frame, put, square

from layers import homes, rows
from layers.frames import read_layer
from layers.rights import OWNER
from layers.undoing import undo_change

TODAY = "2026-06-01"


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch):
    from datetime import date

    from layers import history

    monkeypatch.setattr(history, "today", lambda: date.fromisoformat(TODAY))


@pytest.fixture
def county(store):
    return squares.fill(store)


def grids(*boxes):
    codes = [f"{V1}{number:03d}" for number in range(1, len(boxes) + 1)]
    return frame(list(boxes), grid_code=codes, village_code=[V1] * len(boxes))


def stored(store, kind, **options):
    read = read_layer(store, kind, OWNER, **options)
    return read.set_index("fid")[["village_code", "grid_code"]].sort_index()


def test_cameras_fall_in_the_village_they_stand_in(county):
    assert stored(county, "camera")["village_code"].isna().all()
    changed = homes.refresh(county)
    found = read_layer(county, "camera", OWNER).set_index("device_id")["village_code"]
    expected = [V1, V1, V1, V1, V2, V3, squares.V4, None, None, squares.V6]
    assert found.sort_index().tolist() == expected  # the fourth stands on the border of V1 and V2: lowest code
    assert changed == {"camera": 8}


def test_what_is_right_already_is_not_written_again(county):
    homes.refresh(county)
    before = county.versions()
    assert homes.refresh(county) == {}
    assert county.versions() == before


def test_new_grids_reach_the_rows_and_raise_the_version(county):
    homes.refresh(county)
    before = county.versions(["camera"])["camera"]
    put(county, "grid", grids(square(0, 0, 0.5, 1), square(0.5, 0, 0.5, 1)))
    assert homes.refresh(county) == {"camera": 4}
    codes = read_layer(county, "camera", OWNER).set_index("device_id")["grid_code"].sort_index()
    assert codes.iloc[:5].tolist() == [f"{V1}001", f"{V1}001", f"{V1}002", f"{V1}002", None]
    assert county.versions(["camera"])["camera"] > before


def test_incident_falls_in_the_areas_of_its_own_day(county):
    first, second = square(0, 0, 0.5, 1), square(0.5, 0, 0.5, 1)
    put(county, "grid", grids(first, second), valid_from="2020-01-01")
    old = read_layer(county, "grid", OWNER)
    change = county.open_change("planner", "redraw", kinds=["grid"])
    rows.close_rows(county, change, "grid", old["fid"].to_numpy(), "2026-03-01")
    moved = grids(square(0, 0, 0.7, 1), square(0.7, 0, 0.3, 1))
    rows.insert_rows(county, change, "grid", moved, valid_from="2026-03-01")
    county.finish_change(change, ["grid"], 2)
    put(
        county,
        "incident",
        frame(
            [at(0.6, 0.5)] * 6,
            incident_no=list("abcdef"),
            occurred_on=["2026-02-28", "2026-03-01", None, None, "2019-12-31", None],
            occurred_at=pd.to_datetime([None, None, "2026-02-28 23:59", "2026-03-01 00:00", None, None]),
        ),
    )
    homes.refresh(county)
    found = read_layer(county, "incident", OWNER).set_index("incident_no")
    one, two = f"{V1}001", f"{V1}002"
    assert found["grid_code"].to_dict() == {"a": two, "b": one, "c": two, "d": one, "e": None, "f": one}
    assert set(found["village_code"]) == {V1}


def test_redrawing_today_leaves_past_incidents_where_they_were(county):
    put(county, "grid", grids(square(0, 0, 0.5, 1), square(0.5, 0, 0.5, 1)))
    put(county, "incident", frame([at(0.6, 0.5)], incident_no=["a"], occurred_on=["2026-02-28"]))
    homes.refresh(county)
    before = stored(county, "incident")
    old = read_layer(county, "grid", OWNER)
    change = county.open_change("planner", "redraw", kinds=["grid"])
    rows.close_rows(county, change, "grid", old["fid"].to_numpy(), TODAY)
    rows.insert_rows(county, change, "grid", grids(square(0, 0, 0.7, 1), square(0.7, 0, 0.3, 1)), valid_from=TODAY)
    county.finish_change(change, ["grid"], 2)
    assert "incident" not in homes.refresh(county)
    assert stored(county, "incident").equals(before)
    assert before["grid_code"].tolist() == [f"{V1}002"]


def test_camera_that_comes_into_use_later_has_a_home_already(gpkg_store):
    store = squares.fill(gpkg_store)
    put(store, "camera", frame([at(1.5, 0.5)], device_id=["later"], in_use_on=["2027-01-01"]))
    homes.refresh(store)
    found = read_layer(store, "camera", OWNER, as_of="2027-02-01").set_index("device_id")
    assert found.loc["later", "village_code"] == V2


def test_polygons_fall_where_a_point_of_theirs_lies(county):
    put(county, "facility", frame([square(1.2, 0.2, 0.2, 0.2), at(0.5, 0.5), None], name=["x", "y", "z"]))
    homes.refresh(county, kinds=["facility"])
    found = read_layer(county, "facility", OWNER).set_index("name")["village_code"]
    assert found.to_dict() == {"x": V2, "y": V1, "z": None}


def test_villages_that_are_points_give_homes_by_nearness(gpkg_store):
    put(gpkg_store, "county", squares.county())
    put(gpkg_store, "village", squares.villages(as_points=True))
    put(gpkg_store, "camera", squares.cameras())
    homes.refresh(gpkg_store)
    found = read_layer(gpkg_store, "camera", OWNER).set_index("device_id")["village_code"].sort_index()
    assert found.iloc[[0, 4, 6]].tolist() == [V1, V2, squares.V4]


def test_many_rows_are_set_in_batches_that_are_each_whole(gpkg_store, monkeypatch):
    monkeypatch.setattr(homes, "BATCH", 100)
    store = squares.fill(gpkg_store)
    put(store, "incident", squares.incidents(background=450, planted=0))
    before = store.versions(["incident"])["incident"]
    assert homes.refresh(store, kinds=["incident"]) == {"incident": 450}
    assert store.versions(["incident"])["incident"] == before + 5
    assert read_layer(store, "incident", OWNER)["village_code"].notna().all()


def test_positions_without_place_or_day_have_no_home_or_todays(gpkg_store):
    store = squares.fill(gpkg_store)
    days = np.array(["NaT", "2020-01-01", "NaT"], dtype="datetime64[D]")
    found = homes.find_homes(store, np.array([111.05, 111.15, np.nan]), np.array([30.05, 30.05, 30.0]), days)
    assert found["village_code"].tolist() == [V1, V2, None]
    assert found["grid_code"].tolist() == [None, None, None]
    assert homes.find_homes(store, np.empty(0), np.empty(0))["village_code"].tolist() == []


def test_layer_taken_back_no_longer_homes_anything(gpkg_store):
    store = squares.fill(gpkg_store)
    change = put(store, "grid", grids(square(0, 0, 1, 1)))
    homes.refresh(store)
    assert stored(store, "camera")["grid_code"].notna().sum() == 4
    undo_change(store, change, "planner")
    assert stored(store, "camera")["grid_code"].isna().all()
