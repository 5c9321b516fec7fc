"""Classes for a map: few, with round limits, and how many rows fall in each.

Modelling decision: limits follow the spread of the data (about equally many rows per class) but are moved to the
roundest number that lies near, because a legend is read by people. Skewed counts thus get narrow classes where most
rows are and wide ones at the top.
"""

from math import ceil, floor, log10
from typing import Any

import numpy as np


def round_breaks(values: Any, *, count: int = 5) -> np.ndarray:
    """Limits of at most `count` classes over `values`: ascending, round, first <= lowest and last >= highest value.

    NaN is left out. Whole numbers give whole limits. No values give an empty array; equal values one class.
    """
    known = np.asarray(values, dtype=float).ravel()
    known = np.sort(known[np.isfinite(known)])
    if not len(known):
        return np.empty(0)
    whole = bool((known == np.round(known)).all())
    low, high = float(known[0]), float(known[-1])
    if high - low <= 1e-9 * max(abs(low), abs(high), 1.0):
        step = 1.0 if whole else _power(max(abs(low), abs(high), 1e-6)) / 10
        return np.array([floor(low / step) * step, (floor(high / step) + 1) * step])
    distinct = np.unique(known)
    cuts = np.quantile(distinct if len(distinct) <= count else known, np.arange(count + 1) / count)
    unit = 1.0 if whole else 0.0
    limits = [_below(low, high - low, unit)]
    for lower, cut, upper in zip(cuts[:-2], cuts[1:-1], cuts[2:], strict=True):
        found = _roundest(cut - (cut - lower) / 4, cut, cut + min(upper - cut, cut - lower) / 4, unit)
        if found is not None and limits[-1] < found < high:
            limits.append(found)
    limits.append(_above(high, high - low, unit))
    return np.unique(limits)


def class_of(values: Any, breaks: Any) -> np.ndarray:
    """Class number of each value: i when breaks[i] <= value < breaks[i + 1], the last class closed; -1 for NaN or outside."""
    known, limits = np.asarray(values, dtype=float), np.asarray(breaks, dtype=float)
    if len(limits) < 2:
        return np.full(known.shape, -1)
    found = np.searchsorted(limits, known, side="right") - 1
    found = np.where(known == limits[-1], len(limits) - 2, found)
    return np.where(np.isfinite(known) & (found >= 0) & (found <= len(limits) - 2), found, -1)


def class_counts(values: Any, breaks: Any) -> np.ndarray:
    """How many values fall in each class of `breaks`."""
    found = class_of(values, breaks)
    return np.bincount(found[found >= 0], minlength=max(len(breaks) - 1, 0))


def _power(value: float) -> float:
    return float(10.0 ** floor(log10(value)))


def _roundest(low: float, middle: float, high: float, unit: float) -> float | None:
    """The number in [low, high] with the fewest digits (steps of 5, 2, 1 times a power of ten), nearest to middle."""
    if high <= low:
        return None
    step = _power(max(abs(low), abs(high))) * 10
    while step >= max(unit, (high - low) / 1000):
        for part in (1.0, 0.5, 0.2):
            width = step * part
            if unit and width < unit:
                continue
            near = round(middle / width) * width
            for value in (near, ceil(low / width) * width):
                if low <= value <= high:
                    return float(round(value, 12))
        step /= 10
    return None


def _below(value: float, span: float, unit: float) -> float:
    step = max(_power(span) / 10, unit)
    return float(round(floor(value / step) * step, 12))


def _above(value: float, span: float, unit: float) -> float:
    step = max(_power(span) / 10, unit)
    return float(round(ceil(value / step) * step, 12))
