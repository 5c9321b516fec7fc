"""Colours, classes, hatches and their words: one table, `data/cartography.json`, for the map and the print map alike.

Modelling decisions: class limits are round numbers of the table, at most five; every unit falls into exactly one class,
so the counts of a legend add up to the number of units; "no data" is a class of its own and never the colour of zero.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from geo.words import Text


@dataclass(frozen=True, slots=True)
class Style:
    """How one class looks and what the legend calls it; `count` is the number of units shown in it."""

    id: str
    label: Text
    fill: str
    hatch: str = ""
    hatch_color: str = ""
    width_px: float = 0.0
    mark: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Classes:
    """A classed layer: `style_of` is the row number in `styles` of every unit; styles carry their counts."""

    title: Text
    styles: tuple[Style, ...]
    style_of: np.ndarray  # int64

    @property
    def shown(self) -> tuple[Style, ...]:
        """The classes that have units: what a legend limited to the picture lists."""
        return tuple(style for style in self.styles if style.count)


_HATCHES = {"": "", "slash": "///", "dots": ".."}
"""Patterns of the screen and what the print map draws for them."""


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """The whole table as kept in `data/cartography.json`; callers must not change it."""
    return json.loads(files("data").joinpath("cartography.json").read_text("utf-8"))


def shortfall_classes(
    shortfall: Sequence[float] | np.ndarray,
    state: Sequence[str] | np.ndarray,
    *,
    unit: Text | None = None,
    limits: Sequence[float] = (),
) -> Classes:
    """Classes of what is missing per unit; `state` "no_data" wins over any figure.

    Parameters
    ----------
    shortfall
        How many are missing, one per unit; NaN counts as no data.
    state
        "met", "short" or "no_data", one per unit.
    unit
        What is counted, for the title of the legend; cameras when left out.
    limits
        Shortfalls from which a darker class begins, at most three, as the rule set gives them; those of the table
        when left out.
    """
    entries = table()["shortfall"]
    words = unit or _text(entries["unit"])
    styles = [_style(entry) for entry in entries["classes"]]
    lower = [float(entry["from"]) for entry in entries["classes"]]
    if limits and list(limits[:3]) != lower[1:]:
        lower = [0.0, *map(float, limits[:3])]
        # Fewer classes keep the darkest colours for the worst.
        styles = [styles[0], *styles[len(styles) - len(lower) + 1 :]]
        styles[1:] = [
            replace(style, label=_range_words(low, high))
            for style, low, high in zip(styles[1:], lower[1:], [*lower[2:], None], strict=True)
        ]
    missing = np.asarray(shortfall, dtype=float)
    unknown = (np.asarray(state, dtype=object) == "no_data") | np.isnan(missing)
    # A shortfall between two limits (a share, say) belongs to the class it has reached, and any shortfall above zero
    # is at least in the first class that is not "met".
    reached = np.searchsorted(lower, np.where(unknown, 0.0, missing), side="right") - 1
    reached = np.where(~unknown & (missing > 0), np.maximum(reached, 1), np.maximum(reached, 0))
    style_of = np.where(unknown, len(lower), reached).astype(np.int64)
    title = Text(f"缺口（{words.zh}）", f"Shortfall ({words.en})")
    return Classes(title, _counted([*styles, _style(entries["no_data"])], style_of), style_of)


def _range_words(low: float, high: float | None) -> Text:
    if high is None:
        return Text(f"缺 {low:g} 及以上", f"{low:g} or more missing")
    if low == int(low) and high == int(high):
        shown = f"{low:g}" if high - low == 1 else f"{low:g}–{high - 1:g}"
        return Text(f"缺 {shown}", f"{shown} missing")
    return Text(f"缺 {low:g} 至不足 {high:g}", f"{low:g} to under {high:g} missing")


def significance_classes(rows: pd.DataFrame) -> Classes:
    """Classes of a hotspot result: needs `hot` and `cold` (booleans); `q` refines them where it is given.

    A unit is hot or cold only when the corrected test says so; `q` decides how strongly. Without `q` (readers who see
    flags only) every hot unit is in the first class. Rows with state "no_data" are no data.
    """
    entries = table()["significance"]
    hot = rows["hot"].fillna(False).to_numpy(dtype=bool)
    cold = rows["cold"].fillna(False).to_numpy(dtype=bool)
    q = rows["q"].to_numpy(dtype=float) if "q" in rows else np.full(len(rows), np.nan)
    listed = [*entries["classes"], entries["none"], entries["no_data"]]
    number = {entry["id"]: row for row, entry in enumerate(listed)}
    style_of = np.full(len(rows), number["none"], dtype=np.int64)
    # Weakest class first: a stronger one overwrites it.
    for entry in sorted(entries["classes"], key=lambda entry: abs(entry["bin"])):
        flagged = hot if entry["bin"] > 0 else cold
        strong_enough = abs(entry["bin"]) == 1 or q <= entry["q_at_most"]
        style_of[flagged & strong_enough] = number[entry["id"]]
    if "state" in rows:
        style_of[(rows["state"] == "no_data").to_numpy(dtype=bool)] = number["no_data"]
    title = Text("事件热点与冷点", "Hot and cold spots of incidents")
    return Classes(title, _counted([_style(entry) for entry in listed], style_of), style_of)


def camera_classes(status: Sequence[Any]) -> Classes:
    """Cameras by status; one without a recorded status is a class of its own, counted as working."""
    entries = table()["camera"]
    names = ("online", "offline", "planned", "unknown")
    known = {name: row for row, name in enumerate(names)}
    style_of = np.array([known.get(value, known["unknown"]) for value in status], dtype=np.int64)
    styles = [Style(name, _text(entries[name]), entries[name]["color"], mark=entries[name]["mark"]) for name in names]
    return Classes(Text("视频监控点", "Cameras"), _counted(styles, style_of), style_of)


def plain_classes(label: Text, count: int) -> Classes:
    """One class for areas that are shown as they are, filled pale."""
    style = Style("all", label, table()["sequence"][0], count=count)
    return Classes(label, (style,), np.zeros(count, dtype=np.int64))


def change_classes(label: Text, states: Sequence[str]) -> Classes:
    """Areas of one side of a comparison: changed, new, ended, unchanged; as the page's comparison has them."""
    entries = table()["compare"]
    names = ("unchanged", "changed", "new", "ended")
    styles = [
        Style(
            name,
            _text(entries[name]),
            entries[name]["fill"],
            _HATCHES[entries[name].get("hatched", {}).get("pattern", "")],
            entries[name].get("hatched", {}).get("color", ""),
        )
        for name in names
    ]
    style_of = np.array([names.index(state) for state in states], dtype=np.int64)
    return Classes(label, _counted(styles, style_of), style_of)


def mark_classes(label: Text, is_line: np.ndarray, kind: str = "") -> Classes:
    """Points as discs and lines as strokes, in the colour of their kind; `is_line` is a boolean per row."""
    colours = table()
    color = colours["incident" if kind == "incident" else "point"]["color"]
    styles = [
        Style("point", label, color, mark="disc"),
        Style("line", Text(f"{label.zh}（线）", f"{label.en} (lines)"), color, mark="line", width_px=1.6),
    ]
    style_of = is_line.astype(np.int64)
    return Classes(label, _counted(styles, style_of), style_of)


def line_style(name: str) -> tuple[Text, float, str, list[float]]:
    """Words, width in CSS pixels, colour and dashes (pixels) of a boundary: a kind of area, or "derived"."""
    entry = table()["lines"][name]
    return _text(entry), entry["width_px"], entry["color"], entry["dash"]


def _style(entry: dict[str, Any]) -> Style:
    return Style(
        entry["id"],
        _text(entry),
        entry["fill"],
        entry.get("hatch", ""),
        entry.get("hatch_color", ""),
        entry.get("width_px", 0.0),
    )


def _text(entry: dict[str, Any]) -> Text:
    return Text(entry["zh"], entry["en"])


def _counted(styles: list[Style], style_of: np.ndarray) -> tuple[Style, ...]:
    counts = np.bincount(style_of, minlength=len(styles))
    return tuple(replace(style, count=int(count)) for style, count in zip(styles, counts, strict=True))
