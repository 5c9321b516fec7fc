"""New rows against those kept: what is the same, what changed, what vanished.

Rows are matched by the key of their kind. A row that says the same as the one kept is left alone, so that history
only grows where something changed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import and_, or_, select

from ..kinds import Kind
from ..rights import Viewer
from ..selection import scopes
from ..selection.selecting import source
from ..storage import schema
from ..storage.geometry import from_stored
from ..storage.history import hidden_changes, visible
from ..storage.rows import stored_values

if TYPE_CHECKING:
    from ..storage.store import Store

SAME_DEG = 1e-8
"""Positions closer than this (about a millimetre) are the same."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The rows of a layer on a day, within a viewer's areas: fid, key, first day; index is the position."""

    frame: pd.DataFrame

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def fids(self) -> np.ndarray:
        """Row ids."""
        return self.frame["fid"].to_numpy(np.int64)

    def fids_of(self, keys: Collection[str]) -> np.ndarray:
        """Row ids of some keys."""
        return self.frame.loc[self.frame["key"].isin(list(keys)), "fid"].to_numpy(np.int64)

    def keys(self) -> set[str]:
        """Every key there is."""
        return set(self.frame["key"].dropna())


def read_kept(store: "Store", kind: Kind, viewer: Viewer, on: str) -> Kept:
    """Rows that hold on a day. Unlike in figures, cameras that are not yet in use are among them."""
    table = schema.ROWS[kind.name]
    with store.read() as connection:
        hidden = hidden_changes(connection)
        parts = [visible(table, hidden)]
        columns = [table.c.fid, table.c[kind.key].label("key") if kind.key else table.c.fid.label("key")]
        if kind.versioned:
            ending = or_(table.c.valid_to.is_(None), table.c.valid_to > on)
            if hidden:
                ending = or_(ending, table.c.closed_by.in_(hidden))
            parts += [table.c.valid_from <= on, ending]
            columns.append(table.c.valid_from)
        if viewer.areas:
            reach = scopes.resolve(connection, viewer.areas, store.codes, hidden, on)
            spatial = source(connection, kind.name, viewer).spatial
            parts.append(scopes.condition(connection, kind.name, table, reach, hidden, on, spatial=spatial))
        rows = connection.execute(select(*columns).where(and_(*parts)).order_by(table.c.fid)).all()
    frame = pd.DataFrame.from_records([tuple(row) for row in rows], columns=[column.name for column in columns])
    if not kind.key:
        frame["key"] = None
    return Kept(frame)


def has_later(store: "Store", kind: Kind, on: str) -> bool:
    """Whether rows begin after a day, so that replacing the layer as of that day would contradict them."""
    if not kind.versioned:
        return False
    table = schema.ROWS[kind.name]
    with store.read() as connection:
        condition = and_(visible(table, hidden_changes(connection)), table.c.valid_from > on)
        return connection.execute(select(table.c.fid).where(condition).limit(1)).first() is not None


def has_rows(store: "Store", kind: Kind) -> bool:
    """Whether the layer ever held a row that still counts."""
    table = schema.ROWS[kind.name]
    with store.read() as connection:
        return (
            connection.execute(select(table.c.fid).where(visible(table, hidden_changes(connection))).limit(1)).first()
            is not None
        )


def read_full(store: "Store", kind: Kind, fids: np.ndarray) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Whole rows by fid, in that order: fields as stored, and shapes."""
    from ..storage.filters import among

    table = schema.ROWS[kind.name]
    names = list(kind.names)
    spatial = kind.geometry != "none"
    parts = []
    with store.read() as connection:
        for start in range(0, len(fids), 10_000):
            chosen = fids[start : start + 10_000].tolist()
            columns = [table.c.fid, *(table.c[name] for name in names), *([table.c.geom] if spatial else [])]
            parts += [tuple(row) for row in connection.execute(select(*columns).where(among(table.c.fid, chosen)))]
    frame = pd.DataFrame.from_records(parts, columns=["fid", *names, *(["geom"] if spatial else [])])
    frame = frame.set_index("fid").reindex(fids)
    shapes = None
    if spatial:
        values = list(frame.pop("geom"))
        shapes = (
            np.array(values, dtype=object)
            if not values or not isinstance(values[0], bytes | str)
            else from_stored(values)
        )
    return frame.astype(object).where(frame.notna(), None), shapes


def differs(
    kind: Kind,
    new: pd.DataFrame,
    new_shapes: np.ndarray | None,
    old: pd.DataFrame,
    old_shapes: np.ndarray | None,
    place_offset_h: int,
) -> np.ndarray:
    """Which of the new rows say something else than the old row beside them; only columns that `new` has count."""
    changed = np.zeros(len(new), dtype=bool)
    for name in new.columns:
        if name not in kind.names:
            continue
        left: np.ndarray = np.array(stored_values(new[name], kind.field(name), place_offset_h), dtype=object)
        right = old[name].to_numpy(dtype=object)
        changed |= np.array([not _same(a, b) for a, b in zip(left, right, strict=True)], dtype=bool)
    if new_shapes is not None and old_shapes is not None:
        both = ~shapely.is_missing(new_shapes) & ~shapely.is_missing(old_shapes)
        changed |= shapely.is_missing(new_shapes) != shapely.is_missing(old_shapes)
        moved = np.zeros(len(new), dtype=bool)
        moved[both] = ~shapely.equals_exact(
            shapely.normalize(new_shapes[both]), shapely.normalize(old_shapes[both]), SAME_DEG
        )
        changed |= moved
    return changed


def _same(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left == right or (left[:19] == right[:19] and left.endswith("Z"))
    return bool(left == right)
