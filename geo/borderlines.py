"""An open line drawn from border to border of a grid: which land it cuts off, takes in or divides.

Modelling decisions:

- A line whose ends are on the border of the grid takes the place of the stretch between them. One that ends on other
  borders, or beyond the outline, cuts a strip off the neighbours it runs through.
- Of the two sides of a line through a grid the larger stays with it. When they are about equal the line is refused,
  unless it is said who gets the land.
"""

import numpy as np
import shapely

from .lines import OVERSHOOT_M, drawn_edges, end_on_border, is_right, require_few
from .partition import Partition
from .reassign import CLOSE_SHARE
from .refusals import RefusedError
from .words import Text


def cut_off(
    partition: Partition, code: str, line: shapely.Geometry, *, reach_m: float, give_to: str | None = None
) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Land a pushed border takes in outside the grid, and land it gives up inside (either may be empty).

    The line takes the place of the stretch of border between its ends; where it runs across the border and back,
    each pocket is taken or given up by itself. Raises `misses` when an end is nowhere near a border, `ambiguous` when
    it is not clear which side stays.
    """
    grid = partition.shapes[code]
    border = shapely.boundary(grid)
    try:
        drawn = end_on_border(end_on_border(line, 0, border, reach_m, code), -1, border, reach_m, code)
    except RefusedError:
        strip = _strip(partition, code, line, reach_m)
        if strip is None:
            raise
        return strip
    noded = shapely.union_all([border, drawn])
    faces = shapely.get_parts(shapely.polygonize([noded]))
    require_few(faces, drawn, code)
    along = np.array([len(drawn_edges(face, border)) > 0 for face in faces], dtype=bool)
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
    drawn, border = line, shapely.boundary(grid)
    for end in (0, -1):
        if shapely.contains_properly(grid, shapely.get_point(line, end)):
            drawn = end_on_border(drawn, end, border, reach_m, code)
    noded = shapely.union_all([border, drawn])
    faces = shapely.get_parts(shapely.polygonize([noded]))
    faces = faces[shapely.contains(grid, shapely.point_on_surface(faces))]
    require_few(faces, drawn, code)
    edges = [drawn_edges(face, border) for face in faces]
    met = np.array([len(found) > 0 for found in edges], dtype=bool)
    if not met.any():
        raise RefusedError("misses", line, codes=[code])
    right = np.zeros(len(faces), dtype=bool)
    for row in np.flatnonzero(met):
        right[row] = is_right(faces[row], edges[row], drawn)
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


def _strip(
    partition: Partition, code: str, line: shapely.Geometry, reach_m: float
) -> tuple[shapely.Geometry, shapely.Geometry] | None:
    """What a line that ends on borders of other grids gives the grid and takes from it; None when it cuts nothing."""
    around = sorted({*partition.near(line, reach_m), code})
    shapes = np.array([partition.shapes[name] for name in around], dtype=object)
    border = shapely.union_all(shapely.boundary(shapes))
    drawn = line
    for end in (0, -1):
        if shapely.intersects(partition.outline, shapely.get_point(line, end)):
            try:
                drawn = end_on_border(drawn, end, border, reach_m, code)
            except RefusedError:
                return None
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all([border, drawn])]))
    require_few(faces, drawn, code)
    edges = [drawn_edges(face, border) for face in faces]
    cut = [row for row, found in enumerate(edges) if len(found)]
    faces, edges = faces[cut], [edges[row] for row in cut]
    right = np.array([is_right(face, found, drawn) for face, found in zip(faces, edges, strict=True)], dtype=bool)
    at = shapely.point_on_surface(faces)
    mine = shapely.contains(partition.shapes[code], at)
    land = shapely.contains(partition.outline, at)
    # The side the grid is on: the larger part of itself, or else the side that borders on it.
    rim = shapely.buffer(partition.shapes[code], OVERSHOOT_M)
    weight = shapely.area(faces) * mine if mine.any() else shapely.length(
        shapely.intersection(shapely.boundary(faces), rim)
    )  # fmt: skip
    sides = sorted((float(weight[right].sum()), float(weight[~right].sum())))
    if not len(faces) or sides[1] == 0:
        return None
    if sides[0] >= CLOSE_SHARE * sides[1]:
        raise RefusedError("ambiguous", line, codes=[code])
    stays = right if weight[right].sum() > weight[~right].sum() else ~right
    return shapely.union_all(faces[land & ~mine & stays]), shapely.union_all(faces[mine & ~stays])


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
    rim = shapely.buffer(partition.shapes[give_to], OVERSHOOT_M)
    border = shapely.length(shapely.intersection(shapely.boundary(faces), rim))
    return [faces[int(border.argmax())]] if border.max() > 0 else [faces[1]]
