"""Backups: whole, of one moment, checked on the way back."""

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from geo.errors import InputError, StoreError
from layers.storage import audit, backup, schema
from layers.storage.store import Store


def test_a_backup_is_one_private_file_that_restores(gpkg_store: Store, tmp_path: Path) -> None:
    gpkg_store.settings.set("title", "望川县")
    made = backup.backup(gpkg_store, tmp_path / "copy.gpkg")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with closing(sqlite3.connect(made)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert sorted(path.name for path in tmp_path.glob("*copy*")) == ["copy.gpkg"]
    restored = backup.restore(made, tmp_path / "again.gpkg")
    with Store.open(str(restored)) as store:
        assert store.settings.get("title") == "望川县"
        store.settings.set("title", "x")


def test_a_backup_made_while_others_write_is_of_one_moment(gpkg_store: Store, tmp_path: Path) -> None:
    stop = threading.Event()
    written = []

    def write() -> None:
        while not stop.is_set():
            gpkg_store.settings.set("number", len(written))
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            backup.backup(gpkg_store, tmp_path / f"copy{number}.gpkg")
    finally:
        stop.set()
        writer.join()
    assert len(written) > 5
    for number in range(5):
        with Store.open(str(tmp_path / f"copy{number}.gpkg")) as store:
            assert audit.verify_chain(store) == []
            assert store.quick_check()


def test_a_damaged_or_foreign_file_is_not_restored(gpkg_store: Store, tmp_path: Path) -> None:
    made = backup.backup(gpkg_store, tmp_path / "copy.gpkg")
    body = bytearray(made.read_bytes())
    body[3 * 4096 : 9 * 4096] = b"\xff" * (6 * 4096)
    bad = tmp_path / "bad.gpkg"
    bad.write_bytes(body)
    text = tmp_path / "text.gpkg"
    text.write_text("not a store" * 1000)
    for path in (bad, text, tmp_path / "none.gpkg"):
        with pytest.raises(StoreError):
            backup.restore(path, tmp_path / "target.gpkg")
        assert not (tmp_path / "target.gpkg").exists()


def test_a_backup_with_a_forged_audit_trail_is_not_restored(gpkg_store: Store, tmp_path: Path) -> None:
    with gpkg_store.write() as connection:
        connection.execute(schema.audit.update().values(actor="nobody"))
    made = backup.backup(gpkg_store, tmp_path / "copy.gpkg")
    with pytest.raises(StoreError):
        backup.restore(made, tmp_path / "target.gpkg")
    assert not (tmp_path / "target.gpkg").exists()


def test_nothing_is_overwritten(gpkg_store: Store, tmp_path: Path) -> None:
    made = backup.backup(gpkg_store, tmp_path / "copy.gpkg")
    with pytest.raises(StoreError):
        backup.backup(gpkg_store, made)
    with pytest.raises(StoreError):
        backup.restore(made, made)
    with pytest.raises(StoreError):
        backup.backup(gpkg_store, tmp_path / "nowhere" / "copy.gpkg")


@pytest.mark.postgis
def test_postgresql_is_backed_up_with_its_own_tools(postgis_store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        backup.backup(postgis_store, tmp_path / "copy.gpkg")
