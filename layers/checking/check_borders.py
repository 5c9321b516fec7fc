"""Borders of an area layer: valid rings, no gaps, no overlaps, nothing outside the parent, and rows without a shape."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import crs, topology
from geo.lookup import Lookup
from geo.words import Text

from ..findings import Finding
from ..kinds import KINDS, Kind
from ..notebook import Notebook
from ..places.areas import SHARED_POINT, area_set
from ..rights import Viewer
from ..selection.frames import read_layer
from .check_codes import place, points_of

if TYPE_CHECKING:
    from ..places.check_limits import Limits
    from ..storage.store import Store

_COVERING = ("township", "village", "grid")
"""Kinds that divide the land of their parent; natural villages lie in it without filling it."""
_PLACE = re.compile(r"\[(-?[\d.]+(?:e[-+]?\d+)?) (-?[\d.]+(?:e[-+]?\d+)?)")
_REDRAW = Text("请在边界编辑中修正。", "Mend it where borders are drawn.")
Say = Callable[[pd.Series], Text]


def look(store: "Store", viewer: Viewer, kind: Kind, on: str, limits: "Limits", notebook: Notebook) -> None:
    """Note what is wrong with the shapes of one area layer.

    Shapes are held against all others of the layer, whoever asks; told is what concerns an area the viewer sees.
    """
    own = read_layer(store, kind.name, viewer, as_of=on, columns=[kind.parent])
    own = own[~own.index.duplicated()]
    if not len(own):
        return
    _without_shape(kind, own, notebook)
    _sharing(store, kind, own, on, notebook)
    _invalid(kind, own, notebook)

    frame = area_set(store, kind.name, on).frame[["parent_code", "derived", "geometry"]]
    shapes = frame.geometry.to_numpy()
    frame = frame[
        ~frame["derived"].astype(bool) & np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    ]
    if not len(frame):
        return
    frame = frame.set_geometry(topology.sound(frame.geometry.to_numpy()), crs=frame.crs)
    metric = crs.to_metric(frame)
    told = _Told(limits, notebook, frozenset(own.index.astype(str)))
    size = metric.area
    label = kind.label

    overlaps = topology.find_overlaps(metric, min_area_m2=limits.area_m2)
    overlaps = overlaps[_lies_in(overlaps, frame.geometry, 0) & _lies_in(overlaps, frame.geometry, 1)]

    def overlapping(found: pd.Series) -> Text:
        first, second = found["codes"]
        how = _size(found["area_m2"])
        return Text(
            f"{label.zh} {first} 与 {second} 重叠 {how.zh}。", f"{label.en}: {first} and {second} overlap by {how.en}."
        )

    told.rows(overlaps, "overlap", overlapping, [min(size[a], size[b]) for a, b in overlaps["codes"]])

    def thin(found: pd.Series) -> Text:
        how = _size(found["area_m2"])
        return Text(f"{label.zh}有一处细碎面，面积 {how.zh}。", f"{label.en}: a sliver of {how.en}.")

    told.rows(topology.find_slivers(metric, width_m=limits.sliver_width_m), "sliver", thin)
    if kind.name in _COVERING:
        _against_parents(store, kind, frame, metric, on, told)


@dataclass(frozen=True, slots=True)
class _Told:
    """Turns rows of topology into findings, for the areas somebody may see."""

    limits: "Limits"
    notebook: Notebook
    seen: frozenset[str]

    def rows(
        self, found: gpd.GeoDataFrame, sort: str, say: Say, whole_m2: list[float] | None = None, code: str = ""
    ) -> None:
        """Note each row; an error when it is more than the tolerated share of `whole_m2`, else a warning."""
        for number, (_, row) in enumerate(found.iterrows()):
            if self.seen.isdisjoint(row["codes"]):
                continue
            much = whole_m2 is not None and row["area_m2"] > self.limits.area_share * whole_m2[number]
            at = shapely.point_on_surface(row["geometry"])
            lon, lat = crs.transform_xy(at.x, at.y, found.crs, crs.LONLAT)
            self.notebook.add(
                Finding(
                    say(row),
                    _REDRAW,
                    severity="error" if much else "warning",
                    code=code or row["codes"][0],
                    kind=sort,
                    lon=float(lon),
                    lat=float(lat),
                )
            )


def _lies_in(found: gpd.GeoDataFrame, lonlat: gpd.GeoSeries, position: int) -> np.ndarray:
    """Whether a place of each finding lies in the area its codes name, borders taken as straight in degrees.

    A border with few vertices is one line when drawn straight in degrees and another when drawn straight in metres
    (ten metres apart in the middle of 30 km). Only what is wrong both ways is a finding.
    """
    lon, lat = _places(found)
    shapes = lonlat.reindex([codes[position] for codes in found["codes"]]).to_numpy()
    return shapely.intersects_xy(shapes, lon, lat)


def _places(found: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    at = shapely.point_on_surface(found.geometry.to_numpy())
    return crs.transform_xy(shapely.get_x(at), shapely.get_y(at), found.crs, crs.LONLAT)


def _against_parents(
    store: "Store", kind: Kind, frame: gpd.GeoDataFrame, metric: gpd.GeoDataFrame, on: str, told: _Told
) -> None:
    """Gaps in the land of each parent, and land of children outside their parent; real parents only."""
    above, parent_kind = _real(store, kind.parent_kind, on), kind.parent_kind
    if not len(above) and kind.name == "village":
        above, parent_kind = _real(store, "county", on), "county"
    if not len(above):
        return
    parents = above.to_crs(metric.crs)
    direct = parent_kind == kind.parent_kind
    limits, label, above_label = told.limits, kind.label, KINDS[parent_kind].label
    if direct:
        outside = topology.find_outside(metric, parents, min_area_m2=limits.area_m2)
        outside = outside[~_lies_in(outside, above.geometry, 1)]
        size = metric.area

        def beyond(found: pd.Series) -> Text:
            child, parent = found["codes"]
            how = _size(found["area_m2"])
            return Text(
                f"{label.zh} {child} 有 {how.zh} 在其上级 {parent} 之外。",
                f"{label.en}: {how.en} of {child} lie outside its parent {parent}.",
            )

        told.rows(outside, "outside_parent", beyond, [size[child] for child, _ in outside["codes"]])

    tree = shapely.STRtree(metric.geometry.to_numpy())
    lookup = Lookup.build(frame.index, frame.geometry.to_numpy())
    named = frozenset(frame["parent_code"].dropna())
    for code, land in parents.geometry.items():
        # A parent without any child is told elsewhere, once; what spills over from next door does not divide it.
        if direct and code not in named:
            continue
        gaps = topology.find_gaps(
            metric.iloc[np.sort(tree.query(land, predicate="intersects"))], land, min_area_m2=limits.area_m2
        )
        lon, lat = _places(gaps)
        gaps = gaps[shapely.intersects_xy(above.geometry[code], lon, lat) & (lookup.home(lon, lat) < 0)]

        def missing(found: pd.Series, code: object = code) -> Text:
            how = _size(found["area_m2"])
            return Text(
                f"{above_label.zh} {code} 有 {how.zh} 不属于任何{label.zh}。",
                f"{above_label.en} {code}: {how.en} belong to no {label.en}.",
            )

        told.rows(gaps, "gap", missing, [land.area] * len(gaps), code=str(code))


def _real(store: "Store", kind_name: str, on: str) -> gpd.GeoDataFrame:
    """Areas of a kind that came as polygons; derived ones are no boundary to hold others against."""
    frame = area_set(store, kind_name, on).frame
    real = frame[~frame["derived"].astype(bool) & frame.geometry.notna()]
    real = real[real.geometry.geom_type.isin(["Polygon", "MultiPolygon"])][["geometry"]]
    return real.set_geometry(topology.sound(real.geometry.to_numpy()), crs=real.crs)


def _size(area_m2: float) -> Text:
    if area_m2 >= 100_000:
        return Text(f"{area_m2 / 1e6:,.2f} 平方公里", f"{area_m2 / 1e6:,.2f} km2")
    return Text(f"{area_m2:,.1f} 平方米", f"{area_m2:,.1f} m2")


def _without_shape(kind: Kind, frame: gpd.GeoDataFrame, notebook: Notebook) -> None:
    shapes = frame.geometry.to_numpy()
    lost = np.flatnonzero(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    notebook.rows(
        "no_location",
        "warning",
        lost,
        lambda at: Finding(
            Text(f"{kind.label.zh}没有位置，无法统计。", f"{kind.label.en}: no position, so nothing can be counted."),
            Text("请补充点位或范围。", "Add a point or an area."),
            severity="warning",
            code=str(frame.index[at]),
            kind="no_location",
        ),
    )


def _sharing(store: "Store", kind: Kind, frame: gpd.GeoDataFrame, on: str, notebook: Notebook) -> None:
    problem = area_set(store, kind.name, on).frame["problem"]
    problem = problem[~problem.index.duplicated()].reindex(frame.index.astype(str))
    places = points_of(frame)
    notebook.rows(
        "shared_point",
        "warning",
        np.flatnonzero((problem == SHARED_POINT).to_numpy()),
        lambda at: Finding(
            Text(
                f"{kind.label.zh}与其他单元同在一点，无法分开统计。",
                f"{kind.label.en}: it shares one point with another unit, so they cannot be told apart.",
            ),
            Text("请核对点位。", "Check the position."),
            severity="warning",
            code=str(frame.index[at]),
            kind="shared_point",
            **place(places[at]),
        ),
    )


def _invalid(kind: Kind, frame: gpd.GeoDataFrame, notebook: Notebook) -> None:
    shapes = frame.geometry.to_numpy()
    broken = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_valid(shapes)))
    if not len(broken):
        return
    reasons = shapely.is_valid_reason(shapes[broken])
    for at, reason in zip(broken, reasons, strict=True):
        found = _PLACE.search(reason)
        where = np.array([float(found[1]), float(found[2])]) if found else shapely.bounds(shapes[at])[:2]
        notebook.add(
            Finding(
                Text(f"{kind.label.zh}的边界自相交或不闭合。", f"{kind.label.en}: the border is not valid ({reason})."),
                _REDRAW,
                code=str(frame.index[at]),
                kind="invalid",
                **place(where),
            )
        )
