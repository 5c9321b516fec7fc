"""How much load must pass between neighbouring grids, and the blocks that carry it.

The least total load that brings every grid within a tolerance of its target is a transport problem on the few borders
between grids, solved exactly; blocks are then handed over border by border until what is left to pass is smaller than
any block that would help. An overloaded grid far from the idle ones is relieved through those between, which no search
by single moves finds.
"""

import numpy as np
from scipy import sparse

from .balance_moves import Assignment

_ROUNDS = 6
_SHORTFALL = 1_000.0  # what missing the tolerance costs against passing load: met whenever it can be


def hand_over(state: Assignment, pool: list[int], target: float, tolerance: float) -> None:
    """Move blocks between the grids of `pool` until all lie within `tolerance` (a share of `target`), as far as it goes.

    A block is handed over when it fits what its border has to pass; of those that fit, the one that costs least border
    per load. What rounding to whole blocks leaves over is planned and passed again, a few rounds.
    """
    for _ in range(_ROUNDS):
        wanted = flows(state, pool, target, tolerance)
        if not _pass(state, wanted):
            return


def flows(state: Assignment, pool: list[int], target: float, tolerance: float) -> dict[tuple[int, int], float]:
    """Load to pass from one grid to another, only what is not zero."""
    from scipy.optimize import linprog  # large: a server that never balances does without

    row = {grid: number for number, grid in enumerate(pool)}
    pairs = sorted(
        {
            (row[a], row[b])
            for a in pool
            for block in state.inside[a]
            for other, _ in state.near[block]
            if (b := state.grid[other]) != a and b in row
        }
    )
    if not pairs:
        return {}
    count, grids = len(pairs), len(pool)
    share = np.array([state.load[grid] for grid in pool]) / target
    from_, to = np.array(pairs).T
    ones = np.ones(count)
    columns = np.arange(count)
    out = sparse.csr_array((ones, (from_, columns)), shape=(grids, count))
    into = sparse.csr_array((ones, (to, columns)), shape=(grids, count))
    net = into - out
    slack = sparse.eye_array(grids)
    none = sparse.csr_array((grids, grids))
    # share + net <= 1 + tolerance + over;  share + net >= 1 - tolerance - under
    limits = sparse.vstack([sparse.hstack([net, -slack, none]), sparse.hstack([-net, none, -slack])])
    bounds = np.concatenate([1.0 + tolerance - share, share - 1.0 + tolerance])
    price = np.concatenate([ones, np.full(2 * grids, _SHORTFALL)])
    found = linprog(price, A_ub=limits, b_ub=bounds, method="highs")
    if found.x is None:
        return {}
    amounts = found.x[:count] * target
    return {
        (pool[a], pool[b]): float(amount)
        for (a, b), amount in zip(pairs, amounts, strict=True)
        if amount > 1e-9 * target
    }


def _pass(state: Assignment, wanted: dict[tuple[int, int], float]) -> bool:
    """Hand blocks over along the flows; whether any was."""
    any_moved = False
    open_ = dict(wanted)
    while open_:
        # The border with most left to pass comes first; ties by the grids' rows, so that runs repeat.
        pair = max(open_, key=lambda each: (open_[each], -each[0], -each[1]))
        block = _fitting(state, *pair, open_[pair])
        if block is None:
            del open_[pair]
            continue
        open_[pair] -= state.weight[block]
        if open_[pair] <= 0:
            del open_[pair]
        state.move(block, pair[1])
        any_moved = True
    return any_moved


def _fitting(state: Assignment, source: int, target: int, amount: float) -> int | None:
    """The block of `source` on the border to `target` that best serves `amount`; None when none makes it better."""
    best, best_score = None, 0.0
    for block in state.inside[source]:
        around = state.around(block)
        if target not in around:
            continue
        weight = state.weight[block]
        served = amount - abs(amount - weight)
        if served <= 0:
            continue
        border = sum(cost for _, cost in state.near[block])
        # One block that carries much is better than several; so is one that rounds the border off.
        score = served / amount * (1.0 + 0.3 * (around[target] - around.get(source, 0.0)) / border)
        if score > best_score and state.may_leave(block):
            best, best_score = block, score
    return best
