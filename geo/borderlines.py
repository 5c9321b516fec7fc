"""An open line drawn from border to border of a grid: which land it cuts off, takes in or divides.

Modelling decisions:

- The end of a line that stops short of the border by no more than `reach_m` is meant to be on it: it is drawn out in
  its own direction, or else straight to the border. What overshoots is left over.
- Of the two sides of a line through a grid the larger stays with it. When they are about equal the line is refused,
  unless it is said who gets the land.
"""

import numpy as np
import shapely

from .partition import Partition
from .reassign import CLOSE_SHARE
from .refusals import RefusedError
from .words import Text

_OVERSHOOT_M = 0.02
_MOST_FACES = 60
# A slanting line has a longer way to the border than the straight one.
_TAIL = 3.0


def cut_off(
    partition: Partition, code: str, line: shapely.Geometry, *, reach_m: float, give_to: str | None = None
) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Land a pushed border takes in outside the grid, and land it gives up inside (either may be empty).

    The line takes the place of the stretch of border between its ends; where it runs across the border and back,
    each pocket is taken or given up by itself. Raises `misses` when an end is nowhere near the border, `ambiguous`
    when it is not clear which side stays.
    """
    grid = partition.shapes[code]
    drawn = _on_border(line, grid, reach_m, code)
    noded = shapely.union_all([shapely.boundary(grid), drawn])
    faces = shapely.get_parts(shapely.polygonize([noded]))
    _require_few(faces, drawn, code)
    along = np.array([len(_drawn_edges(face, grid)) > 0 for face in faces], dtype=bool)
    at = shapely.point_on_surface(faces)
    gained, lost = [], []
    for part in shapely.get_parts(grid):
        inside = shapely.contains(part, at)
        if (inside & along).any():
            lost += _smaller_sides(faces[inside], part, partition, code, give_to)
        for hole in map(shapely.polygons, part.interiors):
            within = shapely.contains(hole, at) & ~shapely.contains(grid, at)
            if (within & along).any():
                gained += _smaller_sides(faces[within], hole, partition, code, None)
    holes = shapely.union_all([shapely.polygons(ring) for part in shapely.get_parts(grid) for ring in part.interiors])
    outside = along & ~shapely.contains(grid, at) & ~shapely.contains(holes, at)
    gained += list(faces[outside])
    return shapely.union_all(gained), shapely.union_all(lost)


def cut_through(grid: shapely.Geometry, line: shapely.Geometry, *, code: str, reach_m: float) -> shapely.Geometry:
    """The land of a grid on the right of a line that divides it; parts the line does not meet go to the nearer side.

    Raises `misses` when the line does not run through from border to border, `cut_in_two` when a side would consist
    of more parts than the grid has.
    """
    if not shapely.intersects(grid, line):
        raise RefusedError("misses", line, codes=[code])
    drawn = line
    for end in (0, -1):
        if shapely.contains_properly(grid, shapely.get_point(line, end)):
            drawn = _end_on_border(drawn, end, grid, reach_m, code)
    noded = shapely.union_all([shapely.boundary(grid), drawn])
    faces = shapely.get_parts(shapely.polygonize([noded]))
    faces = faces[shapely.contains(grid, shapely.point_on_surface(faces))]
    _require_few(faces, drawn, code)
    edges = [_drawn_edges(face, grid) for face in faces]
    met = np.array([len(found) > 0 for found in edges], dtype=bool)
    if not met.any():
        raise RefusedError("misses", line, codes=[code])
    right = np.zeros(len(faces), dtype=bool)
    for row in np.flatnonzero(met):
        right[row] = _is_right(faces[row], edges[row], drawn)
    if not (met & right).any() or not (met & ~right).any():
        raise RefusedError("misses", line, codes=[code])
    sides = [shapely.union_all(faces[met & ~right]), shapely.union_all(faces[met & right])]
    parts = len(shapely.get_parts(grid))
    for side in sides:
        pieces = shapely.get_parts(side)
        if len(pieces) > parts:
            raise RefusedError(
                "cut_in_two",
                min(pieces, key=lambda piece: piece.area),
                codes=[code],
                what=Text("这条线把网格切成了两块以上。", "The line cuts the grid into more than two pieces."),
                mend=Text("请画一条只穿过一次的线。", "Draw a line that runs through once."),
            )
    for row in np.flatnonzero(~met):
        # Both sides may be equally near at the end of the line; then the middle of each decides.
        away = [(side.distance(faces[row]), side.centroid.distance(faces[row])) for side in sides]
        right[row] = away[1] < away[0]
    return shapely.multipolygons(list(faces[right]))


def _on_border(line: shapely.Geometry, grid: shapely.Geometry, reach_m: float, code: str) -> shapely.Geometry:
    """`line` with both ends on the border of `grid`."""
    for end in (0, -1):
        line = _end_on_border(line, end, grid, reach_m, code)
    return line


def _end_on_border(
    line: shapely.Geometry, end: int, grid: shapely.Geometry, reach_m: float, code: str
) -> shapely.Geometry:
    """`line` with one end (0 the first, -1 the last) cut back or drawn out to the border."""
    points = shapely.get_coordinates(line if end == 0 else shapely.reverse(line))
    forward = shapely.linestrings(points)
    border = shapely.boundary(grid)
    first = shapely.points(points[0])
    hits = shapely.get_coordinates(shapely.intersection(forward, border))
    along = np.sort(shapely.line_locate_point(forward, shapely.points(hits))) if len(hits) else np.empty(0)
    if len(along) and _is_tail(points, forward, float(along[0]), border, reach_m):
        # The tail goes, but for a stub that makes sure the crossing is a crossing.
        begin = max(float(along[0]) - _OVERSHOOT_M, 0.0)
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
        return nearest + direction * _OVERSHOOT_M
    nearest = shapely.get_coordinates(shapely.shortest_line(shapely.points(first), border))[1]
    away = np.hypot(*(nearest - first))
    return nearest + ((nearest - first) / away if away > 1e-6 else direction) * _OVERSHOOT_M


def _from(line: shapely.Geometry, begin: float) -> shapely.Geometry:
    """`line` without its first `begin` metres."""
    if begin <= 0:
        return line
    points = shapely.get_coordinates(line)
    passed = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    rest = points[passed > begin]
    return shapely.linestrings(np.vstack([shapely.get_coordinates(shapely.line_interpolate_point(line, begin)), rest]))


def _smaller_sides(
    faces: np.ndarray, land: shapely.Geometry, partition: Partition, code: str, give_to: str | None
) -> list[shapely.Geometry]:
    """All faces of `land` but the one that stays as it was."""
    order = np.argsort(-shapely.area(faces), kind="stable")
    faces = faces[order]
    if len(faces) < 2:
        return []
    rest = shapely.area(faces[1:]).sum()
    if rest < CLOSE_SHARE * faces[0].area:
        return list(faces[1:])
    if give_to is None or len(faces) > 2:
        raise RefusedError(
            "ambiguous",
            faces[1],
            codes=[code],
            what=Text("这条线两边差不多大，看不出哪边留下。", "Both sides of the line are about equal: which stays?"),
            mend=Text("请指明土地划给谁，或改用“拆分”。", "Say who gets the land, or use split."),
        )
    rim = shapely.buffer(partition.shapes[give_to], _OVERSHOOT_M)
    border = shapely.length(shapely.intersection(shapely.boundary(faces), rim))
    return [faces[int(border.argmax())]] if border.max() > 0 else [faces[1]]


def _drawn_edges(face: shapely.Geometry, grid: shapely.Geometry) -> np.ndarray:
    """The edges of `face`, (n, 2, 2), that are not on the border of `grid` and so are of the drawn line."""
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(face)]
    edges = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    border = shapely.boundary(grid)
    shapely.prepare(border)
    # Nodes are worked out in floats, a hair beside the border they lie on.
    return edges[~shapely.dwithin(border, shapely.points(edges.mean(axis=1)), 1e-6)]


def _is_right(face: shapely.Geometry, edges: np.ndarray, line: shapely.Geometry) -> bool:
    """Whether `face` lies on the right of `line` along the longest edge they share."""
    a, b = edges[np.hypot(*(edges[:, 1] - edges[:, 0]).T).argmax()]
    if shapely.line_locate_point(line, shapely.points(a)) > shapely.line_locate_point(line, shapely.points(b)):
        a, b = b, a
    middle, along = (a + b) / 2, (b - a) / np.hypot(*(b - a))
    off = min(0.001, 0.1 * float(np.hypot(*(b - a))))
    return bool(shapely.contains_xy(face, *(middle + off * np.array([along[1], -along[0]]))))


def _require_few(faces: np.ndarray, line: shapely.Geometry, code: str) -> None:
    if len(faces) > _MOST_FACES:
        raise RefusedError(
            "cut_in_two",
            line,
            codes=[code],
            what=Text("这条线来回穿过边界太多次。", "The line runs across the border too many times."),
        )
