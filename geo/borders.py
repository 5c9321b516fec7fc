"""Borders of areas as lines: what two areas share, the points where three or more meet, and where markers stand.

Modelling decisions:

- A line belongs to exactly two areas and ends where a third begins, at the edge of the land, or where it closes. The
  edge of the land itself, with nobody known on the other side, is no line.
- Lines run from their western end (of two as far west, the southern); closed ones begin at their westernmost vertex.
  So the same border gives the same line whatever order the areas come in.
- Areas are compared on the 1 cm grid, like everywhere; where they leave a gap or overlap there is no line.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.ops import split

from .crs import CENTIMETRE, require_metric
from .topology import sound

_BESIDE_M = 0.02
"""How far beside a line its two sides are looked up: more than rounding, less than any area is wide."""


@dataclass(frozen=True, slots=True)
class Borders:
    """`lines`: `codes` (the two areas, ascending), `length_m`, line geometry. `junctions`: `codes` (three or more,
    ascending), point geometry. Both in the system of the areas, in a stable order."""

    lines: gpd.GeoDataFrame
    junctions: gpd.GeoDataFrame


def find_borders(areas: gpd.GeoDataFrame) -> Borders:
    """The borders between areas of one kind.

    Areas in a metric system, indexed by code. Shapes that are no polygon are left out; invalid ones stand for the land
    they mean. Raises CrsError when the system is not metric.
    """
    require_metric(areas, "find_borders")
    shapes = areas.geometry.to_numpy()
    usable = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    codes = areas.index.astype(str).to_numpy(dtype=object)[usable]
    shapes = sound(shapes[usable])
    if not len(shapes):
        return Borders(_lines([], [], areas.crs), _junctions([], [], areas.crs))
    noded = shapely.union_all(shapely.boundary(shapes), grid_size=CENTIMETRE)
    arcs = shapely.get_parts(shapely.line_merge(noded))
    arcs = arcs[shapely.length(arcs) > 0]
    tree = shapely.STRtree(shapes)
    left, right = (_side(arcs, codes, tree, sign) for sign in (1, -1))
    places, around = _meetings(arcs, codes, tree)
    pairs: dict[tuple[str, str], list[shapely.Geometry]] = {}
    for arc, one, other in zip(arcs, left, right, strict=True):
        if one is not None and other is not None and one != other:
            pairs.setdefault((min(one, other), max(one, other)), []).append(arc)
    listed = [(pair, line) for pair, parts in pairs.items() for line in _pieces(parts, places)]
    return Borders(
        _lines([pair for pair, _ in listed], [line for _, line in listed], areas.crs),
        _junctions(around, list(places), areas.crs),
    )


def marker_places(line: shapely.LineString, *, spacing_m: float) -> np.ndarray:
    """Distances in metres along a line at which markers stand: evenly, about `spacing_m` apart, at least one.

    The first and last stand half a step from the ends, where tri-junctions have markers of their own.
    """
    count = max(1, round(line.length / spacing_m))
    return (np.arange(count) + 0.5) * line.length / count


def stakes_beside(
    line: shapely.LineString, distance_m: float, *, offset_m: float
) -> tuple[shapely.Point, shapely.Point]:
    """Two places `offset_m` to the left and to the right of a place on a line: twin markers of a border in a river."""
    step = min(1.0, line.length / 4)
    back, ahead = (line.interpolate(float(np.clip(distance_m + s, 0, line.length))) for s in (-step, step))
    dx, dy = ahead.x - back.x, ahead.y - back.y
    length = np.hypot(dx, dy)
    at = line.interpolate(distance_m)
    if length == 0:
        return at, at
    across = (-dy / length * offset_m, dx / length * offset_m)
    return shapely.Point(at.x + across[0], at.y + across[1]), shapely.Point(at.x - across[0], at.y - across[1])


def stakes_around(point: shapely.Point, lands: list[shapely.Geometry], *, offset_m: float) -> list[shapely.Point]:
    """One place in each of the lands that meet in a point, about `offset_m` from it: the stakes of a triple marker.

    A land that has nothing within the offset gets the point itself.
    """
    ring = shapely.difference(point.buffer(offset_m), point.buffer(offset_m * 0.8))
    stakes = []
    for land in lands:
        near = shapely.intersection(ring, land)
        parts = shapely.get_parts(near)
        stakes.append(point if near.is_empty else shapely.point_on_surface(parts[np.argmax(shapely.area(parts))]))
    return stakes


def _side(arcs: np.ndarray, codes: np.ndarray, tree: shapely.STRtree, sign: int) -> np.ndarray:
    """Code of the area on one side (1 left, -1 right) of each arc, None where there is none or more than one."""
    found = np.full(len(arcs), None, dtype=object)
    places = np.array([_beside(arc, sign) for arc in arcs], dtype=object)
    arc, area = tree.query(places, predicate="intersects")
    once = np.bincount(arc, minlength=len(arcs))[arc] == 1
    found[arc[once]] = codes[area[once]]
    return found


def _beside(arc: shapely.LineString, sign: int) -> shapely.Point:
    """A place just beside the middle of the arc's longest stretch."""
    path = shapely.get_coordinates(arc)
    step = np.diff(path, axis=0)
    length = np.hypot(*step.T)
    row = int(np.argmax(length))
    dx, dy = step[row] / length[row]
    middle = (path[row] + path[row + 1]) / 2
    return shapely.Point(middle[0] - sign * dy * _BESIDE_M, middle[1] + sign * dx * _BESIDE_M)


def _meetings(arcs: np.ndarray, codes: np.ndarray, tree: shapely.STRtree) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Ends of arcs where three or more areas meet, and which."""
    ends = np.unique(
        np.round(np.concatenate([shapely.get_coordinates(shapely.get_point(arcs, i)) for i in (0, -1)]), 2), axis=0
    )
    points = shapely.points(ends)
    point, area = tree.query(points, predicate="dwithin", distance=_BESIDE_M)
    around = pd.Series(codes[area]).groupby(point).agg(lambda found: tuple(sorted(set(found))))
    around = around[around.map(len) >= 3]
    return points[around.index.to_numpy(dtype=np.int64)], around.tolist()


def _pieces(parts: list[shapely.Geometry], places: np.ndarray) -> list[shapely.LineString]:
    """Arcs of one pair joined where only these two areas meet, cut where a third does."""
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(parts)))
    lines: list[shapely.LineString] = []
    cutters = shapely.STRtree(places)
    for line in merged:
        on = places[cutters.query(line, predicate="dwithin", distance=CENTIMETRE / 2)]
        lines += shapely.get_parts(split(line, shapely.multipoints(on))).tolist() if len(on) else [line]
    return [_directed(line) for line in lines]


def _directed(line: shapely.LineString) -> shapely.LineString:
    path = shapely.get_coordinates(line)
    if line.is_ring:
        ring = path[:-1]
        first = np.lexsort([ring[:, 1], ring[:, 0]])[0]
        ring = np.roll(ring, -first, axis=0)
        path = np.vstack([ring, ring[:1]])
        return shapely.linestrings(path if shapely.is_ccw(shapely.linearrings(path)) else path[::-1])
    return shapely.linestrings(path if tuple(path[0]) <= tuple(path[-1]) else path[::-1])


def _lines(pairs: list[tuple[str, str]], lines: list[shapely.Geometry], crs: object) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"codes": pd.Series(pairs, dtype=object), "length_m": shapely.length(np.array(lines, dtype=object))},
        geometry=gpd.GeoSeries(lines, crs=crs),
    )
    first = shapely.get_coordinates(shapely.get_point(frame.geometry.to_numpy(), 0)) if len(frame) else np.empty((0, 2))
    order = sorted(range(len(frame)), key=lambda row: (pairs[row], *first[row], frame["length_m"].iloc[row]))
    return frame.iloc[order].reset_index(drop=True)


def _junctions(codes: list[tuple[str, ...]], points: list[shapely.Geometry], crs: object) -> gpd.GeoDataFrame:
    order = sorted(range(len(codes)), key=lambda row: (codes[row], points[row].x, points[row].y))
    return gpd.GeoDataFrame(
        {"codes": pd.Series([codes[row] for row in order], dtype=object)},
        geometry=gpd.GeoSeries([points[row] for row in order], crs=crs),
    )
