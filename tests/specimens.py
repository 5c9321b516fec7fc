"""Shapes that go wrong elsewhere, one of each: null, empty, multipart, hole, sliver, corner touch, overlap.

All in plain planar units around the origin unless the name says lon/lat; places and names are made up.
"""

import numpy as np
import shapely
from geopandas import GeoDataFrame
from shapely import MultiPolygon, Point, Polygon, box

SQUARE = box(0, 0, 10, 10)
NEIGHBOUR = box(10, 0, 20, 10)  # shares the whole edge x = 10 with SQUARE
CORNER = box(10, 10, 20, 20)  # touches SQUARE in the one point (10, 10)
OVERLAP = box(5, 5, 15, 15)
RING = Polygon(box(0, 0, 10, 10).exterior.coords, [box(3, 3, 7, 7).exterior.coords])
TWO_PARTS = MultiPolygon([box(0, 0, 4, 4), box(6, 6, 10, 10)])
ISLAND_IN_HOLE = MultiPolygon([RING, box(4, 4, 6, 6)])
SLIVER = Polygon([(0, 0), (1000, 0), (1000, 0.004), (0, 0.004)])
BOW_TIE = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
EMPTY = Polygon()
NULL = None

NAMES_OUTSIDE_GBK = ("㙍头村", "𠅤坪村", "鿍湾社区")
NAMES_AS_ATTACKS = ("<img src=x onerror=alert(1)>", '=HYPERLINK("http://a")', "../../etc/passwd", "村" * 20_000)

COUNTY_LONLAT = Polygon(
    [
        (110.02, 28.90),
        (110.31, 28.84),
        (110.58, 28.97),
        (110.63, 29.21),
        (110.41, 29.36),
        (110.13, 29.29),
        (109.98, 29.08),
    ]
)
"""Outline of the made-up 望川县: some 60 km across, in the 3-degree zone of 111 E (EPSG:4546)."""


def voronoi(count: int, *, seed: int, outline: Polygon | None = None) -> np.ndarray:
    """`count` or fewer polygons that divide `outline` (a 100 x 100 square by default) without gap or overlap."""
    outline = outline or box(0, 0, 100, 100)
    west, south, east, north = outline.bounds
    rng = np.random.default_rng(seed)
    points = rng.uniform([west, south], [east, north], (count, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=outline))
    cut = shapely.get_parts(shapely.intersection(cells, outline))
    return cut[(shapely.get_type_id(cut) == 3) & (shapely.area(cut) > 0)]


def villages_lonlat(count: int = 12, *, seed: int = 7) -> GeoDataFrame:
    """Village polygons dividing `COUNTY_LONLAT`, indexed by made-up 12-digit codes."""
    shapes = voronoi(count, seed=seed, outline=COUNTY_LONLAT)
    codes = [f"4399{index // 90 + 1:02d}101{200 + index % 90:03d}" for index in range(len(shapes))]
    return GeoDataFrame(
        {"name": [f"望川{index}村" for index in range(len(shapes))]}, geometry=shapes, index=codes, crs=4490
    )


def points_inside(outline: Polygon, count: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` positions spread evenly inside `outline`."""
    rng = np.random.default_rng(seed)
    west, south, east, north = outline.bounds
    x, y = np.empty(0), np.empty(0)
    while len(x) < count:
        more_x, more_y = rng.uniform(west, east, 2 * count), rng.uniform(south, north, 2 * count)
        inside = shapely.contains_xy(outline, more_x, more_y)
        x, y = np.concatenate([x, more_x[inside]]), np.concatenate([y, more_y[inside]])
    return x[:count], y[:count]


STACKED = [Point(1, 1), Point(1, 1), Point(1, 1), Point(2, 2)]
