"""The areas of a kind on a day, as shapes that every point can be looked up in, with those derived from points.

A village that comes as a point gets the land nearer to it than to any other village: inside its township when
townships have outlines, else inside the county, else inside a hull around the points (and then a note says so). A
natural village that comes as a point gets its share of its village. Derived shapes carry `derived`; villages that share
one point cannot be told apart, so none of them can be judged (`problem` "shared_point").
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pyproj import CRS

from geo import crs
from geo.areas import derive_areas
from geo.lookup import Lookup
from geo.words import Text

from ..kinds import AREA_KINDS, KINDS
from ..rights import OWNER
from ..selection import frames
from ..storage.history import day
from ..storage.kept import kept

if TYPE_CHECKING:
    from ..storage.store import Store

NO_GEOMETRY, SHARED_POINT = "no_geometry", "shared_point"
PROBLEMS = {
    NO_GEOMETRY: Text("没有位置，无法统计。", "It has no position, so nothing can be counted."),
    SHARED_POINT: Text(
        "与其他单元同在一点，无法分开统计。", "It shares one point with another unit, so they cannot be told apart."
    ),
}


@dataclass(frozen=True, slots=True)
class AreaSet:
    """Areas of one kind on one day, all of them whatever a viewer may see; use through rights only."""

    kind: str
    frame: GeoDataFrame  # EPSG:4490, index code in order, own columns, parent_code, derived, problem
    lookup: Lookup
    notes: tuple[Text, ...]
    _rows: np.ndarray  # row of `frame` for each row of `lookup`

    def home(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Row of `frame` each position falls in, -1 for none."""
        found = self.lookup.home(lon, lat)
        return np.where(found >= 0, self._rows[np.maximum(found, 0)], -1) if len(self._rows) else found


def area_set(store: "Store", kind: str, as_of: str | None = None) -> AreaSet:
    """The areas of `kind` on a day, kept until one of the area layers changes."""
    on = day(as_of)
    key = ("areas", kind, on, tuple(store.versions(AREA_KINDS).items()))
    return kept(store).get(key, lambda: _make(store, kind, on))


def _make(store: "Store", kind: str, on: str) -> AreaSet:
    frame = frames.read_layer(store, kind, OWNER, as_of=on)
    notes: list[Text] = []
    codes = frame.index.astype(str)
    frame.index = pd.Index(codes.to_numpy(dtype=object), dtype=object)
    if not codes.is_unique:
        frame = frame[~codes.duplicated()]
        notes.append(Text("有重复代码，只取第一条。", "Some codes occur twice; only the first row of each counts."))
    frame = frame.sort_index()
    frame["name"] = frame.get("name")
    shapes = np.array(frame.geometry.array, dtype=object)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    frame["derived"] = False
    frame["problem"] = _words(~polygonal, NO_GEOMETRY)
    frame["parent_code"] = _parents(store, frame, kind, on)
    pointed = ~polygonal & np.isin(shapely.get_type_id(shapes), (0, 4)) & ~shapely.is_empty(shapes)
    if pointed.any():
        notes += _derive(store, frame, kind, on, pointed, polygonal)
    shapes = np.array(frame.geometry.array, dtype=object)
    usable = np.flatnonzero(np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes))
    lookup = Lookup.build(frame.index[usable].to_numpy(), shapes[usable])
    return AreaSet(kind, frame, lookup, tuple(notes), frame.index.get_indexer(lookup.codes))


def _words(where: np.ndarray, word: str) -> np.ndarray:
    """`word` where it applies, None elsewhere."""
    words = np.full(len(where), None, dtype=object)
    words[where] = word
    return words


def _parents(store: "Store", frame: GeoDataFrame, kind: str, on: str) -> pd.Series:
    """Code of the parent of each area: as recorded, else by its 12-digit code, else by position; None when unknown."""
    definition = KINDS[kind]
    column = definition.parent
    recorded = frame[column].copy() if column in frame else pd.Series(None, index=frame.index)
    recorded = recorded.astype(object).where(recorded.notna() & (recorded != ""), None)
    missing = recorded.isna()
    if not definition.parent_kind or not missing.any():
        return recorded
    if store.codes == "cn12":
        width = {"township": 6, "village": 9, "grid": 12}.get(kind)
        if width is not None:
            coded = frame.index.to_series().str.slice(0, width).str.pad(12, side="right", fillchar="0")
            recorded = recorded.where(~missing, coded)
            missing = recorded.isna()
    located = missing & frame.geometry.notna()
    if located.any():
        above = area_set(store, definition.parent_kind, on)
        at = shapely.point_on_surface(frame.geometry[located].array)
        home = above.home(shapely.get_x(at), shapely.get_y(at))
        codes = np.array([*above.frame.index, None], dtype=object)  # -1 takes the last one
        recorded[located] = codes[home]
    return recorded.where(recorded.notna(), None)


def _derive(
    store: "Store", frame: GeoDataFrame, kind: str, on: str, pointed: np.ndarray, polygonal: np.ndarray
) -> list[Text]:
    """Give the areas that are points their derived shapes, in place; notes on how."""
    label = KINDS[kind].label
    notes = [
        Text(
            f"{label.zh}只有点位的，范围由泰森多边形推算，不是实际界线。",
            f"Areas of {label.en} that came as points are derived (nearest point), not real boundaries.",
        )
    ]
    points = frame.loc[pointed, ["parent_code", "geometry"]]
    points = points.set_geometry(shapely.centroid(points.geometry.array), crs=crs.LONLAT)
    parents = _parents_of_points(store, kind, on, points)
    if parents is not None:
        cells = derive_areas(points, shapely.box(*parents.total_bounds), within=parents)
    else:
        land = _land(store, kind, on)
        if land is None or not shapely.intersects(land, points.geometry.array).any():
            land = _hull(points)
            notes.append(
                Text(
                    "没有县或乡镇界线，推算范围以点位外包为限。",
                    "There is no county or township outline; derived areas end at a hull around the points.",
                )
            )
        if polygonal.any():
            land = shapely.difference(land, shapely.union_all(frame.geometry[polygonal].array))
        cells = derive_areas(points, land)
    shapes = np.array(frame.geometry.array, dtype=object)
    shapes[pointed] = cells.geometry.to_numpy()
    frame.geometry = GeoSeries(shapes, index=frame.index, crs=crs.LONLAT)
    frame.loc[pointed, "derived"] = True
    problem = _words(cells.geometry.isna().to_numpy(), NO_GEOMETRY)
    problem[(cells["shared_with"] != "").to_numpy()] = SHARED_POINT
    frame.loc[pointed, "problem"] = problem
    return notes


def _parents_of_points(store: "Store", kind: str, on: str, points: GeoDataFrame) -> GeoDataFrame | None:
    """Areas of the parents that divide the land first; None when they cannot.

    Natural villages and grids always stay within villages, derived ones too. Villages stay within townships only when
    these have real outlines and every village point lies in its own; otherwise the county is divided as a whole.
    """
    parent_kind = KINDS[kind].parent_kind
    if kind not in ("village", "natural_village", "grid"):
        return None
    above = area_set(store, parent_kind, on).frame
    above = above[above["problem"].isna() | (above["problem"] == SHARED_POINT)]
    above = above[above.geometry.notna()]
    if kind != "village":
        return above[["geometry"]] if len(above) else None
    real = above.loc[~above["derived"], ["geometry"]]
    own = real.geometry.reindex(points["parent_code"].astype(object))
    if own.isna().any() or not shapely.intersects(own.array, points.geometry.array).all():
        return None
    return real[real.index.isin(points["parent_code"])]


def _land(store: "Store", kind: str, on: str) -> shapely.Geometry | None:
    """The county's outline, else that of the townships together (real outlines only), lon/lat."""
    for level in ("county",) if kind == "township" else ("county", "township"):
        above = area_set(store, level, on).frame
        shapes = above.geometry[above["problem"].isna() & ~above["derived"]]
        if len(shapes):
            return shapely.union_all(shapely.make_valid(shapes.array))
    return None


def _hull(points: GeoDataFrame) -> shapely.Geometry:
    """A hull that leaves half the mean spacing around the outermost points, lon/lat."""
    metric = crs.to_metric(points)
    hull = shapely.convex_hull(shapely.multipoints(metric.geometry.array))
    margin = 0.5 * float(np.sqrt(max(hull.area, 1e6) / len(points)))
    return crs.transform_geometries([shapely.buffer(hull, margin)], metric.crs, crs.LONLAT)[0]


def metric_system(store: "Store", on: str) -> CRS | None:
    """The metric system of the store: that of the county, else townships, else villages; None when there are none."""
    key = ("metric_system", on, tuple(store.versions(AREA_KINDS).items()))

    def make() -> CRS | None:
        for kind in ("county", "township", "village"):
            shapes = frames.read_layer(store, kind, OWNER, as_of=on, columns=[]).geometry.to_numpy()
            areal = shapes[shapely.get_dimensions(shapes) == 2] if len(shapes) else shapes
            if len(areal):
                return crs.metric_crs(shapely.total_bounds(areal))
        return None

    return kept(store).get(key, make)
