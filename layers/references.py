"""Reference layers: anything else a county has, with its own columns, kept in a real table `ref_<slug>`.

On a GeoPackage these tables stay editable by desktop programs; triggers keep R*Tree and version in step.
"""

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, MetaData, Table, select

from geo.errors import NotFoundError
from geo.words import Text

from . import schema
from .geometry import Geom
from .kinds import Field

if TYPE_CHECKING:
    pass


def _row(connection: Connection, kind: str) -> Any:
    name = kind.removeprefix("reference:")
    row = connection.execute(select(schema.reference).where(schema.reference.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(Text(f"没有参考图层“{name[:40]}”。", f"There is no reference layer '{name[:40]}'."))
    return row


def _table(name: str, fields: dict[str, Field], spatial: bool) -> Table:
    columns = [Column("fid", schema.BIG, primary_key=True, autoincrement=True)]
    if spatial:
        columns.append(Column("geom", Geom))
    columns += [Column(field.name, schema.column_type(field)) for field in fields.values()]
    return Table(name, MetaData(), *columns, sqlite_autoincrement=True)


def table_of(connection: Connection, kind: str) -> tuple[Table, dict[str, Field], bool]:
    """Table, fields and "has geometry" of `reference:NAME`; NotFoundError."""
    row = _row(connection, kind)
    fields = {
        entry["name"]: Field(entry["name"], entry["dtype"], Text(entry["label"], entry["label"]))
        for entry in json.loads(row.columns)
    }
    spatial = row.geometry != "none"
    return _table(row.table_name, fields, spatial), fields, spatial


def title(connection: Connection, kind: str) -> Text:
    """The title of `reference:NAME`."""
    row = _row(connection, kind)
    return Text(row.title, row.title)
