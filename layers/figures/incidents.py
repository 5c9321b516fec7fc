"""Incidents as columns to count with, and the choice of period, weekday, hour and category.

The day and the hour are those of the place. Where only a day is recorded the hour is unknown: such rows count as long
as no hour is asked for, and are left out and told when one is.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.errors import InputError
from geo.words import Text

from ..categories import category_words
from ..places.homes import find_homes
from ..rights import Viewer
from ..selection import frames
from ..storage.history import day
from ..storage.kept import kept

if TYPE_CHECKING:
    from ..storage.store import Store

WEEKDAYS = Text("一二三四五六日", "Mon Tue Wed Thu Fri Sat Sun")


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents count; what is not set does not limit.

    `date_from` and `date_to` are both included. A category code of digits also stands for its subcodes ("02" for
    "0201"). `weekdays` are 1 (Monday) to 7, `hours` 0 to 23.
    """

    date_from: str | None = None
    date_to: str | None = None
    categories: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        date_from: date | str | None,
        date_to: date | str | None,
        category: Any,
        weekdays: Any,
        hours: Any,
    ) -> "IncidentFilter":
        """A filter from options as they come from a form; InputError when one cannot be used."""
        first, last = (None if each is None else day(each) for each in (date_from, date_to))
        if first and last and first > last:
            raise InputError(
                Text("起始日期晚于截止日期。", "The first day is after the last."),
                where="date_from",
                mend=Text("请调换两个日期。", "Swap the two days."),
            )
        categories = (category,) if isinstance(category, str) else tuple(category or ())
        for name, given, low, high in (("weekdays", weekdays, 1, 7), ("hours", hours, 0, 23)):
            if any(not low <= int(each) <= high for each in given or ()):
                raise InputError(
                    Text(f"{name} 须为 {low} 至 {high}。", f"{name} must be from {low} to {high}."), where=name
                )
        return cls(
            first,
            last,
            tuple(str(each) for each in categories if str(each)),
            tuple(sorted({int(each) for each in weekdays or ()})),
            tuple(sorted({int(each) for each in hours or ()})),
        )

    def as_dict(self) -> dict[str, Any]:
        """The filter as parameters of a provenance; only what is set."""
        given = {
            "date_from": self.date_from,
            "date_to": self.date_to,
            "category": list(self.categories),
            "weekdays": list(self.weekdays),
            "hours": list(self.hours),
        }
        return {name: value for name, value in given.items() if value}

    def words(self) -> Text:
        """Weekdays, hours and categories in words; empty when not limited."""
        zh, en = [], []
        if self.weekdays:
            zh.append("周" + "、周".join(WEEKDAYS.zh[each - 1] for each in self.weekdays))
            en.append(", ".join(WEEKDAYS.en.split()[each - 1] for each in self.weekdays))
        if self.hours:
            spans = _spans(self.hours)
            zh.append("、".join(f"{a}–{b + 1} 时" for a, b in spans))
            en.append(", ".join(f"{a}:00-{b + 1}:00" for a, b in spans))
        if self.categories:
            named = [category_words(category) for category in self.categories]
            zh.append("类别 " + "、".join(words.zh for words in named))
            en.append("category " + ", ".join(words.en for words in named))
        return Text("，".join(zh), "; ".join(en))


def _spans(hours: tuple[int, ...]) -> list[tuple[int, int]]:
    """Hours that follow each other, as first and last."""
    spans: list[tuple[int, int]] = []
    for hour in hours:
        if spans and hour == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], hour)
        else:
            spans.append((hour, hour))
    return spans


@dataclass(frozen=True, slots=True)
class Incidents:
    """Incidents as arrays of one length."""

    lon: np.ndarray  # NaN without position
    lat: np.ndarray
    category: np.ndarray  # object, None when not recorded
    on: np.ndarray  # datetime64[D], NaT when not recorded
    hour: np.ndarray  # float64, NaN when not recorded
    when_hours: np.ndarray  # hours since 1970 in local time, as exact as recorded; NaN without hour

    def __len__(self) -> int:
        return len(self.lon)

    @property
    def located(self) -> np.ndarray:
        """Which rows have a position."""
        return np.isfinite(self.lon) & np.isfinite(self.lat)

    def at(self, rows: np.ndarray) -> "Incidents":
        """The chosen rows."""
        return Incidents(*(getattr(self, name)[rows] for name in self.__slots__))

    def days(self) -> tuple[str, str] | None:
        """First and last day there is, or None."""
        known = self.on[~np.isnat(self.on)]
        return (str(known.min()), str(known.max())) if len(known) else None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Incidents a filter keeps, and how many it could not judge."""

    incidents: Incidents
    without_day: int  # left out because a day, or weekday, was asked for
    without_hour: int  # left out because an hour was asked for


def read_incidents(
    store: "Store", viewer: Viewer, *, as_of: date | str | None = None, where: str | None = None
) -> Incidents:
    """All incidents the viewer may see (rights and area scope apply)."""
    key = ("incidents", store.versions(["incident"])["incident"], viewer.cache_key, day(as_of), where)

    def make() -> Incidents:
        # The homes that are kept are those of now: looking back the scope is found by position.
        by_position = store.known_on is not None and bool(viewer.areas)
        points = frames.read_points(
            store,
            "incident",
            replace(viewer, areas=()) if by_position else viewer,
            as_of=as_of,
            where=where,
            columns=("category", "occurred_at", "occurred_on", "occurred_hour"),
        )
        at, on = points.columns["occurred_at"], points.columns["occurred_on"].astype("datetime64[D]")
        timed = ~np.isnat(at)
        on = np.where(np.isnat(on) & timed, at.astype("datetime64[D]"), on)
        seconds = np.where(timed, (at - at.astype("datetime64[D]")) / np.timedelta64(1, "h"), np.nan)
        hour = points.columns["occurred_hour"]
        hour = np.where(np.isnan(hour), np.floor(seconds), hour)
        days = np.where(np.isnat(on), np.nan, on.astype("datetime64[D]").astype(np.int64).astype(float))
        when = days * 24 + np.where(timed, seconds, hour)
        found = Incidents(points.lon, points.lat, points.columns["category"], on.astype("datetime64[D]"), hour, when)
        return _within(store, viewer, found, as_of) if by_position else found

    return kept(store).get(key, make)


def _within(store: "Store", viewer: Viewer, found: Incidents, as_of: date | str | None) -> Incidents:
    """Those that lay, each on its own day, in the areas a viewer may see."""
    reach = frames.scope(store, viewer, as_of)
    home = find_homes(store, found.lon, found.lat, found.on, on=day(as_of))
    seen = pd.Series(home["village_code"]).isin(reach.village_codes)
    seen |= pd.Series(home["grid_code"]).isin(reach.grid_codes)
    return found.at(np.flatnonzero(seen.to_numpy()))


def choose(incidents: Incidents, chosen: IncidentFilter) -> Chosen:
    """The incidents a filter keeps."""
    keep = np.ones(len(incidents), dtype=bool)
    if chosen.categories:
        keep &= _of_categories(incidents.category, chosen.categories)
    dated = ~np.isnat(incidents.on)
    asks_day = bool(chosen.date_from or chosen.date_to or chosen.weekdays)
    without_day = int((keep & ~dated).sum()) if asks_day else 0
    if asks_day:
        keep &= dated
    if chosen.date_from:
        keep &= incidents.on >= np.datetime64(chosen.date_from, "D")
    if chosen.date_to:
        keep &= incidents.on <= np.datetime64(chosen.date_to, "D")
    if chosen.weekdays:
        # 1970-01-01 was a Thursday.
        weekday = (incidents.on.astype(np.int64) + 3) % 7 + 1
        keep &= np.isin(weekday, chosen.weekdays)
    without_hour = 0
    if chosen.hours:
        timed = ~np.isnan(incidents.hour)
        without_hour = int((keep & ~timed).sum())
        keep &= timed & np.isin(incidents.hour, chosen.hours)
    return Chosen(incidents.at(np.flatnonzero(keep)), without_day, without_hour)


def _of_categories(category: np.ndarray, wanted: tuple[str, ...]) -> np.ndarray:
    """Rows whose category is wanted, or is a subcode of a wanted code."""
    codes, words = pd.factorize(category)
    fits = np.array(
        [any(word == each or (each.isdigit() and str(word).startswith(each)) for each in wanted) for word in words],
        dtype=bool,
    )
    return np.append(fits, False)[codes]


def categories(incidents: Incidents, most: int = 60) -> list[str]:
    """The categories there are, the most frequent first."""
    return [str(word) for word in pd.Series(incidents.category).value_counts().index[:most]]
