"""Counts, shares and shortfalls per area: who meets a rule, who falls short, where nothing can be said.

Modelling decisions. A camera belongs to the one area its position falls in (`geo.lookup`: lowest code on a shared
border), so counts per area add up to the located cameras. A row may stand for several cameras (its weight; 0 is
allowed). Needed counts are rounded up and shares are compared before any rounding. An area whose denominator is zero or
unknown has the state "no_data", never 100 % and never short.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

MET, SHORT, NO_DATA = "met", "short", "no_data"
STATES = (MET, SHORT, NO_DATA)

_NOISE_DECIMALS = 9  # 0.07 * 100 is 7.000000000000001 in binary; rounding it up would ask for one too many


@dataclass(frozen=True, slots=True)
class Coverage:
    """What each area has, needs and lacks; every series has the index of the values it was made from."""

    value: pd.Series  # float64; NaN where nothing is known
    required: pd.Series  # float64, in the unit of `value`
    shortfall: pd.Series  # float64, whole cameras, people, ... missing (or too many); NaN when state is no_data
    state: pd.Series  # "met", "short", "no_data"


def cameras_per_area(home: npt.ArrayLike, weight: npt.ArrayLike, n: int) -> npt.NDArray[np.int64]:
    """Number of cameras in each of `n` areas.

    Parameters
    ----------
    home
        Row number of the area each row falls in, -1 for none (from `geo.lookup.Lookup.home`).
    weight
        Cameras per row; NaN (not recorded) counts as one camera, 0 as none.
    n
        Number of areas.

    Returns
    -------
    count
        int64, one per area. Rows with home -1 are in no area: their sum is `total - count.sum()`.
    """
    home = np.asarray(home)
    inside = home >= 0
    counted = camera_weights(weight)[inside]
    return np.bincount(home[inside], weights=counted, minlength=n).round().astype(np.int64)


def camera_weights(weight: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Cameras each row stands for: the recorded count, or one where none is recorded."""
    recorded = np.asarray(weight, dtype=np.float64)
    return np.where(np.isnan(recorded), 1.0, recorded)


def required_count(amount: npt.ArrayLike, rate: float) -> npt.NDArray[np.float64]:
    """How many are needed for `amount` at `rate` each, rounded up; NaN where the amount is unknown.

    123,456 urban residents at 18 per 10,000 need 223 social workers; 45,678 residents at 1 per mille need 46 patrol
    members; 3,500 newcomers at 1 per 2,000 to 1 per 1,000 need 2 to 4 staff.
    """
    return np.ceil(np.round(np.asarray(amount, dtype=np.float64) * rate, _NOISE_DECIMALS))


def floor_area_required(
    households: npt.ArrayLike, base_m2: npt.ArrayLike, *, per_household_m2: float
) -> npt.NDArray[np.float64]:
    """Service floor area a village needs: its base area or so much per household, whichever is larger (m2)."""
    by_households = np.round(np.asarray(households, dtype=np.float64) * per_household_m2, _NOISE_DECIMALS)
    return np.maximum(np.asarray(base_m2, dtype=np.float64), by_households)


def camera_deficit(
    village_count: npt.ArrayLike,
    natural_count: npt.ArrayLike,
    natural_parent: npt.ArrayLike,
    *,
    per_village: float,
    per_natural: float,
) -> npt.NDArray[np.float64]:
    """Cameras missing in each administrative village when both standards are kept at once.

    One new camera can serve both: it stands in a natural village that lacks one and also raises the village's total.
    So the deficit is the larger of the two needs: the sum over natural villages of max(0, per_natural - count), and
    max(0, per_village - village total).

    Parameters
    ----------
    village_count
        Cameras in each administrative village, those outside its natural villages included.
    natural_count
        Cameras in each natural village.
    natural_parent
        Row number of the administrative village of each natural village; -1 is left out.
    """
    village_count = np.asarray(village_count, dtype=np.float64)
    natural_parent = np.asarray(natural_parent, dtype=np.int64)
    lacking = np.maximum(0.0, per_natural - np.asarray(natural_count, dtype=np.float64))
    known = natural_parent >= 0
    in_natural = np.bincount(natural_parent[known], weights=lacking[known], minlength=len(village_count))
    return np.maximum(in_natural, np.maximum(0.0, per_village - village_count))


def coverage(value: pd.Series, required: pd.Series | float, *, at_least: bool = True) -> Coverage:
    """Compare what each area has with what it needs.

    The shortfall is `required - value` (or `value - required` for an upper limit, `at_least=False`), never below zero.
    An area whose value or requirement is NaN has the state no_data and no shortfall.
    """
    has = value.astype("float64")
    needs = (
        required.astype("float64").reindex(has.index)
        if isinstance(required, pd.Series)
        else pd.Series(float(required), index=has.index)
    )
    gap = (needs - has if at_least else has - needs).clip(lower=0.0)
    # The comparison is made on rounded figures for the same reason as in `required_count`.
    state = pd.Series(np.where(gap.round(_NOISE_DECIMALS) > 0, SHORT, MET), index=has.index)
    state[gap.isna()] = NO_DATA
    return Coverage(value=has, required=needs, shortfall=gap, state=state)


def share_coverage(numerator: pd.Series, denominator: pd.Series, *, threshold: float) -> Coverage:
    """Compare a share of whole things (working / existing cameras) with a threshold from 0 to 1.

    `value` is the share, `required` the threshold, `shortfall` the whole number of things that must change for the
    threshold to be reached: `ceil(threshold * denominator) - numerator`. Areas whose denominator is zero or NaN have
    the state no_data: nothing is not 100 % of nothing.
    """
    counted = numerator.astype("float64")
    of = denominator.astype("float64").where(denominator > 0)
    missing = pd.Series(required_count(of, threshold), index=of.index) - counted
    result = coverage(-missing, 0.0)
    return Coverage(
        value=counted / of,
        required=pd.Series(float(threshold), index=of.index),
        shortfall=result.shortfall,
        state=result.state,
    )


def ranked(result: Coverage) -> pd.Index:
    """The index in the order of the gap list: largest shortfall first, no_data last, then by code."""
    gap = -result.shortfall.fillna(-1.0).to_numpy()
    return result.value.index[np.lexsort((result.value.index.astype(str), gap))]
