"""One feature: its row, the areas above it, and what lies directly below it."""

from datetime import date
from typing import TYPE_CHECKING, Any

from geopandas import GeoDataFrame
from sqlalchemy import column

from geo.errors import NotFoundError
from geo.words import Text

from .. import rights
from ..kinds import AREA_KINDS, KINDS
from ..rights import Viewer
from . import frames

if TYPE_CHECKING:
    from ..storage.store import Store

_LARGEST_FID = 2**62


def read_feature(
    store: "Store", kind: str, viewer: Viewer, key: str, *, as_of: date | str | None = None, geometry: bool = True
) -> GeoDataFrame:
    """The one row of an area by its code, or of another kind by its fid.

    Raises
    ------
    NotFoundError
        When there is no such row on that day, or the viewer may not see it.
    RightsError
        When the viewer may not see rows of this kind.
    """
    if kind in AREA_KINDS:
        where = column(KINDS[kind].key) == key
    elif key.isascii() and key.isdigit() and int(key) < _LARGEST_FID:
        where = column("fid") == int(key)
    else:
        raise _unknown(kind)
    frame = frames.read_layer(store, kind, viewer, as_of=as_of, where=where, geometry=geometry, limit=1)
    if len(frame) == 0:
        raise _unknown(kind)
    return frame


def parents(
    store: "Store", kind: str, row: Any, viewer: Viewer, *, as_of: date | str | None = None
) -> list[dict[str, str]]:
    """The areas above a row, nearest first, as far as the viewer sees them: kind, code, name."""
    found: list[dict[str, str]] = []
    if kind not in KINDS:
        return found
    level, code = ("village", row.get("village_code")) if KINDS[kind].homed else _above(kind, row)
    while level and isinstance(code, str) and code:
        try:
            frame = read_feature(store, level, viewer, code, as_of=as_of, geometry=False)
        except NotFoundError:
            break
        found.append({"kind": level, "code": code, "name": frame.iloc[0].get("name") or ""})
        level, code = _above(level, frame.iloc[0])
    return found


def _above(kind: str, row: Any) -> tuple[str, Any]:
    return KINDS[kind].parent_kind, row.get(KINDS[kind].parent) if KINDS[kind].parent else None


def count_below(
    store: "Store", kind: str, key: str, viewer: Viewer, *, as_of: date | str | None = None
) -> dict[str, int]:
    """How many areas lie directly in an area, and how many objects of each kind the viewer may see; none is left out."""
    found: dict[str, int] = {}
    if kind not in AREA_KINDS:
        return found
    for name, other in KINDS.items():
        if not rights.allowed(name, viewer).rows:
            continue
        by = other.parent if other.parent_kind == kind else ""
        if other.homed and kind in ("village", "grid"):
            by = f"{kind}_code"
        if by:
            count = frames.count_layer(store, name, viewer, as_of=as_of, where=column(by) == key)
            if count:
                found[name] = count
    return found


def _unknown(kind: str) -> NotFoundError:
    return NotFoundError(Text("没有这个要素。", "There is no such feature."), where=kind)
