"""A fresh plan that forgets today's borders: what balance a new map would have, to compare a suggestion with.

Made by METIS when `pymetis` is installed (the optional extra "balance"); its parts are named after the grids they share
most blocks with, so that as few blocks as possible change their grid. It moves a third to a half of all blocks and may
put a grid somewhere else altogether, so it is a yardstick and not something a draft could do.
"""

from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from .balance_moves import Assignment
from .blocks import Blocks

_ALLOWED = (10, 30, 60)  # thousandths over the mean that METIS may leave, tried in turn
_UNIT = 1_000  # whole numbers that the mean load of a block and the mean border are written as


def available() -> bool:
    """Whether a fresh plan can be made here."""
    return find_spec("pymetis") is not None


def fresh_plan(blocks: Blocks, pool: list[int], *, seed: int) -> npt.NDArray[np.int64] | None:
    """The grid of each block when the pool is divided anew; None when no division into whole grids was found."""
    import pymetis

    members = np.flatnonzero(np.isin(blocks.grid, pool))
    row = np.full(len(blocks), -1, dtype=np.int64)
    row[members] = np.arange(len(members))
    inside = (row[blocks.left] >= 0) & (row[blocks.right] >= 0)
    left, right = row[blocks.left[inside]], row[blocks.right[inside]]
    price = _whole(blocks.cost[inside])
    starts, others, prices = _rows(len(members), left, right, price)
    graph = pymetis.CSRAdjacency(starts, others)
    loads = _whole(blocks.load[members])
    best: tuple[float, npt.NDArray[np.int64]] | None = None
    for over in _ALLOWED:
        options = pymetis.Options(contig=1, ufactor=over, seed=seed)
        _, part = pymetis.part_graph(
            len(pool), adjacency=graph, vweights=loads, eweights=prices, recursive=False, options=options
        )
        parts = np.asarray(part, dtype=np.int64)
        plan = blocks.grid.copy()
        plan[members] = _named(parts, blocks.grid[members], pool)
        state = Assignment(blocks)
        whole = all(len(state.inside[grid]) for grid in pool)
        state.assign(plan.tolist())
        if not whole or any(state.parts(grid) != 1 for grid in pool):
            continue
        load = np.bincount(plan, weights=blocks.load, minlength=blocks.grids)[pool]
        off = float(np.abs(load / load.mean() - 1.0).max())
        if best is None or off < best[0]:
            best = (off, plan)
    return None if best is None else best[1]


def _whole(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Whole numbers of at least one, in proportion to the values."""
    mean = float(values.mean()) if len(values) else 0.0
    return np.maximum(1, np.rint(values / mean * _UNIT if mean > 0 else values)).astype(np.int64)


def _rows(
    count: int, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], price: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Neighbours row by row: where each row starts, the neighbours, and what a border with them costs."""
    from_, to, both = np.concatenate([left, right]), np.concatenate([right, left]), np.concatenate([price, price])
    order = np.lexsort((to, from_))
    starts = np.concatenate([[0], np.cumsum(np.bincount(from_, minlength=count))])
    return starts, to[order], both[order]


def _named(parts: npt.NDArray[np.int64], today: npt.NDArray[np.int64], pool: list[int]) -> npt.NDArray[np.int64]:
    """Parts as grids of the pool, so that most blocks keep theirs."""
    from scipy.optimize import linear_sum_assignment  # large, see `balance_flow`

    grids = np.array(pool, dtype=np.int64)
    shared = np.zeros((len(pool), len(pool)))
    np.add.at(shared, (parts, np.searchsorted(grids, today)), 1)
    part, grid = linear_sum_assignment(-shared)
    name = np.empty(len(pool), dtype=np.int64)
    name[part] = grids[grid]
    return name[parts]
