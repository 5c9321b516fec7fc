"""Dates and times as county files write them, to wall time of the place.

Understood without asking: ISO dates and times, 2026/3/1, 2026.3.1, 20260301, 2026年3月1日 8时30分, Excel serial numbers, and
day-month-year or month-day-year when some row of the column settles which. ROC years (115年3月1日, 115/03/01) only when
asked for: without asking, a two- or three-digit year is reported, not guessed. 上午 / 下午 and AM / PM are obeyed.

A time with a zone is turned to the wall time of the place through `place_offset_h`.
"""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.errors import InputError
from geo.words import Text

ORDERS = ("auto", "ymd", "mdy", "dmy", "roc")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_TIME = re.compile(
    r"(上午|下午|中午|晚上|晚|凌晨|早上|am|pm)?\s*(\d{1,2})\s*[:：时点]\s*(?:(\d{1,2})\s*分?)?\s*(?:[:：]?\s*(\d{1,2})(?:\.\d+)?\s*秒?)?"
    r"\s*(am|pm)?\s*(z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_YEAR_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\s*(\d{2})(\d{2})(\d{2})?)?")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})")
_ROC = re.compile(r"(?:民国|民國)?\s*(\d{2,3})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_ROC_PACKED = re.compile(r"(\d{2,3})(\d{2})(\d{2})")
_SERIAL = re.compile(r"\d{4,5}(?:\.\d+)?")
_SERIAL_FIRST, _SERIAL_LAST = 7_306, 73_050  # 1920 to 2099
_AFTERNOON = frozenset({"下午", "晚上", "晚", "pm"})
_MORNING = frozenset({"上午", "凌晨", "早上", "am"})
_YEARS = range(1800, 2200)


@dataclass(frozen=True, slots=True)
class Moments:
    """A column of moments: `values` datetime64[ms] (NaT where there is none), `timed` where a time of day was given,
    `bad` where there was something that is no moment, `order` the order that was used for day and month."""

    values: np.ndarray
    timed: np.ndarray
    bad: np.ndarray
    order: str


def require_order(order: str) -> str:
    """`order` when it is one of `ORDERS`; InputError otherwise."""
    if order not in ORDERS:
        raise InputError(
            Text(f"不认识的日期写法“{order[:20]}”。", f"'{order[:20]}' is not a known order of dates."),
            where="--dates",
            mend=Text(f"可选：{'、'.join(ORDERS)}。", f"One of {', '.join(ORDERS)}."),
        )
    return order


def find_order(texts: pd.Series) -> str:
    """Day or month first in dates that end with the year: "dmy", "mdy", or "" when no row settles it."""
    parts = texts.dropna().drop_duplicates().str.extract(r"^\s*(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*\d{4}").dropna()
    if parts.empty:
        return ""
    first, second = parts[0].astype(int).max(), parts[1].astype(int).max()
    if first > 12 >= second:
        return "dmy"
    return "mdy" if second > 12 >= first else ""


def read_moments(texts: pd.Series, order: str = "auto", *, place_offset_h: float = 0) -> Moments:
    """Read a column of texts (None where empty). Repeated texts are read once.

    `order` "auto" reads year-first dates, and year-last ones in the order `find_order` settles; without that they are
    bad, because 03/04/2026 may be either.
    """
    if order == "auto":
        order = find_order(texts) or "auto"
    fast = _fast(texts) if order != "roc" else None
    if fast is not None:
        return Moments(*fast, order)
    codes, uniques = pd.factorize(texts)
    read = [_read(text.strip(), order, place_offset_h) for text in uniques]
    known = np.array([value[0] if value else None for value in read], dtype="datetime64[ms]")
    timed = np.array([bool(value and value[1]) for value in read], dtype=bool)
    bad = np.array(
        [value is None and bool(text.strip()) for value, text in zip(read, uniques, strict=True)], dtype=bool
    )
    # Position -1 (empty) picks the entry appended at the end.
    return Moments(
        np.append(known, np.datetime64("NaT", "ms"))[codes],
        np.append(timed, False)[codes],
        np.append(bad, False)[codes],
        order,
    )


def _fast(texts: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """A whole column in one ISO form without zone, read at once; None when it is not."""
    filled = texts.notna().to_numpy()
    if not filled.any():
        empty = np.zeros(len(texts), dtype=bool)
        return np.full(len(texts), np.datetime64("NaT", "ms")), empty, empty
    lengths = texts.str.len()[filled]
    length = int(lengths.iloc[0])
    first = str(texts[filled].iloc[0])
    if length not in (10, 16, 19) or not (lengths == length).all() or not _ISO.fullmatch(first):
        return None
    text = texts.where(filled, "NaT").to_numpy(dtype=f"U{length}")
    try:
        values = text.astype("datetime64[ms]")
    except ValueError:
        return None
    years = values.astype("datetime64[Y]").astype(int) + 1970
    if not ((years >= _YEARS.start) & (years < _YEARS.stop) | ~filled).all():
        return None
    return values, filled & (length > 10), np.zeros(len(texts), dtype=bool)


def _read(text: str, order: str, place_offset_h: float) -> tuple[np.datetime64, bool] | None:
    """One text as (moment, whether it has a time of day); None when it is no moment."""
    if not text or len(text) > 64:
        return None
    if _ISO.fullmatch(text) and (moment := _iso(text, place_offset_h)) is not None:
        return moment
    day, rest = _day(text, order)
    if day is None:
        return None
    rest = rest.strip().lstrip("Tt").strip()
    if not rest:
        return day, False
    if rest.startswith(("星期", "周", "(", "（")):
        return day, False
    return _with_time(day, rest, place_offset_h)


def _iso(text: str, place_offset_h: float) -> tuple[np.datetime64, bool] | None:
    try:
        moment = pd.Timestamp(text)
    except ValueError:
        return None
    if moment.year not in _YEARS:
        return None
    if moment.tzinfo is not None:
        moment = moment.tz_convert("UTC").tz_localize(None) + pd.Timedelta(hours=place_offset_h)
    return moment.to_datetime64().astype("datetime64[ms]"), len(text) > 10


def _day(text: str, order: str) -> tuple[np.datetime64 | None, str]:
    """The day a text begins with, and what follows it."""
    if order == "roc":
        for pattern in (_ROC, _ROC_PACKED):
            if (found := pattern.match(text)) and not text[: found.end() + 1][found.end() :].isdigit():
                year, month, day = (int(group) for group in found.groups())
                return _date(year + 1911, month, day), text[found.end() :]
    if found := _YEAR_FIRST.match(text):
        return _date(*(int(group) for group in found.groups())), text[found.end() :]
    if (found := _PACKED.fullmatch(text)) and (
        packed := _date(*(int(group) for group in found.groups()[:3]))
    ) is not None:
        clock = found.groups()[3:]
        return packed, ":".join(part for part in clock if part) if clock[0] else ""
    if _SERIAL.fullmatch(text):
        serial = float(text)
        if _SERIAL_FIRST <= serial < _SERIAL_LAST:
            return _from_serial(serial)
        return None, text
    if found := _YEAR_LAST.match(text):
        first, second, year = (int(group) for group in found.groups())
        if order == "dmy":
            return _date(year, second, first), text[found.end() :]
        if order == "mdy" or (first == second):
            return _date(year, first, second), text[found.end() :]
        return None, text
    if found := _YEAR_MONTH.fullmatch(text):
        return _date(int(found.group(1)), int(found.group(2)), 1), ""
    return None, text


def _from_serial(serial: float) -> tuple[np.datetime64, str]:
    """Excel's day number (1900 system, with its leap year that never was); a fraction is the time of day."""
    days = int(serial)
    seconds = round((serial - days) * 86_400)
    day = np.datetime64("1899-12-30", "ms") + np.timedelta64(days, "D")
    return day, f"{seconds // 3600 % 24}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" if seconds else ""


def _date(year: int, month: int, day: int) -> np.datetime64 | None:
    if year not in _YEARS or not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    try:
        return np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "ms")
    except ValueError:
        return None


def _with_time(day: np.datetime64, rest: str, place_offset_h: float) -> tuple[np.datetime64, bool] | None:
    found = _TIME.fullmatch(rest)
    if not found:
        return None
    before, hour_text, minute, second, after, zone = found.groups()
    hour = int(hour_text)
    half = (before or after or "").lower()
    if (half in _AFTERNOON and hour < 12) or (half == "中午" and hour < 3):
        hour += 12
    elif half in _MORNING and hour == 12:
        hour = 0
    minutes, seconds = int(minute or 0), int(second or 0)
    if hour > 24 or minutes > 59 or seconds > 59 or (hour == 24 and (minutes or seconds)):
        return None
    moment = day + np.timedelta64(hour * 3600 + minutes * 60 + seconds, "s")
    if zone:
        sign, digits = (1, "0000") if zone in "zZ" else (1 if zone[0] == "+" else -1, zone[1:].replace(":", ""))
        offset = sign * (int(digits[:2]) * 60 + int(digits[2:]))
        moment += np.timedelta64(round(place_offset_h * 60) - offset, "m")
    return moment.astype("datetime64[ms]"), True
