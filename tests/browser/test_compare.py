"""Two states of the boundaries in a real browser: swiping, side by side, drafts, days of change, history of a grid."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from redrawn import halves
from visitor import Visit, serving

from layers.redrawing import draft_operations, drafts
from layers.rights import OWNER, Viewer
from layers.selection.frames import read_layer
from layers.storage.store import Store
from web.app import create_app

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SPLIT, BEFORE, LATER = "2025-07-01", "2025-06-30", "2031-01-01"
AFTER = "() => document.documentElement.dataset.compared"


@pytest.fixture(scope="module")
def redrawn_address(county_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a county where one grid was split, one will be, and a draft splits a third."""
    folder = tmp_path_factory.mktemp("redrawn")
    copy = folder / "redrawn.gpkg"
    shutil.copyfile(county_file, copy)
    with Store.open(str(copy)) as store:
        grids = read_layer(store, "grid", OWNER)
        first, second, third = (grids.index[row] for row in (3, 30, 50))
        halves(store, first, SPLIT, (f"{first[:12]}801", f"{first[:12]}802"))
        halves(store, second, LATER, (f"{second[:12]}801", f"{second[:12]}802"))
        planner = Viewer("planner", "planner")
        draft = drafts.create(store, planner, title="拆分第三格", parent_code=third[:12], effective_from="2030-01-01")
        west, south, east, north = grids.loc[third].geometry.bounds
        line = [[west - 0.001, (south + north) / 2], [east + 0.001, (south + north) / 2]]
        operation = {"op": "split", "grid": third, "line": {"type": "LineString", "coordinates": line}}
        done = draft_operations.apply(store, planner, draft.id, draft.version, [operation])
        assert done.as_dict("en")["results"][0]["ok"]
        with serving(create_app({"WORK_FOLDER": str(folder / "work"), "JOB_WORKER": False}, store)) as address:
            yield address


def painted(page: Page, pane: str) -> int:
    """Pixels that are drawn in a pane and not clipped away, in a window of the map."""
    return page.evaluate(
        """(name) => {
          const pane = map_main.getPane(name);
          const clip = pane.style.clip.match(/-?[\\d.]+/g)?.map(Number) ?? [-1e6, 1e6, 1e6, -1e6];
          let found = 0;
          for (const canvas of pane.querySelectorAll('canvas')) {
            const at = L.DomUtil.getPosition(canvas), dense = canvas.width / parseFloat(canvas.style.width);
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            for (let i = 3; i < data.length; i += 4) {
              if (!data[i]) continue;
              const x = at.x + (((i - 3) / 4) % canvas.width) / dense;
              if (x >= clip[3] && x <= clip[1]) found++;
            }
          }
          return found;
        }""",
        pane,
    )


@pytest.mark.parametrize(("language", "size"), [("zh", "desk"), ("en", "phone")])
def test_swiping_shows_the_earlier_day_left_and_the_later_right(visit: Visit, language: str, size: str) -> None:
    visitor = visit(language=language, size=size, at="redrawn_address")
    page = visitor.open(f"/?compare={BEFORE}")
    page.wait_for_selector(".swipe-grip")
    visitor.settle()
    found = visitor.get(f"/api/v1/comparison/grid?compare={BEFORE}")
    assert found["counts"] == {"changed": 0, "new": 2, "ended": 1, "unchanged": 89}
    assert {0, 1, 2, 89} <= set(visitor.numbers("#answer"))
    legend = [int(text) for text in page.locator("#legend ul:first-of-type b").all_inner_texts()]
    assert sorted(legend) == [0, 1, 2, 89]
    grip = page.locator(".swipe-grip")
    grip.focus()
    page.keyboard.press("End")
    assert grip.get_attribute("aria-valuenow") == "100"
    assert painted(page, "compare_before") > 20 and painted(page, "compare_after") == 0
    page.keyboard.press("Home")
    assert painted(page, "compare_before") == 0 and painted(page, "compare_after") > 20
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    assert grip.get_attribute("aria-valuenow") == "12"
    box, map_box = grip.bounding_box(), page.locator("#map_main").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(map_box["x"] + map_box["width"] * 0.7, box["y"] + 30, steps=5)
    page.mouse.up()
    assert abs(int(grip.get_attribute("aria-valuenow")) - 70) <= 1
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out sideways"
    visitor.shot("compare-swipe")


@pytest.mark.parametrize(("language", "size"), [("en", "desk"), ("zh", "phone")])
def test_side_by_side_two_maps_move_together(visit: Visit, language: str, size: str) -> None:
    visitor = visit(language=language, size=size, at="redrawn_address")
    page = visitor.open(f"/?compare={BEFORE}&compare_mode=side")
    page.wait_for_selector("#map-second canvas")
    visitor.settle()
    first, second = (page.locator(name).bounding_box() for name in ("#map_main", "#map-second"))
    across = size == "desk"
    assert first["x"] + first["width"] <= second["x"] + 1 if across else first["y"] + first["height"] <= second["y"] + 1
    boundary = "() => [...document.querySelectorAll('#map-second canvas')].length"
    assert page.evaluate(boundary) >= 4
    # Dragging the second map moves the first by as much.
    centre = page.evaluate("() => { const at = map_main.getCenter(); return [at.lat, at.lng]; }")
    x, y = second["x"] + second["width"] / 2, second["y"] + min(second["height"], 160) / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 30, steps=4)
    page.mouse.up()
    moved = page.evaluate("() => { const at = map_main.getCenter(); return [at.lat, at.lng]; }")
    assert moved[1] > centre[1] and moved[0] < centre[0]
    visitor.shot("compare-side")
    if size == "desk":
        page.locator("#compare-mode button").first.click()
        page.wait_for_selector(".swipe-grip")
        assert page.locator("#map-second").count() == 0
        page.go_back()
        page.wait_for_selector("#map-second canvas")


def test_what_changed_is_listed_and_leads_to_its_place(visit: Visit) -> None:
    visitor = visit(at="redrawn_address")
    page = visitor.open("/")
    page.click("#compare-start")
    page.wait_for_selector("#compare-list li")
    assert f"compare={BEFORE}" in page.url, "the last change there was, before and after"
    states = page.locator("#compare-list li").evaluate_all("list => list.map((node) => node.dataset.state)")
    assert sorted(states) == ["ended", "new", "new"]
    assert "去向" in visitor.text("#compare-list li[data-state=ended]")
    zoom = page.evaluate("() => map_main.getZoom()")
    page.click("#compare-list li[data-state=new] button")
    page.wait_for_function("(zoom) => map_main.getZoom() > zoom", arg=zoom)
    page.select_option("#compare-decision", LATER)
    page.wait_for_function(f"{AFTER}.endsWith('{LATER}')")
    assert "2031年" in visitor.text(".compare-names .after")
    page.locator(".actions button").first.click()
    page.wait_for_selector("#compare-start")
    assert "compare" not in page.url
    assert page.locator(".swipe").count() == 0


def test_a_draft_is_held_against_today(visit: Visit) -> None:
    visitor = visit(at="redrawn_address")
    page = visitor.open("/?compare=draft:1")
    page.wait_for_selector(".swipe-grip")
    assert "拆分第三格" in visitor.text(".compare-names .after")
    states = page.locator("#compare-list li").evaluate_all("list => list.map((node) => node.dataset.state)")
    assert sorted(states) == ["ended", "new", "new"]
    visitor.settle()
    page.locator(".swipe-grip").focus()
    page.keyboard.press("Home")
    assert painted(page, "compare_after") > 20
    visitor.shot("compare-draft")
    outsider = visit(role="viewer", at="redrawn_address")
    outsider.expected.append("403")
    outsider.open("/?compare=draft:1").wait_for_selector(".notice-error")


def test_days_of_change_are_offered_and_the_history_of_a_grid_is_told(visit: Visit) -> None:
    visitor = visit(at="redrawn_address")
    page = visitor.open("/?layers=county,grid")
    page.click("#change-days")
    page.wait_for_selector(".menu-list.days button >> nth=2")
    assert "尚未到期" in page.locator(".menu-list.days button").nth(1).inner_text()
    page.locator(".menu-list.days button", has_text="2031年").click()
    page.wait_for_url(f"**as_of={LATER}**")
    visitor.settle()
    assert page.locator("#as-of.past").count() == 1
    grids = visitor.get(f"/features/grid?as_of={LATER}&columns=name")["features"]
    begun = next(one["id"] for one in grids if one["id"].endswith("801"))
    page.goto(f"{visitor.address}/?as_of={LATER}&sel=grid:{begun}")
    page.click("details.history summary")
    page.wait_for_selector("details.history table")
    said = visitor.text("details.history")
    assert "来自" in said and "拆分" in said
    visitor.shot("grid-history")


def test_the_boundaries_of_a_figure_are_chosen_and_named_on_its_page(visit: Visit) -> None:
    visitor = visit(at="redrawn_address")
    page = visitor.open("/hotspots?unit=grid&boundaries=then")
    then = visitor.get("/api/v1/hotspots?unit=grid&boundaries=then")
    assert then["summary"]["ended"] > 0
    assert {then["summary"]["ended_units"], then["summary"]["ended"]} <= set(visitor.numbers(".ended summary"))
    assert "按当时边界" in visitor.text("#map-source")
    page.select_option("#boundaries", "today")
    page.wait_for_url(lambda url: "boundaries" not in url)
    page.wait_for_selector(".ended", state="detached")
    visitor.settle()
    assert "按现行边界" in visitor.text("#map-source")
    page = visitor.open(f"/coverage?unit=grid&boundaries={BEFORE}")
    found = visitor.get(f"/api/v1/coverage?unit=grid&boundaries={BEFORE}")
    assert {found["summary"]["units"], found["summary"]["short"]} <= set(visitor.numbers("#answer"))
    assert page.locator("#boundaries").input_value() == "date"
    assert f"as_of={BEFORE}" in [url for url in visitor.asked if "/features/grid" in url][-1], "drawn as counted"
    page.select_option("#boundaries", "then")
    page.wait_for_url(lambda url: "boundaries" not in url)
    now = visitor.get("/api/v1/coverage?unit=grid")["summary"]["units"]
    page.wait_for_function("(n) => document.getElementById('answer').innerText.includes(String(n))", arg=now)
    visitor.shot("coverage-boundaries")
