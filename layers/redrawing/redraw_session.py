"""A draft at work: its boundaries as drawn so far, kept in memory so that each further operation takes milliseconds.

What is stored of a draft is its operations; a session is what they come to. It is made by performing them on the ground
of the draft's day and kept for the next request; a process that has none, or an older one, performs what it lacks. So
undo is to have one operation fewer: the shapes from before are put back as they were, and a fresh process that performs
the shorter list comes to the same bytes.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import shapely

from geo.partition import Partition
from geo.refusals import RefusedError
from geo.words import Text

from .drafts import require_newest
from .redraw_base import require_same_base
from .redraw_ground import Ground, ground
from .redraw_land import Session, Step

if TYPE_CHECKING:
    from ..rights import Viewer
    from ..storage.store import Store
    from .draft import Draft

__all__ = ["KEPT", "Session", "Step", "begin", "forget", "held", "session"]

KEPT = 24
"""Sessions kept per store; the one used longest ago goes first."""


class _Shelf:
    """The sessions of one store, the one used last at the end."""

    def __init__(self) -> None:
        self.sessions: OrderedDict[int, Session] = OrderedDict()
        self.lock = threading.Lock()


_SHELVES: WeakKeyDictionary[Any, _Shelf] = WeakKeyDictionary()
_LOCK = threading.Lock()


def session(store: "Store", viewer: "Viewer", draft: "Draft") -> Session:
    """The session of a draft, at its operations. Use `held` when others may work on the same draft.

    Raises
    ------
    ConflictError
        When boundaries below the draft changed that it builds on; it says which, how, by whom and when.
    """
    with held(store, draft) as found:
        return found


@contextmanager
def held(store: "Store", draft: "Draft", *, newest: bool = False) -> Iterator[Session]:
    """The session of a draft, at its operations, for the caller alone until the end of the block.

    `newest`: for who is going to save. Whoever waited here while somebody else saved is told before anything is drawn.
    """
    found = _taken(store, draft)
    with found.lock:
        if newest:
            require_newest(store, draft)
        require_same_base(store, draft, found)
        yield found


def forget(store: "Store", draft_id: int) -> None:
    """Let go of a session; the next one is made anew."""
    shelf = _shelf(store)
    with shelf.lock:
        shelf.sessions.pop(draft_id, None)


def _shelf(store: "Store") -> _Shelf:
    with _LOCK:
        return _SHELVES.setdefault(store, _Shelf())


def _taken(store: "Store", draft: "Draft") -> Session:
    land = ground(store, draft.level, draft.parent_kind, draft.parent_code, draft.effective_from)
    shelf = _shelf(store)
    with shelf.lock:
        found = shelf.sessions.get(draft.id)
        if found is not None and found.source is land:
            shelf.sessions.move_to_end(draft.id)
            return found
    made = begin(store, draft.id, land)
    with shelf.lock:
        now = shelf.sessions.get(draft.id)
        if now is not None and now.source is land:  # somebody was faster
            return now
        shelf.sessions[draft.id] = made
        shelf.sessions.move_to_end(draft.id)
        while len(shelf.sessions) > KEPT:
            shelf.sessions.popitem(last=False)
    return made


def begin(store: "Store", draft_id: int, land: Ground) -> Session:
    """A session without operations that nobody else has.

    It gets shapes of its own: the kernel prepares shapes for repeated questions, and a prepared shape may not be asked
    by two threads at once, while the ground is shared by all who draw there.
    """
    own = dict(zip(land.shapes, shapely.from_wkb(shapely.to_wkb(list(land.shapes.values()))), strict=True))
    source, land = land, replace(land, shapes=own)
    partitions: dict[str, Partition] = {}
    refusals: dict[str, RefusedError] = {}
    for group, codes in land.groups.items():
        doubled = sorted(land.doubled & set(codes))
        try:
            if doubled:
                raise RefusedError(
                    "not_a_coverage", codes=doubled, what=Text("有重复的代码。", "Some codes occur twice.")
                )
            partitions[group] = Partition(codes, [land.shapes[code] for code in codes])
        except RefusedError as error:
            refusals[group] = error
    return Session(store, draft_id, land, source, partitions, refusals, _group_of=dict(land.group_of))
