"""A store of grids alone, as of a city that keeps no villages: every page works on the grids, and says what is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from office import PASSWORD
from playwright.sync_api import Browser
from squares import at, frame, put, square
from visitor import Visitor, serving

from layers.storage import accounts
from layers.storage.store import Store
from web.app import create_app

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Store, str]]:
    """Six grids with free codes and a server on them."""
    with Store.create(str(tmp_path / "alone.gpkg"), codes="free") as store:
        shapes = [square(x, y) for y in (0, 1) for x in (0, 1, 2)]
        put(store, "grid", frame(shapes, grid_code=[f"block {number}" for number in range(6)]))
        accounts.create(store, "planner", "planner", password=PASSWORD, must_change=False)
        with serving(create_app({"WORK_FOLDER": str(tmp_path / "work"), "JOB_WORKER": False}, store)) as address:
            yield store, address


@pytest.fixture
def visitor(chromium: Browser, alone: tuple[Store, str]) -> Iterator[Visitor]:
    found = Visitor(chromium, alone[1], "zh", "desk")
    found.sign_in("planner", PASSWORD)
    yield found
    assert found.close() == []


def test_coverage_is_that_of_the_grids(visitor: Visitor, alone: tuple[Store, str]) -> None:
    page = visitor.open("/coverage")
    page.wait_for_selector("#answer")
    assert visitor.text("#answer") == "6 个网格都没有数据"
    assert "没有视频监控点记录" in visitor.text(".answer-note")
    assert page.locator(".answer-note a").get_attribute("href") == "/layers"
    put(alone[0], "camera", frame([at(0.5, 0.5)] * 5 + [at(1.5, 0.5)], device_id=[f"c{number}" for number in range(6)]))
    page = visitor.open("/coverage")
    page.wait_for_selector(".ranking [data-code], .ranking li")
    assert visitor.numbers("#answer")[:2] == [6, 5]
    assert "unit=" not in page.url
    visitor.shot("grids-alone")


def test_a_draft_of_the_whole_is_begun_at_once(visitor: Visitor) -> None:
    page = visitor.open("/redraw?new=1")
    assert page.input_value("#draft-title") == "网格调整"
    assert page.locator("#draft-parent").count() == 0
    page.click("#begin-draft")
    page.wait_for_selector("html[data-draft=open]", state="attached")
    assert page.locator(".area-list [data-code]").count() == 6
