"""Areas of a day: derived ones where there are only points, parents where none is recorded, and what is kept."""

import numpy as np
import pytest
import shapely
import squares
from squares import NORTH, SOUTH, V1, V2, V3, V4, V5, V6, at, frame, put, square

from geo import crs
from layers.places.areas import area_set
from layers.storage.kept import Kept, kept
from layers.storage.store import Store

DAY = "2026-01-01"


def area_m2(shapes) -> float:
    """Area in the zone of the county."""
    return float(shapely.area(crs.transform_geometries(np.asarray(shapes, dtype=object), crs.LONLAT, 4546)).sum())


def test_polygons_are_taken_as_they_are(store):
    put(store, "village", squares.villages())
    found = area_set(store, "village", DAY)
    assert found.frame.index.tolist() == sorted(squares.VILLAGES)
    assert not found.frame["derived"].any()
    assert found.frame["problem"].isna().all()
    home = found.home(np.array([111.05, 111.1, 120.0, np.nan]), np.array([30.05, 30.05, 30.0, 30.0]))
    assert [found.frame.index[row] if row >= 0 else None for row in home] == [V1, V1, None, None]


def test_derived_areas_divide_the_county_without_gap_or_overlap(gpkg_store):
    put(gpkg_store, "county", squares.county())
    put(gpkg_store, "village", squares.villages(as_points=True))
    frame_ = area_set(gpkg_store, "village", DAY).frame
    assert frame_["derived"].all()
    assert area_m2(frame_.geometry) == pytest.approx(area_m2([square(0, 0, 3, 2)]), rel=1e-6)
    assert shapely.coverage_is_valid(frame_.geometry.array)


def test_derived_areas_stay_inside_townships_with_real_outlines(gpkg_store):
    put(gpkg_store, "county", squares.county())
    put(gpkg_store, "township", squares.townships())
    points = squares.villages(as_points=True)
    # V2 moves north, almost to the township's border: without townships it would reach into the north.
    points.loc[1, "geometry"] = at(1.5, 0.95)
    put(gpkg_store, "village", points)
    shapes = area_set(gpkg_store, "village", DAY).frame.geometry
    # A long edge that is straight in degrees bends by a few metres against one that is straight in metres.
    south = square(0, 0, 3, 1).buffer(2e-4)
    assert all(south.covers(shapes[code]) for code in (V1, V2, V3))


def test_a_village_point_outside_its_township_makes_the_county_the_frame(gpkg_store):
    put(gpkg_store, "county", squares.county())
    put(gpkg_store, "township", squares.townships())
    points = squares.villages(as_points=True)
    points.loc[1, "geometry"] = at(1.5, 1.2)
    put(gpkg_store, "village", points)
    found = area_set(gpkg_store, "village", DAY)
    assert found.frame.geometry[V2].intersects(at(1.5, 1.2))


def test_points_among_polygons_get_the_land_that_is_left(gpkg_store):
    put(gpkg_store, "county", squares.county())
    mixed = squares.villages()
    mixed.loc[4, "geometry"] = at(1.5, 1.5)
    mixed.loc[5, "geometry"] = at(2.5, 1.5)
    put(gpkg_store, "village", mixed)
    found = area_set(gpkg_store, "village", DAY).frame
    assert found["derived"].to_dict() == {V1: False, V2: False, V3: False, V4: False, V5: True, V6: True}
    assert area_m2(found.geometry[[V5, V6]]) == pytest.approx(area_m2([square(1, 1, 2, 1)]), rel=1e-3)


def test_natural_villages_are_divided_within_the_village_they_belong_to(gpkg_store):
    put(gpkg_store, "village", squares.villages())
    # n3 names no village: its position decides.
    put(
        gpkg_store,
        "natural_village",
        frame([at(0.2, 0.5), at(0.7, 0.5), at(1.5, 0.5)], code=["n1", "n2", "n3"], parent_code=[V1, V1, None]),
    )
    found = area_set(gpkg_store, "natural_village", DAY).frame
    assert found["parent_code"].to_dict() == {"n1": V1, "n2": V1, "n3": V2}
    assert area_m2(found.geometry[["n1", "n2"]]) == pytest.approx(area_m2([square(0, 0)]), rel=1e-6)
    assert area_m2(found.geometry[["n3"]]) == pytest.approx(area_m2([square(1, 0)]), rel=1e-6)


def test_parents_come_from_the_code_when_they_are_not_recorded(gpkg_store):
    put(gpkg_store, "village", squares.villages().drop(columns=["parent_code"]))
    found = area_set(gpkg_store, "village", DAY).frame
    assert found["parent_code"].to_dict() == dict.fromkeys([V1, V2, V3], SOUTH) | dict.fromkeys([V4, V5, V6], NORTH)


def test_parents_come_from_the_position_where_codes_are_free(tmp_path):
    with Store.create(str(tmp_path / "free.gpkg"), codes="free") as store:
        put(store, "township", frame([square(0, 0, 2, 2)], code=["west"], name=["West"]))
        put(store, "village", frame([square(0, 0), square(2, 0)], code=["a", "b"], name=["A", "B"]))
        found = area_set(store, "village", DAY).frame
        assert found["parent_code"].to_dict() == {"a": "west", "b": None}


def test_areas_of_another_day_are_those_that_were_valid(gpkg_store):
    put(gpkg_store, "village", squares.villages().iloc[:2].reset_index(drop=True))
    put(gpkg_store, "village", squares.villages().iloc[2:3].reset_index(drop=True), valid_from="2025-06-01")
    assert len(area_set(gpkg_store, "village", "2025-05-31").frame) == 2
    assert len(area_set(gpkg_store, "village", "2025-06-01").frame) == 3


def test_an_empty_layer_gives_no_homes(gpkg_store):
    found = area_set(gpkg_store, "village", DAY)
    assert len(found.frame) == 0
    assert found.home(np.array([111.0]), np.array([30.0])).tolist() == [-1]


def test_areas_are_kept_until_an_area_layer_changes(gpkg_store):
    put(gpkg_store, "village", squares.villages())
    first = area_set(gpkg_store, "village", DAY)
    put(gpkg_store, "camera", squares.cameras())
    assert area_set(gpkg_store, "village", DAY) is first
    put(gpkg_store, "county", squares.county())
    assert area_set(gpkg_store, "village", DAY) is not first


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago():
    cache = Kept(limit=2_000)
    made = []

    def get(key):
        return cache.get(key, lambda: made.append(key) or key)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert get(key) == key
    assert made == ["a", "b", "c", "b"]
    assert len(cache) == 2


def test_large_entries_push_out_more_than_small_ones():
    cache = Kept(limit=10_000)
    for key in range(5):
        cache.get(key, lambda: None)
    cache.get("large", lambda: np.zeros(9_000))
    assert len(cache) == 2
    cache.get("too large", lambda: np.zeros(90_000))
    assert len(cache) == 1


def test_each_open_store_has_its_own_cache(tmp_path):
    with Store.create(str(tmp_path / "one.gpkg")) as one, Store.create(str(tmp_path / "two.gpkg")) as two:
        assert kept(one) is kept(one)
        assert kept(one) is not kept(two)
