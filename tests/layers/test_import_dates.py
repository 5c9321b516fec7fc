"""Dates as county files write them."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError
from layers.dates import find_order, read_moments, require_order


def read(text: str, order: str = "auto", **options: float) -> str:
    found = read_moments(pd.Series([text, "x"]), order, **options)
    return "bad" if found.bad[0] else str(found.values[0])[:16]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01", "2026-03-01T00:00"),
        ("2026年3月1日", "2026-03-01T00:00"),
        ("2026年3月1日 8时5分", "2026-03-01T08:05"),
        ("2026年3月1日8时30分15秒", "2026-03-01T08:30"),
        ("2026年3月1日 下午3时20分", "2026-03-01T15:20"),
        ("2026/3/1 8:05", "2026-03-01T08:05"),
        ("2026.3.1", "2026-03-01T00:00"),
        ("20260301", "2026-03-01T00:00"),
        ("202603011230", "2026-03-01T12:30"),
        ("46082", "2026-03-01T00:00"),  # Excel: 46082 days after 1899-12-30
        ("46082.75", "2026-03-01T18:00"),
        ("2006-01-01T03:30:00", "2006-01-01T03:30"),
        ("2026-03-01 24:00", "2026-03-02T00:00"),
        ("2026/3/1 12:05 AM", "2026-03-01T00:05"),
        ("2026年3月", "2026-03-01T00:00"),
    ],
)
def test_every_usual_form_is_read(text: str, moment: str) -> None:
    assert read(text) == moment


@pytest.mark.parametrize("text", ["2026-02-30", "abc", "115/3/1", "3", "99999", "2026-13-01", "0001-01-01", "1/2/3/4"])
def test_what_is_no_date_is_reported_not_guessed(text: str) -> None:
    assert read(text) == "bad"


def test_year_last_dates_need_a_row_that_settles_the_order() -> None:
    assert read("03/04/2026") == "bad"
    assert read("03/04/2026", "dmy") == "2026-04-03T00:00"
    assert read("03/04/2026", "mdy") == "2026-03-04T00:00"
    assert find_order(pd.Series(["03/04/2026", "13/04/2026"])) == "dmy"
    assert find_order(pd.Series(["03/04/2026", "04/13/2026"])) == "mdy"
    assert find_order(pd.Series(["13/04/2026", "04/13/2026"])) == ""


@pytest.mark.parametrize("text", ["115/3/1", "115年3月1日", "民国115年3月1日", "1150301"])
def test_roc_years_are_read_only_when_asked_for(text: str) -> None:
    assert read(text, "roc") == "2026-03-01T00:00"
    assert read(text) == "bad"


def test_a_zone_is_turned_to_the_wall_time_of_the_place() -> None:
    assert read("2026-03-01T00:30:00Z", place_offset_h=8) == "2026-03-01T08:30"
    assert read("2026-03-01T08:30:00+08:00", place_offset_h=8) == "2026-03-01T08:30"


def test_a_date_without_time_is_not_midnight() -> None:
    found = read_moments(pd.Series(["2026-03-01", "2026-03-01 00:00", None]))
    assert found.timed.tolist() == [False, True, False]
    assert np.isnat(found.values[2])
    assert not found.bad.any()


def test_the_fast_way_gives_what_the_slow_way_gives() -> None:
    texts = pd.Series(["2026-03-01T08:05", "1999-12-31T23:59", None])
    fast = read_moments(texts)
    slow = read_moments(pd.concat([texts, pd.Series(["2026年1月1日"])], ignore_index=True))
    assert (fast.values[:2] == slow.values[:2]).all()
    assert fast.timed.tolist() == slow.timed[:3].tolist()


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(InputError):
        require_order("ydm")
