"""A layer or result on its way out of the store: rows, what the columns mean, and where it all came from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from geo.crs import LONLAT
from geo.words import UNWRITABLE, Text

from ..kinds import Field


@dataclass(slots=True)
class ExportTable:
    """What is exported.

    `frame` has one column per entry of `fields`, in that order, and, when `spatial`, a geometry column in EPSG:4490
    (null where a row has no position). `name` is the layer name inside a file (ASCII). `notes` collects what the
    format could not carry.
    """

    name: str
    label: Text
    frame: GeoDataFrame
    fields: tuple[Field, ...]
    spatial: bool
    provenance: dict[str, Any]
    notes: list[Text] = field(default_factory=list)

    def note(self, zh: str, en: str) -> None:
        """Remember something the reader of the file must know; said once however often it is met."""
        said = Text(zh, en)
        if said not in self.notes:
            self.notes.append(said)

    @property
    def shapes(self) -> np.ndarray:
        """Geometries as an array, null where there is none."""
        return np.asarray(self.frame.geometry.array, dtype=object)


def make_frame(columns: dict[str, Any], geometry: Any = None) -> GeoDataFrame:
    """A frame of `columns` in EPSG:4490; without `geometry` every shape is null."""
    rows = len(next(iter(columns.values()))) if columns else (0 if geometry is None else len(geometry))
    shapes = np.full(rows, None, dtype=object) if geometry is None else geometry
    return GeoDataFrame(columns, geometry=shapes, crs=LONLAT)


def only(shapes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """A copy of `shapes` with null wherever `chosen` is false."""
    kept = shapes.copy()
    kept[~chosen] = None
    return kept


def python_values(column: pd.Series, dtype: str) -> list[Any]:
    """Values of a column as plain Python: str, int, float, bool, date, datetime; None when missing or not finite."""
    missing = column.isna().to_numpy()
    if dtype in ("date", "datetime"):
        moments = pd.to_datetime(column).dt.to_pydatetime() if len(column) else np.empty(0, dtype=object)
        values = [moment.date() if dtype == "date" else moment for moment in moments]
    elif dtype == "real":
        numbers = column.to_numpy(dtype=float, na_value=np.nan)
        missing = ~np.isfinite(numbers)
        values = numbers.tolist()
    elif dtype == "integer":
        values = column.astype("Int64").tolist()
    elif dtype == "boolean":
        values = column.astype("boolean").tolist()
    else:
        values = [value if isinstance(value, str) else str(value) for value in column.astype(object)]
    return [None if gone else value for value, gone in zip(values, missing, strict=True)]


def without_control(values: Sequence[Any]) -> tuple[list[Any], int]:
    """Texts without characters that XML cannot carry, and how many values were changed."""
    cleaned, changed = [], 0
    for value in values:
        if isinstance(value, str) and UNWRITABLE.search(value):
            value, changed = UNWRITABLE.sub("", value), changed + 1
        cleaned.append(value)
    return cleaned, changed
