"""Features of a layer for a map window, as GeoJSON.

For viewing: coordinates have six decimals (11 cm) unless full precision is asked for, and outlines may be simplified
to a tolerance, always all of the answer together so that shared borders stay shared.
"""

import json

import numpy as np
import shapely
from apiflask import APIBlueprint
from flask import Response
from geopandas import GeoDataFrame

from geo import thin
from geo.errors import LimitError
from geo.words import Text
from layers.kinds import KINDS

from . import current, etags, values
from .known import EXTRA, columns_of, require_kind, versions_needed
from .parameters import takes
from .parents import narrowed
from .shapes import DERIVED, comes_as_points, read_shapes

blueprint = APIBlueprint("features", __name__, tag="map")
DECIMALS, FULL_DECIMALS = 6, 9
_METRES, _TENS_OF_METRES = 5, 50


@blueprint.get("/features/<kind>")
@blueprint.doc(summary="Features of a layer inside a window, as GeoJSON")
@takes("bbox", "as_of", "where", "parent", "columns", "tolerance_m", "precision")
def features(kind: str, **asked: object) -> Response:
    """A FeatureCollection; `id` is the key code of an area, else the row's fid."""
    require_kind(kind)
    return etags.answer(versions_needed(kind), asked, lambda: _make(kind, **asked), "application/geo+json")


def _make(kind: str, *, bbox, as_of, where, parent, columns, tolerance_m, precision) -> str:
    limit = current.setting("FEATURES_MAX")
    day = as_of or current.today()
    names = columns_of(kind, columns)
    frame = read_shapes(
        kind,
        narrowed(parent, day),
        as_of=day,
        bbox=bbox,
        where=where,
        columns=[name for name in names if name not in EXTRA],
        limit=limit + 1,
    )
    if len(frame) > limit:
        raise LimitError(
            Text(f"此范围内的要素超过 {limit} 个。", f"More than {limit} features in this window."),
            where=kind,
            mend=Text("请放大地图，或加筛选条件。", "Zoom in or add a filter."),
        )
    names = (*names, DERIVED) if comes_as_points(kind) else names
    return feature_collection(frame, kind, names, tolerance_m=tolerance_m, full=precision == "full")


def feature_collection(
    frame: GeoDataFrame, kind: str, columns: tuple[str, ...], *, tolerance_m: float = 0.0, full: bool = False
) -> str:
    """The GeoJSON text of a layer's rows; rows without a position have null geometry."""
    shapes = frame.geometry.to_numpy()
    if tolerance_m > 0 and len(frame):
        shapes = thin.simplify_coverage(shapes, tolerance_m)
    if not full:
        shapes = rounded(shapes, decimals_for(tolerance_m))
    drawn = shapely.to_geojson(shapes)
    ids = _ids(frame, kind)
    parts = [
        f'{{"type":"Feature","id":{json.dumps(key, ensure_ascii=False)},"geometry":{shape or "null"},"properties":{json.dumps(row, ensure_ascii=False, separators=(",", ":"))}}}'
        for key, shape, row in zip(ids, drawn, values.rows(frame, columns), strict=True)
    ]
    return '{"type":"FeatureCollection","features":[' + ",".join(parts) + "]}"


def outlines(cells: GeoDataFrame) -> str:
    """The GeoJSON text of cells or areas with nothing but their ids, in lon/lat."""
    drawn = shapely.to_geojson(rounded(cells.geometry.to_numpy(), DECIMALS - 1))
    parts = [
        f'{{"type":"Feature","id":{json.dumps(values.plain(key), ensure_ascii=False)},"geometry":{shape or "null"},"properties":{{}}}}'
        for key, shape in zip(cells.index, drawn, strict=True)
    ]
    return '{"type":"FeatureCollection","features":[' + ",".join(parts) + "]}"


def differing(shapes: GeoDataFrame) -> str:
    """The GeoJSON text of areas that differ, with code, name, state and side, in lon/lat to nine decimals."""
    drawn = shapely.to_geojson(rounded(shapes.geometry.to_numpy(), FULL_DECIMALS))
    columns = shapes[["code", "name", "state", "side"]]
    parts = [
        f'{{"type":"Feature","id":{json.dumps(row["code"], ensure_ascii=False)},"geometry":{shape or "null"},"properties":{json.dumps(row, ensure_ascii=False)}}}'
        for row, shape in zip(values.full_rows(columns, columns.columns), drawn, strict=True)
    ]
    return '{"type":"FeatureCollection","features":[' + ",".join(parts) + "]}"


def decimals_for(tolerance_m: float) -> int:
    """Decimals of degrees that keep rounding well below what simplifying has taken away: 6, 5 (1 m) or 4 (11 m)."""
    return DECIMALS - (tolerance_m >= _METRES) - (tolerance_m >= _TENS_OF_METRES)


def rounded(shapes: np.ndarray, decimals: int = DECIMALS) -> np.ndarray:
    """Coordinates on so many decimals, point by point: equal corners of neighbours stay equal."""
    return shapely.transform(shapes, lambda xy: np.round(xy, decimals))


def _ids(frame: GeoDataFrame, kind: str) -> list[values.Scalar | None]:
    if kind in KINDS and KINDS[kind].is_area:
        return [values.plain(code) for code in frame.index]
    return values.column(frame["fid"])
