"""A look back: the store as it was known at a moment, so that a report made then can be made again.

Rows recorded, corrected, imported or taken back since are read as they stood; rule sets and settings are those of now
(a figure notes when its rule set was changed since). Where rows fall is worked out by position, as for every figure.
"""

import copy
from datetime import date, datetime
from typing import TYPE_CHECKING

from geo.errors import InputError
from geo.words import Text

from ..kinds import KINDS
from .history import Moment, clock, day_of, moment, today

if TYPE_CHECKING:
    from .store import Store


def past_moment(known_on: datetime | date | str) -> str:
    """A moment as the store writes it; a day stands for its end.

    Raises
    ------
    InputError
        Neither a date nor a moment, or one of a day that has not come.
    """
    at = moment(known_on)
    if day_of(at) > today().isoformat():
        raise InputError(
            Text(f"{clock(at)} 还没有到。", f"{clock(at)} has not come yet."),
            where="known_on",
            mend=Text("请给出今天或以前的日期、时刻。", "Give today, or an earlier day or moment."),
        )
    return at


def as_known(store: "Store", known_on: Moment) -> "Store":
    """The store as it was known at a moment (see `past_moment`), for reading only; the store itself for None.

    "Today" is then the day of the moment.
    """
    if known_on is None:
        return store
    then = copy.copy(store)
    then.origin = store.origin or store
    then.known_on, then.readonly, then.kept = past_moment(known_on), True, {}
    return then


def require_history(what: str) -> None:
    """InputError for what is not kept as it was known earlier: reference layers and drafts."""
    if what not in ("coverage", "hotspots", *KINDS):
        raise InputError(
            Text(
                f"“{what[:40]}”没有可回溯的历史。", f"'{what[:40]}' is not kept as it was known at an earlier moment."
            ),
            where="known_on",
        )


def words(known_on: str) -> Text:
    """What stands beside a figure of an earlier moment."""
    at = clock(known_on)
    return Text(f"按 {at} 所知", f"as known on {at}")


def note(known_on: str) -> Text:
    """What a reader must know of it."""
    told = words(known_on)
    return Text(
        f"{told.zh}：此后的导入、更正、撤销和决定不计在内。",
        f"{told.en[0].upper()}{told.en[1:]}: imports, corrections, withdrawals and decisions since do not count.",
    )
