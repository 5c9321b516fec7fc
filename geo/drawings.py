"""A drawing as it is sent: GeoJSON in lon/lat, checked, projected, put on the 1 cm grid.

Modelling decision: a drawing is taken as it is or refused. Unclosed rings, crossings and swapped coordinates are told,
with the place where there is one, and never mended.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from . import crs as systems
from .refusals import RefusedError
from .words import Text

MAX_VERTICES = 5_000


def malformed(zh: str, en: str) -> RefusedError:
    """Something that is not what it should be; the sentences come without their full stop."""
    return RefusedError("malformed", what=Text(f"{zh}。", f"{en}."))


@dataclass(frozen=True, slots=True)
class Drawing:
    """Reads the geometries of one operation.

    `crs`: the metric system to draw in; `bounds_lonlat`: west, south, east, north of the land in degrees, or None. Every
    method raises `RefusedError`; `key` is what the geometry is called in the JSON.
    """

    crs: Any
    bounds_lonlat: tuple[float, float, float, float] | None

    def line(self, value: Any, key: str) -> shapely.Geometry:
        """A LineString that does not cross itself, in metres."""
        coordinates = _geometry(value, key, ("LineString",))["coordinates"]
        points = self._metric(_points(coordinates, key), key)
        if len(points) < 2 or (points == points[0]).all():
            raise RefusedError("zero_length", shapely.points(points[0]) if len(points) else None)
        line = shapely.remove_repeated_points(shapely.linestrings(points))
        if not line.is_simple:
            raise RefusedError("self_crossing", _crossing(line))
        return line

    def step(self, at: Any, to: Any) -> shapely.Geometry:
        """The line from one position to another, in metres."""
        points = self._metric(np.concatenate([_points([at], "at"), _points([to], "to")]), "to")
        if (points[0] == points[1]).all():
            raise RefusedError("zero_length", shapely.points(points[0]))
        return shapely.linestrings(points)

    def polygon(self, value: Any, key: str, *, holes: bool, many: bool = False) -> shapely.Geometry:
        """A valid polygon in metres, with `holes` where allowed, several where `many`."""
        geometry = _geometry(value, key, ("Polygon", "MultiPolygon") if many else ("Polygon",))
        given = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        if not isinstance(given, list) or not given or not all(isinstance(rings, list) and rings for rings in given):
            raise malformed(f"“{key}”里没有环", f"'{key}' has no ring")
        if not holes and any(len(rings) > 1 for rings in given):
            raise RefusedError(
                "malformed",
                what=Text(f"“{key}”里有洞。", f"'{key}' has holes."),
                mend=Text("要连洞一起重画，请写明 holes 为 true。", "To draw the holes as well, say so: holes true."),
            )
        if sum(len(ring) for rings in given for ring in rings if isinstance(ring, list)) > MAX_VERTICES:
            raise _too_many()
        parts = []
        for coordinates in given:
            rings = [shapely.linearrings(self._ring(ring, key)) for ring in coordinates]
            parts.append(shapely.polygons(rings[0], rings[1:] or None))
        shape = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
        if not shape.is_valid:
            raise RefusedError("self_crossing", _invalid_at(shape))
        return shape

    def _ring(self, coordinates: Any, key: str) -> np.ndarray:
        degrees = _points(coordinates, key)
        if len(degrees) < 4 or (degrees[0] != degrees[-1]).any():
            raise malformed(f"“{key}”的环没有闭合", f"The ring of '{key}' is not closed")
        points = self._metric(degrees, key)
        points = points[np.r_[True, (points[1:] != points[:-1]).any(axis=1)]]
        # The area would not do: that of a figure of eight can be nothing too.
        if len(points) < 4 or shapely.convex_hull(shapely.multipoints(points)).area == 0:
            raise RefusedError("zero_length", shapely.points(points[0]))
        return points

    def _metric(self, degrees: np.ndarray, key: str) -> np.ndarray:
        lon, lat = degrees.T
        possible = bool((np.abs(lon) <= 180).all() and (np.abs(lat) <= 90).all())
        if not possible or not self._meets(lon, lat):
            turned = bool((np.abs(lat) <= 180).all() and (np.abs(lon) <= 90).all())
            if turned and (self._meets(lat, lon) if self.bounds_lonlat else not possible):
                raise RefusedError("lonlat_swapped")
        if not possible:
            raise malformed(f"“{key}”里有不可能的经纬度", f"'{key}' has an impossible longitude or latitude")
        x, y = systems.transform_xy(lon, lat, systems.LONLAT, self.crs)
        if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.abs([x, y]) < 2e7).all()):
            raise malformed(f"“{key}”离本县太远，无法投影", f"'{key}' is too far away to be projected")
        return np.round(np.column_stack([x, y]), 2)

    def _meets(self, lon: np.ndarray, lat: np.ndarray) -> bool:
        if self.bounds_lonlat is None:
            return True
        west, south, east, north = self.bounds_lonlat
        return bool(lon.min() <= east and lon.max() >= west and lat.min() <= north and lat.max() >= south)


def _geometry(value: Any, key: str, types: tuple[str, ...]) -> Mapping:
    if isinstance(value, Mapping) and value.get("type") == "Feature":
        value = value.get("geometry")
    if not isinstance(value, Mapping) or value.get("type") not in types or "coordinates" not in value:
        raise malformed(f"“{key}”须是 GeoJSON 的 {types[0]}", f"'{key}' must be a GeoJSON {types[0]}")
    return value


def _points(coordinates: Any, key: str) -> np.ndarray:
    """(n, 2) longitude and latitude; a third number (height) is left out."""
    if not isinstance(coordinates, list) or not coordinates:
        raise malformed(f"“{key}”里没有坐标", f"'{key}' has no coordinates")
    if len(coordinates) > MAX_VERTICES:
        raise _too_many()
    for point in coordinates:
        numbers = isinstance(point, list | tuple) and len(point) in (2, 3) and all(map(_is_number, point))
        if not numbers:
            raise malformed(f"“{key}”里有不是坐标的内容", f"'{key}' holds something that is not a position")
    return np.array([point[:2] for point in coordinates], dtype=float)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _too_many() -> RefusedError:
    return RefusedError(
        "too_many_vertices",
        what=Text(f"画的点超过 {MAX_VERTICES} 个。", f"The drawing has more than {MAX_VERTICES:,} points."),
    )


def _crossing(line: shapely.Geometry) -> shapely.Geometry:
    """A point where the line crosses itself."""
    ends = shapely.get_coordinates(line)
    seen = {tuple(xy) for xy in ends.tolist()}
    noded = shapely.get_coordinates(shapely.node(line))
    fresh = [xy for xy in noded.tolist() if tuple(xy) not in seen]
    if fresh:
        return shapely.points(fresh[0])
    values, count = np.unique(ends, axis=0, return_counts=True)
    return shapely.points(values[count.argmax()])


def _invalid_at(shape: shapely.Geometry) -> shapely.Geometry:
    """The place that makes a polygon invalid, from the words of GEOS: "Self-intersection[x y]"."""
    said = shapely.is_valid_reason(shape)
    try:
        x, y = said[said.index("[") + 1 : said.index("]")].split()
        return shapely.points(float(x), float(y))
    except ValueError:
        return shapely.boundary(shape)
