"""Rows of a KML on their way to the output.

Columns may turn up as late as the last placemark, so rows wait in files of the work folder until all are known.
"""

from pathlib import Path

import pyarrow as pa

from geo.words import Text

from ..findings import Finding
from .formats import refuse
from .mapping import clean_header
from .reader_out import Output

_BATCH_ROWS = 10_000
_BATCH_CHARS = 8 << 20
OWN, EXTENDED = "own", "extended"  # a placemark's <name> is not the same column as a Data called "name"
Column = tuple[str, str]


class PlacemarkRows:
    """Rows on their way to the output: held in the work folder until every column is known."""

    def __init__(self, request: dict, output: Output) -> None:
        self._output = output
        self._folder = Path(request["path"]).parent
        self._most: int | None = request["max_rows"]
        self._cells: list[dict[Column, str]] = []
        self._shapes: list[bytes | None] = []
        self._chars = 0
        self._parts: list[Path] = []
        self._kinds: set[int] = set()
        self.columns: dict[Column, None] = {}
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether the sample that was asked for is complete."""
        return self._output.sample is not None and self.count >= self._output.sample

    def add_column(self, column: Column) -> None:
        """A column that the file names."""
        if column not in self.columns:
            self._output.require_columns(len(self.columns) + 1)
            self.columns[column] = None

    def add(self, cells: dict[Column, str], kind: int, wkb: bytes | None) -> None:
        """A placemark; `kind` is the WKB number of its shape."""
        if self.full:
            return
        if self._most is not None and self.count >= self._most:
            raise refuse("limit", f"行数超过 {self._most}。", f"The layer has more than {self._most} rows.")
        self.count += 1
        if wkb is not None:
            self._kinds.add(kind)
        self._cells.append(cells)
        self._shapes.append(wkb)
        self._chars += sum(map(len, cells.values())) + len(wkb or b"")
        if len(self._cells) >= _BATCH_ROWS or self._chars >= _BATCH_CHARS:
            self._put_aside()

    def warn_not_drawn(self) -> None:
        """Say that the placemark being heard has a shape that a flat map cannot hold."""
        self._output.find(
            Finding(
                Text("三维模型和轨迹未导入。", "Models and tracks are not imported."),
                Text("请另存为点、线或面。", "Save it as points, lines or polygons."),
                severity="warning",
                row=self.count + 1,
                kind="geometry_type",
            )
        )

    def hand_over(self) -> tuple[list[str], set[int]]:
        """Write everything to the output; the headers, and the WKB types that occur (0: a shape that is none)."""
        if self._cells:
            self._put_aside()
        # The two columns that every KML has come first, as in other programs.
        order = sorted(self.columns, key=lambda column: column[0] != OWN)
        at = {column: number for number, column in enumerate(self.columns)}
        for part in self._parts:
            with pa.OSFile(str(part)) as file, pa.ipc.open_file(file) as stored:
                batch = stored.get_batch(0)
            part.unlink()
            known = batch.num_columns - 1
            nothing = pa.nulls(batch.num_rows, pa.string())
            cells = [batch.column(at[column]) if at[column] < known else nothing for column in order]
            self._output.write(cells, batch.column(known) if self._kinds or not cells else None)
        return [clean_header(name) for _, name in order], self._kinds

    def _put_aside(self) -> None:
        arrays = [pa.array([cells.get(column) for cells in self._cells], pa.string()) for column in self.columns]
        arrays.append(pa.array(self._shapes, pa.binary()))
        batch = pa.RecordBatch.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])
        part = self._folder / f"placemarks{len(self._parts)}.arrow"
        with pa.OSFile(str(part), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        self._parts.append(part)
        self._cells, self._shapes, self._chars = [], [], 0
