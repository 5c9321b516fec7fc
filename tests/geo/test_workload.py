"""The workload index, how evenly it lies, and what to split and merge. Weights here are those of the design: 0.4, 0.3,
0.1, 0.2 and 400 households."""

import numpy as np
import pytest

from geo.proposals import HOUSEHOLDS, WORKLOAD, Limits, find_merges, find_splits
from geo.workload import Weights, scale, spread

WEIGHTS = Weights(households=0.4, incidents=0.3, area=0.1, key_places=0.2, household_norm=400)
LIMITS = Limits(split_households=500, split_factor=1.5, merge_factor=0.5)


def index(households, incidents, area_m2, key_places):
    measured = scale(households, incidents, area_m2, key_places, weights=WEIGHTS)
    return measured.index(households, incidents, area_m2, key_places)


def test_an_average_grid_of_four_hundred_households_has_the_index_one():
    found = index([400, 400], [6, 6], [2e5, 2e5], [3, 3])
    assert found == pytest.approx([1.0, 1.0])


def test_the_index_is_the_weighted_sum_of_the_four_terms():
    # Means: incidents 10, area 300,000 m2, key places 2.
    # First:  0.4*200/400 + 0.3*5/10 + 0.1*1e5/3e5 + 0.2*0/2 = 0.2 + 0.15 + 0.033333 + 0 = 0.383333
    # Second: 0.4*600/400 + 0.3*15/10 + 0.1*5e5/3e5 + 0.2*4/2 = 0.6 + 0.45 + 0.166667 + 0.4 = 1.616667
    found = index([200, 600], [5, 15], [1e5, 5e5], [0, 4])
    assert found == pytest.approx([0.2 + 0.15 + 0.1 / 3, 0.6 + 0.45 + 0.5 / 3 + 0.4])


def test_the_index_of_land_put_together_is_the_sum_of_its_parts():
    rng = np.random.default_rng(3)
    figures = rng.uniform(0, 900, (4, 40))
    measured = scale(*figures, weights=WEIGHTS)
    parts = measured.index(*figures)
    together = measured.index(*figures.sum(axis=1))
    assert together == pytest.approx(parts.sum())


def test_a_grid_without_recorded_households_has_no_index_and_not_zero():
    found = index([400, np.nan], [6, 6], [2e5, 2e5], [3, 3])
    assert found[0] == pytest.approx(1.0)
    assert np.isnan(found[1])


def test_a_figure_nobody_has_is_left_out_for_all():
    found = index([np.nan, np.nan], [0, 0], [1e5, 3e5], [0, 0])
    assert found == pytest.approx([0.1 * 0.5, 0.1 * 1.5])


def test_spread_of_a_worked_example():
    # 1, 2, 3, 6: mean 3; deviations -2, -1, 0, 3, so the variance is 14/4 and the variation sqrt(3.5)/3.
    # Gini: (-3*1 - 1*2 + 1*3 + 3*6) / (4 * 12) = 16/48.
    found = spread([6, np.nan, 1, 3, 2])
    assert (found.count, found.mean) == (4, 3.0)
    assert found.max_over_mean == pytest.approx(2.0)
    assert found.min_over_mean == pytest.approx(1 / 3)
    assert found.variation == pytest.approx(np.sqrt(3.5) / 3)
    assert found.gini == pytest.approx(1 / 3)


def test_gini_is_half_the_mean_difference_of_all_pairs_over_the_mean():
    rng = np.random.default_rng(8)
    values = rng.lognormal(0, 1, 60)
    slow = np.abs(values[:, None] - values[None, :]).mean() / 2 / values.mean()
    assert spread(values).gini == pytest.approx(slow)


def test_spread_of_equal_grids_is_none_and_of_nothing_is_unknown():
    even = spread([2.0, 2.0, 2.0])
    assert (even.max_over_mean, even.variation, even.gini) == (1.0, 0.0, 0.0)
    for nothing in ([], [np.nan], [0.0, 0.0]):
        assert np.isnan(spread(nothing).gini)
    assert spread([0.0, 0.0]).mean == 0.0


def test_a_grid_of_five_hundred_households_is_not_split_and_one_more_is():
    found = find_splits([500, 501, 300], [1.0, 1.0, 1.0], limits=LIMITS)
    assert [(each.row, each.reasons) for each in found] == [(1, (HOUSEHOLDS,))]


def test_a_grid_of_more_than_one_and_a_half_medians_is_split():
    found = find_splits([300, 300, 300, 300], [1.0, 1.0, 1.5, 1.51], limits=Limits(500, 1.5, 0.5))
    # The median of 1, 1, 1.5, 1.51 is 1.25, so the limit is 1.875: nobody.
    assert found == []
    found = find_splits([300, 300, 600], [1.0, 1.0, 1.51], limits=LIMITS)
    assert [(each.row, each.reasons) for each in found] == [(2, (HOUSEHOLDS, WORKLOAD))]


def test_the_heaviest_grid_is_named_first_and_unknown_figures_are_no_reason():
    found = find_splits([600, np.nan, 700], [1.0, np.nan, 4.0], limits=LIMITS)
    assert [each.row for each in found] == [2, 0]


def test_idle_neighbours_of_one_village_are_merged_within_the_household_limit():
    households = np.array([250, 250, 251, 100, 400, 400, 400])
    workload = np.array([0.4, 0.4, 0.3, 0.2, 1.0, 1.0, 1.0])
    village = ["a", "a", "a", "b", "a", "a", "b"]
    merge = find_merges(households, workload, village, [(1, 0), (1, 2), (2, 3), (3, 6), (0, 4)], limits=LIMITS)
    # Median 0.4... of the seven is 0.4: the limit is 0.2, so nobody is idle enough.
    assert merge == []
    workload[4:] = 2.0
    workload[0:3] = [0.9, 0.9, 0.8]
    # Median 0.9: limit 0.45: only grid 3 is idle.
    assert find_merges(households, workload, village, [(2, 3)], limits=LIMITS) == []
    workload = np.array([0.4, 0.4, 0.3, 0.2, 1.0, 1.0, 1.0, 1.0])
    households = np.append(households, 400)
    village = [*village, "a"]
    # Median of the eight 0.7, limit 0.35: grids 2 and 3 are idle, but of different villages.
    assert find_merges(households, workload, village, [(2, 3)], limits=LIMITS) == []
    village[3] = "a"
    assert [each.rows for each in find_merges(households, workload, village, [(3, 2)], limits=LIMITS)] == [(2, 3)]
    # 251 + 250 households are one too many.
    households[3] = 250
    assert find_merges(households, workload, village, [(3, 2)], limits=LIMITS) == []


def test_each_grid_stands_in_one_merge_at_most():
    workload = [0.1, 0.2, 0.3, 1.0, 1.0, 1.0, 1.0]
    found = find_merges([100] * 7, workload, ["a"] * 7, [(0, 1), (1, 2), (0, 2)], limits=LIMITS)
    assert [each.rows for each in found] == [(0, 1)]
    assert found[0].households == 200
    assert found[0].workload == pytest.approx(0.3)


def test_grids_without_recorded_households_are_never_merged():
    workload = [0.1, 0.1, 1.0, 1.0, 1.0]
    assert find_merges([np.nan, 10, 400, 400, 400], workload, ["a"] * 5, [(0, 1)], limits=LIMITS) == []
