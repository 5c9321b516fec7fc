"""Which rows count: the conditions of visibility and of a day.

A row is visible when the change that made it is done and no done change retired it. On a day D it is valid when
`valid_from <= D < valid_to`; a `valid_to` written by a change that is not done does not count. A camera counts from
the day it is in use; without that date it always counts.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, or_, select, true

from geo.errors import InputError
from geo.words import Text

from .kinds import KINDS
from .schema import change

Hidden = Sequence[int] | Select


def today() -> date:
    """The day that "now" means: the machine's local date."""
    return date.today()


def day(as_of: date | str | None) -> str:
    """`as_of` as ISO text; today when None. Raises InputError when it is not a date."""
    if as_of is None:
        return today().isoformat()
    if isinstance(as_of, str):
        try:
            return date.fromisoformat(as_of).isoformat()
        except ValueError:
            raise InputError(
                Text(f"“{as_of[:40]}”不是日期。", f"'{as_of[:40]}' is not a date."),
                where="as_of",
                mend=Text("请写成 2026-01-31 的形式。", "Write it like 2026-01-31."),
            ) from None
    return date(as_of.year, as_of.month, as_of.day).isoformat()


def hidden_changes(connection: Connection) -> list[int]:
    """Ids of changes whose rows do not count: pending, being erased, undone. The list is short."""
    return list(connection.scalars(hidden_subquery().order_by(change.c.id)))


def hidden_subquery() -> Select:
    """The same as a subquery, for views."""
    return select(change.c.id).where(change.c.state.in_(("pending", "abandoned", "undone")))


def visible(table: Table, hidden: Hidden) -> ColumnElement[bool]:
    """Rows made by a done change and not retired by one."""
    if not isinstance(hidden, Select) and not hidden:
        return table.c.retired_by.is_(None)
    return and_(table.c.created_by.not_in(hidden), or_(table.c.retired_by.is_(None), table.c.retired_by.in_(hidden)))


def valid_on(table: Table, hidden: Hidden, on: str | ColumnElement) -> ColumnElement[bool]:
    """Rows valid on a day; every row of a kind that is not versioned. `on` is ISO text or an SQL expression."""
    conditions: list[ColumnElement[bool]] = [true()]
    if "valid_from" in table.c:
        open_end = or_(table.c.valid_to.is_(None), table.c.valid_to > on)
        if isinstance(hidden, Select) or hidden:
            open_end = or_(open_end, table.c.closed_by.in_(hidden))
        conditions += [table.c.valid_from <= on, open_end]
    if table.name == "camera_row":
        conditions.append(or_(table.c.in_use_on.is_(None), table.c.in_use_on <= on))
    return and_(*conditions)


def counted(kind: str, table: Table, hidden: Hidden, on: str | ColumnElement) -> ColumnElement[bool]:
    """Visible and valid on a day: the rows every figure is made of."""
    if kind not in KINDS:
        return true()
    return and_(visible(table, hidden), valid_on(table, hidden, on))
