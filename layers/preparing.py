"""Second look over a layer: every row checked and turned into what would be stored, in a file of the work folder.

The result is a list of findings, a mask of the rows that may not be stored, and batches to store. Nothing here touches
the store but through what `Setting` says about it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geo import crs
from geo.words import Text

from . import columns, shaping
from .codes import as_stored
from .columns import Problem, Style
from .findings import Finding
from .kinds import Field, Kind
from .limits import Limits
from .mapping import Mapping
from .notebook import Notebook
from .projecting import Frame
from .reader_out import ROW
from .reading import Source
from .survey import Survey, shapes_of

LON, LAT, SHAPE = "lon", "lat", "shape"


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that shapes how rows are read: kind (None: reference layer), mapping, frame, style, limits."""

    kind: Kind | None
    mapping: Mapping
    frame: Frame
    style: Style
    limits: Limits
    repair: bool
    zone: Any  # metric system whose centimetre grid areas live on, or None
    codes: dict[str, np.ndarray] = field(default_factory=dict)  # code fields of the whole layer, restored
    free_fields: dict[int, Field] = field(default_factory=dict)  # columns of a reference layer


@dataclass(slots=True)
class Prepared:
    """Rows ready to be stored. `bad` and the arrays run over the rows of the source."""

    path: Path
    rows: np.ndarray
    bad: np.ndarray
    blank: np.ndarray
    lon: np.ndarray  # representative position in EPSG:4490, NaN without
    lat: np.ndarray
    families: set[str]
    keys: np.ndarray | None  # value of the key field (object, None where empty)
    days: np.ndarray | None = None  # day of each incident (datetime64[D], NaT without)

    def batches(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """(first position, batch): the columns named like fields, and lon, lat or shape."""
        start = 0
        with pa.memory_map(str(self.path)) as mapped, pa.ipc.open_stream(mapped) as stream:
            for batch in stream:
                yield start, batch
                start += batch.num_rows


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
        shape_names, shape_arrays = _shapes(batch, here, survey, setting, prepared, notebook)
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


def _shapes(
    batch: pa.RecordBatch, here: slice, survey: Survey, setting: Setting, prepared: Prepared, notebook: Notebook
) -> tuple[list[str], list[pa.Array]]:
    geometry = setting.kind.geometry if setting.kind else "any"
    if not survey.located and setting.kind is None:
        return [], []
    if not survey.located or (survey.points and geometry in ("point", "area", "any")):
        return _points(here, survey, prepared, notebook)
    if survey.by == "columns":
        raw = np.full(batch.num_rows, None, dtype=object)
        there = np.isfinite(survey.x[here]) & np.isfinite(survey.y[here])
        raw[there] = shapely.points(survey.x[here][there], survey.y[here][there])
    else:
        raw = shapes_of(batch, setting.mapping.column_of("wkt") if survey.by == "wkt" else None)
    found = shaping.shape(
        raw,
        geometry,
        setting.frame,
        repair=setting.repair,
        vertices=setting.limits.vertices,
        lenient=setting.kind is None,
    )
    values = found.values
    if setting.zone is not None:
        grid = shaping.snapped(values, setting.zone)
        thin = shapely.is_empty(grid) & ~shapely.is_missing(values)
        values = np.where(thin, values, grid)
    for row, finding in found.findings:
        _shape_finding(here.start + row, finding, prepared, notebook)
    prepared.families |= set(shaping.family(values)) - {""}
    places = shapely.point_on_surface(values)
    prepared.lon[here], prepared.lat[here] = shapely.get_x(places), shapely.get_y(places)
    _no_location(here, survey, prepared, notebook, missing=found.empty)
    return [SHAPE], [pa.array(shapely.to_wkb(values).tolist(), pa.binary())]


def _shape_finding(at: int, finding: Finding, prepared: Prepared, notebook: Notebook) -> None:
    if finding.severity == "error":
        prepared.bad[at] = True
    code = as_stored(prepared.keys[at]) if prepared.keys is not None else ""
    notebook.add(
        Finding(
            finding.what,
            finding.mend,
            severity=finding.severity,
            row=int(prepared.rows[at]),
            code=code,
            kind=finding.kind,
            lon=finding.lon,
            lat=finding.lat,
        )
    )


def _points(here: slice, survey: Survey, prepared: Prepared, notebook: Notebook) -> tuple[list[str], list[pa.Array]]:
    lon, lat = prepared.lon[here], prepared.lat[here]
    with np.errstate(invalid="ignore"):
        nowhere = (np.abs(lon) > 180) | (np.abs(lat) > 90)
        null_island = (survey.x[here] == 0) & (survey.y[here] == 0)
    given = np.isfinite(survey.x[here]) & np.isfinite(survey.y[here])
    nowhere |= given & ~np.isfinite(lon)
    for row in np.flatnonzero(nowhere & ~null_island):
        _shape_finding(here.start + int(row), shaping.outside_world(), prepared, notebook)
    lon[nowhere | null_island] = np.nan
    lat[nowhere | null_island] = np.nan
    if np.isfinite(lon).any():
        prepared.families.add("point")
    _no_location(here, survey, prepared, notebook, missing=~np.isfinite(lon) & ~nowhere)
    mask = ~np.isfinite(lon)
    return [LON, LAT], [pa.array(lon, pa.float64(), mask=mask), pa.array(lat, pa.float64(), mask=mask)]


def _no_location(here: slice, survey: Survey, prepared: Prepared, notebook: Notebook, *, missing: np.ndarray) -> None:
    """One warning per row that has no position; such rows are kept."""
    rows = np.flatnonzero(missing & ~prepared.blank[here] & ~prepared.bad[here])
    bad = survey.unreadable[here]

    def make(row: int) -> Finding:
        at = here.start + row
        code = as_stored(prepared.keys[at]) if prepared.keys is not None else ""
        what = (
            Text("位置无法识别，按无位置存储。", "The position cannot be read; the row is kept without one.")
            if bad[row]
            else Text("没有位置，照常存储。", "There is no position; the row is kept without one.")
        )
        return Finding(
            what,
            Text("请补充坐标。", "Add the coordinates."),
            severity="warning",
            row=int(prepared.rows[at]),
            code=code,
            kind="no_location",
        )

    notebook.rows("no_location", "warning", rows, make)


def frame_of(batch: pa.RecordBatch, keep: np.ndarray) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The kept rows of a prepared batch as a frame of fields, and their shapes (None without a geometry)."""
    chosen = batch if keep.all() else batch.filter(pa.array(keep))
    names = [name for name in chosen.schema.names if name not in (LON, LAT, SHAPE, ROW)]
    frame = pd.DataFrame({name: _series(chosen.column(name)) for name in names}, index=range(chosen.num_rows))
    shapes: np.ndarray | None = None
    if LON in chosen.schema.names:
        lon = chosen.column(LON).to_numpy(zero_copy_only=False)
        lat = chosen.column(LAT).to_numpy(zero_copy_only=False)
        shapes = np.full(chosen.num_rows, None, dtype=object)
        there = np.isfinite(lon)
        shapes[there] = shapely.points(lon[there], lat[there])
    elif SHAPE in chosen.schema.names:
        shapes = shapely.from_wkb(chosen.column(SHAPE).to_numpy(zero_copy_only=False))
    return frame, shapes


def _series(column: pa.Array) -> Any:
    """A column as pandas keeps it without losing whole numbers to floats."""
    if pa.types.is_integer(column.type):
        return column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    if pa.types.is_string(column.type):
        # Said outright: pandas would look at every value and copy them all into its own kind of text column.
        return pd.Series(column.to_numpy(zero_copy_only=False), dtype=object)
    if pa.types.is_boolean(column.type):
        return column.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    if pa.types.is_date(column.type):
        return column.cast(pa.timestamp("ms")).to_numpy(zero_copy_only=False)
    return column.to_numpy(zero_copy_only=False)
