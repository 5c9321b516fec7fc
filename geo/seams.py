"""The edges between areas that were drawn apart, cut at the outline of their land and led to it where they end short.

Works on a valid coverage in metres (`shapely.coverage_clean`) whose outer edge need not be the outline.
"""

import numpy as np
import shapely

from .crs import CENTIMETRE

_ON_LINE_M = 1e-6


def seams(lands: np.ndarray, outline: shapely.Geometry, snapping_m: float, gap_width_m: float) -> np.ndarray:
    """The edges of a clean coverage inside the outline, led to it where they end short of it.

    Outer edges that run along the outline are left out: there the outline itself is the border.
    """
    inner, outer = _edges(lands)
    shapely.prepare(outline)
    # Five places of an edge tell one that runs along the outline from one that leads from side to side.
    places = outer[:, :1] + (outer[:, 1:] - outer[:, :1]) * np.linspace(0, 1, 5)[:, None]
    along = _near(places.reshape(-1, 2), outline, 2 * snapping_m).reshape(-1, 5).all(axis=1)
    segments = np.concatenate([inner, outer[~along]])
    if not len(segments):
        return np.empty(0, dtype=object)
    # An edge ends where the outer edge it met was left out, or at the mouth of a strip of open land: near the outline
    # the end itself goes there, from further inside a new edge leads there.
    loose = np.unique(
        np.concatenate([_common(segments, outer[along]), _mouths(inner, outer, outline, gap_width_m)]), axis=0
    )
    aims = _on_outline(loose, outline, snapping_m)
    close = np.hypot(*(aims - loose).T) <= 2 * snapping_m
    segments = _moved(segments, loose[close], aims[close])
    lines = shapely.linestrings(segments)
    inside = shapely.covers(outline, lines)
    cut = shapely.get_parts(shapely.intersection(lines[~inside], outline))
    cut = cut[shapely.get_type_id(cut) == 1]
    ends = shapely.get_coordinates(cut).reshape(-1, 2)
    crossing = shapely.distance(shapely.points(ends), outline.boundary) <= _ON_LINE_M
    ends[crossing] = _on_outline(ends[crossing], outline, snapping_m)
    far = ~close & shapely.covers(outline, shapely.points(loose))
    leads = np.stack([loose[far], aims[far]], axis=1)
    pieces = np.concatenate([segments[inside], ends.reshape(-1, 2, 2), leads])
    return shapely.linestrings(pieces[(pieces[:, 0] != pieces[:, 1]).any(axis=1)])


def _moved(segments: np.ndarray, places: np.ndarray, aims: np.ndarray) -> np.ndarray:
    """Segments with every end that lies in one of `places` (ascending) moved to its aim."""
    if not len(places):
        return segments
    ends = segments.reshape(-1, 2).copy()
    keys, own = places @ [1, 1j], ends @ [1, 1j]
    row = np.minimum(np.searchsorted(keys, own), len(keys) - 1)
    hit = keys[row] == own
    ends[hit] = aims[row[hit]]
    return ends.reshape(-1, 2, 2)


def _mouths(inner: np.ndarray, outer: np.ndarray, outline: shapely.Geometry, gap_width_m: float) -> np.ndarray:
    met = _common(inner, outer)
    return met[_near(met, outline, gap_width_m)]


def _near(points: np.ndarray, outline: shapely.Geometry, distance_m: float) -> np.ndarray:
    edge = outline.boundary
    shapely.prepare(edge)
    return shapely.dwithin(edge, shapely.points(points), distance_m)


def _common(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Places (n, 2) where a segment of the first and one of the second end."""
    one, two = (np.unique(part.reshape(-1, 2) @ [1, 1j]) for part in (some, others))
    met = np.intersect1d(one, two)
    return np.column_stack([met.real, met.imag])


def _edges(lands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Segments (n, 2, 2) that two lands of a clean coverage share, each once, and those that only one has."""
    xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(lands)), return_index=True)
    _, name = np.unique(xy, axis=0, return_inverse=True)
    name = name.ravel()
    start = np.flatnonzero(ring[1:] == ring[:-1])
    a, b = name[start], name[start + 1]
    pair = np.column_stack([np.minimum(a, b), np.maximum(a, b)])
    _, where, count = np.unique(pair, axis=0, return_index=True, return_counts=True)
    inner, outer = start[where[count == 2]], start[where[count == 1]]
    return tuple(np.stack([xy[rows], xy[rows + 1]], axis=1) for rows in (inner, outer))  # type: ignore[return-value]


def _on_outline(points: np.ndarray, outline: shapely.Geometry, snapping_m: float) -> np.ndarray:
    """Where on the outline borders end, (n, 2) on the 1 cm grid.

    At a vertex of the outline when one is within `snapping_m`; else, when the grid has a point exactly on that stretch
    of the outline within `snapping_m`, there; else at the grid point nearest to the outline.
    """
    if not len(points):
        return points
    path, part = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(outline)), return_index=True)
    start = np.flatnonzero(part[1:] == part[:-1])
    stretches = np.stack([path[start], path[start + 1]], axis=1)
    lines = shapely.linestrings(stretches)
    nearest = shapely.STRtree(lines).nearest(shapely.points(points))
    foot = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(lines[nearest], shapely.points(points)), 0))
    a, b = np.rint(stretches[nearest, 0] / CENTIMETRE), np.rint(stretches[nearest, 1] / CENTIMETRE)
    along = (b - a).astype(np.int64)
    steps = np.gcd(along[:, 0], along[:, 1])
    whole = np.hypot(*along.T)
    share = np.clip(np.hypot(*(foot / CENTIMETRE - a).T) / whole, 0.0, 1.0)
    ends = np.where((share < 0.5)[:, None], a, b) * CENTIMETRE
    exact = (a + np.rint(share * steps)[:, None] * (along / steps[:, None])) * CENTIMETRE
    chosen = np.where((np.hypot(*(exact - foot).T) <= snapping_m)[:, None], exact, foot)
    chosen = np.where((np.hypot(*(ends - foot).T) <= snapping_m)[:, None], ends, chosen)
    return np.round(chosen, 2)
