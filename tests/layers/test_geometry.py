"""Geometry in and out of the store, ours and that of other programs."""

import struct

import numpy as np
import pytest
import shapely

from layers.storage import geometry

SHAPES = [
    shapely.Point(111.123456789012, 22.5),
    shapely.Polygon([(0, 0), (3, 0), (3, 3), (0, 3)], [[(1, 1), (2, 1), (2, 2), (1, 2)]]),
    shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]),
    shapely.LineString([(0, 0), (1, 1), (2, 0)]),
    shapely.MultiPoint([(0, 0), (1, 1)]),
    shapely.Point(1, 2, 3),
    shapely.Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5)]),
    shapely.GeometryCollection([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)]),
]


def test_shapes_come_back_from_blobs_exactly() -> None:
    back = geometry.from_stored(geometry.to_blobs(np.array(SHAPES, dtype=object)))
    assert shapely.to_wkb(back).tolist() == shapely.to_wkb(np.array(SHAPES, dtype=object)).tolist()


def test_shapes_come_back_from_ewkb_exactly() -> None:
    given = np.array([*SHAPES, None, shapely.Point()], dtype=object)
    hexes = geometry.to_ewkb_hex(given)
    assert hexes[-2:] == [None, None]
    assert shapely.get_srid(shapely.from_wkb(hexes[0])) == 4490
    back = geometry.from_stored(hexes)
    assert shapely.to_wkb(back[:-2]).tolist() == shapely.to_wkb(given[:-2]).tolist()


def test_missing_and_empty_are_both_null() -> None:
    given = np.array([None, shapely.Point(), shapely.Polygon(), shapely.Point(1, 2)], dtype=object)
    assert [blob is None for blob in geometry.to_blobs(given)] == [True, True, True, False]
    assert geometry.from_stored([None, geometry.to_blobs(given)[3]])[0] is None
    assert len(geometry.from_stored([])) == 0


def test_header_is_that_of_a_geopackage() -> None:
    point, area = geometry.to_blobs(np.array([shapely.Point(1, 2), shapely.box(1, 2, 3, 4)], dtype=object))
    assert point[:8] == b"GP\x00\x01" + struct.pack("<i", 4490)
    assert area[:8] == b"GP\x00\x03" + struct.pack("<i", 4490)
    assert struct.unpack("<4d", area[8:40]) == (1, 3, 2, 4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("envelope", [0, 1, 2, 3, 4])
def test_blobs_of_other_programs_are_read(order: str, envelope: int) -> None:
    shape = shapely.Point(1.5, 2.5)
    flags = (order == "<") | envelope << 1
    boxes = {0: 0, 1: 4, 2: 6, 3: 6, 4: 8}[envelope]
    head = struct.pack(f"{order}2sBBi{boxes}d", b"GP", 0, flags, 4490, *[1.5] * boxes)
    blob = head + shapely.to_wkb(shape, byte_order=int(order == "<"))
    assert geometry.from_stored([blob])[0].equals(shape)
    lon, lat = geometry.from_point_blobs([blob, None, geometry.to_blobs(np.array([shape], dtype=object))[0]])
    np.testing.assert_array_equal(lon, [1.5, np.nan, 1.5])
    np.testing.assert_array_equal(lat, [2.5, np.nan, 2.5])


def test_an_empty_blob_of_another_program_is_nothing() -> None:
    blob = b"GP\x00\x11" + struct.pack("<i", 4490) + shapely.to_wkb(shapely.Point())
    assert geometry.from_stored([blob])[0] is None
    assert np.isnan(geometry.from_point_blobs([blob])[0][0])


def test_areas_give_a_point_inside() -> None:
    ring = shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(1, 1), (8, 1), (8, 8), (1, 8)]])
    lon, lat = geometry.from_point_blobs(geometry.to_blobs(np.array([ring, shapely.Point(1, 1)], dtype=object)))
    assert ring.covers(shapely.Point(lon[0], lat[0]))
    assert (lon[1], lat[1]) == (1, 1)


def test_points_without_shapes_make_the_same_blobs() -> None:
    lon, lat = np.array([111.1, -7.25, 0.0]), np.array([22.2, 0.0, -0.0])
    assert geometry.point_blobs(lon, lat) == geometry.to_blobs(shapely.points(lon, lat))
