"""Land and whole numbers are shared out without loss."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.shares import Share, follow_land, hand_out, land_shares


@given(st.integers(0, 100_000), st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_whole_numbers_are_handed_out_to_the_last_one(total, weights):
    given_out = hand_out(total, weights)
    assert sum(given_out) == total and min(given_out) >= 0
    if sum(weights) > 0:
        exact = [total * weight / sum(weights) for weight in weights]
        assert all(abs(one - other) < 1 + 1e-6 for one, other in zip(given_out, exact, strict=True))


def test_largest_remainder_goes_first_and_ties_keep_their_order():
    assert hand_out(10, [1, 1, 1]) == [4, 3, 3]
    assert hand_out(7, [0.5, 0.25, 0.25]) == [3, 2, 2]  # 3.5, 1.75, 1.75
    assert hand_out(5, [0, 0]) == [3, 2]
    assert hand_out(5, []) == []


def test_shares_of_moved_land_add_up_and_slivers_of_rounding_do_not_count():
    old = {"a": shapely.box(0, 0, 100, 100), "b": shapely.box(100, 0, 200, 100), "c": shapely.box(200, 0, 300, 100)}
    new = {"a": shapely.box(0, 0, 75, 100), "b": shapely.box(75, 0, 200.01, 100), "c": shapely.box(200.01, 0, 300, 100)}
    shares = land_shares(old, new)
    assert [(share.old, share.new) for share in shares] == [("a", "a"), ("a", "b"), ("b", "b"), ("c", "c")]
    assert [share.share for share in shares] == pytest.approx([0.75, 0.25, 1, 1])
    assert shares[3].share == 1.0


def test_land_thinner_than_rounding_goes_where_most_of_it_lies():
    old = {"x": shapely.box(0, 0, 0.04, 50)}
    new = {"y": shapely.box(-10, 0, 0.03, 50), "z": shapely.box(0.03, 0, 10, 50)}
    assert {share.new: round(share.share, 6) for share in land_shares(old, new)} == {"y": 0.75, "z": 0.25}


@pytest.mark.parametrize("seed", range(5))
def test_numbers_that_follow_the_land_keep_their_sum_and_unknown_stays_unknown(seed):
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.uniform(0, 100, 4))
    old = {f"o{n}": shapely.box(25 * n, 0, 25 * n + 25, 10) for n in range(4)}
    edges = [0, *cuts, 100]
    new = {f"n{n}": shapely.box(edges[n], 0, edges[n + 1], 10) for n in range(5)}
    values = {code: int(rng.integers(0, 500)) for code in old}
    found = follow_land(values, land_shares(old, new))
    assert sum(found.values()) == sum(values.values())
    values["o0"] = None
    partly = follow_land(values, land_shares(old, new))
    assert sum(value or 0 for value in partly.values()) == sum(value or 0 for value in values.values())


def test_area_made_of_unknown_ones_only_is_unknown():
    shares = [Share("a", "x", 1.0), Share("b", "y", 0.5), Share("b", "x", 0.5)]
    assert follow_land({"a": None, "b": None}, shares) == {"x": None, "y": None}
    assert follow_land({"a": None, "b": 9}, shares) == {"x": 4, "y": 5}
