"""The map page: layers, search, keys, measuring, language, small windows."""

import pytest
from visitor import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_map_says_what_is_here(visit: Visit, language: str, size: str) -> None:
    visitor = visit(language=language, size=size)
    visitor.open("/?layers=county,township,village,camera")
    rows = {layer["kind"]: layer["rows"] for layer in visitor.get("/api/v1/layers")}
    assert {rows["village"], rows["camera"], rows["incident"]} <= set(visitor.numbers("#answer"))
    visitor.shot("map")


def test_layers_are_switched_by_keyboard_and_kept_in_the_address(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/")
    page.keyboard.press("l")
    box = page.locator("#layer-grid")
    assert not box.is_checked()
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_url("**layers=**grid**")
    page.wait_for_function("() => document.querySelectorAll('.leaflet-areas-pane canvas').length === 4")
    page.keyboard.press("Escape")
    page.go_back()
    page.wait_for_function("() => document.querySelectorAll('.leaflet-areas-pane canvas').length === 3")


def test_search_finds_a_village_by_name_and_by_the_beginning_of_its_code(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/")
    village = visitor.get("/features/village?columns=name")["features"][3]
    for text in (village["properties"]["name"], village["id"]):
        page.keyboard.press("/")
        page.keyboard.type(text)
        page.wait_for_selector("#search-list li[role=option]")
        assert village["id"] in page.locator("#search-list").inner_text()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**sel=village:{village['id']}**")
        assert visitor.text(".detail-title") == village["properties"]["name"]
        page.locator(".back").click()
        page.wait_for_selector("#answer")
        page.fill("#search", "")
        page.locator("#search").blur()


def test_search_without_result_says_so(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/")
    page.fill("#search", "没有这样的地方")
    page.wait_for_selector("#search-list li.none")
    assert "没有这样的地方" in visitor.text("#search-list")


def test_click_on_the_map_opens_the_village_there(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/")
    one = visitor.get("/api/v1/search?q=" + visitor.get("/features/village?columns=name")["features"][0]["id"])[0]
    at = page.evaluate(
        "([lon, lat]) => { const box = map_main.getContainer().getBoundingClientRect();"
        " const point = map_main.latLngToContainerPoint([lat, lon]); return [box.left + point.x, box.top + point.y]; }",
        one["center"],
    )
    page.mouse.click(*at)
    page.wait_for_selector(".detail-title")
    assert visitor.text(".detail-title") == one["name"]


def test_measured_length_is_the_distance_on_the_ground(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/")
    page.keyboard.press("m")
    box = page.locator("#map_main").bounding_box()
    start, end = (box["x"] + 300, box["y"] + 200), (box["x"] + 500, box["y"] + 200)
    page.mouse.click(*start)
    page.mouse.click(*end)
    metres = page.evaluate(
        "() => map_main.distance(map_main.containerPointToLatLng([300, 200]), map_main.containerPointToLatLng([500, 200]))"
    )
    shown = float(visitor.text(".measure-box b").split()[0].replace(",", ""))
    assert shown == pytest.approx(metres / 1000, abs=0.02)
    assert "sel=" not in page.url, "clicks of the tool select nothing"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/coverage?rule=cam_admin&boundaries=2025-01-01",
        "/hotspots",
        "/?layers=village,grid,camera,incident,facility",
    ],
)
def test_what_the_page_fetches_early_is_used_and_not_fetched_twice(visit: Visit, path: str) -> None:
    visitor = visit()
    page = visitor.open(path)
    visitor.settle()
    assert page.evaluate("() => Object.keys(window.early)") == []
    data = [url for url in visitor.asked if "/features/" in url or "/points/" in url or "/api/v1/coverage" in url]
    assert data
    assert len(data) == len(set(data))


def test_escape_leaves_a_selection_and_a_measurement(visit: Visit) -> None:
    visitor = visit()
    code = "village:" + visit().open("/").evaluate(
        "() => fetch('/features/village?columns=name').then((answer) => answer.json()).then((found) => found.features[0].id)"
    )
    page = visitor.open(f"/?sel={code}")
    page.wait_for_selector(".detail-title")
    page.keyboard.press("Escape")
    page.wait_for_selector("#answer")
    page.keyboard.press("m")
    assert page.locator(".measure-box").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".measure-box").count() == 0


def test_fields_of_view_are_drawn_close_up_only(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?layers=camera")
    seen = visitor.get(
        "/features/camera?columns=azimuth,range_m&where=range_m%20is%20not%20null%20and%20azimuth%20is%20not%20null"
    )
    assert page.locator(".leaflet-density-pane canvas").count() == 0
    lon, lat = seen["features"][0]["geometry"]["coordinates"]
    page.evaluate("([lon, lat]) => { map_main.setView([lat, lon], 17, { animate: false }); }", [lon, lat])
    page.wait_for_selector(".leaflet-density-pane canvas", state="attached")
    visitor.settle()
    painted = page.evaluate(
        "() => { const canvas = document.querySelector('.leaflet-density-pane canvas');"
        " return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0); }"
    )
    assert painted


def test_language_switch_keeps_the_view(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage?threshold=7")
    page.click("[data-language=en]")
    page.wait_for_selector("html[lang=en][data-ready=yes]", state="attached")
    assert "threshold=7" in page.url
    assert "lang=" not in page.url
    assert "fall short" in visitor.text("#answer") or "meet the rule" in visitor.text("#answer")


def test_points_become_numbers_only_when_too_many_are_in_view(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?layers=county,camera")
    total = visitor.get("/api/v1/layers")
    cameras = next(layer for layer in total if layer["kind"] == "camera")["with_geometry"]
    assert cameras < 3000, "the small county shows single marks"
    states = [int(text.replace(",", "")) for text in page.locator("#legend b").all_inner_texts()]
    assert sum(states) - 1 == cameras, "states of the legend add up to the cameras (and one county)"


def test_date_before_the_data_shows_what_was_there_then(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage")
    page.fill("#as-of input[type=text]", "2019-01-01")
    page.keyboard.press("Enter")
    page.wait_for_url("**as_of=2019-01-01**")
    page.wait_for_selector("#as-of.past")
    visitor.settle()
    summary = visitor.get("/api/v1/coverage?as_of=2019-01-01")["summary"]
    assert summary["short"] in visitor.numbers("#answer")


def test_panel_of_a_phone_is_a_sheet_of_three_heights(visit: Visit) -> None:
    visitor = visit(size="phone")
    page = visitor.open("/coverage")
    heights = []
    for _ in range(3):
        heights.append(page.locator("#panel").bounding_box()["height"])
        page.locator(".grip").click()
        page.locator("#panel").evaluate("node => Promise.all(node.getAnimations().map((one) => one.finished))")
    assert heights == sorted(heights)
    assert heights[2] > 2 * heights[0]
    assert page.locator(".rail > :visible").count() == 5
    small = page.evaluate(
        "() => [...document.querySelectorAll('.rail > *, .tool-group button')].filter((node) => node.offsetParent)"
        ".filter((node) => node.getBoundingClientRect().height < 44).length"
    )
    assert small == 0
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out sideways"
