"""Files that appear whole or not at all: written in a folder of their own beside the target, then moved into place."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from geo.errors import InputError
from geo.words import Text

if TYPE_CHECKING:
    from .store import Store

_LONGEST_NAME = 200  # bytes; leaves room for what is added to it


def require_target(store: "Store", target: Path) -> None:
    """`InputError` unless `target` can be a new file: a name, in a folder that can be written to, not the store."""
    name = target.name.encode("utf-8", "replace")
    if not target.name or len(name) > _LONGEST_NAME or "\0" in str(target) or target.is_dir():
        raise InputError(
            Text(f"“{target.name[:60]}”不能作为文件名。", f"'{target.name[:60]}' cannot be the name of the file."),
            where="path",
            mend=Text("请给出文件名，例如 village.gpkg。", "Give the name of a file, for example village.gpkg."),
        )
    folder = target.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        shown = folder.name or str(folder)
        raise InputError(
            Text(f"文件夹“{shown}”不存在或不能写入。", f"The folder '{shown}' does not exist or cannot be written to."),
            where="path",
            mend=Text("请换一个文件夹。", "Choose another folder."),
        )
    own = store.path is not None and target.resolve() in _files_of(Path(store.path).resolve())
    if own or _is_store(target):
        raise InputError(
            Text("不能覆盖网格数据文件。", "This would overwrite a store."),
            where="path",
            mend=Text("请换一个文件名。", "Choose another file name."),
        )


def _files_of(store: Path) -> tuple[Path, ...]:
    return (store, *(store.with_name(store.name + tail) for tail in ("-wal", "-shm", "-journal")))


def _is_store(target: Path) -> bool:
    """Whether there is a store of ours under that name (another one, or a backup)."""
    if not target.is_file():
        return False
    with target.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            return False
    try:
        with closing(sqlite3.connect(f"file:{quote(str(target.resolve()))}?mode=ro", uri=True)) as connection:
            found = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name IN ('change', 'audit')"
            ).fetchone()
    except sqlite3.Error:
        return False
    return found[0] == 2


@contextmanager
def draft_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` to write drafts in; it is gone afterwards, whatever happened.

    An error of the system (disk full, no right) inside the block comes out as an `InputError` that says so.
    """
    folder: Path | None = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=".wangge-draft-", dir=target.absolute().parent))
        yield folder
    except OSError as wrong:
        reason = wrong.strerror or type(wrong).__name__
        raise InputError(
            Text(f"文件没有写成：{reason}。", f"The file could not be written: {reason}."),
            where="path",
            mend=Text("请检查磁盘空间和写权限。", "Check the disk space and the write permission."),
        ) from wrong
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
