"""The small office for attacks: one for a whole file where nothing is changed, one per test where something is."""

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


@pytest.fixture(scope="module")
def shared_app(office_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One application for the tests of a file that only look."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copyfile(office_file, folder / "office.gpkg")
    with Store.open(str(folder / "office.gpkg")) as store:
        yield open_office(store, WORK_FOLDER=str(folder / "work"))


@pytest.fixture(scope="module")
def people(shared_app: Flask) -> Callable[[str], Person]:
    """People of the shared application by account name, signed in once."""
    known: dict[str, Person] = {}

    def find(name: str) -> Person:
        if name not in known:
            known[name] = Person(shared_app, name)
        return known[name]

    return find


@pytest.fixture
def app(office_file: Path, tmp_path: Path) -> Iterator[Flask]:
    """An application of one's own."""
    shutil.copyfile(office_file, tmp_path / "office.gpkg")
    with Store.open(str(tmp_path / "office.gpkg")) as store:
        yield open_office(store, WORK_FOLDER=str(tmp_path / "work"))


@pytest.fixture
def person(app: Flask) -> Callable[[str], Person]:
    """Sign somebody in by account name; "" is somebody who has not signed in."""
    return lambda name="": Person(app, name)
