"""The PostgreSQL side of the store: connection, tables, GiST indexes, views, COPY.

The same tables as in a GeoPackage. Writers take turns by one advisory lock, which is what BEGIN IMMEDIATE does for the
file; readers never wait.
"""

import importlib.util
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, cast, create_engine, event, func, select, text

from geo.errors import StoreError
from geo.words import Text

from ..kinds import KINDS, Kind
from . import schema
from .gpkg import sql
from .history import counted, hidden_subquery

_TURN = 0x77616E67  # "wang": the advisory lock of writers


def engine(url: str) -> Engine:
    """An engine on psycopg 3; times in UTC; connections are checked before use, so that a restart is survived."""
    if importlib.util.find_spec("psycopg") is None:
        raise StoreError(
            Text("未安装 PostgreSQL 驱动。", "The PostgreSQL driver is not installed."),
            mend=Text("请安装 wangge[postgis]。", "Install wangge[postgis]."),
        )
    address = "postgresql+psycopg://" + url.split("://", 1)[1]
    made = create_engine(address, pool_pre_ping=True, pool_size=8, max_overflow=64)

    @event.listens_for(made, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
            cursor.execute("SELECT set_config('wangge.writer', '1', false)")
        connection.commit()

    return made


def take_turn(connection: Connection, *, durable: bool) -> None:
    """Wait for the turn to write; the turn ends with the transaction."""
    if not durable:
        connection.execute(text("SET LOCAL synchronous_commit = off"))
    connection.execute(text("SET LOCAL lock_timeout = '30s'"))
    connection.execute(select(func.pg_advisory_xact_lock(_TURN)))


def create(connection: Connection) -> None:
    """All tables, indexes, views and triggers of an empty database, inside the caller's transaction."""
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
    take_turn(connection, durable=True)
    schema.metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(sql("postgis_guard.sql"))
    connection.exec_driver_sql(sql("postgis_version.sql"))
    for kind in KINDS.values():
        create_kind(connection, kind)
    for table in schema.GUARDED:
        guard(connection, table)


def create_kind(connection: Connection, kind: Kind) -> None:
    """What belongs to a kind besides its table: index and view."""
    table = schema.ROWS[kind.name]
    if kind.geometry != "none":
        connection.execute(text(f'CREATE INDEX "{table.name}_geom" ON "{table.name}" USING gist (geom)'))
    create_view(connection, kind)


def create_view(connection: Connection, kind: Kind) -> None:
    """The view of a kind's rows that count today, with its own columns; an earlier view of that name goes."""
    table = schema.ROWS[kind.name]
    own = {field.name for field in schema.own_fields(kind)} | {"fid", "geom"}
    columns = [column for column in table.c if column.name in own]
    condition = counted(kind.name, table, hidden_subquery(), cast(func.now(), schema.Day))
    body = select(*columns).where(condition).compile(connection, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f'DROP VIEW IF EXISTS "{kind.name}"')
    connection.exec_driver_sql(f'CREATE VIEW "{kind.name}" AS {body}')


def guard(connection: Connection, table: Table) -> None:
    """Let only wangge's own connections change a table."""
    connection.execute(
        text(
            f'CREATE TRIGGER "{table.name}_guard" BEFORE INSERT OR UPDATE OR DELETE ON "{table.name}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION wangge_guard()"
        )
    )


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows by COPY; geometries are EWKB hex text."""
    listed = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table}" ({listed}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
