"""Which system coordinates may be in that came without one: read from the size of the numbers and where they would lie.

A shapefile without .prj, a table of eastings and northings: the numbers alone narrow it down, the county outline
usually decides. The guess is shown with its reason; only a `sure` one may be taken without asking.
"""

from dataclasses import dataclass
from math import floor

import numpy as np
import shapely

from .crs import LONLAT, transform_xy
from .words import Text

Bounds = tuple[float, float, float, float]
_CHINA: Bounds = (73.0, 3.0, 136.0, 54.0)


@dataclass(frozen=True, slots=True)
class CrsGuess:
    """One reading of coordinates that came without a system.

    `swapped`: the columns stand the other way round (x is northing or latitude) and must be exchanged first. `score`
    runs from 0 to 1; the first guess may be taken without asking when `sure`. `bounds` is where the data would lie
    (west, south, east, north in degrees).
    """

    crs: str
    swapped: bool
    score: float
    sure: bool
    reason: Text
    bounds: tuple[float, float, float, float]


def guess_crs(xmin: float, ymin: float, xmax: float, ymax: float, *, near: Bounds | None = None) -> list[CrsGuess]:
    """Systems that coordinates within these bounds may be in, best first; empty when none makes sense.

    Parameters
    ----------
    xmin, ymin, xmax, ymax
        Bounds of the raw numbers, in the order of the file.
    near
        Where the data should lie (west, south, east, north in degrees), usually the county outline's bounds. Eastings
        without zone number fit every zone, so that without it they only give a list to choose from, none of it sure.

    Notes
    -----
    The numbers of a system do not tell its datum: Xi'an 1980 and Beijing 1954 look like CGCS2000 here and differ by
    up to 100 m and more. Eight-digit eastings carry the zone in front: 25-45 three-degree, 13-23 six-degree zones.
    """
    if not np.isfinite([xmin, ymin, xmax, ymax]).all():
        return []
    guesses = []
    for swapped in (False, True):
        box = (ymin, xmin, ymax, xmax) if swapped else (xmin, ymin, xmax, ymax)
        for crs, weight, vague, reason in _readings(box):
            bounds = _placed(box, crs)
            if bounds is None or not _in_zone(crs, bounds, vague, near is not None):
                continue
            fit = _fit(bounds, near or _CHINA)
            if vague:
                score = weight * (fit if near else 0.1 * fit)
            else:
                # Such numbers speak for themselves even when the place surprises: another county's file, say.
                surprise = {LONLAT: 0.3 if swapped else 0.6, "EPSG:3857": 0.0}.get(crs, 0.3)
                score = weight * max(fit, surprise)
            note = Text("（横纵坐标互换）", " (axes swapped)") if swapped else Text("", "")
            guesses.append((score, crs, swapped, Text(reason.zh + note.zh, reason.en + note.en), bounds))
    guesses = sorted((guess for guess in guesses if guess[0] >= 0.05), key=lambda guess: -guess[0])
    best = guesses[0][0] if guesses else 0.0
    next_best = guesses[1][0] if len(guesses) > 1 else 0.0
    return [
        CrsGuess(
            crs, swapped, round(score, 3), score == best and best >= 0.5 and best >= 1.5 * next_best, reason, bounds
        )
        for score, crs, swapped, reason, bounds in guesses
    ]


def _readings(box: Bounds) -> list[tuple[str, float, bool, Text]]:
    """(system, weight, vague, reason) of all that the size of the numbers allows; vague ones fit many places."""
    west, south, east, north = box
    if west >= -180 and east <= 180 and south >= -90 and north <= 90:
        return [(LONLAT, 1.0, False, Text("数值为经纬度范围", "the numbers are degrees"))]
    found = []
    zone = floor(west / 1e6)
    on_earth = south >= 0 and north <= 6.2e6
    if floor(east / 1e6) == zone and on_earth:
        if 25 <= zone <= 45:
            reason = Text(f"东坐标带 3 度带带号 {zone}", f"eastings begin with the 3-degree zone number {zone}")
            found.append((f"EPSG:{4513 + zone - 25}", 1.0, False, reason))
        elif 13 <= zone <= 23:
            # Up to zone 15 (far west) the numbers are those of Web Mercator in the east, where most counties are.
            weight = 0.6 if zone <= 15 else 0.95
            reason = Text(f"东坐标带 6 度带带号 {zone}", f"eastings begin with the 6-degree zone number {zone}")
            found.append((f"EPSG:{4491 + zone - 13}", weight, False, reason))
    if west >= 1e5 and east <= 9e5 and on_earth:
        for meridian in range(75, 138, 3):
            place = Text(f"东坐标无带号，中央经线取 {meridian}°", f"eastings without zone number, meridian {meridian}E")
            found.append((f"EPSG:{4534 + (meridian - 75) // 3}", 0.95, True, place))
            if meridian % 6 == 3:
                six = Text(place.zh + "（6 度带）", place.en + " (6-degree zone)")
                found.append((f"EPSG:{4502 + (meridian - 75) // 6}", 0.95, True, six))
        for number in range(1, 61):
            found.append((f"EPSG:{32600 + number}", 0.6, True, Text(f"UTM 北 {number} 带", f"UTM zone {number} north")))
    if max(abs(west), abs(east), abs(south), abs(north)) <= 20037509 and max(abs(west), abs(north)) > 1e6:
        found.append(("EPSG:3857", 0.85, False, Text("数值符合 Web 墨卡托", "the numbers fit Web Mercator")))
    return found


def _placed(box: Bounds, crs: str) -> Bounds | None:
    """Where a box of coordinates lies, in degrees; None when it lies nowhere.

    Zones of one family differ by a turn about the earth's axis only, so one of each stands in for all: a projection
    set up for each of a hundred zones would take seconds.
    """
    west, south, east, north = box
    x = np.array([west, east, west, east, (west + east) / 2])
    y = np.array([south, south, north, north, (south + north) / 2])
    meridian = _meridian(crs)
    if meridian is None:
        lon, lat = transform_xy(x, y, crs, LONLAT)
    else:
        lon, lat = transform_xy(x % 1e6, y, "EPSG:32649" if crs.startswith("EPSG:326") else "EPSG:4546", LONLAT)
        lon = (lon + meridian - 111 + 180) % 360 - 180
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _meridian(crs: str) -> int | None:
    """Central meridian of a zoned system, None for others."""
    code = int(crs[5:])
    if 4513 <= code <= 4554:  # 3-degree zones, with and without the zone number
        return 75 + 3 * ((code - 4513) % 21)
    if 4491 <= code <= 4512:  # 6-degree zones, likewise
        return 75 + 6 * ((code - 4491) % 11)
    if 32601 <= code <= 32660:
        return 6 * (code - 32600) - 183
    return None


def _in_zone(crs: str, bounds: Bounds, vague: bool, placed: bool) -> bool:
    """Whether the place lies in the belt that a zoned system is for.

    Counties straddle zone borders, so the belts overlap a little. A 6-degree zone without number is the 3-degree zone
    of the same meridian, number for number: it is named only beyond the belt of the latter.
    """
    meridian = _meridian(crs)
    if meridian is None:
        return True
    off = abs((bounds[0] + bounds[2]) / 2 - meridian)
    if 4513 <= int(crs[5:]) <= 4554:
        succeeded = vague and meridian % 6 == 3  # a 6-degree zone takes over where the belt ends
        return off <= (3.6 if placed and not succeeded else 1.8)
    return off <= 3.6 and not (vague and off <= 1.8 and not crs.startswith("EPSG:326"))


def _fit(bounds: Bounds, near: Bounds) -> float:
    """How well a box lies within another, 0-1: mostly the share inside (a tenth of slack), a little the likeness."""
    rim_x, rim_y = max((near[2] - near[0]) / 10, 0.02), max((near[3] - near[1]) / 10, 0.02)
    padded = (near[0] - rim_x, near[1] - rim_y, near[2] + rim_x, near[3] + rim_y)
    box, around, exact = (shapely.box(*b) for b in (_thick(bounds), padded, _thick(near)))
    inside = shapely.intersection(box, around).area / box.area
    alike = shapely.intersection(box, exact).area / shapely.union(box, exact).area
    return float(0.9 * inside + 0.1 * alike)


def _thick(bounds: Bounds) -> Bounds:
    return bounds[0] - 1e-6, bounds[1] - 1e-6, bounds[2] + 1e-6, bounds[3] + 1e-6
