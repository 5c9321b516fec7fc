"""How long areas have stood: from which day to which each code was in force."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import select

from ..kinds import AREA_KINDS, KINDS
from ..storage import schema
from ..storage.history import hidden_changes, hidden_ids, visible
from ..storage.kept import kept

if TYPE_CHECKING:
    from ..storage.store import Store

OPEN = "9999-12-31"
"""The end of a row that has none."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Every row of an area kind there ever was, without its shape."""

    rows: pd.DataFrame  # fid, code, name, parent_code, begins, ends (ISO text), change_id; by code, then first day

    def spans(self) -> pd.DataFrame:
        """First day, and first day no longer, of each code: begins, ends, and the last name and parent; by code."""
        grouped = self.rows.groupby("code", sort=True)
        last = self.rows.drop_duplicates("code", keep="last").set_index("code")
        return pd.DataFrame(
            {
                "name": last["name"],
                "parent_code": last["parent_code"],
                "begins": grouped["begins"].min(),
                "ends": grouped["ends"].max(),
            }
        )

    def share_of(self, codes: np.ndarray, first: str, last: str) -> np.ndarray:
        """The part of the days from `first` to `last` (both included) on which each code stood, from 0 to 1."""
        begin, stop = np.datetime64(first, "D"), np.datetime64(last, "D") + 1
        begins = self.rows["begins"].to_numpy(dtype="datetime64[D]")
        ends = self.rows["ends"].to_numpy(dtype="datetime64[D]")
        days = np.maximum((np.minimum(ends, stop) - np.maximum(begins, begin)).astype(np.int64), 0)
        summed = pd.Series(days).groupby(self.rows["code"].to_numpy()).sum()
        share = summed.reindex([str(code) for code in codes]).fillna(0).to_numpy(dtype=float)
        return np.minimum(share / float((stop - begin).astype(np.int64)), 1.0)


def standing(store: "Store", kind: str) -> Standing:
    """All rows of an area kind that count on some day, kept until an area layer changes."""
    key = ("standing", kind, tuple(store.versions(AREA_KINDS).items()))
    return kept(store).get(key, lambda: _read(store, kind))


def _read(store: "Store", kind: str) -> Standing:
    table, definition = schema.ROWS[kind], KINDS[kind]
    columns = [
        table.c.fid,
        table.c[definition.key].label("code"),
        table.c.name,
        table.c[definition.parent].label("parent_code"),
        table.c.valid_from,
        table.c.valid_to,
        table.c.closed_by,
        table.c.created_by,
    ]
    with store.read() as connection:
        reopened = hidden_ids(connection)
        met = visible(table, hidden_changes(connection))
        query = select(*columns).where(met).order_by("code", table.c.valid_from, table.c.fid)
        found = connection.execute(query).all()
    rows = pd.DataFrame(
        [
            # An end that was set by an act since undone is none.
            (fid, str(code), name, parent, begins, OPEN if ends is None or closed in reopened else ends, made)
            for fid, code, name, parent, begins, ends, closed, made in found
        ],
        columns=["fid", "code", "name", "parent_code", "begins", "ends", "change_id"],
    )
    # Rows superseded before they began never counted.
    return Standing(rows[rows["ends"] > rows["begins"]].reset_index(drop=True))
