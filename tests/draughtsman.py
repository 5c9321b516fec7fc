"""Somebody at the editing page with a real mouse: knows where things lie on the screen and what the server keeps."""

import json
from collections.abc import Sequence
from typing import Any

import shapely
from playwright.sync_api import Page
from shapely.geometry import shape
from visitor import Visitor

_PATIENCE_MS = 20000
Place = tuple[float, float]
_PIXEL = (
    "([lon, lat]) => { const box = map_main.getContainer().getBoundingClientRect();"
    " const point = map_main.latLngToContainerPoint([lat, lon]); return [box.left + point.x, box.top + point.y]; }"
)
_SEND = (
    "([method, path, body]) => { const { csrf } = JSON.parse(document.getElementById('config').textContent);"
    " return fetch(path, { method, headers: { 'Content-Type': 'application/json', 'X-CSRFToken': csrf },"
    " body: JSON.stringify(body) }).then(async (answer) => ({ status: answer.status, body: await answer.json() })); }"
)


class Draughtsman:
    """One signed-in window on one draft."""

    def __init__(self, visitor: Visitor, draft: int) -> None:
        self.visitor, self.draft = visitor, draft
        self.page: Page = visitor.page
        self.page.set_default_timeout(_PATIENCE_MS)

    def open(self) -> Page:
        """Open the draft in the editing page."""
        self.visitor.open(f"/redraw?draft={self.draft}")
        self.page.wait_for_selector("html[data-draft=open]", state="attached")
        return self.page

    def send(self, method: str, path: str, body: Any) -> dict[str, Any]:
        """A request of the page's own session."""
        return self.page.evaluate(_SEND, [method, path, body])

    def facts(self) -> dict[str, Any]:
        """The draft as the server keeps it."""
        return self.visitor.get(f"/api/v1/drafts/{self.draft}")

    def features(self) -> dict[str, dict[str, Any]]:
        """The areas of the draft as the server keeps them, by code, without those around."""
        found = self.visitor.get(f"/api/v1/drafts/{self.draft}/areas")["features"]
        return {each["id"]: each for each in found if "area_m2" in each["properties"]}

    def shapes(self) -> dict[str, shapely.Geometry]:
        """Their shapes in lon/lat."""
        return {code: shape(each["geometry"]) for code, each in self.features().items()}

    def whole(self) -> bool:
        """Whether the draft's land is divided without gap and overlap, and is as large as it was."""
        answer = self.visitor.get(f"/api/v1/drafts/{self.draft}/areas")
        return answer["valid"] and answer["area_change_m2"] == 0

    def pixel(self, place: Any) -> Place:
        """Where a position lies in the window."""
        lon, lat = (place.x, place.y) if isinstance(place, shapely.Point) else place
        x, y = self.page.evaluate(_PIXEL, [lon, lat])
        return x, y

    def select(self, code: str) -> None:
        """Choose an area in the list and bring it close."""
        self.page.click(f".area-list [data-code='{code}']")
        self.page.locator(f".area-list li:has([data-code='{code}']) button.plain").first.click()
        self.visitor.still()

    def tool(self, name: str) -> None:
        """Choose a tool of the bar."""
        self.page.click(f"#tool-{name}")
        self.page.wait_for_selector(f"#tool-{name}[aria-pressed=true]")

    def draw(self, places: list[Any], *, finish: str = "Enter") -> None:
        """Move the real mouse from corner to corner and click each; then finish with a key, or by a double click."""
        corners = [self.pixel(place) for place in places]
        for number, corner in enumerate(corners):
            self.page.mouse.move(*corner, steps=3)
            # Chromium hands movements on with the next frame; a hand never clicks before that.
            self.visitor.frames()
            if number == len(corners) - 1 and finish == "double":
                self.page.mouse.dblclick(*corner, delay=20)
            else:
                self.page.mouse.click(*corner)
        if finish not in ("double", ""):
            self.page.keyboard.press(finish)

    def wait_saved(self, operations: int) -> None:
        """Until the page says that this many operations are kept, which it hears from the server."""
        self.page.wait_for_function(
            "(count) => Number(document.querySelector('#tab-changes b')?.textContent ?? 0) === count", arg=operations
        )
        # Until then handles stand still.
        self.page.wait_for_selector("html:not([data-saving])", state="attached")
        self.visitor.settle()
        assert len(self.facts()["operations"]) == operations

    def border(self, one: str, other: str) -> shapely.LineString:
        """The longest stretch of border between two areas."""
        shapes = self.shapes()
        shared = shapes[one].intersection(shapes[other])
        lines = [line for line in shapely.get_parts(shared) if line.geom_type == "LineString"]
        merged = shapely.line_merge(shapely.MultiLineString(lines))
        return max(shapely.get_parts(merged), key=lambda line: line.length)

    def neighbours(self, but: Sequence[str] = ()) -> tuple[str, str]:
        """Two areas with the longest common border, none of them one of `but`."""
        shapes = self.shapes()
        codes = sorted(set(shapes) - set(but))
        pairs = [(a, b) for a in codes for b in codes if a < b]
        return max(pairs, key=lambda pair: shapes[pair[0]].intersection(shapes[pair[1]]).length)


def begin(visitor: Visitor, parent: str, **more: Any) -> Draughtsman:
    """A new draft for an area, begun by the signed-in person."""
    body = {"title": f"Grids of {parent}", "parent_code": parent, "reason": "made up", **more}
    made = visitor.page.evaluate(_SEND, ["POST", "/api/v1/drafts", body])
    assert made["status"] == 201, json.dumps(made["body"], ensure_ascii=False)
    return Draughtsman(visitor, made["body"]["id"])
