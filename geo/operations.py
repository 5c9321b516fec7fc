"""One drawing operation as it is sent and stored: read from JSON, checked, projected, put on the 1 cm grid.

The JSON is the same for the page, the API, the stored draft and the command line; geometries are GeoJSON in lon/lat:

    {"op": "redraw",   "grid": CODE, "ring": Polygon}          optional "holes": true, "give_to": CODE
    {"op": "push",     "grid": CODE, "line": LineString}       optional "give_to": CODE
    {"op": "corner",   "at": [lon, lat], "to": [lon, lat]}
    {"op": "transfer", "from": CODE, "to": CODE, "piece": Polygon or MultiPolygon}
    {"op": "split",    "grid": CODE, "line": LineString}
    {"op": "merge",    "grids": [CODES], "into": CODE}         "into" may be left out
    {"op": "carve",    "ring": Polygon, "kind": "dedicated", "name": TEXT}
    {"op": "dissolve", "grid": CODE, "into": CODE}             "into" may be left out
    {"op": "recode",   "grid": CODE, "into": CODE}             the land stays, the code ends; "into" may be left out

and with each, optionally, "codes" (codes of the grids that begin, so that a replay repeats them) and
"metres_per_pixel" (how coarse the hand was).
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

OPERATIONS = ("redraw", "push", "corner", "transfer", "split", "merge", "carve", "dissolve", "recode")
MAX_VERTICES = 5_000
MAX_GRIDS = 500
MAX_CODE = 64
MAX_NAME = 200
# A hand is not sure to more than two pixels, and the centre of a line end not to more than a dozen.
_MIN_WIDTH_M, _WIDTH_PIXELS = 0.5, 2.0
_REACH_M, _REACH_PIXELS = 2.0, 12.0
_MAX_METRES_PER_PIXEL = 1_000.0


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation in metres.

    `grids`: the grids it names, in its order (`redraw`, `push`, `split`, `dissolve`, `recode`: one; `transfer`: the giver;
    `merge`: all). `shape`: ring or piece as polygon, line, or for `corner` the line from the corner to its new place.
    `into`: who receives (`transfer`, `dissolve`) or what the merged or recoded grid is called.
    """

    op: str
    grids: tuple[str, ...] = ()
    shape: shapely.Geometry | None = None
    into: str | None = None
    give_to: str | None = None
    holes: bool = False
    kind: str = ""
    name: str = ""
    codes: tuple[str, ...] = ()
    metres_per_pixel: float = 0.0

    @property
    def min_width_m(self) -> float:
        """Changes thinner than this are the wobble of the hand: two pixels, half a metre at least."""
        return max(_MIN_WIDTH_M, _WIDTH_PIXELS * self.metres_per_pixel)

    @property
    def reach_m(self) -> float:
        """How far from a border the end of a line may stop short and still mean the border."""
        return max(_REACH_M, _REACH_PIXELS * self.metres_per_pixel)


def parse(body: Any, crs: Any, *, bounds_lonlat: tuple[float, float, float, float] | None = None) -> Operation:
    """An operation from its JSON.

    Parameters
    ----------
    body
        The decoded JSON object; keys it does not know are ignored.
    crs
        The metric system of the partition.
    bounds_lonlat
        West, south, east, north of the partition in degrees; a drawing outside that would lie inside with its two
        numbers exchanged is refused as `lonlat_swapped`.

    Raises
    ------
    RefusedError
        `malformed`, `self_crossing`, `lonlat_swapped`, `too_many_vertices`, `zero_length`.
    """
    if not isinstance(body, Mapping):
        raise _malformed("操作须是一个 JSON 对象", "An operation must be a JSON object")
    op = body.get("op")
    if op not in OPERATIONS:
        raise _malformed(f"没有“{str(op)[:40]}”这种操作", f"There is no operation '{str(op)[:40]}'")
    draw = _Drawing(crs, bounds_lonlat)
    grids: tuple[str, ...] = ()
    shape: shapely.Geometry | None = None
    into: str | None = None
    if op in ("redraw", "push", "split", "dissolve", "recode"):
        grids = (_code(body, "grid"),)
    if op == "redraw":
        shape = draw.polygon(body.get("ring"), "ring", holes=_flag(body, "holes"))
    elif op in ("push", "split"):
        shape = draw.line(body.get("line"), "line")
    elif op == "corner":
        shape = draw.step(body.get("at"), body.get("to"))
    elif op == "transfer":
        grids, into = (_code(body, "from"),), _code(body, "to")
        shape = draw.polygon(body.get("piece"), "piece", holes=True, many=True)
        if into == grids[0]:
            raise _malformed("划出和划入是同一个网格", "Land cannot go from a grid to itself")
    elif op == "merge":
        grids, into = _codes(body, "grids", at_least=2), _code(body, "into", optional=True)
    elif op == "carve":
        shape = draw.polygon(body.get("ring"), "ring", holes=_flag(body, "holes"))
    elif op in ("dissolve", "recode"):
        into = _code(body, "into", optional=True)
    return Operation(
        op=op,
        grids=grids,
        shape=shape,
        into=into,
        give_to=_code(body, "give_to", optional=True),
        holes=_flag(body, "holes"),
        kind=_text(body, "kind"),
        name=_text(body, "name"),
        codes=_codes(body, "codes", at_least=0) if body.get("codes") is not None else (),
        metres_per_pixel=_metres_per_pixel(body),
    )


def _malformed(zh: str, en: str) -> RefusedError:
    return RefusedError("malformed", what=Text(f"{zh}。", f"{en}."))


def _code(body: Mapping, key: str, *, optional: bool = False) -> Any:
    value = body.get(key)
    if value is None and optional:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_CODE:
        raise _malformed(f"“{key}”须是网格编码", f"'{key}' must be the code of a grid")
    return value


def _codes(body: Mapping, key: str, *, at_least: int) -> tuple[str, ...]:
    value = body.get(key)
    if not isinstance(value, list) or not at_least <= len(value) <= MAX_GRIDS:
        raise _malformed(f"“{key}”须是网格编码的列表", f"'{key}' must be a list of codes of grids")
    found = tuple(_code({key: entry}, key) for entry in value)
    if len(set(found)) != len(found):
        raise _malformed(f"“{key}”里有重复的编码", f"'{key}' names a grid twice")
    return found


def _flag(body: Mapping, key: str) -> bool:
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise _malformed(f"“{key}”须为 true 或 false", f"'{key}' must be true or false")
    return value


def _text(body: Mapping, key: str) -> str:
    value = body.get(key, "")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise _malformed(
            f"“{key}”须是不超过 {MAX_NAME} 字的文字", f"'{key}' must be text of at most {MAX_NAME} letters"
        )
    return value


def _metres_per_pixel(body: Mapping) -> float:
    value = body.get("metres_per_pixel", 0.0)
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_METRES_PER_PIXEL:
        raise _malformed(
            "“metres_per_pixel”须是每像素的米数", "'metres_per_pixel' must be a number of metres, 0 to 1,000"
        )
    return float(value)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Reads the geometries of one operation."""

    crs: Any
    bounds_lonlat: tuple[float, float, float, float] | None

    def line(self, value: Any, key: str) -> shapely.Geometry:
        coordinates = _geometry(value, key, ("LineString",))["coordinates"]
        points = self._metric(_points(coordinates, key), key)
        if len(points) < 2 or (points == points[0]).all():
            raise RefusedError("zero_length", shapely.points(points[0]) if len(points) else None)
        line = shapely.remove_repeated_points(shapely.linestrings(points))
        if not line.is_simple:
            raise RefusedError("self_crossing", _crossing(line))
        return line

    def step(self, at: Any, to: Any) -> shapely.Geometry:
        points = self._metric(np.concatenate([_points([at], "at"), _points([to], "to")]), "to")
        if (points[0] == points[1]).all():
            raise RefusedError("zero_length", shapely.points(points[0]))
        return shapely.linestrings(points)

    def polygon(self, value: Any, key: str, *, holes: bool, many: bool = False) -> shapely.Geometry:
        geometry = _geometry(value, key, ("Polygon", "MultiPolygon") if many else ("Polygon",))
        given = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        if not isinstance(given, list) or not given or not all(isinstance(rings, list) and rings for rings in given):
            raise _malformed(f"“{key}”里没有环", f"'{key}' has no ring")
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
            raise _malformed(f"“{key}”的环没有闭合", f"The ring of '{key}' is not closed")
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
            raise _malformed(f"“{key}”里有不可能的经纬度", f"'{key}' has an impossible longitude or latitude")
        x, y = systems.transform_xy(lon, lat, systems.LONLAT, self.crs)
        if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.abs([x, y]) < 2e7).all()):
            raise _malformed(f"“{key}”离本县太远，无法投影", f"'{key}' is too far away to be projected")
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
        raise _malformed(f"“{key}”须是 GeoJSON 的 {types[0]}", f"'{key}' must be a GeoJSON {types[0]}")
    return value


def _points(coordinates: Any, key: str) -> np.ndarray:
    """(n, 2) longitude and latitude; a third number (height) is left out."""
    if not isinstance(coordinates, list) or not coordinates:
        raise _malformed(f"“{key}”里没有坐标", f"'{key}' has no coordinates")
    if len(coordinates) > MAX_VERTICES:
        raise _too_many()
    for point in coordinates:
        numbers = isinstance(point, list | tuple) and len(point) in (2, 3) and all(map(_is_number, point))
        if not numbers:
            raise _malformed(f"“{key}”里有不是坐标的内容", f"'{key}' holds something that is not a position")
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
