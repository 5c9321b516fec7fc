"""What goes wrong with files: killed processes, full disks, torn WALs, two writers, read-only folders."""

import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pytest
from sqlalchemy import text

from geo.errors import ConflictError, NotFoundError, StoreError
from layers.rights import OWNER
from layers.selection import frames
from layers.storage import audit, lock, rows
from layers.storage.store import Store, store_url

# Starting Python costs more than the work, so one process loads everything and forks a child per line it reads.
IMPORTER = """
import os, signal, sys, geopandas as gpd, numpy as np
from layers.storage import rows
from layers.storage.store import Store
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
rows.BATCH = 500
rng = np.random.default_rng(1)
frame = gpd.GeoDataFrame(
    {"category": ["x"] * 2000}, geometry=gpd.points_from_xy(rng.uniform(111, 112, 2000), rng.uniform(22, 23, 2000)), crs=4490
)
while sys.stdin.readline():
    if os.fork():
        continue
    store = Store.open(sys.argv[1])
    print("pid", os.getpid(), flush=True)
    while True:
        change_id = store.open_change("li", "import", kinds=["incident"])
        rows.insert_rows(store, change_id, "incident", frame)
        store.finish_change(change_id, ["incident"], 2000)
        os.write(1, b"done\\n")
"""


def cameras(count: int) -> gpd.GeoDataFrame:
    """Cameras in a row."""
    return gpd.GeoDataFrame(
        {"name": ["桥"] * count},
        geometry=gpd.points_from_xy([111 + i / 1e4 for i in range(count)], [22] * count),
        crs=4490,
    )


def put(store: Store, frame: gpd.GeoDataFrame) -> int:
    """One finished import of cameras."""
    change_id = store.open_change("li", "import", kinds=["camera"])
    rows.insert_rows(store, change_id, "camera", frame)
    store.finish_change(change_id, ["camera"], len(frame))
    return change_id


def require_whole(store: Store) -> None:
    """Pages, R*Trees, audit chain and row totals fit each other."""
    assert store.quick_check()
    assert audit.verify_chain(store) == []
    with store.read() as connection:
        for kind in ("incident", "camera"):
            checked = connection.exec_driver_sql(f"SELECT rtreecheck('rtree_{kind}_row_geom')").scalar_one()
            assert checked == "ok"
            stray = connection.exec_driver_sql(
                f"SELECT (SELECT count(*) FROM rtree_{kind}_row_geom) - (SELECT count(geom) FROM {kind}_row)"
            ).scalar_one()
            assert stray == 0


def test_imports_killed_at_fifty_moments_are_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "store.gpkg"
    Store.create(str(path)).close()
    chance = random.Random(7)
    acknowledged = 0
    with subprocess.Popen(
        [sys.executable, "-c", IMPORTER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for _ in range(50):
            parent.stdin.write("go\n")
            parent.stdin.flush()
            while (line := parent.stdout.readline()) == "done\n":
                acknowledged += 1
            pid = int(line.removeprefix("pid "))
            threading.Event().wait(chance.uniform(0.005, 0.25))
            os.kill(pid, signal.SIGKILL)
        parent.stdin.close()
        acknowledged += parent.stdout.read().count("done\n")
    with Store.open(str(path)) as store:
        require_whole(store)
        found = frames.count_layer(store, "incident", OWNER)
        assert found % 2000 == 0
        assert found // 2000 >= acknowledged > 0
        with store.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM change WHERE state = 'pending'")).scalar_one() == 0
            assert connection.execute(text("SELECT count(*) FROM incident_row")).scalar_one() == found


def test_two_writers_lose_no_update(tmp_path: Path) -> None:
    with Store.create(str(tmp_path / "store.gpkg")) as store:
        store.settings.set("number", 0)
        program = """
import os
import sys
from layers.storage.store import Store
import contextlib
import json
from sqlalchemy import text
for _ in range(3):
    if os.fork() == 0:
        break
else:
    sys.exit(max(os.wait()[1] for _ in range(3)) > 0)
with Store.open(sys.argv[1]) as store:
    for _ in range(100):
        with store.change("li", "count") as change:
            old = json.loads(change.connection.execute(text("SELECT value FROM setting WHERE name = 'number'")).scalar_one())
            store.settings.put(change.connection, "number", old + 1)
"""
        subprocess.run([sys.executable, "-c", program, str(store.path)], check=True)
        assert store.settings.get("number") == 300
        assert audit.verify_chain(store) == []


def test_threads_of_one_process_take_turns(store: Store) -> None:
    store.settings.set("number", 0)
    errors = []

    def add() -> None:
        try:
            for _ in range(25):
                with store.change("li", "count") as change:
                    old = change.connection.execute(
                        text("SELECT value FROM setting WHERE name = 'number'")
                    ).scalar_one()
                    store.settings.put(change.connection, "number", int(old) + 1)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.settings.get("number") == 100


def test_a_write_inside_a_write_is_a_fault_not_a_wait(gpkg_store: Store) -> None:
    with gpkg_store.change("li", "setting"), pytest.raises(RuntimeError):
        gpkg_store.settings.set("x", 1)


FULL = """
import resource, signal, sys, geopandas as gpd
from geo.errors import StoreError
from layers.storage import rows; from layers.selection import frames
from layers.rights import OWNER
from layers.storage.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(sys.argv[1])
frame = gpd.GeoDataFrame({"name": ["x" * 200] * 4000}, geometry=gpd.points_from_xy([111.0] * 4000, [22.0] * 4000), crs=4490)
resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, resource.RLIM_INFINITY))
change_id = store.open_change("li", "import", kinds=["camera"])
try:
    rows.insert_rows(store, change_id, "camera", frame)
    print("stored")
except StoreError as error:
    print(error.to("en"))
assert frames.count_layer(store, "camera", OWNER) == 3
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.abandon_change(change_id)
store.settings.set("after", 1)
store.close()
"""


def test_a_full_disk_refuses_the_act_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.gpkg"
    with Store.create(str(path)) as store:
        put(store, cameras(3))
    ran = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Disk full" in ran.stdout
    with Store.open(str(path)) as store:
        require_whole(store)
        assert store.settings.get("after") == 1
        assert frames.count_layer(store, "camera", OWNER) == 3


@pytest.mark.parametrize("harm", ["cut", "flip"])
def test_a_torn_wal_gives_an_earlier_whole_state(tmp_path: Path, harm: str) -> None:
    source = tmp_path / "live.gpkg"
    store = Store.create(str(source))
    for _ in range(4):
        put(store, cameras(20))
    wal = Path(f"{source}-wal").read_bytes()
    body = source.read_bytes()
    store.close()
    assert len(wal) > 50_000
    chance = random.Random(3)
    seen = set()
    for number in range(12):
        path = tmp_path / f"{harm}{number}.gpkg"
        path.write_bytes(body)
        at = chance.randrange(len(wal) // 4, len(wal))
        torn = wal[:at] if harm == "cut" else wal[:at] + bytes([wal[at] ^ 0xFF]) + wal[at + 1 :]
        Path(f"{path}-wal").write_bytes(torn)
        try:
            reopened = Store.open(str(path))
        except StoreError:
            continue  # an empty prefix: no tables yet
        with reopened:
            with reopened.read() as connection:
                pending = connection.scalar(text("SELECT max(id) FROM change WHERE state = 'pending'"))
            if pending is not None:
                reopened.abandon_change(pending)
            require_whole(reopened)
            seen.add(frames.count_layer(reopened, "camera", OWNER))
    assert seen <= {0, 20, 40, 60, 80}
    assert seen


def test_a_store_whose_last_pages_were_lost_is_found_by_the_totals(tmp_path: Path) -> None:
    path = tmp_path / "store.gpkg"
    with Store.create(str(path)) as store:
        put(store, cameras(10))
    with closing(sqlite3.connect(path)) as raw:
        raw.create_function("wangge_guard", 0, lambda: 1)
        raw.execute("DELETE FROM camera_row WHERE fid > 5")
        raw.commit()
    with Store.open(str(path)) as store:
        assert store.doubts == []
        assert [finding.kind for finding in audit.verify_chain(store)] == ["audit_totals"]


@pytest.mark.parametrize(
    "loss",
    [
        "UPDATE layer_version SET version = 0",
        "DELETE FROM change WHERE id = (SELECT max(id) FROM change)",
        "UPDATE audit SET details = '{}'",
    ],
)
def test_opening_tells_of_pages_of_different_moments(tmp_path: Path, loss: str) -> None:
    path = tmp_path / "store.gpkg"
    with Store.create(str(path)) as store:
        put(store, cameras(2))
        with store.write() as connection:
            connection.exec_driver_sql(loss)
    with Store.open(str(path)) as store:
        assert len(store.doubts) == 1


def test_a_damaged_file_is_refused_with_words(tmp_path: Path) -> None:
    path = tmp_path / "store.gpkg"
    path.write_bytes(b"SQLite format 3\x00" + os.urandom(8000))
    with pytest.raises(StoreError):
        Store.open(str(path))
    with pytest.raises(NotFoundError):
        Store.open(str(tmp_path / "none.gpkg"))


def test_an_ordinary_geopackage_is_not_taken_for_a_store(tmp_path: Path) -> None:
    path = tmp_path / "plain.gpkg"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
        raw.commit()
    with pytest.raises(StoreError):
        Store.open(str(path))


def test_a_read_only_file_can_be_read_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    path = folder / "store.gpkg"
    with Store.create(str(path)) as store:
        put(store, cameras(3))
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        with Store.open(str(path)) as store:
            assert store.readonly
            assert frames.count_layer(store, "camera", OWNER) == 3
            assert len(frames.list_layers(store, OWNER)) == 1
            with pytest.raises(StoreError):
                store.settings.set("x", 1)
            with pytest.raises(StoreError):
                store.open_change("li", "import")
    finally:
        folder.chmod(0o755)


def test_read_only_on_wish_does_not_write(store: Store) -> None:
    with Store.open(store.url, readonly=True) as reader, pytest.raises(StoreError):
        reader.settings.set("x", 1)


def test_a_second_server_is_refused_and_the_lock_goes_with_the_first(gpkg_store: Store) -> None:
    with gpkg_store.serve_lock():
        with pytest.raises(ConflictError) as caught:
            gpkg_store.serve_lock()
        assert str(os.getpid()) in caught.value.to("en")
    with gpkg_store.serve_lock():
        pass


def test_a_server_lock_of_a_killed_process_is_free(gpkg_store: Store) -> None:
    program = (
        "import sys, time\nfrom layers.storage.store import Store\nstore = Store.open(sys.argv[1])\n"
        "held = store.serve_lock()\nprint('held', flush=True)\nsys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(gpkg_store.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(ConflictError):
        gpkg_store.serve_lock()
    child.kill()
    child.communicate()
    with gpkg_store.serve_lock():
        assert child.returncode == -signal.SIGKILL


def test_network_drives_are_known_by_the_mount_table() -> None:
    mounts = "\n".join(
        ["/dev/sda1 / ext4 rw 0 0", "srv:/x /data/share nfs4 rw 0 0", "//srv/y /data/win\\040share cifs rw 0 0"]
    )
    assert lock.file_system(Path("/data/share/a/store.gpkg"), mounts) == "nfs4"
    assert lock.file_system(Path("/data/win share/store.gpkg"), mounts) == "cifs"
    assert lock.file_system(Path("/data/sharex/store.gpkg"), mounts) == "ext4"
    assert lock.file_system(Path("/home/store.gpkg"), mounts) == "ext4"


def test_a_network_drive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "file_system", lambda *_: "nfs4")
    with pytest.raises(StoreError):
        Store.create(str(tmp_path / "store.gpkg"))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_store_that_could_not_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from layers.storage import gpkg

    def fail(_connection) -> None:
        raise sqlite3.OperationalError("no")

    monkeypatch.setattr(gpkg, "create", fail)
    with pytest.raises(StoreError):
        Store.create(str(tmp_path / "store.gpkg"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError):
        Store.create(str(tmp_path / "no" / "folder.gpkg"))


def test_store_address_comes_from_option_environment_or_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANGGE_STORE", "b.gpkg")
    assert store_url("a.gpkg") == "a.gpkg"
    assert store_url(None) == "b.gpkg"
    monkeypatch.delenv("WANGGE_STORE")
    assert store_url(None) == "wangge.gpkg"


def test_file_names_with_question_marks_and_blanks_are_names_only(tmp_path: Path) -> None:
    path = tmp_path / "望川 store?mode=memory#x.gpkg"
    with Store.create(str(path)) as store:
        put(store, cameras(2))
    assert path.stat().st_size > 4096
    with Store.open(str(path)) as store:
        assert frames.count_layer(store, "camera", OWNER) == 2


def test_too_many_open_files_is_an_error_with_words_and_passes(gpkg_store: Store) -> None:
    copy = shutil.copy(gpkg_store.path, gpkg_store.path.with_name("copy.gpkg"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
    fillers: list[int] = []
    try:
        # The limit is on the highest number, so free numbers below it are taken first.
        with contextlib.suppress(OSError):
            while True:
                fillers.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises((StoreError, OSError)):
            Store.open(str(copy))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)
    gpkg_store.close()
    with Store.open(gpkg_store.url) as store:
        assert store.settings.get("codes") == "cn12"
