"""Numbered migrations of the store, each in one transaction.

A new store is made by `schema.py` as it is today and marked with the newest number. An older store is brought up step
by step at its next opening; a newer one is refused.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, inspect, select

from geo.errors import NotFoundError, StoreError
from geo.words import Text

from ..kinds import KINDS
from . import gpkg, postgis, schema

if TYPE_CHECKING:
    from .store import Store


def _drafts(connection: Connection) -> None:
    """Drafts of redrawn boundaries, and which area came from which."""
    side = postgis if connection.dialect.name == "postgresql" else gpkg
    for table in (schema.draft, schema.lineage):
        table.create(connection)
        side.guard(connection, table)


def _borders(connection: Connection) -> None:
    """What border lines, tri-junctions and markers say of themselves, and the joint inspections of lines."""
    side = postgis if connection.dialect.name == "postgresql" else gpkg
    quote = connection.dialect.identifier_preparer.quote_identifier
    for name in ("boundary_line", "tri_junction", "boundary_marker"):
        table = schema.ROWS[name]
        there = set(connection.exec_driver_sql(f"SELECT * FROM {quote(table.name)} LIMIT 0").keys())  # noqa: S608
        for column in table.c:
            if column.name not in there:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} ADD COLUMN {quote(column.name)} {kind}")
        side.create_view(connection, KINDS[name])
    inspections = schema.ROWS["inspection"]
    if not inspect(connection).has_table(inspections.name):
        inspections.create(connection)
        side.create_kind(connection, KINDS["inspection"])
        side.guard(connection, inspections)


STEPS: dict[int, Callable[[Connection], None]] = {2: _drafts, 3: _borders}
"""Steps by number: step n brings a store of version n-1 to version n. Version 1 is the first there was."""


def mark_new(connection: Connection) -> None:
    """Note that a store just made is of the newest version."""
    connection.execute(insert(schema.migration).values(number=schema.LATEST, applied_at=schema.now()))


def require_current(store: "Store") -> None:
    """Bring the store to the newest version; refused when it is none, too new, or old and read-only.

    NotFoundError for a database without a store, StoreError for the rest.
    """
    with store.read() as connection:
        if not inspect(connection).has_table("migration"):
            if store.dialect == "postgis":
                raise NotFoundError(
                    Text("这个数据库里还没有网格系统的数据。", "There is no store in this database yet."),
                    where=repr(store),
                    mend=Text("请先运行 wangge init --store 地址。", "Run wangge init --store ADDRESS first."),
                )
            raise StoreError(
                Text("这不是网格系统的数据文件。", "This is not a wangge store."),
                where=repr(store),
                mend=Text("普通的 GeoPackage 请用导入功能读取。", "Import an ordinary GeoPackage instead."),
            )
        number = connection.scalar(select(func.max(schema.migration.c.number))) or 0
    if number > schema.LATEST:
        raise StoreError(
            Text("数据文件由更新版本的程序创建。", "The store was made by a newer version."),
            where=f"{number} > {schema.LATEST}",
            mend=Text("请升级程序。", "Update the program."),
        )
    for step in range(number + 1, schema.LATEST + 1):
        with store.write() as connection:
            if connection.scalar(select(func.max(schema.migration.c.number))) >= step:
                continue
            STEPS[step](connection)
            connection.execute(insert(schema.migration).values(number=step, applied_at=schema.now()))
