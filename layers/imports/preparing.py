"""Second look over a layer: every row checked and turned into what would be stored, in a file of the work folder.

The result is a list of findings, a mask of the rows that may not be stored, and batches to store. Nothing here touches
the store but through what `Setting` says about it.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo import crs

from ..codes import as_stored
from ..files.cells import Problem
from ..files.reader_out import ROW
from ..files.reading import Source
from ..findings import Finding
from ..notebook import Notebook
from . import columns
from .locating import locate
from .prepared import Prepared, Setting
from .survey import Survey


def prepare(
    source: Source, survey: Survey, setting: Setting, notebook: Notebook, *, checked: Callable[[int], None]
) -> Prepared:
    """Check and convert every row; `checked` is told how many rows are done (and may raise to cancel)."""
    total = len(survey.rows)
    lon, lat = _positions(survey, setting)
    prepared = Prepared(
        path=source.folder / "prepared.arrow",
        rows=survey.rows,
        bad=np.zeros(total, dtype=bool),
        blank=np.zeros(total, dtype=bool),
        lon=lon,
        lat=lat,
        families=set(),
        keys=setting.codes.get(setting.kind.key) if setting.kind else None,
    )
    key_parts: list[np.ndarray] = []
    day_parts: list[np.ndarray] = []
    writer = None
    start = 0
    with pa.OSFile(str(prepared.path), "wb") as file:
        for batch in source.batches():
            made, key = _batch(batch, start, source, survey, setting, prepared, notebook)
            if key is not None:
                key_parts.append(key)
            if writer is None:
                writer = pa.ipc.new_stream(file, made.schema)
            if "occurred_on" in made.schema.names:
                day_parts.append(made.column("occurred_on").to_numpy(zero_copy_only=False).astype("datetime64[D]"))
            writer.write_batch(made)
            start += batch.num_rows
            checked(start)
        if writer is None:
            writer = pa.ipc.new_stream(file, pa.schema([]))
        writer.close()
    if prepared.keys is None and key_parts:
        prepared.keys = np.concatenate(key_parts)
    if day_parts:
        prepared.days = np.concatenate(day_parts)
    return prepared


def _positions(survey: Survey, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Raw positions in EPSG:4490. A row whose two numbers stand the wrong way round is exchanged (and reported)."""
    x, y = survey.x, survey.y
    if not setting.frame.swapped and crs.is_lonlat(setting.frame.source):
        turned = survey.exchanged
        x, y = np.where(turned, y, x), np.where(turned, x, y)
    lon, lat = setting.frame.to_lonlat(x, y)
    lost = ~(np.isfinite(lon) & np.isfinite(lat))
    return np.where(lost, np.nan, lon), np.where(lost, np.nan, lat)


def _batch(
    batch: pa.RecordBatch,
    start: int,
    source: Source,
    survey: Survey,
    setting: Setting,
    prepared: Prepared,
    notebook: Notebook,
) -> tuple[pa.RecordBatch, np.ndarray | None]:
    here = slice(start, start + batch.num_rows)
    names, arrays, timed = _columns(batch, start, source, setting, prepared, notebook)
    kind = setting.kind
    if kind is not None:
        _moments(names, arrays, timed)
    key = None
    if kind is not None and kind.key and kind.key in names and kind.key not in setting.codes:
        key = arrays[names.index(kind.key)].to_numpy(zero_copy_only=False)
    _blank(batch, here, prepared)
    if kind is None or kind.geometry != "none":
        shape_names, shape_arrays = locate(batch, here, survey, setting, prepared, notebook)
        names, arrays = names + shape_names, arrays + shape_arrays
    if not arrays:
        return pa.RecordBatch.from_arrays([batch.column(ROW)], names=[ROW]), key
    return pa.RecordBatch.from_arrays(arrays, names=names), key


def _blank(batch: pa.RecordBatch, here: slice, prepared: Prepared) -> None:
    """Rows in which nothing stands at all: spreadsheets leave them at the end."""
    empty: np.ndarray | None = None
    for name in batch.schema.names:
        if name == ROW:
            continue
        column = batch.column(name)
        if column.null_count == 0:
            return
        nulls = pc.is_null(column).to_numpy(zero_copy_only=False)
        empty = nulls if empty is None else empty & nulls
        if not empty.any():
            return
    if empty is not None:
        prepared.blank[here] = empty


def _columns(
    batch: pa.RecordBatch, start: int, source: Source, setting: Setting, prepared: Prepared, notebook: Notebook
) -> tuple[list[str], list[pa.Array], dict[str, np.ndarray]]:
    """Every mapped column as its field."""
    names: list[str] = []
    arrays: list[pa.Array] = []
    timed: dict[str, np.ndarray] = {}
    targets = setting.free_fields or {
        column: setting.kind.field(name)
        for column, name in setting.mapping.fields.items()
        if setting.kind is not None and name in setting.kind.names
    }
    for column, target in sorted(targets.items()):
        if target.name in setting.codes:
            values = setting.codes[target.name][start : start + batch.num_rows]
            names.append(target.name)
            arrays.append(pa.array(values, pa.string()))
            continue
        is_key = setting.kind is not None and target.name in (setting.kind.key, setting.kind.parent)
        cells = batch.column(f"c{column}")
        found = (
            columns.text(cells, setting.style, key=True) if is_key else columns.convert(cells, target, setting.style)
        )
        names.append(target.name)
        arrays.append(found.values)
        if found.timed is not None:
            timed[target.name] = found.timed
        for problem in found.problems:
            _note(problem, start, source.columns[column], prepared, notebook)
    for name, values in setting.codes.items():
        if name not in names:
            names.append(name)
            arrays.append(pa.array(values[start : start + batch.num_rows], pa.string()))
    return names, arrays, timed


def _note(problem: Problem, start: int, header: str, prepared: Prepared, notebook: Notebook) -> None:
    if problem.severity == "error":
        prepared.bad[start + problem.rows] = True

    def make(row: int) -> Finding:
        at = start + row
        code = as_stored(prepared.keys[at]) if prepared.keys is not None else ""
        return Finding(
            problem.what(row),
            problem.mend,
            severity=problem.severity,
            row=int(prepared.rows[at]),
            column=header,
            code=code,
            kind=problem.kind,
        )

    notebook.rows(problem.kind, problem.severity, problem.rows, make)


def _moments(names: list[str], arrays: list[pa.Array], timed: dict[str, np.ndarray]) -> None:
    """An incident's day and hour follow from its moment, and its moment from day and hour; in place.

    A moment without a time of day is a day: it must not look like midnight in a chart of hours.
    """
    if "occurred_at" in names:
        at = names.index("occurred_at")
        moments = arrays[at]
        known = pc.is_valid(moments)
        clock = pa.array(timed.get("occurred_at", np.zeros(len(moments), dtype=bool)))
        day, hour = pc.cast(moments, pa.date32(), safe=False), pc.cast(pc.hour(moments), pa.int64())
        _fill(names, arrays, "occurred_on", day)
        _fill(names, arrays, "occurred_hour", pc.if_else(pc.and_(known, clock), hour, None))
        arrays[at] = pc.if_else(clock, moments, None)
    elif "occurred_on" in names and "occurred_hour" in names:
        day = pc.cast(arrays[names.index("occurred_on")], pa.timestamp("ms"))
        hours = pc.cast(pc.multiply(arrays[names.index("occurred_hour")], 3_600_000), pa.duration("ms"))
        names.append("occurred_at")
        arrays.append(pc.add(day, hours))


def _fill(names: list[str], arrays: list[pa.Array], name: str, values: pa.Array) -> None:
    if name in names:
        at = names.index(name)
        arrays[at] = pc.coalesce(arrays[at], values)
    else:
        names.append(name)
        arrays.append(values)
