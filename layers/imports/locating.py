"""The positions and shapes of a batch of rows: brought home, checked, and reported row by row."""

import numpy as np
import pyarrow as pa
import shapely

from geo.words import Text

from ..codes import as_stored
from ..findings import Finding
from ..notebook import Notebook
from . import shaping
from .prepared import LAT, LON, SHAPE, Prepared, Setting
from .survey import Survey, shapes_of


def locate(
    batch: pa.RecordBatch, here: slice, survey: Survey, setting: Setting, prepared: Prepared, notebook: Notebook
) -> tuple[list[str], list[pa.Array]]:
    """Names and columns for where the rows of a batch are: lon and lat for points, WKB for the rest."""
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
