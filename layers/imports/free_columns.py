"""Columns of a reference layer: all of them, under their own headers, typed by what they hold."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from geopandas import GeoDataFrame

from geo import crs
from geo.words import Text

from ..files.reading import Source
from ..kinds import Field

_WHOLE = r"^[-+]?(0|[1-9][0-9]{0,9})$"
_DECIMAL = r"^[-+]?(0|[1-9][0-9]{0,9})?(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$"
_CODED = re.compile(r"代码|编码|编号|代碼|編碼|(^|[_\s])(code|id|no)([_\s\d]|$)|code$", re.IGNORECASE)


def fields_of(source: Source, personal: dict[int, str]) -> dict[int, Field]:
    """A field for every column that is not personal, called c0, c1, ... as in the source.

    Texts become numbers only when every one of them is a number without leading zeros: a code stays a code.
    """
    columns = [number for number in range(len(source.columns)) if number not in personal]
    dtypes: dict[int, str] = {}
    for batch in source.batches():
        for column in columns:
            cells = batch.column(f"c{column}")
            coded = pa.types.is_string(cells.type) and _CODED.search(source.columns[column])
            found = "text" if coded else _dtype(cells)
            if found is not None:
                dtypes[column] = _wider(dtypes.get(column, found), found)
    return {
        column: Field(f"c{column}", dtypes.get(column, "text"), Text(source.columns[column], source.columns[column]))
        for column in columns
    }


def _dtype(cells: pa.Array) -> str | None:
    """What the cells of a batch are; None when all are empty."""
    kind = cells.type
    if cells.null_count == len(cells):
        return None
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "real"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "datetime"
    if not pa.types.is_string(kind):
        return "text"
    texts = pc.utf8_trim_whitespace(cells.drop_null())
    if pc.all(pc.match_substring_regex(texts, _WHOLE)).as_py():
        return "integer"
    decimal = pc.and_(pc.match_substring_regex(texts, _DECIMAL), pc.match_substring_regex(texts, "[0-9]"))
    return "real" if pc.all(decimal).as_py() else "text"


def _wider(one: str, other: str) -> str:
    if one == other:
        return one
    return "real" if {one, other} == {"integer", "real"} else "text"


def named(frame: pd.DataFrame, shapes: np.ndarray | None, fields: dict[int, Field], headers: list[str]) -> pd.DataFrame:
    """The frame of a batch under the headers of the file, with its geometry; types are the same in every batch."""
    labels = {field.name: headers[column] for column, field in fields.items()}
    typed = {
        labels[field.name]: _typed(frame[field.name], field.dtype) for field in fields.values() if field.name in frame
    }
    made = pd.DataFrame(typed, index=frame.index)
    if shapes is None:
        return made
    # A column of the file may be called "geometry" (a text): the frame's own must win.
    return GeoDataFrame(made.rename(columns={"geometry": "geometry_"}), geometry=shapes, crs=crs.LONLAT)


def _typed(values: pd.Series, dtype: str) -> pd.Series:
    target = {"integer": "Int64", "real": "float64", "boolean": "boolean", "datetime": "datetime64[ms]"}.get(dtype)
    return values.astype(target) if target else values.astype(object)
