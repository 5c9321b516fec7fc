"""In whose boundaries a figure is counted: those of its own day, today's, or those of a fixed day.

Incidents and cameras keep their positions, so all of them can be counted anew in any boundaries; what is recorded for
whole areas only (households) is carried over and marked as estimated, see `carried.py`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from geo.errors import InputError
from geo.words import Text

from ..storage.history import day

THEN, TODAY, FIXED = "then", "today", "date"
MODES = {
    THEN: Text("按当时边界", "boundaries as of then"),
    TODAY: Text("按现行边界重算", "restated to today's boundaries"),
    FIXED: Text("按指定日期的边界", "boundaries of a chosen day"),
}


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The boundaries of a figure: the mode, and the day whose areas are its units."""

    mode: str  # then, today or date
    on: str  # ISO day; with "then" the day of the figure

    @property
    def given(self) -> str:
        """As it stands in an address or a parameter: then, today or the day."""
        return self.on if self.mode == FIXED else self.mode

    def at(self, on: str) -> str:
        """The day whose areas count for a figure of the day `on`."""
        return on if self.mode == THEN else self.on

    def words(self) -> Text:
        """The mode with its day."""
        if self.mode == THEN:
            return MODES[THEN]
        if self.mode == TODAY:
            return Text(f"按现行边界（{self.on}）重算", f"restated to today's boundaries ({self.on})")
        return Text(f"按 {self.on} 的边界", f"boundaries of {self.on}")

    def as_dict(self) -> dict[str, Any]:
        """As it stands in a provenance: mode, day, words."""
        return {"mode": self.mode, "on": self.on, "label": self.words().as_dict()}

    def as_json(self, language: str) -> dict[str, Any]:
        """As it stands in an answer: mode, day, label in the reader's language."""
        return {"mode": self.mode, "on": self.on, "label": self.words().to(language)}


def as_of_then(on: str) -> Boundaries:
    """Everything in the boundaries of its own day; the units are those of `on`."""
    return Boundaries(THEN, on)


def of_day(on: str, today: str) -> Boundaries:
    """Everything in the boundaries of one day, named "today" when it is this one."""
    return Boundaries(TODAY if on == today else FIXED, on)


def boundaries_of(given: date | str | None, on: str, *, default: Boundaries, today: str) -> Boundaries:
    """The boundaries asked for with a figure of the day `on`.

    Parameters
    ----------
    given
        "then", "today" or a day; None for `default`.
    on
        The day of the figure, ISO.
    today
        The day that "today" means, ISO.

    Raises
    ------
    InputError
        When `given` is neither a mode nor a day.
    """
    if given is None or given == "":
        return default
    if given == THEN:
        return as_of_then(on)
    if given == TODAY:
        return of_day(today, today)
    try:
        return Boundaries(FIXED, day(given))
    except InputError:
        raise InputError(
            Text(f"“{str(given)[:40]}”不是边界口径。", f"'{str(given)[:40]}' does not name boundaries."),
            where="boundaries",
            mend=Text(
                "可用：then（当时边界）、today（现行边界）或日期，如 2026-01-31。",
                "Use then (as of then), today, or a day such as 2026-01-31.",
            ),
        ) from None
