"""Counts, shares and shortfalls: the vectors of the domain guide and what must always hold."""

import numpy as np
import pandas as pd
import pytest

from geo.coverage import (
    camera_deficit,
    cameras_per_area,
    coverage,
    floor_area_required,
    ranked,
    required_count,
    share_coverage,
)


def test_cameras_are_summed_by_their_weight_and_rows_without_a_home_are_left_out():
    home = [0, 0, 2, -1, 2]
    weight = [3, np.nan, 0, 7, 2]
    assert cameras_per_area(home, weight, 4).tolist() == [4, 0, 2, 0]


def test_counts_per_area_and_the_rest_add_up_to_all_cameras():
    rng = np.random.default_rng(5)
    home = rng.integers(-1, 50, 4000)
    weight = rng.integers(0, 9, 4000).astype(float)
    assert cameras_per_area(home, weight, 50).sum() + weight[home < 0].sum() == weight.sum()


@pytest.mark.parametrize(
    ("natural", "others", "missing"),
    [
        ([0, 1, 3], 0, 3),  # 2 + 1 + 0 = 3 in the natural villages, 5 - 4 = 1 in all
        ([2, 2], 0, 1),  # none in the natural villages, 5 - 4 = 1 in all
        ([0], 0, 5),  # 2 in the natural village, 5 in all
        ([0, 0, 0, 0], 0, 8),  # 4 times 2
        ([0, 0], 4, 4),  # 2 + 2, and 1 in all
        ([], 1, 4),  # no natural village on record: the village's own standard is left
    ],
)
def test_deficit_is_the_larger_of_both_standards(natural, others, missing):
    total = sum(natural) + others
    assert camera_deficit([total], natural, [0] * len(natural), per_village=5, per_natural=2).tolist() == [missing]


def test_a_natural_village_without_parent_counts_for_no_village():
    assert camera_deficit([9, 9], [0, 0], [-1, 1], per_village=5, per_natural=2).tolist() == [0, 2]


@pytest.mark.parametrize(
    ("amount", "rate", "needed"),
    [
        (123456, 18 / 10000, 223),
        (45678, 1 / 1000, 46),
        (3500, 1 / 2000, 2),
        (3500, 1 / 1000, 4),
        (100, 0.07, 7),  # 7.000000000000001 in binary
        (0, 0.5, 0),
    ],
)
def test_needed_counts_are_rounded_up(amount, rate, needed):
    assert required_count([amount], rate).tolist() == [needed]


@pytest.mark.parametrize(
    ("households", "base", "area"), [(1500, 300, 450), (300, 100, 100), (1800, 500, 540), (1000, 500, 500)]
)
def test_service_floor_area_is_the_base_or_so_much_per_household(households, base, area):
    assert floor_area_required([households], [base], per_household_m2=0.30).tolist() == [area]


def test_states_are_met_short_and_no_data():
    has = pd.Series([5.0, 4.0, 0.0, np.nan], index=list("abcd"))
    result = coverage(has, 5)
    assert result.state.to_dict() == {"a": "met", "b": "short", "c": "short", "d": "no_data"}
    assert result.shortfall[:3].tolist() == [0, 1, 5]
    assert np.isnan(result.shortfall["d"])


def test_an_upper_limit_counts_what_is_too_many():
    result = coverage(pd.Series([3000.0, 3001.0]), 3000, at_least=False)
    assert result.state.tolist() == ["met", "short"]
    assert result.shortfall.tolist() == [0, 1]


def test_a_share_of_nothing_is_no_data_and_never_all():
    result = share_coverage(pd.Series([0, 98, 97, 0]), pd.Series([0, 100, 100, 4]), threshold=0.98)
    assert result.state.tolist() == ["no_data", "met", "short", "short"]
    assert result.shortfall[1:].tolist() == [0, 1, 4]
    assert np.isnan(result.value[0])


def test_shares_are_compared_before_rounding():
    # 979,999 of 1,000,000 is 98.0 % when shown, but it is below 98 %.
    result = share_coverage(pd.Series([979_999]), pd.Series([1_000_000]), threshold=0.98)
    assert result.state.tolist() == ["short"]
    assert result.shortfall.tolist() == [1]


def test_share_shortfall_is_the_smallest_number_that_mends_it():
    rng = np.random.default_rng(2)
    of = pd.Series(rng.integers(1, 400, 500))
    has = (of * rng.uniform(0, 1, 500)).astype(int)
    for threshold in (0.07, 0.5, 0.9, 0.95, 0.98, 1.0):
        short = share_coverage(has, of, threshold=threshold).shortfall
        assert ((has + short) / of >= threshold - 1e-12).all()
        needed = short > 0
        assert ((has + short - 1) / of < threshold)[needed].all()


def test_gap_list_is_ranked_by_shortfall_then_code_with_no_data_last():
    result = coverage(pd.Series([4.0, 0.0, 0.0, np.nan, 9.0], index=["z", "c", "b", "a", "m"]), 5)
    assert ranked(result).tolist() == ["b", "c", "z", "m", "a"]


def test_inputs_are_left_unchanged():
    has = pd.Series([1, 2], index=["a", "b"])
    before = has.copy()
    coverage(has, 2)
    pd.testing.assert_series_equal(has, before)
