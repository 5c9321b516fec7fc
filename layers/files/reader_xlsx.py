"""Reads XLSX inside the child: one sheet, streamed, every cell as text, values only (no formulas, no links).

Sheets lie about their size (one cell in the last corner makes a million empty rows), so reading stops by what is
there: after a run of empty rows, and at the limits of rows and columns.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import openpyxl
import pyarrow as pa

from geo.words import Text

from .formats import refuse
from .mapping import clean_header, find_header
from .reader_out import Output

_BATCH = 10_000
_HEADER_ROWS = 10


def read_xlsx(request: dict, output: Output) -> dict:
    """Read the sheet asked for, or the first visible one; see `reader_child`."""
    if not openpyxl.DEFUSEDXML:
        raise refuse(
            "unreadable", "缺少 defusedxml，不能安全读取 XLSX。", "defusedxml is missing: XLSX cannot be read safely."
        )
    book = openpyxl.load_workbook(request["path"], read_only=True, data_only=True, keep_links=False)
    try:
        names = [sheet.title for sheet in book.worksheets]
        visible = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"] or names
        if not names:
            raise refuse("empty", "工作簿中没有工作表。", "The workbook holds no sheet.")
        wanted = request["sheet"]
        if wanted and wanted not in names:
            listed = "、".join(names[:20])
            raise refuse(
                "layer",
                "工作簿中没有所选工作表。",
                "The workbook has no sheet of that name.",
                Text(f"可选工作表：{listed}", f"Sheets: {', '.join(names[:20])}"),
            )
        name = wanted or visible[0]
        headers = _copy(book[name], request, output)
    finally:
        book.close()
    return output.answer(headers, layers=[{"name": title, "geometry": None} for title in names], layer=name)


def _copy(sheet: Any, request: dict, output: Output) -> list[str]:
    most = request["max_columns"]
    rows = _rows(sheet, most, request["empty_rows"])
    first = list(islice(rows, _HEADER_ROWS))
    if not first:
        raise refuse("empty", "工作表是空的。", "The sheet is empty.")
    at = find_header([cells for _, cells in first])
    header_row, cells = first[at]
    width = max(i for i, cell in enumerate(cells) if cell.strip()) + 1
    output.require_columns(width)
    body = chain(first[at + 1 :], rows)
    while not output.full:
        batch = list(islice(body, _BATCH if output.sample is None else output.sample - output.rows))
        if not batch:
            break
        columns = [
            pa.array([row[i] if i < len(row) and row[i] != "" else None for _, row in batch], pa.string())
            for i in range(width)
        ]
        output.write(columns, None, pa.array([number - header_row for number, _ in batch], pa.int64()))
    return [clean_header(cell) for cell in cells[:width]]


def _rows(sheet: Any, most: int, empty_rows: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, with their number in the sheet, as text."""
    empty = 0
    for number, values in enumerate(sheet.iter_rows(max_col=most + 1, values_only=True), start=1):
        if all(value is None for value in values):
            empty += 1
            if empty > empty_rows:
                return
            continue
        empty = 0
        yield number, [_text(value) for value in values]


def _text(value: object) -> str:
    """A cell as a person would type it: whole numbers without .0, dates as ISO."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e17 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(timespec="seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
