"""Which rows of a layer a viewer gets: the one place where rights, area scope, day, window and filter meet."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, and_, func, select
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from geo.errors import InputError, NotFoundError
from geo.words import Text

from .. import rights
from ..kinds import AREA_KINDS, KINDS, Field
from ..rights import Viewer
from ..storage import filters, references, schema
from ..storage.geometry import SRID
from ..storage.history import Moment, counted, day, hidden_changes
from . import scopes

if TYPE_CHECKING:
    from ..storage.store import Store

Bbox = tuple[float, float, float, float]
Where = str | ColumnElement | None


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
    known_on: Moment = None,
) -> ColumnElement[bool]:
    """Everything a row must meet: visible, valid on the day, inside the viewer's areas, in the window, the filter.

    `known_on`: by what was known at that moment (see `history`); now by default.
    """
    on = day(as_of)
    hidden = hidden_changes(connection, known_on)
    parts = [counted(source.kind, source.table, hidden, on)]
    if viewer.areas:
        reach = scopes.resolve(connection, viewer.areas, store.codes, hidden, on)
        parts.append(scopes.condition(connection, source.kind, source.table, reach, hidden, on, spatial=source.spatial))
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
