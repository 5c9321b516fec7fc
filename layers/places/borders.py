"""Border lines, tri-junctions and markers as layers, derived from the townships and villages of a day.

Modelling decisions:

- Only areas that came with polygons have borders; shares worked out from points do not.
- Lines of both levels draw their numbers from one pool, so that a marker's number names one line. A line that persists
  keeps its number and its row; one that moved gets a new row from the day on, with what was said of it carried over.
- Rows that were surveyed or imported are left alone; their numbers are never given to a derived line.
- A tri-junction is named after the lines that meet in it; triple stakes are counted on the first of these.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import func, select

from geo import border_numbers as numbers
from geo import crs
from geo.borders import Borders, find_borders, marker_places, stakes_around, stakes_beside
from geo.errors import InputError, NotFoundError
from geo.weld import weld
from geo.words import Text

from ..rights import OWNER, Viewer
from ..selection import frames
from ..storage import schema
from ..storage.changes import Change
from ..storage.filters import among
from ..storage.history import day, hidden_changes, visible
from ..storage.rows import close_rows, insert_in, retire_rows
from ..storage.watched import require_unchanged
from .areas import area_set
from .border_limits import BorderLimits, read_border_limits
from .land import SAME_DEG

if TYPE_CHECKING:
    from ..storage.store import Store

ACT = "mend"
ACTION = "derive_borders"
LEVELS = ("township", "village")
LAYERS = ("boundary_line", "tri_junction", "boundary_marker")
_CARRIED = ("last_inspection", "state")


def derive(store: "Store", viewer: Viewer, *, on: date | str | None = None, key: str | None = None) -> dict[str, Any]:
    """Derive the layers from the areas valid on a day; what did not change keeps its row and number.

    Returns {"on", "change" (None when nothing differed), and for each layer {"kept", "new", "ended"}}.

    Raises
    ------
    RightsError
        When the role may not, or the account is limited to some areas: borders are everybody's.
    NotFoundError
        When there are neither townships nor villages with polygons.
    InputError
        When borders were derived for a later day already.
    ConflictError
        When areas or borders changed meanwhile.
    """
    viewer.require(ACT)
    if viewer.areas:
        raise _limited()
    moment = day(on)
    versions = store.versions((*LAYERS, *LEVELS, "county"))
    _require_latest(store, moment)
    limits = read_border_limits(store)
    made = _made(store, moment, limits)
    plans = {kind: _plan(store, kind, frame, moment) for kind, frame in made.items()}
    counts = {kind: {"kept": kept, "new": len(new), "ended": len(old)} for kind, (new, old, kept) in plans.items()}
    answer: dict[str, Any] = {"on": moment, "change": None, **counts}
    if all(not len(new) and not len(old) for new, old, _ in plans.values()):
        return answer

    def body(change: Change) -> dict[str, Any]:
        require_unchanged(change, versions)
        for kind, (new, old, _) in plans.items():
            end_rows(store, change, kind, old, moment)
            if len(new):
                insert_in(change, kind, new, valid_from=moment, place_offset_h=store.place_offset_h)
        change.rows = {kind: len(new) for kind, (new, _, _) in plans.items()}
        return {**answer, "change": change.id}

    return store.act(viewer.name, ACTION, body, key=key, details={"on": moment, **counts})


def _limited() -> InputError:
    return InputError(
        Text("界线须按全县生成。", "Borders are derived for the whole place."),
        where="areas",
        mend=Text("请由不限区域的账号生成。", "Ask somebody whose account covers everything."),
    )


def _require_latest(store: "Store", on: str) -> None:
    table = schema.ROWS["boundary_line"]
    with store.read() as connection:
        mine = (visible(table, hidden_changes(connection)), table.c.origin == "derived")
        latest = connection.scalar(select(func.max(table.c.valid_from)).where(*mine))
    if latest is not None and str(latest) > on:
        raise InputError(
            Text(f"已按 {latest} 的边界生成过界线。", f"Borders were derived for {latest} already."),
            where="on",
            mend=Text(f"请选择 {latest} 或之后的日期。", f"Choose {latest} or a later day."),
        )


def _made(store: "Store", on: str, limits: BorderLimits) -> dict[str, gpd.GeoDataFrame]:
    """The rows of each layer as they should be on a day, EPSG:4490."""
    outline = frames.outline(store, OWNER, on)
    system = crs.metric_crs(outline.bounds) if outline is not None else None
    barriers = _barriers(store, limits, system)
    used = _used(store)
    lines, junctions, markers = [], [], []
    for level in LEVELS:
        areas = _areas(store, level, on, system)
        if areas is None or system is None:
            continue
        found = find_borders(areas)
        given = numbers.keep_numbers(found.lines, _known(store, level, on, system), used)
        used |= set(given)
        named = [numbers.line_number(number) for number in given]
        shared = {"level": level, "origin": "derived"}
        for number, row in zip(named, found.lines.itertuples(), strict=True):
            lines.append({"number": number, "area_codes": _joined(row.codes), "length_m": round(row.length_m, 2), **shared, "geometry": row.geometry})  # fmt: skip
        meeting = _meeting(found, named)
        for row, of in zip(found.junctions.itertuples(), meeting, strict=True):
            junctions.append({"number": "-".join(of), "area_codes": _joined(row.codes), **shared, "geometry": row.geometry})  # fmt: skip
        for marker in _markers(found, named, meeting, areas, limits, level, barriers):
            markers.append(marker | shared)
    if not lines:
        raise NotFoundError(
            Text("没有可生成界线的乡镇或村。", "There are no townships or villages that border on each other."),
            where="parent",
            mend=Text("请先导入乡镇界或村界。", "Import outlines of townships or villages first."),
        )
    return {kind: _frame(rows, system) for kind, rows in zip(LAYERS, (lines, junctions, markers), strict=True)}


def _joined(codes: Sequence[str]) -> str:
    return ",".join(codes)


def _frame(rows: list[dict[str, Any]], system: Any) -> gpd.GeoDataFrame:
    """Metric rows as kept: lon/lat to a tenth of a millimetre."""
    if not rows:
        return gpd.GeoDataFrame({"number": pd.Series(dtype=object)}, geometry=gpd.GeoSeries([], crs=crs.LONLAT))
    frame = gpd.GeoDataFrame(rows, crs=system)
    lonlat = crs.transform_geometries(frame.geometry.to_numpy(), system, crs.LONLAT)
    return frame.set_geometry(shapely.transform(lonlat, lambda xy: np.round(xy, 9)), crs=crs.LONLAT)


def _areas(store: "Store", level: str, on: str, system: Any) -> gpd.GeoDataFrame | None:
    frame = area_set(store, level, on).frame
    shapes = frame.geometry.to_numpy()
    real = ~frame["derived"].astype(bool).to_numpy() & np.isin(shapely.get_type_id(shapes), (3, 6))
    if not real.any():
        return None
    welded = weld(shapely.make_valid(shapes[real], method="structure"), SAME_DEG)
    metric = crs.round_centimetre(crs.transform_geometries(welded, crs.LONLAT, system))
    return gpd.GeoDataFrame(geometry=metric, index=frame.index[real].astype(str), crs=system)


def _used(store: "Store") -> set[int]:
    """Every line number there ever was, of rows taken back as well: paper remembers them."""
    table = schema.ROWS["boundary_line"]
    with store.read() as connection:
        given = connection.scalars(select(table.c.number).distinct()).all()
    return {int(number) for number in given if number and number.isdigit() and len(number) <= 4}


def _known(store: "Store", level: str, on: str, system: Any) -> gpd.GeoDataFrame:
    """Derived lines of a level that hold on a day: number, codes, metric geometry."""
    rows = frames.read_layer(store, "boundary_line", OWNER, as_of=on)
    rows = rows[(rows["origin"] == "derived") & (rows["level"] == level)]
    return gpd.GeoDataFrame(
        {"number": [int(number) for number in rows["number"]], "codes": pd.Series([tuple(c.split(",")) for c in rows["area_codes"]], dtype=object)},
        geometry=gpd.GeoSeries(crs.transform_geometries(rows.geometry.to_numpy(), crs.LONLAT, system), crs=system),
    )  # fmt: skip


def _meeting(found: Borders, named: list[str]) -> list[list[str]]:
    """Numbers of the lines that end in each junction, ascending."""
    lines, points = found.lines.geometry.to_numpy(), found.junctions.geometry.to_numpy()
    meeting: list[list[str]] = [[] for _ in points]
    if len(points) and len(lines):
        point, line = shapely.STRtree(lines).query(points, predicate="dwithin", distance=0.02)
        for at, of in zip(point, line, strict=True):
            meeting[at].append(named[of])
    return [sorted(of) for of in meeting]


def _barriers(store: "Store", limits: BorderLimits, system: Any) -> shapely.Geometry | None:
    """What runs where no stake can stand on the line, such as rivers; None without such a layer."""
    known = {entry["kind"] for entry in frames.list_layers(store, OWNER)}
    shapes: list[shapely.Geometry] = []
    for name in limits.barriers:
        if f"reference:{name}" in known:
            rows = frames.read_layer(store, f"reference:{name}", OWNER)
            shapes += crs.transform_geometries(rows.geometry.dropna().to_numpy(), crs.LONLAT, system).tolist()
    if not shapes:
        return None
    together = shapely.union_all(shapes)
    shapely.prepare(together)
    return together


def _markers(
    found: Borders,
    named: list[str],
    meeting: list[list[str]],
    areas: gpd.GeoDataFrame,
    limits: BorderLimits,
    level: str,
    barriers: shapely.Geometry | None,
) -> list[dict[str, Any]]:
    """Markers along each line from its beginning, then the triples of the junctions counted on it."""
    rows: list[dict[str, Any]] = []
    last: dict[str, int] = {}

    def add(line: str, serial: int, kind: str, codes: str, place: shapely.Point) -> None:
        number = numbers.marker_number(line, serial, kind)
        rows.append({"number": number, "line_number": line, "side_type": kind, "area_codes": codes, "geometry": place})

    for line, row in zip(named, found.lines.itertuples(), strict=True):
        for serial, along in enumerate(marker_places(row.geometry, spacing_m=limits.marker_m(level)), 1):
            place = row.geometry.interpolate(float(along))
            last[line] = serial
            if barriers is not None and shapely.dwithin(barriers, place, limits.barrier_distance_m):
                twins = stakes_beside(row.geometry, float(along), offset_m=limits.stake_offset_m)
                # A stands in the area with the lower code, whichever way the line runs.
                first = areas.geometry[row.codes[0]]
                ordered = twins if first.distance(twins[0]) <= first.distance(twins[1]) else twins[::-1]
                for kind, code, stake in zip(numbers.TWINS, row.codes, ordered, strict=True):
                    add(line, serial, kind, code, stake)
            else:
                add(line, serial, numbers.SINGLE, _joined(row.codes), place)
    for junction, of in zip(found.junctions.itertuples(), meeting, strict=True):
        if not of:
            continue
        line = of[0]
        last[line] = last.get(line, 0) + 1
        if len(junction.codes) != len(numbers.TRIPLE):
            add(line, last[line], numbers.SINGLE, _joined(junction.codes), junction.geometry)
            continue
        lands = [areas.geometry[code] for code in junction.codes]
        stakes = stakes_around(junction.geometry, lands, offset_m=limits.stake_offset_m)
        for kind, code, stake in zip(numbers.TRIPLE, junction.codes, stakes, strict=True):
            add(line, last[line], kind, code, stake)
    return rows


def _plan(store: "Store", kind: str, made: gpd.GeoDataFrame, on: str) -> tuple[gpd.GeoDataFrame, np.ndarray, int]:
    """Rows to be inserted, fids to be ended, and how many rows stay as they are."""
    old = frames.read_layer(store, kind, OWNER, as_of=on)
    old = old[old["origin"] == "derived"].set_index("number", drop=False)
    old = old[~old.index.duplicated()]
    made = made.set_index("number", drop=False)
    both = made.index.intersection(old.index)
    same = both[
        shapely.equals_exact(made.loc[both].geometry.to_numpy(), old.loc[both].geometry.to_numpy(), 1e-9)
        & (made.loc[both, "area_codes"].to_numpy() == old.loc[both, "area_codes"].to_numpy())
    ] if len(both) else both  # fmt: skip
    new = made.drop(index=same)
    moved = new.index.intersection(old.index)
    for name in _CARRIED:
        if name in old and len(moved):
            new[name] = old[name].reindex(new.index)
    return new, old.loc[~old.index.isin(same), "fid"].to_numpy(dtype=np.int64), len(same)


def end_rows(store: "Store", change: Change, kind: str, fids: np.ndarray, on: str) -> None:
    """End rows on a day; those that began on it were never true on any other and are taken back."""
    if not len(fids):
        return
    table = schema.ROWS[kind]
    rows = change.connection.execute(select(table.c.fid, table.c.valid_from).where(among(table.c.fid, fids.tolist())))
    begins = {row.fid: str(row.valid_from) for row in rows}
    fresh = np.array([begins[int(fid)] >= on for fid in fids])
    if fresh.any():
        retire_rows(store, change.id, kind, fids[fresh], within=change)
    if (~fresh).any():
        close_rows(store, change.id, kind, fids[~fresh], on, within=change)
