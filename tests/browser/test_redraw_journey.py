"""From a new draft to boundaries in force: drawn by one, reviewed by another, approved by a third, the same everywhere."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from command_line import CommandLine
from draughtsman import Draughtsman
from visitor import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

VILLAGE, NAME = "432025001001", "城山社区"
RULE = "rule=cam_admin"


def handed_to(visitor: Visitor, draft: int) -> Draughtsman:
    """The same draft in the window of somebody else, found in the list."""
    visitor.open("/redraw")
    visitor.page.click(f".draft-list [data-draft='{draft}']")
    visitor.page.wait_for_selector("html[data-draft=open]", state="attached")
    return Draughtsman(visitor, draft)


def decide(someone: Draughtsman, act: str, *, say: str = "", press: int = -1) -> None:
    """A button of the panel, its dialog, and the answer."""
    page = someone.page
    page.click(f"#act-{act}")
    page.wait_for_selector("dialog[open]")
    if say:
        page.fill("#decide-note", say)
    page.locator("dialog[open] .dialog-foot button").nth(press).click()
    page.wait_for_selector("dialog[open]", state="detached")
    someone.visitor.settle()


def summary(visitor: Visitor, on: str) -> dict[str, Any]:
    return visitor.get(f"/api/v1/coverage?unit=grid&as_of={on}")


def in_village(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted((row for row in rows if row["parent_code"] == VILLAGE), key=lambda row: row["code"])


def test_boundaries_are_redrawn_decided_and_read_the_same_everywhere(
    visit: Visit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawer = visit("grid_manager", at="own_address")
    page = drawer.open("/redraw")
    # An empty list offers a new draft; the village is found by name, the day lies ahead.
    page.click("#new-draft")
    page.fill("#draft-parent", NAME)
    page.wait_for_selector(".suggestions li[role=option]")
    page.keyboard.press("Enter")
    today = date.fromisoformat(page.evaluate("() => JSON.parse(document.getElementById('config').textContent).today"))
    ahead = (today + timedelta(days=40)).isoformat()
    page.fill("#draft-from", ahead)
    page.keyboard.press("Tab")
    page.click("#begin-draft")
    page.wait_for_selector("html[data-draft=open]", state="attached")
    number = int(page.evaluate("() => new URLSearchParams(location.search).get('draft')"))
    someone = Draughtsman(drawer, number)
    drawer.settle()
    before, shapes = someone.features(), someone.shapes()
    assert someone.facts()["effective_from"] == ahead

    # Split, push, merge; one step back and on again.
    largest = max(shapes, key=lambda code: shapes[code].area)
    split(someone, largest)
    halves = sorted(set(someone.shapes()) - set(shapes))
    gains, loses = halves
    push(someone, gains, loses, 2)
    keeps, ends = someone.neighbours(but=halves)
    merge(someone, keeps, ends, 3)
    after = someone.shapes()
    page.keyboard.press("Control+z")
    someone.wait_saved(2)
    assert ends in someone.shapes()
    page.keyboard.press("Control+y")
    someone.wait_saved(3)
    assert someone.shapes() == after
    assert someone.whole()
    page.click("#tab-totals")
    drawer.shot("redraw-totals")

    # Handed in without a reason: asked for it.
    page.click("#act-submit")
    page.fill("#submit-reason", "两个网格忙闲不均")
    page.locator("dialog[open] .dialog-foot .btn-primary").click()
    page.wait_for_selector("dialog[open]", state="detached")
    page.wait_for_selector("#act-withdraw")
    assert someone.facts()["state"] == "proposed"
    assert page.locator("#tool-push").is_disabled(), "what was handed in cannot be drawn in"

    reviewer = handed_to(visit("planner", at="own_address"), number)
    decide(reviewer, "review", say="同意")
    assert reviewer.facts()["state"] == "reviewed"
    assert reviewer.page.locator("#act-approve").count() == 0, "a planner does not approve"

    approver = handed_to(visit("administrator", at="own_address"), number)
    decide(approver, "approve")
    assert approver.facts()["state"] == "approved"
    approver.visitor.shot("redraw-approved")

    # Today is what it was; on the day the new boundaries hold.
    now, then = (summary(drawer, on) for on in (today.isoformat(), ahead))
    codes = {on: [row["code"] for row in in_village(found["rows"])] for on, found in (("now", now), ("then", then))}
    assert codes["now"] == sorted(before)
    assert codes["then"] == sorted(after)
    with_page(drawer, today.isoformat(), now["summary"])
    with_page(drawer, ahead, then["summary"])
    command = CommandLine(capsys, tmp_path / "own.gpkg")
    for on, found in ((today.isoformat(), now), (ahead, then)):
        told = command.json("coverage", "--unit", "grid", "--as-of", on)
        assert told["summary"] == found["summary"]
        assert in_village(told["rows"]) == in_village(found["rows"])

    # Held against each other by swiping, from the decision's own page.
    approver.page.click("#compare-draft")
    approver.page.wait_for_selector(".swipe-grip")
    approver.visitor.settle()
    assert f"compare={ahead}" in approver.page.url
    counts = drawer.get(f"/api/v1/comparison/grid?compare={ahead}")["counts"]
    assert counts["new"] == 2
    assert {counts["new"], counts["ended"], counts["changed"]} <= set(approver.visitor.numbers("#answer"))
    approver.visitor.shot("redraw-compare")


def with_page(visitor: Visitor, on: str, told: dict[str, int]) -> None:
    """The coverage page says the numbers of the API."""
    visitor.open(f"/coverage?unit=grid&as_of={on}")
    visitor.settle()
    shown = visitor.numbers("#answer")
    assert {told["units"], told["short"], told["cameras_missing"]} <= set(shown)


def split(someone: Draughtsman, code: str) -> None:
    area = someone.shapes()[code]
    west, _, east, _ = area.bounds
    middle = area.representative_point()
    line = shapely.LineString([(west - 0.001, middle.y), (east + 0.001, middle.y)]).intersection(area)
    part = max(shapely.get_parts(line), key=lambda one: one.length)
    someone.select(code)
    someone.tool("split")
    someone.draw([part.coords[0], part.coords[-1]], finish="double")
    someone.wait_saved(1)


def push(someone: Draughtsman, gains: str, loses: str, count: int) -> None:
    border, shapes = someone.border(gains, loses), someone.shapes()
    start, end = (border.interpolate(at, normalized=True) for at in (0.3, 0.7))
    middle, inside = border.interpolate(0.5, normalized=True), shapes[loses].representative_point()
    someone.select(gains)
    someone.tool("push")
    someone.draw([start, shapely.LineString([middle, inside]).interpolate(0.4, normalized=True), end])
    someone.wait_saved(count)


def merge(someone: Draughtsman, keeps: str, ends: str, count: int) -> None:
    someone.select(keeps)
    someone.tool("merge")
    someone.page.click(f".area-list [data-code='{ends}']")
    someone.page.keyboard.press("Enter")
    someone.wait_saved(count)
