"""A report of an earlier moment made again in a real browser: asked for by address, named on the page, and left."""

import pytest
from visitor import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_figure_of_an_earlier_moment_is_marked_and_left_again(visit: Visit) -> None:
    visitor = visit()
    now = visitor.get("/api/v1/coverage")
    day = now["as_of"]
    page = visitor.open(f"/coverage?known_on={day}&as_of={day}")
    assert day in visitor.text(".known-mark")
    assert "所知" in visitor.text("#map-source")
    assert {now["summary"]["units"], now["summary"]["short"]} <= set(visitor.numbers("#answer"))
    assert any(f"known_on={day}" in url for url in visitor.asked if "/api/v1/coverage" in url)
    page.click("#known-now")
    page.wait_for_url(lambda url: "known_on" not in url)
    page.wait_for_selector(".known-mark", state="detached")
    visitor.open(f"/hotspots?unit=grid&known_on={day}&as_of={day}")
    assert day in visitor.text(".known-mark")
    visitor.open("/coverage?known_on=2001-02-03&as_of=2001-02-03")
    assert "2001-02-03" in visitor.text(".known-mark"), "nothing was known then, and the page says when"
