"""Areas of a kind through all their versions, so that dated positions are looked up in the areas of their own day.

A decision redraws a few grids and leaves thousands as they are. Areas that hold through every period that is asked
for share one lookup; only what differs between periods is looked up period by period. The answer is that of
`areas.area_set` of each period: what lies on a shared border, or where areas overlap, has the lowest code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from geo.lookup import Lookup

from ..kinds import AREA_KINDS, KINDS
from ..storage import schema
from ..storage.arrays import fetch
from ..storage.geometry import from_stored
from ..storage.history import hidden_changes, hidden_ids, visible
from ..storage.kept import kept

if TYPE_CHECKING:
    from ..storage.store import Store

_POLYGONAL = (3, 6)
_POINTS = (0, 4)
_OPEN = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Periods:
    """Lookups of one kind for a list of days, each standing for the period in which no area changes.

    Row numbers refer to `codes`, which are sorted; -1 means none.
    """

    codes: np.ndarray  # object, sorted, unique
    _steady: Lookup
    _steady_rows: np.ndarray  # row of `codes` for each row of the lookup
    _varying: tuple[Lookup, ...]
    _varying_rows: tuple[np.ndarray, ...]

    def home(self, lon: np.ndarray, lat: np.ndarray, period: np.ndarray) -> np.ndarray:
        """Row of `codes` that each position has in the period with the number beside it."""
        none = len(self.codes)
        found = _rows(self._steady.home(lon, lat), self._steady_rows, none)
        for number, lookup in enumerate(self._varying):
            if not len(lookup.codes):
                continue
            of = np.flatnonzero(period == number)
            other = _rows(lookup.home(lon[of], lat[of]), self._varying_rows[number], none)
            found[of] = np.minimum(found[of], other)
        return np.where(found == none, -1, found)


def _rows(home: np.ndarray, rows: np.ndarray, none: int) -> np.ndarray:
    """Rows of `codes` for rows of a lookup; `none` is larger than all of them."""
    return np.append(rows, none)[home]


def periods(store: "Store", kind: str, days: Sequence[str]) -> Periods | None:
    """The areas of `kind` on each of `days`, kept until an area layer changes.

    None when some of them come as points: their land then has to be derived, which `areas.area_set` does.
    """
    key = ("periods", kind, tuple(days), tuple(store.versions(AREA_KINDS).items()))
    return kept(store).get(key, lambda: _make(store, kind, days))


def _make(store: "Store", kind: str, days: Sequence[str]) -> Periods | None:
    table = schema.ROWS[kind]
    columns = (table.c[KINDS[kind].key], table.c.valid_from, table.c.valid_to, table.c.closed_by, table.c.geom)
    with store.read() as connection:
        reopened = hidden_ids(connection)
        met = visible(table, hidden_changes(connection))
        found = fetch(connection, select(*columns).where(met).order_by(table.c.fid))
    names = np.array([str(row[0]) for row in found], dtype="U")
    begins = np.array([str(row[1]) for row in found], dtype="U10")
    ends = [_OPEN if row[2] is None or row[3] in reopened else str(row[2]) for row in found]
    shapes = from_stored([row[4] for row in found]) if found else np.empty(0, dtype=object)
    on = np.array(days, dtype="U10")
    holds = (begins[:, None] <= on) & (np.array(ends, dtype="U10")[:, None] > on)
    types = shapely.get_type_id(shapes)
    if (np.isin(types, _POINTS) & holds.any(axis=1)).any():
        return None
    codes, row_of = np.unique(names, return_inverse=True)
    _first_of_each(row_of, holds)
    holds[~np.isin(types, _POLYGONAL)] = False
    steady = holds.all(axis=1)
    chosen = [steady, *(holds[:, number] & ~steady for number in range(len(days)))]
    lookups = [Lookup.build(names[rows], shapes[rows]) for rows in chosen]
    rows_of = [np.searchsorted(codes, lookup.codes.astype("U")) for lookup in lookups]
    return Periods(codes.astype(object), lookups[0], rows_of[0], tuple(lookups[1:]), tuple(rows_of[1:]))


def _first_of_each(code: np.ndarray, holds: np.ndarray) -> None:
    """Where several rows of a code hold in one period, let only the first of them hold; in place."""
    counts = np.zeros((int(code.max()) + 1 if len(code) else 0, holds.shape[1]), dtype=np.int32)
    np.add.at(counts, code, holds)
    for again in np.flatnonzero((counts > 1).any(axis=1)):
        rows = np.flatnonzero(code == again)
        holds[rows] &= np.cumsum(holds[rows], axis=0) == 1
