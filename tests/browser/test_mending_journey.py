"""Grids that do not fit: looked at, planned, the page reloaded, agreed to and mended; and given up before anything happens."""

import pytest
from visitor import Visit, Visitor

from layers import work

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def look(visitor: Visitor) -> None:
    visitor.open("/redraw?mend=all")
    visitor.page.wait_for_selector("#mend-plan")


@pytest.mark.parametrize(("language", "size"), [("zh", "desk"), ("en", "phone")])
def test_a_county_is_mended_as_the_plan_said_that_was_seen(visit: Visit, language: str, size: str) -> None:
    someone = visit(at="dirty_address", language=language, size=size)
    page = someone.page
    page.set_default_timeout(60_000)
    look(someone)
    page.click("#mend-plan")
    page.wait_for_selector("#mend-apply")
    job = someone.page.evaluate("new URLSearchParams(location.search).get('mend_job')")
    page.reload()
    page.wait_for_selector("#mend-apply")
    page.wait_for_selector("#mend-plan")
    plan = someone.get(f"/api/v1/mending/jobs/{job}")["answer"]
    assert plan["totals"]["grids"] in someone.numbers("#mend-apply")
    assert page.locator("#mend-apply").is_disabled(), "nobody has agreed yet"
    page.locator("#mend-apply").scroll_into_view_if_needed()
    page.check(".consent input")
    someone.shot("mending-plan")
    page.click("#mend-apply")
    page.wait_for_selector("#mend-places .answer")
    page.wait_for_function("() => !document.querySelector('#mend-plan')")
    assert someone.numbers("#mend-places .answer")[0] == 90
    assert "mend_job" not in page.url
    assert 90 in someone.numbers(".legend-layers"), "what is mended is on the map"
    someone.settle()
    someone.shot("mending-done")


def test_given_up_before_it_began_nothing_is_changed_and_it_can_be_begun_again(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = visit(at="dirty_address")
    page = someone.page
    page.set_default_timeout(60_000)
    look(someone)
    with monkeypatch.context() as nobody_works:
        nobody_works.setattr(work, "run_next", lambda *_, **__: None)
        page.click("#mend-plan")
        page.wait_for_selector("#mend-report .job")
        assert page.locator("#mend-plan").is_disabled()
        someone.shot("mending-waiting")
        page.click("#mend-report .job button")
        page.wait_for_selector("#mend-report .notice")
    assert page.locator("#mend-apply").count() == 0 and not page.locator("#mend-plan").is_disabled()
    page.click("#mend-report .notice button")
    page.wait_for_selector("#mend-apply")
