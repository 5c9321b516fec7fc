"""Making a plan better block by block: a search that sometimes steps back, guided by a price per moved block.

What a plan costs: how far grids lie beyond the tolerance, a price for every block that changes its grid, and the borders
between grids (cheap along barriers, so that borders come to lie there and shapes stay compact). The search takes every
step that makes the plan cheaper and, less and less often, one that does not; the best plan met is kept. It draws from a
generator with a seed, so the same blocks give the same plan.
"""

from collections.abc import Callable
from math import exp

import numpy as np

from .balance_moves import Assignment

MOVED = 0.01
"""Price of a moved block: as much as one hundredth of the target beyond the tolerance."""
_BORDER = 0.01  # price of a border as long as the mean way round a block
_HOT, _COLD = 0.03, 0.0006  # prices of a step back that is taken about once in three times, first and last
_BATCH = 4096


def price(state: Assignment, pool: list[int], target: float, tolerance: float, around: float) -> float:
    """What the plan costs in the grids of a pool; `around` is the mean border of a block."""
    beyond = sum(_beyond(state.load[grid], target, tolerance) for grid in pool)
    return beyond + MOVED * state.moved + _BORDER * state.cut / around


def mean_border(state: Assignment, members: list[int]) -> float:
    """Mean cost of the way round a block."""
    return max(1e-9, sum(cost for block in members for _, cost in state.near[block]) / max(1, len(members)))


def _beyond(load: float, target: float, tolerance: float) -> float:
    off = abs(load / target - 1.0) - tolerance
    return off + off * off if off > 0.0 else 0.0


def polish(
    state: Assignment,
    pool: list[int],
    members: list[int],
    target: float,
    tolerance: float,
    *,
    steps: int,
    rng: np.random.Generator,
    goes_on: Callable[[], bool],
) -> None:
    """Search `steps` steps from the plan as it is; the state ends as the best plan met."""
    if not members:
        return
    around = mean_border(state, members)
    load, weight, home, grid, locked = state.load, state.weight, state.home, state.grid, state.locked
    cost = best = price(state, pool, target, tolerance, around)
    undo: list[tuple[int, int]] = []  # steps since the best plan
    cooling = (_COLD / _HOT) ** (1.0 / max(1, steps))
    heat = _HOT
    draws = iter(())
    chances = iter(())
    for step in range(steps):
        if step % _BATCH == 0:
            if not goes_on():
                break
            draws = iter(rng.integers(len(members), size=_BATCH).tolist())
            chances = iter(rng.random(2 * _BATCH).tolist())
        heat *= cooling
        block = members[next(draws)]
        pick, luck = next(chances), next(chances)
        own = grid[block]
        near = state.around(block)
        inside = near.pop(own, 0.0)
        targets = sorted(each for each in near if each not in locked) if locked else sorted(near)
        if not targets:
            continue
        to = targets[int(pick * len(targets))]
        w = weight[block]
        change = (
            _beyond(load[own] - w, target, tolerance)
            + _beyond(load[to] + w, target, tolerance)
            - _beyond(load[own], target, tolerance)
            - _beyond(load[to], target, tolerance)
            + MOVED * ((to != home[block]) - (own != home[block]))
            + _BORDER * (inside - near[to]) / around
        )
        if change > 0.0 and luck >= exp(-change / heat):
            continue
        if not state.may_leave(block):
            continue
        state.move(block, to)
        cost += change
        if cost < best - 1e-12:
            best = cost
            undo.clear()
        else:
            undo.append((block, own))
    for block, own in reversed(undo):
        state.move(block, own)
