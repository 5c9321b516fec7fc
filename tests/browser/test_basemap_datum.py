"""Basemaps drawn in GCJ-02 under data in CGCS2000: a mark on the basemap lies where the place it marks is on the map."""

import base64
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from draughtsman import begin
from playwright.sync_api import Page
from tilefiles import make_mbtiles, picture
from visitor import Visit, Visitor, serving

from geo import datum
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage.store import Store
from web.app import create_app

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
VILLAGE = "432025001001"
"""Where the place lies."""
ZOOMS = (14, 15, 16)
_AROUND = 4
_RED = b"\xe6\x00\x00"
_WITHIN_PX = 3.0

# The middle of the red pixels that the tiles of a map show, in its own window; null while there are none.
_MARK = """(box) => {
  const window_ = document.querySelector(box).getBoundingClientRect();
  let [n, x, y] = [0, 0, 0];
  for (const image of document.querySelectorAll(`${box} .leaflet-tile-pane img.leaflet-tile-loaded`)) {
    const shown = image.getBoundingClientRect();
    const canvas = Object.assign(document.createElement('canvas'), { width: 256, height: 256 });
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, 256, 256);
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] < 200 || data[i + 1] > 60) continue;
      n += 1;
      x += shown.left + (((i / 4) % 256) + 0.5) * shown.width / 256;
      y += shown.top + (Math.floor(i / 1024) + 0.5) * shown.height / 256;
    }
  }
  return n ? [x / n - window_.left, y / n - window_.top] : null;
}"""


def _tiles(lon: float, lat: float) -> dict[tuple[int, int, int], bytes]:
    """Tiles around a position with a red mark of eleven pixels there, at every zoom."""
    found = {}
    for zoom in ZOOMS:
        across = (lon + 180) / 360 * 2**zoom
        down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom
        x, y = int(across), int(down)
        middle = (round((across - x) * 256), round((down - y) * 256))
        near = [(middle[0] + dx, middle[1] + dy) for dx in range(-5, 6) for dy in range(-5, 6)]
        for dx in range(-_AROUND, _AROUND + 1):
            for dy in range(-_AROUND, _AROUND + 1):
                found[zoom, x + dx, y + dy] = picture()
        dots = {(column, row): _RED for column, row in near if 0 <= column < 256 and 0 <= row < 256}
        found[zoom, x, y] = picture(dots)
    return found


@pytest.fixture(scope="module")
def place(county_file: Path) -> tuple[float, float]:
    """A position inside the county in CGCS2000."""
    with Store.open(str(county_file)) as store:
        middle = read_layer(store, "county", OWNER).geometry.iloc[0].representative_point()
    return middle.x, middle.y


@pytest.fixture(scope="module")
def based_address(
    county_file: Path, place: tuple[float, float], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server with two basemap files that mark the place: one drawn in GCJ-02, one in WGS-84."""
    folder = tmp_path_factory.mktemp("based")
    shutil.copyfile(county_file, folder / "county.gpkg")
    (folder / "basemaps").mkdir()
    moved = tuple(float(value) for value in datum.wgs84_to_gcj02(*place))
    assert abs(moved[0] - place[0]) > 0.003, "hundreds of metres"
    for name, where in (("a_gcj02", moved), ("b_plain", place)):
        make_mbtiles(folder / "basemaps" / f"{name}.mbtiles", _tiles(*where), format="png", attribution="made up")
    with (
        Store.open(str(folder / "county.gpkg")) as store,
        serving(create_app({"WORK_FOLDER": str(folder / "work"), "JOB_WORKER": False}, store)) as address,
    ):
        yield address


def off_px(page: Page, place: tuple[float, float], box: str = "#map_main") -> float:
    """How far the mark lies from its place in a map's window, once it is there."""
    page.wait_for_function("() => !map_main._animatingZoom && !map_main._panAnim?._inProgress")
    mark = page.wait_for_function(_MARK, arg=box).json_value()
    # A second map has the centre of the first.
    x, y = page.evaluate(
        """([lon, lat, box]) => {
          const at = map_main.latLngToContainerPoint([lat, lon]), size = map_main.getSize();
          const shown = document.querySelector(box).getBoundingClientRect();
          return [at.x - size.x / 2 + shown.width / 2, at.y - size.y / 2 + shown.height / 2];
        }""",
        [*place, box],
    )
    return math.dist(mark, (x, y))


def seen(page: Page, box: str) -> list[int]:
    """The colour on the screen in the middle of a map."""
    shown = page.locator(box).bounding_box()
    clip = {
        "x": shown["x"] + shown["width"] / 2 - 1,
        "y": shown["y"] + shown["height"] / 2 - 1,
        "width": 2,
        "height": 2,
    }
    picture_ = base64.b64encode(page.screenshot(clip=clip)).decode()
    return page.evaluate(
        """async (data) => {
          const image = Object.assign(new Image(), { src: `data:image/png;base64,${data}` });
          await image.decode();
          const context = document.createElement('canvas').getContext('2d');
          context.drawImage(image, 0, 0);
          return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        picture_,
    )


def opened(visit: Visit, place: tuple[float, float], **address: Any) -> Visitor:
    visitor = visit(at="based_address")
    more = "".join(f"&{name}={value}" for name, value in address.items())
    visitor.open(f"/?at=16/{place[1]:.5f}/{place[0]:.5f}{more}")
    visitor.settle()
    return visitor


def test_tiles_in_gcj02_are_moved_to_where_the_data_is_and_stay_there(visit: Visit, place: tuple[float, float]) -> None:
    visitor = opened(visit, place, base=0)
    page = visitor.page
    assert off_px(page, place) < _WITHIN_PX
    visitor.shot("basemap-gcj02")
    assert seen(page, "#map_main") == list(_RED), "nothing lies over the basemap"
    page.evaluate("() => map_main.panBy([150, -90], { animate: false })")
    assert off_px(page, place) < _WITHIN_PX
    for zoom in (15, 14):
        page.evaluate("(zoom) => map_main.setZoom(zoom, { animate: false })", zoom)
        page.wait_for_function("() => document.querySelectorAll('.leaflet-tile-container').length === 1")
        assert off_px(page, place) < _WITHIN_PX
    page.keyboard.press("l")
    assert "GCJ-02" in page.locator("fieldset.radio-list").inner_text()
    page.check("input[name=base][value='1']")
    visitor.settle()
    assert off_px(page, place) < _WITHIN_PX, "a basemap of the other sort is left alone"


def test_a_second_map_moves_them_too(visit: Visit, place: tuple[float, float]) -> None:
    visitor = opened(visit, place, base=0, compare="2025-01-01", compare_mode="side")
    visitor.page.wait_for_selector("#map-second .leaflet-tile-pane img.leaflet-tile-loaded")
    visitor.page.evaluate("([lon, lat]) => map_main.setView([lat, lon], 16, { animate: false })", place)
    visitor.settle()
    assert off_px(visitor.page, place, "#map-second") < _WITHIN_PX
    visitor.shot("basemap-side")
    assert seen(visitor.page, "#map-second") == list(_RED)
    assert off_px(visitor.page, place) < _WITHIN_PX


def test_the_basemap_is_seen_through_the_areas_of_a_draft(visit: Visit, place: tuple[float, float]) -> None:
    visitor = opened(visit, place, base=0)
    someone = begin(visitor, VILLAGE)
    page = someone.open()
    mark = {}
    for base in ("", "0"):
        visitor.open(f"/redraw?draft={someone.draft}&base={base}")
        page.wait_for_selector("html[data-draft=open]", state="attached")
        page.evaluate("([lon, lat]) => map_main.setView([lat, lon], 16, { animate: false })", place)
        visitor.settle()
        mark[base] = seen(page, "#map_main")
    off_px(page, place)
    visitor.shot("basemap-draft")
    assert mark["0"][0] - mark["0"][1] > 100, "red under a thin coat"
    assert mark[""][0] - mark[""][1] < 20
