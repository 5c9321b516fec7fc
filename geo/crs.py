"""Coordinate systems: kept in CGCS2000 lon/lat, measured in a local metric system.

Modelling decisions:

- Kept coordinates are EPSG:4490 with x = longitude, y = latitude. WGS 84 (EPSG:4326) counts as the same system: the
  two differ by centimetres, less than any input is good for, so no shift is ever applied between them.
- Measured in the CGCS2000 3-degree Gauss-Kruger zone around the centre of the data (EPSG:4534..4554). Elsewhere on
  the globe the UTM zone takes its place. A layer wider than one zone gets an equal-area projection of its own.
- Areas that must fit together live on the 1 cm grid of their zone; `snap_centimetre` puts them there.
"""

from functools import lru_cache
from math import floor
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as UnknownCrs

from .errors import CrsError
from .words import Text

LONLAT = "EPSG:4490"
CENTIMETRE = 0.01
ZONE_WIDTH_DEG = 3.0
_SAME_AS_LONLAT = frozenset({4490, 4326})
_WEB_MERCATOR = frozenset({3857, 3395, 3785, 900913})


def zone_epsg(lon: float, lat: float) -> int:
    """EPSG number of the metric zone around a place.

    73-136 degrees east, north of the equator: CGCS2000 3-degree Gauss-Kruger by central meridian, 4534 (75E) to 4554
    (135E), coordinates without zone number. Everywhere else: WGS 84 / UTM, 32601-32660 north, 32701-32760 south.

    Notes
    -----
    CGCS2000 zones: GB/T 17798 numbering, central meridian = 3 * floor((lon + 1.5) / 3).
    """
    if not (np.isfinite(lon) and np.isfinite(lat)):
        raise CrsError(
            Text("没有坐标，无法确定投影带。", "Without coordinates no projection zone can be chosen."),
            where="zone_epsg",
            mend=Text("请先检查图层是否有位置。", "Check that the layer has positions."),
        )
    if 73.0 <= lon <= 136.0 and lat >= 0.0:
        meridian = min(max(3 * floor((lon + 1.5) / 3), 75), 135)
        return 4534 + (meridian - 75) // 3
    zone = int((lon + 180.0) // 6) % 60 + 1
    return (32600 if lat >= 0 else 32700) + zone


def metric_crs(bounds: tuple[float, float, float, float] | np.ndarray) -> CRS:
    """The system to measure in for data within `bounds` (west, south, east, north in degrees).

    Up to three degrees wide: the zone of the centre. Wider: an Albers equal-area projection fitted to the bounds, so
    that areas stay true (lengths are then good to about one per cent only).
    """
    west, south, east, north = (float(value) for value in bounds)
    zone = zone_epsg((west + east) / 2, (south + north) / 2)
    if east - west <= ZONE_WIDTH_DEG:
        return CRS.from_epsg(zone)
    # Standard parallels a sixth in from either end keep the scale error evenly spread (Deetz and Adams, 1934).
    first, second = south + (north - south) / 6, north - (north - south) / 6
    if abs(first + second) < 0.1:  # a layer astride the equator: a cone would degenerate
        return CRS.from_proj4(f"+proj=cea +lon_0={(west + east) / 2:.4f} +lat_ts={first:.4f} +ellps=GRS80 +units=m")
    return CRS.from_proj4(
        f"+proj=aea +lat_1={first:.4f} +lat_2={second:.4f} +lat_0={(south + north) / 2:.4f} "
        f"+lon_0={(west + east) / 2:.4f} +ellps=GRS80 +units=m"
    )


def read_crs(value: Any, where: str = "") -> CRS:
    """A `CRS` from anything that names one; `CrsError` when nothing does."""
    try:
        return CRS.from_user_input(value)
    except UnknownCrs:
        shown = str(value)[:60]
        raise CrsError(
            Text(f"无法识别坐标系“{shown}”。", f"'{shown}' is not a known coordinate system."),
            where=where,
            mend=Text("请写成 EPSG:编号，例如 EPSG:4490。", "Write it as EPSG:number, for example EPSG:4490."),
        ) from None


def is_lonlat(crs: Any) -> bool:
    """Whether `crs` is the kept system (CGCS2000 or WGS 84 lon/lat)."""
    if isinstance(crs, str) and crs.upper() in ("EPSG:4490", "EPSG:4326", "OGC:CRS84"):
        return True
    found = read_crs(crs)
    return found.is_geographic and (found.to_epsg() in _SAME_AS_LONLAT or "CRS84" in found.srs)


def require_metric(frame: GeoDataFrame | GeoSeries, where: str) -> None:
    """Raise `CrsError` unless `frame` is in a projected system in metres that can be measured in."""
    crs = frame.crs
    mend = Text("请先用 geo.crs.to_metric 转换。", "Call geo.crs.to_metric first.")
    if crs is None:
        raise CrsError(Text("图层没有坐标系。", "The layer has no coordinate system."), where=where, mend=mend)
    if not crs.is_projected or any(axis.unit_name != "metre" for axis in crs.axis_info[:2]):
        raise CrsError(
            Text(
                f"图层须为以米为单位的投影坐标系，而不是 {crs.name}。",
                f"The layer must be in a metric coordinate system, not {crs.name}.",
            ),
            where=where,
            mend=mend,
        )
    if crs.to_epsg() in _WEB_MERCATOR:
        raise CrsError(
            Text("Web 墨卡托会放大面积，不能用于量算。", "Web Mercator enlarges areas; it is not for measuring."),
            where=where,
            mend=mend,
        )


def to_metric(frame: GeoDataFrame, crs: Any = None) -> GeoDataFrame:
    """`frame` in the system to measure in: `crs`, or the one that `metric_crs` picks for its extent.

    A frame without any coordinates is given zone 105E, where it has no coordinates either.
    """
    lonlat = to_lonlat(frame)
    if crs is None:
        bounds = lonlat.total_bounds
        crs = metric_crs(bounds) if np.isfinite(bounds).all() else CRS.from_epsg(4544)
    return lonlat.to_crs(crs)


def to_lonlat(frame: GeoDataFrame) -> GeoDataFrame:
    """`frame` in the kept system (EPSG:4490); `CrsError` when it does not say what system it is in."""
    if frame.crs is None:
        raise CrsError(
            Text("图层没有坐标系。", "The layer has no coordinate system."),
            where="to_lonlat",
            mend=Text("请指定坐标系，例如 EPSG:4490。", "State one, for example EPSG:4490."),
        )
    if is_lonlat(frame.crs):
        return frame.set_crs(LONLAT, allow_override=True)
    return frame.to_crs(LONLAT)


def _name(crs: Any) -> str:
    """A hashable name for a system; the lon/lat twins share one, so that nothing is shifted between them."""
    return _named(crs if isinstance(crs, str) else read_crs(crs).srs)


@lru_cache(maxsize=64)
def _named(srs: str) -> str:
    if is_lonlat(srs):
        return LONLAT
    found = read_crs(srs)
    epsg = found.to_epsg()
    return f"EPSG:{epsg}" if epsg else found.to_wkt()


@lru_cache(maxsize=64)
def _transformer(src: str, dst: str) -> Transformer:
    return Transformer.from_crs(src, dst, always_xy=True)


def transform_xy(x: Any, y: Any, src: Any, dst: Any) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from one system to another, x = easting or longitude, y = northing or latitude in both.

    Shapes follow the input. What cannot be projected, and NaN, comes back as infinity and NaN respectively.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    source, target = _name(src), _name(dst)
    if source == target:
        return x.copy(), y.copy()
    out_x, out_y = _transformer(source, target).transform(x, y)
    return np.asarray(out_x), np.asarray(out_y)


def transform_geometries(geometries: Any, src: Any, dst: Any) -> np.ndarray:
    """An array of shapes from one system to another, heights dropped, nulls kept."""
    flat = shapely.force_2d(np.asarray(geometries, dtype=object))
    coordinates = shapely.get_coordinates(flat)
    x, y = transform_xy(coordinates[:, 0], coordinates[:, 1], src, dst)
    return shapely.set_coordinates(flat.copy(), np.column_stack([x, y]))


def snap_centimetre(geometries: Any, crs: Any) -> np.ndarray:
    """Lon/lat shapes with every vertex moved to the 1 cm grid of the metric system `crs`, as lon/lat again.

    Vertices are rounded one by one, so a vertex shared by two areas stays shared. The lon/lat given back (9 decimals,
    0.1 mm) returns to the same centimetre whenever it is projected again, and snapping twice changes nothing. A valid
    polygon that rounding would make invalid (a neck or sliver under a centimetre) is rebuilt by `set_precision`: it
    may lose that sliver or fall into parts; one thinner than the grid becomes an empty polygon. Shapes that were
    invalid before are rounded only.
    """
    metric = transform_geometries(geometries, LONLAT, crs)
    lonlat = transform_geometries(round_centimetre(metric), crs, LONLAT)
    return shapely.transform(lonlat, lambda coordinates: np.round(coordinates, 9))


def round_centimetre(metric: Any) -> np.ndarray:
    """Metric shapes with every vertex rounded to the 1 cm grid; see `snap_centimetre` for what becomes of slivers."""
    source = np.asarray(metric, dtype=object)
    rounded = shapely.remove_repeated_points(_rounded(source))
    spoilt = shapely.is_valid(source) & ~shapely.is_valid(rounded)
    if spoilt.any():
        rounded[spoilt] = _rounded(shapely.set_precision(source[spoilt], CENTIMETRE))
    return rounded


def _rounded(metric: np.ndarray) -> np.ndarray:
    return shapely.transform(metric, lambda coordinates: np.round(coordinates, 2))
