"""What a decision writes into an area layer: rows end on its day, new rows begin on it, and figures follow the land.

Nothing is overwritten. Households and population are shared out by area, in whole numbers whose sum stays the same;
head counts of workers stay with a code that lasts and go to its successors when it ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
from geopandas import GeoDataFrame
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from geo import crs
from geo.shares import Share, follow_land, hand_out

from ..kinds import KINDS
from ..places import lineage
from ..storage import schema
from ..storage.changes import WITHDRAWAL, Change
from ..storage.filters import among
from ..storage.history import counted, hidden_changes, hidden_subquery, visible
from ..storage.rows import close_rows, insert_in, retire_rows

if TYPE_CHECKING:
    from ..storage.store import Store

PEOPLE = ("households", "population", "pop_urban", "pop_rural")
"""Fields that follow the land."""
STAFF = ("workers_full", "workers_part")
"""Fields that follow the code."""


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One stored row of an area layer: fid, its fields, lon/lat shape and validity (`valid_to` None while open)."""

    fid: int
    code: str
    values: Mapping[str, Any]
    shape: shapely.Geometry | None
    valid_from: str
    valid_to: str | None
    closed_by: int | None
    created_by: int


@dataclass(frozen=True, slots=True)
class NewArea:
    """An area that begins: its shape in lon/lat and fields that are given rather than carried over."""

    shape: shapely.Geometry | None
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replacement:
    """Areas of one kind that end together and those that take their land.

    `shares`: which part of the land of each old area lies in which new one.
    """

    kind: str
    old: Mapping[str, AreaRow]
    new: Mapping[str, NewArea]
    shares: Sequence[Share]


def read_rows(connection: Connection, kind: str, on: str, codes: Iterable[str] | None = None) -> dict[str, AreaRow]:
    """The rows of an area kind that count on a day, by code; all of them or those of `codes`."""
    table = schema.ROWS[kind]
    condition = counted(kind, table, hidden_changes(connection), on)
    if codes is not None:
        condition = condition & among(table.c[KINDS[kind].key], sorted(set(codes)))
    rows: dict[str, AreaRow] = {}
    for row in _read(connection, kind, condition):
        rows.setdefault(row.code, row)
    return rows


def _read(connection: Connection, kind: str, condition: ColumnElement[bool]) -> list[AreaRow]:
    """Rows that meet a condition, in the order they were written; an end that does not count is not there."""
    table, names = schema.ROWS[kind], KINDS[kind].names
    marks = (table.c.fid, table.c.valid_from, table.c.valid_to, table.c.closed_by, table.c.created_by)
    query = select(*marks, *(table.c[name] for name in names), table.c.geom)
    hidden = set(connection.scalars(hidden_subquery()))
    rows = []
    for fid, begins, ends, closed_by, created_by, *values, shape in connection.execute(
        query.where(condition).order_by(table.c.fid)
    ):
        given = dict(zip(names, values, strict=True))
        if ends is None or closed_by in hidden:
            ends = closed_by = None
        rows.append(AreaRow(fid, given[KINDS[kind].key], given, shape, begins, ends, closed_by, created_by))
    return rows


def values_of(replacement: Replacement) -> dict[str, dict[str, Any]]:
    """The fields of every new area: given, carried over from the area it mostly comes from, and shared out."""
    kind, old = KINDS[replacement.kind], replacement.old
    main, names = _main_sources(replacement), _names(replacement)
    found: dict[str, dict[str, Any]] = {}
    for code, area in replacement.new.items():
        stays = code in old
        source = old[code] if stays else old[main[code]]
        values = dict(source.values)
        if not stays:
            values |= {name: None for name in STAFF if name in values}
            values["name"] = names.get(code)
        found[code] = values | {kind.key: code} | dict(area.given)
    for name in PEOPLE:
        if name in kind.names:
            shared = follow_land({code: row.values[name] for code, row in old.items()}, replacement.shares)
            for code in found:
                found[code][name] = shared.get(code)
    for name in STAFF:
        if name in kind.names:
            _hand_on(name, replacement, found)
    return found


def _main_sources(replacement: Replacement) -> dict[str, str]:
    """For each new area the old one it has most land of; ties go to the lowest code."""
    best: dict[str, tuple[float, str]] = {}
    for share in sorted(replacement.shares, key=lambda each: each.old):
        row = replacement.old[share.old]
        land = share.share * (row.shape.area if row.shape is not None else 0.0)
        if share.new not in best or land > best[share.new][0]:
            best[share.new] = (land, share.old)
    return {code: old for code, (_, old) in best.items()}


def _names(replacement: Replacement) -> dict[str, str]:
    """Names of areas that begin: that of an area taken over whole, numbered where one falls into several.

    What is carved out of an area that lasts has none before it is given one.
    """
    main, found = _main_sources(replacement), {}
    for old in sorted(set(replacement.old) - set(replacement.new)):
        name = replacement.old[old].values.get("name")
        parts = sorted({each.new for each in replacement.shares if each.old == old} - set(replacement.old))
        for number, code in enumerate(parts, start=1):
            if name and main[code] == old:
                found[code] = name if len(parts) == 1 else f"{name}-{number}"
    return found


def _hand_on(name: str, replacement: Replacement, found: dict[str, dict[str, Any]]) -> None:
    """Workers of areas that end go to those that take their land, in whole numbers; in place."""
    for code in sorted(set(replacement.old) - set(replacement.new)):
        total = replacement.old[code].values[name]
        if total is None:
            continue
        parts = [share for share in replacement.shares if share.old == code]
        for share, number in zip(parts, hand_out(int(total), [part.share for part in parts]), strict=True):
            found[share.new][name] = (found[share.new][name] or 0) + number


def household_shares(replacement: Replacement) -> dict[tuple[str, str], float]:
    """The part of the households of each old area that each new one got; without those of unknown households."""
    shares: dict[tuple[str, str], float] = {}
    for code, row in replacement.old.items():
        total = row.values.get("households")
        parts = [share for share in replacement.shares if share.old == code]
        if not total:
            continue
        for share, number in zip(parts, hand_out(int(total), [part.share for part in parts]), strict=True):
            shares[code, share.new] = number / total
    return shares


def write(store: "Store", change: Change, replacement: Replacement, on: str) -> int:
    """End the old rows on a day, begin the new ones, and record where the land went; how many rows began.

    Must run inside the transaction of `change`.
    """
    kind = replacement.kind
    old = list(replacement.old.values())
    if old:
        close_rows(store, change.id, kind, [row.fid for row in old], on, within=change)
    values = values_of(replacement)
    codes = sorted(replacement.new)
    if codes:
        shapes = [replacement.new[code].shape for code in codes]
        insert_in(change, kind, frame_of(kind, [values[code] for code in codes], shapes), valid_from=on)
    lineage.write(change.connection, kind, replacement.shares, household_shares(replacement), on, change.id)
    return len(codes)


def write_again(
    store: "Store",
    change: Change,
    kind: str,
    retired: Iterable[AreaRow],
    rows: Iterable[tuple[AreaRow, str, Mapping[str, Any]]],
) -> None:
    """Take rows back, and put `rows` there: as they are, from a first day on, with marks (see `rows.insert_in`)."""
    retire_rows(store, change.id, kind, sorted({row.fid for row in retired}), within=change)
    for row, begins, marks in rows:
        insert_in(change, kind, frame_of(kind, [dict(row.values)], [row.shape]), valid_from=begins, marks=marks)


def reopen(store: "Store", change: Change, kind: str, decision: int) -> None:
    """Let the rows that a withdrawn decision had ended count on, without its mark.

    The mark stays on the rows it was set on, which are taken back: so it can still be told what was known while the
    decision stood. Those that stand in for them belong to the same change as before.
    """
    table = schema.ROWS[kind]
    condition = visible(table, hidden_changes(change.connection)) & (table.c.closed_by == decision)
    with_mark = _read(change.connection, kind, condition)
    if with_mark:
        marks = [(row, row.valid_from, {"created_by": row.created_by}) for row in with_mark]
        write_again(store, change, kind, with_mark, marks)


def frame_of(kind: str, values: Sequence[Mapping[str, Any]], shapes: Sequence[shapely.Geometry | None]) -> GeoDataFrame:
    """Rows as `rows.insert_in` takes them."""
    columns = {name: pd.Series([each[name] for each in values], dtype=object) for name in KINDS[kind].names}
    return GeoDataFrame(columns, geometry=list(shapes), crs=crs.LONLAT)


def ended_since(connection: Connection, kind: str, change_id: int) -> list[AreaRow]:
    """Rows through which a later act, which counts, was built on a decision: with that act as `closed_by`.

    Rows the decision made and that were ended or taken back since, and rows it ended and that were corrected since.
    """
    table, act = schema.ROWS[kind], schema.change
    # A withdrawal takes back only rows that it puts there again (`reopen`).
    later = select(act.c.id).where(act.c.id > change_id, act.c.state == "done", act.c.action != WITHDRAWAL)
    ended = or_(table.c.closed_by.in_(later), table.c.retired_by.in_(later))
    corrected = and_(table.c.closed_by == change_id, table.c.created_by.in_(later))
    acts = set(connection.scalars(later))
    condition = or_(and_(table.c.created_by == change_id, ended), corrected)
    columns = (table.c.closed_by, table.c.retired_by, table.c.created_by)
    marks = {row.fid: row for row in connection.execute(select(table.c.fid, *columns).where(condition))}
    return [
        replace(row, closed_by=next(each for each in tuple(marks[row.fid])[1:] if each in acts))
        for row in _read(connection, kind, condition)
    ]
