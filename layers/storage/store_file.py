"""The file of a store: made, found, removed, and what lies beside it (the WAL, lock files)."""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from geo.errors import NotFoundError, StoreError
from geo.words import Text

_CHECKPOINT_BYTES = 8 << 20


def beside(path: Path, word: str) -> Path:
    """The lock file of a store for `word` (write, server)."""
    return path.with_name(f".{path.name}.{word}-lock")


def new_file(path: Path) -> None:
    """Make an empty file that only its owner may read; StoreError when it exists already or cannot be made."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except FileExistsError:
        raise StoreError(
            Text(f"{path.name} 已存在。", f"{path.name} exists already."),
            where=str(path),
            mend=Text("请换一个文件名。", "Choose another file name."),
        ) from None
    except OSError as error:
        raise StoreError(
            Text(f"无法创建 {path.name}。", f"Cannot make {path.name}: {error.strerror}."), where=str(path)
        ) from None
    os.close(handle)


def require_file(path: Path) -> None:
    """NotFoundError when there is no such file."""
    if not path.is_file():
        raise NotFoundError(
            Text(f"没有数据文件 {path.name}。", f"There is no store {path.name}."),
            where=str(path),
            mend=Text("请先运行 wangge init。", "Run wangge init first."),
        )


def remove_file(path: Path) -> None:
    """Remove a store that nobody has open, with its WAL and its lock file; what is not there is passed over."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    beside(path, "write").unlink(missing_ok=True)


def may_write(path: Path) -> bool:
    """Whether the file and its folder may be written to; a file that is marked read-only may not, even by root."""
    mode = path.stat().st_mode
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        return False
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def write_back_large(connection: Connection, path: Path) -> None:
    """Write what can be of a WAL that has grown large (8 MiB) into the file; nobody waits, and no error is raised."""
    wal = Path(f"{path}-wal")
    try:
        large = wal.stat().st_size > _CHECKPOINT_BYTES
    except OSError:
        return
    if large:
        raw: Any = connection.connection.driver_connection
        try:
            raw.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error:
            return  # the act is committed; a full disk meets the next write
