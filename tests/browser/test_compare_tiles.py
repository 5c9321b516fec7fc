"""Layers of more than 5,000 areas, which come as tiles, on another day and in a comparison: every side is right."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import shapely
from office import PASSWORD
from playwright.sync_api import Page
from redrawn import decide, halves
from squares import frame, put
from visitor import Visit, Visitor, serving

from layers.redrawing import draft_operations, drafts
from layers.rights import Viewer
from layers.storage import accounts
from layers.storage.store import Store
from web.app import create_app
from web.early import TILES_ABOVE

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
COUNTY, TOWN = "990101000000", "990101001000"
COLUMNS, ROWS, SIDE_DEG = 72, 70, 0.004
WEST, SOUTH = 111.0, 30.0
LATER = "2031-01-01"
_ROW, _COLUMN = 35, 36
_PATIENCE_MS = 60_000

# The panes with ink at a place of a map, within two pixels; what is hidden or clipped away counts as none.
_INK = """([place, box]) => {
  const main = document.getElementById('map_main').getBoundingClientRect();
  const shown = document.querySelector(box).getBoundingClientRect();
  const size = map_main.getSize(), at = map_main.latLngToContainerPoint([place[1], place[0]]);
  const x = shown.left + shown.width / 2 + at.x - size.x / 2, y = shown.top + shown.height / 2 + at.y - size.y / 2;
  const found = new Set();
  for (const canvas of document.querySelectorAll(`${box} .leaflet-map-pane canvas`)) {
    const pane = canvas.closest('.leaflet-pane'), origin = pane.getBoundingClientRect();
    const clip = pane.style.clip.match(/-?[\\d.]+/g)?.map(Number);
    if (clip && (x - origin.left < clip[3] || x - origin.left > clip[1])) continue;
    if (!canvas.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const covered = canvas.getBoundingClientRect(), dense = canvas.width / covered.width;
    const [left, top] = [Math.round((x - covered.left - 2) * dense), Math.round((y - covered.top - 2) * dense)];
    if (!(dense > 0) || left < 0 || top < 0 || left + 5 > canvas.width || top + 5 > canvas.height) continue;
    const { data } = canvas.getContext('2d').getImageData(left, top, 5, 5);
    if (data.some((value, i) => i % 4 === 3 && value > 40)) found.add(pane.className.match(/leaflet-(\\w+)-pane/)[1]);
  }
  return [...found].sort();
}"""
_WATCH_FRAMES = """([place, ink]) => {
  const look = eval(ink);
  window.seen = [];
  const step = () => {
    const shown = [...document.querySelectorAll('.leaflet-areas-pane > .leaflet-layer')].filter((one) => one.style.visibility !== 'hidden');
    window.seen.push([look([place, '#map_main']).length, shown.length]);
    window.watching = requestAnimationFrame(step);
  };
  step();
}"""


def place(column: float, row: float) -> list[float]:
    """Lon/lat in units of grids from the south-west corner."""
    return [WEST + column * SIDE_DEG, SOUTH + row * SIDE_DEG]


def code(column: int, row: int) -> str:
    """A grid by place; a row is a village."""
    return f"{TOWN[:9]}{201 + row:03d}{column + 1:03d}"


def _square(column: float, row: float, columns: float = 1, rows: float = 1) -> shapely.Polygon:
    corner, other = place(column, row), place(column + columns, row + rows)
    return shapely.box(*np.round([*corner, *other], 9))


def _fill(store: Store) -> None:
    places = [(column, row) for row in range(ROWS) for column in range(COLUMNS)]
    assert len(places) > TILES_ABOVE
    whole = [_square(0, 0, COLUMNS, ROWS)]
    villages = [f"{TOWN[:9]}{201 + row:03d}" for row in range(ROWS)]
    put(store, "county", frame(whole, code=[COUNTY], name=["望川县"]))
    put(store, "township", frame(whole, code=[TOWN], name=["南桥镇"], parent_code=[COUNTY]))
    outlines = [shapely.coverage_union_all([_square(column, row) for column in range(COLUMNS)]) for row in range(ROWS)]
    put(store, "village", frame(outlines, code=villages, name=villages, parent_code=[TOWN] * ROWS))
    codes = [code(*each) for each in places]
    grids = frame([_square(*each) for each in places], grid_code=codes, name=codes, village_code=[each[:12] for each in codes], kind=["base"] * len(codes))  # fmt: skip
    grids["households"] = pd.array([100] * len(codes), dtype="Int64")
    put(store, "grid", grids)


@pytest.fixture(scope="module")
def city_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on 5,040 grids: from a later day two are one and one is two; a draft of today makes another two one."""
    folder = tmp_path_factory.mktemp("city")
    with Store.create(str(folder / "city.gpkg")) as store:
        _fill(store)
        accounts.create(store, "planner", "planner", password=PASSWORD, must_change=False)
        row, column = _ROW, _COLUMN
        one = frame([_square(column + 1, row, 2)], grid_code=[f"{code(0, row)[:12]}901"], name=["合并"], village_code=[code(0, row)[:12]], kind=["base"])  # fmt: skip
        decide(store, "grid", LATER, ends=[code(column + 1, row), code(column + 2, row)], begins=one)
        halves(store, code(column - 2, row), LATER, (f"{code(0, row)[:12]}902", f"{code(0, row)[:12]}903"))
        planner = Viewer("planner", "planner")
        draft = drafts.create(store, planner, title="合并两格", parent_code=code(0, row + 2)[:12])
        merge = {"op": "merge", "grids": [code(column + 1, row + 2), code(column + 2, row + 2)]}
        done = draft_operations.apply(store, planner, draft.id, draft.version, [merge])
        assert done.as_dict("en")["results"][0]["ok"], done.as_dict("en")
        with serving(create_app({"WORK_FOLDER": str(folder / "work"), "JOB_WORKER": False}, store)) as address:
            yield address


MERGED, SPLIT, DRAFTED = (
    place(_COLUMN + 2, _ROW + 0.5),
    place(_COLUMN - 1.5, _ROW + 0.5),
    place(_COLUMN + 2, _ROW + 2.5),
)
ELSEWHERE = place(_COLUMN, _ROW + 5.5)


def ink(page: Page, where: list[float], box: str = "#map_main") -> list[str]:
    """Panes of a map that show something at a place."""
    return page.evaluate(_INK, [where, box])


def look(visit: Visit, path: str) -> tuple[Visitor, Page]:
    """The city, near enough to tell a grid, with its tiles painted."""
    visitor = visit(at="city_address")
    lon, lat = place(_COLUMN, _ROW + 1)
    page = visitor.open(f"/?layers=grid&at=14/{lat:.5f}/{lon:.5f}{path}")
    page.set_default_timeout(_PATIENCE_MS)
    wait_ink(page, ELSEWHERE, True)
    visitor.settle()
    return visitor, page


def wait_ink(page: Page, where: list[float], there: bool, box: str = "#map_main") -> None:
    """Until the areas of the page show an outline at a place, or none."""
    page.wait_for_function(f"(given) => ({_INK})(given).includes('areas') === {str(there).lower()}", arg=[where, box])


def test_a_later_day_shows_the_tiles_of_that_day_and_nothing_flickers(visit: Visit) -> None:
    visitor, page = look(visit, "")
    assert "areas" in ink(page, MERGED) and "areas" not in ink(page, SPLIT)
    page.evaluate(_WATCH_FRAMES, [ELSEWHERE, _INK])
    page.click("#change-days")
    page.locator(".menu-list.days button", has_text="2031年").click()
    wait_ink(page, MERGED, False)
    wait_ink(page, SPLIT, True)
    assert any("/tiles/grid/" in url and f"as_of={LATER}" in url for url in visitor.asked)
    seen = page.evaluate("() => { cancelAnimationFrame(window.watching); return window.seen; }")
    assert len(seen) > 5 and all(inked for inked, _ in seen), "an outline that stays is there in every frame"
    assert {layers for _, layers in seen} == {1}, "never two days over each other"
    visitor.shot("tiles-later")
    page.go_back()
    wait_ink(page, MERGED, True)
    wait_ink(page, SPLIT, False)


def test_comparing_two_days_shows_each_its_own_outlines_over_what_stays(visit: Visit) -> None:
    visitor, page = look(visit, f"&compare={LATER}")
    grip = page.locator(".swipe-grip")
    grip.wait_for()
    wait_ink(page, MERGED, False)
    visitor.settle()
    visitor.shot("tiles-swipe")
    grip.focus()
    for key, side in (("End", "compare_before"), ("Home", "compare_after")):
        page.keyboard.press(key)
        for where in (MERGED, SPLIT):
            assert ink(page, where) == [side], "the outlines of one state alone"
        assert ink(page, ELSEWHERE) == ["areas"]
    page.click("#compare-mode [data-mode=side]")
    page.wait_for_selector("#map-second .leaflet-areas-pane canvas.leaflet-tile")
    assert page.locator("#compare-mode [aria-pressed=true]").get_attribute("data-mode") == "side"
    page.evaluate("([lon, lat]) => map_main.setView([lat, lon], 14, { animate: false })", SPLIT)
    for box, pane in (("#map_main", "compare_before"), ("#map-second", "compare")):
        wait_ink(page, place(_COLUMN, _ROW + 2.5), True, box)
        wait_ink(page, MERGED, False, box)
        for where in (MERGED, SPLIT):
            page.wait_for_function(f"(given) => String(({_INK})(given)) === '{pane}'", arg=[where, box])
    visitor.settle()
    visitor.shot("tiles-side")
    page.locator(".actions button").first.click()
    page.wait_for_selector("#compare-start")
    wait_ink(page, MERGED, True)


def test_a_draft_is_drawn_over_tiles_that_leave_out_what_it_replaces(visit: Visit) -> None:
    visitor, page = look(visit, "&compare=draft:1")
    grip = page.locator(".swipe-grip")
    grip.wait_for()
    wait_ink(page, DRAFTED, False)
    visitor.settle()
    visitor.shot("tiles-draft")
    grip.focus()
    for key, side in (("End", "compare_before"), ("Home", "compare_after")):
        page.keyboard.press(key)
        assert ink(page, DRAFTED) == [side]
    assert ink(page, MERGED) == ["areas"], "what is decided for later is no part of the draft"
    page.click("#compare-mode [data-mode=side]")
    page.wait_for_selector("#map-second .leaflet-areas-pane canvas.leaflet-tile")
    wait_ink(page, MERGED, True, "#map-second")
    wait_ink(page, DRAFTED, False, "#map-second")
