"""The coverage page: the answer, the threshold, the list, the map and the table say the same."""

import json

import pytest
import shapely
from visitor import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_first_sentence_is_the_answer_the_server_gives(visit: Visit, language: str, size: str) -> None:
    visitor = visit(language=language, size=size)
    visitor.open("/coverage")
    summary = visitor.get("/api/v1/coverage")["summary"]
    said = visitor.numbers("#answer")
    assert sorted(said) == sorted([summary["units"], summary["short"], summary["cameras_missing"]])
    visitor.shot("coverage")


def test_legend_counts_add_up_to_the_number_of_villages(visit: Visit) -> None:
    visitor = visit()
    visitor.open("/coverage")
    counts = [
        int(text.replace(",", "")) for text in visitor.page.locator("#legend ul:first-of-type b").all_inner_texts()
    ]
    assert sum(counts) == visitor.get("/api/v1/coverage")["summary"]["units"]
    assert len(counts) <= 5


def test_threshold_recolours_without_asking_the_server(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage")
    visitor.settle()
    before = len(visitor.asked)
    page.locator("#threshold").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**threshold=8**")
    said = visitor.numbers("#answer")
    # Chromium asks for the page's icon again whenever the address changes.
    assert [url for url in visitor.asked[before:] if "/icon.svg" not in url] == []
    summary = visitor.get("/api/v1/coverage?threshold=8")["summary"]
    assert sorted(said) == sorted([summary["units"], summary["short"], summary["cameras_missing"]])
    assert page.locator("#threshold").evaluate("node => node === document.activeElement"), "the slider keeps the focus"


def test_each_village_has_the_colour_of_its_class(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage?layers=village")
    visitor.settle()
    rows = {row["code"]: row for row in visitor.get("/api/v1/coverage")["rows"]}
    features = visitor.get("/features/village?columns=name")["features"]
    places = {one["id"]: shapely.from_geojson(json.dumps(one["geometry"])).representative_point() for one in features}
    config = json.loads(page.locator("#config").inner_text() or page.locator("#config").evaluate("n => n.textContent"))
    table = config["cartography"]["shortfall"]
    colours = {None: _rgb(table["classes"][0]["fill"])}
    seen = page.evaluate(
        """(places) => {
            const map = window.map_main;
            const canvas = map.getPane("areas").querySelector("canvas");
            const box = canvas.getBoundingClientRect();
            const dense = canvas.width / box.width;
            const holder = map.getContainer().getBoundingClientRect();
            const context = canvas.getContext("2d");
            return Object.fromEntries(Object.entries(places).map(([code, [lon, lat]]) => {
                const at = map.latLngToContainerPoint([lat, lon]);
                const x = Math.round((at.x + holder.left - box.left) * dense);
                const y = Math.round((at.y + holder.top - box.top) * dense);
                return [code, [...context.getImageData(x, y, 1, 1).data].slice(0, 3)];
            }));
        }""",
        {code: [point.x, point.y] for code, point in places.items()},
    )
    limits = [(one["from"], _rgb(one["fill"])) for one in table["classes"][1:]]
    checked = 0
    for code, row in rows.items():
        if row["state"] == "no_data":
            continue
        wanted = colours[None]
        for start, colour in limits:
            if row["shortfall"] >= start and row["state"] == "short":
                wanted = colour
        assert tuple(seen[code]) == wanted, (code, row)
        checked += 1
    assert checked > 20


def test_list_map_address_and_table_follow_one_selection(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage?drawer=35")
    first = page.locator(".ranking li button").first
    name = first.locator(".name").inner_text().split()[0]
    first.click()
    page.wait_for_selector(".detail-title")
    assert visitor.text(".detail-title") == name
    code = page.url.split("sel=village:")[1].split("&")[0]
    page.wait_for_selector(".tabulator-row.chosen")
    assert code in page.locator(".tabulator-row.chosen").inner_text()
    visitor.shot("selected")
    page.go_back()
    page.wait_for_selector("#answer")
    page.locator(".tabulator-row").nth(1).click()
    page.wait_for_selector(".detail-title")
    assert page.url.split("sel=village:")[1].split("&")[0] in page.locator(".tabulator-row").nth(1).inner_text()


def test_how_a_figure_was_made_is_two_clicks_away(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage")
    page.locator(".ranking li button").first.click()
    page.locator(".detail-figures button.link").click()
    told = visitor.text("dialog")
    made = visitor.get("/api/v1/coverage")["provenance"]
    assert made["rule_set"]["date"][:4] in told
    assert made["product"] in told
    for layer in made["layers"]:
        assert f"{layer['version']}" in told
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_a_link_opens_the_same_picture_and_reload_changes_nothing(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage?threshold=7&status=online&layers=county,village&drawer=35")
    visitor.settle()
    address, said = page.url, visitor.text("#answer")
    page.reload()
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    visitor.settle()
    assert page.url == address
    assert visitor.text("#answer") == said
    other = visit()
    other.open(address.removeprefix(other.address))
    assert other.text("#answer") == said


def test_township_sums_lead_into_the_township_and_back(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage?by=township")
    page.locator(".ranking li button").first.click()
    page.wait_for_url("**in=township:**")
    page.wait_for_function("() => document.querySelectorAll('#crumbs button').length === 2")
    code = page.url.split("in=township:")[1].split("&")[0]
    inside = [row for row in visitor.get("/api/v1/coverage")["rows"] if row["parent_code"] == code]
    assert len(inside) in visitor.numbers("#answer")
    page.locator("#crumbs button").first.click()
    page.wait_for_function("() => document.querySelectorAll('#crumbs button').length === 1")
    assert visitor.get("/api/v1/coverage")["summary"]["units"] in visitor.numbers("#answer")
