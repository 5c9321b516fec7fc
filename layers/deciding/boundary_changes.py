"""What differs between the boundaries of two days, or of a day and a draft: areas that are new, changed or ended.

An area has changed when its land did: more than rounding to the centimetre grid along its border. Another name or
another row for the same land is no change here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from sqlalchemy import select

from geo import crs
from geo.errors import InputError
from geo.words import Text

from ..figures.coverage_tables import records
from ..kinds import AREA_KINDS, KINDS
from ..places.areas import area_set
from ..rights import Viewer
from ..selection import frames
from ..storage import schema
from ..storage.history import day, hidden_subquery
from . import draft_layer

if TYPE_CHECKING:
    from ..storage.store import Store

CHANGED, NEW, ENDED, UNCHANGED = STATES = ("changed", "new", "ended", "unchanged")
_GRID_M = 0.01  # the centimetre grid areas lie on
_COLUMNS = ["code", "name", "parent_code", "state", "area_before_m2", "area_after_m2", "gained_m2", "lost_m2"]


@dataclass(frozen=True, slots=True)
class BoundaryChanges:
    """Two states of a kind of area, before and after; `shapes` holds only the areas that differ, in EPSG:4490."""

    kind: str
    before: str  # ISO day
    after: str  # ISO day, or draft:ID
    counts: dict[str, int]  # by state, unchanged included
    rows: pd.DataFrame  # see _COLUMNS; changed, new, ended areas by code
    shapes: GeoDataFrame  # code, name, state, side ("before" or "after")
    links: list[dict[str, Any]]  # old_code, new_code, share_of_area, share_of_households, on

    def as_dict(self) -> dict[str, Any]:
        """Everything but the shapes, for JSON."""
        return {
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
            "counts": dict(self.counts),
            "rows": records(self.rows),
            "links": self.links,
            "bounds": [float(value) for value in self.shapes.total_bounds] if len(self.shapes) else None,
        }


def compare_boundaries(store: "Store", viewer: Viewer, kind: str, first: str, second: str) -> BoundaryChanges:
    """What changed between two states of an area kind.

    Parameters
    ----------
    first
        A day.
    second
        Another day, or `draft:ID`. Of two days the earlier one is "before"; a draft is always "after".

    Raises
    ------
    InputError
        When `kind` has no boundaries, or a day is none.
    NotFoundError, RightsError, ConflictError
        As for `draft_layer.read`.
    """
    if kind not in AREA_KINDS:
        label = KINDS[kind].label if kind in KINDS else Text(kind[:40], kind[:40])
        raise InputError(
            Text(f"“{label.zh}”没有边界可以对比。", f"'{label.en}' has no boundaries to compare."), where="kind"
        )
    if second.startswith(draft_layer.PREFIX):
        before, after = day(first), second
        table = draft_layer.read(store, viewer, f"{second}:{kind}")
        now = _indexed(table.frame, KINDS[kind].key, KINDS[kind].parent)
        links = list(table.provenance["lineage"])
    else:
        before, after = sorted((day(first), day(second)))
        now = _areas(store, viewer, kind, after)
        links = _links(store, kind, before, after)
    then = _areas(store, viewer, kind, before)
    rows, unchanged = _compared(then, now)
    counts = {state: int((rows["state"] == state).sum()) for state in (CHANGED, NEW, ENDED)} | {UNCHANGED: unchanged}
    shown, known = set(rows["code"]), {*then.index, *now.index}
    return BoundaryChanges(
        kind,
        before,
        after,
        counts,
        rows,
        _shapes(rows, then, now),
        # Where land came from outside the viewer's areas, that is not told.
        [link for link in links if (ends := {link["old_code"], link["new_code"]}) & shown and ends <= known],
    )


def _areas(store: "Store", viewer: Viewer, kind: str, on: str) -> GeoDataFrame:
    """Areas of a day that the viewer may see, derived ones with their shapes."""
    frame = area_set(store, kind, on).frame
    if viewer.areas:
        seen = frames.read_layer(store, kind, viewer, as_of=on, columns=[], geometry=False).index.astype(str)
        frame = frame[frame.index.isin(seen)]
    return frame


def _indexed(frame: GeoDataFrame, key: str, parent: str) -> GeoDataFrame:
    codes = frame[key].astype(str)
    found = frame.set_index(pd.Index(codes.to_numpy(dtype=object), dtype=object)).sort_index()
    return found.assign(parent_code=found[parent])


def _compared(then: GeoDataFrame, now: GeoDataFrame) -> tuple[pd.DataFrame, int]:
    both = then.index.intersection(now.index)
    old, new = then.geometry.reindex(both).to_numpy(), now.geometry.reindex(both).to_numpy()
    differ = np.flatnonzero(~(shapely.equals_identical(old, new) | (shapely.is_missing(old) & shapely.is_missing(new))))
    there = [shape for shape in (*old[differ], *new[differ]) if shape is not None]
    system = crs.metric_crs(shapely.total_bounds(there)) if there else crs.metric_crs((0, 0, 1, 1))
    metric = {}
    for name, shapes in (("old", old[differ]), ("new", new[differ])):
        metric[name] = shapely.make_valid(crs.transform_geometries(shapes, crs.LONLAT, system))
    gained = _area(shapely.difference(metric["new"], metric["old"]))
    lost = _area(shapely.difference(metric["old"], metric["new"]))
    real = gained + lost > _GRID_M * np.nan_to_num(shapely.length(metric["old"]))
    real |= shapely.is_missing(metric["old"]) != shapely.is_missing(metric["new"])
    changed = pd.DataFrame(
        {
            "area_before_m2": _area(metric["old"])[real],
            "area_after_m2": _area(metric["new"])[real],
            "gained_m2": gained[real],
            "lost_m2": lost[real],
        },
        index=both[differ[real]],
    ).assign(state=CHANGED)
    parts = [changed]
    for state, frame, other, name in (
        (NEW, now, then, "area_after_m2"),
        (ENDED, then, now, "area_before_m2"),
    ):
        only = frame[~frame.index.isin(other.index)]
        sizes = _lonlat_area(only.geometry.to_numpy())
        parts.append(pd.DataFrame({name: sizes, "state": state}, index=only.index))
    rows = pd.concat([part for part in parts if len(part)]) if any(len(part) for part in parts) else changed
    for name in ("name", "parent_code"):
        rows[name] = now[name].reindex(rows.index).where(rows.index.isin(now.index), then[name].reindex(rows.index))
    rows = rows.assign(code=rows.index).reindex(columns=_COLUMNS).sort_values("code").reset_index(drop=True)
    return rows.round({name: 1 for name in _COLUMNS if name.endswith("_m2")}), len(both) - int(real.sum())


def _area(shapes: np.ndarray) -> np.ndarray:
    return np.nan_to_num(shapely.area(shapes))


def _lonlat_area(shapes: np.ndarray) -> np.ndarray:
    if not len(shapes) or shapely.is_missing(shapes).all():
        return np.zeros(len(shapes))
    return _area(crs.transform_geometries(shapes, crs.LONLAT, crs.metric_crs(shapely.total_bounds(shapes))))


def _shapes(rows: pd.DataFrame, then: GeoDataFrame, now: GeoDataFrame) -> GeoDataFrame:
    parts = []
    for side, frame, states in (("before", then, (CHANGED, ENDED)), ("after", now, (CHANGED, NEW))):
        chosen = rows[rows["state"].isin(states)]
        geometry = frame.geometry.reindex(chosen["code"]).to_numpy()
        parts.append(chosen[["code", "name", "state"]].assign(side=side, geometry=geometry))
    return GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=crs.LONLAT)


def _links(store: "Store", kind: str, before: str, after: str) -> list[dict[str, Any]]:
    """Lineage that decisions recorded after one day up to another; what stays under its code is left out."""
    table = schema.lineage
    names: Iterable[str] = ("old_code", "new_code", "kind", "share_of_area", "share_of_households", "on")
    query = (
        select(*(table.c[name] for name in names))
        .where(
            table.c.level == kind,
            table.c.on > before,
            table.c.on <= after,
            table.c.old_code != table.c.new_code,
            table.c.change_id.not_in(hidden_subquery()),
        )
        .order_by(table.c.on, table.c.id)
    )
    with store.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
