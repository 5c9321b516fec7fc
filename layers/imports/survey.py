"""First look over a whole layer: what must be known of all rows before any of them can be read.

Positions (raw numbers, to find the coordinate system and suspect a datum), the order of day and month, personal
columns, codes. Held as arrays of numbers, so that memory stays a few bytes a row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from .. import dates
from ..files import privacy
from ..files.cells import as_text
from ..files.mapping import Mapping
from ..files.reader_out import GEOMETRY, ROW
from ..files.reading import Source
from ..kinds import Kind
from .positions import read_numbers

_PRIVACY_ROWS = 20_000
_YEAR_LAST = r"^\s*\d{1,2}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{4}"
_MANY = 200


@dataclass(slots=True)
class Survey:
    """What the first look found. All arrays run over the rows of the source.

    `x`, `y` are raw positions (the centre of the bounds for lines and polygons), NaN where a row has none. `points`:
    every shape is a point, so that x and y are all there is to it. `extents`: bounds of the raw shapes otherwise.
    """

    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    points: bool
    by: str  # where positions come from: "columns", "wkb", "wkt", or "" when there are none
    unreadable: np.ndarray  # a position that is no position
    degrees: np.ndarray  # positions that were degree texts
    extents: np.ndarray | None
    personal: dict[int, str]
    date_order: str
    ambiguous: list[int] = field(default_factory=list)
    texts: dict[int, pd.Series] = field(default_factory=dict)

    @property
    def located(self) -> bool:
        """Whether the layer has a geometry or columns of positions."""
        return bool(self.by)

    @property
    def exchanged(self) -> np.ndarray:
        """Rows of points whose latitude cannot be one, while exchanged both numbers lie in or near China."""
        if not self.points:
            return np.zeros(len(self.x), dtype=bool)
        with np.errstate(invalid="ignore"):
            return (self.y > 90) & (self.y < 140) & (self.x > 0) & (self.x < 60)

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """Bounds of the raw numbers without stray rows; None when no row has a position.

        Rows at 0, 0 stand for "unknown" and, in a long layer, one row in a hundred may be wild.
        """
        there = np.isfinite(self.x) & np.isfinite(self.y) & ~((self.x == 0) & (self.y == 0))
        with np.errstate(invalid="ignore"):
            degrees = (np.abs(self.x) <= 180) & (np.abs(self.y) <= 180) & there
            degrees &= (np.abs(self.x) <= 90) | (np.abs(self.y) <= 90)  # else a slip whichever way round it is read
        if degrees.sum() >= there.sum() / 2:
            there = degrees  # degrees with a few slips of the pen among them: each slip is a finding of its own
        turned = self.exchanged
        if turned.sum() <= there.sum() / 2:
            there &= ~turned  # a few rows that stand the wrong way round say nothing about the layer
        if not there.any():
            return None
        if self.extents is not None:
            low, high = self.extents[there, :2], self.extents[there, 2:]
        else:
            low = high = np.column_stack([self.x[there], self.y[there]])
        if len(low) > _MANY:
            left, right = np.percentile(low, 1, axis=0), np.percentile(high, 99, axis=0)
        else:
            left, right = low.min(axis=0), high.max(axis=0)
        return float(left[0]), float(left[1]), float(right[0]), float(right[1])


def look(
    source: Source,
    mapping: Mapping,
    kind: Kind | None,
    *,
    dates_choice: str,
    keep: frozenset[int],
    keys: frozenset[int],
    cancelled: Callable[[], None],
) -> Survey:
    """Look over the layer. `keep` are columns whose texts are needed as a whole (codes); `keys` may look like numbers."""
    lon, lat, wkt = (mapping.column_of(name) for name in ("lon", "lat", "wkt"))
    by_columns = lon is not None and lat is not None
    by_wkt = not by_columns and wkt is not None
    dated = [
        at
        for at, name in mapping.fields.items()
        if kind and name in kind.names and kind.field(name).dtype in ("date", "datetime")
    ]
    parts: list[tuple[np.ndarray, ...]] = []
    kept: dict[int, list[pd.Series]] = {column: [] for column in keep}
    year_last: dict[int, list[pd.Series]] = {column: [] for column in dated}
    sample: list[pa.RecordBatch] = []
    points = True
    for batch in source.batches():
        cancelled()
        if sum(part.num_rows for part in sample) < _PRIVACY_ROWS:
            sample.append(batch)
        for column in keep:
            kept[column].append(as_text(batch.column(f"c{column}")).to_pandas())
        if dates_choice == "auto":
            for column in dated:
                cells = batch.column(f"c{column}")
                if pa.types.is_string(cells.type):
                    ending = pc.drop_null(cells).filter(pc.match_substring_regex(pc.drop_null(cells), _YEAR_LAST))
                    if len(ending):
                        year_last[column].append(pc.unique(ending).to_pandas())
        count = batch.num_rows
        none = np.zeros(count, dtype=bool)
        numbers = batch.column(ROW).to_numpy()
        if by_columns:
            x, bad_x, text_x = read_numbers(batch.column(f"c{lon}"))
            y, bad_y, text_y = read_numbers(batch.column(f"c{lat}"))
            parts.append((numbers, x, y, bad_x | bad_y, text_x | text_y, np.empty((0, 4))))
        elif source.geometry or by_wkt:
            shapes = shapes_of(batch, wkt if by_wkt else None)
            points = points and bool(np.isin(shapely.get_type_id(shapes), (-1, 0)).all())
            extents = shapely.bounds(shapes)
            x, y = (extents[:, 0] + extents[:, 2]) / 2, (extents[:, 1] + extents[:, 3]) / 2
            parts.append((numbers, x, y, unreadable(batch, shapes, wkt if by_wkt else None), none, extents))
        else:
            nowhere = np.full(count, np.nan)
            parts.append((numbers, nowhere, nowhere, none, none, np.empty((0, 4))))
    rows, x, y, bad, degrees, extents = (
        (np.concatenate(column) for column in zip(*parts, strict=True))
        if parts
        else (
            np.empty(0, np.int64),
            *(np.empty(0) for _ in range(2)),
            *(np.zeros(0, bool) for _ in range(2)),
            np.empty((0, 4)),
        )
    )
    order, ambiguous = _date_order(year_last, dates_choice)
    return Survey(
        rows=rows,
        x=x,
        y=y,
        points=by_columns or points,
        by="columns" if by_columns else "wkt" if by_wkt else "wkb" if source.geometry else "",
        unreadable=bad,
        degrees=degrees,
        extents=None if by_columns or points or not len(extents) else extents,
        personal=privacy.personal_columns(source.columns, pa.Table.from_batches(sample) if sample else None, keys=keys),
        date_order=order,
        ambiguous=ambiguous,
        texts={
            column: pd.concat(series, ignore_index=True) if series else pd.Series([], dtype="str")
            for column, series in kept.items()
        },
    )


def shapes_of(batch: pa.RecordBatch, wkt: int | None) -> np.ndarray:
    """Shapely geometries of a batch, from its geometry or from a column of WKT; None where there is none."""
    if wkt is not None:
        texts = as_text(batch.column(f"c{wkt}")).to_numpy(zero_copy_only=False)
        return shapely.from_wkt(texts, on_invalid="ignore")
    return shapely.from_wkb(batch.column(GEOMETRY).to_numpy(zero_copy_only=False), on_invalid="ignore")


def unreadable(batch: pa.RecordBatch, shapes: np.ndarray, wkt: int | None) -> np.ndarray:
    """Rows that have something where the geometry should be, but no geometry."""
    cells = batch.column(GEOMETRY) if wkt is None else as_text(batch.column(f"c{wkt}"))
    return pc.is_valid(cells).to_numpy(zero_copy_only=False) & shapely.is_missing(shapes)


def _date_order(year_last: dict[int, list[pd.Series]], choice: str) -> tuple[str, list[int]]:
    """The order that the columns settle together, and the columns that need one when nothing settles it."""
    if choice != "auto":
        return choice, []
    columns = [column for column, series in year_last.items() if series]
    if not columns:
        return "auto", []
    order = dates.find_order(pd.concat([text for column in columns for text in year_last[column]]))
    return (order, []) if order else ("auto", columns)
