"""Vector tiles of a layer, made on request from shapes kept in memory by layer version.

Layers too large to keep are read by the tile's window instead. Points that fall on one pixel become one point with
their number, so that a tile of a whole city stays small.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from apiflask import APIBlueprint
from flask import Response, current_app
from geopandas import GeoDataFrame

from geo import mvt
from geo.errors import LimitError
from geo.tilegeom import EXTENT, TileShapes, require_tile, tile_degrees
from geo.words import Text
from layers.selection import frames

from . import current, description, etags, values
from .known import columns_of, require_kind, versions_needed
from .parameters import takes, whole
from .shapes import DERIVED, read_shapes

blueprint = APIBlueprint("tiles", __name__, tag="map")
MIMETYPE = "application/vnd.mapbox-vector-tile"
POINTS_APART = 4_000
"""Up to so many points a tile shows each of them."""
_PIXEL = EXTENT // 256
_LAYERS_KEPT = 4
_BIGGEST = 2**31


@dataclass(frozen=True, slots=True)
class TileLayer:
    """A layer ready to be cut: shapes, row ids and columns in one order."""

    shapes: TileShapes
    ids: np.ndarray
    columns: dict[str, list[Any]]


class TileLayers:
    """The last few layers that tiles were asked of, by everything their content depends on."""

    def __init__(self) -> None:
        self._layers: OrderedDict[Hashable, TileLayer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> TileLayer | None:
        """The kept layer, or None."""
        with self._lock:
            if key in self._layers:
                self._layers.move_to_end(key)
            return self._layers.get(key)

    def set(self, key: Hashable, layer: TileLayer) -> None:
        """Keep a layer; the one not asked of for longest is forgotten."""
        with self._lock:
            self._layers[key] = layer
            while len(self._layers) > _LAYERS_KEPT:
                self._layers.popitem(last=False)


@blueprint.get("/tiles/<kind>/<z>/<x>/<y>.mvt")
@blueprint.doc(summary="A vector tile of a layer", responses=description.sends(MIMETYPE, nothing=True))
@takes("as_of", "where", "columns")
def tile(kind: str, z: str, x: str, y: str, **asked: Any) -> Response:
    """The tile as Mapbox Vector Tile; 204 when nothing lies in it."""
    place = tuple(whole(name, -_BIGGEST, _BIGGEST)(given) for name, given in (("z", z), ("x", x), ("y", y)))
    require_tile(*place)
    require_kind(kind)
    return etags.answer(versions_needed(kind), asked, lambda: _make(kind, *place, **asked), MIMETYPE)


def _make(kind: str, z: int, x: int, y: int, *, as_of: Any, where: str | None, columns: Any) -> bytes:
    names = columns_of(kind, columns)
    layer = _layer(kind, (z, x, y), names, as_of or current.today(), where)
    rows, cut = layer.shapes.cut(z, x, y)
    if len(rows) > POINTS_APART and (shapely.get_type_id(cut) == 0).all():
        made = _merged(kind, layer, rows, cut)
    else:
        made = _encode(
            kind, cut, layer.ids[rows], {name: [column[row] for row in rows] for name, column in layer.columns.items()}
        )
    limit = current_app.config["TILE_MAX_BYTES"]
    if len(made) > limit:
        # Shapes and ids are what the map needs; the rest can be asked for by feature.
        made = _encode(kind, cut, layer.ids[rows], {})
    if len(made) > limit:
        raise LimitError(
            Text("此瓦片内容过多。", "There is too much in this tile."),
            where=kind,
            mend=Text("请放大地图。", "Zoom in."),
        )
    return made


def _encode(kind: str, cut: np.ndarray, ids: np.ndarray, columns: dict[str, list[Any]]) -> bytes:
    return mvt.encode(kind, cut, ids=ids, columns=columns)


def _merged(kind: str, layer: TileLayer, rows: np.ndarray, cut: np.ndarray) -> bytes:
    """One point per pixel with the number of points there; a lone one keeps its id and its values."""
    pixel = np.floor(shapely.get_coordinates(cut) / _PIXEL).astype(np.int64)
    _, first, count = np.unique(pixel, axis=0, return_index=True, return_counts=True)
    alone = count == 1
    columns = {
        name: [column[row] if single else None for row, single in zip(rows[first], alone, strict=True)]
        for name, column in layer.columns.items()
    }
    columns["point_count"] = count.tolist()
    return _encode(kind, cut[first], layer.ids[rows[first]], columns)


def _layer(kind: str, place: tuple[int, int, int], names: tuple[str, ...], as_of: Any, where: str | None) -> TileLayer:
    store, asks = current.store(), current.viewer()
    versions = tuple(sorted(store.versions(versions_needed(kind)).items()))
    key = (kind, names, str(as_of), where, asks.cache_key, versions)
    layers: TileLayers = current_app.extensions.setdefault("wangge_tile_layers", TileLayers())
    layer = layers.get(key)
    if layer is None:
        limit = current_app.config["TILE_LAYER_ROWS"]
        too_large = frames.count_layer(store, kind, asks, as_of=as_of) > limit
        bbox = tile_degrees(*place) if too_large else None
        frame = read_shapes(kind, asks, as_of=as_of, bbox=bbox, where=where, limit=limit + 1 if too_large else None)
        if len(frame) > limit:
            raise LimitError(
                Text("此瓦片内容过多。", "There is too much in this tile."),
                where=kind,
                mend=Text("请放大地图。", "Zoom in."),
            )
        layer = prepare(frame, names)
        if not too_large:
            layers.set(key, layer)
    return layer


def prepare(frame: GeoDataFrame, names: tuple[str, ...]) -> TileLayer:
    """A layer's rows, ready to be cut into tiles."""
    key = frame.index.name
    columns = {name: values.column(frame[name]) for name in (*names, DERIVED) if name in frame.columns}
    if key and key in names and key not in columns:
        columns[key] = [values.plain(code) for code in frame.index]
    return TileLayer(TileShapes.build(frame.geometry.to_numpy()), frame["fid"].to_numpy(), columns)
