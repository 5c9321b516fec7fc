"""Suggestions for evener grids: a curve from few moved blocks to the best balance, for a planner to choose from.

Modelling decisions. The number of grids stays; blocks pass between neighbouring grids of one village, locked grids
neither give nor take, and no grid is torn apart or emptied. Grids that can pass load to each other form a pool, and the
mean of a pool is what its grids can reach; "deviation" is a grid's distance from it. For one tolerance after another
the pools are searched for the fewest moved blocks that bring all grids within it; of what was found, the plans stay that
no other beats. The same blocks and seed give the same curve.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import balance_fresh
from .balance_flow import hand_over
from .balance_kick import exchange
from .balance_moves import Assignment
from .balance_polish import mean_border, polish, price
from .balance_steps import Step, steps
from .blocks import Blocks

_LEVELS = 12
_FINEST = 0.01  # no tolerance below one hundredth: figures are not that good
_LEAST_STEPS = 2_000
_EXCHANGES = 8  # dead ends to leave at each tolerance


@dataclass(frozen=True, slots=True)
class Plan:
    """One point of the curve."""

    grid: npt.NDArray[np.int64]  # of each block
    moved: int  # blocks that change their grid
    over: float  # largest deviation above the pool's mean, as a share of it
    under: float  # largest deviation below, not positive
    load: npt.NDArray[np.float64]  # per grid
    mean: npt.NDArray[np.float64]  # of the pool of each grid; NaN for grids in none
    cut: float  # cost of all borders between grids, metres; borders along barriers are cheap
    steps: tuple[Step, ...]  # the transfers that lead to it, in an order that keeps every grid whole

    @property
    def worst(self) -> float:
        """The larger of the two deviations."""
        return max(self.over, -self.under)


class Stopped(Exception):
    """Whoever asked wants no answer any more."""


def suggest(
    blocks: Blocks,
    *,
    locked: frozenset[int] = frozenset(),
    seed: int = 0,
    steps_per_block: int = 200,
    progress: Callable[[float], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> list[Plan]:
    """Plans from the one of today (no block moved) to the best balance found, each better than those before it.

    Parameters
    ----------
    blocks
        See `blocks.make_blocks`.
    locked
        Grids that stay as they are.
    seed
        Of the search.
    steps_per_block
        How long to search, at each tolerance.
    progress
        Told the share done, from 0 to 1.
    stop
        Asked now and then; when it says yes, `Stopped` is raised.
    """
    pools = _pools(blocks, locked)
    means = _means(blocks, pools)
    today = _plan(blocks, blocks.grid, means, [])
    levels = _levels(today.worst)
    found = [today]
    # One state per pool keeps what another pool does out of its prices.
    lasting = [blocks.grid for _ in pools]
    done, whole = 0, max(1, len(levels) * len(pools))

    def goes_on() -> bool:
        if stop is not None and stop():
            raise Stopped
        return True

    for number, level in enumerate(levels):
        grid = blocks.grid.copy()
        for at, pool in enumerate(pools):
            rng = np.random.default_rng([seed, number, at])
            lasting[at] = _pool_plan(
                blocks, pool, locked, means[pool[0]], level, lasting[at], steps_per_block, rng, goes_on
            )
            changed = lasting[at] != blocks.grid
            grid[changed] = lasting[at][changed]
            done += 1
            if progress is not None:
                progress(done / whole)
        transfers, grid = steps(blocks, grid, locked)
        found.append(_plan(blocks, grid, means, transfers))
    return _best(found)


def yardstick(blocks: Blocks, *, locked: frozenset[int] = frozenset(), seed: int = 0) -> Plan | None:
    """What a map made anew would reach, without steps; None when no division into whole grids was found.

    Needs `balance_fresh.available()`.
    """
    pools = _pools(blocks, locked)
    grid = blocks.grid.copy()
    for pool in pools:
        plan = balance_fresh.fresh_plan(blocks, pool, seed=seed)
        if plan is None:
            return None
        members = np.isin(blocks.grid, pool)
        grid[members] = plan[members]
    return _plan(blocks, grid, _means(blocks, pools), [])


def _pool_plan(
    blocks: Blocks,
    pool: list[int],
    locked: frozenset[int],
    target: float,
    tolerance: float,
    before: npt.NDArray[np.int64],
    steps_per_block: int,
    rng: np.random.Generator,
    goes_on: Callable[[], bool],
) -> npt.NDArray[np.int64]:
    """The cheapest plan of one pool at a tolerance: from today's borders and from the plan of the level before."""
    members = np.flatnonzero(np.isin(blocks.grid, pool)).tolist()
    steps = max(_LEAST_STEPS, steps_per_block * len(members) // 2)
    best: tuple[float, Assignment] | None = None
    for start in (blocks.grid, before) if (before != blocks.grid).any() else (blocks.grid,):
        state = Assignment(blocks, locked)
        around = mean_border(state, members)
        state.assign(start.tolist())
        hand_over(state, pool, target, tolerance)
        polish(state, pool, members, target, tolerance, steps=steps, rng=rng, goes_on=goes_on)
        cost = price(state, pool, target, tolerance, around)
        if best is None or cost < best[0]:
            best = (cost, state)
    assert best is not None
    state = best[1]
    for _ in range(_EXCHANGES):
        local = max(5, steps_per_block // 8)
        if not exchange(state, pool, target, tolerance, steps_per_block=local, rng=rng, goes_on=goes_on):
            break
    return np.array(state.grid, dtype=np.int64)


def _pools(blocks: Blocks, locked: frozenset[int]) -> list[list[int]]:
    """Grids that can pass load to each other, two or more at a time."""
    group = list(range(blocks.grids))

    def root(grid: int) -> int:
        while group[grid] != grid:
            group[grid] = group[group[grid]]
            grid = group[grid]
        return grid

    for a, b in zip(blocks.grid[blocks.left].tolist(), blocks.grid[blocks.right].tolist(), strict=True):
        if a not in locked and b not in locked:
            group[max(root(a), root(b))] = min(root(a), root(b))
    pools: dict[int, list[int]] = {}
    for grid in range(blocks.grids):
        if grid not in locked:
            pools.setdefault(root(grid), []).append(grid)
    load = np.bincount(blocks.grid, weights=blocks.load, minlength=blocks.grids)
    return [pool for pool in pools.values() if len(pool) > 1 and load[pool].sum() > 0]


def _means(blocks: Blocks, pools: list[list[int]]) -> npt.NDArray[np.float64]:
    """Mean load of the pool of each grid; NaN for grids in none."""
    load = np.bincount(blocks.grid, weights=blocks.load, minlength=blocks.grids)
    means = np.full(blocks.grids, np.nan)
    for pool in pools:
        means[pool] = load[pool].mean()
    return means


def _levels(worst: float) -> list[float]:
    """Tolerances to search at, falling evenly in ratio from just under today's worst deviation."""
    if worst <= _FINEST:
        return []
    return [float(level) for level in np.geomspace(worst, _FINEST, _LEVELS + 1)[1:]]


def _plan(blocks: Blocks, grid: npt.NDArray[np.int64], means: npt.NDArray[np.float64], transfers: list[Step]) -> Plan:
    load = np.bincount(grid, weights=blocks.load, minlength=blocks.grids).astype(np.float64)
    over, under = deviation(load, means)
    return Plan(
        grid=grid.astype(np.int64),
        moved=int((grid != blocks.grid).sum()),
        over=over,
        under=under,
        load=load,
        mean=means,
        cut=float(blocks.cost[grid[blocks.left] != grid[blocks.right]].sum()),
        steps=tuple(transfers),
    )


def deviation(load: npt.NDArray[np.float64], mean: npt.NDArray[np.float64]) -> tuple[float, float]:
    """How far the heaviest grid lies above the mean of its pool and the lightest below, as shares (never the other way)."""
    off = load / mean - 1.0
    off = off[np.isfinite(off)]
    return float(off.max(initial=0.0)), float(off.min(initial=0.0))


def _best(found: list[Plan]) -> list[Plan]:
    """Plans in order of moved blocks, each with a smaller worst deviation, or the same and less variation."""
    chosen: list[Plan] = []
    for plan in sorted(found, key=lambda each: (each.moved, *_rank(each), each.cut)):
        if not chosen or _rank(plan) < _rank(chosen[-1]):
            chosen.append(plan)
    return chosen


def _rank(plan: Plan) -> tuple[float, float]:
    """Worst deviation, then variation, without the noise of sums in another order."""
    return round(plan.worst, 9), round(float(plan.load.std()), 9)
