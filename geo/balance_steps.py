"""A plan as transfers one after the other, each of which leaves all grids whole: what a draft can replay.

The blocks that pass from one grid to another go as connected pieces. A piece waits until its source stays whole without
it and its target is whole with it; where whole pieces block each other, single blocks go first. Blocks that can go at no time stay where they are, and the plan is
then the one without them: a grid that a plan puts somewhere else altogether cannot get there by transfers.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .balance_moves import Assignment
from .blocks import Blocks


@dataclass(frozen=True, slots=True)
class Step:
    """Blocks that pass from one grid to another at once; they hang together."""

    source: int
    target: int
    blocks: tuple[int, ...]


def steps(
    blocks: Blocks, grid: npt.NDArray[np.int64], locked: frozenset[int] = frozenset()
) -> tuple[list[Step], npt.NDArray[np.int64]]:
    """The transfers that lead from today to `grid`, and the plan they lead to: `grid`, or less where some cannot go."""
    state = Assignment(blocks, locked)
    wanted = grid.tolist()
    done: list[Step] = []
    while pieces := _pieces(state, wanted):
        if not (
            sum(_gives(state, piece, done) for piece in pieces)
            or any(_gives_one(state, piece, done) for piece in pieces)
        ):
            break
    return _joined(done), np.array(state.grid, dtype=np.int64)


def _pieces(state: Assignment, wanted: list[int]) -> list[Step]:
    """Connected blocks with the same way to go, the largest first."""
    left = {block for block, target in enumerate(wanted) if target != state.grid[block]}
    found = []
    for first in sorted(left):
        if first not in left:
            continue
        source, target = state.grid[first], wanted[first]
        left.discard(first)
        piece, front = [first], [first]
        while front:
            for other, _ in state.near[front.pop()]:
                if other in left and state.grid[other] == source and wanted[other] == target:
                    left.discard(other)
                    piece.append(other)
                    front.append(other)
        found.append(Step(source, target, tuple(sorted(piece))))
    return sorted(found, key=lambda step: (-len(step.blocks), step.blocks))


def _gives(state: Assignment, step: Step, done: list[Step]) -> bool:
    """Make the transfer if both grids are whole afterwards; whether it was made."""
    if len(step.blocks) >= len(state.inside[step.source]):
        return False
    before = state.parts(step.source), state.parts(step.target)
    for block in step.blocks:
        state.move(block, step.target)
    if state.parts(step.source) <= before[0] and state.parts(step.target) <= before[1]:
        done.append(step)
        return True
    for block in step.blocks:
        state.move(block, step.source)
    return False


def _gives_one(state: Assignment, step: Step, done: list[Step]) -> bool:
    """Make the transfer with one block of the piece alone; whether one could go."""
    return len(step.blocks) > 1 and any(
        _gives(state, Step(step.source, step.target, (block,)), done) for block in step.blocks
    )


def _joined(done: list[Step]) -> list[Step]:
    """Transfers on the same way that follow each other, made one."""
    joined: list[Step] = []
    for step in done:
        if joined and (joined[-1].source, joined[-1].target) == (step.source, step.target):
            joined[-1] = Step(step.source, step.target, tuple(sorted(joined[-1].blocks + step.blocks)))
        else:
            joined.append(step)
    return joined
