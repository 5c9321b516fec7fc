"""Geometry of web map tiles: where a tile lies, which shapes meet it, and their outlines inside it.

Tiles follow the common XYZ scheme on the sphere of web Mercator (EPSG:3857), 256 pixels a side, y counted from the
north. CGCS2000 and WGS 84 differ by less than a millimetre and are not told apart here. Mercator serves drawing only;
nothing is measured in it.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from .errors import InputError
from .words import Text

RADIUS_M = 6378137.0
HALF_M = np.pi * RADIUS_M
MAX_ZOOM = 22
MAX_LATITUDE_DEG = 85.0511287798066
EXTENT = 4096
"""Units along a tile's side."""
BUFFER = 64
"""Units that shapes reach beyond the tile, so that outlines drawn at its edge do not show."""


def require_tile(z: int, x: int, y: int) -> None:
    """Raise `InputError` unless 0 <= z <= 22 and 0 <= x, y < 2**z."""
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise InputError(
            Text(f"没有瓦片 {z}/{x}/{y}。", f"There is no tile {z}/{x}/{y}."),
            where="z/x/y",
            mend=Text("级别 0 到 22，行列号在 0 与 2**z 之间。", "Zoom 0 to 22, column and row from 0 to below 2**z."),
        )


def tile_bounds(z: int, x: int, y: int, *, buffer: int = 0) -> tuple[float, float, float, float]:
    """xmin, ymin, xmax, ymax of a tile in web Mercator metres, widened by `buffer` units of `EXTENT`."""
    side = 2 * HALF_M / 2**z
    more = side * buffer / EXTENT
    west, north = -HALF_M + x * side, HALF_M - y * side
    return west - more, north - side - more, west + side + more, north + more


def tile_degrees(z: int, x: int, y: int, *, buffer: int = BUFFER) -> tuple[float, float, float, float]:
    """west, south, east, north of a tile in degrees, inside the globe."""
    xmin, ymin, xmax, ymax = tile_bounds(z, x, y, buffer=buffer)
    lon, lat = from_mercator(np.array([xmin, xmax]), np.array([ymin, ymax]))
    return max(-180.0, lon[0]), max(-90.0, lat[0]), min(180.0, lon[1]), min(90.0, lat[1])


def to_mercator(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Web Mercator metres of degrees; latitudes beyond the square world are moved to its edge."""
    lat = np.clip(lat, -MAX_LATITUDE_DEG, MAX_LATITUDE_DEG)
    return RADIUS_M * np.radians(lon), RADIUS_M * np.arctanh(np.sin(np.radians(lat)))


def from_mercator(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees of web Mercator metres."""
    return np.degrees(np.asarray(x) / RADIUS_M), np.degrees(np.arctan(np.sinh(np.asarray(y) / RADIUS_M)))


@dataclass(frozen=True, slots=True)
class TileShapes:
    """Shapes of one layer ready to be cut into tiles; `shapes` are in web Mercator metres, null ones are never hit."""

    shapes: np.ndarray
    tree: shapely.STRtree

    @classmethod
    def build(cls, lonlat: np.ndarray) -> "TileShapes":
        """From shapely geometries in degrees."""
        shapes = shapely.transform(lonlat, lambda xy: np.column_stack(to_mercator(xy[:, 0], xy[:, 1])))
        return cls(shapes, shapely.STRtree(shapes))

    def cut(self, z: int, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows that meet a tile, ascending, and their shapes in tile units (y downwards), clipped to tile and buffer.

        A shape that meets the buffer only is left out of no tile that shows it; empty remains are dropped.

        Raises
        ------
        InputError
            When there is no such tile.
        """
        require_tile(z, x, y)
        outer = tile_bounds(z, x, y, buffer=BUFFER)
        rows = np.sort(self.tree.query(shapely.box(*outer)))
        found = self.shapes[rows]
        box = shapely.bounds(found)
        across = (box[:, 0] < outer[0]) | (box[:, 1] < outer[1]) | (box[:, 2] > outer[2]) | (box[:, 3] > outer[3])
        if across.any():
            found = found.copy()
            found[across] = shapely.clip_by_rect(found[across], *outer)
        there = ~shapely.is_empty(found)
        rows, found = rows[there], found[there]
        west, _, east, north = tile_bounds(z, x, y)
        scale = EXTENT / (east - west)
        return rows, shapely.transform(found, lambda xy: (xy - (west, north)) * (scale, -scale))
