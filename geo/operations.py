"""One drawing operation as it is sent and stored: read from JSON, checked, projected, put on the 1 cm grid.

The JSON is the same for the page, the API, the stored draft and the command line; geometries are GeoJSON in lon/lat:

    {"op": "redraw",   "grid": CODE, "ring": Polygon}          optional "holes": true, "give_to": CODE
    {"op": "push",     "grid": CODE, "line": LineString}       optional "give_to": CODE
    {"op": "corner",   "at": [lon, lat], "to": [lon, lat]}
    {"op": "transfer", "from": CODE, "to": CODE, "piece": Polygon or MultiPolygon}
    {"op": "split",    "grid": CODE, "line": LineString}
    {"op": "merge",    "grids": [CODES], "into": CODE}         "into" may be left out
    {"op": "carve",    "ring": Polygon, "kind": "dedicated", "name": TEXT}
    {"op": "dissolve", "grid": CODE, "into": CODE}             "into" may be left out
    {"op": "recode",   "grid": CODE, "into": CODE}             the land stays, the code ends; "into" may be left out

and with each, optionally, "codes" (codes of the grids that begin, so that a replay repeats them) and
"metres_per_pixel" (how coarse the hand was).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from .drawings import Drawing, malformed
from .words import UNWRITABLE

OPERATIONS = ("redraw", "push", "corner", "transfer", "split", "merge", "carve", "dissolve", "recode")
MAX_GRIDS = 500
MAX_CODE = 64
MAX_NAME = 200
# A hand is not sure to more than two pixels, and the centre of a line end not to more than a dozen.
_MIN_WIDTH_M, _WIDTH_PIXELS = 0.5, 2.0
_REACH_M, _REACH_PIXELS = 2.0, 12.0
_MAX_METRES_PER_PIXEL = 1_000.0


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation in metres.

    `grids`: the grids it names, in its order (`redraw`, `push`, `split`, `dissolve`, `recode`: one; `transfer`: the giver;
    `merge`: all). `shape`: ring or piece as polygon, line, or for `corner` the line from the corner to its new place.
    `into`: who receives (`transfer`, `dissolve`) or what the merged or recoded grid is called.
    """

    op: str
    grids: tuple[str, ...] = ()
    shape: shapely.Geometry | None = None
    into: str | None = None
    give_to: str | None = None
    holes: bool = False
    kind: str = ""
    name: str = ""
    codes: tuple[str, ...] = ()
    metres_per_pixel: float = 0.0

    @property
    def min_width_m(self) -> float:
        """Changes thinner than this are the wobble of the hand: two pixels, half a metre at least."""
        return max(_MIN_WIDTH_M, _WIDTH_PIXELS * self.metres_per_pixel)

    @property
    def reach_m(self) -> float:
        """How far from a border the end of a line may stop short and still mean the border."""
        return max(_REACH_M, _REACH_PIXELS * self.metres_per_pixel)


def parse(body: Any, crs: Any, *, bounds_lonlat: tuple[float, float, float, float] | None = None) -> Operation:
    """An operation from its JSON.

    Parameters
    ----------
    body
        The decoded JSON object; keys it does not know are ignored.
    crs
        The metric system of the partition.
    bounds_lonlat
        West, south, east, north of the partition in degrees; a drawing outside that would lie inside with its two
        numbers exchanged is refused as `lonlat_swapped`.

    Raises
    ------
    RefusedError
        `malformed`, `self_crossing`, `lonlat_swapped`, `too_many_vertices`, `zero_length`.
    """
    if not isinstance(body, Mapping):
        raise malformed("操作须是一个 JSON 对象", "An operation must be a JSON object")
    op = body.get("op")
    if op not in OPERATIONS:
        raise malformed(f"没有“{str(op)[:40]}”这种操作", f"There is no operation '{str(op)[:40]}'")
    draw = Drawing(crs, bounds_lonlat)
    grids: tuple[str, ...] = ()
    shape: shapely.Geometry | None = None
    into: str | None = None
    if op in ("redraw", "push", "split", "dissolve", "recode"):
        grids = (_code(body, "grid"),)
    if op == "redraw":
        shape = draw.polygon(body.get("ring"), "ring", holes=_flag(body, "holes"))
    elif op in ("push", "split"):
        shape = draw.line(body.get("line"), "line")
    elif op == "corner":
        shape = draw.step(body.get("at"), body.get("to"))
    elif op == "transfer":
        grids, into = (_code(body, "from"),), _code(body, "to")
        shape = draw.polygon(body.get("piece"), "piece", holes=True, many=True)
        if into == grids[0]:
            raise malformed("划出和划入是同一个网格", "Land cannot go from a grid to itself")
    elif op == "merge":
        grids, into = _codes(body, "grids", at_least=2), _code(body, "into", optional=True)
    elif op == "carve":
        shape = draw.polygon(body.get("ring"), "ring", holes=_flag(body, "holes"))
    elif op in ("dissolve", "recode"):
        into = _code(body, "into", optional=True)
    return Operation(
        op=op,
        grids=grids,
        shape=shape,
        into=into,
        give_to=_code(body, "give_to", optional=True),
        holes=_flag(body, "holes"),
        kind=_text(body, "kind"),
        name=_text(body, "name"),
        codes=_codes(body, "codes", at_least=0) if body.get("codes") is not None else (),
        metres_per_pixel=_metres_per_pixel(body),
    )


def _code(body: Mapping, key: str, *, optional: bool = False) -> Any:
    value = body.get(key)
    if value is None and optional:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_CODE:
        raise malformed(f"“{key}”须是网格编码", f"'{key}' must be the code of a grid")
    return value


def _codes(body: Mapping, key: str, *, at_least: int) -> tuple[str, ...]:
    value = body.get(key)
    if not isinstance(value, list) or not at_least <= len(value) <= MAX_GRIDS:
        raise malformed(f"“{key}”须是网格编码的列表", f"'{key}' must be a list of codes of grids")
    found = tuple(_code({key: entry}, key) for entry in value)
    if len(set(found)) != len(found):
        raise malformed(f"“{key}”里有重复的编码", f"'{key}' names a grid twice")
    return found


def _flag(body: Mapping, key: str) -> bool:
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise malformed(f"“{key}”须为 true 或 false", f"'{key}' must be true or false")
    return value


def _text(body: Mapping, key: str) -> str:
    value = body.get(key, "")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise malformed(f"“{key}”须是不超过 {MAX_NAME} 字的文字", f"'{key}' must be text of at most {MAX_NAME} letters")
    if UNWRITABLE.search(value):
        raise malformed(f"“{key}”里有控制字符", f"'{key}' holds control characters")
    return value


def _metres_per_pixel(body: Mapping) -> float:
    value = body.get("metres_per_pixel", 0.0)
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_METRES_PER_PIXEL:
        raise malformed(
            "“metres_per_pixel”须是每像素的米数", "'metres_per_pixel' must be a number of metres, 0 to 1,000"
        )
    return float(value)
