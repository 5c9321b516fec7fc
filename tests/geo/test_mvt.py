"""The tile encoder against the decoder of mapbox-vector-tile."""

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from geo.errors import InputError
from geo.mvt import encode
from geo.tilegeom import EXTENT, TileShapes, from_mercator, tile_bounds, tile_degrees, to_mercator


def decode(tile: bytes) -> list[dict]:
    return mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})["layer"]["features"] if tile else []


def shapes_of(tile: bytes) -> dict[int, shapely.Geometry]:
    return {feature["id"]: shape(feature["geometry"]) for feature in decode(tile)}


def tile_of(*shapes: shapely.Geometry, **columns: list) -> bytes:
    return encode("layer", np.array(shapes, dtype=object), ids=range(len(shapes)), columns=columns)


def signed_areas(ring: list) -> float:
    xy = np.array(ring)
    following = np.roll(xy, -1, axis=0)
    return float((xy[:, 0] * following[:, 1] - following[:, 0] * xy[:, 1]).sum() / 2)


BOX = shapely.box(0, 0, 100, 100)
RING = shapely.Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(20, 20), (20, 40), (40, 40), (40, 20)]])


@pytest.mark.parametrize(
    "drawn",
    [
        shapely.Point(5, 7),
        shapely.MultiPoint([(5, 7), (9, 1), (2000, 3000)]),
        shapely.LineString([(0, 0), (10, 10), (20, 5)]),
        shapely.MultiLineString([[(0, 0), (10, 10)], [(50, 60), (70, 80), (90, 10)]]),
        BOX,
        RING,
        shapely.MultiPolygon([RING, shapely.box(200, 200, 300, 300)]),
        shapely.box(-64, -64, 4160, 4160),
    ],
    ids=lambda s: s.geom_type,
)
def test_every_type_of_geometry_comes_back(drawn):
    back = shapes_of(tile_of(drawn))[0]
    assert back.equals(drawn)


@pytest.mark.parametrize("turned", [False, True])
def test_exteriors_and_holes_wind_as_the_specification_says_however_they_came(turned):
    given_ = shapely.reverse(RING) if turned else RING
    coordinates = decode(tile_of(given_))[0]["geometry"]["coordinates"]
    # The decoder closes rings and keeps their order; a positive area in y-down coordinates is an exterior.
    assert signed_areas(coordinates[0]) == 10_000
    assert signed_areas(coordinates[1]) == -400


def test_holes_stay_with_their_own_polygon():
    many = [shapely.transform(RING, lambda xy, by=by: xy + by) for by in range(0, 3000, 150)]
    back = shapes_of(tile_of(*many))
    assert [back[row].area for row in range(len(many))] == [9600] * len(many)
    assert all(len(back[row].interiors) == 1 for row in range(len(many)))


def test_a_hole_that_collapses_leaves_the_polygon_whole():
    tiny = shapely.Polygon(BOX.exterior, [[(50, 50), (50.2, 50), (50.2, 50.2)]])
    assert shapes_of(tile_of(tiny))[0].equals(BOX)


def test_an_exterior_that_collapses_takes_its_holes_along():
    flat = shapely.Polygon([(0, 0), (100, 0.1), (100, 0.2), (0, 0.3)], [[(10, 0.1), (10, 0.15), (20, 0.15)]])
    assert set(shapes_of(tile_of(flat, BOX))) == {1}


def test_empty_and_missing_shapes_are_left_out():
    assert tile_of(shapely.Polygon(), None) == b""
    assert set(shapes_of(tile_of(None, BOX, shapely.Point()))) == {1}


def test_lower_dimensions_of_a_collection_are_dropped():
    mixed = shapely.GeometryCollection([shapely.Point(1, 1), BOX, shapely.GeometryCollection([RING])])
    assert shapes_of(tile_of(mixed))[0].area == 10_000 + 9_600


def test_values_keep_their_type():
    columns = {
        "text": ["网格一", "", None],
        "whole": [0, -5, 2**40],
        "real": [0.5, -1e-9, 1.0],
        "flag": [True, False, None],
        "mixed": [1, True, 1.0],
    }
    found = [feature["properties"] for feature in decode(tile_of(BOX, BOX, BOX, **columns))]
    for row, properties in enumerate(found):
        wanted = {name: values[row] for name, values in columns.items() if values[row] is not None}
        assert properties == wanted
        assert {name: type(value) for name, value in properties.items()} == {n: type(v) for n, v in wanted.items()}


def test_large_identifiers_survive():
    tile = encode("layer", np.array([BOX], dtype=object), ids=[2**52 + 1], columns={})
    assert decode(tile)[0]["id"] == 2**52 + 1


coordinate = st.floats(-64, 4160, allow_nan=False)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.tuples(coordinate, coordinate), min_size=4, max_size=12), min_size=1, max_size=6))
def test_area_of_any_polygon_is_that_of_its_rounded_outline(clouds):
    shapes = [shapely.convex_hull(shapely.MultiPoint(cloud)) for cloud in clouds]
    rounded = [shapely.transform(s, np.rint) if s.geom_type == "Polygon" else shapely.Polygon() for s in shapes]
    back = shapes_of(tile_of(*shapes))
    for row, wanted in enumerate(rounded):
        if wanted.area:
            # Rounding may make a thin outline touch itself: compare the areas under the shoelace formula.
            ring = back[row].exterior if back[row].geom_type == "Polygon" else None
            assert ring is not None
            assert abs(signed_areas(list(ring.coords)[:-1])) == pytest.approx(
                abs(signed_areas(list(wanted.exterior.coords)[:-1]))
            )


def honeycomb(count: int) -> np.ndarray:
    points = np.random.default_rng(7).random((count, 2)) * [0.3, 0.3] + [110.0, 29.0]
    cells = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=shapely.box(109.9, 28.9, 110.4, 29.4))
    return np.array(
        shapely.get_parts(shapely.intersection(np.array(shapely.get_parts(cells)), shapely.box(110, 29, 110.3, 29.3)))
    )


def test_cutting_a_mosaic_into_tiles_covers_each_tile_once():
    layer = TileShapes.build(honeycomb(300))
    x, y = 6602, 3400
    rows, cut = layer.cut(13, x, y)
    window = shapely.box(0, 0, EXTENT, EXTENT)
    tile = encode("layer", cut, ids=rows, columns={})
    inside = [s.buffer(0).intersection(window) for s in shapes_of(tile).values()]
    lon, lat = from_mercator(*np.array(tile_bounds(13, x, y)).reshape(2, 2).T)
    assert 110 < lon[0] < lon[1] < 110.3 and 29 < lat[0] < lat[1] < 29.3
    assert sum(s.area for s in inside) == pytest.approx(EXTENT**2, rel=1e-4)


def test_clipping_keeps_holes_that_cross_the_edge():
    lon, lat = from_mercator(*np.array(tile_bounds(12, 3298, 1701)).reshape(2, 2).T)
    middle = shapely.Point(lon[1], (lat[0] + lat[1]) / 2)
    disc = middle.buffer(0.05).difference(middle.buffer(0.02))
    layer = TileShapes.build(np.array([disc], dtype=object))
    rows, cut = layer.cut(12, 3298, 1701)
    back = shapes_of(encode("layer", cut, ids=rows, columns={}))[0]
    whole = shapely.transform(
        disc,
        lambda xy: (
            (
                np.column_stack(to_mercator(xy[:, 0], xy[:, 1]))
                - (tile_bounds(12, 3298, 1701)[0], tile_bounds(12, 3298, 1701)[3])
            )
            * (EXTENT / (tile_bounds(12, 0, 0)[2] - tile_bounds(12, 0, 0)[0]))
            * (1, -1)
        ),
    )
    wanted = whole.intersection(shapely.box(-64, -64, EXTENT + 64, EXTENT + 64))
    assert wanted.area > 1e5
    assert back.buffer(0).symmetric_difference(wanted).area / wanted.area < 2e-3


@given(st.integers(0, 22), st.data())
@settings(max_examples=60)
def test_tiles_of_one_zoom_meet_without_gap(z, data):
    x = data.draw(st.integers(0, 2**z - 1))
    y = data.draw(st.integers(0, 2**z - 1))
    west, south, east, north = tile_bounds(z, x, y)
    assert west < east and south < north
    if x + 1 < 2**z:
        assert tile_bounds(z, x + 1, y)[0] == pytest.approx(east, abs=1e-6)
    degrees = tile_degrees(z, x, y)
    assert -180 <= degrees[0] < degrees[2] <= 180 and -90 <= degrees[1] < degrees[3] <= 90


@pytest.mark.parametrize("tile", [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (0, 0, 1)])
def test_tiles_that_do_not_exist_are_refused(tile):
    layer = TileShapes.build(np.array([shapely.box(0, 0, 1, 1)], dtype=object))
    with pytest.raises(InputError):
        layer.cut(*tile)
