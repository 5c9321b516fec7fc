"""Where the areas a draft starts from do not fill their parent or overlap each other: told before anything is drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import shapely
from geopandas import GeoDataFrame

from geo import crs, topology
from geo.refusals import RefusedError
from geo.words import Text

from ..findings import Finding
from ..kinds import AREA_KINDS, KINDS
from ..places.areas import area_set
from ..places.check_limits import read_limits
from .redraw_ground import Ground, to_lonlat

if TYPE_CHECKING:
    from ..storage.store import Store


def outline_findings(store: "Store", land: Ground) -> list[Finding]:
    """Where the areas of a group and the outline of their parent differ by more than is tolerated."""
    kind = KINDS[land.level].parent_kind
    if kind not in AREA_KINDS or not land.shapes:
        return []
    above = area_set(store, kind, land.on).frame
    above = above[~above["derived"].astype(bool) & above.geometry.notna()]
    codes = sorted(land.shapes)
    frame = GeoDataFrame(
        {"parent_code": land.frame["parent_code"].reindex(codes).to_numpy(dtype=object)},
        index=codes,
        geometry=[land.shapes[code] for code in codes],
        crs=land.crs,
    )
    parents = above[above.index.isin(frame["parent_code"]) & above.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if not len(parents):
        return []
    outlines, parents = parents.geometry, parents[["geometry"]].to_crs(land.crs)
    limits, label = read_limits(store), KINDS[land.level].label
    own = to_lonlat(frame.geometry.to_numpy(), land.crs)
    found = []
    outside = topology.find_outside(frame, parents, min_area_m2=limits.area_m2)
    for piece, (code, parent), area_m2 in zip(outside.geometry, outside["codes"], outside["area_m2"], strict=True):
        lon, lat = _middle(piece, land)
        # A long border is one line when straight in degrees and another when straight in metres: what is wrong both
        # ways is wrong.
        if not shapely.intersects_xy(outlines[parent], lon, lat):
            what = Text(
                f"{code} 有 {area_m2:,.1f} 平方米在 {parent} 之外。",
                f"{area_m2:,.1f} m2 of {code} lie outside {parent}.",
            )
            found.append(_finding(what, code, "outside_parent", lon, lat))
    for parent, outline in parents.geometry.items():
        gaps = topology.find_gaps(frame[frame["parent_code"] == parent], outline, min_area_m2=limits.area_m2)
        for piece, area_m2 in zip(gaps.geometry, gaps["area_m2"], strict=True):
            lon, lat = _middle(piece, land)
            if shapely.intersects_xy(outlines[parent], lon, lat) and not shapely.intersects_xy(own, lon, lat).any():
                what = Text(
                    f"{parent} 有 {area_m2:,.1f} 平方米不属于任何{label.zh}。",
                    f"{area_m2:,.1f} m2 of {parent} belong to no {label.en}.",
                )
                found.append(_finding(what, str(parent), "gap", lon, lat))
    return found


def refused_findings(refusals: Sequence[RefusedError], metric: Any) -> list[Finding]:
    """Groups whose land is not divided cleanly, each with its place; `metric`: the system of their pieces."""
    found = []
    for error in refusals:
        place: dict[str, float] = {}
        if error.piece is not None and not error.piece.is_empty:
            at = shapely.point_on_surface(error.piece)
            lon, lat = crs.transform_xy(at.x, at.y, metric, crs.LONLAT)
            place = {"lon": float(lon), "lat": float(lat)}
        code = error.codes[0] if error.codes else ""
        found.append(Finding(error.what, error.mend, code=code, kind=error.reason, **place))  # type: ignore[arg-type]
    return found


def _middle(piece: shapely.Geometry, land: Ground) -> tuple[float, float]:
    at = shapely.point_on_surface(piece)
    lon, lat = crs.transform_xy(at.x, at.y, land.crs, crs.LONLAT)
    return float(lon), float(lat)


def _finding(what: Text, code: str, kind: str, lon: float, lat: float) -> Finding:
    mend = Text(
        "请在边界修整中处理；编辑时以网格的外缘为界。",
        "Mend it apart; while drawing, the grids' own outer border holds.",
    )
    return Finding(what, mend, severity="warning", code=code, kind=kind, lon=lon, lat=lat)
