"""The map in one HTML file: no request, no markup from data, the same figures as the page, rights as everywhere."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import shapely
import squares
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from geo.errors import InputError, LimitError, RightsError
from layers.figures.derived import coverage
from layers.rights import OWNER, Viewer
from layers.storage.store import Store
from web import standalone
from web.standalone import script_json, standalone_html

pytestmark = pytest.mark.xdist_group("browser")
NASTY = [
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=2>",
    '"><svg onload=window.hacked=3>',
    "<!--<script>",
    "\u2028',window.hacked=4,'",
    "運誠乗",
]


@pytest.fixture
def county_store(gpkg_store: Store) -> Store:
    """The county of squares with names that a page must not run."""
    for kind, rows in (
        ("county", squares.county().assign(name=[NASTY[1]])),
        ("township", squares.townships().assign(name=NASTY[:2])),
        ("village", squares.villages().assign(name=NASTY)),
        ("camera", squares.cameras().assign(name=NASTY[0])),
        ("boundary_line", squares.frame([shapely.LineString([squares.at(0, 0), squares.at(3, 2)])], number=["0001"])),
    ):
        squares.put(gpkg_store, kind, rows)
    return gpkg_store


class Elements(HTMLParser):
    """Names and attributes of all elements, as a browser's parser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def embedded(path: Path) -> dict:
    found = re.search(
        r'<script type="application/json" id="map-data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    return json.loads(found[1])


def test_the_file_names_no_other_file_and_forbids_every_request(county_store: Store, tmp_path: Path) -> None:
    standalone_html(county_store, OWNER, "coverage", tmp_path / "m.html")
    text = (tmp_path / "m.html").read_text("utf-8")
    for tag, attributes in Elements(text).found:
        assert not {"src", "href", "action", "data", "srcset"} & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    assert all(url.startswith(("data:", "#")) for url in re.findall(r"url\(['\"]?([^)'\"]+)", text))
    assert "default-src 'none'" in text and "/static/" not in text


def test_names_from_files_become_no_elements(county_store: Store, tmp_path: Path) -> None:
    standalone_html(county_store, OWNER, "coverage", tmp_path / "m.html")
    found = Elements((tmp_path / "m.html").read_text("utf-8")).found
    assert not [tag for tag, _ in found if tag in ("img", "svg")]
    assert sum(tag == "script" for tag, _ in found) == 5  # touch switch, Leaflet, data, map, drawing


@given(st.text())
def test_embedded_json_cannot_end_its_element_and_reads_back(text: str) -> None:
    body = script_json({"name": text})
    assert not set("<>&\u2028\u2029") & set(body)
    assert json.loads(body) == {"name": text}


def test_figures_are_those_of_the_coverage_page(county_store: Store, tmp_path: Path) -> None:
    result = coverage(county_store, OWNER)
    standalone_html(county_store, OWNER, "coverage", tmp_path / "m.html")
    data = embedded(tmp_path / "m.html")
    assert [area["code"] for area in data["areas"]] == result.rows["code"].tolist()
    assert sum(style["count"] for style in data["styles"]) == len(result.rows) == 6
    short = result.rows[result.rows["shortfall"] > 0]
    assert [data["areas"][entry["area"]]["code"] for entry in data["ranking"]] == short["code"].tolist()
    assert [float(entry["figure"]) for entry in data["ranking"]] == short["shortfall"].tolist()
    assert result.sentence().zh in (tmp_path / "m.html").read_text("utf-8")


def test_rows_without_position_are_in_the_answer_not_on_the_map(county_store: Store, tmp_path: Path) -> None:
    standalone_html(county_store, OWNER, "camera", tmp_path / "m.html")
    assert len(embedded(tmp_path / "m.html")["points"]) == 9
    assert "其中 1 个没有位置" in (tmp_path / "m.html").read_text("utf-8")


def test_guest_gets_coverage_and_no_camera(county_store: Store, tmp_path: Path) -> None:
    guest = Viewer("guest", "viewer")
    with pytest.raises(RightsError):
        standalone_html(county_store, guest, "camera", tmp_path / "c.html")
    standalone_html(county_store, guest, "coverage", tmp_path / "m.html")
    text = (tmp_path / "m.html").read_text("utf-8")
    assert not [device for device in squares.cameras()["device_id"] if device in text]
    assert not (tmp_path / "c.html").exists()


def test_area_scope_limits_what_is_embedded(county_store: Store, tmp_path: Path) -> None:
    south = Viewer("south", "grid_manager", areas=(squares.SOUTH,))
    standalone_html(county_store, south, "village", tmp_path / "m.html")
    data = embedded(tmp_path / "m.html")
    assert {area["code"] for area in data["areas"]} == {squares.V1, squares.V2, squares.V3}
    assert len(data["names"]) == 1 and squares.V4 not in (tmp_path / "m.html").read_text("utf-8")


def test_too_many_features_are_refused_with_a_way_out(
    county_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standalone, "MOST_AREAS", 5)
    with pytest.raises(LimitError) as caught:
        standalone_html(county_store, OWNER, "village", tmp_path / "m.html")
    assert "GeoPackage" in caught.value.mend.en and not (tmp_path / "m.html").exists()


def test_unknown_language_and_the_store_itself_are_refused(county_store: Store, tmp_path: Path) -> None:
    assert county_store.path is not None
    with pytest.raises(InputError):
        standalone_html(county_store, OWNER, "village", tmp_path / "m.html", language="fr")
    with pytest.raises(InputError):
        standalone_html(county_store, OWNER, "village", county_store.path)


def opened(browser: Browser, path: Path) -> tuple[Page, list[str], list[str]]:
    """The page opened from disk, with every request and every error it makes."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    return page, requests, errors


@pytest.mark.browser
@pytest.mark.parametrize(
    ("view", "count", "language"),
    [("coverage", 6, "zh"), ("camera", 9, "en"), ("township", 2, "zh"), ("boundary_line", 1, "zh")],
)
def test_it_opens_from_disk_draws_everything_and_asks_nobody(
    county_store: Store, tmp_path: Path, chromium: Browser, view: str, count: int, language: str
) -> None:
    path = tmp_path / "m.html"
    standalone_html(county_store, OWNER, view, path, language=language)
    page, requests, errors = opened(chromium, path)
    assert page.get_attribute("html", "data-ready") == str(count)
    # No picture of a marker or tile either: the file itself is the one request.
    assert requests == [path.as_uri()] and errors == []
    assert page.evaluate("window.hacked") is None
    page.close()


@pytest.mark.browser
def test_choosing_a_place_shows_its_values_as_text(county_store: Store, tmp_path: Path, chromium: Browser) -> None:
    standalone_html(county_store, OWNER, "coverage", tmp_path / "m.html")
    page, _, errors = opened(chromium, tmp_path / "m.html")
    first = page.locator("#ranking button").first
    name = first.locator("span").first.inner_text()
    first.click()
    page.wait_for_selector("#details:not([hidden])")
    assert page.locator("#details h2").inner_text() == name
    assert page.locator("#details img, #details script, #details svg").count() == 0
    page.mouse.move(900, 400)
    assert page.evaluate("window.hacked") is None and errors == []
    page.close()
