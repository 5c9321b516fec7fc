"""Whose land a piece is: faces of noded borders given to the areas they belong to, thin ones to a neighbour."""

import numpy as np
import shapely

from .crs import CENTIMETRE

_SAME_SHARE = 0.05


def narrow(pieces: np.ndarray, width_m: float) -> np.ndarray:
    """Which pieces are nowhere wider than `width_m`."""
    return shapely.is_empty(shapely.buffer(pieces, -width_m / 2, quad_segs=4))


def owners(faces: np.ndarray, lands: np.ndarray, count: int) -> np.ndarray:
    """For each face the area (one of the first `count` lands; the others are gaps) it has most land in common with.

    What lies in a gap, or in nothing, goes to the area of the face it borders on longest.
    """
    owner = np.full(len(faces), -1)
    # Nearly every face is one land a little moved: its inner point and its size say so without any overlay.
    face, land = shapely.STRtree(lands).query(shapely.point_on_surface(faces), predicate="intersects")
    once = np.bincount(face, minlength=len(faces))[face] == 1
    same = once & (np.abs(shapely.area(faces[face]) / shapely.area(lands[land]) - 1) < _SAME_SHARE)
    owner[face[same]] = land[same]
    rest = np.flatnonzero(owner < 0)
    face, land = shapely.STRtree(lands).query(faces[rest], predicate="intersects")
    face = rest[face]
    common = shapely.area(shapely.intersection(faces[face], lands[land]))
    order = np.lexsort([land, -common, face])
    face, land, common = face[order], land[order], common[order]
    best = np.flatnonzero(np.r_[True, face[1:] != face[:-1]]) if len(face) else np.arange(0)
    best = best[common[best] > 0]
    owner[face[best]] = land[best]
    owner[owner >= count] = -1
    return _given_away(faces, owner, np.flatnonzero(owner < 0))


def grouped(faces: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """The land of each of `count` areas: the faces it owns, together; an empty shape for one that owns none."""
    order = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[order], np.arange(count + 1))
    lands = np.empty(count, dtype=object)
    for row in range(count):
        lands[row] = joined(faces[order[first[row] : first[row + 1]]])
    return lands


def without_slivers(faces: np.ndarray, owner: np.ndarray, min_width_m: float) -> np.ndarray:
    """Owners with thin pieces given to the neighbour, unless a piece is all the land its area has."""
    size = shapely.area(faces)
    maybe = np.flatnonzero(size < min_width_m * shapely.length(faces))
    thin = maybe[shapely.is_empty(shapely.buffer(faces[maybe], -min_width_m / 2))]
    largest = np.zeros(owner.max() + 1)
    np.maximum.at(largest, owner, size)
    return _given_away(faces, owner, thin[size[thin] < largest[owner[thin]]])


def without_needles(before: np.ndarray, after: np.ndarray, *, reach_m: float, width_m: float) -> np.ndarray:
    """Areas without the needles that snapping draws now and then: a gap two hundred metres long and one wide, closed
    in favour of the area that has only its tip. They go to a neighbour along their length."""
    far = np.flatnonzero(shapely.hausdorff_distance(shapely.boundary(before), shapely.boundary(after)) > 2 * width_m)
    after = after.copy()
    for row in far:
        gained = shapely.get_parts(shapely.difference(after[row], shapely.buffer(before[row], reach_m)))
        gained = gained[shapely.get_type_id(gained) == 3]
        for needle in gained[narrow(gained, width_m) & (shapely.length(gained) > 4 * width_m)]:
            near = np.flatnonzero(shapely.dwithin(after, needle, 5 * CENTIMETRE))
            lines = np.append(shapely.boundary(after[near]), needle.boundary)
            faces = np.array(shapely.polygonize([shapely.union_all(lines, grid_size=CENTIMETRE)]).geoms, dtype=object)
            inside = shapely.point_on_surface(faces)
            face, area = shapely.STRtree(after[near]).query(inside, predicate="intersects")
            owner = np.full(len(faces), -1)
            owner[face] = near[area]
            faces, inside, owner = faces[owner >= 0], inside[owner >= 0], owner[owner >= 0]
            mine = np.flatnonzero((owner == row) & shapely.intersects(needle, inside))
            owner = _given_away(faces, owner, mine, never=int(row))
            for other in np.unique(owner):
                after[other] = joined(faces[owner == other])
    return after


def _given_away(faces: np.ndarray, owner: np.ndarray, rows: np.ndarray, *, never: int = -1) -> np.ndarray:
    """Owners after each of `rows`, smallest first, went to the owner of the face it shares most border with.

    `never`: an owner that gets nothing."""
    if not len(rows):
        return owner
    owner = owner.copy()
    tree = shapely.STRtree(faces)
    for row in rows[np.argsort(shapely.area(faces[rows]), kind="stable")]:
        near = tree.query(faces[row], predicate="intersects")
        near = near[(near != row) & (owner[near] >= 0) & (owner[near] != never)]
        if not len(near):
            continue
        border = shapely.length(shapely.intersection(faces[row].boundary, shapely.boundary(faces[near])))
        if border.max() > 0:
            owner[row] = owner[near[np.argmax(border)]]
    return owner


def joined(faces: np.ndarray) -> shapely.Geometry:
    """The land of one area from its faces, without new rounding."""
    return faces[0] if len(faces) == 1 else shapely.coverage_union_all(faces)
