"""Reading layers: the one way rows leave the store. Rights, area scope, day and filters are applied here.

Frames are in EPSG:4490. Text columns are object with None, integers Int64, flags boolean, dates and moments
datetime64[us] without zone (moments as wall time of the place).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from geo.errors import InputError, NotFoundError
from geo.words import Text

from . import filters, references, rights, rtree, schema, scopes
from .geometry import SRID, from_point_blobs, from_stored
from .history import counted, day, hidden_changes
from .kinds import AREA_KINDS, KINDS, Field
from .rights import Viewer
from .scopes import Scope

if TYPE_CHECKING:
    from .store import Store

CRS = f"EPSG:{SRID}"
Bbox = tuple[float, float, float, float]
Where = str | ColumnElement | None


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a layer as arrays of one length: fid (int64), lon, lat (float64, NaN without position), columns."""

    fid: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    columns: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """What a read takes from: table, fields in display order, geometry or not, and the index column ("" = fid)."""

    kind: str
    table: Table
    fields: dict[str, Field]
    spatial: bool
    key: str = ""


def source(connection: Connection, kind: str, viewer: Viewer) -> Source:
    """The table behind a kind, with the columns the viewer may see; NotFoundError, RightsError."""
    if kind.startswith("reference:"):
        return Source(kind, *references.table_of(connection, kind))
    if kind not in KINDS:
        raise NotFoundError(Text(f"没有图层“{kind[:40]}”。", f"There is no layer '{kind[:40]}'."), where="kind")
    allowed = rights.require(kind, viewer)
    fields = {f.name: f for f in schema.own_fields(KINDS[kind])}
    if allowed.columns is not None:
        fields = {name: f for name, f in fields.items() if name in allowed.columns}
    spatial = KINDS[kind].geometry != "none" and allowed.geometry
    key = KINDS[kind].key if kind in AREA_KINDS else ""
    return Source(kind, schema.ROWS[kind], fields, spatial, key)


def _window(connection: Connection, source: Source, bbox: Bbox) -> ColumnElement[bool]:
    west, south, east, north = bbox
    if not all(np.isfinite(bbox)) or west > east or south > north:
        raise InputError(
            Text("地图窗口不正确。", "The window is not right."),
            where="bbox",
            mend=Text("应为 西,南,东,北。", "Give west,south,east,north."),
        )
    table = source.table
    if connection.dialect.name == "postgresql":
        return table.c.geom.op("&&")(func.ST_MakeEnvelope(west, south, east, north, SRID))
    tree = sql_table(f"rtree_{table.name}_geom", *(sql_column(name) for name in ("id", "minx", "maxx", "miny", "maxy")))
    return table.c.fid.in_(
        select(tree.c.id).where(tree.c.minx <= east, tree.c.maxx >= west, tree.c.miny <= north, tree.c.maxy >= south)
    )


def condition(
    store: "Store",
    connection: Connection,
    source: Source,
    viewer: Viewer,
    *,
    as_of: date | str | None = None,
    bbox: Bbox | None = None,
    where: Where = None,
) -> ColumnElement[bool]:
    """Everything a row must meet: visible, valid on the day, inside the viewer's areas, in the window, the filter."""
    on = day(as_of)
    hidden = hidden_changes(connection)
    parts = [counted(source.kind, source.table, hidden, on)]
    if viewer.areas:
        reach = scopes.resolve(connection, viewer.areas, store.codes, hidden, on)
        parts.append(scopes.condition(connection, source, reach, hidden, on))
    if bbox is not None:
        if not source.spatial:
            raise InputError(Text("该图层没有位置。", "This layer has no positions."), where="bbox")
        parts.append(_window(connection, source, bbox))
    if isinstance(where, str):
        if where.strip():
            columns = {name: source.table.c[name] for name in source.fields}
            parts.append(filters.parse(where, columns, place_offset_h=store.place_offset_h))
    elif where is not None:
        parts.append(where)
    return and_(*parts)


def fetch(connection: Connection, query: Select) -> list[tuple]:
    """Rows as the driver gives them, without the cost of row objects and result types."""
    cursor: Any = connection.execute(query).cursor
    return cursor.fetchall()


def _collect(connection: Connection, query: Select, turn: Sequence[Callable[[Sequence[Any]], Any]]) -> list[Any]:
    """Columns of a query, turned into arrays piece by piece, so that a million rows never exist as tuples at once."""
    cursor: Any = connection.execute(query).cursor
    pieces: list[list[Any]] = [[] for _ in turn]
    while rows := cursor.fetchmany(_PIECE):
        for piece, make, values in zip(pieces, turn, zip(*rows, strict=True), strict=True):
            piece.append(make(values))
    return [_joined(piece) if piece else make(()) for piece, make in zip(pieces, turn, strict=True)]


def _joined(pieces: list[Any]) -> Any:
    if len(pieces) == 1:
        return pieces[0]
    if isinstance(pieces[0], np.ndarray):
        return np.concatenate(pieces)
    return pd.concat([pd.Series(piece) for piece in pieces], ignore_index=True).array


_PIECE = 4_000


def _texts() -> Callable[[Sequence[Any]], np.ndarray]:
    """Text column: equal values share one object, which is most of the memory of a large layer."""
    known: dict[Any, Any] = {}

    def turn(values: Sequence[Any]) -> np.ndarray:
        array = np.empty(len(values), dtype=object)
        if len(set(values)) * 4 < len(values):
            array[:] = [known.setdefault(value, value) for value in values]
        else:
            array[:] = values
        return array

    return turn


def _whole_numbers(values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    try:
        return np.array(values, dtype=np.int64), np.zeros(len(values), dtype=bool)
    except TypeError:
        missing = np.fromiter((value is None for value in values), bool, len(values))
        return np.fromiter((0 if value is None else value for value in values), np.int64, len(values)), missing


def moments(values: Sequence[Any], place_offset_h: int = 0) -> np.ndarray:
    """Stored dates or moments as datetime64[us] wall time of the place; NaT when missing."""
    if any(isinstance(value, str) for value in values):
        texts = np.array(values, dtype="U23")
        texts[texts == "None"] = "NaT"
        # Moments of other programs may be shorter than ours: then the Z, which numpy does not take, is not cut off.
        marks = texts.view(np.uint32)
        marks[marks == ord("Z")] = 0
        array = texts.astype("datetime64[us]")
    else:
        naive = [value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in values]
        array = np.array(naive, dtype="datetime64[us]")
    return array + np.timedelta64(place_offset_h, "h") if place_offset_h else array


def _turn(field: Field, place_offset_h: int) -> Callable[[Sequence[Any]], Any]:
    """How stored values of a field become a pandas array."""
    if field.dtype == "text":
        return _texts()
    if field.dtype == "date":
        return moments
    if field.dtype == "datetime":
        return lambda values: moments(values, place_offset_h)
    if field.dtype == "real":
        return lambda values: np.array(values, dtype=np.float64)
    if field.dtype == "boolean":
        return lambda values: pd.arrays.BooleanArray(*_flags(values))
    return lambda values: pd.arrays.IntegerArray(*_whole_numbers(values))


def _flags(values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    numbers, missing = _whole_numbers(values)
    return numbers.astype(bool), missing


def _integers(values: Sequence[Any]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _floats(values: Sequence[Any]) -> np.ndarray:
    return np.array(values, dtype=np.float64)


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
) -> GeoDataFrame:
    """Rows of a layer that count on a day and that the viewer may see, in EPSG:4490.

    The index is the code for areas (named like the key column, which stays a column too), else fid; `fid` is always a
    column. `bbox` is west, south, east, north; `where` a filter text (see `filters`); `order` names columns, with a
    leading minus for descending (default: code, then fid). Kinds without geometry, and `geometry=False`, give a
    frame whose geometry column is all None. `reference:NAME` reads a reference layer with its own columns.
    """
    with store.read() as connection:
        place = source(connection, kind, viewer)
        chosen = _chosen(place, columns)
        with_geometry = geometry and place.spatial
        listed = [place.table.c.fid, *(place.table.c[name] for name in chosen)]
        if with_geometry:
            listed.append(place.table.c.geom)
        query = select(*listed).where(condition(store, connection, place, viewer, as_of=as_of, bbox=bbox, where=where))
        query = query.order_by(*_order(place, order)).offset(offset or None).limit(limit)
        turn = [_integers, *(_turn(place.fields[name], store.place_offset_h) for name in chosen)]
        parts = _collect(connection, query, [*turn, from_stored] if with_geometry else turn)
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
        query = select(*listed).where(condition(store, connection, place, viewer, as_of=as_of, bbox=bbox, where=where))
        turn: list[Callable[[Sequence[Any]], Any]] = [_integers]
        turn += [_places] if store.dialect == "gpkg" else [_floats, _floats]
        turn += [_plain(place.fields[name], store.place_offset_h) for name in chosen]
        fid, *rest = _collect(connection, query.order_by(place.table.c.fid), turn)
    if store.dialect == "gpkg":
        lon, lat = rest[0][:, 0], rest[0][:, 1]
        rest = rest[1:]
    else:
        lon, lat, *rest = rest
    return Points(fid, lon, lat, dict(zip(chosen, rest, strict=True)))


def _places(blobs: Sequence[bytes | None]) -> np.ndarray:
    return np.column_stack(from_point_blobs(blobs))


def _plain(field: Field, place_offset_h: int) -> Callable[[Sequence[Any]], np.ndarray]:
    return _floats if field.dtype in ("integer", "boolean") else _turn(field, place_offset_h)


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
    where = {name: options[name] for name in ("as_of", "bbox", "where") if name in options}
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
) -> int:
    """How many rows `read_layer` would give."""
    with store.read() as connection:
        place = source(connection, kind, viewer)
        met = condition(store, connection, place, viewer, as_of=as_of, bbox=bbox, where=where)
        return connection.scalar(select(func.count()).select_from(place.table).where(met)) or 0


def scope(store: "Store", viewer: Viewer, as_of: date | str | None = None) -> Scope:
    """The areas a viewer is limited to, resolved through the hierarchy; `everywhere` when there is no limit."""
    if not viewer.areas:
        return Scope(everywhere=True)
    with store.read() as connection:
        return scopes.resolve(connection, viewer.areas, store.codes, hidden_changes(connection), day(as_of))


def outline(store: "Store", viewer: Viewer, as_of: date | str | None = None) -> shapely.Geometry | None:
    """Union of the county (else townships, else villages, else grids) the viewer sees, lon/lat; None without areas."""
    key = ("outline", viewer.cache_key, day(as_of), tuple(store.versions(AREA_KINDS).items()))
    if key not in store.kept:
        store.keep(key, _outline(store, viewer, as_of))
    return store.kept[key]


def _outline(store: "Store", viewer: Viewer, as_of: date | str | None) -> shapely.Geometry | None:
    for kind in ("county", "township", "village", "grid"):
        shapes = read_layer(store, kind, viewer, as_of=as_of, columns=[]).geometry.dropna()
        shapes = shapes[shapes.geom_type.isin(["Polygon", "MultiPolygon"])]
        if len(shapes):
            return shapely.union_all(shapely.make_valid(shapes.array))
    return None


def list_layers(store: "Store", viewer: Viewer, *, as_of: date | str | None = None) -> list[dict[str, Any]]:
    """Every layer with rows that the viewer may see: kind, label, rows, with_geometry, version, bounds, crs, columns...

    `bounds` is west, south, east, north or None; `crs` "EPSG:4490", None without geometry.
    """
    with store.read() as connection:
        versions = connection.execute(select(schema.layer_version)).mappings().all()
        order = {name: number for number, name in enumerate(KINDS)}
        listed = []
        for version in sorted(versions, key=lambda row: (order.get(row["kind"], len(order)), row["kind"])):
            kind = version["kind"]
            if kind in KINDS and not rights.allowed(kind, viewer).rows:
                continue
            key = (
                "layer",
                kind,
                viewer.cache_key,
                day(as_of),
                version["version"],
                tuple(row["version"] for row in versions) if viewer.areas else 0,
            )
            if key not in store.kept:
                store.keep(key, _described(store, connection, viewer, dict(version), as_of))
            listed.append(store.kept[key])
    return [entry for entry in listed if entry is not None]


def _described(
    store: "Store", connection: Connection, viewer: Viewer, version: dict[str, Any], as_of: date | str | None
) -> dict[str, Any] | None:
    kind = version["kind"]
    try:
        place = source(connection, kind, viewer)
    except NotFoundError:
        return None  # a reference layer that was removed
    met = condition(store, connection, place, viewer, as_of=as_of)
    counts: list[Any] = [func.count()]
    if place.spatial:
        counts.append(func.count(place.table.c.geom))
    numbers = connection.execute(select(*counts).select_from(place.table).where(met)).one()
    known = KINDS.get(kind)
    label = known.label if known else references.title(connection, kind)
    return {
        "kind": kind,
        "label": label.as_dict(),
        "rows": numbers[0],
        "with_geometry": numbers[1] if place.spatial else 0,
        "version": version["version"],
        "bounds": _bounds(connection, place, met, bool(viewer.areas)) if place.spatial else None,
        "crs": CRS if place.spatial else None,
        "geometry": known.geometry if known else ("any" if place.spatial else "none"),
        "points_allowed": place.spatial,
        "columns": [
            {
                "name": f.name,
                "label": f.label.as_dict(),
                "dtype": f.dtype,
                "choices": [{"value": value, "label": words.as_dict()} for value, words in f.choices],
                "unit": f.unit,
            }
            for f in place.fields.values()
        ],
        "source": version["source"],
        "imported_at": version["imported_at"],
        "changed_at": version["changed_at"],
    }


def _bounds(
    connection: Connection, place: Source, met: ColumnElement[bool], scoped: bool
) -> tuple[float, float, float, float] | None:
    table = place.table
    if connection.dialect.name == "postgresql":
        box = select(func.ST_Extent(table.c.geom).label("box")).where(met).subquery()
        row = connection.execute(
            select(*(getattr(func, name)(box.c.box) for name in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax")))
        ).one()
        return None if row[0] is None else (row[0], row[1], row[2], row[3])
    if not scoped:
        return rtree.extent(connection, f"rtree_{table.name}_geom")
    found = fetch(connection, select(table.c.geom).where(met, table.c.geom.is_not(None)))
    if not found:
        return None
    west, south, east, north = shapely.total_bounds(from_stored([row[0] for row in found])).tolist()
    return west, south, east, north
