"""Near-duplicates and stacked positions."""

import numpy as np
import pytest

from geo.duplicates import near_duplicates, stacked


def slow_near_duplicates(x, y, when, category, *, distance_m, hours):
    """The definition, one report after the other."""
    rows = [i for i in range(len(x)) if np.isfinite([x[i], y[i], when[i]]).all()]
    rows.sort(key=lambda i: (when[i], str(category[i]), x[i], y[i], i))
    original = list(range(len(x)))
    firsts = []
    for i in rows:
        for j in firsts:
            close = np.hypot(x[i] - x[j], y[i] - y[j]) <= distance_m and when[i] - when[j] <= hours
            if close and category[i] == category[j]:
                original[i] = j
                break
        else:
            firsts.append(i)
    return original


def test_the_same_quarrel_told_three_times_is_one_event():
    x, y = [0.0, 30.0, 0.0, 0.0], [0.0, 0.0, 40.0, 0.0]
    when, category = [10.0, 10.5, 11.0, 10.0], ["a", "a", "a", "b"]
    assert near_duplicates(x, y, when, category, distance_m=50, hours=1).tolist() == [0, 0, 0, 3]


def test_limits_are_included_and_what_is_beyond_is_another_event():
    x, when = [0.0, 50.0, 50.001, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.001]
    same = near_duplicates(x, np.zeros(5), when, ["a"] * 5, distance_m=50, hours=1)
    assert same.tolist() == [0, 0, 2, 0, 4]


def test_a_long_series_does_not_chain_into_one_event():
    when = np.arange(10) * 0.75
    same = near_duplicates(np.zeros(10), np.zeros(10), when, ["a"] * 10, distance_m=50, hours=1)
    assert same.tolist() == [0, 0, 2, 2, 4, 4, 6, 6, 8, 8]


def test_reports_without_hour_or_position_repeat_nothing():
    nan = np.nan
    same = near_duplicates([0, 0, nan, 0], [0, 0, 0, 0], [nan, nan, 3, 3], ["a"] * 4, distance_m=50, hours=1)
    assert same.tolist() == [0, 1, 2, 3]


def test_reports_without_category_are_compared_with_each_other():
    same = near_duplicates([0, 0, 0], [0, 0, 0], [1, 1, 1], [None, np.nan, "a"], distance_m=50, hours=1)
    assert same.tolist() == [0, 0, 2]


@pytest.mark.parametrize("seed", range(6))
def test_it_agrees_with_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    n = 300
    x, y = rng.integers(0, 12, n) * 20.0, rng.integers(0, 12, n) * 20.0
    when = rng.integers(0, 40, n) / 4
    when[rng.random(n) < 0.1] = np.nan
    category = rng.choice(["a", "b"], n)
    fast = near_duplicates(x, y, when, category, distance_m=50, hours=1)
    slow = slow_near_duplicates(x, y, when, category, distance_m=50, hours=1)
    assert (fast == np.arange(n)).tolist() == [i == j for i, j in enumerate(slow)]
    assert fast.tolist() == slow


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(9)
    n = 400
    x, y, when = rng.uniform(0, 300, n), rng.uniform(0, 300, n), rng.uniform(0, 20, n)
    category = rng.choice(["a", "b", "c"], n)
    order = rng.permutation(n)
    straight = near_duplicates(x, y, when, category, distance_m=50, hours=1)
    mixed = near_duplicates(x[order], y[order], when[order], category[order], distance_m=50, hours=1)
    assert (order[mixed] == straight[order]).all()


def test_many_reports_at_one_place_and_moment_take_little_time_and_memory():
    n = 200_000
    same = near_duplicates(np.zeros(n), np.zeros(n), np.zeros(n), ["a"] * n, distance_m=50, hours=1)
    assert (same == 0).all()


def test_blocks_do_not_cut_events_apart(monkeypatch):
    rng = np.random.default_rng(10)
    n = 500
    x, y, when = rng.uniform(0, 200, n), rng.uniform(0, 200, n), rng.uniform(0, 30, n)
    whole = near_duplicates(x, y, when, ["a"] * n, distance_m=50, hours=1)
    monkeypatch.setattr("geo.duplicates._BLOCK", 7)
    assert (near_duplicates(x, y, when, ["a"] * n, distance_m=50, hours=1) == whole).all()


def test_stacked_share_is_that_of_the_fullest_positions():
    x, y = [1, 1, 1, 2, 2, 3, np.nan], [5, 5, 5, 5, 5, 5, 5]
    found = stacked(x, y, top=2)
    assert (found.positions, found.largest) == (3, 3)
    assert found.share == pytest.approx(5 / 6)


def test_positions_with_a_single_report_are_no_stack():
    assert stacked([1, 2, 3], [1, 2, 3], top=10).share == 0.0
    assert stacked([], [], top=10).positions == 0
