"""Fixtures of all tests: a store on either engine, and the PostGIS cluster behind one of them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import FOLDER_VARIABLE, OWNER_VARIABLE, Cluster, binaries, has_postgis, new_folder
from playwright.sync_api import Browser, sync_playwright
from visitor import ARGUMENTS, CHROMIUM

from layers.storage.store import Store


def pytest_configure(config: pytest.Config) -> None:
    """The first process names the cluster's folder; xdist workers inherit it and share the cluster."""
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER_VARIABLE] = str(new_folder())
        os.environ[OWNER_VARIABLE] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process stops the cluster at the end."""
    if not hasattr(config, "workerinput") and FOLDER_VARIABLE in os.environ:
        folder = Path(os.environ.pop(FOLDER_VARIABLE))
        if binaries() is None:
            folder.rmdir()
        else:
            Cluster(folder).stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly when half of the store's tests did not run."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    if any("PostGIS is not installed" in line for line in skipped):
        terminalreporter.write_line("NOT TESTED: the PostGIS store (install postgresql and postgis)", red=True)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The running PostGIS cluster of this test run."""
    found = binaries()
    if found is None or not has_postgis(found):
        if os.environ.get("CI") == "true":
            pytest.fail("PostGIS is not installed")
        pytest.skip("PostGIS is not installed")
    there = Cluster(Path(os.environ[FOLDER_VARIABLE]))
    there.start()
    return there


@pytest.fixture(scope="session")
def worker_name() -> str:
    """Name of the xdist worker, "alone" without xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture
def postgis_url(cluster: Cluster, worker_name: str) -> str:
    """Address of an empty database."""
    return cluster.fresh(f"empty_{worker_name}")


@pytest.fixture
def gpkg_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a GeoPackage."""
    with Store.create(str(tmp_path / "store.gpkg")) as store:
        yield store


@pytest.fixture
def postgis_store(cluster: Cluster, worker_name: str) -> Iterator[Store]:
    """An empty store in a PostGIS database."""
    with Store.open(cluster.fresh_store(f"store_{worker_name}")) as store:
        yield store


@pytest.fixture(params=["gpkg", pytest.param("postgis", marks=pytest.mark.postgis)])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store, once on each engine."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed")
        pytest.skip("NOT TESTED: the pages in a browser (install chromium)")
    # One per process: a second one would find the first one's event loop and refuse.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()
