"""Less to draw: borders with fewer vertices that still fit together, and points gathered into hexagons.

For drawing only. Figures are never computed from thinned shapes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from . import crs as systems
from .cells import _hex_at

_DEGREE_M = 111_195.0  # metres per degree of latitude on the mean sphere
_POLYGONAL = (3, 6)


def simplify_coverage(geometries: Any, tolerance_m: float, *, crs: Any = systems.LONLAT) -> np.ndarray:
    """Shapes with detail below about `tolerance_m` left out, neighbours' borders thinned alike.

    Parameters
    ----------
    geometries
        Shapes of one layer. Polygons that share borders are simplified together (Visvalingam-Whyatt on shared
        edges), so no gap opens; every polygon keeps at least a triangle. Lines are simplified one by one, points
        and nulls pass through.
    tolerance_m
        Square root of the triangle area below which a corner goes, metres.
    crs
        The system of the shapes: lon/lat (thinned as if flat, good to draw) or a metric one.

    Returns
    -------
    shapes
        In the order given; vertices are among those that were there.
    """
    shapes = shapely.force_2d(np.asarray(geometries, dtype=object)).copy()
    if tolerance_m <= 0:
        return shapes
    kinds = shapely.get_type_id(shapes)
    lonlat = systems.is_lonlat(crs)
    present = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    areal, linear = np.isin(kinds, _POLYGONAL) & present, np.isin(kinds, (1, 5)) & present
    if not (areal | linear).any():
        return shapes
    per_unit = np.array([1.0, 1.0])
    if lonlat:
        box = shapely.total_bounds(shapes[areal | linear])
        per_unit = np.array([np.cos(np.radians((box[1] + box[3]) / 2)) * _DEGREE_M, _DEGREE_M])
    flat = shapely.transform(shapes, lambda xy: xy * per_unit)
    flat[areal] = shapely.coverage_simplify(flat[areal], tolerance_m)
    flat[linear] = shapely.simplify(flat[linear], tolerance_m)
    done = areal | linear
    decimals = 9 if lonlat else 4  # scaling there and back leaves dust in the last digits
    shapes[done] = shapely.transform(flat[done], lambda xy: np.round(xy / per_unit, decimals))
    return shapes


@dataclass(frozen=True, slots=True)
class Gathered:
    """Points counted per hexagon: centre (mean of the hexagon, not of its points) and count, one row per hexagon."""

    x: np.ndarray
    y: np.ndarray
    count: np.ndarray  # int64; sums to the number of points with a position
    size_m: float


def gather_points(x: Any, y: Any, *, size_m: float, weight: Any = None) -> Gathered:
    """Points (metric) counted in hexagons `size_m` wide, for a map too full to show each.

    The lattice is fixed, so the same point falls in the same hexagon whatever else is shown. `weight` counts a point
    several times (cameras at a site). NaN positions are left out.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    weights = np.ones(len(x), dtype=np.int64) if weight is None else np.asarray(weight, dtype=np.int64)
    column, row = _hex_at(x[known], y[known], size_m)
    places, home = np.unique(np.column_stack([column, row]), axis=0, return_inverse=True)
    count = np.bincount(home.ravel(), weights=weights[known], minlength=len(places)).astype(np.int64)
    return Gathered((places[:, 0] + places[:, 1] / 2) * size_m, places[:, 1] * size_m * np.sqrt(0.75), count, size_m)
