"""Reference layers: anything else a county has, with its own columns, kept in a real table `ref_<name>`.

An import fills a staging table that nobody sees; finishing the change puts it in the place of the old table. On a
GeoPackage these tables stay editable by desktop programs: triggers keep R*Tree and version in step.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from sqlalchemy import Column, Connection, MetaData, Table, delete, insert, select, text, update

from geo.errors import InputError, NotFoundError
from geo.words import Text

from ..kinds import REFERENCE, Field
from . import gpkg, rtree, schema
from .geometry import Geom, from_stored

if TYPE_CHECKING:
    from .store import Store

MAX_COLUMNS = 500
_NAME = re.compile(r"\w{1,40}")
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f"\u200b-\u200f\u202a-\u202e\ufeff]')
_NAME_BYTES = 60  # PostgreSQL cuts names after 63 bytes


def is_reference(kind: str) -> bool:
    """Whether a kind is `reference:NAME`."""
    return kind.startswith(f"{REFERENCE}:")


def require_name(kind: str) -> str:
    """The NAME of `reference:NAME`; InputError when it cannot be one."""
    name = kind.removeprefix(f"{REFERENCE}:")
    if not _NAME.fullmatch(name):
        raise InputError(
            Text(
                "参考图层的名称只能用文字、数字和下划线，最多 40 个字符。",
                "A reference layer's name is letters, digits and _, up to 40.",
            ),
            where="layer",
            mend=Text("例如 reference:学校", "For example reference:schools"),
        )
    return name


def table_name(name: str) -> str:
    """The table of a reference layer: its name where every program can read it, else a short hash."""
    plain = name.lower()
    if plain.isascii() and not plain.startswith("stage_"):
        return f"ref_{plain}"
    return f"ref_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def column_names(given: Iterable[Any]) -> list[str]:
    """Column names fit for a table, in the order of `given`: no control characters, short, no two alike."""
    taken = {"fid", "geom", "geometry"}
    names = []
    for number, label in enumerate(given, 1):
        bare = _NOT_IN_A_NAME.sub("_", str(label)).strip() or f"column_{number}"
        bare = bare.encode()[:_NAME_BYTES].decode(errors="ignore")
        name, again = bare, 1
        while name.lower() in taken:
            again += 1
            name = f"{bare.encode()[: _NAME_BYTES - 6].decode(errors='ignore')}_{again}"
        taken.add(name.lower())
        names.append(name)
    return names


def _dtype(column: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(column.dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(column.dtype):
        return "integer"
    if pd.api.types.is_float_dtype(column.dtype):
        return "real"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "datetime"
    return "text"


def _row(connection: Connection, kind: str) -> Any:
    name = kind.removeprefix(f"{REFERENCE}:")
    row = connection.execute(select(schema.reference).where(schema.reference.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(Text(f"没有参考图层“{name[:40]}”。", f"There is no reference layer '{name[:40]}'."))
    return row


def _table(name: str, fields: dict[str, Field], *, spatial: bool) -> Table:
    columns = [Column("fid", schema.BIG, primary_key=True, autoincrement=True)]
    if spatial:
        columns.append(Column("geom", Geom))
    columns += [Column(field.name, schema.column_type(field)) for field in fields.values()]
    return Table(name, MetaData(), *columns, sqlite_autoincrement=True)


def _fields(described: list[dict[str, str]]) -> dict[str, Field]:
    return {
        entry["name"]: Field(entry["name"], entry["dtype"], Text(entry["label"], entry["label"])) for entry in described
    }


def table_of(connection: Connection, kind: str) -> tuple[Table, dict[str, Field], bool]:
    """Table, fields and "has geometry" of `reference:NAME`; NotFoundError."""
    row = _row(connection, kind)
    fields = _fields(json.loads(row.columns))
    spatial = row.geometry != "none"
    return _table(row.table_name, fields, spatial=spatial), fields, spatial


def title(connection: Connection, kind: str) -> Text:
    """The title of `reference:NAME`."""
    row = _row(connection, kind)
    return Text(row.title, row.title)


# --- filling and swapping


def staged(connection: Connection, change_id: int, kind: str, frame: pd.DataFrame) -> tuple[Table, dict[str, Field]]:
    """The staging table of a change, made from the first frame; fields by the frame's column name.

    The description is kept with the change. A later frame must have the same columns.
    """
    require_name(kind)
    row = connection.execute(select(schema.change).where(schema.change.c.id == change_id)).one()
    details = json.loads(row.details)
    spatial = isinstance(frame, GeoDataFrame)
    geometry = frame.geometry.name if spatial else None
    labels = [label for label in frame.columns if label != geometry and label != "fid"]
    if len(labels) > MAX_COLUMNS:
        raise InputError(Text(f"最多 {MAX_COLUMNS} 列。", f"At most {MAX_COLUMNS} columns."), where=kind)
    name = f"ref_stage_{change_id}"
    if "staged" not in details:
        described = [
            {"name": new, "label": str(label), "dtype": _dtype(frame[label])}
            for new, label in zip(column_names(labels), labels, strict=True)
        ]
        details["staged"] = {"kind": kind, "columns": described, "spatial": spatial, "shapes": []}
        _table(name, _fields(described), spatial=spatial).create(connection)
    known = details["staged"]
    if [entry["label"] for entry in known["columns"]] != [str(label) for label in labels] or known[
        "spatial"
    ] != spatial:
        raise InputError(Text("各批数据的列不一致。", "The columns differ between the parts."), where=kind)
    if spatial:
        shapes = {shape for shape in frame.geometry.geom_type.dropna().unique() if shape}
        known["shapes"] = sorted(shapes | set(known["shapes"]))
    connection.execute(
        update(schema.change)
        .where(schema.change.c.id == change_id)
        .values(details=json.dumps(details, ensure_ascii=False))
    )
    fields = _fields(known["columns"])
    return _table(name, fields, spatial=spatial), dict(zip(labels, fields.values(), strict=True))


def swap(connection: Connection, change_id: int, details: dict[str, Any]) -> None:
    """Put the staging table of a change in the place of the layer's table; part of finishing the change."""
    known = details.pop("staged")
    kind, spatial = known["kind"], known["spatial"]
    name = require_name(kind)
    target = table_name(name)
    shapes = known["shapes"]
    row = {
        "title": str(details.get("title") or name),
        "table_name": target,
        "columns": json.dumps(known["columns"], ensure_ascii=False),
        "geometry": "none" if not spatial else shapes[0].upper() if len(shapes) == 1 else "GEOMETRY",
    }
    drop(connection, name)
    connection.exec_driver_sql(f'ALTER TABLE "ref_stage_{change_id}" RENAME TO "{target}"')
    connection.execute(insert(schema.reference).values(name=name, **row))
    if connection.dialect.name == "sqlite":
        _list_gpkg(connection, name, row, spatial=spatial)
    else:
        _list_postgis(connection, name, target, spatial=spatial)


def _list_gpkg(connection: Connection, name: str, row: dict[str, Any], *, spatial: bool) -> None:
    target = row["table_name"]
    identifier = row["title"] if row["title"] != name else target
    if spatial:
        connection.exec_driver_sql(
            f'CREATE VIRTUAL TABLE "rtree_{target}_geom" USING rtree(id, minx, maxx, miny, maxy)'
        )
        rows = connection.exec_driver_sql(f'SELECT fid, geom FROM "{target}" WHERE geom IS NOT NULL').all()  # noqa: S608
        if rows:
            boxes = shapely.bounds(from_stored([found[1] for found in rows]))[:, [0, 2, 1, 3]]
            rtree.write_all(connection, f"rtree_{target}_geom", np.array([found[0] for found in rows]), boxes)
        gpkg.register(connection, target, identifier, row["geometry"])
        gpkg.run_script(connection, gpkg.sql("gpkg_rtree_triggers.sql").format(table=target))
    else:
        connection.exec_driver_sql(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) VALUES (?, 'attributes', ?, ?)",
            (target, target, identifier),
        )
    gpkg.run_script(connection, gpkg.sql("gpkg_reference_version.sql").format(table=target, name=name))
    gpkg.refresh_contents(connection, target, target, spatial=spatial)


def _list_postgis(connection: Connection, name: str, target: str, *, spatial: bool) -> None:
    if spatial:
        connection.execute(text(f'CREATE INDEX ON "{target}" USING gist (geom)'))
    connection.execute(
        text(
            f'CREATE TRIGGER "{target}_version" AFTER INSERT OR UPDATE OR DELETE ON "{target}" '
            f"FOR EACH STATEMENT EXECUTE FUNCTION wangge_version('{REFERENCE}:{name}')"
        )
    )


def drop(connection: Connection, name: str) -> None:
    """Remove a reference layer's table and listing, if there is one."""
    row = connection.execute(select(schema.reference).where(schema.reference.c.name == name)).one_or_none()
    if row is None:
        return
    if connection.dialect.name == "sqlite":
        gpkg.unregister(connection, row.table_name)
        connection.exec_driver_sql(f'DROP TABLE IF EXISTS "rtree_{row.table_name}_geom"')
    connection.exec_driver_sql(f'DROP TABLE "{row.table_name}"')
    connection.execute(delete(schema.reference).where(schema.reference.c.name == name))


def drop_staged(connection: Connection, change_id: int) -> None:
    """Remove the staging table of a change that was given up."""
    connection.exec_driver_sql(f'DROP TABLE IF EXISTS "ref_stage_{int(change_id)}"')


def remove(store: "Store", kind: str, actor: str) -> None:
    """Delete a reference layer; NotFoundError."""
    with store.change(actor, "remove_reference", details={"kind": kind}) as change:
        row = _row(change.connection, kind)
        drop(change.connection, row.name)
        change.connection.execute(delete(schema.layer_version).where(schema.layer_version.c.kind == kind))


def replace(
    store: "Store", name: str, frame: pd.DataFrame, *, title: str = "", source: str | None = None, actor: str = "owner"
) -> int:
    """Store a frame as the whole of `reference:NAME` in one change; returns the change's id."""
    from . import rows

    kind = f"{REFERENCE}:{name}"
    require_name(kind)
    change_id = store.open_change(actor, "import", kinds=[kind], source=source, details={"title": title or name})
    try:
        count = rows.insert_rows(store, change_id, kind, frame)
        store.finish_change(change_id, [kind], count)
    except BaseException:
        store.abandon_change(change_id)
        raise
    return change_id
