"""The land around an edit, cut once along everything drawn, as faces that know their neighbours.

Modelling decisions:

- All linework near the drawing is noded together in one pass on the 1 cm grid. Two polygons are never cut against each
  other one after the other: that is how a node gets into one border and not into its twin.
- Linework further than 3 cm from the drawing is taken over as it is, so a drawing cannot disturb what it does not touch.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from .centimetres import PER_METRE, Edges
from .crs import CENTIMETRE

REACH_M = 0.03


@dataclass(frozen=True, slots=True)
class Patch:
    """Faces of some grids and drawn lines.

    `faces`: polygons without overlap that make up the land of the grids; `owner`: per face the row of its grid;
    `edges`: the directed edges of the faces; `twin`: per edge the row of the edge that runs back along it, -1 at the
    rim of the patch.
    """

    faces: np.ndarray
    owner: np.ndarray
    edges: Edges
    twin: np.ndarray

    @classmethod
    def whole(cls, shapes: np.ndarray) -> "Patch":
        """The grids as they are: every part of a grid is a face."""
        parts, owner = shapely.get_parts(shapes, return_index=True)
        return cls._linked(parts, owner)

    @classmethod
    def cut(cls, shapes: np.ndarray, lines: shapely.Geometry, *, everything: bool = False) -> "Patch":
        """The grids cut along `lines`; with `everything` all their borders are noded anew, not only the near ones.

        `shapes` must include every grid within `REACH_M` of the lines.
        """
        edges = Edges.of(shapes).once()
        start, end = edges.start / PER_METRE, edges.end / PER_METRE
        segments = shapely.linestrings(np.stack([start, end], axis=1))
        close = np.ones(len(segments), dtype=bool)
        if not everything:
            west, south, east, north = lines.bounds
            low, high = np.minimum(start, end), np.maximum(start, end)
            reach = [(west - REACH_M, south - REACH_M), (east + REACH_M, north + REACH_M)]
            close = np.asarray(((low <= reach[1]) & (high >= reach[0])).all(axis=1))
            shapely.prepare(lines)
            close[close] = shapely.dwithin(lines, segments[close], REACH_M)
        noded = shapely.union_all([shapely.multilinestrings(segments[close]), lines], grid_size=CENTIMETRE)
        faces = shapely.get_parts(shapely.polygonize(np.append(segments[~close], noded)))
        return cls._linked(*_owned(faces, shapes))

    @classmethod
    def _linked(cls, faces: np.ndarray, owner: np.ndarray) -> "Patch":
        edges = Edges.of(faces)
        keys, _ = edges.keys()
        order = np.lexsort((keys[:, 1], keys[:, 0]))
        same = np.flatnonzero((keys[order[1:]] == keys[order[:-1]]).all(axis=1))
        twin = np.full(len(order), -1)
        twin[order[same]], twin[order[same + 1]] = order[same + 1], order[same]
        return cls(faces, owner, edges, twin)

    def rim(self) -> np.ndarray:
        """The directed edges around the whole patch, as `Edges.directed`."""
        out = self.twin < 0
        return Edges(self.edges.start[out], self.edges.end[out], self.edges.owner[out]).directed()

    def links(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Face, face across, metres: once for each edge that runs between two faces, in both senses."""
        rows = np.flatnonzero(self.twin >= 0)
        return self.edges.owner[rows], self.edges.owner[self.twin[rows]], self.edges.length_m()[rows]

    def groups(self, chosen: np.ndarray) -> list[np.ndarray]:
        """The faces of the mask `chosen`, as lists of rows that hang together along edges."""
        left, right, _ = self.links()
        both = chosen[left] & chosen[right]
        near: dict[int, set[int]] = {int(row): set() for row in np.flatnonzero(chosen)}
        for one, other in zip(left[both].tolist(), right[both].tolist(), strict=True):
            near[one].add(other)
        found = []
        while near:
            first = min(near)
            waiting, seen = [first], {first}
            while waiting:
                fresh = near.pop(waiting.pop()) - seen
                seen |= fresh
                waiting += fresh
            found.append(np.array(sorted(seen)))
        return found

    def areas(self) -> np.ndarray:
        """Twice the area of each face in square centimetres, exact (int64)."""
        doubled = np.zeros(len(self.faces), dtype=np.int64)
        if len(self.edges.start):
            origin = self.edges.start.min(axis=0)
            a, b = self.edges.start - origin, self.edges.end - origin
            np.add.at(doubled, self.edges.owner, a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        return doubled


def _owned(faces: np.ndarray, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The faces that are land of a grid, and the row of that grid."""
    at = shapely.point_on_surface(faces)
    owner = np.full(len(faces), -1)
    for row, shape in enumerate(shapes):
        shapely.prepare(shape)
        inside = shapely.contains_properly(shape, at)
        owner[inside & (owner < 0)] = row
    # A crumb that a border shifted by rounding cut off may have its middle exactly on the old border.
    for face in np.flatnonzero(owner < 0):
        common = shapely.area(shapely.intersection(faces[face], shapes))
        if common.max() > faces[face].area / 2:
            owner[face] = int(common.argmax())
    land = owner >= 0
    return faces[land], owner[land]
