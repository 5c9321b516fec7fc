"""Every tool of the editing page with a real mouse, on real answers of the server."""

from collections.abc import Callable, Iterator

import pytest
import shapely
import shapely.ops
from draughtsman import Draughtsman, begin
from office import PASSWORD
from playwright.sync_api import Browser, Page
from visitor import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

VILLAGE = "432025001001"
"""The village of the small county with most grids."""
_WITHIN_M2 = 1.0


@pytest.fixture(scope="module")
def windows(chromium: Browser, drafting_address: str) -> Iterator[Callable[[str], Visitor]]:
    """One signed-in window for each language, for all tests here: signing in is not what they test."""
    opened: dict[str, Visitor] = {}

    def window(language: str) -> Visitor:
        if language not in opened:
            opened[language] = Visitor(chromium, drafting_address, language, "desk")
            opened[language].sign_in("planner", PASSWORD)
        return opened[language]

    yield window
    for visitor in opened.values():
        visitor.close()


@pytest.fixture
def drafting(windows: Callable[[str], Visitor]) -> Iterator[Callable[..., Draughtsman]]:
    """A fresh draft of the village, open in a window; at the end nothing unexpected may have happened there."""
    used: list[Visitor] = []

    def come(language: str = "zh") -> Draughtsman:
        visitor = windows(language)
        visitor.problems, visitor.expected = [], []
        used.append(visitor)
        someone = begin(visitor, VILLAGE)
        someone.open()
        return someone

    yield come
    unexpected = [each for visitor in used for each in visitor.problems if not any(w in each for w in visitor.expected)]
    assert unexpected == []


def areas_m2(someone: Draughtsman) -> dict[str, float]:
    return {code: each["properties"]["area_m2"] for code, each in someone.features().items()}


def towards(border: shapely.LineString, area: shapely.Polygon, share: float = 0.45) -> shapely.Point:
    """A point from the middle of a border some way into an area."""
    middle, inside = border.interpolate(0.5, normalized=True), area.representative_point()
    return shapely.LineString([middle, inside]).interpolate(share, normalized=True)


def test_pushed_border_gives_land_to_the_pushing_side(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    gains, loses = someone.neighbours()
    border = someone.border(gains, loses)
    start, end = (border.interpolate(at, normalized=True) for at in (0.2, 0.8))
    before, shapes = areas_m2(someone), someone.shapes()
    someone.select(gains)
    someone.tool("push")
    someone.draw([start, towards(border, shapes[loses])], finish="")
    someone.page.mouse.move(*someone.pixel(end), steps=5)
    someone.page.wait_for_selector("#redraw-figures .delta")
    shown = someone.page.locator("#redraw-figures tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.code)")
    assert set(shown) == {gains, loses}, "live figures of both sides before anything is kept"
    assert someone.facts()["operations"] == []
    someone.visitor.shot("redraw-push")
    someone.page.mouse.click(*someone.pixel(end))
    someone.page.keyboard.press("Enter")
    someone.wait_saved(1)
    after = areas_m2(someone)
    assert after[gains] > before[gains] + _WITHIN_M2
    assert after[loses] < before[loses] - _WITHIN_M2
    assert sum(after.values()) == pytest.approx(sum(before.values()), abs=0.01)
    assert someone.whole()
    assert someone.facts()["operations"][0]["metres_per_pixel"] > 0


def test_ring_drawn_anew_replaces_the_outline(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    code, _ = someone.neighbours()
    before, shapes = areas_m2(someone), someone.shapes()
    someone.select(code)
    someone.tool("ring")
    ring = shapes[code].convex_hull.buffer(0.0003, join_style="mitre").simplify(0.00005)
    someone.draw(list(ring.exterior.coords)[:-1], finish="double")
    someone.wait_saved(1)
    assert someone.facts()["operations"][0]["op"] == "redraw"
    assert areas_m2(someone)[code] > before[code] + _WITHIN_M2, "a hull around it takes in the bays"
    assert someone.whole()


def close_up(someone: Draughtsman, place: tuple[float, float]) -> None:
    """Near enough that the handles of two corners do not lie over each other."""
    someone.page.evaluate("([lon, lat]) => { map_main.setView([lat, lon], 18, { animate: false }); }", list(place))
    someone.visitor.settle()
    assert someone.page.evaluate("() => map_main.getZoom()") == 18


def test_area_asked_for_while_the_map_still_goes_to_another_is_shown(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    shapes = someone.shapes()
    first, *_, last = sorted(shapes, key=lambda code: shapes[code].centroid.x)
    someone.page.evaluate(
        """async (codes) => {
          const show = (code) => document.querySelector(`.area-list li:has([data-code='${code}']) button.plain`).click();
          show(codes[0]);
          while (!map_main._animatingZoom) await new Promise(requestAnimationFrame);
          show(codes[1]);
        }""",
        [first, last],
    )
    someone.visitor.still()
    view = shapely.box(*someone.page.evaluate("() => map_main.getBounds().toBBoxString().split(',').map(Number)"))
    assert view.covers(shapes[last]) and not view.covers(shapes[first])


def corner_of(someone: Draughtsman, one: str, other: str) -> tuple[float, float]:
    """A corner in the middle of the border of two areas."""
    places = list(someone.border(one, other).coords)
    return places[len(places) // 2]


def outlines(someone: Draughtsman) -> list[list[tuple[float, float]]]:
    """Corners of the polygons that are being dragged in the window: the picked area first, its neighbours after it."""
    return someone.page.evaluate(
        "() => { const found = []; map_main.eachLayer((layer) => { if (layer instanceof L.Polygon && layer.options.pmIgnore === false)"
        " found.push(layer.getLatLngs().flat(3).map(({ lng, lat }) => [lng, lat])); }); return found; }"
    )


def test_dragged_corner_moves_in_both_neighbours_while_dragging(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    one, other = someone.neighbours()
    corner = corner_of(someone, one, other)
    before = someone.shapes()
    someone.select(one)
    close_up(someone, corner)
    someone.tool("corner")
    x, y = someone.pixel(corner)
    someone.page.mouse.move(x, y)
    someone.page.mouse.down()
    someone.page.mouse.move(x + 14, y + 9, steps=6)
    known = [code for code, area in before.items() if corner in set(area.exterior.coords)]
    others = [set(before[code].exterior.coords) - {corner} for code in known]
    # What has no handles may still be drawn as it was, and a preview draws the land that moves.
    rings = [[tuple(place) for place in ring] for ring in outlines(someone)]
    moving = [ring for ring in rings if any(len(rest & set(ring)) > 3 for rest in others)]
    own = set(before[one].exterior.coords)
    dragged = next(place for place in max(moving, key=lambda ring: len(own & set(ring))) if place not in own)
    holders = [ring for ring in moving if dragged in ring]
    assert len(holders) == len(known) >= 2, "every area with the corner has it at the new place, to the last digit"
    assert not any(corner in ring for ring in moving)
    someone.page.wait_for_selector("#redraw-figures .delta")
    someone.visitor.shot("redraw-corner")
    someone.page.mouse.up()
    someone.wait_saved(1)
    after = someone.shapes()
    moved = [code for code in known if corner not in set(after[code].exterior.coords)]
    assert moved == known
    new = set(after[one].exterior.coords) - set(before[one].exterior.coords)
    assert len(new) == 1
    assert all(new <= set(after[code].exterior.coords) for code in known)
    assert someone.whole()


def test_corner_put_into_a_border_and_taken_out_again_is_in_both_areas(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    one, other = someone.neighbours()
    border = someone.border(one, other)
    places = list(border.coords)
    longest = max(range(len(places) - 1), key=lambda i: shapely.LineString(places[i : i + 2]).length)
    middle = shapely.LineString(places[longest : longest + 2]).interpolate(0.5, normalized=True)
    before = someone.shapes()
    someone.select(one)
    close_up(someone, (middle.x, middle.y))
    someone.tool("corner")
    x, y = someone.pixel(middle)
    someone.page.mouse.move(x, y)
    someone.page.mouse.down()
    someone.page.mouse.move(x + 40, y + 30, steps=6)
    someone.page.mouse.up()
    someone.wait_saved(1)
    after = someone.shapes()
    new = set(after[one].exterior.coords) - set(before[one].exterior.coords)
    assert len(new) == 1
    assert new <= set(after[other].exterior.coords)
    assert someone.whole()
    place = someone.pixel(next(iter(new)))
    someone.page.mouse.click(*place)
    someone.page.wait_for_selector(".marker-icon.picked")
    someone.page.keyboard.press("Delete")
    someone.wait_saved(2)
    again = someone.shapes()
    assert not new & set(again[one].exterior.coords)
    assert not new & set(again[other].exterior.coords)
    assert someone.whole()


def test_corner_is_moved_with_the_keyboard(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    one, other = someone.neighbours()
    corner = corner_of(someone, one, other)
    someone.select(one)
    close_up(someone, corner)
    someone.tool("corner")
    someone.page.mouse.click(*someone.pixel(corner))
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        someone.page.keyboard.press(key)
    someone.wait_saved(1)
    assert someone.facts()["operations"][0]["op"] == "corner"
    assert corner not in set(someone.shapes()[one].exterior.coords)


def test_piece_is_drawn_and_goes_to_the_chosen_neighbour(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    gives, gets = someone.neighbours()
    before, shapes = areas_m2(someone), someone.shapes()
    border = someone.border(gives, gets)
    # A stretch of the border and some land behind it, with room around: a piece that takes a bite and leaves no crumbs.
    stretch = shapely.ops.substring(border, 0.4, 0.6, normalized=True)
    piece = shapely.union(stretch, towards(border, shapes[gives], 0.3)).convex_hull.buffer(6e-5, join_style="mitre")
    someone.select(gives)
    someone.tool("transfer")
    someone.draw(list(piece.simplify(2e-5).exterior.coords)[:-1], finish="double")
    someone.page.wait_for_selector("#redraw-strip select")
    someone.page.mouse.click(*someone.pixel(shapes[gets].representative_point()))
    assert someone.page.locator("#redraw-strip select").input_value() == gets
    someone.page.keyboard.press("Enter")
    someone.wait_saved(1)
    after = areas_m2(someone)
    assert after[gives] < before[gives] - _WITHIN_M2
    assert after[gives] + after[gets] == pytest.approx(before[gives] + before[gets], abs=0.01)
    assert someone.whole()


def test_line_across_an_area_splits_it_in_two_with_new_codes(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    before = areas_m2(someone)
    code = max(before, key=lambda one: before[one])
    split(someone, code)
    after = areas_m2(someone)
    new = set(after) - set(before)
    assert code not in after
    assert len(new) == 2
    assert sum(after[one] for one in new) == pytest.approx(before[code], abs=0.01)
    assert someone.whole()
    assert someone.page.locator("#redraw-figures tbody tr").count() == 3


def split(someone: Draughtsman, code: str) -> None:
    area = someone.shapes()[code]
    west, _, east, _ = area.bounds
    middle = area.representative_point()
    line = shapely.LineString([(west - 0.001, middle.y), (east + 0.001, middle.y)]).intersection(area)
    part = max(shapely.get_parts(line), key=lambda one: one.length)
    count = len(someone.facts()["operations"])
    someone.select(code)
    someone.tool("split")
    someone.draw([part.coords[0], part.coords[-1]], finish="double")
    someone.wait_saved(count + 1)


def test_area_is_chosen_and_split_with_keys_alone(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    page, keyboard = someone.page, someone.page.keyboard
    before, shapes = areas_m2(someone), someone.shapes()
    code = max(before, key=lambda one: before[one])
    for _ in range(200):
        keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.dataset.code") == code:
            break
    keyboard.press("Enter")
    page.wait_for_url(f"**sel=grid:{code}*")
    keyboard.press("6")
    page.wait_for_selector("#tool-split[aria-pressed=true]")
    assert "空格" in someone.visitor.text("#redraw-strip .hint"), "the keys are told where they are needed"
    # From the middle of the map to the middle of the area's southern end, over it, and beyond its northern end.
    west, south, east, north = shapes[code].bounds
    size = page.evaluate("() => { const { x, y } = map_main.getSize(); return [x, y]; }")
    left, top = (page.locator("#map_main").bounding_box()[side] for side in ("x", "y"))
    x, low = someone.pixel(((west + east) / 2, south))
    _, high = someone.pixel(((west + east) / 2, north))
    here = [left + size[0] / 2, top + size[1] / 2]
    walk(page, here, x, low + 20)
    keyboard.press("Space")
    walk(page, here, x + 40, (low + high) / 2)
    keyboard.press("Space")
    corners = page.locator(".leaflet-marker-icon.marker-icon:not(.cursor-marker)")
    assert corners.count() == 2
    keyboard.press("Backspace")
    assert corners.count() == 1 and page.locator(".marker-icon.pen").count() == 1
    walk(page, here, x, high - 20)
    keyboard.press("Space")
    someone.visitor.shot("redraw-keys")
    assert someone.facts()["operations"] == []
    keyboard.press("Enter")
    someone.wait_saved(1)
    after = areas_m2(someone)
    assert code not in after and len(set(after) - set(before)) == 2
    assert someone.whole()


def walk(page: Page, here: list[float], x: float, y: float) -> None:
    """Arrow keys until the pen is at a place of the window, to half a step; `here` is where it was and then is."""
    for axis, goal, (less, more) in ((0, x, ("ArrowLeft", "ArrowRight")), (1, y, ("ArrowUp", "ArrowDown"))):
        steps = round((goal - here[axis]) / 8)
        for _ in range(abs(steps)):
            page.keyboard.press(more if steps > 0 else less)
        here[axis] += 8 * steps


def test_neighbours_are_merged_and_keep_one_code(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    keeps, ends = someone.neighbours()
    before, shapes = areas_m2(someone), someone.shapes()
    someone.select(keeps)
    someone.tool("merge")
    someone.page.mouse.click(*someone.pixel(shapes[ends].representative_point()))
    someone.page.wait_for_selector("#redraw-strip select")
    someone.page.keyboard.press("Enter")
    someone.wait_saved(1)
    after = areas_m2(someone)
    assert ends not in after
    assert after[keeps] == pytest.approx(before[keeps] + before[ends], abs=0.01)
    assert someone.whole()


def test_ring_around_a_school_becomes_a_grid_with_its_name(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    before = areas_m2(someone)
    code = max(before, key=lambda one: before[one])
    someone.select(code)
    middle = someone.shapes()[code].representative_point()
    someone.tool("carve")
    someone.draw(
        [(middle.x + dx, middle.y + dy) for dx, dy in ((-4e-4, 3e-4), (4e-4, 3e-4), (4e-4, -3e-4), (-4e-4, -3e-4))]
    )
    someone.page.fill("#carve-name", "河畔学校")
    someone.page.keyboard.press("Enter")
    someone.wait_saved(1)
    features = someone.features()
    new = set(features) - set(before)
    assert [features[one]["properties"]["name"] for one in new] == ["河畔学校"]
    assert someone.whole()
    assert someone.page.locator(".area-list", has_text="河畔学校").count() == 1


def test_dissolved_area_goes_to_a_neighbour(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    gets, ends = someone.neighbours()
    before, shapes = areas_m2(someone), someone.shapes()
    someone.select(ends)
    someone.tool("dissolve")
    someone.page.mouse.click(*someone.pixel(shapes[gets].representative_point()))
    someone.page.keyboard.press("Enter")
    someone.wait_saved(1)
    after = areas_m2(someone)
    assert ends not in after
    assert after[gets] == pytest.approx(before[gets] + before[ends], abs=0.01)
    assert someone.whole()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_locked_neighbour_refuses_with_words_and_the_piece_on_the_map(
    drafting: Callable[..., Draughtsman], language: str
) -> None:
    someone = drafting(language=language)
    wants, locked = someone.neighbours()
    border, shapes = someone.border(wants, locked), someone.shapes()
    someone.select(wants)
    someone.tool("lock")
    someone.page.mouse.click(*someone.pixel(shapes[locked].representative_point()))
    someone.page.wait_for_selector(f".area-list li:has([data-code='{locked}']) button[aria-pressed=true]")
    assert someone.facts()["locked"] == [locked]
    someone.tool("push")
    someone.page.click(f".area-list [data-code='{wants}']")
    start, end = (border.interpolate(at, normalized=True) for at in (0.2, 0.8))
    someone.draw([start, towards(border, shapes[locked]), end])
    refusal = someone.page.wait_for_selector(".refusal")
    assert len(refusal.inner_text().splitlines()) >= 3, "what, how to mend, and a button to look"
    hatched = someone.page.evaluate(
        "() => [...document.querySelectorAll('.leaflet-pieces-pane canvas')].some((canvas) => canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height).data.some((value, i) => i % 4 === 0 && value > 150))"
    )
    assert hatched, "the piece in question is drawn"
    someone.visitor.shot("redraw-refused")
    assert someone.facts()["operations"] == []
    assert someone.shapes() == shapes


def test_undo_and_redo_of_the_whole_draft_by_keys_and_buttons(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    before = someone.shapes()
    codes = sorted(before, key=lambda code: before[code].area)
    split(someone, codes[-1])
    first = someone.shapes()
    split(someone, codes[-2])
    second = someone.shapes()
    for key, count, wanted in (("z", 1, first), ("z", 0, before), ("y", 1, first), ("Shift+Z", 2, second)):
        someone.page.keyboard.press(f"Control+{key}")
        someone.wait_saved(count)
        assert someone.shapes() == wanted, "as it was, to the last digit"
    someone.page.click("#step-undo")
    someone.wait_saved(1)
    assert someone.shapes() == first
    assert someone.page.locator("#step-redo").is_enabled()
    someone.page.reload()
    someone.page.wait_for_selector("html[data-draft=open]", state="attached")
    someone.page.click("#step-redo")
    someone.wait_saved(2)
    assert someone.shapes() == second


def test_unsent_drawing_warns_before_the_page_is_left_and_escape_gives_it_up(
    drafting: Callable[..., Draughtsman],
) -> None:
    someone = drafting()
    code = next(iter(someone.shapes()))
    someone.visitor.expected.append("dialog")
    someone.select(code)
    someone.tool("ring")
    someone.draw([someone.shapes()[code].representative_point()], finish="")
    asked: list[str] = []
    someone.page.once("dialog", lambda dialog: asked.append(dialog.type))
    someone.page.evaluate("() => { setTimeout(() => location.reload(), 0); }")
    someone.page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    someone.page.keyboard.press("Escape")
    assert someone.page.locator(".leaflet-marker-icon.marker-icon:not(.cursor-marker)").count() == 0
    someone.page.reload()
    someone.page.wait_for_selector("html[data-draft=open]", state="attached")
    assert asked == ["beforeunload"], "nothing drawn, nothing asked"


def test_save_of_somebody_else_is_told_and_the_latest_can_be_loaded(
    drafting: Callable[..., Draughtsman], visit: Visit
) -> None:
    someone = drafting()
    someone.visitor.expected.append("409")
    shapes = someone.shapes()
    code = max(shapes, key=lambda one: shapes[one].area)
    other = Draughtsman(visit("administrator", at="drafting_address"), someone.draft)
    other.open()
    split(other, code)
    someone.select(next(one for one in shapes if one != code))
    someone.tool("dissolve")
    someone.page.keyboard.press("Enter")
    panel = someone.page.wait_for_selector(".conflict")
    assert "administrator" in panel.inner_text(), "it says who"
    someone.visitor.shot("redraw-conflict")
    someone.page.locator(".conflict .btn-primary").click()
    someone.page.wait_for_selector(".conflict", state="detached")
    assert someone.page.locator(f".area-list [data-code='{code}']").count() == 0
    assert len(someone.facts()["operations"]) == 1


def test_only_the_picked_area_has_handles(drafting: Callable[..., Draughtsman]) -> None:
    someone = drafting()
    code = next(iter(someone.shapes()))
    someone.select(code)
    assert someone.page.locator(".marker-icon").count() == 0
    someone.tool("corner")
    corners = len(someone.shapes()[code].exterior.coords) - 1
    assert someone.page.locator(".marker-icon:not(.marker-icon-middle)").count() == corners


@pytest.mark.parametrize("key", ["2", "6"])
def test_tools_have_number_keys_and_escape_leads_back(drafting: Callable[..., Draughtsman], key: str) -> None:
    someone = drafting()
    someone.page.keyboard.press(key)
    pressed = someone.page.locator("#redraw-bar [aria-pressed=true]")
    assert pressed.get_attribute("aria-keyshortcuts") == key
    someone.page.keyboard.press("Escape")
    assert pressed.get_attribute("id") == "tool-select"


def test_finger_splits_an_area_with_taps_and_buttons(visit: Visit) -> None:
    someone = begin(visit(size="phone", at="drafting_address"), VILLAGE)
    page = someone.open()
    shapes = someone.shapes()
    code = max(shapes, key=lambda one: shapes[one].area)
    west, south, east, north = shapes[code].bounds
    # Between the tools above and the figures and the sheet below.
    page.evaluate(
        "(box) => { map_main.fitBounds(box, { paddingTopLeft: [20, 190], paddingBottomRight: [64, 310], animate: false }); }",
        [[south, west], [north, east]],
    )
    someone.visitor.settle()
    middle = shapes[code].representative_point()
    line = shapely.LineString([(west - 0.001, middle.y), (east + 0.001, middle.y)]).intersection(shapes[code])
    ends = max(shapely.get_parts(line), key=lambda one: one.length).coords
    page.locator("#tool-split").tap()
    page.touchscreen.tap(*someone.pixel(middle))
    page.wait_for_function("(code) => location.search.includes(code)", arg=code)
    for place in (ends[0], ends[-1]):
        page.touchscreen.tap(*someone.pixel(place))
        # Two taps within a fifth of a second are a double tap, wherever they are.
        page.wait_for_timeout(250)
    page.locator("#redraw-strip .btn-primary").tap()
    someone.wait_saved(1)
    assert code not in someone.shapes()
    assert someone.whole()
    page.locator("#tool-corner").tap()
    page.wait_for_selector(".marker-icon")
    reach = page.locator(".marker-icon:not(.crowded)").evaluate_all(
        "handles => handles.map((one) => parseFloat(getComputedStyle(one, '::before').width))"
    )
    assert min(reach) >= 44, "a finger finds a handle"
    small = page.locator("#redraw-bar button, #redraw-strip .btn").evaluate_all(
        "nodes => nodes.filter((one) => one.getBoundingClientRect().height < 44).length"
    )
    assert small == 0
    someone.visitor.shot("redraw-touch")


def test_roles_without_a_hand_in_boundaries_do_not_find_the_page(visit: Visit) -> None:
    visitor = visit("viewer", at="drafting_address")
    assert visitor.open("/").locator(".rail [data-page=redraw]").count() == 0
    visitor.expected.append("403")
    answer = visitor.page.goto(f"{visitor.address}/redraw")
    assert answer is not None
    assert answer.status == 403


def test_empty_store_says_that_grids_come_first(visit: Visit) -> None:
    visitor = visit("planner", at="empty_address")
    page = visitor.open("/redraw")
    assert page.locator(".empty a[href='/layers']").is_visible()
    visitor.shot("redraw-empty")


@pytest.mark.parametrize("path", ["/redraw", "/redraw?new=1"])
def test_names_that_are_scripts_stay_text_on_the_editing_page(visit: Visit, path: str) -> None:
    visitor = visit("administrator", at="hostile_address")
    page = visitor.open(path)
    visitor.settle()
    assert page.locator("img[src=x]").count() == 0
