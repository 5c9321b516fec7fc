"""Stored homes follow a decision on its day: by the server's job thread, and before an export without a server."""

import csv
from datetime import timedelta

import decided
import geopandas as gpd
import pytest
import shapely
from command_line import CommandLine
from squares import put

from layers.places import homes
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage import history
from layers.storage.history import today
from layers.storage.store import Store
from web.jobs import Worker

DAY = today() + timedelta(days=3)


@pytest.fixture
def town(gpkg_store: Store) -> tuple[Store, str, str]:
    """A store with one camera in a grid that is merged into another in three days; both codes."""
    store = decided.fill(gpkg_store)
    one, two = decided.neighbours(store)[0]
    spot = shapely.point_on_surface(read_layer(store, "grid", OWNER).geometry[two])
    put(store, "camera", gpd.GeoDataFrame({"device_id": ["c1"]}, geometry=[spot], crs=4490))
    homes.keep_up(store)
    decided.approved(store, decided.drawn(store, [decided.merge(one, two, into=one)], on=DAY.isoformat()))
    return store, one, two


def home(store: Store) -> str:
    return read_layer(store, "camera", OWNER)["grid_code"].iloc[0]


def test_the_job_thread_sets_homes_once_on_every_new_day(town, monkeypatch):
    store, one, two = town
    worker, asked = Worker(store), []
    really = homes.keep_up

    def counting(of: Store, *more: object) -> object:
        # Job threads of other tests' servers live on in this process and have their own stores.
        if of is store:
            asked.append(history.today())
        return really(of, *more)

    monkeypatch.setattr(homes, "keep_up", counting)

    def turn() -> None:
        monkeypatch.setattr("layers.work.run_next", lambda *_, **__: worker._stopping.set())
        worker._stopping.clear()
        worker.run()

    turn()
    turn()
    assert (len(asked), home(store)) == (1, two)
    monkeypatch.setattr(history, "today", lambda: DAY)
    monkeypatch.setattr("web.jobs.today", lambda: DAY)
    turn()
    assert (len(asked), home(store)) == (2, one)


def test_an_export_without_a_server_finds_the_homes_of_its_day(town, monkeypatch, tmp_path, capsys):
    store, one, _two = town
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(history, "today", lambda: DAY)
    path = tmp_path / "cameras.csv"
    assert CommandLine(capsys, store.path).run("export", "camera", path) == 0
    with path.open(encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert any(one in row for row in rows[1:])
