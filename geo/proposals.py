"""Which grids to split and which neighbours to merge, by the limits of a rule set. Hints for a planner, no more.

A grid is proposed for a split when it has too many households or carries far more than the median of its peers; two
neighbours of one village for a merge when both carry far less and together stay within the households allowed.
Neighbours share a border, not a mere corner.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HOUSEHOLDS, WORKLOAD = "households", "workload"


@dataclass(frozen=True, slots=True)
class Limits:
    """When to split and to merge, from the rule set."""

    split_households: float  # more than these, and no merge beyond them
    split_factor: float  # of the median workload
    merge_factor: float


@dataclass(frozen=True, slots=True)
class Split:
    """A grid by its row, and why: `HOUSEHOLDS`, `WORKLOAD` or both."""

    row: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """Two grids by their rows, the lower first."""

    rows: tuple[int, int]
    households: float  # of both
    workload: float


def find_splits(households: npt.ArrayLike, workload: npt.ArrayLike, *, limits: Limits) -> list[Split]:
    """Grids to split, the heaviest first; a figure that is NaN is no reason."""
    size, load = (np.asarray(each, dtype=np.float64) for each in (households, workload))
    crowded = size > limits.split_households
    heavy = load > limits.split_factor * _median(load)
    rows = np.flatnonzero(crowded | heavy)
    rows = rows[np.lexsort((rows, -np.nan_to_num(size[rows]), -np.nan_to_num(load[rows])))]
    return [
        Split(int(row), tuple(word for word, why in ((HOUSEHOLDS, crowded), (WORKLOAD, heavy)) if why[row]))
        for row in rows
    ]


def find_merges(
    households: npt.ArrayLike,
    workload: npt.ArrayLike,
    village: npt.ArrayLike,
    neighbours: Iterable[tuple[int, int]],
    *,
    limits: Limits,
) -> list[Merge]:
    """Pairs of neighbours to merge, the idlest first; each grid stands in one pair at most.

    Parameters
    ----------
    households, workload
        Per grid. A grid whose households are not recorded is never proposed.
    village
        What each grid belongs to; grids of different villages never merge.
    neighbours
        Pairs of rows that share a border.
    """
    size, load = (np.asarray(each, dtype=np.float64) for each in (households, workload))
    home = np.asarray(village, dtype=object)
    idle = load < limits.merge_factor * _median(load)
    pairs = sorted(
        {
            (min(a, b), max(a, b))
            for a, b in neighbours
            if a != b and home[a] == home[b] and idle[a] and idle[b] and size[a] + size[b] <= limits.split_households
        },
        key=lambda pair: (load[pair[0]] + load[pair[1]], pair),
    )
    taken: set[int] = set()
    merges = []
    for a, b in pairs:
        if a in taken or b in taken:
            continue
        taken |= {a, b}
        merges.append(Merge((int(a), int(b)), float(size[a] + size[b]), float(load[a] + load[b])))
    return merges


def _median(load: npt.NDArray[np.float64]) -> float:
    known = load[np.isfinite(load)]
    return float(np.median(known)) if len(known) else np.nan
