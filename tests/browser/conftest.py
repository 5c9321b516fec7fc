"""One server on the small made-up county and one Chromium for all browser tests of a run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import HOSTILE, PASSWORD, make_store_file
from playwright.sync_api import Browser
from small_county import make_small_store
from traced import trace_grids
from visitor import Visit, Visitor, serving

from layers.checking import mend_jobs
from layers.rights import ROLES
from layers.storage import accounts
from layers.storage.store import Store
from web import jobs
from web.app import create_app


def _add_accounts(store: Store) -> None:
    for role in ROLES:
        accounts.create(store, role, role, password=PASSWORD, must_change=False)


@pytest.fixture(scope="session")
def county_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store file with the small county and one account per role."""
    path = tmp_path_factory.mktemp("county") / "county.gpkg"
    make_small_store(path)
    with Store.open(str(path)) as store:
        _add_accounts(store)
    return path


def _serve(path: Path, folder: Path) -> Iterator[str]:
    with Store.open(str(path)) as store:
        app = create_app({"WORK_FOLDER": str(folder)}, store)
        worker = jobs.start_worker(app)
        with serving(app) as address:
            yield address
        worker.stop()


@pytest.fixture(scope="session")
def address(county_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server everybody reads from; nobody changes data there."""
    yield from _serve(county_file, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="session")
def drafting_address(county_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for drafts of boundaries: each test makes its own, none is decided on there."""
    folder = tmp_path_factory.mktemp("drafting")
    copy = folder / "drafting.gpkg"
    shutil.copyfile(county_file, copy)
    yield from _serve(copy, folder / "work")


@pytest.fixture
def own_address(county_file: Path, tmp_path: Path) -> Iterator[str]:
    """A server on a copy of one's own, for tests that change data."""
    copy = tmp_path / "own.gpkg"
    shutil.copyfile(county_file, copy)
    yield from _serve(copy, tmp_path / "work")


@pytest.fixture
def dirty_address(county_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of one's own whose grids do not fit, and where even a few are mended in the background."""
    copy = tmp_path / "dirty.gpkg"
    shutil.copyfile(county_file, copy)
    trace_grids(copy)
    monkeypatch.setattr(mend_jobs, "QUICK_GRIDS", 1)
    yield from _serve(copy, tmp_path / "work")


@pytest.fixture
def hostile_address(tmp_path: Path) -> Iterator[str]:
    """A server whose every name is a script."""
    path = make_store_file(tmp_path / "hostile.gpkg", name=HOSTILE)
    yield from _serve(path, tmp_path / "work")


@pytest.fixture
def empty_address(tmp_path: Path) -> Iterator[str]:
    """A server on a store that holds nothing yet."""
    path = tmp_path / "empty.gpkg"
    with Store.create(str(path)) as store:
        _add_accounts(store)
    yield from _serve(path, tmp_path / "work")


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Sign somebody in; at the end no window may have met an error, an outside host or a refused script."""
    windows: list[Visitor] = []

    def come(role: str = "planner", language: str = "zh", size: str = "desk", at: str = "address") -> Visitor:
        visitor = Visitor(chromium, request.getfixturevalue(at), language, size)
        windows.append(visitor)
        if role:
            visitor.sign_in(role, PASSWORD)
        return visitor

    yield come
    problems = [problem for visitor in windows for problem in visitor.close()]
    assert problems == []
