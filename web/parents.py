"""Looking at one area: the caller's own reach, narrowed to an area and all that lies below it."""

from dataclasses import replace
from datetime import date

from geo.errors import NotFoundError
from geo.words import Text
from layers.rights import Viewer
from layers.selection import frames

from . import current


def narrowed(parent: str | None, as_of: date) -> Viewer:
    """The caller, limited to the area `parent` where one is named.

    Raises
    ------
    NotFoundError
        When there is no such area, or it lies outside the caller's own areas.
    """
    asks = current.viewer()
    if not parent:
        return asks
    inner = replace(asks, areas=(parent,))
    below = frames.scope(current.store(), inner, as_of)
    codes = set().union(*below.codes.values()) if below.codes else set()
    if codes:
        if not asks.areas:
            return inner
        own = frames.scope(current.store(), asks, as_of)
        mine = set().union(*own.codes.values()) | set(asks.areas)
        if parent in mine:
            return inner
        if set(asks.areas) <= codes | {parent}:
            # An area above the caller's own: what is left of it is what the caller sees anyway.
            return asks
    raise NotFoundError(Text("没有这个区域。", "There is no such area."), where="parent")
