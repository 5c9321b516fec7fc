"""Cells as they come: as text, and as numbers. What a column turned out to be, and what was noticed in it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geo.words import Text

from ..kinds import Field
from . import privacy

_UNIT = re.compile(
    r"([-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+)\s*(?:户|人|个|台|只|路|米|m|度|°|天|日|年|时|点|平方米|㎡|m2|m²)?",
    re.IGNORECASE,
)
_WIDE = str.maketrans("０１２３４５６７８９．－＋，", "0123456789.-+,")
_DIRECTIONS = {
    word: 45.0 * number
    for words in ("北 东北 东 东南 南 西南 西 西北", "n ne e se s sw w nw")
    for number, word in enumerate(words.split())
}
_NOT_NEGATIVE = frozenset(
    {
        "camera_count",
        "households",
        "population",
        "pop_urban",
        "pop_rural",
        "workers_full",
        "workers_part",
        "retention_days",
        "range_m",
    }
)
_RANGES = {"occurred_hour": (0, 23), "azimuth": (0, 360), "view_deg": (0, 360), "code_year": (1949, 2200)}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about some rows of a column: positions in the batch, and the message for one of them."""

    kind: str
    severity: str
    rows: np.ndarray
    what: Callable[[int], Text]
    mend: Text = field(default_factory=lambda: Text("", ""))


@dataclass(frozen=True, slots=True)
class Converted:
    """A column as stored (`values`: an Arrow array of the field's type), what was noticed, and rows with a time."""

    values: pa.Array
    problems: list[Problem]
    timed: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """How the columns of one import are read."""

    date_order: str = "auto"
    place_offset_h: float = 0
    cell_chars: int = 32_767


def as_text(column: pa.Array) -> pa.Array:
    """Any column as trimmed text; blank is null; whole floats keep their `.0` so that a spoiled code shows."""
    kind = column.type
    if pa.types.is_string(kind):
        text = column
    elif pa.types.is_floating(kind):
        values = column.to_pandas()
        text = pa.array(
            [
                None if pd.isna(v) else f"{int(v)}.0" if float(v).is_integer() and abs(v) < 1e18 else repr(float(v))
                for v in values
            ],
            pa.string(),
        )
    elif pa.types.is_timestamp(kind):
        text = pc.replace_substring(pc.strftime(column, "%Y-%m-%dT%H:%M:%S"), ".000000", "")
        if kind.tz:
            text = pc.binary_join_element_wise(text, "Z", "")
    elif pa.types.is_null(kind):
        text = pa.nulls(len(column), pa.string())
    else:
        text = column.cast(pa.string())
    text = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.equal(text, ""), None, text)


def read_numbers(column: pa.Array, target: Field) -> Converted:
    whole = target.dtype == "integer"
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False).copy()
        texts = None
    else:
        texts = as_text(column)
        try:
            values = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False).copy()
        except pa.ArrowInvalid:
            values = _parsed(texts, target)
    filled = pc.is_valid(texts if texts is not None else column).to_numpy(zero_copy_only=False)
    bad = filled & ~np.isfinite(values)
    if whole:
        bad |= np.isfinite(values) & ((values != np.floor(values)) | (np.abs(values) > 2**53))
    low, high = _RANGES.get(target.name, (-np.inf, np.inf))
    outside = np.isfinite(values) & ((values < low) | (values > high))
    negative = np.isfinite(values) & (values < 0) if target.name in _NOT_NEGATIVE else np.zeros(len(values), dtype=bool)
    problems = []
    if bad.any() or outside.any():
        wrong = np.flatnonzero(bad | outside)
        kind_word = Text("不是整数", "is not a whole number") if whole else Text("不是数字", "is not a number")

        def say(row: int) -> Text:
            quoted = privacy.quoted(column[row].as_py())
            if outside[row] and not bad[row]:
                return Text(
                    f"{quoted.zh}超出范围 {low:g}-{high:g}，按空值处理。",
                    f"The value{quoted.en} is outside {low:g} to {high:g}; left empty.",
                )
            return Text(f"{quoted.zh}{kind_word.zh}，按空值处理。", f"The value{quoted.en} {kind_word.en}; left empty.")

        problems.append(
            Problem("number", "warning", wrong, say, Text("请改正后重新导入。", "Correct it and import again."))
        )
    if negative.any():
        problems.append(
            Problem(
                "negative",
                "error",
                np.flatnonzero(negative),
                lambda row: Text(f"不能是负数（{values[row]:g}）。", f"It cannot be negative ({values[row]:g})."),
                Text("请改正该值。", "Correct the value."),
            )
        )
    keep = filled & ~bad & ~outside
    array = pa.array(np.where(keep, values, 0), pa.float64(), mask=~keep)
    return Converted(pc.cast(array, pa.int64()) if whole else array, problems)


def _parsed(texts: pa.Array, target: Field) -> np.ndarray:
    """Numbers among texts with commas, full-width digits, units, compass words; NaN where there is none."""
    codes, uniques = pd.factorize(texts.to_pandas())
    words = _DIRECTIONS if target.name == "azimuth" else {}

    def parse(cell: str) -> float:
        plain = cell.translate(_WIDE).replace(",", "").strip()
        if plain.lower() in words:
            return words[plain.lower()]
        found = _UNIT.fullmatch(plain)
        if found:
            return float(found.group(1))
        try:
            return float(plain) if re.fullmatch(r"[-+0-9.eE]+", plain) else np.nan
        except ValueError:
            return np.nan

    return np.append(np.array([parse(cell) for cell in uniques], dtype=float), np.nan)[codes]
