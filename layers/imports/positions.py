"""Positions of rows that come as columns: degrees or metres as numbers, degrees as text, or WKT.

Text like 109°42'46"E, 109 42 46, 东经109度42分46秒 and E109.7128 is understood; it is read once per distinct text.
"""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..files.cells import as_text

_DEGREES = re.compile(
    r"(?:东经|西经|北纬|南纬|[EWNS])?\s*([-+]?\d{1,3}(?:\.\d+)?)\s*(?:[°º度d:\s-]\s*(\d{1,2}(?:\.\d+)?)\s*(?:['′‘’´分m:\s-]\s*(\d{1,2}(?:\.\d+)?)\s*"
    r"(?:[\"″“”秒s]|''|′′)?\s*)?(?:['′分]?)\s*|[°º度]?)\s*([EWNS])?",
    re.IGNORECASE,
)
_NEGATIVE = re.compile("[WSws]|西经|南纬")


def read_degrees(text: str) -> float:
    """Degrees of one text; NaN when it is none. West and south are negative."""
    found = _DEGREES.fullmatch(text.strip())
    if not found:
        return np.nan
    degrees, minutes, seconds = (float(part) if part else 0.0 for part in found.groups()[:3])
    if minutes >= 60 or seconds >= 60:
        return np.nan
    value = abs(degrees) + minutes / 60 + seconds / 3600
    return -value if degrees < 0 or found.group(1).startswith("-") or _NEGATIVE.search(text) else value


def read_numbers(column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One coordinate column: numbers (NaN where empty or unreadable), which were unreadable, which were degree text."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)
        return (
            np.where(np.isfinite(values), values, np.nan),
            ~np.isfinite(values) & pc.is_valid(column).to_numpy(zero_copy_only=False),
            np.zeros(len(values), dtype=bool),
        )
    texts = as_text(column)
    none = np.zeros(len(texts), dtype=bool)
    try:
        values = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False).astype(float)
        infinite = np.isinf(values)
        return np.where(infinite, np.nan, values), infinite, none
    except pa.ArrowInvalid:
        pass
    codes, uniques = pd.factorize(texts.to_pandas())
    parsed, worded = np.full(len(uniques) + 1, np.nan), np.zeros(len(uniques) + 1, dtype=bool)
    for number, text in enumerate(uniques):
        try:
            parsed[number] = float(text) if re.fullmatch(r"[-+0-9.eE]+", text) else read_degrees(text)
            worded[number] = not re.fullmatch(r"[-+0-9.eE]+", text)
        except ValueError:
            parsed[number] = np.nan
    parsed[~np.isfinite(parsed)] = np.nan
    values = parsed[codes]
    bad = (codes >= 0) & np.isnan(values)
    return values, bad, worded[codes] & ~bad
