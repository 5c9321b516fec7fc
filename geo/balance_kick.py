"""Out of a dead end: one heavy block is made to change its grid, and the grids around pass on what is then too much.

A grid of two heavy blocks is too heavy with both and too light with one: no single step and no flow makes it better, only
an exchange. So a block of the worst grid goes to a neighbour whatever that costs, load is handed over among the grids
near by and the plan searched there, and the outcome is kept when the plan became cheaper.
"""

from collections.abc import Callable

import numpy as np

from .balance_flow import hand_over
from .balance_moves import Assignment
from .balance_polish import mean_border, polish, price

_TRIES = 6  # heaviest blocks tried for one grid
_DEAD_END = 1.2  # times the tolerance: nearer to it, single steps will do at the next one
_HOPS = 3  # how far around the grid load is passed on


def exchange(
    state: Assignment,
    pool: list[int],
    target: float,
    tolerance: float,
    *,
    steps_per_block: int,
    rng: np.random.Generator,
    goes_on: Callable[[], bool],
) -> bool:
    """Try to relieve the worst grid of a pool; whether the plan became cheaper."""
    worst = max(pool, key=lambda grid: (abs(state.load[grid] / target - 1.0), -grid))
    off = state.load[worst] / target - 1.0
    if abs(off) <= _DEAD_END * tolerance:
        return False
    near = _near(state, pool, worst)
    members = [block for grid in near for block in state.inside[grid]]
    around = mean_border(state, members)
    before, best = list(state.grid), price(state, pool, target, tolerance, around)
    steps = _out_of(state, worst, near) if off > 0 else _into(state, worst, near)
    for block, to in steps[:_TRIES]:
        if not state.may_leave(block):
            continue
        state.move(block, to)
        hand_over(state, near, target, tolerance)
        long = steps_per_block * len(members)
        polish(state, near, members, target, tolerance, steps=long, rng=rng, goes_on=goes_on)
        if price(state, pool, target, tolerance, around) < best - 1e-9:
            return True
        state.assign(before)
    return False


def _near(state: Assignment, pool: list[int], grid: int) -> list[int]:
    """Grids of the pool a few borders away from one, itself among them."""
    allowed, found, front = set(pool), {grid}, {grid}
    for _ in range(_HOPS):
        front = {
            state.grid[other]
            for each in front
            for block in state.inside[each]
            for other, _ in state.near[block]
            if state.grid[other] in allowed
        } - found
        found |= front
    return sorted(found)


def _out_of(state: Assignment, grid: int, near: list[int]) -> list[tuple[int, int]]:
    """Blocks of a grid with a grid they could go to, the heaviest first, each to its lightest neighbour."""
    ways = []
    for block in state.inside[grid]:
        targets = [each for each in state.around(block) if each != grid and each in near]
        if targets:
            ways.append((block, min(targets, key=lambda each: (state.load[each], each))))
    return sorted(ways, key=lambda way: (-state.weight[way[0]], way))


def _into(state: Assignment, grid: int, near: list[int]) -> list[tuple[int, int]]:
    """Blocks beside a grid that could come to it, the heaviest first."""
    beside = {other for block in state.inside[grid] for other, _ in state.near[block] if state.grid[other] != grid}
    allowed = set(near)
    return sorted(
        ((block, grid) for block in beside if state.grid[block] in allowed),
        key=lambda way: (-state.weight[way[0]], way),
    )
