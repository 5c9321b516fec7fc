"""Chinese map datums: GCJ-02 and BD-09 to and from WGS 84, and how to notice that a layer is in one of them.

Modelling decisions: a suspicion needs positive evidence that a conversion mends what is wrong (positions outside the
county that it brings in, borders or known positions that it brings together), and enough of it that chance is an
unlikely cause. Silence is no proof: positions deep inside a county look right in every datum. The tool suspects and
shows why; the person decides.

The formulas are the public approximation of an official transform, good to about a metre: fit for moving a layer
back to where it belongs, not for survey. Outside the box of China the datums do not exist and coordinates come back
unchanged. All functions take and give numpy arrays (or scalars) of degrees; NaN stays NaN.

Notes
-----
Formulas and vectors: wandergis/coordtransform; inverse by fixed-point iteration (four steps: about a micrometre).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy import special

from .lookup import Lookup
from .words import Text

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


@dataclass(frozen=True, slots=True)
class DatumSuspicion:
    """A layer that seems to be in another datum than it says.

    `side` says which of the two compared is off: "layer" (what is being looked at) or "outline" (what it was compared
    with, so the layer already kept). `before` and `after` are the figure named in `evidence` without and with the
    conversion (a share 0-1 or metres); `offset_m` is the mean distance by which the conversion moves the layer.
    """

    datum: str  # "gcj02" or "bd09"
    side: str
    before: float
    after: float
    offset_m: float
    evidence: Text


_NAMES = {"gcj02": "GCJ-02", "bd09": "BD-09"}
_Convert = Callable[[Any, Any], Lonlat]
_CASES: tuple[tuple[str, str, _Convert], ...] = (
    ("gcj02", "layer", gcj02_to_wgs84),
    ("bd09", "layer", bd09_to_wgs84),
    ("gcj02", "outline", wgs84_to_gcj02),
)


def suspect_datum(points_lon: Any, points_lat: Any, outline: Any) -> DatumSuspicion | None:
    """Whether points lie inside `outline` (lon/lat polygon) only after a conversion.

    Speaks up when at least six distinct positions come in, hardly any go out, three quarters of those outside are
    explained, and a coin would not do as well (sign test, p <= 0.02). `before` and `after` are shares inside.
    """
    if outline is None or outline.is_empty:
        return None
    lon, lat = _distinct(points_lon, points_lat)
    shapely.prepare(outline)
    return _more_inside(lon, lat, lambda x, y: shapely.intersects_xy(outline, x, y), Text("县界", "the county outline"))


def suspect_homes(lon: Any, lat: Any, claimed: Any, areas: Lookup) -> DatumSuspicion | None:
    """Whether points lie in the areas they claim to belong to (`claimed` codes) only after a conversion.

    `areas` are in lon/lat; rows whose claimed code is not among them give no evidence. `before` and `after` are
    shares of points in their claimed area.
    """
    known = {code: row for row, code in enumerate(areas.codes)}
    row = np.array([known.get(code, -1) for code in claimed], dtype=np.int64)
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    usable = (row >= 0) & np.isfinite(lon) & np.isfinite(lat)
    row = row[usable]
    inside = lambda x, y: areas.home(x, y) == row  # noqa: E731
    return _more_inside(lon[usable], lat[usable], inside, Text("所填的所属区域", "the area they name"))


def suspect_offset(lon: Any, lat: Any, known_lon: Any, known_lat: Any) -> DatumSuspicion | None:
    """Whether positions fit known positions of the same things, row by row, only after a conversion.

    Speaks up when at least three pairs exist, four of five come closer, and the median distance falls below a
    quarter (from 20 m or more). `before` and `after` are median distances in metres.
    """
    lon, lat, known_lon, known_lat = (np.asarray(v, dtype=float) for v in (lon, lat, known_lon, known_lat))
    usable = np.isfinite(lon) & np.isfinite(lat) & np.isfinite(known_lon) & np.isfinite(known_lat)
    lon, lat, known_lon, known_lat = lon[usable], lat[usable], known_lon[usable], known_lat[usable]
    if len(lon) < 3:
        return None
    apart = distance_m(lon, lat, known_lon, known_lat)
    found = []
    for datum, side, convert in _CASES:
        moved = convert(lon, lat)
        closer = distance_m(*moved, known_lon, known_lat)
        if (closer < apart).mean() >= 0.8:
            found.append((float(np.median(closer)), datum, side, _mean_m(lon, lat, moved)))
    before = float(np.median(apart))
    if not found or before < 20 or min(found)[0] > before / 4:
        return None
    after, datum, side, offset = min(found)
    return _suspicion(
        datum, side, before, after, offset,
        Text(
            f"与已有同代码位置的距离中位数换算前 {before:.0f} 米、换算后 {after:.0f} 米（{len(lon)} 对）",
            f"the median distance to the known positions of the same codes is {before:.0f} m before and {after:.0f} m "
            f"after conversion ({len(lon)} pairs)",
        ),
    )  # fmt: skip


def suspect_datum_areas(geometries: Any, outline: Any, *, reach_m: float = 2000.0) -> DatumSuspicion | None:
    """Whether the outer border of polygons runs along that of `outline` only after a conversion (both lon/lat).

    Compares places every 200 m or so on the outer border that lie within `reach_m` of the outline; speaks up when the
    median distance falls below a half (from 30 m or more). `before` and `after` are these medians in metres. A layer
    that does not touch the county's border gives no evidence.
    """
    shapes = np.asarray(geometries, dtype=object)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if outline is None or outline.is_empty or not len(shapes):
        return None
    land = shapely.union_all(shapely.make_valid(shapes))
    rings = shapely.get_rings(shapely.get_parts(land))
    lon, lat = shapely.get_coordinates(shapely.segmentize(rings, 0.002)).T
    border = _local(shapely.boundary(outline), lat)
    apart = _border_m(lon, lat, border)
    near = apart <= reach_m
    # Inner borders that happen to be near would only add noise to a layer that covers a corner of the county.
    if near.sum() < 20:
        return None
    lon, lat, before = lon[near], lat[near], float(np.median(apart[near]))
    found = []
    for datum, side, convert in _CASES:
        moved = convert(lon, lat)
        found.append((float(np.median(_border_m(*moved, border))), datum, side, _mean_m(lon, lat, moved)))
    after, datum, side, offset = min(found)
    if before < 30 or after > before / 2:
        return None
    return _suspicion(
        datum, side, before, after, offset,
        Text(
            f"外边界与县界的距离中位数换算前 {before:.0f} 米、换算后 {after:.0f} 米",
            f"the outer border is {before:.0f} m from the county outline (median) before and {after:.0f} m after conversion",
        ),
    )  # fmt: skip


def distance_m(lon: Any, lat: Any, other_lon: Any, other_lat: Any) -> np.ndarray:
    """Distance in metres between pairs of lon/lat positions on the sphere (haversine), row by row."""
    lon, lat, other_lon, other_lat = (np.radians(np.asarray(v, dtype=float)) for v in (lon, lat, other_lon, other_lat))
    chord = np.sin((other_lat - lat) / 2) ** 2 + np.cos(lat) * np.cos(other_lat) * np.sin((other_lon - lon) / 2) ** 2
    return 2 * 6371008.8 * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))


def _more_inside(
    lon: np.ndarray, lat: np.ndarray, inside: Callable[[np.ndarray, np.ndarray], np.ndarray], what: Text
) -> DatumSuspicion | None:
    if not len(lon):
        return None
    now = inside(lon, lat)
    found = []
    for datum, side, convert in _CASES:
        moved = convert(lon, lat)
        then = inside(*moved)
        came, went = int((then & ~now).sum()), int((now & ~then).sum())
        explained = came - went >= 0.75 * (~now).sum()
        # One-sided sign test. The function, not scipy.stats: that costs the server 40 MB.
        by_chance = float(special.bdtrc(came - 1, came + went, 0.5)) if came else 1.0
        if came >= 6 and went <= came / 5 and explained and by_chance <= 0.02:
            found.append((float(then.mean()), datum, side, _mean_m(lon, lat, moved)))
    if not found:
        return None
    before = float(now.mean())
    # GCJ-02 and BD-09 may bring in the same points; the first of equals, GCJ-02, is the commoner.
    after, datum, side, offset = max(found, key=lambda entry: entry[0])
    return _suspicion(
        datum, side, before, after, offset,
        Text(
            f"落在{what.zh}内的位置换算前占 {before:.1%}、换算后占 {after:.1%}（共 {len(lon)} 个）",
            f"{before:.1%} of {len(lon)} positions lie inside {what.en} before and {after:.1%} after conversion",
        ),
    )  # fmt: skip


def _suspicion(datum: str, side: str, before: float, after: float, offset: float, figures: Text) -> DatumSuspicion:
    name = _NAMES[datum]
    if side == "layer":
        claim = Text(f"该图层的坐标疑为 {name}", f"The layer seems to be in {name}")
    else:
        claim = Text(f"用来比较的已有图层疑为 {name}", f"The layer kept before, not this one, seems to be in {name}")
    evidence = Text(
        f"{claim.zh}：{figures.zh}，平均偏移 {offset:.0f} 米。",
        f"{claim.en}: {figures.en}; mean offset {offset:.0f} m.",
    )
    return DatumSuspicion(datum, side, before, after, offset, evidence)


def _distinct(lon: Any, lat: Any) -> Lonlat:
    """Each position once: a hundred incidents at one street corner are one piece of evidence."""
    both = np.column_stack([np.asarray(lon, dtype=float).ravel(), np.asarray(lat, dtype=float).ravel()])
    both = np.unique(both[np.isfinite(both).all(axis=1)], axis=0)
    return both[:, 0], both[:, 1]


def _mean_m(lon: np.ndarray, lat: np.ndarray, moved: Lonlat) -> float:
    return float(distance_m(lon, lat, *moved).mean())


_DEGREE_M = 111_195.0


def _local(shape: Any, lat: np.ndarray) -> tuple[Any, float]:
    """A shape in flat metres around its mean latitude: good to a per mille across a county, enough to compare."""
    shrink = float(np.cos(np.radians(lat.mean()))) * _DEGREE_M
    flat = shapely.transform(shape, lambda xy: xy * [shrink, _DEGREE_M])
    shapely.prepare(flat)
    return flat, shrink


def _border_m(lon: np.ndarray, lat: np.ndarray, border: tuple[Any, float]) -> np.ndarray:
    flat, shrink = border
    return shapely.distance(flat, shapely.points(lon * shrink, lat * _DEGREE_M))
