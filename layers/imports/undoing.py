"""Taking back an import: what it brought is gone, what it closed is open again, and rows know their homes anew."""

from typing import TYPE_CHECKING

from ..kinds import AREA_KINDS
from ..places import homes
from ..storage import changes

if TYPE_CHECKING:
    from ..storage.store import Store


def undo_change(store: "Store", change_id: int, actor: str) -> None:
    """Take back a finished change, and set anew where rows fall if it changed areas. See `changes.undo`."""
    kinds = changes.undo(store, change_id, actor)
    if kinds & set(AREA_KINDS):
        homes.refresh(store, actor)
