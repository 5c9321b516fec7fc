"""The boundaries a draft starts from: the areas of its day, in metres on the 1 cm grid, by the land they divide.

Grids divide the land of their village and never pass it on to another, so every village is a group of its own; villages
are redrawn within a township or the county as one group, townships within the county. In a store without villages all
grids are one group. What lies under a draft does not change while it is drawn: `Ground` is shared by all who draw there.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pyproj import CRS
from sqlalchemy import ColumnElement, and_, func, or_, select

from geo import crs
from geo.words import Text

from ..findings import Finding
from ..kinds import AREA_KINDS, KINDS
from ..places.areas import area_set, metric_system
from ..rights import OWNER
from ..selection.frames import read_layer
from ..storage import schema
from ..storage.filters import among
from ..storage.history import counted, hidden_changes
from ..storage.kept import kept

if TYPE_CHECKING:
    from ..storage.store import Store

WHOLE = ""
"""Key of the only group where land is not divided among villages."""
_NEAR_DEG = 1e-7
"""About a centimetre: areas closer than this touch."""
_MOVED_M = 0.001
"""Lon/lat with nine decimals come back within a tenth of a millimetre; what moved further was not on the grid."""


@dataclass(frozen=True, slots=True)
class Snapped:
    """What putting the areas on the centimetre grid moved: how many areas, and the farthest vertex in metres."""

    grids: int
    max_m: float

    def as_dict(self) -> dict[str, Any]:
        """For answers in JSON."""
        return {"grids": self.grids, "max_m": round(self.max_m, 4)}


@dataclass(frozen=True, slots=True)
class Ground:
    """Areas of one level under one parent on one day.

    `frame` is indexed by code and holds fid, parent_code and the columns of the level; `shapes` are metric.
    """

    level: str
    on: str
    crs: CRS
    frame: pd.DataFrame
    shapes: Mapping[str, shapely.Geometry]
    groups: Mapping[str, tuple[str, ...]]  # parent code, or WHOLE: codes
    bounds_lonlat: tuple[float, float, float, float] | None
    snapped: Snapped
    findings: tuple[Finding, ...]
    doubled: frozenset[str]  # codes that stand in several rows: their land cannot be told apart
    group_of: Mapping[str, str] = field(default_factory=dict)
    _marks: dict[str, str] = field(default_factory=dict)

    def mark(self, code: str) -> str:
        """A short mark of an area as it is here: another one when its border or its parent changed."""
        if code not in self._marks:
            self._marks[code] = self.mark_of(code, self.shapes[code])
        return self._marks[code]

    def mark_of(self, code: str, shape: shapely.Geometry) -> str:
        """The mark an area had when it had another metric shape and the parent it has now."""
        text = hashlib.sha1(shapely.to_wkb(shape, byte_order=1), usedforsecurity=False)
        text.update(str(self.frame.at[code, "parent_code"]).encode())
        return text.hexdigest()[:16]


def ground(store: "Store", level: str, parent_kind: str | None, parent_code: str | None, on: str) -> Ground:
    """The boundaries of a day under one parent, kept until an area layer changes."""
    key = ("ground", level, parent_kind, parent_code, on, tuple(store.versions(AREA_KINDS).items()))
    return kept(store).get(key, lambda: _read(store, level, parent_kind, parent_code, on))


def to_lonlat(shapes: Any, metric: CRS) -> np.ndarray:
    """Metric shapes on the centimetre grid as they are stored and sent: nine decimals, the same centimetre back."""
    lonlat = crs.transform_geometries(shapes, metric, crs.LONLAT)
    return shapely.transform(lonlat, lambda coordinates: np.round(coordinates, 9))


def context(store: "Store", land: Ground) -> GeoDataFrame:
    """Areas of the same level outside a draft's land that touch it, as stored (lon/lat, index code, own columns)."""
    key = ("redraw_context", land.level, land.on, land.bounds_lonlat, tuple(store.versions(AREA_KINDS).items()))
    return kept(store).get(key, lambda: _context(store, land))


def _context(store: "Store", land: Ground) -> GeoDataFrame:
    if land.bounds_lonlat is None:
        return read_layer(store, land.level, OWNER, as_of=land.on, limit=0)
    west, south, east, north = land.bounds_lonlat
    box = (west - _NEAR_DEG, south - _NEAR_DEG, east + _NEAR_DEG, north + _NEAR_DEG)
    frame = read_layer(store, land.level, OWNER, as_of=land.on, bbox=box)
    frame.index = pd.Index(frame.index.astype(str), dtype=object)
    frame = frame[~frame.index.isin(land.frame.index) & ~frame.index.duplicated()]
    shapes = frame.geometry.to_numpy()
    frame = frame[np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)]
    own = to_lonlat(list(land.shapes.values()), land.crs)
    rows = shapely.STRtree(own).query(frame.geometry.to_numpy(), predicate="dwithin", distance=_NEAR_DEG)[0]
    return frame.iloc[np.unique(rows)]


def _read(store: "Store", level: str, parent_kind: str | None, parent_code: str | None, on: str) -> Ground:
    parents = _dividing(store, level, parent_kind, parent_code, on)
    frame = read_layer(store, level, OWNER, as_of=on, where=_below(store, level, parents, on))
    frame.index = pd.Index(frame.index.astype(str), dtype=object)
    frame["parent_code"] = _parents(store, frame, level, parents, on)
    frame = frame.sort_values("fid").sort_index(kind="stable")
    again = frozenset(frame.index[frame.index.duplicated()])
    frame = frame[~frame.index.duplicated()]

    shapes = frame.geometry.to_numpy()
    usable = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    findings = [*_without_land(level, frame.index[~usable]), *_doubled(level, again)]
    codes, lonlat = frame.index[usable].tolist(), shapes[usable]
    bounds = shapely.total_bounds(lonlat) if len(lonlat) else np.array([105.0, 30.0, 105.0, 30.0])
    metric_crs = metric_system(store, on) or crs.metric_crs(bounds)
    metric = crs.transform_geometries(lonlat, crs.LONLAT, metric_crs)
    rounded = crs.round_centimetre(metric)
    land = ~shapely.is_empty(rounded)
    groups: dict[str, list[str]] = {}
    inner = parents if level == "grid" and parents is not None else None
    for code, kept_land in zip(codes, land, strict=True):
        if kept_land:
            key = str(frame.at[code, "parent_code"]) if inner is not None else WHOLE
            groups.setdefault(key, []).append(code)
    return Ground(
        level=level,
        on=on,
        crs=metric_crs,
        frame=pd.DataFrame(frame.drop(columns=frame.geometry.name)),
        shapes={code: shape for code, shape, kept_land in zip(codes, rounded, land, strict=True) if kept_land},
        groups={key: tuple(listed) for key, listed in sorted(groups.items())},
        bounds_lonlat=tuple(bounds.tolist()) if len(lonlat) else None,
        snapped=_snapped(metric),
        findings=tuple(findings),
        doubled=again,
        group_of={code: key for key, listed in groups.items() for code in listed},
    )


def _dividing(
    store: "Store", level: str, parent_kind: str | None, parent_code: str | None, on: str
) -> frozenset[str] | None:
    """Codes of the direct parents whose land is divided; None where there is no parent at all."""
    if parent_kind is None or parent_code is None:
        return None
    direct = KINDS[level].parent_kind
    if parent_kind == direct:
        return frozenset([parent_code])
    above = area_set(store, direct, on).frame
    return frozenset(above.index[above["parent_code"] == parent_code])


def _below(store: "Store", level: str, parents: frozenset[str] | None, on: str) -> ColumnElement[bool] | None:
    """The rows of a level that belong to `parents`, by their parent column, else by their code, else by position."""
    if parents is None:
        return None
    table, kind = schema.ROWS[level], KINDS[level]
    column = table.c[kind.parent]
    named = among(column, sorted(parents))
    silent = or_(column.is_(None), column == "")
    with store.read() as connection:
        met = and_(counted(level, table, hidden_changes(connection), on), silent)
        if not connection.scalar(select(func.count()).select_from(table).where(met)):
            return named
    frame = area_set(store, level, on).frame
    own = frame.index[frame["parent_code"].isin(parents)]
    return or_(named, and_(silent, among(table.c[kind.key], sorted(own))))


def _parents(store: "Store", frame: GeoDataFrame, level: str, parents: frozenset[str] | None, on: str) -> pd.Series:
    recorded = frame[KINDS[level].parent].astype(object)
    recorded = recorded.where(recorded.notna() & (recorded != ""), None)
    if parents is None or recorded.notna().all():
        return recorded
    known = area_set(store, level, on).frame["parent_code"]
    return recorded.where(recorded.notna(), pd.Series(frame.index.map(known), index=frame.index, dtype=object))


def _snapped(metric: np.ndarray) -> Snapped:
    coordinates, owner = shapely.get_coordinates(metric, return_index=True)
    moved = np.hypot(*(np.round(coordinates, 2) - coordinates).T)
    far = moved > _MOVED_M
    return Snapped(len(np.unique(owner[far])), float(moved.max()) if far.any() else 0.0)


def _without_land(level: str, codes: pd.Index) -> list[Finding]:
    label = KINDS[level].label
    return [
        Finding(
            Text(
                f"{label.zh}没有面，不能编辑其边界。", f"{label.en}: it has no polygon, so its border cannot be drawn."
            ),
            Text("请导入其范围。", "Import its outline."),
            code=str(code),
            kind="no_location",
        )
        for code in codes
    ]


def _doubled(level: str, codes: frozenset[str]) -> list[Finding]:
    label = KINDS[level].label
    return [
        Finding(
            Text(f"{label.zh}代码重复，不能编辑其边界。", f"{label.en}: several rows have this code."),
            Text("请先清理重复的代码。", "Mend the codes first."),
            code=code,
            kind="duplicate_code",
        )
        for code in sorted(codes)
    ]
