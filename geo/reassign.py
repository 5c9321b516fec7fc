"""The one way in which land changes hands: pieces are claimed, the land around is cut once, faces change their label.

Modelling decisions (why it is done so: pairwise cutting gave gaps within twenty edits, in floats and on a grid alike):

- What is claimed is cut to the grids that hold it first (`claims`).
- Before anything is given back: no grid disappears unless it was claimed whole, none falls into more parts than it
  had, the rim of the patch is the same edge by edge, the area the same to the square centimetre, and the shapes are a
  coverage. Else the claim is refused; nothing is mended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from .centimetres import Edges
from .claims import Claim, at_least_as_wide, cut_claims
from .crs import CENTIMETRE
from .partition import NEIGHBOUR_M, Partition
from .patch import REACH_M, Patch
from .refusals import RefusedError
from .words import Text

# Two neighbours are equally near when the shorter stretch of border is at least this share of the longer.
CLOSE_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Move:
    """One piece of land that changed hands, in metres and square metres."""

    source: str
    target: str
    piece: shapely.Geometry
    area_m2: float


@dataclass(frozen=True, slots=True)
class Settled:
    """What the claims come to: new shape per changed grid (None: it ends), moves, and how far a vertex was moved to
    end on the outline or on a locked border."""

    shapes: dict[str, shapely.Geometry | None]
    moves: tuple[Move, ...]
    snapped_m: float = 0.0


def reassign(
    partition: Partition, claims: Sequence[Claim], *, min_width_m: float, parts: Mapping[str, int] | None = None
) -> Settled:
    """Settle claims on the land of a partition, which itself is not touched.

    Parameters
    ----------
    partition
        The grids.
    claims
        Pieces of one source must not overlap.
    min_width_m
        Pieces thinner than this are left out.
    parts
        How many parts a grid that begins may have; one where nothing is said.

    Raises
    ------
    RefusedError
        With the reason and the piece.
    """
    kept, snapped_m = cut_claims(partition, claims, min_width_m=min_width_m)
    drawn = [claim.piece for claim in kept if claim.piece is not None]
    named = {name for claim in kept for name in (claim.source, claim.target) if name in partition.shapes}
    if not drawn:
        return _Settling(partition, kept, sorted(named), None, min_width_m, parts or {}).settle()
    lines = shapely.union_all(shapely.boundary(drawn), grid_size=CENTIMETRE)
    around = sorted({*partition.near(shapely.union_all(drawn), REACH_M), *named})
    settling = _Settling(partition, kept, around, lines, min_width_m, parts or {})
    try:
        settled = settling.settle()
    except (_NotExactError, shapely.errors.GEOSException):
        # Rounding met a vertex that is not near the drawing. With the next ring of grids noded as well, both sides of
        # every border that gives way by a fraction of a centimetre are in the patch.
        wider = {name for code in around for name in partition.near(partition.shapes[code], REACH_M)}
        again = _Settling(partition, kept, sorted(wider), lines, min_width_m, parts or {}, everything=True)
        settled = again.settle()
    return Settled(settled.shapes, settled.moves, snapped_m)


class _NotExactError(RefusedError):
    """The patch does not fit; worth a second try with a wider one."""


@dataclass(slots=True)
class _Settling:
    """One try with one patch."""

    partition: Partition
    claims: list[Claim]
    around: list[str]
    lines: shapely.Geometry | None
    min_width_m: float
    parts: Mapping[str, int]
    everything: bool = False
    old: np.ndarray = field(init=False)
    names: list[str] = field(init=False)
    patch: Patch = field(init=False)
    label: np.ndarray = field(init=False)

    def settle(self) -> Settled:
        self.old = np.array([self.partition.shapes[code] for code in self.around], dtype=object)
        begin = sorted({claim.target for claim in self.claims if claim.target is not None} - set(self.around))
        self.names = self.around + begin
        if self.lines is None:
            self.patch = Patch.whole(self.old)
        else:
            self.patch = Patch.cut(self.old, self.lines, everything=self.everything)
        edges = Edges.of(self.old)
        rim = edges.single().directed()
        if not np.array_equal(self.patch.rim(), rim):
            raise _NotExactError("not_exact", self._drawing(), codes=self.around)
        self._hand_over()
        shapes = self._dissolve(edges)
        require_fit(self.partition, self.around, shapes, self._drawing())
        return Settled(shapes, self._moves())

    def _hand_over(self) -> None:
        """Give each face the row of the grid it belongs to now (`label`)."""
        patch, row_of = self.patch, {name: row for row, name in enumerate(self.names)}
        self.label = patch.owner.copy()
        at = shapely.point_on_surface(patch.faces)
        open_claims = []
        claimed = np.zeros(len(at), dtype=bool)
        for claim in self.claims:
            mine = (patch.owner == row_of[claim.source]) & ~claimed
            if claim.piece is not None:
                mine &= shapely.intersects(claim.piece, at)
            claimed |= mine
            if claim.target is None:
                open_claims.append((claim, mine))
            else:
                self.label[mine] = row_of[claim.target]
        given_up = np.zeros(len(at), dtype=bool)
        for _, mine in open_claims:
            given_up |= mine
        for claim, mine in open_claims:
            for group in patch.groups(mine):
                self.label[group] = self._heir(group, claim, given_up)
        self._require_neighbours(row_of)

    def _heir(self, group: np.ndarray, claim: Claim, given_up: np.ndarray) -> int:
        """Row of the neighbour with the longest border to the faces of `group`."""
        left, right, metres = self.patch.links()
        out = np.isin(left, group) & ~given_up[right]
        length = np.bincount(self.label[right[out]], weights=metres[out], minlength=len(self.names))
        length[self.names.index(claim.source)] = 0.0
        piece = self._land(group)
        order = np.argsort(-length, kind="stable")
        first, second = order[0], order[1] if len(order) > 1 else order[0]
        if length[first] <= NEIGHBOUR_M:
            raise RefusedError(
                "not_neighbours",
                piece,
                codes=[claim.source],
                what=Text("划出的这块地旁边没有别的网格可以接收。", "No other grid borders on the land given up."),
                mend=Text("若要在里面单设网格，请用“划出专属网格”。", "To set up a grid within, use carve."),
            )
        if second != first and length[second] >= CLOSE_SHARE * length[first]:
            raise RefusedError("ambiguous", piece, codes=sorted([self.names[first], self.names[second]]))
        if self.names[first] in self.partition.locked:
            raise RefusedError("locked", piece, codes=[self.names[first]])
        return int(first)

    def _require_neighbours(self, row_of: Mapping[str, int]) -> None:
        """Every piece that goes to a grid that was there before borders on that grid's own land."""
        patch = self.patch
        left, right, metres = patch.links()
        # A grid that ends brings all its parts along; that it borders on its heir was asked before.
        wholly = [row_of[claim.source] for claim in self.claims if claim.piece is None]
        piece = ~np.isin(patch.owner, wholly)
        for target in sorted({self.names[row] for row in np.unique(self.label[self.label != patch.owner])}):
            row = row_of[target]
            if target not in self.partition.shapes:
                continue
            own = (patch.owner == row) & (self.label == row)
            for group in patch.groups(piece & (patch.owner != row) & (self.label == row)):
                border = np.isin(left, group) & own[right]
                if metres[border].sum() <= NEIGHBOUR_M:
                    raise RefusedError("not_neighbours", self._land(group), codes=[target])

    def _dissolve(self, edges: Edges) -> dict[str, shapely.Geometry | None]:
        """New shape per grid that changes."""
        wholly = {claim.source for claim in self.claims if claim.piece is None}
        shapes = self._shapes(edges, wholly)
        crumbs = self._crumbs(shapes, wholly)
        if crumbs:
            for group in crumbs:
                self.label[group] = self._next_to(group)
            shapes = self._shapes(edges, wholly)
        for name, shape in shapes.items():
            if shape is not None and shapely.get_num_geometries(shape) > self._allowed(name, wholly):
                raise RefusedError(
                    "cut_in_two", min(shapely.get_parts(shape), key=lambda part: part.area), codes=[name]
                )
        return shapes

    def _shapes(self, edges: Edges, wholly: set[str]) -> dict[str, shapely.Geometry | None]:
        patch = self.patch
        across = np.where(patch.twin >= 0, self.label[patch.edges.owner[patch.twin]], -1)
        mine = self.label[patch.edges.owner]
        rim = across != mine
        now = Edges(patch.edges.start[rim], patch.edges.end[rim], mine[rim])
        changed = edges.owners_that_differ(now) | set(range(len(self.around), len(self.names)))
        shapes: dict[str, shapely.Geometry | None] = {}
        for row, name in enumerate(self.names):
            # A vertex more on the border is a change too: the new border of a neighbour ends there.
            if row not in changed:
                continue
            faces = patch.faces[self.label == row]
            if len(faces):
                shapes[name] = shapely.coverage_union_all(faces)
            elif name in wholly:
                shapes[name] = None
            elif name in self.partition.shapes:
                raise RefusedError("swallowed", self.partition.shapes[name], codes=[name])
            else:
                raise RefusedError("no_change", self._drawing(), codes=[name])
        return shapes

    def _allowed(self, name: str, wholly: set[str]) -> int:
        """Parts that a grid may have: those it had, and those that grids merged into it bring along."""
        shapes = self.partition.shapes
        before = shapely.get_num_geometries(shapes[name]) if name in shapes else self.parts.get(name, 1)
        into = {claim.source for claim in self.claims if claim.source in wholly and claim.target == name}
        return before + sum(shapely.get_num_geometries(shapes[code]) - 1 for code in into)

    def _crumbs(self, shapes: Mapping[str, shapely.Geometry | None], wholly: set[str]) -> list[np.ndarray]:
        """Faces that a wobbling line cut off a grid: detached, and thinner than what counts as land to be moved."""
        found = []
        for row, name in enumerate(self.names):
            shape = shapes.get(name)
            if shape is None or shapely.get_num_geometries(shape) <= self._allowed(name, wholly):
                continue
            groups = sorted(self.patch.groups(self.label == row), key=lambda group: -self._land(group).area)
            rest = groups[self._allowed(name, wholly) :]
            wide = at_least_as_wide(np.array([self._land(group) for group in rest]), self.min_width_m)
            found += [group for group, kept in zip(rest, wide, strict=True) if not kept]
        return found

    def _next_to(self, group: np.ndarray) -> int:
        left, right, metres = self.patch.links()
        own = self.label[group[0]]
        out = np.isin(left, group) & (self.label[right] != own)
        free = np.array([name not in self.partition.locked for name in self.names])
        length = np.bincount(self.label[right[out]], weights=metres[out], minlength=len(self.names)) * free
        return int(length.argmax()) if length.max() > 0 else int(own)

    def _moves(self) -> tuple[Move, ...]:
        patch = self.patch
        changed = np.flatnonzero(self.label != patch.owner)
        pairs = sorted({(int(patch.owner[face]), int(self.label[face])) for face in changed})
        moves = []
        for source, target in pairs:
            land = self._land(np.flatnonzero((patch.owner == source) & (self.label == target)))
            # Rounding shifts a border by up to a centimetre; that is not a piece anybody moved.
            parts = shapely.get_parts(land)
            for part in parts[at_least_as_wide(parts, 2 * CENTIMETRE)]:
                moves.append(Move(self.names[source], self.names[target], part, float(part.area)))
        return tuple(moves)

    def _land(self, faces: np.ndarray) -> shapely.Geometry:
        return shapely.coverage_union_all(self.patch.faces[faces])

    def _drawing(self) -> shapely.Geometry | None:
        return self.lines


def require_fit(
    partition: Partition,
    around: Sequence[str],
    shapes: Mapping[str, shapely.Geometry | None],
    place: shapely.Geometry | None,
) -> None:
    """Refuse new shapes that would touch a locked grid, change the rim or the area, or not be a coverage.

    `around`: every grid that the new shapes could touch; those without a new shape stay as they are.
    """
    held = sorted(set(shapes) & partition.locked)
    if held:
        raise RefusedError("locked", place, codes=held)
    new = [shape for shape in shapes.values() if shape is not None]
    was = [partition.shapes[code] for code in shapes if code in partition.shapes]
    still = [partition.shapes[code] for code in around if code not in shapes]
    before, after = Edges.of(was), Edges.of(new)
    fits = (
        np.array_equal(after.single().directed(), before.single().directed())
        and after.doubled_area() == before.doubled_area()
        and bool(shapely.is_valid(new).all())
        and bool(shapely.coverage_is_valid([*new, *still]))
    )
    if not fits:
        raise _NotExactError("not_exact", place, codes=sorted(shapes))
