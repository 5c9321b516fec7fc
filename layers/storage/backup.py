"""Backups: one whole file made through SQLite's backup API, and the way back with all checks.

Copying a live store's files does not give a backup: the file and its WAL change while they are copied.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from geo.errors import InputError, StoreError
from geo.words import Text

from . import audit, gpkg
from .faults import faults
from .store import Store
from .store_file import remove_file


def backup(store: Store, path: str | Path) -> Path:
    """Write a copy of a GeoPackage store to a new file (mode 0600, no WAL) while others go on working.

    Raises InputError for a PostgreSQL store (use pg_dump) and StoreError when the file exists or cannot be written.
    """
    if store.path is None:
        raise InputError(
            Text("PostgreSQL 存储请用 pg_dump 备份。", "Back up a PostgreSQL store with pg_dump."), where="backup"
        )
    target = Path(path).absolute()
    _require_new(target)
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with faults():
            _copy(store.path, partial)
            _require_sound(partial)
        partial.rename(target)
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            Path(f"{partial}{suffix}").unlink(missing_ok=True)
    return target


def _require_new(target: Path) -> None:
    if target.exists():
        raise StoreError(
            Text(f"{target.name} 已存在。", f"{target.name} exists already."),
            where=str(target),
            mend=Text("请换一个文件名。", "Choose another file name."),
        )
    if not target.parent.is_dir():
        raise StoreError(Text("没有这个文件夹。", "There is no such folder."), where=str(target.parent))


def _copy(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with (
        closing(sqlite3.connect(source.as_uri() + "?mode=ro", uri=True, timeout=30)) as from_,
        closing(sqlite3.connect(target, isolation_level=None)) as to,
    ):
        # In one step: a copy in several would begin anew with every write of another process.
        with to:
            from_.backup(to, pages=-1)
        to.execute("PRAGMA journal_mode = DELETE")


def _require_sound(path: Path) -> None:
    with closing(sqlite3.connect(path.as_uri() + "?mode=ro", uri=True)) as connection:
        gpkg.prepare(connection, readonly=True)
        try:
            answer = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.DatabaseError:
            answer = "unreadable"
    if answer != "ok":
        raise StoreError(
            Text("备份文件已损坏。", "The backup is damaged."),
            where=path.name,
            mend=Text("请换用另一份备份。", "Use another backup."),
        )


def restore(path: str | Path, target: str | Path) -> Path:
    """Make a store at `target` (which must not exist) from a backup, after checking its pages and its audit chain."""
    source, goal = Path(path).absolute(), Path(target).absolute()
    if not source.is_file():
        raise StoreError(Text(f"没有文件 {source.name}。", f"There is no file {source.name}."), where=str(source))
    _require_new(goal)
    with faults():
        _require_sound(source)
        _copy(source, goal)
    try:
        with Store.open(str(goal)) as store:
            findings = audit.verify_chain(store)
    except BaseException:
        remove_file(goal)
        raise
    if findings:
        remove_file(goal)
        raise StoreError(
            Text(
                f"备份的操作记录不完整：{findings[0].what.zh}",
                f"The backup's audit trail does not fit: {findings[0].what.en}",
            ),
            where=source.name,
            mend=Text("请换用另一份备份。", "Use another backup."),
        )
    return goal
