"""Reads CSV inside the child: encoding and delimiter guessed, every cell kept as text, a stream in bounded memory.

Cells stay text because a code that loses its leading zeros is lost for good; types are the parent's business.
"""

import codecs
import csv
import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from geo.words import Text

from ..findings import Finding
from ..formulas import restore_column
from . import encodings
from .formats import refuse
from .mapping import clean_header, find_header
from .reader_out import Output

_SAMPLE = 4 << 20
_BLOCK = 4 << 20
_DELIMITERS = (",", "\t", ";", "|")
_HEADER_ROWS = 10


def read_csv(request: dict, output: Output) -> dict:
    """Read the table; see `reader_child`."""
    path = Path(request["path"])
    guess, whole = _guess(path)
    encoding = guess.encoding if request["encoding"] == "auto" else request["encoding"]
    with path.open("rb") as file:
        text = file.read(_SAMPLE).decode(encoding, errors="replace").lstrip("\ufeff")
    text = text[: text.rfind("\n") + 1] or text
    delimiter = find_delimiter(text)
    headers, lines, header_rows = _header(text, delimiter)
    output.require_columns(len(headers))
    names = [f"c{number}" for number in range(len(headers))]
    bad = _BadRows(output, header_rows)
    with path.open("rb") as file:
        native = whole and encoding in ("utf-8", "utf-8-sig")
        reader = pc.open_csv(
            pa.PythonFile(file if native else _Recoded(file, encoding), "r"),
            read_options=pc.ReadOptions(column_names=names, skip_rows=lines, block_size=_BLOCK, use_threads=False),
            parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=bad),
            convert_options=pc.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
        _copy(reader, output, file, bad)
    return output.answer(headers, encoding=encoding.removesuffix("-sig"), candidates=list(guess.candidates))


def _guess(path: Path) -> tuple[encodings.Guess, bool]:
    """The encoding, and whether the whole file is valid in it (only known for UTF-8).

    A long table may be plain ASCII for megabytes before its first Chinese name: then the guess is made there.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
        guess = encodings.guess(sample, whole=len(sample) < _SAMPLE)
        if guess.encoding not in ("utf-8", "utf-8-sig"):
            return guess, False
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        while data := file.read(_SAMPLE):
            try:
                decoder.decode(data)
            except UnicodeDecodeError:
                return (encodings.guess(data, whole=False) if sample.isascii() else guess), False
    return guess, True


def _copy(reader: pc.CSVStreamingReader, output: Output, file: BinaryIO, bad: "_BadRows") -> None:
    while not output.full:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except pa.ArrowInvalid as error:
            raise _broken(error) from error
        if output.sample is not None:
            batch = batch.slice(0, output.sample - output.rows)
        # A table that was exported with guarded formulas comes back as it was.
        output.write([restore_column(column) for column in batch.columns], None, bad.numbers(batch.num_rows))
        if not file.closed:
            output.progress(file.tell())


def _broken(error: pa.ArrowInvalid) -> Exception:
    if "straddl" in str(error):
        return refuse("limit", "有一行超过 4 MB，无法读取。", "A row is longer than 4 MB and cannot be read.")
    return refuse(
        "unreadable",
        "表格无法读取：引号或分隔符不成对。",
        "The table cannot be read: quotes or separators do not match.",
    )


def find_delimiter(text: str) -> str:
    """The separator: the one that occurs most in the first lines, outside quotes, and about as often in each."""
    lines = [line for line in _outside_quotes(text[:20_000]).splitlines() if line.strip()][:20]
    if not lines:
        return ","
    return max(
        _DELIMITERS,
        key=lambda mark: (sorted(line.count(mark) for line in lines)[len(lines) // 2], lines[0].count(mark)),
    )


def _outside_quotes(text: str) -> str:
    return "".join(piece for number, piece in enumerate(text.split('"')) if number % 2 == 0)


def _header(text: str, delimiter: str) -> tuple[list[str], int, int]:
    """Headers, the number of physical lines up to and including them, and the number of rows these are."""
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    ends: list[int] = []
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
            if len(rows) == _HEADER_ROWS:
                break
    except csv.Error as error:
        raise refuse("unreadable", "表头无法读取。", "The header cannot be read.") from error
    if not any(any(cell.strip() for cell in row) for row in rows):
        raise refuse("empty", "表中没有数据。", "The table is empty.")
    at = find_header(rows)
    return [clean_header(cell) for cell in rows[at]], ends[at], at + 1


class _BadRows:
    """Rows with too many or too few cells are skipped and reported; counts rows so that numbers stay true."""

    def __init__(self, output: Output, header_rows: int) -> None:
        self._output = output
        self._header_rows = header_rows
        self._skipped: set[int] = set()
        self._next = 1

    def __call__(self, row: pc.InvalidRow) -> str:
        number = max(0, (row.number or 0) - self._header_rows)
        self._skipped.add(number)
        self._output.find(
            Finding(
                Text(
                    f"该行有 {row.actual_columns} 个单元格，应为 {row.expected_columns} 个；未导入。",
                    f"The row has {row.actual_columns} cells, not {row.expected_columns}; it was not imported.",
                ),
                Text("检查分隔符和引号。", "Check separators and quotes."),
                row=number,
                kind="cells",
            )
        )
        return "skip"

    def numbers(self, count: int) -> pa.Array:
        """Row numbers of the next `count` good rows."""
        numbers = np.arange(self._next, self._next + count + len(self._skipped))
        numbers = numbers[~np.isin(numbers, list(self._skipped))][:count] if self._skipped else numbers
        self._next = int(numbers[-1]) + 1 if count else self._next
        return pa.array(numbers)


class _Recoded(io.RawIOBase):
    """A file in another encoding, read as UTF-8; broken characters become the replacement character."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while data := self._file.read(size):
            text = self._decoder.decode(data)
            if text:
                return text.encode("utf-8", errors="replace")
        return self._decoder.decode(b"", final=True).encode("utf-8")
