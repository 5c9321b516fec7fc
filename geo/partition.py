"""Land fully divided among grids: the shapes, where they lie, and what of them must never change.

Modelling decisions:

- Shapes lie on the 1 cm grid of one metric system and match vertex by vertex along their common borders.
- The outline is the border of the land as it was at the beginning. It is kept as whole-number edges; no edit may add,
  move or remove one.
- Neighbours share more than one metre of border; a common corner does not make neighbours.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import rtree.index
import shapely

from .centimetres import Edges, on_grid
from .refusals import RefusedError
from .words import Text

NEIGHBOUR_M = 1.0
_POLYGONAL = (3, 6)
_MOST_BOXES = 1_000
Box = tuple[float, float, float, float]


class Partition:
    """Grids that divide land among them without gap or overlap.

    Parameters
    ----------
    codes
        One code per shape, each once.
    shapes
        Polygons or multipolygons in one metric system (metres), vertices on whole centimetres.
    outline
        The land they must fill; None when it is simply all of them together.

    Attributes
    ----------
    shapes
        Code to shape, as it is now.
    outline
        The land, (multi)polygon.
    locked
        Codes of grids that must not change; the caller adds and removes.
    ended
        Codes of grids that `replace` took away and has not put back.

    Raises
    ------
    RefusedError
        `not_exact` when a vertex is off the 1 cm grid, `not_a_coverage` when shapes overlap, are invalid, do not match
        along a border or do not fill `outline`; the piece shows where.
    """

    def __init__(
        self,
        codes: Iterable[str],
        shapes: Iterable[shapely.Geometry],
        outline: shapely.Geometry | None = None,
    ) -> None:
        named = [str(code) for code in codes]
        array = np.array(list(shapes), dtype=object)
        _require_coverage(named, array)
        self.shapes: dict[str, shapely.Geometry] = dict(zip(named, array, strict=True))
        self.locked: set[str] = set()
        self.ended: set[str] = set()
        together = shapely.coverage_union_all(array)
        border = Edges.of([together])
        self._border = border.directed()
        if outline is not None and not np.array_equal(Edges.of([outline]).directed(), self._border):
            piece = shapely.symmetric_difference(outline, together, grid_size=0.01)
            if piece.area > 0:
                raise RefusedError(
                    "not_a_coverage",
                    piece,
                    what=Text("网格没有铺满所给的范围。", "The grids do not fill the given outline."),
                )
        self.outline: shapely.Geometry = together
        shapely.prepare(self.outline)
        self.outline_edges = border.lines()
        self.outline_tree = shapely.STRtree(self.outline_edges)
        self._number = {code: row for row, code in enumerate(named)}
        self._code = dict(enumerate(named))
        self._next = len(named)
        boxes = [tuple(box) for box in shapely.bounds(array).tolist()]
        self._box: dict[str, Box] = dict(zip(named, boxes, strict=True))
        self._index = _indexed(self._number, self._box)

    def __len__(self) -> int:
        return len(self.shapes)

    def __contains__(self, code: object) -> bool:
        return code in self.shapes

    def near(self, geometry: shapely.Geometry, distance_m: float = 0.03) -> list[str]:
        """Codes of the grids within `distance_m` of `geometry`, ascending."""
        if geometry.is_empty or not self.shapes:
            return []
        west, south, east, north = geometry.bounds
        box = (west - distance_m, south - distance_m, east + distance_m, north + distance_m)
        found = sorted(self._code[row] for row in self._index.intersection(box) if row in self._code)
        if not found:
            return []
        shapely.prepare(geometry)
        close = shapely.dwithin(geometry, np.array([self.shapes[code] for code in found], dtype=object), distance_m)
        return [code for code, kept in zip(found, close, strict=True) if kept]

    def neighbours(self, code: str) -> dict[str, float]:
        """Grids that share more than a metre of border with `code`, each with the length in metres."""
        if code not in self.shapes:
            raise RefusedError("unknown_grid", codes=[code])
        around = [other for other in self.near(self.shapes[code]) if other != code]
        edges = Edges.of([self.shapes[name] for name in [code, *around]])
        keys, _ = edges.keys()
        order = np.lexsort((edges.owner, keys[:, 1], keys[:, 0]))
        pair = (keys[order[1:]] == keys[order[:-1]]).all(axis=1)
        first, second = order[:-1][pair], order[1:][pair]
        mine = edges.owner[first] == 0
        length = np.bincount(
            edges.owner[second[mine]], weights=edges.length_m()[first[mine]], minlength=len(around) + 1
        )
        return {name: float(metres) for name, metres in zip(around, length[1:], strict=True) if metres > NEIGHBOUR_M}

    def apart(self, codes: Sequence[str]) -> list[str]:
        """Those of `codes` that do not hang together with the first along the borders of the others."""
        waiting, seen = [codes[0]], {codes[0]}
        while waiting:
            fresh = set(self.neighbours(waiting.pop())) & set(codes) - seen
            seen |= fresh
            waiting += sorted(fresh)
        return [code for code in codes if code not in seen]

    def replace(self, new: Mapping[str, shapely.Geometry | None]) -> dict[str, shapely.Geometry | None]:
        """Put shapes in place (None takes a grid away) and give back what was there: the record that undoes it.

        Nothing is checked: `redraw.perform` has done that. `replace(replace(new))` restores the very same objects.
        """
        before: dict[str, shapely.Geometry | None] = {}
        for code, shape in new.items():
            before[code] = self.shapes.get(code)
            if shape is None:
                if code in self.shapes:
                    del self.shapes[code]
                    self._forget(code)
                    self.ended.add(code)
                continue
            self.shapes[code] = shape
            self.ended.discard(code)
            box = shape.bounds
            kept = self._box.get(code)
            # A box that is too large costs a look; most edits leave a grid within its old one.
            if kept is None or not (
                kept[0] <= box[0] and kept[1] <= box[1] and kept[2] >= box[2] and kept[3] >= box[3]
            ):
                self._forget(code)
                self._remember(code, box)
        return before

    def _remember(self, code: str, box: Box) -> None:
        row, self._next = self._next, self._next + 1
        self._number[code], self._code[row], self._box[code] = row, code, box
        self._index.insert(row, box)

    def _forget(self, code: str) -> None:
        # Taking a box out of an R-tree shuffles its neighbours about, at 20,000 grids for milliseconds; it is cheaper to
        # leave it there without a grid, and to begin anew once there are many.
        if code in self._number:
            del self._code[self._number.pop(code)], self._box[code]
        if self._next > _MOST_BOXES + 2 * len(self._number):
            self._number = {name: row for row, name in enumerate(self._number)}
            self._code = dict(enumerate(self._number))
            self._next = len(self._number)
            self._index = _indexed(self._number, self._box)

    def doubled_area(self) -> int:
        """Twice the area of all grids in square centimetres, exact."""
        return self._edges().doubled_area()

    def is_valid(self) -> bool:
        """Whether the grids are a coverage and their outer border is, edge by edge, the one of the beginning."""
        array = np.array(list(self.shapes.values()), dtype=object)
        return bool(shapely.coverage_is_valid(array)) and np.array_equal(
            self._edges().single().directed(), self._border
        )

    def _edges(self) -> Edges:
        return Edges.of(np.array(list(self.shapes.values()), dtype=object))


def _indexed(number: Mapping[str, int], box: Mapping[str, Box]) -> rtree.index.Index:
    if not number:  # a stream of nothing is an error
        return rtree.index.Index(interleaved=True)
    return rtree.index.Index(((row, box[code], None) for code, row in number.items()), interleaved=True)


def _require_coverage(codes: list[str], shapes: np.ndarray) -> None:
    if len(codes) != len(shapes) or len(set(codes)) != len(codes):
        twice = sorted({code for code in codes if codes.count(code) > 1})[:20] if len(codes) < 5000 else []
        raise RefusedError(
            "not_a_coverage",
            codes=twice,
            what=Text("每个网格须有一个编码，且只出现一次。", "Every grid needs one code, used once."),
        )
    bad = ~np.isin(shapely.get_type_id(shapes), _POLYGONAL) | shapely.is_empty(shapes) | ~shapely.is_valid(shapes)
    if bad.any():
        rows = np.flatnonzero(bad)
        raise RefusedError(
            "not_a_coverage",
            next((shape for shape in shapes[rows] if shape is not None and not shape.is_empty), None),
            codes=[codes[row] for row in rows],
            what=Text("有网格没有有效的面。", "Some grids have no valid polygon."),
        )
    off = ~on_grid(shapes)
    if off.any():
        rows = np.flatnonzero(off)
        raise RefusedError(
            "not_exact",
            shapes[rows[0]],
            codes=[codes[row] for row in rows],
            what=Text("有网格的坐标不在厘米格上。", "Some grids are not on the centimetre grid."),
            mend=Text("请先取整到厘米。", "Round them to the centimetre first."),
        )
    wrong = shapely.coverage_invalid_edges(shapes)
    rows = np.flatnonzero(~shapely.is_empty(wrong))
    if len(rows):
        found = [codes[row] for row in rows]
        raise RefusedError("not_a_coverage", _where(shapes[rows], wrong[rows]), codes=found)


def _where(shapes: np.ndarray, edges: np.ndarray) -> shapely.Geometry:
    """The land claimed twice by the first pairs, or the edges that do not match when there is none."""
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes[:50], predicate="intersects")
    pairs = left < right
    common = shapely.intersection(shapes[left[pairs]], shapes[right[pairs]])
    land = [part for part in shapely.get_parts(common) if part.geom_type == "Polygon" and part.area > 0]
    return shapely.multipolygons(land) if land else shapely.union_all(edges[:50])
