"""Reading layers: the one way rows leave the store. Rights, area scope, day and filters hold here (`selecting.py`).

Frames are in EPSG:4490. Text columns are object with None, integers Int64, flags boolean, dates and moments
datetime64[us] without zone (moments as wall time of the place).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from sqlalchemy import func, select

from geo.errors import InputError
from geo.words import Text

from ..kinds import KINDS, Field
from ..rights import Viewer
from ..storage.arrays import collect, floats, integers, turn
from ..storage.geometry import from_point_blobs, from_stored
from ..storage.history import Moment, day, hidden_changes
from . import scopes
from .overview import CRS, list_layers, outline
from .scopes import Scope
from .selecting import Bbox, Source, Where, condition, source

if TYPE_CHECKING:
    from ..storage.store import Store

__all__ = [
    "CRS",
    "Bbox",
    "Points",
    "Scope",
    "Source",
    "Where",
    "condition",
    "count_layer",
    "list_layers",
    "outline",
    "read_layer",
    "read_page",
    "read_points",
    "scope",
    "source",
]


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a layer as arrays of one length: fid (int64), lon, lat (float64, NaN without position), columns."""

    fid: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    columns: dict[str, np.ndarray] = field(default_factory=dict)


def read_layer(
    store: "Store",
    kind: str,
    viewer: Viewer,
    *,
    as_of: date | str | None = None,
    bbox: Bbox | None = None,
    where: Where = None,
    columns: Sequence[str] | None = None,
    geometry: bool = True,
    limit: int | None = None,
    offset: int = 0,
    order: Sequence[str] | None = None,
    known_on: Moment = None,
) -> GeoDataFrame:
    """Rows of a layer that count on a day and that the viewer may see, in EPSG:4490.

    The index is the code for areas (named like the key column, which stays a column too), else fid; `fid` is always a
    column. `bbox` is west, south, east, north; `where` a filter text (see `filters`); `order` names columns, with a
    leading minus for descending (default: code, then fid). Kinds without geometry, and `geometry=False`, give a
    frame whose geometry column is all None. `reference:NAME` reads a reference layer with its own columns.
    `known_on`: a moment; rows as they were known then, so that an earlier report can be made again.
    """
    with store.read() as connection:
        place = source(connection, kind, viewer)
        chosen = _chosen(place, columns)
        with_geometry = geometry and place.spatial
        listed = [place.table.c.fid, *(place.table.c[name] for name in chosen)]
        if with_geometry:
            listed.append(place.table.c.geom)
        met = condition(store, connection, place, viewer, as_of=as_of, bbox=bbox, where=where, known_on=known_on)
        query = select(*listed).where(met)
        query = query.order_by(*_order(place, order)).offset(offset or None).limit(limit)
        makers: list[Any] = [integers, *(turn(place.fields[name], store.place_offset_h) for name in chosen)]
        parts = collect(connection, query, [*makers, from_stored] if with_geometry else makers)
    shapes = parts.pop() if with_geometry else np.full(len(parts[0]), None, dtype=object)
    data = {
        name: pd.Series(part, dtype=object if part.dtype == object else None)
        for name, part in zip(("fid", *chosen), parts, strict=True)
    }
    frame = GeoDataFrame(data, geometry=GeoSeries(shapes, crs=CRS))
    if place.key:
        frame.index = pd.Index(data[place.key], name=place.key, dtype=object)
    else:
        frame.index = pd.Index(parts[0], name="fid")
    if bbox is not None and with_geometry and limit is None:
        # The R*Tree keeps boxes rounded outward to float32, so rows a hair outside come with it.
        west, south, east, north = bbox
        box = shapely.bounds(frame.geometry.array)
        frame = frame[(box[:, 0] <= east) & (box[:, 2] >= west) & (box[:, 1] <= north) & (box[:, 3] >= south)]
    return frame


def _chosen(place: Source, columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return list(place.fields)
    unknown = [name for name in columns if name not in place.fields and name not in ("fid", "geometry")]
    if unknown:
        raise InputError(
            Text(f"没有这些字段：{'、'.join(unknown)}。", f"No such columns: {', '.join(unknown)}."), where=place.kind
        )
    names = [name for name in columns if name in place.fields]
    return [place.key, *names] if place.key and place.key not in names else names


def _order(place: Source, order: Sequence[str] | None) -> list[Any]:
    listed: list[Any] = []
    for name in order or ((place.key,) if place.key else ()):
        bare = name.removeprefix("-")
        if bare not in place.fields and bare != "fid":
            raise InputError(Text(f"没有字段“{bare}”。", f"There is no column '{bare}'."), where="order")
        target = place.table.c[bare]
        listed.append(target.desc() if name.startswith("-") else target.asc())
    return [*listed, place.table.c.fid]


def read_points(
    store: "Store",
    kind: str,
    viewer: Viewer,
    *,
    as_of: date | str | None = None,
    bbox: Bbox | None = None,
    where: Where = None,
    columns: Sequence[str] = (),
    known_on: Moment = None,
) -> Points:
    """Positions of a layer as arrays, without shapes: a million in about a second. Rows without position have NaN.

    Requested columns come as arrays: text object (None when missing), real and integer float64 (NaN), boolean float64,
    dates and moments datetime64[us]. Order is by fid.
    """
    with store.read() as connection:
        place = source(connection, kind, viewer)
        if not place.spatial:
            raise InputError(Text("该图层没有位置。", "This layer has no positions."), where=kind)
        chosen = [name for name in _chosen(place, columns) if name in columns]
        listed: list[Any] = [place.table.c.fid]
        if store.dialect == "gpkg":
            listed.append(place.table.c.geom)
        else:
            at = (
                func.ST_PointOnSurface(place.table.c.geom)
                if KINDS.get(kind) is None or KINDS[kind].geometry != "point"
                else place.table.c.geom
            )
            listed += [func.ST_X(at), func.ST_Y(at)]
        listed += [place.table.c[name] for name in chosen]
        met = condition(store, connection, place, viewer, as_of=as_of, bbox=bbox, where=where, known_on=known_on)
        query = select(*listed).where(met)
        makers: list[Callable[[Sequence[Any]], Any]] = [integers]
        makers += [_places] if store.dialect == "gpkg" else [floats, floats]
        makers += [_plain(place.fields[name], store.place_offset_h) for name in chosen]
        fid, *rest = collect(connection, query.order_by(place.table.c.fid), makers)
    if store.dialect == "gpkg":
        lon, lat = rest[0][:, 0], rest[0][:, 1]
        rest = rest[1:]
    else:
        lon, lat, *rest = rest
    return Points(fid, lon, lat, dict(zip(chosen, rest, strict=True)))


def _places(blobs: Sequence[bytes | None]) -> np.ndarray:
    return np.column_stack(from_point_blobs(blobs))


def _plain(field: Field, place_offset_h: int) -> Callable[[Sequence[Any]], np.ndarray]:
    return floats if field.dtype in ("integer", "boolean") else turn(field, place_offset_h)


def read_page(
    store: "Store",
    kind: str,
    viewer: Viewer,
    *,
    limit: int = 50,
    offset: int = 0,
    **options: Any,
) -> tuple[GeoDataFrame, int]:
    """One page of a table without geometry, and how many rows there are in all. Options as `read_layer`."""
    where = {name: options[name] for name in ("as_of", "bbox", "where", "known_on") if name in options}
    total = count_layer(store, kind, viewer, **where)
    return read_layer(store, kind, viewer, limit=limit, offset=offset, geometry=False, **options), total


def count_layer(
    store: "Store",
    kind: str,
    viewer: Viewer,
    *,
    as_of: date | str | None = None,
    bbox: Bbox | None = None,
    where: Where = None,
    known_on: Moment = None,
) -> int:
    """How many rows `read_layer` would give."""
    with store.read() as connection:
        place = source(connection, kind, viewer)
        met = condition(store, connection, place, viewer, as_of=as_of, bbox=bbox, where=where, known_on=known_on)
        return connection.scalar(select(func.count()).select_from(place.table).where(met)) or 0


def scope(store: "Store", viewer: Viewer, as_of: date | str | None = None) -> Scope:
    """The areas a viewer is limited to, resolved through the hierarchy; `everywhere` when there is no limit."""
    if not viewer.areas:
        return Scope(everywhere=True)
    with store.read() as connection:
        return scopes.resolve(connection, viewer.areas, store.codes, hidden_changes(connection), day(as_of))
