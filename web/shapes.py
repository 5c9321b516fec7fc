"""The shapes a map draws: as stored, and for areas that came as points the ones derived for them."""

from datetime import date

import numpy as np
import shapely
from geopandas import GeoDataFrame

from layers.kinds import KINDS
from layers.places.areas import area_set
from layers.rights import Viewer
from layers.selection import frames

from . import current

Bbox = tuple[float, float, float, float]
DERIVED = "derived"


def comes_as_points(kind: str) -> bool:
    """Whether rows of the kind may be points that stand for areas."""
    return kind in KINDS and KINDS[kind].geometry == "area"


def read_shapes(
    kind: str,
    viewer: Viewer,
    *,
    as_of: date,
    bbox: Bbox | None = None,
    where: str | None = None,
    columns: list[str] | None = None,
    limit: int | None = None,
) -> GeoDataFrame:
    """Rows of a layer with the shapes to draw; for area kinds a column `derived` tells which shapes were made.

    A row whose area cannot be derived keeps its point. Whose window counts is the drawn shape.
    """
    store = current.store()
    if not comes_as_points(kind):
        return frames.read_layer(store, kind, viewer, as_of=as_of, bbox=bbox, where=where, columns=columns, limit=limit)
    frame = frames.read_layer(store, kind, viewer, as_of=as_of, where=where, columns=columns)
    shapes = np.array(frame.geometry.array, dtype=object)
    pointed = ~np.isin(shapely.get_type_id(shapes), (3, 6))
    derived = np.zeros(len(frame), dtype=bool)
    if pointed.any():
        # All areas at once, whatever the caller sees: a neighbour that is not seen still takes its land.
        areas = area_set(store, kind, as_of.isoformat()).frame
        found = areas[areas[DERIVED]].geometry.reindex(frame.index).array
        derived = pointed & ~shapely.is_missing(found)
        shapes[derived] = np.array(found, dtype=object)[derived]
    frame = frame.set_geometry(shapes, crs=frame.crs)
    frame[DERIVED] = derived
    if bbox is not None:
        box = shapely.bounds(shapes)
        west, south, east, north = bbox
        frame = frame[(box[:, 0] <= east) & (box[:, 2] >= west) & (box[:, 1] <= north) & (box[:, 3] >= south)]
    return frame if limit is None else frame.iloc[:limit]
