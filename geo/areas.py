"""Areas for villages that are known as points only: the land divided among them by nearness.

Modelling decisions:

- Derived areas are a stand-in, not a boundary: every place goes to the nearest known village point (Voronoi), within
  the county outline or, when given, within the area of the parent. They are marked `derived` wherever they appear.
- The division is exact on the 1 cm grid of the zone: every vertex of the outline stays where it is, new vertices come
  only where two cells meet on it, and all linework is noded once, together, so there is no gap and no overlap.
- Villages at one position (to the centimetre) cannot be told apart: the cell goes to the lowest code and names the
  others in `shared_with`; the others get no area.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from . import crs
from .errors import GeometryError
from .lookup import Lookup
from .words import Text


@dataclass(frozen=True, slots=True)
class _Site:
    """One position with the rows (numbers in the input) that share it; the first row owns the cell."""

    parent: int
    x: float
    y: float
    rows: tuple[int, ...]


def derive_areas(
    points: gpd.GeoDataFrame,
    outline: shapely.Geometry,
    *,
    within: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    parent_column: str = "parent_code",
) -> gpd.GeoDataFrame:
    """Divide the land among village points.

    Parameters
    ----------
    points
        Points indexed by code, in lon/lat or in a metric system; null and empty geometries are allowed and get no area.
    outline
        The land to divide: polygon or multipolygon in the system of `points`.
    within
        Areas of the parents (townships) in the same system, indexed by code. Each parent's land then goes to its own
        villages only, by `parent_column` of `points`, or by position where that names no known parent. A parent
        without a located village stays undivided. `outline` then only chooses the metric zone.

    Returns
    -------
    areas
        Index and system of `points`; `geometry` on the 1 cm grid (as lon/lat with 9 decimals), null where there is
        none to give; `derived`, true where there is a geometry; `shared_with`, the codes at the same position joined
        with commas (for a row without area: the code that owns the cell).

    Raises
    ------
    GeometryError
        When the outline is a point or a line, or a row is not a point. Without any land there is no area, no error.
    CrsError
        When the points are in a system that is neither lon/lat nor metric.
    """
    shapes = points.geometry.to_numpy()
    located = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    _require(outline is not None and (outline.is_empty or shapely.get_type_id(outline) in (3, 6, 7)), "outline")
    outline = _areal(np.array([outline], dtype=object))[0]
    _require(bool((shapely.get_type_id(shapes[located]) == 0).all()), "points")
    if points.crs is not None and crs.is_lonlat(points.crs):
        zone = crs.metric_crs(points.total_bounds if outline.is_empty else outline.bounds)
    else:
        crs.require_metric(points, "derive_areas")
        zone = points.crs
    lands = pd.Series([outline], index=[""], dtype=object)
    if within is not None:
        lands = pd.Series(within.geometry.to_numpy(), index=within.index.astype(str), dtype=object)
        lands = lands[~(shapely.is_missing(lands.to_numpy()) | shapely.is_empty(lands.to_numpy()))]
    lands[:] = crs.round_centimetre(crs.transform_geometries(_areal(lands.to_numpy()), points.crs, zone))
    sites = _sites(points, located, lands, parent_column, zone)

    metric = np.full(len(points), None, dtype=object)
    shared = np.full(len(points), "", dtype=object)
    codes = points.index.astype(str).to_numpy(dtype=object)
    for site, cell in zip(sites, _cells(sites, lands), strict=True):
        owner, *others = site.rows
        metric[owner] = cell
        shared[owner] = ",".join(codes[others])
        shared[others] = codes[owner]
    geometry = crs.transform_geometries(metric, zone, points.crs)
    geometry = shapely.transform(geometry, lambda xy: np.round(xy, 9 if zone is not points.crs else 2))
    return gpd.GeoDataFrame(
        {"derived": ~shapely.is_missing(geometry), "shared_with": shared},
        geometry=geometry,
        index=points.index,
        crs=points.crs,
    )


def _require(fits: bool, where: str) -> None:
    if not fits:
        raise GeometryError(
            Text(
                "推导村域需要一个面状县界和村的点位。",
                "Deriving areas takes a polygon to divide and points to divide it among.",
            ),
            where=f"derive_areas: {where}",
            mend=Text("请检查图层的几何类型。", "Check the geometry types of the layers."),
        )


def _areal(shapes: np.ndarray) -> np.ndarray:
    """The polygons in each shape: what an overlay of lands left of points and lines has no area to give."""
    shapes = shapes.copy()
    for row in np.flatnonzero(shapely.get_type_id(shapes) == 7):
        parts = shapely.get_parts(shapely.get_parts(shapes[row]))
        shapes[row] = shapely.MultiPolygon(list(parts[shapely.get_type_id(parts) == 3]))
    return shapes


def _sites(
    points: gpd.GeoDataFrame, located: np.ndarray, lands: pd.Series, parent_column: str, zone: object
) -> list[_Site]:
    rows = np.flatnonzero(located)
    shapes = points.geometry.to_numpy()[rows]
    x, y = crs.transform_xy(shapely.get_x(shapes), shapely.get_y(shapes), points.crs, zone)
    x, y = np.round(x, 2), np.round(y, 2)
    if list(lands.index) == [""]:
        parent = np.zeros(len(rows), dtype=np.int64)
    else:
        named = (
            points[parent_column].iloc[rows]
            if parent_column in points
            else pd.Series(None, index=points.index[rows], dtype=object)
        )
        parent = lands.index.get_indexer(pd.Index(named.astype(str)))
        lookup = Lookup.build(lands.index, lands.to_numpy())
        by_position = lookup.home(x, y)
        found = by_position >= 0
        by_position[found] = lands.index.get_indexer(pd.Index(lookup.codes[by_position[found]]))
        parent = np.where(parent >= 0, parent, by_position)
    frame = pd.DataFrame({"parent": parent, "x": x, "y": y, "row": rows, "code": points.index.astype(str)[rows]})
    frame = frame[frame["parent"] >= 0].sort_values("code", kind="stable")
    groups = frame.groupby(["parent", "x", "y"], sort=True)["row"]
    return [_Site(int(p), float(at_x), float(at_y), tuple(group)) for (p, at_x, at_y), group in groups]


def _cells(sites: list[_Site], lands: pd.Series) -> list[shapely.Geometry | None]:
    """One cell per site, metric, or None when no land is nearest to it."""
    if not sites:
        return []
    parents = np.array([site.parent for site in sites])
    places = np.array([(site.x, site.y) for site in sites])
    used = np.unique(parents)
    lines = [shapely.boundary(lands.iloc[parent]) for parent in used]
    for parent in used:
        own = places[parents == parent]
        if len(own) > 1:
            edges = shapely.voronoi_polygons(
                shapely.multipoints(own), extend_to=shapely.box(*lands.iloc[parent].bounds), only_edges=True
            )
            lines.append(shapely.intersection(edges, lands.iloc[parent]))
    # One noding of everything: a vertex put on a border shared by two parents is put there for both.
    noded = shapely.union_all(lines, grid_size=crs.CENTIMETRE)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    if not len(faces):
        return [None] * len(sites)
    inner = shapely.point_on_surface(faces)
    inner_x, inner_y = shapely.get_x(inner), shapely.get_y(inner)
    keys = [f"{parent:08d}" for parent in used]
    home = Lookup.build(keys, [lands.iloc[parent] for parent in used]).home(inner_x, inner_y)
    site_of_face = np.full(len(faces), -1)
    for number, parent in enumerate(used):
        mine, own = home == number, np.flatnonzero(parents == parent)
        if mine.any():
            _, nearest = KDTree(places[own]).query(np.column_stack([inner_x[mine], inner_y[mine]]))
            site_of_face[mine] = own[nearest]
    order = np.argsort(site_of_face, kind="stable")
    begins = np.searchsorted(site_of_face[order], np.arange(len(sites) + 1))
    pieces = [faces[order[begins[site] : begins[site + 1]]] for site in range(len(sites))]
    return [shapely.coverage_union_all(part) if len(part) else None for part in pieces]
