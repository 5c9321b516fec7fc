"""Where imported rows fall: the village and the grid of each position, for tables, filters and exports."""

from typing import TYPE_CHECKING

import numpy as np

from ..kinds import Kind
from ..places import homes
from .prepared import Prepared

if TYPE_CHECKING:
    from ..storage.store import Store


def find(store: "Store", kind: Kind, prepared: Prepared, on: str) -> dict[str, np.ndarray]:
    """`village_code` and `grid_code` of every row (None outside), as columns over all rows; empty when rows have no home.

    An incident falls where the areas of its own day say.
    """
    if not kind.homed:
        return {}
    return homes.find_homes(store, prepared.lon, prepared.lat, prepared.days, on=on)


def refresh(store: "Store", kind: Kind, actor: str) -> None:
    """After areas changed: set anew where the rows of every homed layer fall."""
    if kind.is_area:
        homes.refresh(store, actor)
