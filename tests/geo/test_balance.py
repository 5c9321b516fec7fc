"""Suggested plans: whole grids, exactly as many, locks and village borders kept, the same for the same seed."""

from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
import shapely

from geo import balance_fresh
from geo.balance import Stopped, suggest, yardstick
from geo.balance_moves import Assignment
from geo.balance_steps import steps
from geo.blocks import make_blocks, shared_borders
from geo.errors import InputError

SIDE = 100.0


def squares(columns, rows):
    """Blocks of 100 m in rows from the south-west."""
    x, y = (part.ravel() for part in np.meshgrid(np.arange(columns), np.arange(rows)))
    return shapely.box(x * SIDE, y * SIDE, (x + 1) * SIDE, (y + 1) * SIDE), x, y


def town(columns=9, rows=9, cell=3, seed=5, villages=1):
    """Blocks with random loads in square grids of `cell` x `cell`; one grid carries three times what it should."""
    shapes, x, y = squares(columns, rows)
    _, grid = np.unique((y // cell) * columns + x // cell, return_inverse=True)
    rng = np.random.default_rng(seed)
    load = rng.uniform(0.5, 1.5, len(shapes))
    load[grid == 1] *= 3
    count = int(grid.max()) + 1
    first = np.array([x[grid == each].min() for each in range(count)])
    village = first * villages // columns
    borders = shared_borders(shapes, min_length_m=1.0)
    return make_blocks(load, grid, village, borders), village


def parts(blocks, plan):
    state = Assignment(blocks)
    state.assign(plan.grid.tolist())
    return [state.parts(each) for each in range(blocks.grids)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_plan_has_whole_grids_and_exactly_as_many(seed):
    blocks, _ = town(seed=seed)
    plans = suggest(blocks, seed=seed, steps_per_block=40)
    assert len(plans) >= 4
    for plan in plans:
        assert parts(blocks, plan) == [1] * blocks.grids
        assert plan.moved == (plan.grid != blocks.grid).sum()
        assert plan.load == pytest.approx(np.bincount(plan.grid, weights=blocks.load, minlength=blocks.grids))


def test_the_curve_begins_today_and_every_plan_on_it_moves_more_and_deviates_less():
    blocks, _ = town()
    plans = suggest(blocks, steps_per_block=60)
    load = np.bincount(blocks.grid, weights=blocks.load)
    assert plans[0].moved == 0
    assert plans[0].over == pytest.approx(load.max() / load.mean() - 1)
    assert plans[0].under == pytest.approx(load.min() / load.mean() - 1)
    assert all(a.moved < b.moved for a, b in pairwise(plans))
    assert all(a.worst >= b.worst - 1e-9 for a, b in pairwise(plans))
    # Nine grids of nine blocks of a load around one each: within eight per cent of even is well within reach.
    assert plans[0].worst > 1
    assert plans[-1].worst < 0.08


def test_locked_grids_neither_give_nor_take():
    blocks, _ = town()
    locked = frozenset({0, 5, 6})
    for plan in suggest(blocks, locked=locked, steps_per_block=40):
        for grid in locked:
            assert ((plan.grid == grid) == (blocks.grid == grid)).all()


def test_no_block_passes_a_village_border():
    blocks, village = town(columns=12, villages=2)
    plans = suggest(blocks, steps_per_block=40)
    assert plans[-1].moved > 0
    for plan in plans:
        assert (village[plan.grid] == village[blocks.grid]).all()


def test_the_deviation_is_from_what_the_village_itself_can_reach():
    shapes, x, _ = squares(8, 2)
    # The west village carries twice as much; its two grids are even already, so nothing can be gained.
    load = np.where(x < 4, 2.0, 1.0)
    blocks = make_blocks(load, x // 2, [0, 0, 1, 1], shared_borders(shapes, min_length_m=1.0))
    plans = suggest(blocks, steps_per_block=40)
    assert [(plan.moved, plan.worst) for plan in plans] == [(0, 0.0)]


def test_the_same_seed_gives_the_same_curve():
    blocks, _ = town()
    one, again = (suggest(blocks, seed=4, steps_per_block=40) for _ in range(2))
    assert [plan.moved for plan in one] == [plan.moved for plan in again]
    assert all((a.grid == b.grid).all() and a.steps == b.steps for a, b in zip(one, again, strict=True))


def test_a_chain_of_grids_passes_load_on_when_the_idle_one_is_far_away():
    # Five grids of eight blocks in a row; the first has too much, the last too little, those between are even.
    shapes, x, _ = squares(20, 2)
    load = np.ones(40)
    load[x < 4], load[x >= 16] = 1.5, 0.5
    blocks = make_blocks(load, x // 4, [0] * 5, shared_borders(shapes, min_length_m=1.0))
    plans = suggest(blocks, steps_per_block=100)
    assert plans[0].worst == pytest.approx(0.5)
    assert plans[-1].worst < 0.13
    assert parts(blocks, plans[-1]) == [1] * 5


def test_steps_lead_to_the_plan_and_leave_every_grid_whole_on_the_way():
    blocks, _ = town(seed=9)
    for plan in suggest(blocks, steps_per_block=40):
        state = Assignment(blocks)
        for step in plan.steps:
            assert {state.grid[block] for block in step.blocks} == {step.source}
            for block in step.blocks:
                state.move(block, step.target)
            assert state.parts(step.source) == state.parts(step.target) == 1
        assert state.grid == plan.grid.tolist()


def test_a_plan_that_transfers_cannot_reach_is_cut_down_to_what_they_can():
    shapes, _, _ = squares(4, 1)
    blocks = make_blocks(np.ones(4), [0, 0, 1, 1], [0, 0], shared_borders(shapes, min_length_m=1.0))
    transfers, reached = steps(blocks, np.array([1, 1, 0, 0]))
    # Two grids that change places: no order of transfers keeps both alive.
    assert (reached != [1, 1, 0, 0]).any()
    state = Assignment(blocks)
    for step in transfers:
        for block in step.blocks:
            state.move(block, step.target)
    assert state.grid == reached.tolist()
    assert [state.parts(0), state.parts(1)] == [1, 1]


def test_a_grid_in_two_parts_may_stay_so_but_is_not_torn_further():
    shapes, x, _ = squares(9, 3)
    # Grid 0 holds both ends, grid 1 the middle.
    grid = np.where((x < 3) | (x >= 6), 0, 1)
    load = np.where(grid == 1, 3.0, 1.0)
    blocks = make_blocks(load, grid, [0, 0], shared_borders(shapes, min_length_m=1.0))
    plans = suggest(blocks, steps_per_block=100)
    assert plans[-1].moved > 0
    assert all(parts(blocks, plan)[0] <= 2 and parts(blocks, plan)[1] == 1 for plan in plans)


def test_borders_come_to_lie_along_a_barrier_where_it_costs_nothing_else():
    # Two grids of 4 x 4 blocks, equal loads but for a west that is too heavy by four blocks: giving one column balances
    # it. A river runs under the northern row of the west, so that row is the cheapest to cut off.
    shapes, x, y = squares(8, 4)
    river = shapely.LineString([(0, 300), (400, 300)])
    grid = np.where(x < 4, 0, 1)
    load = np.where(x < 4, 2.0, 1.0)
    plain = shared_borders(shapes, min_length_m=1.0)
    along = shared_borders(shapes, min_length_m=1.0, barriers=river, barrier_width_m=5, barrier_share=0.1)
    assert along.length_m == pytest.approx(plain.length_m)
    cheap = np.flatnonzero(along.cost < 0.5 * plain.cost)
    assert {(int(plain.left[n]), int(plain.right[n])) for n in cheap} == {(16, 24), (17, 25), (18, 26), (19, 27)}
    assert along.cost.min() == pytest.approx(10.0)
    found = suggest(make_blocks(load, grid, [0, 0], along), steps_per_block=400)[-1]
    assert found.worst == pytest.approx(0.0)
    assert (found.grid[(y == 3) & (x < 4)] == 1).all()


def test_blocks_that_touch_at_a_corner_are_no_neighbours():
    shapes, _, _ = squares(2, 2)
    found = shared_borders(shapes, min_length_m=1.0)
    assert sorted(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 3), (2, 3)]
    assert found.length_m == pytest.approx([100.0] * 4)


def test_loads_that_are_no_numbers_are_refused():
    shapes, _, _ = squares(2, 1)
    borders = shared_borders(shapes, min_length_m=1.0)
    with pytest.raises(InputError):
        make_blocks([1.0, np.nan], [0, 1], [0, 0], borders)
    with pytest.raises(InputError):
        make_blocks([1.0, 1.0], [0, 0], [0, 0], borders)


def test_progress_is_told_and_a_stop_is_obeyed():
    blocks, _ = town()
    told = []
    suggest(blocks, steps_per_block=20, progress=told.append)
    assert told == sorted(told) and told[-1] == 1.0
    asked = []
    with pytest.raises(Stopped):
        suggest(blocks, steps_per_block=20, stop=lambda: asked.append(1) or len(asked) > 3)
    assert len(asked) == 4


@pytest.mark.skipif(find_spec("pymetis") is None, reason="pymetis is an optional extra")
def test_a_map_made_anew_is_even_and_moves_far_more():
    blocks, _ = town()
    fresh = yardstick(blocks)
    assert balance_fresh.available()
    assert parts(blocks, fresh) == [1] * blocks.grids
    assert fresh.worst < 0.3
    assert fresh.moved > suggest(blocks, steps_per_block=20)[1].moved
