"""The workload of grids: one index from households, incidents, area and key places, and how evenly it is spread.

Modelling decisions. The index is a sum of four terms, each a figure over a norm: households over a fixed norm, the
others over their mean per grid. With the norms held (`Scale`) it is additive: the index of two grids together is the sum
of theirs, so that land can be moved between grids without working everything out again. A term whose mean is zero (no
incidents at all) says nothing about anybody and counts zero for all. Where the households of a grid are not recorded its
index is NaN ("no data"), never zero; when no grid has them, their term is left out for all.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Figures = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each term weighs, and the households that make one grid's full term."""

    households: float
    incidents: float
    area: float
    key_places: float
    household_norm: float


@dataclass(frozen=True, slots=True)
class Scale:
    """What one household, incident, square metre and key place add to the index."""

    household: float
    incident: float
    square_metre: float
    key_place: float

    def index(
        self, households: npt.ArrayLike, incidents: npt.ArrayLike, area_m2: npt.ArrayLike, key_places: npt.ArrayLike
    ) -> Figures:
        """The index of each grid, or of any piece of land; NaN where a figure that counts is NaN."""
        total = np.zeros(np.broadcast(households, incidents, area_m2, key_places).shape)
        for each, value in (
            (self.household, households),
            (self.incident, incidents),
            (self.square_metre, area_m2),
            (self.key_place, key_places),
        ):
            if each:
                total = total + each * np.asarray(value, dtype=np.float64)
        return total


def scale(
    households: npt.ArrayLike,
    incidents: npt.ArrayLike,
    area_m2: npt.ArrayLike,
    key_places: npt.ArrayLike,
    *,
    weights: Weights,
) -> Scale:
    """The scale that a set of grids is measured on.

    Parameters
    ----------
    households
        Per grid; NaN where not recorded.
    incidents
        Per grid, in the period the rule set names.
    area_m2
        Square metres per grid.
    key_places
        Per grid.
    weights
        From the rule set.

    Notes
    -----
    W = wh*H/norm + wi*I/mean(I) + wa*A/mean(A) + wk*K/mean(K); weights and norm are data of the rule set.
    """
    recorded = np.isfinite(np.asarray(households, dtype=np.float64)).any()
    return Scale(
        household=weights.households / weights.household_norm if recorded else 0.0,
        incident=_over_mean(weights.incidents, incidents),
        square_metre=_over_mean(weights.area, area_m2),
        key_place=_over_mean(weights.key_places, key_places),
    )


def _over_mean(weight: float, values: npt.ArrayLike) -> float:
    """`weight` over the mean of what is known; 0 when that is zero or nothing is known."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    mean = float(known.mean()) if len(known) else 0.0
    return weight / mean if mean > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How evenly a figure lies over grids; NaN for all but `count` when nothing is known or all are zero."""

    count: int  # grids with a figure
    mean: float
    max_over_mean: float
    min_over_mean: float
    variation: float  # standard deviation of the grids (not of a sample) over the mean
    gini: float  # 0 all alike, (n - 1) / n all in one


def spread(values: npt.ArrayLike) -> Spread:
    """Mean, extremes over the mean, coefficient of variation and Gini of figures; NaN ones are left out.

    Notes
    -----
    Gini by the sorted form of the mean difference: sum((2i - n - 1) * x_i) / (n * sum(x)), i from 1.
    """
    known = np.asarray(values, dtype=np.float64)
    known = np.sort(known[np.isfinite(known)])
    count, total = len(known), float(known.sum())
    if count == 0 or total <= 0:
        return Spread(count, 0.0 if count else np.nan, *[np.nan] * 4)
    mean = total / count
    ranks = 2 * np.arange(1, count + 1) - count - 1
    return Spread(
        count=count,
        mean=mean,
        max_over_mean=float(known[-1]) / mean,
        min_over_mean=float(known[0]) / mean,
        variation=float(known.std()) / mean,
        gini=float((ranks * known).sum()) / (count * total),
    )
