"""Chinese map datums: GCJ-02 and BD-09 to and from WGS 84, and how to notice that a layer is in one of them.

The formulas are the public approximation of an official transform, good to about a metre: fit for moving a layer
back to where it belongs, not for survey. Outside the box of China the datums do not exist and coordinates come back
unchanged. All functions take and give numpy arrays (or scalars) of degrees; NaN stays NaN.

Notes
-----
Formulas and vectors: wandergis/coordtransform; inverse by fixed-point iteration (four steps: about a micrometre).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

_A = 6378245.0  # Krasovsky 1940, as the transform uses it
_E2 = 0.00669342162296594323
_X_PI = np.pi * 3000.0 / 180.0
_STEPS = 4
_BOX = (73.66, 3.86, 135.05, 53.55)

Lonlat = tuple[np.ndarray, np.ndarray]


def outside_china(lon: Any, lat: Any) -> np.ndarray:
    """Where a position lies outside the box in which GCJ-02 is defined (73.66-135.05 E, 3.86-53.55 N)."""
    west, south, east, north = _BOX
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    return ~((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def wgs84_to_gcj02(lon: Any, lat: Any) -> Lonlat:
    """WGS 84 (or CGCS2000) degrees to GCJ-02; the offset is 24-699 m."""
    return _inside(_gcj02, lon, lat)


def gcj02_to_wgs84(lon: Any, lat: Any) -> Lonlat:
    """GCJ-02 degrees to WGS 84, the inverse of `wgs84_to_gcj02` to about a micrometre."""
    return _inside(lambda x, y: _inverse(_gcj02, x, y, x, y), lon, lat)


def gcj02_to_bd09(lon: Any, lat: Any) -> Lonlat:
    """GCJ-02 degrees to BD-09, the datum of Baidu's maps."""
    return _inside(_bd09, lon, lat)


def bd09_to_gcj02(lon: Any, lat: Any) -> Lonlat:
    """BD-09 degrees to GCJ-02: the mirrored formula (good to 0.2 m) and then the same iteration."""

    def back(x: np.ndarray, y: np.ndarray) -> Lonlat:
        shifted_x, shifted_y = x - 0.0065, y - 0.006
        radius = np.hypot(shifted_x, shifted_y) - 2e-5 * np.sin(shifted_y * _X_PI)
        angle = np.arctan2(shifted_y, shifted_x) - 3e-6 * np.cos(shifted_x * _X_PI)
        return _inverse(_bd09, x, y, radius * np.cos(angle), radius * np.sin(angle))

    return _inside(back, lon, lat)


def bd09_to_wgs84(lon: Any, lat: Any) -> Lonlat:
    """BD-09 degrees to WGS 84."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def wgs84_to_bd09(lon: Any, lat: Any) -> Lonlat:
    """WGS 84 degrees to BD-09."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def _gcj02(lon: np.ndarray, lat: np.ndarray) -> Lonlat:
    x, y = lon - 105.0, lat - 35.0
    shared = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    p = (
        -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
        + 2 / 3 * (shared + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3))
        + 2 / 3 * (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30))
    )  # fmt: skip
    q = (
        300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
        + 2 / 3 * (shared + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3))
        + 2 / 3 * (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30))
    )  # fmt: skip
    phi = np.radians(lat)
    m = 1 - _E2 * np.sin(phi) ** 2
    d_lat = p * 180 * m * np.sqrt(m) / (np.pi * _A * (1 - _E2))
    d_lon = q * 180 * np.sqrt(m) / (np.pi * _A * np.cos(phi))
    return lon + d_lon, lat + d_lat


def _bd09(lon: np.ndarray, lat: np.ndarray) -> Lonlat:
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _X_PI)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _X_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _inverse(
    forward: Callable[[np.ndarray, np.ndarray], Lonlat],
    lon: np.ndarray,
    lat: np.ndarray,
    start_lon: np.ndarray,
    start_lat: np.ndarray,
) -> Lonlat:
    found_lon, found_lat = start_lon, start_lat
    for _ in range(_STEPS):
        image_lon, image_lat = forward(found_lon, found_lat)
        found_lon, found_lat = found_lon + (lon - image_lon), found_lat + (lat - image_lat)
    return found_lon, found_lat


def _inside(convert: Callable[[np.ndarray, np.ndarray], Lonlat], lon: Any, lat: Any) -> Lonlat:
    lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    outside = outside_china(lon, lat)
    # Any place inside the box stands in for those outside, so that no formula sees infinity or a pole.
    new_lon, new_lat = convert(np.where(outside, 105.0, lon), np.where(outside, 35.0, lat))
    return np.where(outside, lon, new_lon), np.where(outside, lat, new_lat)
