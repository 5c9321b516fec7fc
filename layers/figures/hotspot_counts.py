"""Which unit each incident is counted in: that of one day's boundaries, or that of the incident's own day."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.words import Text

from ..places.areas import area_set
from ..places.homes import codes_on_own_day
from ..places.standing import OPEN, standing
from .boundary_modes import THEN, Boundaries
from .hotspot_units import Units
from .incidents import Incidents

if TYPE_CHECKING:
    from ..storage.store import Store


@dataclass(frozen=True, slots=True)
class Counting:
    """Where incidents are counted."""

    home: np.ndarray  # row of the unit of each incident, -1 for none
    ended: pd.DataFrame  # code, name, parent_code, begins, ended_on, count: areas incidents were in that are no more
    stood: np.ndarray | None  # per unit the share of the period in which it stood; None when all count as ever there
    notes: tuple[Text, ...]

    @property
    def in_ended(self) -> int:
        """Incidents in areas that are no more."""
        return int(self.ended["count"].sum())


def counting(
    store: "Store",
    units: Units,
    incidents: Incidents,
    within: Boundaries,
    on: str,
    period: tuple[str, str] | None,
) -> Counting:
    """Find the unit of each incident.

    With boundaries as of then an incident belongs to the area it was in on its day (one without a day: on `on`). Those
    whose area has ended by `on` are listed by its code; a unit is held against the part of the period it stood.
    """
    if within.mode != THEN:
        return Counting(units.home(incidents.lon, incidents.lat), _ended(store, units.kind, np.empty(0)), None, ())
    codes = codes_on_own_day(store, units.kind, incidents.lon, incidents.lat, incidents.on, on=on)
    home = pd.Index(units.codes).get_indexer(codes)
    inside = np.array([code is not None for code in codes], dtype=bool)
    left = codes[inside & (home < 0)]
    ended = _ended(store, units.kind, left[~np.isin(left.astype(str), area_set(store, units.kind, on).frame.index)])
    stood = None if period is None else standing(store, units.kind).share_of(units.codes, *period)
    return Counting(home, ended, stood, _notes(ended, stood))


def _ended(store: "Store", kind: str, codes: np.ndarray) -> pd.DataFrame:
    """One row per code with its incidents, most first."""
    columns = ["code", "name", "parent_code", "begins", "ended_on", "count"]
    if not len(codes):
        return pd.DataFrame(columns=columns).astype({"count": "int64"})
    names, counts = np.unique(codes.astype(str), return_counts=True)
    spans = standing(store, kind).spans().reindex(names)
    table = pd.DataFrame(
        {
            "code": names.astype(object),
            "name": spans["name"].to_numpy(dtype=object),
            "parent_code": spans["parent_code"].to_numpy(dtype=object),
            "begins": spans["begins"].to_numpy(dtype=object),
            "ended_on": spans["ends"].where(spans["ends"] != OPEN, None).to_numpy(dtype=object),
            "count": counts.astype(np.int64),
        }
    )
    return table.sort_values(["count", "code"], ascending=[False, True]).reset_index(drop=True)


def _notes(ended: pd.DataFrame, stood: np.ndarray | None) -> tuple[Text, ...]:
    notes = []
    if len(ended):
        total = int(ended["count"].sum())
        notes.append(
            Text(
                f"{total} 起发生在 {len(ended)} 个已撤销的单元，按原编码另列，不参与检验。",
                f"{total} incidents happened in {len(ended)} units that have ended; they are listed under their codes "
                "and take no part in the test.",
            )
        )
    if stood is not None and (stood < 1).any():
        notes.append(
            Text(
                f"{int((stood < 1).sum())} 个单元在所选时段内只存在一部分时间，期望数按存在天数折算。",
                f"{int((stood < 1).sum())} units stood for part of the period only; what is expected of them is "
                "reduced to those days.",
            )
        )
    return tuple(notes)
