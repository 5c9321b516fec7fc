"""Locks beside the store file, and where a store file may lie.

One lock says "a server runs on this store" (held as long as the server lives), the other one is held by whoever
writes or checkpoints, so that two never do at once. Both vanish with the process that holds them.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from geo.errors import ConflictError, StoreError
from geo.words import Text

try:
    import fcntl
except ImportError:  # Windows has no flock; SQLite's own locks still hold there
    fcntl = None  # type: ignore[assignment]

WAIT_S = 30.0
_NETWORK_TYPES = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "fuse.sshfs", "fuse.glusterfs", "ceph"}


def _try_lock(handle: IO[str]) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")


class WriteLock:
    """Held by the one thread of the one process that writes; others wait up to 30 s."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._owner: int | None = None
        self._handle: IO[str] | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; StoreError when it cannot be had, RuntimeError when this thread holds it already."""
        if self._owner == threading.get_ident():
            raise RuntimeError("a write transaction inside a write transaction")
        deadline = time.monotonic() + WAIT_S
        if not self._thread.acquire(timeout=WAIT_S):
            raise busy()
        try:
            self._owner = threading.get_ident()
            if self._handle is None:
                self._handle = _open(self._path)
            pause = 0.0005
            while not _try_lock(self._handle):
                if time.monotonic() > deadline:
                    raise busy()
                time.sleep(pause)
                pause = min(pause * 1.5, 0.01)
            try:
                yield
            finally:
                if fcntl is not None:
                    fcntl.flock(self._handle, fcntl.LOCK_UN)
        finally:
            self._owner = None
            self._thread.release()

    def close(self) -> None:
        """Close the lock file."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None


class ServerLock:
    """Says that a server runs on a store; a second one is refused with pid and host of the first."""

    def __init__(self, path: Path) -> None:
        self._handle = _open(path)
        if not _try_lock(self._handle):
            held_by = self._handle.read()
            self._handle.close()
            try:
                holder = json.loads(held_by)
            except ValueError:
                holder = {"pid": "?", "host": "?"}
            raise ConflictError(
                Text(
                    f"这个数据文件已有服务在运行（进程 {holder['pid']}，主机 {holder['host']}）。",
                    f"A server already runs on this store (process {holder['pid']} on {holder['host']}).",
                ),
                where=str(path),
                mend=Text("请先停止那个服务，或使用另一个数据文件。", "Stop that server first, or use another store."),
            )
        self._handle.seek(0)
        self._handle.truncate()
        json.dump({"pid": os.getpid(), "host": socket.gethostname()}, self._handle)
        self._handle.flush()

    def close(self) -> None:
        """Give the store free."""
        self._handle.close()

    def __enter__(self) -> "ServerLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def busy() -> StoreError:
    """The error of a store that others keep writing to."""
    return StoreError(
        Text("数据文件正忙，30 秒内没有轮到写入。", "The store is busy: no turn to write within 30 seconds."),
        mend=Text("请稍后再试。", "Try again in a moment."),
    )


def file_system(path: Path, mounts: str) -> str:
    """Type of the file system that holds `path`, from the text of /proc/mounts; "" when unknown."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = Path(parts[1].replace("\\040", " "))
        if (path == point or point in path.parents) and len(str(point)) >= best:
            best, kind = len(str(point)), parts[2]
    return kind


def require_local(path: Path) -> None:
    """Raise StoreError when the file lies on a network drive, where SQLite's locks and WAL do not hold."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    kind = file_system(path.resolve(), mounts)
    if kind in _NETWORK_TYPES:
        raise StoreError(
            Text(f"数据文件不能放在网络驱动器上（{kind}）。", f"A store cannot lie on a network drive ({kind})."),
            where=path.name,
            mend=Text(
                "请放在本机磁盘，或使用 PostgreSQL。", "Keep it on a local disk, or use PostgreSQL for a shared store."
            ),
        )
