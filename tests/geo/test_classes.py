"""Round class limits that cover the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.classes import class_counts, class_of, round_breaks

numbers = st.lists(
    st.one_of(st.integers(-10_000, 1_000_000).map(float), st.floats(-1e6, 1e6), st.just(float("nan"))), max_size=60
)


@given(numbers, st.integers(2, 9))
def test_limits_cover_all_values_in_at_most_so_many_classes(values, count):
    known = [value for value in values if value == value]
    limits = round_breaks(values, count=count)
    if not known:
        assert len(limits) == 0
        return
    assert 2 <= len(limits) <= count + 1
    assert (np.diff(limits) > 0).all()
    assert limits[0] <= min(known) and limits[-1] >= max(known)
    assert class_counts(values, limits).sum() == len(known)


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_counts_get_whole_limits_whatever_their_order(values):
    limits = round_breaks(values)
    assert (limits == np.round(limits)).all()
    assert limits.tolist() == round_breaks(values[::-1]).tolist()


def test_limits_read_well():
    rng = np.random.default_rng(1)
    limits = round_breaks(np.round(rng.lognormal(4, 1, 500)))
    # Skewed counts: few digits each, narrow classes below, wide above.
    assert all(len(str(int(limit)).rstrip("0")) <= 2 for limit in limits)
    assert np.diff(limits)[0] < np.diff(limits)[-1] / 3
    shares = class_counts(np.round(rng.lognormal(4, 1, 500)), limits) / 500
    assert shares.max() < 0.5


def test_equal_values_make_one_class():
    assert round_breaks([7, 7, 7]).tolist() == [7, 8]
    assert class_counts([7, 7, 7], round_breaks([7, 7, 7])).tolist() == [3]
    assert round_breaks([0.0]).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (4.99, 0), (5, 1), (10, 1), (10.01, -1), (-1, -1), (float("nan"), -1)]
)
def test_lower_limit_belongs_to_the_class_and_the_last_class_is_closed(value, expected):
    assert class_of([value], [0, 5, 10]).tolist() == [expected]


def test_no_limits_no_class():
    assert class_of([1.0], []).tolist() == [-1] and class_counts([1.0], []).tolist() == []
