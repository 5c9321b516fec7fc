"""Faults of the database drivers, told as `StoreError`s that say what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from geo.errors import StoreError
from geo.words import Text

from . import lock


class ConnectionLost(StoreError):
    """The database server went away in the middle; the act may or may not be done."""


@contextmanager
def faults() -> Iterator[None]:
    """Turn the faults of the database driver into `StoreError`s that say what to do."""
    try:
        yield
    except DBAPIError as error:
        raise told(error.orig or error, lost=error.connection_invalidated) from error
    except sqlite3.Error as error:
        raise told(error, lost=False) from error


def told(error: BaseException, *, lost: bool) -> StoreError:
    name = getattr(error, "sqlite_errorname", "")
    state = getattr(error, "sqlstate", "") or ""
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")) or state in ("53100", "53200"):
        return StoreError(
            Text(
                "磁盘已满或无法写入，更改未保存，原有数据不受影响。", "Disk full or not writable: nothing was changed."
            ),
            mend=Text("请清理磁盘空间后再试。", "Free some disk space and try again."),
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or state in ("55P03", "40001", "40P01"):
        return lock.busy()
    if name.startswith("SQLITE_READONLY"):
        return StoreError(Text("数据文件只读，不能更改。", "The store is read-only."))
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreError(
            Text("数据文件已损坏。", "The store is damaged."),
            mend=Text("请从备份恢复（wangge restore）。", "Restore it from a backup (wangge restore)."),
        )
    if name.startswith("SQLITE_CANTOPEN"):
        return StoreError(Text("无法打开数据文件。", "The store cannot be opened."))
    if lost or state.startswith(("57P", "08")) or (type(error).__name__ == "OperationalError" and not name):
        return ConnectionLost(
            Text("与数据库的连接中断。", "The connection to the database was lost."),
            mend=Text("请稍后再试。", "Try again in a moment."),
        )
    return StoreError(
        Text("数据库出错，更改未保存。", f"The database refused: {type(error).__name__}."), where=str(error)[:200]
    )
