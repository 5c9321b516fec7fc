"""Stored values as arrays: how the rows of a query become columns without a Python object per row staying around."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Select

from ..kinds import Field

_PIECE = 4_000


def fetch(connection: Connection, query: Select) -> list[tuple]:
    """Rows as the driver gives them, without the cost of row objects and result types."""
    cursor: Any = connection.execute(query).cursor
    return cursor.fetchall()


def collect(connection: Connection, query: Select, makers: Sequence[Callable[[Sequence[Any]], Any]]) -> list[Any]:
    """Columns of a query, turned into arrays piece by piece, so that a million rows never exist as tuples at once."""
    cursor: Any = connection.execute(query).cursor
    pieces: list[list[Any]] = [[] for _ in makers]
    while rows := cursor.fetchmany(_PIECE):
        for piece, make, values in zip(pieces, makers, zip(*rows, strict=True), strict=True):
            piece.append(make(values))
    return [_joined(piece) if piece else make(()) for piece, make in zip(pieces, makers, strict=True)]


def _joined(pieces: list[Any]) -> Any:
    if len(pieces) == 1:
        return pieces[0]
    if isinstance(pieces[0], np.ndarray):
        return np.concatenate(pieces)
    return pd.concat([pd.Series(piece) for piece in pieces], ignore_index=True).array


def _texts() -> Callable[[Sequence[Any]], np.ndarray]:
    """Text column: equal values share one object, which is most of the memory of a large layer."""
    known: dict[Any, Any] = {}

    def share(values: Sequence[Any]) -> np.ndarray:
        array = np.empty(len(values), dtype=object)
        if len(set(values)) * 4 < len(values):
            array[:] = [known.setdefault(value, value) for value in values]
        else:
            array[:] = values
        return array

    return share


def _whole_numbers(values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    try:
        return np.array(values, dtype=np.int64), np.zeros(len(values), dtype=bool)
    except TypeError:
        missing = np.fromiter((value is None for value in values), bool, len(values))
        return np.fromiter((0 if value is None else value for value in values), np.int64, len(values)), missing


def moments(values: Sequence[Any], place_offset_h: int = 0) -> np.ndarray:
    """Stored dates or moments as datetime64[us] wall time of the place; NaT when missing."""
    if any(isinstance(value, str) for value in values):
        texts = np.array(values, dtype="U23")
        texts[texts == "None"] = "NaT"
        # Moments of other programs may be shorter than ours: then the Z, which numpy does not take, is not cut off.
        marks = texts.view(np.uint32)
        marks[marks == ord("Z")] = 0
        array = texts.astype("datetime64[us]")
    else:
        naive = [value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in values]
        array = np.array(naive, dtype="datetime64[us]")
    return array + np.timedelta64(place_offset_h, "h") if place_offset_h else array


def turn(field: Field, place_offset_h: int) -> Callable[[Sequence[Any]], Any]:
    """How stored values of a field become a pandas array."""
    if field.dtype == "text":
        return _texts()
    if field.dtype == "date":
        return moments
    if field.dtype == "datetime":
        return lambda values: moments(values, place_offset_h)
    if field.dtype == "real":
        return lambda values: np.array(values, dtype=np.float64)
    if field.dtype == "boolean":
        return lambda values: pd.arrays.BooleanArray(*_flags(values))
    return lambda values: pd.arrays.IntegerArray(*_whole_numbers(values))


def _flags(values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    numbers, missing = _whole_numbers(values)
    return numbers.astype(bool), missing


def integers(values: Sequence[Any]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def floats(values: Sequence[Any]) -> np.ndarray:
    return np.array(values, dtype=np.float64)
