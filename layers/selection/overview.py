"""What there is to see: the list of layers and the outline of the place."""

from datetime import date
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from geo.errors import NotFoundError

from .. import rights
from ..kinds import AREA_KINDS, KINDS
from ..rights import Viewer
from ..storage import references, rtree, schema
from ..storage.arrays import fetch
from ..storage.geometry import SRID, from_stored
from ..storage.history import day
from .selecting import Source, condition, source

if TYPE_CHECKING:
    from ..storage.store import Store

CRS = f"EPSG:{SRID}"


def outline(store: "Store", viewer: Viewer, as_of: date | str | None = None) -> shapely.Geometry | None:
    """Union of the county (else townships, else villages, else grids) the viewer sees, lon/lat; None without areas."""
    key = ("outline", viewer.cache_key, day(as_of), tuple(store.versions(AREA_KINDS).items()))
    if key not in store.kept:
        store.keep(key, _outline(store, viewer, as_of))
    return store.kept[key]


def _outline(store: "Store", viewer: Viewer, as_of: date | str | None) -> shapely.Geometry | None:
    for kind in ("county", "township", "village", "grid"):
        with store.read() as connection:
            place = source(connection, kind, viewer)
            met = condition(store, connection, place, viewer, as_of=as_of)
            query = select(place.table.c.geom).where(met, place.table.c.geom.is_not(None))
            shapes = from_stored([row[0] for row in fetch(connection, query)])
        areas = shapes[shapely.get_dimensions(shapes) == 2] if len(shapes) else shapes
        if len(areas):
            return shapely.union_all(shapely.make_valid(areas))
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
        "bounds": _bounds(connection, place, met, numbers[1]) if place.spatial and numbers[1] else None,
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
    connection: Connection, place: Source, met: ColumnElement[bool], shape_count: int
) -> tuple[float, float, float, float] | None:
    """West, south, east, north of the rows that meet a condition (a hair outward on a GeoPackage)."""
    table = place.table
    if connection.dialect.name == "postgresql":
        box = select(func.ST_Extent(table.c.geom).label("box")).where(met).subquery()
        sides = (getattr(func, name)(box.c.box) for name in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax"))
        row = connection.execute(select(*sides)).one()
        return row[0], row[1], row[2], row[3]
    tree = f"rtree_{table.name}_geom"
    if rtree.count(connection, tree) == shape_count:
        return rtree.extent(connection, tree)
    # Rows that are over, taken back or of somebody else's area are in the R*Tree too.
    boxes = sql_table(tree, *(sql_column(name) for name in ("id", "minx", "miny", "maxx", "maxy")))
    outer = (func.min(boxes.c.minx), func.min(boxes.c.miny), func.max(boxes.c.maxx), func.max(boxes.c.maxy))
    row = connection.execute(select(*outer).where(boxes.c.id.in_(select(table.c.fid).where(met)))).one()
    return row[0], row[1], row[2], row[3]
