"""What a reader of the child writes: Arrow batches, counted against the limits, and the headers beside them."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from ..findings import Finding
from .formats import refuse

GEOMETRY, ROW = "geometry", "row"
_FINDINGS = 1_000


class Output:
    """The Arrow stream `rows.arrow` of one reading, with row numbers and limits."""

    def __init__(self, request: dict, folder: Path) -> None:
        self._folder = folder
        self._max_rows: int | None = request["max_rows"]
        self._max_columns: int = request["max_columns"]
        self.sample: int | None = request["sample"]
        self.findings: list[Finding] = []
        self.rows = 0
        self._file: pa.OSFile | None = None
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self._schema: pa.Schema | None = None

    @property
    def full(self) -> bool:
        """Whether the sample that was asked for is complete."""
        return self.sample is not None and self.rows >= self.sample

    def require_columns(self, count: int) -> None:
        """Refuse a table that is wider than the limit."""
        if count > self._max_columns:
            raise refuse(
                "limit",
                f"列数超过 {self._max_columns}。",
                f"The table has more than {self._max_columns} columns.",
            )

    def write(self, columns: list[pa.Array], geometry: pa.Array | None, rows: pa.Array | None = None) -> None:
        """Append one batch; `rows` are the row numbers where they are not simply the next ones."""
        length = len(geometry) if geometry is not None else len(columns[0]) if columns else 0
        if self._max_rows is not None and self.rows + length > self._max_rows:
            raise refuse("limit", f"行数超过 {self._max_rows}。", f"The layer has more than {self._max_rows} rows.")
        if rows is None:
            rows = pa.array(np.arange(self.rows + 1, self.rows + length + 1))
        arrays, names = [rows, *columns], [ROW, *(f"c{number}" for number in range(len(columns)))]
        if geometry is not None:
            arrays.append(geometry)
            names.append(GEOMETRY)
        batch = pa.RecordBatch.from_arrays(arrays, names=names)
        if self._writer is None:
            self._file = pa.OSFile(str(self._folder / "rows.arrow"), "wb")
            self._writer = pa.ipc.new_stream(self._file, batch.schema)
            self._schema = batch.schema
        elif batch.schema != self._schema:
            batch = batch.cast(self._schema)
        self._writer.write_batch(batch)
        self.rows += length

    def progress(self, read: int) -> None:
        """Tell the parent how many bytes of the source have been read."""
        (self._folder / "progress").write_text(str(read))

    def find(self, finding: Finding) -> None:
        """Keep a finding; beyond a thousand they say nothing new."""
        if len(self.findings) < _FINDINGS:
            self.findings.append(finding)

    def close(self) -> None:
        """End the stream."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def answer(self, headers: list[str], **facts: object) -> dict:
        """The answer for the parent: headers, counts, findings and what else the reader knows."""
        return {
            "columns": headers,
            "rows": self.rows,
            "findings": [finding.as_dict() for finding in self.findings],
            "geometry": False,
            "geometry_type": None,
            "crs": None,
            "encoding": None,
            "candidates": [],
            "layers": [],
            "layer": None,
            "total": None,
            **facts,
        }
