"""Areas derived from village points: the land fully divided, to the centimetre, and nobody's cell twice."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import specimens
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, Point, Polygon, box

from geo import areas, crs, topology
from geo.errors import CrsError, GeometryError

COUNTY = specimens.COUNTY_LONLAT
ZONE = 4546


def villages(lon, lat, codes=None):
    codes = codes or [f"v{row:03d}" for row in range(len(lon))]
    return gpd.GeoDataFrame(geometry=list(shapely.points(lon, lat)), index=codes, crs=crs.LONLAT)


def metric(shapes):
    """As measured: what the kept lon/lat says on the centimetre grid."""
    return shapely.transform(crs.transform_geometries(shapes, crs.LONLAT, ZONE), lambda xy: np.round(xy, 2))


def exact_area_cm2(shape):
    """Twice the area in whole square centimetres, holes taken off: no rounding anywhere."""
    total = 0
    for part in shapely.get_parts(shape):
        for number, ring in enumerate([part.exterior, *part.interiors]):
            xy = [(round(x * 100), round(y * 100)) for x, y in ring.coords]
            twice = abs(sum(a * d - c * b for (a, b), (c, d) in pairwise(xy)))
            total += -twice if number else twice
    return total


def assert_divides(cells, land):
    """No gap, no overlap, the outline kept."""
    shapes = metric(cells.geometry.dropna().to_numpy())
    outline = metric(crs.snap_centimetre([land], ZONE))[0]
    assert shapely.is_valid(shapes).all()
    assert bool(shapely.coverage_is_valid(shapes))
    together = shapely.coverage_union_all(shapes)
    assert sum(map(exact_area_cm2, shapes)) == exact_area_cm2(together)
    corners = {tuple(xy) for xy in shapely.get_coordinates(outline).tolist()}
    kept = {tuple(xy) for xy in shapely.get_coordinates(together).tolist()}
    assert corners <= kept, "every vertex of the outline stays where it is"
    added = [Point(xy) for xy in kept - corners]
    assert (shapely.distance(outline.boundary, added) < 0.0072).all(), "new ones lie on it, to half a centimetre"
    frame = gpd.GeoDataFrame(geometry=shapes, index=range(len(shapes)), crs=ZONE)
    assert topology.find_overlaps(frame).empty
    assert topology.find_gaps(frame, outline, min_area_m2=1.0).empty


def test_land_is_divided_without_gap_or_overlap():
    lon, lat = specimens.points_inside(COUNTY, 80, seed=1)
    cells = areas.derive_areas(villages(lon, lat), COUNTY)
    assert cells.crs.to_epsg() == 4490 and cells["derived"].all() and (cells["shared_with"] == "").all()
    assert_divides(cells, COUNTY)
    assert all(cell.covers(Point(x, y)) for cell, x, y in zip(cells.geometry, lon, lat, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_any_set_of_points_divides_the_land(seed, count):
    rng = np.random.default_rng(seed)
    lon, lat = specimens.points_inside(COUNTY, count, seed=seed)
    lon, lat = np.r_[lon, lon[: count // 5]], np.r_[lat, lat[: count // 5] + rng.choice([0, 1e-7, 1e-5])]
    assert_divides(areas.derive_areas(villages(lon, lat), COUNTY), COUNTY)


def test_every_place_goes_to_the_nearest_village():
    lon, lat = specimens.points_inside(COUNTY, 40, seed=2)
    cells = areas.derive_areas(villages(lon, lat), COUNTY)
    x, y = crs.transform_xy(lon, lat, crs.LONLAT, ZONE)
    probe_lon, probe_lat = specimens.points_inside(COUNTY.buffer(-0.001), 500, seed=3)
    probe_x, probe_y = crs.transform_xy(probe_lon, probe_lat, crs.LONLAT, ZONE)
    for px, py, at in zip(probe_x, probe_y, shapely.points(probe_lon, probe_lat), strict=True):
        distances = np.hypot(x - px, y - py)
        if np.diff(np.sort(distances)[:2])[0] > 0.1:
            assert cells.geometry.iloc[int(distances.argmin())].covers(at)


def test_villages_at_one_position_share_a_cell_of_the_lowest_code():
    cells = areas.derive_areas(
        villages([110.2, 110.2, 110.4, 110.2], [29.0, 29.0, 29.1, 29.0], ["c", "a", "d", "b"]), COUNTY
    )
    assert cells["derived"].to_dict() == {"c": False, "a": True, "d": True, "b": False}
    assert cells["shared_with"].to_dict() == {"c": "a", "a": "b,c", "d": "", "b": "a"}
    assert cells.geometry["c"] is None and cells.geometry["b"] is None
    assert_divides(cells, COUNTY)


def test_villages_without_position_get_no_area_and_cost_none():
    frame = villages([110.2, 110.4, 110.3], [29.0, 29.1, 29.2])
    frame.loc["none", "geometry"] = None
    frame.loc["empty", "geometry"] = Point()
    cells = areas.derive_areas(frame, COUNTY)
    assert list(cells.index) == list(frame.index)
    assert cells["derived"].tolist() == [True, True, True, False, False]
    assert_divides(cells, COUNTY)


def test_one_village_gets_all_and_none_gets_nothing():
    one = areas.derive_areas(villages([110.2], [29.0]), COUNTY)
    assert metric(one.geometry)[0].equals(metric(crs.snap_centimetre([COUNTY], ZONE))[0])
    none = areas.derive_areas(villages([110.2], [29.0]).iloc[:0], COUNTY)
    assert len(none) == 0 and list(none.columns) == ["derived", "shared_with", "geometry"]


def test_row_order_does_not_matter():
    lon, lat = specimens.points_inside(COUNTY, 30, seed=4)
    frame = villages(lon, lat)
    expected = areas.derive_areas(frame, COUNTY)
    again = areas.derive_areas(frame.iloc[::-1], COUNTY).loc[expected.index]
    assert all(a.equals(b) for a, b in zip(expected.geometry, again.geometry, strict=True))


def test_land_with_a_hole_and_an_island():
    land = COUNTY.difference(box(110.2, 29.0, 110.3, 29.1)).union(box(110.9, 29.0, 111.0, 29.1))
    lon, lat = specimens.points_inside(COUNTY.difference(box(110.19, 28.99, 110.31, 29.11)), 25, seed=5)
    cells = areas.derive_areas(villages(lon, lat), land)
    assert_divides(cells, land)
    assert not any(cell.contains(Point(110.25, 29.05)) for cell in cells.geometry)


def test_parents_keep_their_villages_and_the_borders_between_them_fit():
    townships = specimens.villages_lonlat(5, seed=3)
    lon, lat = specimens.points_inside(COUNTY, 60, seed=6)
    frame = villages(lon, lat)
    home = [next(code for code, shape in townships.geometry.items() if shape.covers(p)) for p in frame.geometry]
    frame["parent_code"] = home
    frame.loc[frame.index[:5], "parent_code"] = None  # found by position
    cells = areas.derive_areas(frame, COUNTY, within=townships)
    snapped = pd.Series(metric(crs.snap_centimetre(townships.geometry, ZONE)), index=townships.index)
    for parent, rows in cells.groupby(pd.Series(home, index=cells.index)):
        together = shapely.coverage_union_all(metric(rows.geometry))
        assert shapely.hausdorff_distance(together.boundary, snapped[parent].boundary) < 0.01
    shapes = metric(cells.geometry)
    assert bool(shapely.coverage_is_valid(shapes))
    assert sum(map(exact_area_cm2, shapes)) == exact_area_cm2(shapely.coverage_union_all(shapes))


def test_metric_points_give_metric_areas():
    lon, lat = specimens.points_inside(COUNTY, 10, seed=8)
    frame = villages(lon, lat)
    land = crs.transform_geometries([COUNTY], crs.LONLAT, ZONE)[0]
    cells = areas.derive_areas(crs.to_metric(frame, ZONE), land)
    assert cells.crs.to_epsg() == ZONE
    assert cells.area.sum() == pytest.approx(land.area, rel=1e-6)
    parents = gpd.GeoSeries([land], index=["p"], crs=ZONE)
    again = areas.derive_areas(crs.to_metric(frame, ZONE), land, within=parents)
    assert all(a.equals(b) for a, b in zip(cells.geometry, again.geometry, strict=True))


def test_shapes_of_the_wrong_kind_are_refused():
    frame = villages([110.2], [29.0])
    for outline in (None, LineString([(110, 29), (111, 29)]), Point(1, 1)):
        with pytest.raises(GeometryError):
            areas.derive_areas(frame, outline)
    with pytest.raises(GeometryError):
        areas.derive_areas(gpd.GeoDataFrame(geometry=[COUNTY], index=["a"], crs=crs.LONLAT), COUNTY)
    with pytest.raises(CrsError):
        areas.derive_areas(frame.to_crs(3857), COUNTY)


@pytest.mark.parametrize("land", [Polygon(), GeometryCollection(), GeometryCollection([Point(110.2, 29.0)])])
def test_no_land_left_gives_no_areas(land):
    cells = areas.derive_areas(villages([110.2, 110.3], [29.0, 29.1]), land)
    assert cells["derived"].tolist() == [False, False] and cells.geometry.isna().all()


def test_what_an_overlay_left_beside_the_land_is_ignored():
    lon, lat = specimens.points_inside(COUNTY, 8, seed=11)
    frame = villages(lon, lat)
    mixed = GeometryCollection([LineString([(109, 28), (110, 28)]), COUNTY, Point(1, 1)])
    cells, expected = areas.derive_areas(frame, mixed), areas.derive_areas(frame, COUNTY)
    assert all(a.equals(b) for a, b in zip(cells.geometry, expected.geometry, strict=True))
