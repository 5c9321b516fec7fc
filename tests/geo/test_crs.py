"""Zones, measuring, and the centimetre grid that lets areas fit together."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
import specimens
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely import MultiPolygon, Point, Polygon, box

from geo import crs
from geo.errors import CrsError


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (116.404, 39.915, 4548),  # 3 * floor(117.904 / 3) = 117 -> 4534 + 14
        (75.0, 39.0, 4534),
        (135.0, 48.0, 4554),
        (73.2, 39.0, 4534),  # west of the first belt: still the first zone
        (136.0, 48.0, 4554),
        (112.4999, 30.0, 4546),
        (112.5, 30.0, 4547),
        (-73.95, 40.65, 32618),
        (151.2, -33.9, 32756),
        (115.0, -8.0, 32750),
        (180.0, 10.0, 32601),
        (-180.0, 10.0, 32601),
    ],
)
def test_zone_of_a_place(lon, lat, epsg):
    assert crs.zone_epsg(lon, lat) == epsg


def test_every_zone_has_the_meridian_it_should_have():
    for meridian in range(75, 138, 3):
        found = CRS.from_epsg(crs.zone_epsg(meridian, 35))
        assert f"CM {meridian}E" in found.name


def test_place_without_coordinates_has_no_zone():
    with pytest.raises(CrsError):
        crs.zone_epsg(float("nan"), 30)


def test_worked_example_of_easting_and_northing():
    x, y = crs.transform_xy(116.404, 39.915, "EPSG:4490", "EPSG:4548")
    assert (round(float(x), 3), round(float(y), 3)) == (449042.047, 4420261.220)
    prefixed, _ = crs.transform_xy(116.404, 39.915, crs.LONLAT, 4527)
    assert round(float(prefixed), 3) == 39449042.047


def test_the_two_lonlat_systems_are_one():
    x, y = crs.transform_xy([116.4], [39.9], "EPSG:4326", "EPSG:4490")
    assert x.tolist() == [116.4] and y.tolist() == [39.9]
    frame = gpd.GeoDataFrame(geometry=[Point(116.4, 39.9)], crs=4326)
    kept = crs.to_lonlat(frame)
    assert kept.crs.to_epsg() == 4490 and kept.geometry.iloc[0].equals(Point(116.4, 39.9))
    assert frame.crs.to_epsg() == 4326, "the input stays unchanged"
    assert crs.is_lonlat("OGC:CRS84") and not crs.is_lonlat(4548)


def test_area_measured_in_the_zone_is_true_to_a_per_mille():
    # One square kilometre drawn with geodesic lengths around 111 E 29 N: 1 deg lat = 110852 m, 1 deg lon = 97440 m.
    half_lon, half_lat = 500 / 97_440, 500 / 110_852
    square = box(111 - half_lon, 29 - half_lat, 111 + half_lon, 29 + half_lat)
    frame = crs.to_metric(gpd.GeoDataFrame(geometry=[square], crs=crs.LONLAT))
    assert frame.crs.to_epsg() == 4546
    assert frame.area.iloc[0] == pytest.approx(1e6, rel=1e-3)


def test_layer_wider_than_a_zone_gets_an_equal_area_system():
    wide = gpd.GeoDataFrame(geometry=[box(100, 25, 101, 26), box(119, 25, 120, 26)], crs=crs.LONLAT)
    areas = crs.to_metric(wide).area
    assert areas.iloc[0] == pytest.approx(areas.iloc[1], rel=1e-6)
    crs.require_metric(crs.to_metric(wide), "test")
    astride = crs.metric_crs((0, -20, 40, 20))
    assert astride.is_projected


def test_empty_layer_becomes_metric_without_a_place():
    frame = crs.to_metric(gpd.GeoDataFrame(geometry=[], crs=crs.LONLAT))
    crs.require_metric(frame, "test")
    assert len(frame) == 0


@pytest.mark.parametrize("epsg", [None, 4490, 4326, 3857, 2263])
def test_measuring_outside_a_metric_system_is_refused(epsg):
    frame = gpd.GeoDataFrame(geometry=[Point(0, 0)], crs=epsg)
    with pytest.raises(CrsError) as caught:
        crs.require_metric(frame, "cameras_per_village")
    assert caught.value.where == "cameras_per_village" and caught.value.mend.zh


def test_layer_without_a_system_is_refused():
    with pytest.raises(CrsError):
        crs.to_lonlat(gpd.GeoDataFrame(geometry=[Point(0, 0)]))


def test_unknown_system_is_named_in_the_refusal():
    with pytest.raises(CrsError, match="EPSG:99999999"):
        crs.transform_xy(0, 0, "EPSG:99999999", crs.LONLAT)


def test_null_and_empty_shapes_pass_through():
    out = crs.transform_geometries([None, Polygon(), Point(111, 29)], crs.LONLAT, 4546)
    assert out[0] is None and out[1].is_empty and out[2].x == pytest.approx(500_000)
    snapped = crs.snap_centimetre([None, Polygon(), Point(111, 29)], 4546)
    assert snapped[0] is None and snapped[1].is_empty


def test_heights_are_dropped():
    assert not crs.transform_geometries([Point(111, 29, 7)], crs.LONLAT, 4546)[0].has_z


def in_centimetres(shape, epsg=4546):
    return np.round(shapely.get_coordinates(crs.transform_geometries([shape], crs.LONLAT, epsg)) * 100, 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 5_000), st.integers(2, 40))
def test_snapping_keeps_the_land_divided_and_is_done_once(seed, count):
    shapes = specimens.voronoi(count, seed=seed, outline=specimens.COUNTY_LONLAT)
    snapped = crs.snap_centimetre(shapes, 4546)
    assert shapely.is_valid(snapped).all()
    metric = shapely.transform(crs.transform_geometries(snapped, crs.LONLAT, 4546), lambda xy: np.round(xy, 2))
    for before, after in zip(snapped, metric, strict=True):
        centimetres = in_centimetres(before)
        assert (centimetres == np.round(centimetres)).all()
        assert after.is_valid
    again = crs.snap_centimetre(snapped, 4546)
    assert all(a.equals_exact(b, 0) for a, b in zip(snapped, again, strict=True))
    if bool(shapely.coverage_is_valid(crs.transform_geometries(shapes, crs.LONLAT, 4546))):
        assert bool(shapely.coverage_is_valid(metric))


def test_eight_decimals_return_to_the_same_centimetre():
    lon, lat = specimens.points_inside(specimens.COUNTY_LONLAT, 2_000, seed=3)
    snapped = crs.snap_centimetre(shapely.points(lon, lat), 4546)
    stored = np.round(shapely.get_coordinates(snapped), 8)
    x, y = crs.transform_xy(stored[:, 0], stored[:, 1], crs.LONLAT, 4546)
    exact_x, exact_y = crs.transform_xy(*shapely.get_coordinates(snapped).T, crs.LONLAT, 4546)
    assert (np.round(x, 2) == np.round(exact_x, 2)).all() and (np.round(y, 2) == np.round(exact_y, 2)).all()


def test_polygon_spoilt_by_rounding_is_rebuilt_valid():
    # A neck 3 mm wide closes up when rounded.
    metric = Polygon([(0, 0), (10, 0), (10, 10), (5.003, 10), (5.003, 2), (5.0, 2), (5.0, 10), (0, 10)])
    moved = shapely.transform(metric, lambda xy: xy + np.array([500_000, 3_200_000]))
    lonlat = crs.transform_geometries([moved], 4546, crs.LONLAT)
    snapped = crs.snap_centimetre(lonlat, 4546)
    assert snapped[0].is_valid and not snapped[0].is_empty
    assert crs.transform_geometries(snapped, crs.LONLAT, 4546)[0].area == pytest.approx(metric.area, abs=0.05)


def test_sliver_thinner_than_the_grid_vanishes():
    sliver = shapely.transform(specimens.SLIVER, lambda xy: xy + np.array([500_000, 3_200_000]))
    snapped = crs.snap_centimetre(crs.transform_geometries([sliver], 4546, crs.LONLAT), 4546)
    assert snapped[0].is_empty


def test_parts_and_holes_survive_snapping():
    shapes = [specimens.RING, specimens.TWO_PARTS, specimens.ISLAND_IN_HOLE]
    lonlat = crs.transform_geometries(
        [shapely.transform(s, lambda xy: xy * 100 + [500_000, 3_200_000]) for s in shapes], 4546, crs.LONLAT
    )
    snapped = crs.snap_centimetre(lonlat, 4546)
    assert len(snapped[0].interiors) == 1
    assert isinstance(snapped[1], MultiPolygon) and len(snapped[1].geoms) == 2
    assert isinstance(snapped[2], MultiPolygon) and len(snapped[2].geoms) == 2
