"""Reports of one event, and piles of events at one address: what to know before counting.

Near-duplicates are reports of the same category, close in space and time (one quarrel told by the hotline, the grid
worker and the police). They are collapsed before any test. Stacked positions are different events given one position
by the geocoder (a village office, a street corner); they stay, but their share is told, for they make hotspots of
addresses.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

_BLOCK = 50_000  # reports compared at a time, so that memory stays bounded when everything happens at once


@dataclass(frozen=True, slots=True)
class Stacked:
    """How much of the data sits on few positions."""

    positions: int  # different positions
    share: float  # of all located reports at the `top` fullest positions; 0 without reports
    top: int
    largest: int  # reports at the fullest position


def near_duplicates(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    when_hours: npt.ArrayLike,
    category: npt.ArrayLike,
    *,
    distance_m: float,
    hours: float,
) -> npt.NDArray[np.int64]:
    """For each report the row of the report it repeats, or its own row when it is the first of its event.

    In the order of time, a report repeats an earlier *first* report of the same category that is at most `distance_m`
    and at most `hours` away (the earliest such). Since only first reports count as the original, a long series of
    close reports does not chain into one event. Of equal times the smaller x, then y comes first, so that the order
    of rows does not matter. A report whose hour (NaN) or position is unknown repeats nothing.

    Parameters
    ----------
    x, y
        Metres.
    when_hours
        Time in hours on any scale; NaN when only the day is known.
    category
        Codes or words; None or NaN is a category of its own.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    when = np.asarray(when_hours, dtype=np.float64)
    kinds = pd.factorize(pd.Series(np.asarray(category, dtype=object)), use_na_sentinel=True)[0].astype(np.int64)
    original = np.arange(len(x), dtype=np.int64)
    usable = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(when))
    if len(usable) < 2:
        return original
    order = usable[np.lexsort((y[usable], x[usable], kinds[usable], when[usable]))]

    # Reports equal in everything go first: they are the many, and the rest is then small enough to compare in pairs.
    same = pd.DataFrame({"x": x[order], "y": y[order], "t": when[order], "k": kinds[order]})
    group = same.groupby(["t", "k", "x", "y"], sort=False).ngroup().to_numpy()
    head = np.full(group.max() + 1, len(order), dtype=np.int64)
    np.minimum.at(head, group, np.arange(len(order)))
    original[order] = order[head[group]]
    firsts = order[np.unique(head)]

    left, right = _close_pairs(x[firsts], y[firsts], when[firsts], kinds[firsts], distance_m, hours)
    repeats = np.full(len(firsts), -1, dtype=np.int64)
    for earlier, later in zip(left.tolist(), right.tolist(), strict=True):  # sorted by `later`, then `earlier`
        if repeats[later] < 0 and repeats[earlier] < 0:
            repeats[later] = earlier
    moved = np.flatnonzero(repeats >= 0)
    target = np.arange(len(x), dtype=np.int64)
    target[firsts[moved]] = firsts[repeats[moved]]
    return target[original]


def _close_pairs(
    x: np.ndarray, y: np.ndarray, when: np.ndarray, kinds: np.ndarray, distance_m: float, hours: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (earlier, later) of one category within reach, by rows in order of time; sorted by later, then earlier."""
    lefts, rights = [], []
    for start in range(0, len(x), _BLOCK):
        stop = min(start + _BLOCK, len(x))
        # A block is compared with itself and with what precedes it by at most `hours`.
        first = int(np.searchsorted(when, when[start] - hours, side="left"))
        here = np.arange(first, stop)
        # Categories far apart in a fourth dimension, so that only equal ones meet.
        scaled = np.column_stack([x[here] / distance_m, y[here] / distance_m, when[here] / hours, kinds[here] * 4.0])
        pairs = cKDTree(scaled).query_pairs(1.0 + 1e-9, p=np.inf, output_type="ndarray") + first
        later, earlier = pairs.max(axis=1, initial=-1), pairs.min(axis=1, initial=len(x))
        fresh = later >= start
        later, earlier = later[fresh], earlier[fresh]
        near = np.hypot(x[later] - x[earlier], y[later] - y[earlier]) <= distance_m
        near &= when[later] - when[earlier] <= hours
        lefts.append(earlier[near])
        rights.append(later[near])
    left, right = np.concatenate(lefts), np.concatenate(rights)
    order = np.lexsort((left, right))
    return left[order], right[order]


def stacked(x: npt.ArrayLike, y: npt.ArrayLike, *, top: int) -> Stacked:
    """How many different positions there are, and the share of reports at the `top` fullest of them."""
    east, north = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    located = np.isfinite(east) & np.isfinite(north)
    if not located.any():
        return Stacked(positions=0, share=0.0, top=top, largest=0)
    place = pd.DataFrame({"x": east[located], "y": north[located]}).groupby(["x", "y"], sort=False).size().to_numpy()
    fullest = np.sort(place)[::-1]
    # Positions that hold a single report are no stack, however few there are.
    piled = fullest[:top][fullest[:top] > 1]
    return Stacked(positions=len(place), share=float(piled.sum() / located.sum()), top=top, largest=int(fullest[0]))
