"""Putting rows into the store, ending them, and setting where they fall.

Rows go in by batches of well under two seconds; nobody sees them before their change is done (`pending_changes.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from sqlalchemy import Connection, Table, bindparam, cast, func, insert, literal, select, update

from geo.errors import InputError
from geo.words import Text

from ..kinds import BASELINE_DATE, KINDS, Field, Kind
from . import pending_changes, postgis, references, rtree, schema
from .changes import Change
from .filters import among
from .geometry import to_blobs, to_ewkb_hex
from .history import day

if TYPE_CHECKING:
    from .store import Store

BATCH = 50_000

Progress = Callable[[int, int], None]


def insert_rows(
    store: "Store",
    change_id: int,
    kind: str,
    frame: pd.DataFrame | Iterable[pd.DataFrame],
    *,
    valid_from: date | str | None = None,
    progress: Progress | None = None,
) -> int:
    """Insert the rows of `frame`, or of several taken one by one, under a change of `Store.open_change`; their number.

    Columns of the frame named like fields of the kind (and `village_code`, `grid_code` of homed kinds) are stored,
    others are an InputError. Geometry in EPSG:4490; missing is allowed. Moments without a zone are wall time of the
    place. `valid_from`: first day the rows count (default: since always). `progress(done, total)` after each batch.
    For `reference:NAME` any columns are taken, and finishing the change replaces the layer as a whole.
    """
    done = 0
    boxes: list[tuple[np.ndarray, np.ndarray]] = []
    for whole in [frame] if isinstance(frame, pd.DataFrame) else frame:
        for start in range(0, max(len(whole), 1), BATCH):
            part = whole.iloc[start : start + BATCH]
            with store.write(durable=False) as connection:
                pending_changes.heartbeat(connection, change_id, kind, len(part))
                if references.is_reference(kind):
                    table, fields = references.staged(connection, change_id, kind, part)
                    _put(connection, table, fields, part, store.place_offset_h)
                else:
                    boxes.append(_insert(connection, change_id, kind, part, valid_from, store.place_offset_h))
            done += len(part)
            if progress is not None:
                progress(done, len(whole))
    if boxes and store.dialect == "gpkg" and KINDS[kind].geometry != "none":
        with store.write(durable=False) as connection:
            pending_changes.heartbeat(connection, change_id, kind, 0)
            _index(connection, schema.ROWS[kind], boxes)
    return done


def insert_in(
    change: Change,
    kind: str,
    frame: pd.DataFrame,
    *,
    valid_from: date | str | None = None,
    marks: Mapping[str, Any] | None = None,
    place_offset_h: int = 0,
) -> np.ndarray:
    """Insert few rows inside a short change; returns their fids (empty on PostgreSQL).

    `marks`: for rows that stand in for others, what those carried: `valid_to` and `closed_by` (the first day they no
    longer count and the change that ended them), `created_by`.
    """
    fids_and_boxes = _insert(change.connection, change.id, kind, frame, valid_from, place_offset_h, marks)
    table = schema.ROWS[kind]
    if change.connection.dialect.name == "sqlite" and KINDS[kind].geometry != "none":
        _index(change.connection, table, [fids_and_boxes])
    change.touch(kind, added=len(frame))
    return fids_and_boxes[0]


def _index(connection: Connection, table: Table, parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    fids = np.concatenate([fids for fids, _ in parts])
    boxes = np.concatenate([box for _, box in parts])
    there = ~np.isnan(boxes[:, 0])
    rtree.add(connection, f"rtree_{table.name}_geom", fids[there], boxes[there])


def _insert(
    connection: Connection,
    change_id: int,
    kind_name: str,
    frame: pd.DataFrame,
    valid_from: date | str | None,
    place_offset_h: int,
    marks: Mapping[str, Any] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Insert one batch; returns fids and boxes (minx, maxx, miny, maxy; NaN without geometry)."""
    kind = KINDS[kind_name]
    fields = {field.name: field for field in schema.own_fields(kind)}
    geometry_name = frame.geometry.name if isinstance(frame, GeoDataFrame) else None
    _require_columns(kind, frame, fields, geometry_name)
    fixed: dict[str, Any] = {"recorded_at": schema.now(), "created_by": change_id} | dict(marks or {})
    if kind.versioned:
        fixed["valid_from"] = day(valid_from) if valid_from is not None else BASELINE_DATE
    return _put(connection, schema.ROWS[kind_name], fields, frame, place_offset_h, fixed)


def _put(
    connection: Connection,
    table: Table,
    fields: Mapping[str, Field],
    frame: pd.DataFrame,
    place_offset_h: int,
    fixed: Mapping[str, Any] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Insert the columns of a frame that are in `fields`, its geometry and the `fixed` values; fids and boxes."""
    geometry_name = frame.geometry.name if isinstance(frame, GeoDataFrame) else None
    sqlite = connection.dialect.name == "sqlite"
    names: list[str] = []
    values: list[Any] = []
    boxes = np.full((len(frame), 4), np.nan)
    if geometry_name is not None and "geom" in table.c:
        shapes = np.asarray(frame.geometry.array, dtype=object)
        boxes = shapely.bounds(shapes)[:, [0, 2, 1, 3]]
        names.append("geom")
        values.append(to_blobs(shapes) if sqlite else to_ewkb_hex(shapes))
    for label, field in fields.items():
        if label in frame.columns and label != geometry_name:
            names.append(field.name)
            values.append(stored_values(frame[label], field, place_offset_h))
    for name, value in (fixed or {}).items():
        names.append(name)
        values.append(repeat(value, len(frame)))
    if not sqlite:
        postgis.copy_rows(connection, table.name, names, zip(*values, strict=True))
        return np.empty(0, np.int64), boxes
    last = connection.scalar(select(func.max(table.c.fid))) or 0
    fids = np.arange(last + 1, last + 1 + len(frame))
    marks = ", ".join("?" * (len(names) + 1))
    quote = connection.dialect.identifier_preparer.quote_identifier
    listed = ", ".join(quote(name) for name in ("fid", *names))
    cursor: Any = connection.connection.cursor()
    cursor.executemany(
        f"INSERT INTO {quote(table.name)} ({listed}) VALUES ({marks})",  # noqa: S608
        zip(fids.tolist(), *values, strict=True),
    )
    return fids, boxes


def _require_columns(kind: Kind, frame: pd.DataFrame, fields: dict[str, Field], geometry_name: str | None) -> None:
    unknown = [str(name) for name in frame.columns if name not in fields and name not in (geometry_name, "fid")]
    if unknown:
        raise InputError(
            Text(
                f"图层“{kind.label.zh}”没有这些字段：{'、'.join(unknown)}。",
                f"The layer '{kind.label.en}' has no such fields: {', '.join(unknown)}.",
            ),
            where=kind.name,
        )


def stored_values(column: pd.Series, field: Field, place_offset_h: int = 0) -> list[Any]:
    """Values of a column as they are bound: text, int, float, bool, ISO date, UTC moment; None when missing."""
    if field.dtype == "datetime":
        moments = pd.to_datetime(column)
        if moments.dt.tz is None:
            moments = moments - pd.Timedelta(hours=place_offset_h)
        else:
            moments = moments.dt.tz_convert("UTC").dt.tz_localize(None)
        return _iso(moments, "ms", "Z")
    if field.dtype == "date":
        return _iso(pd.to_datetime(column), "D", "")
    missing = column.isna().to_numpy()
    if field.dtype == "text":
        plain = (column.astype(object).where(~missing, None) if missing.any() else column).tolist()
        if pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
            return plain
        return [value if value is None or isinstance(value, str) else str(value) for value in plain]
    target: Any = {"integer": np.int64, "real": np.float64, "boolean": bool}[field.dtype]
    if not missing.any():
        return column.to_numpy(dtype=target).tolist()
    values: list[Any] = [None] * len(column)
    there = np.flatnonzero(~missing)
    for row, value in zip(there, column[~missing].to_numpy(dtype=target).tolist(), strict=True):
        values[row] = value
    return values


def _iso(moments: pd.Series, unit: Any, tail: str) -> list[str | None]:
    array = moments.to_numpy(dtype="datetime64[ms]")
    text = np.datetime_as_string(array, unit=unit)
    values: list[str | None] = [f"{value}{tail}" for value in text.tolist()] if tail else text.tolist()
    for row in np.flatnonzero(np.isnat(array)):
        values[row] = None
    return values


def _batches(fids: Sequence[int] | np.ndarray) -> Iterator[list[int]]:
    listed = np.asarray(fids, dtype=np.int64)
    for start in range(0, len(listed), BATCH):
        yield listed[start : start + BATCH].tolist()


def close_rows(
    store: "Store", change_id: int, kind: str, fids: Sequence[int] | np.ndarray, on: date | str, *, within: Any = None
) -> None:
    """End rows on a day: `on` is the first day they no longer count. `within`: a short `Change` to do it in.

    A row that carries an end already, by an act taken back since or on a later day, keeps that mark: it is taken back
    itself, and a copy of it ends on the day. Else it could not be told what was known while that act stood.
    """
    table = schema.ROWS[kind]
    values = {"valid_to": day(on), "closed_by": change_id}

    def end(connection: Connection, batch: list[int]) -> int:
        marked = _marked(connection, table, batch, "closed_by")
        if marked:
            _copy(connection, table, marked, {**values, "created_by": change_id, "recorded_at": schema.now()})
            _retire(connection, change_id, kind, marked)
        plain = sorted(set(batch) - set(marked))
        connection.execute(update(table).values(**values).where(among(table.c.fid, plain)))
        return len(marked)

    _end(store, change_id, kind, fids, end, within)


def retire_rows(
    store: "Store", change_id: int, kind: str, fids: Sequence[int] | np.ndarray, *, within: Any = None
) -> None:
    """Take rows back as if they had never counted (a correction). `within` as for `close_rows`."""

    def end(connection: Connection, batch: list[int]) -> int:
        _retire(connection, change_id, kind, batch)
        return 0

    _end(store, change_id, kind, fids, end, within)


def _retire(connection: Connection, change_id: int, kind: str, fids: Sequence[int]) -> None:
    """Mark rows as taken back; acts that had done so before, and were taken back since, are remembered."""
    table = schema.ROWS[kind]
    chosen = among(table.c.fid, list(fids))
    former = connection.execute(
        select(table.c.retired_by, table.c.fid)
        .where(chosen, table.c.retired_by.is_not(None), table.c.retired_by != change_id)
        .order_by(table.c.retired_by, table.c.fid)
    ).all()
    if former:
        pending_changes.remember(connection, change_id, kind, [(by, fid) for by, fid in former])
    connection.execute(update(table).values(retired_at=schema.now(), retired_by=change_id).where(chosen))


def _marked(connection: Connection, table: Table, fids: Sequence[int], column: str) -> list[int]:
    """The rows that carry a mark already, in order."""
    condition = among(table.c.fid, list(fids)) & table.c[column].is_not(None)
    return sorted(connection.scalars(select(table.c.fid).where(condition)))


def _copy(connection: Connection, table: Table, fids: Sequence[int], values: Mapping[str, Any]) -> None:
    """Insert copies of rows with other values in some columns."""
    fresh = {"retired_at": None, "retired_by": None, **values}
    columns = [column for column in table.c if column.name != "fid"]
    taken = []
    for column in columns:
        value = literal(fresh[column.name], column.type) if column.name in fresh else column
        # PostgreSQL takes the type of a bare value for text.
        typed = cast(value, column.type) if connection.dialect.name != "sqlite" and column.name in fresh else value
        taken.append(typed.label(column.name))
    last = connection.scalar(select(func.max(table.c.fid))) or 0
    rows = select(*taken).where(among(table.c.fid, list(fids))).order_by(table.c.fid)
    connection.execute(insert(table).from_select([column.name for column in columns], rows))
    if connection.dialect.name != "sqlite" or "geom" not in table.c:
        return
    made = np.array(connection.scalars(select(table.c.fid).where(table.c.fid > last).order_by(table.c.fid)).all())
    shapes = connection.scalars(select(table.c.geom).where(table.c.fid > last).order_by(table.c.fid)).all()
    _index(connection, table, [(made, shapely.bounds(np.array(shapes, dtype=object))[:, [0, 2, 1, 3]])])


def _end(
    store: "Store",
    change_id: int,
    kind: str,
    fids: Sequence[int] | np.ndarray,
    end: Callable[[Connection, list[int]], int],
    within: Any,
) -> None:
    """Mark rows batch by batch; `end` says how many rows it had to insert for that."""
    for batch in _batches(fids):
        if within is not None:
            within.touch(kind, added=end(within.connection, batch))
            continue
        with store.write(durable=False) as connection:
            inserted = end(connection, batch)
            pending_changes.heartbeat(connection, change_id, kind, inserted)


def set_homes(
    connection: Connection, kind: str, fids: np.ndarray, village_code: Sequence[Any], grid_code: Sequence[Any]
) -> None:
    """Set in place where rows fall: codes or None, one per fid. Not a version of the row: it follows from the areas."""
    table = schema.ROWS[kind]
    if len(fids) == 0:
        return
    connection.execute(
        update(table)
        .where(table.c.fid == bindparam("of_fid"))
        .values(village_code=bindparam("new_village"), grid_code=bindparam("new_grid")),
        [
            {"of_fid": int(fid), "new_village": village, "new_grid": grid}
            for fid, village, grid in zip(fids, village_code, grid_code, strict=True)
        ],
    )
