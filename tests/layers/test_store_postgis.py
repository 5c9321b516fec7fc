"""The PostgreSQL store: a server that goes away, acts that are never done twice, rows that others cannot change."""

import subprocess
import sys
import threading
from pathlib import Path

import geopandas as gpd
import psycopg
import pytest
from cluster import Cluster
from sqlalchemy import text

from geo.words import Text
from layers.rights import OWNER
from layers.selection import frames
from layers.storage import audit, rows
from layers.storage.store import ConnectionLost, Store

pytestmark = pytest.mark.postgis


def points(count: int) -> gpd.GeoDataFrame:
    """Cameras in a row."""
    return gpd.GeoDataFrame(
        {"name": ["桥\t\\N\n"] * count},
        geometry=gpd.points_from_xy([111 + i / 1e4 for i in range(count)], [22] * count),
        crs=4490,
    )


def test_a_restarted_server_loses_and_doubles_no_act(cluster: Cluster) -> None:
    """A cluster of its own: a restart would end the connections of tests beside this one."""
    from cluster import new_folder

    own = Cluster(new_folder())
    try:
        own.start()
        # Not a copy of the template: PostgreSQL gives a number of a copied sequence twice when it crashes soon after.
        store = Store.create(own.fresh("restart"))
        done: list[str] = []
        stop = threading.Event()
        errors: list[Exception] = []

        def write(who: int) -> None:
            number = 0
            while not stop.is_set():
                key = f"{who}-{number}"

                def body(change, key=key) -> dict:
                    store.settings.put(change.connection, key, True)
                    return {"key": key}

                try:
                    assert store.act("li", "setting", body, key=key) == {"key": key}
                except Exception as error:
                    errors.append(error)
                    return
                done.append(key)
                number += 1

        writers = [threading.Thread(target=write, args=(who,)) for who in range(2)]
        for writer in writers:
            writer.start()
        for _ in range(3):
            reached = len(done)
            while len(done) < reached + 10 and not errors:
                stop.wait(0.01)
            own.crash()
        reached = len(done)
        while len(done) < reached + 10 and not errors:
            stop.wait(0.01)
        stop.set()
        for writer in writers:
            writer.join()
        assert [str(error) + getattr(error, "where", "") for error in errors] == []
        kept = [name for name in store.settings.all() if "-" in name]
        assert sorted(kept) == sorted(done)
        assert len(audit.read_audit(store, limit=100_000)) == len(done) + 1
        assert audit.verify_chain(store) == []
        store.close()
    finally:
        own.stop()


def test_an_act_is_given_up_after_five_tries(postgis_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.storage.store.time.sleep", lambda _seconds: None)
    tries = []

    def body(_change) -> dict:
        tries.append(1)
        raise ConnectionLost(Text("断", "lost"))

    with pytest.raises(ConnectionLost):
        postgis_store.act("li", "setting", body)
    assert len(tries) == 5


def test_other_programs_read_but_do_not_change(postgis_store: Store, cluster: Cluster, worker_name: str) -> None:
    change_id = postgis_store.open_change("li", "import")
    rows.insert_rows(postgis_store, change_id, "camera", points(3))
    postgis_store.finish_change(change_id, ["camera"], 3)
    with psycopg.connect(f"host={cluster.folder} user=wangge dbname=store_{worker_name}") as other:
        assert other.execute("SELECT count(*) FROM camera").fetchone() == (3,)
        for statement in (
            "DELETE FROM camera_row",
            "UPDATE account SET role = 'administrator'",
            "DELETE FROM audit",
            "UPDATE camera SET name = 'x'",
        ):
            with pytest.raises(psycopg.Error), other.transaction():
                other.execute(statement)


def test_a_window_uses_the_gist_index(postgis_store: Store) -> None:
    change_id = postgis_store.open_change("li", "import")
    rows.insert_rows(postgis_store, change_id, "camera", points(3000))
    postgis_store.finish_change(change_id, ["camera"], 3000)
    with postgis_store.write() as connection:
        connection.execute(text("ANALYZE camera_row"))
    with postgis_store.read() as connection:
        plan = " ".join(
            row[0]
            for row in connection.execute(
                text("EXPLAIN SELECT * FROM camera_row WHERE geom && ST_MakeEnvelope(111.0, 21, 111.001, 23, 4490)")
            )
        )
    assert "camera_row_geom" in plan


def test_odd_characters_survive_copy(postgis_store: Store) -> None:
    change_id = postgis_store.open_change("li", "import")
    rows.insert_rows(postgis_store, change_id, "camera", points(2))
    postgis_store.finish_change(change_id, ["camera"], 2)
    assert frames.read_layer(postgis_store, "camera", OWNER)["name"].tolist() == ["桥\t\\N\n"] * 2


def test_a_reader_sees_one_moment_throughout(postgis_store: Store) -> None:
    with postgis_store.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM setting")).scalar_one()
        postgis_store.settings.set("x", 1)
        assert connection.execute(text("SELECT count(*) FROM setting")).scalar_one() == before


def test_the_password_is_not_shown(cluster: Cluster) -> None:
    from layers.storage import postgis

    engine = postgis.engine("postgresql://wangge:geheim@localhost/x")
    store = Store("postgresql://wangge:geheim@localhost/x", engine, path=None, readonly=False)
    assert "geheim" not in repr(store)
    store.close()


def test_processes_take_turns(postgis_store: Store, tmp_path: Path) -> None:
    postgis_store.settings.set("number", 0)
    program = """
import sys
from sqlalchemy import text
from layers.storage.store import Store
with Store.open(sys.argv[1]) as store:
    for _ in range(40):
        with store.change("li", "count") as change:
            old = int(change.connection.execute(text("SELECT value FROM setting WHERE name = 'number'")).scalar_one())
            store.settings.put(change.connection, "number", old + 1)
"""
    children = [subprocess.Popen([sys.executable, "-c", program, postgis_store.url]) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert postgis_store.settings.get("number") == 80
