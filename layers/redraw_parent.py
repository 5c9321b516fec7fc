"""To which village or township a list of drawing operations belongs, told from the grids it speaks of.

Land never passes from one village to another when grids are redrawn, but one list may hold operations in several
villages of a township: then the township is the draft's area.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import shapely
from geopandas import GeoDataFrame

from geo.errors import InputError, NotFoundError
from geo.words import Text

from . import frames
from .rights import Viewer

if TYPE_CHECKING:
    from .store import Store

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
        When no grid of the list is known, or its grids do not say to which village they belong.
    InputError
        When the grids lie in several townships: such a list has to be taken apart.
    """
    villages = frames.read_layer(store, "village", viewer, as_of=on, columns=["parent_code"], geometry=False)
    townships = frames.read_layer(store, "township", viewer, as_of=on, columns=[], geometry=False)
    if not len(villages) and not len(townships):
        return None
    grids = _touched(store, viewer, operations, on)
    if not len(grids):
        raise NotFoundError(
            Text("操作中的网格都不存在。", "None of the grids in these operations exists."),
            where="grid",
            mend=Text("请核对网格编码和生效日期。", "Check the grid codes and the effective date."),
        )
    found = {_village(store, str(code), given) for code, given in grids["village_code"].items()} & set(villages.index)
    if len(found) == 1:
        return str(found.pop())
    above = {_township(store, code, villages.loc[code, "parent_code"]) for code in found}
    if not found or not above <= set(townships.index):
        raise NotFoundError(
            Text(
                "这些网格没有写明所属的村或乡镇。", "These grids do not say to which village or township they belong."
            ),
            where="village_code",
            mend=Text(
                "请先补上网格的村代码，或分村操作。", "Give the grids their village codes, or work village by village."
            ),
        )
    if len(above) > 1:
        shown = sorted(above)[:_SHOWN]
        raise InputError(
            Text(
                f"操作涉及 {len(above)} 个乡镇（{'、'.join(shown)}），一份草案只能属于一个村或乡镇。",
                f"The operations touch {len(above)} townships ({', '.join(shown)}); a draft belongs to one village or township.",
            ),
            where="--ops",
            mend=Text("请按乡镇拆成几个文件。", "Split the file by township."),
        )
    return str(above.pop())


def _touched(
    store: "Store", viewer: Viewer, operations: Sequence[Mapping[str, Any]], on: date | str | None
) -> GeoDataFrame:
    named = set(_codes(operations))
    drawn = [shape for operation in operations if (shape := _place(operation)) is not None]
    frame = frames.read_layer(
        store, "grid", viewer, as_of=on, columns=["village_code"], geometry=bool(drawn), bbox=None
    )
    keep = frame.index.isin(named)
    if drawn:
        rows, _ = shapely.STRtree(drawn).query(frame.geometry.to_numpy(), predicate="intersects")
        keep[rows] = True
    return frame[keep]


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


def _village(store: "Store", grid: str, given: Any) -> str | None:
    if isinstance(given, str) and given:
        return given
    return grid[:12] if store.codes == "cn12" else None


def _township(store: "Store", village: str, given: Any) -> str | None:
    if isinstance(given, str) and given:
        return given
    return f"{village[:9]}000" if store.codes == "cn12" else None
