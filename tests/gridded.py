"""Grids in the villages of `squares`, on the centimetre grid, and drawing operations on them.

V1: 003 004    V2: 001 002    V3 has none
    001 002
"""

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from squares import SIDE, V1, V2, at, fill, frame, put, square

from geo import crs
from layers.storage.store import Store

ZONE = 4546
A, B, C, D = (f"{V1}00{number}" for number in range(1, 5))
E, F = f"{V2}001", f"{V2}002"
HOUSEHOLDS = {A: 100, B: 201, C: 300, D: None, E: 50, F: 60}


def dense(shapes: Iterable[shapely.Geometry]) -> np.ndarray:
    """Shapes with a vertex every twentieth of a village side: where a new border may end on the outline."""
    return shapely.segmentize(np.array(list(shapes), dtype=object), SIDE / 19.9)


def snapped(shapes: Iterable[shapely.Geometry]) -> np.ndarray:
    """Lon/lat shapes with many vertices on the centimetre grid."""
    return crs.snap_centimetre(dense(shapes), ZONE)


def grids() -> gpd.GeoDataFrame:
    """Six grids in two villages."""
    shapes = [square(x / 2, y / 2, 0.5, 0.5) for y in (0, 1) for x in (0, 1)]
    shapes += [square(1, 0, 0.5, 1), square(1.5, 0, 0.5, 1)]
    return frame(
        list(snapped(shapes)),
        grid_code=list(HOUSEHOLDS),
        name=[f"第{number}网格" for number in range(1, 7)],
        village_code=[V1] * 4 + [V2] * 2,
        kind=["base"] * 6,
        households=pd.array(list(HOUSEHOLDS.values()), dtype="Int64"),
        population=pd.array([300, 600, 900, 10, 150, 180], dtype="Int64"),
        workers_full=pd.array([1, 1, 1, 1, 1, 0], dtype="Int64"),
    )


def with_grids(store: Store) -> Store:
    """County, townships, villages, cameras and grids."""
    fill(store)
    put(store, "grid", grids())
    return store


def line(*places: tuple[float, float]) -> dict[str, Any]:
    """A GeoJSON line in units of village sides."""
    return {"type": "LineString", "coordinates": [list(at(*place).coords[0]) for place in places]}


def box(column: float, row: float, width: float, height: float) -> dict[str, Any]:
    """A GeoJSON box in the same units."""
    ring = shapely.get_coordinates(square(column, row, width, height).exterior)
    return {"type": "Polygon", "coordinates": [ring.tolist()]}


SPLIT = {"op": "split", "grid": A, "line": line((0.25, -0.01), (0.25, 0.51))}
PUSH = {"op": "push", "grid": A, "line": line((0.5, 0.1), (0.6, 0.25), (0.5, 0.4))}
TRANSFER = {"op": "transfer", "from": B, "to": A, "piece": box(0.49, 0.1, 0.1, 0.2)}
MERGE = {"op": "merge", "grids": [C, D], "into": C}
CARVE = {"op": "carve", "ring": box(0.4, 0.4, 0.2, 0.2), "kind": "dedicated", "name": "县一中"}
"""One operation of each sort, each possible on the grids as they are."""
