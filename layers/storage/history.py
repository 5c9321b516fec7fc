"""Which rows count: the conditions of visibility and of a day.

A row is visible when the change that made it is done and no done change retired it. On a day D it is valid when
`valid_from <= D < valid_to`; a `valid_to` written by a change that is not done does not count. A camera counts from
the day it is in use; without that date it always counts.

What was known at an earlier moment ("as known on") can be asked for as well: changes made since do not count then,
and those taken back since count still, so that a report printed at that moment can be made again. A connection of a
store as it was known (`known.as_known`) carries the moment itself, so that nobody who reads through it can forget it.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, not_, or_, select, true

from geo.errors import InputError
from geo.words import Text

from ..kinds import KINDS
from .filters import among
from .schema import audit, change, moment_text

Hidden = Sequence[int] | Select
Moment = datetime | date | str | None
_NEVER_DONE = ("pending", "abandoned")
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII
)  # fmt: skip
KNOWN_ON, _GONE = "wangge_known_on", "wangge_gone"
"""Execution option of a connection, and of the query of hidden changes: the moment by which rows must be known."""
FORMER = "former"
"""Under this name the details of a change list [kind, act, first fid, last fid] of rows that it took back and another
act had taken back before: of that act the row itself tells no more."""
FIRST_DAY, LAST_DAY = date(1800, 1, 1), date(2999, 12, 31)
"""Of these days there can be maps and decisions; the days around them are within the calendar too."""
OFFICE_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one time, without summer time; a server often runs in UTC."""


def today() -> date:
    """The day that "now" means, in the office's time whatever the machine's is."""
    return datetime.now(OFFICE_TIME).date()


def clock(moment: str) -> str:
    """A stored moment for a reader: the office's time, YYYY-MM-DD HH:MM."""
    return datetime.fromisoformat(moment).astimezone(OFFICE_TIME).strftime("%Y-%m-%d %H:%M")


def day_of(moment: str) -> str:
    """The day of a stored moment in the office's time."""
    return datetime.fromisoformat(moment).astimezone(OFFICE_TIME).date().isoformat()


def day(as_of: date | str | None, where: str = "as_of") -> str:
    """`as_of` as ISO text; today when None.

    Raises InputError, at `where`, when it is not a date between the first and the last day.
    """
    if as_of is None:
        return today().isoformat()
    try:
        given = date.fromisoformat(as_of) if isinstance(as_of, str) else date(as_of.year, as_of.month, as_of.day)
        return within_days(given).isoformat()
    except ValueError:
        raise InputError(
            Text(f"“{str(as_of)[:40]}”不是可用的日期。", f"'{str(as_of)[:40]}' is not a date that can be used."),
            where=where,
            mend=Text(
                "请写成 2026-01-31 的形式，1800 至 2999 年。", "Write it like 2026-01-31, of the years 1800 to 2999."
            ),
        ) from None


def within_days(given: date) -> date:
    """The same date; ValueError when it is before the first or after the last day."""
    if not FIRST_DAY <= given <= LAST_DAY:
        raise ValueError(given)
    return given


def moment(known_on: datetime | date | str) -> str:
    """A moment as the store writes it, for `known_on`. A day means its end, a time without zone the office's.

    Raises InputError when it is neither.
    """
    try:
        if isinstance(known_on, str) and not _MOMENT.fullmatch(known_on):
            raise ValueError(known_on)
        if isinstance(known_on, str) and len(known_on) == len("2026-01-31"):
            known_on = date.fromisoformat(known_on)
        if isinstance(known_on, date) and not isinstance(known_on, datetime):
            known_on = datetime(known_on.year, known_on.month, known_on.day, 23, 59, 59, 999_000)
        found = datetime.fromisoformat(known_on) if isinstance(known_on, str) else known_on
        if found.tzinfo is None:
            found = found.replace(tzinfo=OFFICE_TIME)
        within_days(found.date())
        return moment_text(found.astimezone(UTC))
    except (ValueError, OverflowError):
        raise InputError(
            Text(
                f"“{str(known_on)[:40]}”不是可用的时刻。", f"'{str(known_on)[:40]}' is not a moment that can be used."
            ),
            where="known_on",
            mend=Text(
                "请写成 2026-01-31 或 2026-01-31T18:00 的形式，1800 至 2999 年。",
                "Write it like 2026-01-31 or 2026-01-31T18:00, of the years 1800 to 2999.",
            ),
        ) from None


def hidden_changes(connection: Connection, known_on: Moment = None) -> Hidden:
    """Changes whose rows do not count: pending, being erased, undone. A short list of ids.

    With `known_on`, or by a connection that has a moment of its own, a subquery of those that did not count then.
    """
    asked = connection.get_execution_options().get(KNOWN_ON) if known_on is None else moment(known_on)
    if asked is not None:
        hidden = _hidden_at(asked)
        return hidden.execution_options(**{_GONE: _gone(connection, hidden)})
    return list(connection.scalars(hidden_subquery().order_by(change.c.id)))


def hidden_ids(connection: Connection) -> set[int]:
    """Ids of the changes that do not count, for comparing rows that were read."""
    hidden = hidden_changes(connection)
    return set(connection.scalars(hidden) if isinstance(hidden, Select) else hidden)


def hidden_subquery() -> Select:
    """The same as a subquery, for views."""
    return select(change.c.id).where(change.c.state.in_((*_NEVER_DONE, "undone")))


def _hidden_at(known_on: str) -> Select:
    """Changes that were not done yet at a moment, or taken back by then.

    The row of the audit trail is written in the transaction that makes a change count; `closed_at` of an undone change
    is the moment of its undoing.
    """
    done = select(audit.c.change_id).where(audit.c.at <= known_on, audit.c.change_id.is_not(None))
    return (
        select(change.c.id)
        .where(
            or_(
                change.c.state.in_(_NEVER_DONE),
                change.c.id.not_in(done),
                and_(change.c.state == "undone", change.c.closed_at <= known_on),
            )
        )
        .execution_options(**{KNOWN_ON: known_on})
    )


def _gone(connection: Connection, hidden: Select) -> dict[str, list[int]]:
    """Rows by kind that were taken back at a moment, by acts whose marks were replaced since."""
    since = select(change.c.details).where(change.c.details.contains(f'"{FORMER}"'), change.c.id.in_(hidden))
    listed = [entry for details in connection.scalars(since) for entry in json.loads(details).get(FORMER, ())]
    acts = sorted({by for _, by, _, _ in listed})
    stood = set(connection.scalars(select(change.c.id).where(change.c.id.in_(acts), change.c.id.not_in(hidden))))
    found: dict[str, list[int]] = {}
    for kind, by, first, last in listed:
        if by in stood:
            found.setdefault(kind, []).extend(range(first, last + 1))
    return found


def visible(table: Table, hidden: Hidden) -> ColumnElement[bool]:
    """Rows made by a done change and not retired by one; also recorded by the moment `hidden` is of, if it is of one."""
    if not isinstance(hidden, Select) and not hidden:
        return table.c.retired_by.is_(None)
    kept = and_(table.c.created_by.not_in(hidden), or_(table.c.retired_by.is_(None), table.c.retired_by.in_(hidden)))
    if not isinstance(hidden, Select) or KNOWN_ON not in (then := hidden.get_execution_options()):
        return kept
    gone = then[_GONE].get(table.name.removesuffix("_row"), ())
    return and_(kept, table.c.recorded_at <= then[KNOWN_ON], not_(among(table.c.fid, gone)))


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
