"""Rows on their way from a file to the store: how they are read, and what is known of all of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from ..files.cells import Style
from ..files.mapping import Mapping
from ..files.reader_out import ROW
from ..kinds import Field, Kind
from ..limits import Limits
from .projecting import Frame

LON, LAT, SHAPE = "lon", "lat", "shape"


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that shapes how rows are read: kind (None: reference layer), mapping, frame, style, limits."""

    kind: Kind | None
    mapping: Mapping
    frame: Frame
    style: Style
    limits: Limits
    repair: bool
    zone: Any  # metric system whose centimetre grid areas live on, or None
    codes: dict[str, np.ndarray] = field(default_factory=dict)  # code fields of the whole layer, restored
    free_fields: dict[int, Field] = field(default_factory=dict)  # columns of a reference layer


@dataclass(slots=True)
class Prepared:
    """Rows ready to be stored. `bad` and the arrays run over the rows of the source."""

    path: Path
    rows: np.ndarray
    bad: np.ndarray
    blank: np.ndarray
    lon: np.ndarray  # representative position in EPSG:4490, NaN without
    lat: np.ndarray
    families: set[str]
    keys: np.ndarray | None  # value of the key field (object, None where empty)
    days: np.ndarray | None = None  # day of each incident (datetime64[D], NaT without)

    def batches(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """(first position, batch): the columns named like fields, and lon, lat or shape."""
        start = 0
        with pa.memory_map(str(self.path)) as mapped, pa.ipc.open_stream(mapped) as stream:
            for batch in stream:
                yield start, batch
                start += batch.num_rows


def frame_of(batch: pa.RecordBatch, keep: np.ndarray) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The kept rows of a prepared batch as a frame of fields, and their shapes (None without a geometry)."""
    chosen = batch if keep.all() else batch.filter(pa.array(keep))
    names = [name for name in chosen.schema.names if name not in (LON, LAT, SHAPE, ROW)]
    frame = pd.DataFrame({name: _series(chosen.column(name)) for name in names}, index=range(chosen.num_rows))
    shapes: np.ndarray | None = None
    if LON in chosen.schema.names:
        lon = chosen.column(LON).to_numpy(zero_copy_only=False)
        lat = chosen.column(LAT).to_numpy(zero_copy_only=False)
        shapes = np.full(chosen.num_rows, None, dtype=object)
        there = np.isfinite(lon)
        shapes[there] = shapely.points(lon[there], lat[there])
    elif SHAPE in chosen.schema.names:
        shapes = shapely.from_wkb(chosen.column(SHAPE).to_numpy(zero_copy_only=False))
    return frame, shapes


def _series(column: pa.Array) -> Any:
    """A column as pandas keeps it without losing whole numbers to floats."""
    if pa.types.is_integer(column.type):
        return column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    if pa.types.is_string(column.type):
        # Said outright: pandas would look at every value and copy them all into its own kind of text column.
        return pd.Series(column.to_numpy(zero_copy_only=False), dtype=object)
    if pa.types.is_boolean(column.type):
        return column.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    if pa.types.is_date(column.type):
        return column.cast(pa.timestamp("ms")).to_numpy(zero_copy_only=False)
    return column.to_numpy(zero_copy_only=False)
