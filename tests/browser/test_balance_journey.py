"""Somebody evens out the work of a village's grids: looks at figures, chooses a point of the curve, puts it into the draft."""

import pytest
from draughtsman import begin
from visitor import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

VILLAGE = "432025001001"
"""The village of the small county with most grids."""


@pytest.mark.parametrize(("language", "size"), [("zh", "desk"), ("en", "phone")])
def test_a_point_of_the_curve_is_chosen_by_keys_and_put_into_the_draft(visit: Visit, language: str, size: str) -> None:
    someone = begin(visit(at="drafting_address", language=language, size=size), VILLAGE)
    page = someone.open()
    page.set_default_timeout(30_000)
    page.click("#tab-balance")
    page.click("#balance-start")
    page.wait_for_selector(".balance-curve")
    dots = page.locator(".balance-curve [role=radio]")
    count = dots.count()
    assert count >= 4
    assert page.locator("#balance-apply").is_disabled()
    page.focus(".balance-curve [role=radio][aria-checked=true]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator(".balance-curve [aria-checked=true]").get_attribute("data-point") == "2"
    assert page.evaluate("document.activeElement.dataset.point") == "2"
    page.keyboard.press("End")
    assert page.locator(".balance-curve [aria-checked=true]").get_attribute("data-point") == str(count - 1)
    page.locator(".balance-found details summary").click()
    page.locator(".balance-found tbody tr").nth(3).locator("button").click()
    assert page.locator(".balance-curve [aria-checked=true]").get_attribute("data-point") == "3"
    assert page.locator(".balance-found details").evaluate("(one) => one.open"), "what was opened stays open"
    page.locator(".balance-found details summary").click()
    assert page.evaluate(
        "document.querySelector('.balance').scrollWidth <= document.querySelector('.tab-body').clientWidth"
    )
    page.locator(".balance-curve").scroll_into_view_if_needed()
    someone.visitor.settle()
    someone.visitor.shot("balance")
    assert someone.facts()["operations"] == []
    page.click("#balance-apply")
    page.wait_for_function("() => !document.querySelector('.balance-curve')")
    kept = someone.facts()["operations"]
    assert kept and all(each["op"] == "transfer" for each in kept)
    assert someone.whole()
