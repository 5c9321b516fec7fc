"""Stores that several tests begin with: filled once on each engine, copied for every test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster import Cluster
from gridded import with_grids
from squares import fill

from layers.storage.store import Store

FILLED = {"townships": fill, "grids": with_grids}
BOTH = ["gpkg", pytest.param("postgis", marks=pytest.mark.postgis)]


@pytest.fixture(scope="session")
def filled_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A closed GeoPackage store for each of `FILLED`."""
    folder = tmp_path_factory.mktemp("filled")
    for name, fill_in in FILLED.items():
        with Store.create(str(folder / f"{name}.gpkg")) as store:
            fill_in(store)
    return {name: folder / f"{name}.gpkg" for name in FILLED}


@pytest.fixture(scope="session")
def filled_databases(cluster: Cluster, worker_name: str) -> dict[str, str]:
    """The name of a database for each of `FILLED`."""
    names = {name: f"filled_{name}_{worker_name}" for name in FILLED}
    for name, fill_in in FILLED.items():
        cluster.fresh_store(names[name])
        with Store.open(cluster.url(names[name])) as store:
            fill_in(store)
    return names


@pytest.fixture
def copied(request: pytest.FixtureRequest, tmp_path: Path, worker_name: str) -> Callable[[str, str], str]:
    """Makes a copy of a filled store on an engine; gives its address."""

    def make(engine: str, name: str) -> str:
        if engine == "gpkg":
            shutil.copyfile(request.getfixturevalue("filled_files")[name], tmp_path / "store.gpkg")
            return str(tmp_path / "store.gpkg")
        template = request.getfixturevalue("filled_databases")[name]
        return request.getfixturevalue("cluster").fresh(f"store_{worker_name}", template=template)

    return make


@pytest.fixture(params=BOTH)
def township_store(request: pytest.FixtureRequest, copied: Callable[[str, str], str]) -> Iterator[Store]:
    """The county of `squares`, once on each engine."""
    with Store.open(copied(request.param, "townships")) as store:
        yield store


@pytest.fixture(params=BOTH)
def gridded_store(request: pytest.FixtureRequest, copied: Callable[[str, str], str]) -> Iterator[Store]:
    """The same with the grids of `gridded`, once on each engine."""
    with Store.open(copied(request.param, "grids")) as store:
        yield store
