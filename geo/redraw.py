"""What each drawing operation means, as claims on land; `reassign` settles them.

Modelling decisions:

- The grid drawn keeps its code; a split ends its grid and begins two; merged grids end unless one gives its name.
- An operation either happens as drawn or is refused with the reason and the piece of land in question.
- The partition is not touched: the outcome is the preview, and `Partition.replace(outcome.shapes)` does it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from .borderlines import cut_off, cut_through
from .centimetres import doubled_area
from .claims import Claim, no_vertex_near, wide_parts
from .corners import moved_corner
from .operations import Operation
from .partition import Partition
from .reassign import Move, Settled, reassign
from .refusals import RefusedError
from .words import Text

NewCodes = Callable[[str, tuple[str, ...], Sequence[shapely.Geometry]], list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation would do.

    `shapes`: new shape of every grid that changes, None for one that ends; `moves`: the pieces of land that change
    hands; `lineage`: (ended or cut grid, grid that takes over, share of the old area) for grids that begin or end;
    `snapped_m`: how far an end of the drawing was moved along the outline, or a locked border, to an existing vertex.
    """

    shapes: dict[str, shapely.Geometry | None]
    moves: tuple[Move, ...]
    lineage: tuple[tuple[str, str, float], ...] = ()
    snapped_m: float = 0.0


def perform(partition: Partition, operation: Operation, *, new_codes: NewCodes) -> Outcome:
    """Work out an operation.

    Parameters
    ----------
    partition
        The grids as they are; left as it is.
    operation
        What was drawn, see `operations.parse`.
    new_codes
        Gives codes to the grids that begin: (operation, grids they come from, their shapes) to one code per shape.
        Not asked when the operation brings its codes along.

    Raises
    ------
    RefusedError
        With reason and piece; see `refusals`.
    """
    _require_known(partition, operation)
    try:
        return _PERFORM[operation.op](_Act(partition, operation, new_codes))
    except shapely.errors.GEOSException as fault:
        # A drawing that the geometry engine gives up on cannot be carried out exactly.
        raise RefusedError("not_exact", operation.shape, codes=operation.grids) from fault


@dataclass(frozen=True, slots=True)
class _Act:
    partition: Partition
    operation: Operation
    new_codes: NewCodes

    @property
    def shape(self) -> shapely.Geometry:
        if self.operation.shape is None:
            raise RefusedError("malformed")
        return self.operation.shape

    @property
    def grid(self) -> shapely.Geometry:
        return self.partition.shapes[self.operation.grids[0]]

    def settle(self, claims: Sequence[Claim], **options: dict[str, int]) -> Settled:
        return reassign(self.partition, claims, min_width_m=self.operation.min_width_m, **options)

    def gained(self, land: shapely.Geometry) -> list[Claim]:
        """Claims of the first grid on the land of others."""
        # The wobble along the whole border goes first, so that most neighbours need not be looked at.
        wide, mine = wide_parts(land, self.operation.min_width_m), self.operation.grids[0]
        if wide is None:
            return []
        around = [code for code in self.partition.near(wide, 0.0) if code != mine]
        self.require_left(wide, around)
        return [Claim(code, mine, wide) for code in around]

    def require_left(self, land: shapely.Geometry, codes: Sequence[str]) -> None:
        """Refuse a drawing that covers whole grids, before each is looked at one by one."""
        shapely.prepare(land)
        shapes = np.array([self.partition.shapes[code] for code in codes], dtype=object)
        covered = np.flatnonzero(shapely.covers(land, shapes))
        if len(covered):
            gone = shapely.coverage_union_all(shapes[covered])
            raise RefusedError("swallowed", gone, codes=[codes[row] for row in covered.tolist()])

    def name(
        self, sources: tuple[str, ...], shapes: Sequence[shapely.Geometry], brought: tuple[str, ...] = ()
    ) -> list[str]:
        """Codes for grids that begin: none that is in use, none twice."""
        brought = brought or self.operation.codes
        codes = list(brought) if brought else self.new_codes(self.operation.op, sources, shapes)
        if len(codes) != len(shapes) or len(set(codes)) != len(codes):
            raise RefusedError("malformed", what=Text("新网格的编码数目不对。", "The number of new codes is wrong."))
        used = [code for code in codes if code in self.partition]
        if used:
            raise RefusedError(
                "malformed",
                codes=used,
                what=Text(f"编码 {used[0]} 已在使用。", f"The code {used[0]} is in use."),
            )
        return codes


def _require_known(partition: Partition, operation: Operation) -> None:
    named = [*operation.grids, operation.give_to]
    if operation.op in ("transfer", "dissolve"):
        named.append(operation.into)
    unknown = [code for code in named if code is not None and code not in partition]
    if unknown:
        raise RefusedError("ended" if partition.ended.issuperset(unknown) else "unknown_grid", codes=unknown)
    held = sorted({code for code in named if code is not None} & partition.locked)
    if held:
        raise RefusedError("locked", operation.shape or partition.shapes[held[0]], codes=held)
    if operation.give_to is not None and operation.give_to in operation.grids:
        raise RefusedError("malformed", what=Text("不能划给自己。", "A grid cannot give land to itself."))


def _redraw(act: _Act) -> Outcome:
    """The parts of the grid that the ring meets become the ring; holes stay unless they were drawn too."""
    ring, mine = act.shape, act.operation.grids[0]
    parts = shapely.get_parts(act.grid)
    met = shapely.area(shapely.intersection(parts, ring)) > 0
    if not met.any():
        raise RefusedError("misses", ring, codes=[mine])
    old = shapely.union_all(parts[met])
    if not act.operation.holes:
        holes = [shapely.polygons(hole) for part in parts[met] for hole in part.interiors]
        ring = shapely.difference(ring, shapely.union_all(holes)) if holes else ring
    others = shapely.union_all(parts[~met])
    gained, lost = shapely.difference(shapely.difference(ring, old), others), shapely.difference(old, ring)
    settled = act.settle([*act.gained(gained), Claim(mine, act.operation.give_to, lost)])
    return Outcome(settled.shapes, settled.moves, snapped_m=settled.snapped_m)


def _push(act: _Act) -> Outcome:
    """The drawn line takes the place of the stretch of border between its two ends."""
    mine = act.operation.grids[0]
    gained, lost = cut_off(act.partition, mine, act.shape, reach_m=act.operation.reach_m, give_to=act.operation.give_to)
    claims = [*act.gained(gained), Claim(mine, act.operation.give_to, lost)]
    settled = act.settle([claim for claim in claims if claim.piece is not None and not claim.piece.is_empty])
    return Outcome(settled.shapes, settled.moves, snapped_m=settled.snapped_m)


def _corner(act: _Act) -> Outcome:
    settled = moved_corner(act.partition, act.shape, reach_m=act.operation.reach_m)
    return Outcome(settled.shapes, settled.moves)


def _transfer(act: _Act) -> Outcome:
    giver, taker = act.operation.grids[0], act.operation.into
    if not shapely.intersects(act.shape, act.grid):
        raise RefusedError("misses", act.shape, codes=[giver])
    settled = act.settle([Claim(giver, taker, act.shape)])
    return Outcome(settled.shapes, settled.moves, snapped_m=settled.snapped_m)


def _split(act: _Act) -> Outcome:
    old, line = act.operation.grids[0], act.shape
    right = cut_through(act.grid, line, code=old, reach_m=act.operation.reach_m)
    try:
        settled = act.settle([Claim(old, _BEGINS, right)], parts={_BEGINS: len(shapely.get_parts(act.grid))})
    except RefusedError as refused:
        if refused.reason == "swallowed":  # one half shrank to nothing when its ends moved along the outline
            raise no_vertex_near(line, [old]) from None
        raise
    shapes = dict(settled.shapes)
    halves = [_land(shapes.pop(old)), _land(shapes.pop(_BEGINS))]
    codes = act.name((old,), halves)
    moves = [Move(old, code, half, float(half.area)) for code, half in zip(codes, halves, strict=True)]
    # Of the land that is divided, not of what it was: where the new border ends the old one may give way by a hair.
    share = doubled_area(halves[:1]) / doubled_area(halves)
    lineage = ((old, codes[0], share), (old, codes[1], 1.0 - share))
    new = {**shapes, old: None, **dict(zip(codes, halves, strict=True))}
    return Outcome(new, tuple(moves), lineage, settled.snapped_m)


def _merge(act: _Act) -> Outcome:
    grids, into = act.operation.grids, act.operation.into
    if into is not None and into in act.partition and into not in grids:
        raise RefusedError(
            "malformed",
            codes=[into],
            what=Text(f"网格 {into} 不在要合并的网格之中。", f"Grid {into} is not among those to be merged."),
        )
    together = shapely.coverage_union_all([act.partition.shapes[code] for code in grids])
    _require_joined(act.partition, grids)
    if into is None or into not in grids:
        target = act.name(grids, [together], brought=(into,) if into is not None else ())[0]
    else:
        target = into
    settled = act.settle([Claim(code, target) for code in grids if code != target])
    ended = [(code, target, act.partition.shapes[code]) for code in grids if code != target]
    return Outcome(settled.shapes, settled.moves, _shares(ended, act.partition))


def _dissolve(act: _Act) -> Outcome:
    old, into = act.operation.grids[0], act.operation.into or act.operation.give_to
    around = act.partition.neighbours(old)
    if not around or (into is not None and into not in around):
        raise RefusedError("not_neighbours", act.grid, codes=[into or old])
    longest = sorted(around, key=lambda code: (-around[code], code))
    target = into or longest[0]
    if target in act.partition.locked:
        raise RefusedError("locked", act.grid, codes=[target])
    settled = act.settle([Claim(old, target)])
    return Outcome(settled.shapes, settled.moves, _shares([(old, target, act.grid)], act.partition))


def _recode(act: _Act) -> Outcome:
    """The same land under another code: nothing is drawn, but the old code ends."""
    old, into = act.operation.grids[0], act.operation.into
    if into is not None and into in act.partition:
        raise RefusedError(
            "malformed", codes=[into], what=Text(f"编码 {into} 已在使用。", f"The code {into} is in use.")
        )
    code = into if into is not None and not act.operation.codes else act.name((old,), [act.grid])[0]
    shapes = {old: None, code: act.grid}
    return Outcome(shapes, (Move(old, code, act.grid, float(act.grid.area)),), ((old, code, 1.0),))


def _carve(act: _Act) -> Outcome:
    ring = act.shape
    sources = act.partition.near(ring, 0.0)
    if not sources:
        raise RefusedError("misses", ring)
    act.require_left(ring, sources)
    settled = act.settle([Claim(code, _BEGINS, ring) for code in sources])
    shapes = dict(settled.shapes)
    carved = _land(shapes.pop(_BEGINS))
    givers = tuple(sorted({move.source for move in settled.moves}))
    code = act.name(givers, [carved])[0]
    moves = tuple(Move(move.source, code, move.piece, move.area_m2) for move in settled.moves)
    pieces = [(move.source, code, move.piece) for move in settled.moves]
    return Outcome({**shapes, code: carved}, moves, _shares(pieces, act.partition), settled.snapped_m)


# Stands for a grid that begins until it has a code; no code is empty.
_BEGINS = ""


def _land(shape: shapely.Geometry | None) -> shapely.Geometry:
    if shape is None:
        raise RefusedError("no_change")
    return shape


def _require_joined(partition: Partition, grids: tuple[str, ...]) -> None:
    apart = partition.apart(grids)
    if apart:
        raise RefusedError(
            "not_neighbours",
            partition.shapes[apart[0]],
            codes=apart,
            what=Text(f"网格 {apart[0]} 与其余的不相邻，不能合并。", f"Grid {apart[0]} does not border on the others."),
            mend=Text("只能合并有共同边界的网格。", "Only grids that share a border can be merged."),
        )


def _shares(
    pieces: Sequence[tuple[str, str, shapely.Geometry]], partition: Partition
) -> tuple[tuple[str, str, float], ...]:
    """(old, new, share of the area of the old grid), one row per pair."""
    whole: dict[tuple[str, str], int] = {}
    for old, new, piece in pieces:
        whole[old, new] = whole.get((old, new), 0) + doubled_area([piece])
    return tuple((old, new, area / doubled_area([partition.shapes[old]])) for (old, new), area in whole.items())


_PERFORM: dict[str, Callable[[_Act], Outcome]] = {
    "redraw": _redraw,
    "push": _push,
    "corner": _corner,
    "transfer": _transfer,
    "split": _split,
    "merge": _merge,
    "carve": _carve,
    "dissolve": _dissolve,
    "recode": _recode,
}
