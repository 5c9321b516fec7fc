"""The store: one GeoPackage file, or a PostgreSQL database with PostGIS, behind one class.

Reading is one transaction per `read()`; writing is `change()` for an act of a person (see `changes.py`) and
`open_change` ... `finish_change` for long imports (see `pending_changes.py`). Writers take turns: a lock file and BEGIN
IMMEDIATE on a GeoPackage, an advisory lock on PostgreSQL.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from geo.errors import StoreError
from geo.words import Text

from ..findings import Finding
from . import audit, changes, gpkg, history, lock, migrate, pending_changes, postgis, schema, store_file
from .changes import Change
from .faults import ConnectionLost, faults
from .settings import Settings

Answer = TypeVar("Answer")

CODE_SYSTEMS = ("cn12", "free")
_TRIES = 5
_KEPT = 500


def store_url(given: str | None) -> str:
    """The store that is meant: `given`, else $WANGGE_STORE, else wangge.gpkg in the current folder."""
    return given or os.environ.get("WANGGE_STORE") or "wangge.gpkg"


def is_postgis(url: str) -> bool:
    """Whether a store address names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgresql+psycopg://", "postgres://"))


class Store:
    """An open store. Make one with `create` or `open`, close it with `close` or as a context manager."""

    def __init__(self, url: str, engine: Engine, *, path: Path | None, readonly: bool) -> None:
        self.url = url
        self.engine = engine
        self.path = path
        self.readonly = readonly
        self.dialect = "postgis" if path is None else "gpkg"
        self.settings = Settings(self)
        self.kept: dict[Any, Any] = {}
        self.doubts: list[Finding] = []
        self._place_offset_h: int | None = None
        self._lock = None if path is None else lock.WriteLock(store_file.beside(path, "write"))
        self.codes = "cn12"
        self.known_on: str | None = None  # a moment: what is read is as it was known then (see `known.as_known`)
        self.origin: Store | None = None  # the open store that this one is a look back on

    @property
    def place_offset_h(self) -> int:
        """Hours that wall time of the place is ahead of UTC (8 in China; 0 in a free store: times as given)."""
        if self._place_offset_h is None:
            self._place_offset_h = int(self.settings.get("time_offset_h", 0))
        return self._place_offset_h

    @property
    def today(self) -> str:
        """The day that "now" means: today, or that of the moment looked back to."""
        return history.day(None) if self.known_on is None else history.day_of(self.known_on)

    def forget_settings(self) -> None:
        """Read again what is remembered of the settings."""
        self._place_offset_h = None

    def keep(self, key: Any, value: Any) -> None:
        """Remember a small derived value in this process; the key must hold the layer versions it came from."""
        while len(self.kept) >= _KEPT:
            self.kept.pop(next(iter(self.kept)), None)
        self.kept[key] = value

    def __repr__(self) -> str:
        return f"Store({self.path or self.engine.url.render_as_string(hide_password=True)!r})"

    @classmethod
    def create(cls, url: str, *, codes: str = "cn12", rules: str | None = None) -> "Store":
        """Make a new, empty store. `codes`: cn12 (12-digit area codes) or free; `rules`: name of its rule set.

        Raises StoreError when it exists already, lies on a network drive or cannot be made.
        """
        if codes not in CODE_SYSTEMS:
            raise ValueError(codes)
        if is_postgis(url):
            store = cls(url, postgis.engine(url), path=None, readonly=False)
        else:
            path = Path(url).absolute()
            lock.require_local(path)
            store_file.new_file(path)
            store = cls(str(path), gpkg.engine(path, readonly=False), path=path, readonly=False)
        try:
            store._make(codes, rules)
        except BaseException:
            store.close()
            if store.path is not None:
                store_file.remove_file(store.path)
            raise
        return store

    def _make(self, codes: str, rules: str | None) -> None:
        if self.dialect == "postgis":
            with faults(), self.engine.begin() as connection:
                postgis.create(connection)
                migrate.mark_new(connection)
        else:
            with self.write() as connection:
                gpkg.create(connection)
                migrate.mark_new(connection)
        self.codes = codes
        # Wall time of the place, kept as UTC: Chinese time is UTC+8 everywhere; free stores keep the time as given.
        first = {"codes": codes, "time_offset_h": 8 if codes == "cn12" else 0, "rule_set": rules}
        with self.change("owner", "create_store", details={"codes": codes}) as change:
            for name, value in first.items():
                if value is not None:
                    self.settings.put(change.connection, name, value)
        self._write_back()

    @classmethod
    def open(cls, url: str, *, readonly: bool = False) -> "Store":
        """Open an existing store; `store.readonly` is True when the file may only be read (show a banner then).

        `store.doubts` says when pages of different moments were found (show them, restore a backup). Raises
        NotFoundError when there is none, StoreError when it is damaged, of a newer version or on a network
        drive. Pending changes of dead processes are cleaned up.
        """
        if is_postgis(url):
            store = cls(url, postgis.engine(url), path=None, readonly=readonly)
        else:
            path = Path(url).absolute()
            store_file.require_file(path)
            lock.require_local(path)
            readonly = readonly or not store_file.may_write(path)
            store = cls(str(path), gpkg.engine(path, readonly=readonly), path=path, readonly=readonly)
        try:
            migrate.require_current(store)
            store.codes = store.settings.get("codes", "cn12")
            with store.read() as connection:
                store.doubts = audit.doubts(connection)
            if not store.readonly:
                pending_changes.sweep(store)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close all connections; the WAL is written back into the file."""
        self._write_back()
        self.engine.dispose()
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- transactions

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection in one read transaction: everything read through it is of one moment."""
        with faults(), self.engine.connect() as connection:
            if self.dialect == "postgis":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if self.known_on is not None:
                connection = connection.execution_options(**{history.KNOWN_ON: self.known_on})
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A connection in one write transaction that others wait for; keep it under two seconds.

        `durable`: on disk when it returns (acts of people); False for batches of an import, where only the last
        transaction must be.
        """
        if self.readonly:
            raise StoreError(
                Text("数据文件以只读方式打开，不能更改。", "The store is open read-only: nothing can be changed."),
                where=self.url if self.path else "",
                mend=Text("请检查文件和文件夹的写权限。", "Check the write permission of the file and its folder."),
            )
        if self.dialect == "postgis":
            with faults(), self.engine.connect() as connection, connection.begin():
                postgis.take_turn(connection, durable=durable)
                yield connection
            return
        assert self._lock is not None and self.path is not None
        with faults(), self._lock.held(), self.engine.connect() as connection:
            connection = connection.execution_options(wangge_begin="FULL" if durable else "NORMAL")
            with connection.begin():
                yield connection
            store_file.write_back_large(connection, self.path)

    def _write_back(self) -> None:
        """Write the whole WAL into the file; when that cannot be, the next opening does it."""
        if self._lock is None or self.readonly:
            return
        with suppress(DBAPIError, StoreError, OSError), self._lock.held(), self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def change(
        self,
        actor: str,
        action: str,
        *,
        details: dict[str, Any] | None = None,
        source: str | None = None,
        key: str | None = None,
    ) -> AbstractContextManager[Change]:
        """An act of a person: one transaction with its audit row. `key`: idempotency key (see `Change.repeated`)."""
        return changes.short(self, actor, action, details=details, source=source, key=key)

    def act(
        self, actor: str, action: str, body: Callable[[Change], dict[str, Any]], *, key: str | None = None, **said: Any
    ) -> dict[str, Any]:
        """Run `body` in a change and give its answer; after a lost connection it is tried again, never done twice."""
        key = key or uuid.uuid4().hex
        for attempt in range(_TRIES):
            try:
                with self.change(actor, action, key=key, **said) as change:
                    if change.repeated:
                        return change.answer or {}
                    change.answer = body(change)
                return change.answer
            except ConnectionLost:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(0.2 * 2**attempt)
        raise AssertionError

    def open_change(
        self,
        actor: str,
        action: str,
        *,
        kinds: Iterable[str] = (),
        details: dict[str, Any] | None = None,
        source: str | None = None,
        key: str | None = None,
    ) -> int:
        """Begin a long change; its rows stay invisible until `finish_change`. See `pending_changes.open_change`."""
        return pending_changes.open_change(self, actor, action, kinds=kinds, details=details, source=source, key=key)

    def finish_change(
        self,
        change_id: int,
        kinds: Iterable[str],
        rows: int | dict[str, int],
        answer: dict[str, Any] | None = None,
    ) -> None:
        """Make a long change visible: one transaction with versions and audit row."""
        pending_changes.finish(self, change_id, kinds, rows, answer)

    def abandon_change(self, change_id: int) -> None:
        """End a long change as if it had never been."""
        pending_changes.abandon(self, change_id)

    def versions(self, kinds: Iterable[str] | None = None) -> dict[str, int]:
        """Version of each layer that ever had rows, or of `kinds` (0 when it never had)."""
        with self.read() as connection:
            rows = connection.execute(select(schema.layer_version.c.kind, schema.layer_version.c.version)).all()
        known = {row.kind: row.version for row in rows}
        return known if kinds is None else {kind: known.get(kind, 0) for kind in kinds}

    # --- the file

    def serve_lock(self) -> AbstractContextManager[Any]:
        """Say that a server runs on this store; ConflictError when one does already. Hold it while serving."""
        if self.path is None or self.readonly:
            return _nothing()
        return lock.ServerLock(store_file.beside(self.path, "server"))

    def quick_check(self) -> bool:
        """Whether the file's pages are sound (SQLite's quick_check); True on PostgreSQL, which checks for itself."""
        if self.path is None:
            return True
        with self.read() as connection:
            return connection.execute(text("PRAGMA quick_check(1)")).scalar_one() == "ok"


@contextmanager
def _nothing() -> Iterator[None]:
    yield
