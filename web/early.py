"""What a map page will ask for first: named in the page's head, so that data travels while the scripts still do.

The addresses are those that `static/js/layers.js` and the pages' modules make; a browser test holds both to it. An
address that is not asked for after all costs one answer and nothing else.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from layers.kinds import AREA_KINDS, KINDS

DEFAULT_LAYERS = {
    "map": ("county", "township", "village"),
    "coverage": ("county", "township", "village"),
    "hotspots": ("county", "township"),
    "redraw": ("county", "township", "village"),
}
"""Layers a page shows when its address names none."""

TILES_ABOVE = 5000
"""Layers with more areas than this come as tiles."""

POINT_COLUMNS = {"camera": ("status",)}
"""Columns that come with the points of a kind."""

COVERAGE_PARAMETERS = (
    "rule", "rule_set", "unit", "as_of", "against", "class", "status", "older_than", "boundaries", "known_on",
)  # fmt: skip
_VIEW_PX = (860, 560)
_METRES_PER_DEGREE = 111_320
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FirstView:
    """What the page's scripts need to know of it, and the addresses to be fetched at once."""

    config: dict[str, Any]
    addresses: list[str]


def first_view(
    page: str, asked: Mapping[str, str], listed: list[dict[str, Any]], bounds: list[float] | None
) -> FirstView:
    """The first picture of a map page for the address it was opened with."""
    tolerance_m = overview_tolerance_m(bounds) if bounds else 0
    known = {entry["kind"]: entry for entry in listed if entry["rows"]}
    shown = DEFAULT_LAYERS[page]
    if not set(shown) & set(known):
        # Grids alone: they are the map then.
        shown = tuple(kind for kind in AREA_KINDS if kind in known)
    config = {
        "layers": list(shown),
        "tolerance_m": tolerance_m,
        "tiles_above": TILES_ABOVE,
        "point_columns": {kind: list(names) for kind, names in POINT_COLUMNS.items()},
    }
    addresses = []
    # A position in the address may want finer outlines: the scripts decide.
    if bounds and not asked.get("at"):
        names = asked["layers"].split(",") if asked.get("layers") else shown
        addresses = [address for name in names if name in known for address in _layer(known[name], asked, tolerance_m)]
        if page == "coverage" and "village" in known:
            addresses.append(_address("/api/v1/coverage", {name: asked.get(name) for name in COVERAGE_PARAMETERS}))
    return FirstView(config, addresses)


def overview_tolerance_m(bounds: list[float]) -> int:
    """About one pixel of a desktop window that shows all of `bounds`, in steps of the root of two."""
    west, south, east, north = bounds
    across = (east - west) * _METRES_PER_DEGREE * math.cos(math.radians((south + north) / 2))
    pixel = max(across / _VIEW_PX[0], (north - south) * _METRES_PER_DEGREE / _VIEW_PX[1], 1.0)
    return max(1, round(2 ** (math.floor(2 * math.log2(pixel)) / 2)))


def _layer(entry: dict[str, Any], asked: Mapping[str, str], tolerance_m: int) -> list[str]:
    kind = entry["kind"]
    as_of = _boundary_day(asked) if kind in AREA_KINDS else asked.get("as_of")
    if entry["geometry"] == "point":
        return [_address(f"/points/{kind}", {"as_of": as_of, "columns": ",".join(POINT_COLUMNS.get(kind, ()))})]
    if entry["rows"] > TILES_ABOVE or kind not in KINDS or entry["geometry"] == "none":
        return []
    has_name = any(column["name"] == "name" for column in entry["columns"])
    columns = [name for name, there in (("derived", entry["geometry"] == "area"), ("name", has_name)) if there] or [
        "fid"
    ]
    return [_address(f"/features/{kind}", {"as_of": as_of, "tolerance_m": tolerance_m, "columns": ",".join(columns)})]


def _boundary_day(asked: Mapping[str, str]) -> str | None:
    """The day whose areas are drawn: that of the figure's boundaries where the address names one."""
    given = asked.get("boundaries", "")
    if given == "today":
        return None
    return given if _DAY.fullmatch(given) else asked.get("as_of")


def _address(path: str, parameters: Mapping[str, Any]) -> str:
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path
