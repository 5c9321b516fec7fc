"""The GeoPackage side of the store: metadata, views, R*Trees, triggers and what each connection must know.

A kind is a base table `<kind>_row` that only wangge may change, its R*Tree, and a registered view `<kind>` of the rows
that count today. GDAL looks for an R*Tree named after the view, so a view of that name stands before the base
table's tree: then desktop programs filter the layer by window through it.
"""

import sqlite3
import struct
from importlib.resources import files
from pathlib import Path
from typing import Any

from pyproj import CRS
from sqlalchemy import Connection, Engine, Table, create_engine, event, func, select
from sqlalchemy.pool import QueuePool

from ..kinds import KINDS, Kind
from . import schema
from .geometry import SRID
from .history import counted, hidden_subquery

APPLICATION_ID = 0x47504B47
USER_VERSION = 10300
BUSY_MS = 30_000

_RTREE_DEFINITION = "http://www.geopackage.org/spec120/#extension_rtree"


def sql(name: str) -> str:
    """Text of a file in `layers/storage/sql`."""
    return files("layers.storage.sql").joinpath(name).read_text(encoding="utf-8")


def _box(blob: bytes | None) -> tuple[float, float, float, float] | None:
    """minx, maxx, miny, maxy of a GeoPackage blob; None when empty."""
    if blob is None or blob[3] & 0x10:
        return None
    order = "<" if blob[3] & 1 else ">"
    if (blob[3] >> 1) & 7:
        return struct.unpack_from(order + "4d", blob, 8)
    from .geometry import from_stored

    shape = from_stored([blob])[0]
    if shape.is_empty:
        return None
    minx, miny, maxx, maxy = shape.bounds
    return minx, maxx, miny, maxy


def _side(index: int) -> Any:
    def side(blob: bytes | None) -> float | None:
        box = _box(blob)
        return None if box is None else box[index]

    return side


def prepare(connection: sqlite3.Connection, *, readonly: bool) -> None:
    """Make a new connection one of ours: functions of the triggers, WAL, busy timeout; transactions are explicit."""
    connection.isolation_level = None
    connection.create_function("wangge_guard", 0, lambda: 1, deterministic=True)
    connection.create_function("ST_IsEmpty", 1, lambda blob: int(_box(blob) is None), deterministic=True)
    for index, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):
        connection.create_function(name, 1, _side(index), deterministic=True)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA trusted_schema = ON")
    connection.execute("PRAGMA cache_size = -8000")
    if readonly:
        connection.execute("PRAGMA query_only = ON")
        return
    # A desktop program that closes the file last turns WAL off, so it is asked for at every opening. Checkpoints are
    # made by `Store.write` under the write lock: two at once are what SQLite before 3.51.3 can lose a page by.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA synchronous = FULL")


def engine(path: Path, *, readonly: bool) -> Engine:
    """An engine on a GeoPackage file. `wangge_begin` (FULL, NORMAL) of a connection makes its transaction a write."""

    def connect() -> sqlite3.Connection:
        # The address is quoted by Path.as_uri, so that no character of a file name can add a parameter.
        address = path.as_uri() + ("?mode=ro" if readonly else "?mode=rw")
        connection = sqlite3.connect(address, uri=True, check_same_thread=False, cached_statements=256)
        try:
            prepare(connection, readonly=readonly)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            wal = Path(f"{path}-wal")
            if not readonly or (wal.exists() and wal.stat().st_size):
                raise
            # A WAL file in a folder that cannot be written: without a -wal beside it the file is whole by itself.
            connection = sqlite3.connect(address + "&immutable=1", uri=True, check_same_thread=False)
            prepare(connection, readonly=True)
        return connection

    made = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=8, max_overflow=64)

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        level = connection.get_execution_options().get("wangge_begin")
        if level is None:
            connection.exec_driver_sql("BEGIN")
        else:
            raw: Any = connection.connection.driver_connection
            raw.execute(f"PRAGMA synchronous = {level}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made


def run_script(connection: Connection, text: str) -> None:
    """Run several statements in the open transaction (`executescript` would commit it)."""
    statement = ""
    for line in text.splitlines():
        if line.startswith("--"):
            continue
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            connection.exec_driver_sql(statement)
            statement = ""


def create(connection: Connection) -> None:
    """All tables, views, R*Trees and triggers of an empty file, inside the caller's transaction."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {USER_VERSION}")
    run_script(connection, sql("gpkg_metadata.sql"))
    for epsg in (SRID, 4326):
        crs = CRS.from_epsg(epsg)
        connection.exec_driver_sql(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, ?, NULL)",
            (crs.name, epsg, epsg, crs.to_wkt("WKT1_GDAL")),
        )
    schema.metadata.create_all(connection)
    for kind in KINDS.values():
        create_kind(connection, kind)
    for table in schema.GUARDED:
        guard(connection, table)


def guard(connection: Connection, table: Table) -> None:
    """Let only wangge's own connections change a table."""
    run_script(connection, sql("gpkg_guard.sql").format(table=table.name))


def create_view(connection: Connection, kind: Kind) -> None:
    """The view of a kind's rows that count today, with its own columns; an earlier view of that name goes."""
    table = schema.ROWS[kind.name]
    own = {"fid", "geom", *(field.name for field in schema.own_fields(kind))}
    columns = [column for column in table.c if column.name in own]
    condition = counted(kind.name, table, hidden_subquery(), func.date("now", "localtime"))
    body = select(*columns).where(condition).compile(connection, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f'DROP VIEW IF EXISTS "{kind.name}"')
    connection.exec_driver_sql(f'CREATE VIEW "{kind.name}" AS {body}')


def create_kind(connection: Connection, kind: Kind) -> None:
    """What belongs to a kind besides its table: view, R*Tree, entry in the list of layers."""
    create_view(connection, kind)
    table = schema.ROWS[kind.name]
    if kind.geometry == "none":
        connection.exec_driver_sql(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) VALUES (?, 'attributes', ?, ?)",
            (kind.name, kind.name, kind.label.zh),
        )
        return
    connection.exec_driver_sql(
        f'CREATE VIRTUAL TABLE "rtree_{table.name}_geom" USING rtree(id, minx, maxx, miny, maxy)'
    )
    connection.exec_driver_sql(
        f'CREATE VIEW "rtree_{kind.name}_geom" AS SELECT id, minx, maxx, miny, maxy FROM "rtree_{table.name}_geom"'  # noqa: S608
    )
    register(connection, kind.name, kind.label.zh, {"point": "POINT"}.get(kind.geometry, "GEOMETRY"))


def register(connection: Connection, table: str, description: str, geometry_type: str) -> None:
    """List a table or view as a layer in EPSG:4490 with a spatial index."""
    connection.exec_driver_sql(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?, 'features', ?, ?, ?)",
        (table, table, description, SRID),
    )
    connection.exec_driver_sql(
        "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, 0, 0)", (table, geometry_type, SRID)
    )
    connection.exec_driver_sql(
        "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index', ?, 'write-only')",
        (table, _RTREE_DEFINITION),
    )


def unregister(connection: Connection, table: str) -> None:
    """Take a table out of the list of layers."""
    for name in ("gpkg_extensions", "gpkg_geometry_columns", "gpkg_contents"):
        connection.exec_driver_sql(f"DELETE FROM {name} WHERE table_name = ?", (table,))  # noqa: S608


def refresh_contents(connection: Connection, listed: str, stored: str, *, spatial: bool) -> None:
    """Set the extent (from the R*Tree, so a hair too large) and the time of the last change of a listed layer."""
    box: Any = (None, None, None, None)
    if spatial:
        box = connection.exec_driver_sql(
            f'SELECT min(minx), min(miny), max(maxx), max(maxy) FROM "rtree_{stored}_geom"'  # noqa: S608
        ).one()
    connection.exec_driver_sql(
        "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ?, last_change = ? WHERE table_name = ?",
        (*box, schema.now(), listed),
    )
