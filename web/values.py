"""Values of a frame as JSON and tiles know them: text, number, boolean; what is missing is left out."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

Scalar = str | int | float | bool


def plain(value: Any) -> Scalar | None:
    """One value as JSON knows it; None when there is none (null, NaN, infinity, missing date)."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def column(series: pd.Series) -> list[Scalar | None]:
    """A column as plain values, in its order."""
    plain_numbers = isinstance(series.dtype, np.dtype)
    if plain_numbers and series.dtype.kind in "iu":
        return series.tolist()
    if plain_numbers and series.dtype.kind == "f":
        # A whole-number column with gaps arrives as float; its numbers are whole all the same.
        values = series.to_numpy()
        there = np.isfinite(values)
        whole = (
            there.any()
            and bool((values[there] == np.floor(values[there])).all())
            and bool((abs(values[there]) < 2**53).all())
        )
        return [(int(v) if whole else v) if ok else None for v, ok in zip(values.tolist(), there.tolist(), strict=True)]
    return [plain(value) for value in series.tolist()]


def rows(frame: pd.DataFrame, names: Iterable[str]) -> list[dict[str, Scalar]]:
    """One dict per row with the values that are there."""
    wanted = [name for name in names if name in frame.columns]
    columns = [column(frame[name]) for name in wanted]
    return [
        {name: value for name, value in zip(wanted, values, strict=True) if value is not None}
        for values in zip(*columns, strict=True)
    ] or [{} for _ in range(len(frame))]


def full_rows(frame: pd.DataFrame, names: Iterable[str]) -> list[dict[str, Scalar | None]]:
    """One dict per row with every wanted column, null where there is no value."""
    wanted = [name for name in names if name in frame.columns]
    columns = [column(frame[name]) for name in wanted]
    return [dict(zip(wanted, values, strict=True)) for values in zip(*columns, strict=True)]
