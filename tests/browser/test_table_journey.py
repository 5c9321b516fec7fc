"""The attribute table while its reader is quicker than the server: layers changed, heights changed, drawer closed."""

import re

import pytest
from playwright.sync_api import Page, Route
from visitor import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LAYER = "#drawer select"


class Held:
    """Answers of the table that are kept back until they are let go."""

    def __init__(self, page: Page, kind: str) -> None:
        self._waiting: list[Route] = []
        page.route(re.compile(rf"/api/v1/table/{kind}\b"), self._hold)

    def _hold(self, route: Route) -> None:
        self._waiting.append(route)

    def wait(self, page: Page, count: int = 1) -> None:
        """Until so many questions wait for their answer."""
        while len(self._waiting) < count:
            page.evaluate("() => new Promise(requestAnimationFrame)")

    def let_go(self) -> None:
        """Let all waiting questions be answered."""
        while self._waiting:
            self._waiting.pop(0).continue_()


def rows(page: Page) -> list[str]:
    page.wait_for_selector("#drawer .tabulator-row")
    return page.locator("#drawer .tabulator-row").all_inner_texts()


def test_the_drawer_is_raised_moved_and_searched_while_another_layer_is_on_its_way(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?table=village&drawer=35")
    before = rows(page)
    held = Held(page, "township")
    page.select_option(LAYER, "township")
    held.wait(page)
    page.locator("#drawer .drawer-head button").first.click()
    page.keyboard.press("Escape")
    page.evaluate("() => map_main.panBy([120, 40], { animate: false })")
    page.locator("#drawer [type=checkbox]").check()
    held.wait(page)
    held.let_go()
    page.unroute_all()
    visitor.frames()
    page.wait_for_function("() => document.querySelectorAll('#drawer .tabulator-row').length")
    assert page.locator(LAYER).input_value() == "township"
    assert rows(page) != before


def test_the_height_changes_in_the_turn_before_the_table_comes_to_be(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?table=village&drawer=35")
    villages = rows(page)
    # The table library builds in a later turn: between, a reader's click arrives.
    page.evaluate("""() => {
      const real = window.setTimeout;
      window.setTimeout = (act, wait, ...rest) => {
        if (!wait && document.querySelector(".drawer-table:empty")) {
          window.setTimeout = real;
          window.early = true;
          queueMicrotask(() => document.querySelector("#drawer .drawer-head button").click());
        }
        return real(act, wait, ...rest);
      };
    }""")
    page.select_option(LAYER, "township")
    page.wait_for_function("() => window.early")
    page.wait_for_function("() => location.search.includes('drawer=70')")
    visitor.settle()
    assert rows(page) != villages


def test_a_layer_given_up_for_the_next_one_does_not_come_back(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?table=village&drawer=35")
    rows(page)
    held = Held(page, "township")
    page.select_option(LAYER, "township")
    held.wait(page)
    page.select_option(LAYER, "grid")
    page.wait_for_function(
        "() => document.querySelector('#drawer select').value === 'grid' && document.querySelector('#drawer .tabulator-row')"
    )
    grids, told = rows(page), visitor.text("#drawer [role=status]")
    held.let_go()
    page.unroute_all()
    visitor.settle()
    assert rows(page) == grids
    assert visitor.text("#drawer [role=status]") == told


def test_a_drawer_closed_on_the_way_to_another_layer_opens_on_that_layer(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?table=village&drawer=35")
    villages = rows(page)
    held = Held(page, "township")
    page.select_option(LAYER, "township")
    held.wait(page)
    page.locator("#drawer .drawer-head button").last.click()
    held.let_go()
    page.unroute_all()
    visitor.settle()
    page.locator("#tool-table").click()
    assert rows(page) != villages
    assert page.locator(LAYER).input_value() == "township"
