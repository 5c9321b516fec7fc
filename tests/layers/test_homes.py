"""Where rows fall is set by position, follows the areas when they change, and remembers an incident's day."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import squares
from squares import V1, V2, V3, at, frame, put, square

from layers.imports.undoing import undo_change
from layers.kinds import AREA_KINDS
from layers.places import homes
from layers.places.areas import area_set
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage import history, rows

TODAY = "2026-06-01"


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch):
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


def next_day(monkeypatch, days):
    later = date.fromisoformat(TODAY) + timedelta(days=days)
    monkeypatch.setattr(history, "today", lambda: later)


def test_homes_follow_when_the_day_of_a_decision_comes_and_not_before(county, monkeypatch):
    put(county, "grid", grids(square(0, 0, 0.5, 1), square(0.5, 0, 0.5, 1)))
    put(county, "incident", frame([at(0.6, 0.5)], incident_no=["a"], occurred_on=[TODAY]))
    homes.keep_up(county)
    assert homes.keep_up(county) == {}
    before = stored(county, "camera")
    on = (date.fromisoformat(TODAY) + timedelta(days=10)).isoformat()
    old = read_layer(county, "grid", OWNER)
    change = county.open_change("planner", "redraw", kinds=["grid"])
    rows.close_rows(county, change, "grid", old["fid"].to_numpy(), on)
    rows.insert_rows(county, change, "grid", grids(square(0, 0, 0.1, 1), square(0.1, 0, 0.9, 1)), valid_from=on)
    county.finish_change(change, ["grid"], 2)
    assert homes.keep_up(county) == {}
    next_day(monkeypatch, 9)
    assert homes.keep_up(county) == {}
    assert stored(county, "camera").equals(before)
    next_day(monkeypatch, 10)
    assert homes.keep_up(county) == {"camera": 2}  # at 0.2 and 0.5, from the first to the second
    assert stored(county, "incident")["grid_code"].tolist() == [f"{V1}002"]
    assert homes.keep_up(county) == {}
    next_day(monkeypatch, 300)
    assert homes.keep_up(county) == {}


def test_act_whose_homes_were_not_set_is_made_up_for(county):
    homes.keep_up(county)
    put(county, "grid", grids(square(0, 0, 0.5, 1)))  # and the process ends here
    assert homes.keep_up(county) == {"camera": 2}


def test_only_rows_near_the_change_are_read_again(county):
    homes.keep_up(county)
    before = county.versions(AREA_KINDS)
    put(county, "grid", grids(square(0, 0, 0.5, 1), square(0.5, 0, 0.5, 1)))
    near = square(0, 0, 0.4, 1).bounds
    assert homes.follow(county, "planner", before, ["grid"], near) == {"camera": 1}
    assert homes.keep_up(county) == {}
    # Somebody else wrote besides: then all of it is read again.
    put(county, "village", squares.villages().iloc[:0])
    assert homes.follow(county, "planner", before, ["grid"], near) == {"camera": 3}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_periods_give_what_the_areas_of_each_day_give(gpkg_store, seed):
    rng = np.random.default_rng(seed)
    put(gpkg_store, "village", squares.villages())
    days = np.array([np.datetime64("2020-01-01") + int(day) for day in np.sort(rng.choice(900, 8, replace=False))])
    for day in days:
        boxes = [
            square(*rng.uniform(0, 1.5, 2).round(2), *rng.uniform(0.2, 1, 2).round(2))
            for _ in range(int(rng.integers(1, 5)))
        ]
        codes = [f"{V1}{number:03d}" for number in rng.choice(6, len(boxes), replace=False)]
        there = read_layer(gpkg_store, "grid", OWNER, as_of=str(day))
        with gpkg_store.change("planner", "redraw") as change:
            ended = there[there.index.isin(codes) | (rng.random(len(there)) < 0.3)]
            rows.close_rows(gpkg_store, change.id, "grid", ended["fid"].to_numpy(), str(day), within=change)
            rows.insert_in(
                change, "grid", frame(boxes, grid_code=codes, village_code=[V1] * len(boxes)), valid_from=str(day)
            )
    lon, lat = 111 + rng.uniform(-0.02, 0.32, 3000), 30 + rng.uniform(-0.02, 0.32, 3000)
    lon[:200] = np.round(lon[:200], 2)  # many on borders
    on = np.datetime64("2019-12-01") + rng.integers(0, 1000, 3000)
    found = homes.find_homes(gpkg_store, lon, lat, on)["grid_code"]
    for day in np.unique(on)[::37]:
        there = np.flatnonzero(on == day)
        areas = area_set(gpkg_store, "grid", str(day))
        home = areas.home(lon[there], lat[there])
        expected = [areas.frame.index[row] if row >= 0 else None for row in home]
        assert found[there].tolist() == expected, day
    assert pd.notna(found).any() and pd.isna(found).any()
