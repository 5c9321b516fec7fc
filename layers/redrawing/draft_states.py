"""What an approved draft is by now: the calendar makes it effective, later decisions supersede it.

Stored is "approved" for all three, so that nothing has to be written when a day comes.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, or_, select

from ..storage import schema
from ..storage.filters import among
from ..storage.history import hidden_changes, today, visible

if TYPE_CHECKING:
    from .draft import Draft

APPROVED = ("approved", "effective", "superseded")


def standing(connection: Connection, found: Sequence["Draft"]) -> list["Draft"]:
    """The drafts with the state they are in today."""
    now = today().isoformat()
    in_force = [draft for draft in found if draft.state == "approved" and draft.effective_from <= now]
    lasting = {
        level: _lasting(connection, level, [draft.change_id for draft in in_force if draft.level == level])
        for level in {draft.level for draft in in_force}
    }
    numbers = {draft.id for draft in in_force}
    return [
        draft
        if draft.id not in numbers
        else replace(draft, state="effective" if draft.change_id in lasting[draft.level] else "superseded")
        for draft in found
    ]


def _lasting(connection: Connection, level: str, changes: Sequence[int | None]) -> set[int]:
    """Which changes have made a row that still counts today or will."""
    table, now = schema.ROWS[level], today().isoformat()
    hidden = hidden_changes(connection)
    open_end = or_(table.c.valid_to.is_(None), table.c.valid_to > now, table.c.closed_by.in_(hidden))
    met = and_(visible(table, hidden), open_end, among(table.c.created_by, [each for each in changes if each]))
    return set(connection.scalars(select(table.c.created_by).where(met).distinct()))
