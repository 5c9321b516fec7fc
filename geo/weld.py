"""Borders that lie on each other given the same vertices, nothing moved: a corner of one area on the edge of another
becomes a vertex of both.

Modelling decision: a border is straight in the system it was drawn in. Two borders that coincide there drift apart when
they are projected with different vertices (ten metres in the middle of 30 km), so they are welded before.
"""

import numpy as np
import shapely


def weld(shapes: np.ndarray, distance: float) -> np.ndarray:
    """Polygons with a vertex added wherever a vertex of another lies within `distance` of their border.

    The added vertex has exactly the coordinates of the other's. `distance` is in the units of the shapes; take what
    counts as the same place (a centimetre). Shapes that need none come back as they are; nulls are not allowed.
    """
    shapes = np.asarray(shapes, dtype=object)
    places, owner = shapely.get_coordinates(shapes, return_index=True)
    if not len(places):
        return shapes.copy()
    unique, number = np.unique(places, axis=0, return_inverse=True)
    number = number.ravel()
    points = shapely.points(unique)
    point, shape = shapely.STRtree(shapely.boundary(shapes)).query(points, predicate="dwithin", distance=distance)
    own = np.unique(np.column_stack([number, owner]), axis=0)
    wanted = np.column_stack([point, shape])
    # A pair of numbers as one, so that two sets of pairs can be compared.
    fresh = ~np.isin(wanted @ [len(shapes), 1], own @ [len(shapes), 1])
    result = shapes.copy()
    for row in np.unique(shape[fresh]):
        result[row] = _with_vertices(shapes[row], points[point[fresh & (shape == row)]], distance)
    return result


def _with_vertices(shape: shapely.Geometry, points: np.ndarray, distance: float) -> shapely.Geometry:
    polygons = []
    for part in shapely.get_parts(shape):
        rings = [_ring(ring, points, distance) for ring in shapely.get_rings(part)]
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    return polygons[0] if shape.geom_type == "Polygon" else shapely.multipolygons(polygons)


def _ring(ring: shapely.LinearRing, points: np.ndarray, distance: float) -> shapely.LinearRing:
    points = points[shapely.distance(points, ring) <= distance]
    if not len(points):
        return ring
    path = shapely.get_coordinates(ring)
    along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
    at = shapely.line_locate_point(ring, points)
    order = np.argsort(np.r_[along, at], kind="stable")
    # The closing vertex sits at the end of the way and stays last.
    order = np.r_[order[order != len(path) - 1], len(path) - 1]
    return shapely.linearrings(np.vstack([path, shapely.get_coordinates(points)])[order])


def drop_vertices(shapes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Polygons without the vertices at `places` (n, 2), except where two of them meet in one: there it stays in both.

    A polygon that would be invalid, or no longer a polygon, without them keeps all of its own.
    """
    shapes = np.asarray(shapes, dtype=object)
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    everything = np.concatenate([xy, np.asarray(places, dtype=float).reshape(-1, 2)])
    _, number = np.unique(everything, axis=0, return_inverse=True)
    number = number.ravel()
    named, listed = number[: len(xy)], np.unique(number[len(xy) :])
    pairs = np.unique(np.column_stack([named, owner]), axis=0)
    shared = np.bincount(pairs[:, 0], minlength=number.max(initial=0) + 1) > 1
    gone = np.isin(named, listed) & ~shared[named]
    result = shapes.copy()
    for row in np.unique(owner[gone]):
        thinner = _without(shapes[row], gone[owner == row])
        if thinner is not None:
            result[row] = thinner
    return result


def _without(shape: shapely.Geometry, gone: np.ndarray) -> shapely.Geometry | None:
    polygons, at = [], 0
    for part in shapely.get_parts(shape):
        rings = []
        for ring in shapely.get_rings(part):
            path = shapely.get_coordinates(ring)
            kept = path[~gone[at : at + len(path)]]
            at += len(path)
            if len(np.unique(kept, axis=0)) < 3:
                return None
            rings.append(kept if (kept[0] == kept[-1]).all() else np.vstack([kept, kept[:1]]))
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    made = polygons[0] if shape.geom_type == "Polygon" else shapely.MultiPolygon(polygons)
    return made if made.is_valid else None
