"""A drawn line and the borders it runs to: its ends, its edges and its two sides.

Modelling decision: the end of a line that stops short of a border by no more than `reach_m` is meant to be on it. It is
drawn out in its own direction, or else straight to the border; what overshoots is left over.
"""

import numpy as np
import shapely

from .refusals import RefusedError
from .words import Text

OVERSHOOT_M = 0.02
_MOST_FACES = 60
# A slanting line has a longer way to the border than the straight one.
_TAIL = 3.0


def end_on_border(
    line: shapely.Geometry, end: int, border: shapely.Geometry, reach_m: float, code: str
) -> shapely.Geometry:
    """`line` with one end (0 the first, -1 the last) cut back or drawn out to `border`, of the grid `code`.

    Raises `misses` with the end as the piece when it is further away than `reach_m`.
    """
    # Where it leaves its first place is its direction.
    line = shapely.remove_repeated_points(line)
    points = shapely.get_coordinates(line if end == 0 else shapely.reverse(line))
    forward = shapely.linestrings(points)
    first = shapely.points(points[0])
    hits = shapely.get_coordinates(shapely.intersection(forward, border))
    along = np.sort(shapely.line_locate_point(forward, shapely.points(hits))) if len(hits) else np.empty(0)
    if len(along) and _is_tail(points, forward, float(along[0]), border, reach_m):
        # The tail goes, but for a stub that makes sure the crossing is a crossing.
        begin = max(float(along[0]) - OVERSHOOT_M, 0.0)
        found = _from(forward, begin)
    else:
        away = shapely.distance(first, border)
        if away > reach_m:
            raise RefusedError(
                "misses",
                first,
                codes=[code],
                what=Text(f"线的一端没有画到网格 {code} 的边界。", f"One end is not on the border of grid {code}."),
            )
        found = shapely.linestrings(np.vstack([_beyond(points, border, reach_m), points]))
    return found if end == 0 else shapely.reverse(found)


def _is_tail(
    points: np.ndarray, line: shapely.Geometry, crossing: float, border: shapely.Geometry, reach_m: float
) -> bool:
    """Whether what comes before the first crossing is no more than the slip of a hand beside the border."""
    if crossing > _TAIL * reach_m:
        return False
    before = shapely.points(points)[shapely.line_locate_point(line, shapely.points(points)) <= crossing]
    return bool((shapely.distance(border, before) <= reach_m).all())


def _beyond(points: np.ndarray, border: shapely.Geometry, reach_m: float) -> np.ndarray:
    """The place just across the border where a line that begins short of it is drawn out to."""
    first = points[0]
    direction = (first - points[1]) / np.hypot(*(first - points[1]))
    ray = shapely.linestrings([first, first + direction * reach_m])
    hits = shapely.get_coordinates(shapely.intersection(ray, border))
    if len(hits):
        nearest = hits[np.hypot(*(hits - first).T).argmin()]
        return nearest + direction * OVERSHOOT_M
    nearest = shapely.get_coordinates(shapely.shortest_line(shapely.points(first), border))[1]
    away = np.hypot(*(nearest - first))
    return nearest + ((nearest - first) / away if away > 1e-6 else direction) * OVERSHOOT_M


def _from(line: shapely.Geometry, begin: float) -> shapely.Geometry:
    """`line` without its first `begin` metres."""
    if begin <= 0:
        return line
    points = shapely.get_coordinates(line)
    passed = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    rest = points[passed > begin]
    return shapely.linestrings(np.vstack([shapely.get_coordinates(shapely.line_interpolate_point(line, begin)), rest]))


def drawn_edges(face: shapely.Geometry, border: shapely.Geometry) -> np.ndarray:
    """The edges of `face`, (n, 2, 2), that are not on `border` and so are of the drawn line."""
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(face)]
    edges = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    shapely.prepare(border)
    # Nodes are worked out in floats, a hair beside the border they lie on.
    return edges[~shapely.dwithin(border, shapely.points(edges.mean(axis=1)), 1e-6)]


def is_right(face: shapely.Geometry, edges: np.ndarray, line: shapely.Geometry) -> bool:
    """Whether `face` lies on the right of `line` along the longest edge they share."""
    a, b = edges[np.hypot(*(edges[:, 1] - edges[:, 0]).T).argmax()]
    if shapely.line_locate_point(line, shapely.points(a)) > shapely.line_locate_point(line, shapely.points(b)):
        a, b = b, a
    middle, along = (a + b) / 2, (b - a) / np.hypot(*(b - a))
    off = min(0.001, 0.1 * float(np.hypot(*(b - a))))
    return bool(shapely.contains_xy(face, *(middle + off * np.array([along[1], -along[0]]))))


def require_few(faces: np.ndarray, line: shapely.Geometry, code: str) -> None:
    """Refuse a scribble that runs to and fro across the border."""
    if len(faces) > _MOST_FACES:
        raise RefusedError(
            "cut_in_two",
            line,
            codes=[code],
            what=Text("这条线来回穿过边界太多次。", "The line runs across the border too many times."),
        )
