"""A made-up village of 8 by 5 square grids on the centimetre, and pieces along their borders that change hands.

Every piece is a small rectangle of its own, so operations on the same grids can be done in any order and each leaves
its mark: how much land a grid has says which operations it has seen.
"""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from squares import put

from geo import crs
from geo.centimetres import doubled_area
from layers.redrawing import redraw_session
from layers.redrawing.redraw_ground import to_lonlat
from layers.rights import OWNER
from layers.selection import frames
from layers.storage.store import Store

COUNTY, TOWN, VILLAGE = "990101000000", "990101001000", "990101001201"
CRS = "EPSG:4546"
COLUMNS, ROWS, SIDE_M, DEPTH_M, MARGIN_M = 8, 5, 400.0, 6.0, 10.0
_WEST, _SOUTH = 500_000.0, 3_060_000.0
PAIRS = [(row, column) for row in range(ROWS) for column in range(0, COLUMNS, 2)]
"""Row and western column of twenty pairs of neighbours that share no grid."""


def code(row: int, column: int) -> str:
    """Grid code by place."""
    return f"{VILLAGE}{row * COLUMNS + column + 1:03d}"


def square(row: int, column: int) -> shapely.Polygon:
    """The grid there, metric."""
    west, south = _WEST + column * SIDE_M, _SOUTH + row * SIDE_M
    return shapely.box(west, south, west + SIDE_M, south + SIDE_M)


def square_of(grid: str) -> shapely.Polygon:
    """The grid of a code as it was at the beginning, metric."""
    return square(*divmod(int(grid[-3:]) - 1, COLUMNS))


def fill(store: Store) -> Store:
    """County, township, village and forty grids of a hundred households."""
    places = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
    shapes = [square(*place) for place in places]
    whole = shapely.coverage_union_all(shapes)
    put(store, "county", _frame([whole], code=[COUNTY], name=["望川县"]))
    put(store, "township", _frame([whole], code=[TOWN], name=["南桥镇"], parent_code=[COUNTY]))
    put(store, "village", _frame([whole], code=[VILLAGE], name=["桥头村"], parent_code=[TOWN]))
    codes = [code(*place) for place in places]
    rows = _frame(shapes, grid_code=codes, name=codes, village_code=[VILLAGE] * len(codes), kind=["base"] * len(codes))
    rows["households"] = pd.array([100] * len(codes), dtype="Int64")
    put(store, "grid", rows)
    return store


def _frame(shapes: list[shapely.Geometry], **columns: Any) -> gpd.GeoDataFrame:
    named = {name: pd.Series(values) for name, values in columns.items()}
    return gpd.GeoDataFrame(named, geometry=list(to_lonlat(shapes, CRS)), crs=4490)


def piece(pair: tuple[int, int], number: int, of: int) -> shapely.Polygon:
    """Rectangle `number` of `of` along the border of a pair, on its western side, metric."""
    row, column = pair
    border, south = _WEST + (column + 1) * SIDE_M, _SOUTH + row * SIDE_M + MARGIN_M
    pitch = (SIDE_M - 2 * MARGIN_M) / of
    low = south + number * pitch
    return shapely.box(round(border - DEPTH_M, 2), round(low, 2), round(border, 2), round(low + 0.6 * pitch, 2))


def transfer(pair: tuple[int, int], number: int, of: int) -> dict[str, Any]:
    """The operation that gives the piece to the eastern grid."""
    shape = shapely.geometry.mapping(to_lonlat([piece(pair, number, of)], CRS)[0])
    row, column = pair
    given = {"type": "Polygon", "coordinates": [[list(place) for place in shape["coordinates"][0]]]}
    return {"op": "transfer", "from": code(row, column), "to": code(row, column + 1), "piece": given}


def require_whole(store: Store, draft: Any) -> None:
    """What the draft comes to divides the land of the beginning, exactly."""
    session = redraw_session.session(store, OWNER, draft)
    assert session.is_valid()
    assert session.area_change_of(session.steps) == 0
    assert len(session.steps) == len(draft.operations)


def require_layer_whole(store: Store, on: str) -> dict[str, shapely.Geometry]:
    """The grids of a day divide the village exactly; their metric shapes by code."""
    frame = frames.read_layer(store, "grid", OWNER, as_of=on)
    shapes = crs.round_centimetre(crs.transform_geometries(frame.geometry.to_numpy(), crs.LONLAT, CRS))
    assert shapely.coverage_is_valid(shapes)
    assert doubled_area(list(shapes)) == 2 * COLUMNS * ROWS * int(SIDE_M * 100) ** 2
    assert len(np.unique(frame.index)) == len(frame)
    return dict(zip(frame.index.astype(str), shapes, strict=True))
