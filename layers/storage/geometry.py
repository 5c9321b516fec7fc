"""Geometry in the store: GeoPackage blobs in SQLite, EWKB in PostGIS, shapely objects outside.

Coordinates are EPSG:4490 lon/lat. Empty shapes are stored as null: "no position" has one spelling.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely
from sqlalchemy.types import UserDefinedType

SRID = 4490

_POINT = np.dtype(
    [
        ("magic", "S2"),
        ("version", "u1"),
        ("flags", "u1"),
        ("srs", "<i4"),
        ("order", "u1"),
        ("type", "<u4"),
        ("x", "<f8"),
        ("y", "<f8"),
    ]
)
_HEAD = np.dtype([("magic", "S2"), ("version", "u1"), ("flags", "u1"), ("srs", "<i4"), ("box", "<f8", 4)])
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)


class Geom(UserDefinedType):
    """Column of shapely geometries (or None)."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """GEOMETRY; PostGIS gets the reference system with it (see `layers.storage.postgis`)."""
        return "GEOMETRY"

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        """Shapely geometry to GeoPackage blob, or EWKB hex on PostgreSQL."""
        if dialect.name == "postgresql":
            return lambda value: None if value is None else to_ewkb_hex(np.array([value]))[0]
        return lambda value: None if value is None else to_blobs(np.array([value]))[0]

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any]:
        """The inverse of `bind_processor`."""
        return lambda value: None if value is None else from_stored([value])[0]


def point_blobs(lon: np.ndarray, lat: np.ndarray) -> list[bytes]:
    """GeoPackage blobs of points, without making shapely objects; coordinates must be finite."""
    records = np.zeros(len(lon), _POINT)
    records["magic"] = b"GP"
    records["flags"] = 1
    records["srs"] = SRID
    records["order"] = 1
    records["type"] = 1
    records["x"] = lon
    records["y"] = lat
    return records.view(f"V{_POINT.itemsize}").tolist()


def to_blobs(geometries: np.ndarray) -> list[bytes | None]:
    """GeoPackage blobs (little endian, envelope on all but points); None for missing and empty geometries."""
    blobs: list[bytes | None] = [None] * len(geometries)
    there = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    points = there & (shapely.get_type_id(geometries) == 0) & ~shapely.has_z(geometries)
    for row, blob in zip(
        np.flatnonzero(points),
        point_blobs(shapely.get_x(geometries[points]), shapely.get_y(geometries[points])),
        strict=True,
    ):
        blobs[row] = blob
    others = np.flatnonzero(there & ~points)
    if len(others):
        shapes = geometries[others]
        heads = np.zeros(len(others), _HEAD)
        heads["magic"] = b"GP"
        heads["flags"] = 3
        heads["srs"] = SRID
        heads["box"] = shapely.bounds(shapes)[:, [0, 2, 1, 3]]
        bodies = shapely.to_wkb(shapes, byte_order=1, flavor="iso")
        for row, head, body in zip(others, heads.view(f"V{_HEAD.itemsize}").tolist(), bodies, strict=True):
            blobs[row] = head + body
    return blobs


def to_ewkb_hex(geometries: np.ndarray) -> list[str | None]:
    """EWKB with EPSG:4490 as hexadecimal text, the input format of PostGIS; None for missing and empty."""
    keep = np.array(geometries, dtype=object)
    keep[shapely.is_empty(keep)] = None
    return list(shapely.to_wkb(shapely.set_srid(keep, SRID), hex=True, byte_order=1, include_srid=True))


def _plain(records: np.ndarray) -> np.ndarray:
    """Which blobs of the length of our points are such points: another program may write the same length otherwise."""
    return (records["flags"] == 1) & (records["order"] == 1) & (records["type"] == 1)


def _body(blob: bytes) -> bytes | None:
    if blob[:2] != b"GP":
        return blob
    if blob[3] & 0x10:
        return None
    return blob[8 + _ENVELOPE_BYTES[(blob[3] >> 1) & 7] :]


def from_stored(values: Sequence[Any]) -> np.ndarray:
    """Shapely geometries of stored values: GeoPackage blobs (of any writer), WKB bytes or EWKB hex; None stays None."""
    if len(values) == 0:
        return np.empty(0, dtype=object)
    if any(isinstance(value, str) for value in values):
        return shapely.set_srid(shapely.from_wkb(np.array(values, dtype=object)), 0)
    if all(value is not None and len(value) == _POINT.itemsize for value in values):
        records = np.frombuffer(b"".join(values), _POINT)
        if _plain(records).all():
            return shapely.points(records["x"], records["y"])
    bodies = np.empty(len(values), dtype=object)
    bodies[:] = [None if value is None else _body(value) for value in values]
    return shapely.from_wkb(bodies)


def from_point_blobs(blobs: Sequence[bytes | None]) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude (float64, NaN when missing) of point blobs; other shapes give their representative point."""
    lengths = np.fromiter((0 if blob is None else len(blob) for blob in blobs), np.int64, len(blobs))
    lon, lat = np.full(len(blobs), np.nan), np.full(len(blobs), np.nan)
    plain = lengths == _POINT.itemsize
    if plain.all():
        packed = blobs
    else:
        packed = [blob for blob, keep in zip(blobs, plain, strict=True) if keep]
    records = np.frombuffer(b"".join(packed), _POINT)  # type: ignore[arg-type]
    lon[plain], lat[plain] = records["x"], records["y"]
    odd = np.zeros(len(blobs), dtype=bool)
    odd[plain] = ~_plain(records)
    odd |= ~plain & (lengths > 0)
    if odd.any():
        rows = np.flatnonzero(odd).tolist()
        shapes = from_stored([blobs[row] for row in rows])
        places = shapely.point_on_surface(shapes)
        lon[rows], lat[rows] = shapely.get_x(places), shapely.get_y(places)
    return lon, lat
