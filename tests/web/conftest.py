"""The small office, made once and copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from office import Person, make_store_file, open_office

from layers.storage.store import Store


@pytest.fixture(scope="session")
def office_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store file with the small county and all accounts."""
    return make_store_file(tmp_path_factory.mktemp("office") / "office.gpkg")


@pytest.fixture
def office_store(office_file: Path, tmp_path: Path) -> Iterator[Store]:
    """A store of one's own, as it was when the office opened."""
    copy = tmp_path / "office.gpkg"
    shutil.copyfile(office_file, copy)
    with Store.open(str(copy)) as store:
        yield store


@pytest.fixture
def app(office_store: Store, tmp_path: Path) -> Flask:
    """The application on that store."""
    return open_office(office_store, WORK_FOLDER=str(tmp_path / "work"))


@pytest.fixture
def person(app: Flask) -> Callable[[str], Person]:
    """Sign somebody in by account name; "" is somebody who has not signed in."""
    return lambda name="": Person(app, name)
