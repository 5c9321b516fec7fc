"""Shapes on the 1 cm grid as whole numbers: exact areas and exact borders, free of rounding.

Modelling decision: areas that must fit together keep their vertices on whole centimetres of one metric system, so that
"the same point", "the same edge" and "the same area" are questions about integers with one answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

PER_METRE = 100


def on_grid(shapes: Any) -> np.ndarray:
    """Which shapes have every vertex on a whole centimetre (to 1e-9 m of the float that stands for it)."""
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    off = (coordinates != np.rint(coordinates * PER_METRE) / PER_METRE).any(axis=1)
    result = np.ones(len(shapes), dtype=bool)
    result[owner[off]] = False
    return result


@dataclass(frozen=True, slots=True)
class Edges:
    """The directed edges of polygons, land on the left: outer rings run counter-clockwise, holes clockwise.

    `start`, `end`: (n, 2) whole centimetres; `owner`: (n,) row of the shape an edge belongs to.
    """

    start: np.ndarray
    end: np.ndarray
    owner: np.ndarray

    @classmethod
    def of(cls, shapes: Any) -> "Edges":
        """All edges of polygons and multipolygons, in the order of `shapes`; edges without length are left out."""
        shapes = np.asarray(shapes, dtype=object)
        # Parts first, rings second: an interior ring of a part must know the part's shape.
        parts, shape_of = shapely.get_parts(shapes, return_index=True)
        rings, part_of = shapely.get_rings(parts, return_index=True)
        if not len(rings):
            nothing = np.empty((0, 2), dtype=np.int64)
            return cls(nothing, nothing, np.empty(0, dtype=np.int64))
        first = np.ones(len(part_of), dtype=bool)
        first[1:] = part_of[1:] != part_of[:-1]
        coordinates, ring_of = shapely.get_coordinates(rings, return_index=True)
        whole = np.rint(coordinates * PER_METRE).astype(np.int64)
        start, end, ring = whole[:-1], whole[1:], ring_of[:-1]
        inside = (ring_of[1:] == ring) & (start != end).any(axis=1)
        start, end, ring = start[inside], end[inside], ring[inside]
        wrong = shapely.is_ccw(rings) != first
        turned = wrong[ring][:, None]
        start, end = np.where(turned, end, start), np.where(turned, start, end)
        return cls(start, end, shape_of[part_of[ring]])

    def doubled_area(self) -> int:
        """Twice the area of all shapes together, in square centimetres, exact."""
        if not len(self.start):
            return 0
        origin = self.start.min(axis=0)
        a, b = self.start - origin, self.end - origin
        return int(np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))

    def length_m(self) -> np.ndarray:
        """Length of each edge in metres."""
        return np.hypot(*(self.end - self.start).T) / PER_METRE

    def keys(self) -> tuple[np.ndarray, np.ndarray]:
        """Two whole numbers per edge that stand for it: the same pair for the same edge either way, and its sense.

        The first array is (n, 2): one number per end, the smaller first. The second is True where the edge runs from
        the smaller to the larger.
        """
        a, b = _packed(self.start), _packed(self.end)
        return np.column_stack([np.minimum(a, b), np.maximum(a, b)]), a < b

    def single(self) -> "Edges":
        """The edges that no other edge runs back along: the border of the shapes taken together."""
        if not len(self.start):
            return self
        keys, _ = self.keys()
        order = np.lexsort((keys[:, 1], keys[:, 0]))
        ordered = keys[order]
        alone = order[_alone(ordered)]
        alone.sort()
        return Edges(self.start[alone], self.end[alone], self.owner[alone])

    def once(self) -> "Edges":
        """Every edge once, whichever way it runs."""
        keys, _ = self.keys()
        order = np.lexsort((keys[:, 1], keys[:, 0]))
        ordered = keys[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
        kept = order[first]
        return Edges(self.start[kept], self.end[kept], self.owner[kept])

    def directed(self) -> np.ndarray:
        """(n, 2) packed start and end of each edge in ascending order, for comparing two sets of edges."""
        packed = np.column_stack([_packed(self.start), _packed(self.end)])
        return packed[np.lexsort((packed[:, 1], packed[:, 0]))]

    def owners_that_differ(self, other: "Edges") -> set[int]:
        """Owners whose edges here and in `other` are not the same set."""
        rows = [np.column_stack([edges.owner, _packed(edges.start), _packed(edges.end)]) for edges in (self, other)]
        both = np.concatenate(rows)
        both = both[np.lexsort(both.T)]
        return set(both[_alone(both), 0].tolist())

    def lines(self) -> np.ndarray:
        """Each edge as a line in metres."""
        return shapely.linestrings(np.stack([self.start, self.end], axis=1) / PER_METRE)


def _alone(ordered: np.ndarray) -> np.ndarray:
    """Which rows of a sorted array have no equal."""
    same = (ordered[1:] == ordered[:-1]).all(axis=1)
    alone = np.ones(len(ordered), dtype=bool)
    alone[1:] &= ~same
    alone[:-1] &= ~same
    return alone


def _packed(points: np.ndarray) -> np.ndarray:
    # 2^31 cm are 21,000 km: every coordinate of a metric system fits in half of a 64-bit number.
    return (points[:, 0] << 32) + (points[:, 1] + (1 << 31))


def doubled_area(shapes: Iterable[shapely.Geometry] | np.ndarray) -> int:
    """Twice the area of shapes on the 1 cm grid, in square centimetres, exact; shapes must be valid polygons."""
    return Edges.of(np.array(list(shapes), dtype=object)).doubled_area()
