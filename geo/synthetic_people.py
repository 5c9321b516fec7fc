"""The people of a made-up county: households per village and grid, and how many grids each village needs."""

import numpy as np


def village_households(
    rng: np.random.Generator, village: np.ndarray, weight: np.ndarray, urban: np.ndarray, town: np.ndarray
) -> np.ndarray:
    """Households per village: big communities in the county town, middling market places, small villages."""
    inside = village >= 0
    n = len(urban)
    mass = np.bincount(village[inside], weight[inside], n)
    rural = np.clip(430.0 * np.sqrt(mass / np.median(mass[~urban])) * rng.lognormal(0.0, 0.22, n), 90, 1400)
    market = rng.lognormal(np.log(1150.0), 0.25, n)
    core = np.clip(rng.lognormal(np.log(2150.0), 0.28, n), 800, 4300)
    return np.rint(np.where(town >= 0, core, np.where(urban, market, rural))).astype(np.int64)


def grid_share(households: np.ndarray, urban: np.ndarray, village: np.ndarray, grids: int) -> np.ndarray:
    """How many grids each village gets: by the size guide in towns, the rest by people and land in the country."""
    room = np.maximum(1, np.bincount(village[village >= 0], minlength=len(urban)) // 8)
    share = np.where(urban, np.clip(np.rint(households / 330.0) + 1, 1, room), 1).astype(np.int64)
    pull = np.where(urban, 0.0, np.sqrt(households) * np.sqrt(room))
    while (missing := grids - int(share.sum())) != 0:
        if missing < 0:
            largest = np.argsort(-share, kind="stable")[: min(-missing, int((share > 1).sum()))]
            share[largest] -= 1
            continue
        free = room > share
        if not free.any():
            room = room * 2
            continue
        wanted = np.where(free, pull if pull[free].any() else 1.0, 0.0)
        extra = np.minimum(np.floor(missing * wanted / wanted.sum()), room - share).astype(np.int64)
        if not extra.any():
            extra[np.argsort(-wanted / share, kind="stable")[: min(missing, int(free.sum()))]] = 1
            extra = np.where(free, extra, 0)
        share += extra
    return share


def choose_dedicated(
    rng: np.random.Generator, village_of_grid: np.ndarray, urban: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """Grids set aside for a school, a hospital, a market: one in every larger community, two in some."""
    result = np.zeros(len(village_of_grid), dtype=bool)
    first = np.concatenate([[0], np.cumsum(share)[:-1]])
    for village in np.flatnonzero(urban & (share >= 4)).tolist():
        count = 1 if share[village] < 7 or rng.random() < 0.5 else 2
        result[first[village] + rng.choice(share[village], count, replace=False)] = True
    return result


def grid_households(
    rng: np.random.Generator,
    grid: np.ndarray,
    village_of_grid: np.ndarray,
    weight: np.ndarray,
    people: np.ndarray,
    dedicated: np.ndarray,
) -> np.ndarray:
    """Households per grid; those of a village sum up to the village's figure."""
    inside = grid >= 0
    mass = np.bincount(grid[inside], weight[inside], len(village_of_grid)) ** 0.6
    mass = mass * rng.lognormal(0.0, 0.18, len(mass)) * np.where(dedicated, 0.04, 1.0)
    exact = people[village_of_grid] * mass / np.bincount(village_of_grid, mass)[village_of_grid]
    result = np.floor(exact).astype(np.int64)
    left = people - np.bincount(village_of_grid, result, len(people)).astype(np.int64)
    # Largest remainders first, so that each village is met exactly.
    order = np.lexsort([-(exact - result), village_of_grid])
    rank = np.arange(len(order)) - np.searchsorted(village_of_grid[order], village_of_grid[order])
    result[order[rank < left[village_of_grid[order]]]] += 1
    return result
