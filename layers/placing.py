"""Where imported rows fall: the village and the grid of each position, for tables, filters and exports."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .areas import AreaSet, area_set
from .kinds import Kind

if TYPE_CHECKING:
    from .store import Store

ACTION = "homes"
"""The action of changes that only set where rows fall."""
Homes = Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]


def homes(store: "Store", kind: Kind, on: str) -> Homes | None:
    """A function from positions to {"village_code", "grid_code"} (None outside); None when rows have no home."""
    if not kind.homed:
        return None
    villages, grids = area_set(store, "village", on), area_set(store, "grid", on)

    def find(lon: np.ndarray, lat: np.ndarray) -> dict[str, np.ndarray]:
        return {"village_code": _codes(villages, lon, lat), "grid_code": _codes(grids, lon, lat)}

    return find


def _codes(areas: AreaSet, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    found = np.full(len(lon), None, dtype=object)
    if not len(areas.frame):
        return found
    home = areas.home(lon, lat)
    names = areas.frame.index.to_numpy(dtype=object)
    return np.where(home >= 0, names[np.maximum(home, 0)], found)


def refresh(store: "Store", kind: Kind, on: str, actor: str) -> None:
    """After areas changed: set anew where the rows of every homed layer fall."""
    if kind.name not in ("village", "grid", "township", "county", "natural_village"):
        return
    try:
        from .homes import refresh as refresh_homes
    except ImportError:
        return

    refresh_homes(store, actor)
