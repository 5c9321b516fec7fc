"""Head counts recorded per area code, followed to the areas of a day.

The table `staffing` is kept as it was recorded: a row stays under the code it was given for. When a decision ends that
code (a merged or split grid, a village that becomes a community), its head counts count for the areas that took the
land, in whole numbers whose sum stays, like the workers of a grid (`decision_rows`). What is recorded for one of those
areas on the day of the decision or later takes the place of what it would have been handed.

Only counts are kept, of places; nobody is named.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import Connection, select

from geo.shares import hand_out
from geo.words import Text

from ..kinds import KINDS
from ..places import lineage
from ..places.lineage import Link
from ..storage import schema
from ..storage.history import counted, hidden_changes

if TYPE_CHECKING:
    from ..storage.store import Store

COUNTS = tuple(field.name for field in KINDS["staffing"].fields if field.dtype == "integer")
_WHOLE = 1e-9


@dataclass(frozen=True, slots=True)
class Staff:
    """Head counts by area code on a day."""

    counts: pd.DataFrame  # float64 columns `COUNTS`, NaN where nothing is recorded
    estimated: frozenset[str]  # codes that hold a part of what was recorded for an area that was divided
    notes: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What was recorded for one area, or the part of it that was handed on."""

    code: str  # it was recorded for
    since: str  # first day of the row that says so
    numbers: Mapping[str, int | None]
    part: bool = False


def staff(store: "Store", kind: str, on: str) -> Staff:
    """Head counts of the areas of a kind on a day, those of codes that had ended by then at their successors'."""
    table = schema.ROWS["staffing"]
    columns = [table.c.area_code, table.c.valid_from, *(table.c[name] for name in COUNTS)]
    entries: dict[str, list[_Entry]] = {}
    with store.read() as connection:
        query = select(*columns).where(counted("staffing", table, hidden_changes(connection), on))
        for code, since, *numbers in connection.execute(query.order_by(table.c.fid)):
            entries.setdefault(str(code), []).append(_Entry(str(code), since, dict(zip(COUNTS, numbers, strict=True))))
        ended = _ended(connection, kind, on)
    left = _follow(entries, ended)
    codes = sorted(entries)
    counts = pd.DataFrame(
        {name: [_sum(each.numbers[name] for each in entries[code]) for code in codes] for name in COUNTS},
        index=pd.Index(codes, dtype=object),
        dtype="float64",
    )
    estimated = frozenset(code for code in codes if any(each.part for each in entries[code]))
    return Staff(counts, estimated, _notes(kind, left))


def _ended(connection: Connection, kind: str, on: str) -> dict[str, dict[str, list[Link]]]:
    """Day -> code that ended on it -> where its land went; days up to `on`, in their order."""
    found: dict[str, dict[str, list[Link]]] = {}
    for link in lineage.endings(connection, kind, on):
        found.setdefault(link.on, {}).setdefault(link.old_code, []).append(link)
    return found


def _follow(entries: dict[str, list[_Entry]], ended: Mapping[str, Mapping[str, list[Link]]]) -> int:
    """Hand on what is recorded for codes that ended, day by day, in place; for how many codes that was."""
    left = 0
    for day in sorted(ended):
        # Within a day in the order of the decisions: a later one may end what an earlier one began.
        for code, links in ended[day].items():
            own = entries.pop(code, [])
            left += bool(own)
            fresh = {link.new_code for link in links if _recorded_since(entries, link.new_code, day)}
            for entry in own:
                for link, part in zip(links, _shared(entry, links), strict=True):
                    if link.new_code not in fresh:
                        entries.setdefault(link.new_code, []).append(part)
    return left


def _recorded_since(entries: Mapping[str, list[_Entry]], code: str, day: str) -> bool:
    return any(entry.code == code and entry.since >= day for entry in entries.get(code, ()))


def _shared(entry: _Entry, links: list[Link]) -> list[_Entry]:
    """The entry dealt out over links by land, every number whole."""
    weights = [link.share_of_area for link in links]
    dealt = {
        name: [None] * len(links) if number is None else hand_out(int(number), weights)
        for name, number in entry.numbers.items()
    }
    return [
        replace(
            entry,
            numbers={name: dealt[name][at] for name in dealt},
            part=entry.part or link.share_of_area < 1 - _WHOLE,
        )
        for at, link in enumerate(links)
    ]


def _sum(numbers: Iterable[int | None]) -> float:
    known = [number for number in numbers if number is not None]
    return float(sum(known)) if known else float("nan")


def _notes(kind: str, left: int) -> tuple[Text, ...]:
    if not left:
        return ()
    label = KINDS[kind].label
    return (
        Text(
            f"{left} 个已撤销{label.zh}登记的人数，按土地去向计入承接其土地的{label.zh}。",
            f"Head counts recorded for {left} areas ({label.en}) that have ended count for those that took their land.",
        ),
    )
