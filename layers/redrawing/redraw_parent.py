"""To which village or township a list of drawing operations belongs, told from the grids it speaks of.

Land never passes from one village to another when grids are redrawn, but one list may hold operations in several
villages of a township: then the township is the draft's area.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import shapely

from geo.errors import InputError, NotFoundError
from geo.words import Text

from ..places.areas import area_set
from ..rights import Viewer
from ..selection import frames
from ..storage.history import day

if TYPE_CHECKING:
    from ..storage.store import Store

_NAMED = ("grid", "from", "to", "into", "give_to")
_SHOWN = 5


def find(
    store: "Store", viewer: Viewer, operations: Sequence[Mapping[str, Any]], *, on: date | str | None = None
) -> str | None:
    """Code of the one village, else of the one township, that holds every grid the operations touch.

    Grids are those named and those where a `carve` or `corner` is drawn, of the rows that count on the day `on`.
    None in a store without villages and townships, where the whole layer is redrawn together.

    Raises
    ------
    NotFoundError
        When no grid of the list is known, or they belong to no village.
    InputError
        When the grids lie in several townships, or in several villages without one: the list has to be taken apart.
    """
    when = day(on)
    seen = {
        kind: set(frames.read_layer(store, kind, viewer, as_of=when, columns=[], geometry=False).index)
        for kind in ("village", "township")
    }
    if not any(seen.values()):
        return None
    grids = _touched(store, viewer, operations, when)
    if not grids:
        raise NotFoundError(
            Text("操作中的网格都不存在。", "None of the grids in these operations exists."),
            where="grid",
            mend=Text("请核对网格编码和生效日期。", "Check the grid codes and the effective date."),
        )
    found = _parents(store, "grid", grids, when) & seen["village"]
    if not found:
        raise NotFoundError(
            Text("这些网格不属于任何村。", "These grids belong to no village."),
            where="village_code",
            mend=Text("请先补上网格的村代码。", "Give the grids their village codes."),
        )
    if len(found) == 1:
        return found.pop()
    above = sorted(_parents(store, "village", found, when) & seen["township"])
    if not above:
        raise _too_wide(sorted(found), Text("村", "villages without a township"))
    if len(above) > 1:
        raise _too_wide(above, Text("乡镇", "townships"))
    return above[0]


def _too_wide(codes: list[str], what: Text) -> InputError:
    shown = codes[:_SHOWN]
    return InputError(
        Text(
            f"操作涉及 {len(codes)} 个{what.zh}（{'、'.join(shown)}），一份草案只能属于一个村或乡镇。",
            f"The operations touch {len(codes)} {what.en} ({', '.join(shown)}); "
            "a draft belongs to one village or township.",
        ),
        where="--ops",
        mend=Text(f"请按{what.zh}拆成几个文件。", "Take the file apart: one for each."),
    )


def _parents(store: "Store", kind: str, codes: Iterable[str], on: str) -> set[str]:
    """Codes of the areas above some areas, as recorded, else by code or position."""
    above = area_set(store, kind, on).frame["parent_code"]
    return {str(code) for code in above.reindex(sorted(codes)).dropna()}


def _touched(store: "Store", viewer: Viewer, operations: Sequence[Mapping[str, Any]], on: str) -> set[str]:
    """Codes of the grids that are named, and of those where something is drawn without naming any."""
    drawn = [shape for operation in operations if (shape := _place(operation)) is not None]
    frame = frames.read_layer(store, "grid", viewer, as_of=on, columns=[], geometry=bool(drawn))
    found = set(_codes(operations)) & set(frame.index.astype(str))
    if drawn:
        rows, _ = shapely.STRtree(drawn).query(frame.geometry.to_numpy(), predicate="intersects")
        found.update(frame.index[rows].astype(str))
    return found


def _codes(operations: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for operation in operations:
        yield from (operation[name] for name in _NAMED if isinstance(operation.get(name), str))
        listed = operation.get("grids")
        if isinstance(listed, list):
            yield from (code for code in listed if isinstance(code, str))


def _place(operation: Mapping[str, Any]) -> shapely.Geometry | None:
    """Where an operation without codes is drawn; None when it names its grids or its drawing cannot be read."""
    try:
        if operation.get("op") == "corner":
            return shapely.Point([float(value) for value in operation["at"][:2]])
        if operation.get("op") == "carve":
            ring = operation["ring"]["coordinates"][0]
            return shapely.Polygon([[float(value) for value in place[:2]] for place in ring]).buffer(0)
    except (KeyError, IndexError, TypeError, ValueError, shapely.errors.GEOSException):
        # What is wrong with the drawing is told when it is performed.
        return None
    return None
