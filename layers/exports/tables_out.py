"""Tables for spreadsheets: CSV that opens in Chinese Excel and WPS, XLSX with codes as text and its origin inside.

A text cell that a spreadsheet would take for a formula is guarded in CSV (`formulas`) and has the type text in XLSX.
Numbers stay numbers: -1 is never touched.
"""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from geo.errors import InputError, LimitError
from geo.words import Text

from ..formulas import neutralise
from ..kinds import Field
from ..selection.export_table import ExportTable, only, python_values, without_control

XLSX_ROWS = 1_048_575  # below the header
XLSX_TEXT = 32_767
_DATE_FORMATS = {"date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm:ss"}
_POSITION = (
    Field("lon", "real", Text("经度", "longitude"), unit="deg"),
    Field("lat", "real", Text("纬度", "latitude"), unit="deg"),
)
_WKT = Field("wkt", "text", Text("几何（WKT）", "geometry (WKT)"))
HEADERS = ("names", "zh", "en")


def write_csv(
    table: ExportTable, path: Path, *, encoding: str = "utf-8", headers: str = "names", wkt: bool = False
) -> None:
    """Write a CSV: UTF-8 with BOM (or another encoding on request), CRLF, ISO dates, lon and lat of points.

    Parameters
    ----------
    encoding
        "utf-8" (with BOM, as Excel needs it) or "gbk", "gb18030".
    headers
        "names" (field names, what an import understands without asking), or "zh", "en" for labels.
    wkt
        Whether shapes other than points are written as WKT; otherwise the table has no shapes.
    """
    fields, columns = _columns(table, wkt=wkt)
    listed = [_as_text(values, field) for values, field in zip(columns, fields, strict=True)]
    head = [neutralise(_header(field, headers)) for field in fields]
    codec = _codec(encoding)
    lost = 0 if codec.startswith("utf") else _count_lost([head, *listed], codec)
    if lost:
        table.note(
            f"有 {lost} 个单元格含 {encoding.upper()} 没有的字，已写作“?”；请改用 UTF-8。",
            f"{lost} cells have characters that {encoding.upper()} lacks, written as '?'; use UTF-8 instead.",
        )
    with path.open("w", encoding=codec, errors="replace" if lost else "strict", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(head)
        writer.writerows(zip(*listed, strict=True))


def write_xlsx(table: ExportTable, path: Path, *, headers: str = "names", wkt: bool = False) -> None:
    """Write a workbook: the data with codes and all texts as text cells, the meaning of columns, the provenance."""
    if len(table.frame) > XLSX_ROWS:
        raise LimitError(
            Text(
                f"共 {len(table.frame):,} 行，超过 XLSX 的上限 {XLSX_ROWS:,} 行。",
                f"{len(table.frame):,} rows; an XLSX sheet holds {XLSX_ROWS:,}.",
            ),
            where="xlsx",
            mend=Text("请导出为 CSV 或 GeoPackage，或加筛选条件。", "Export to CSV or GeoPackage, or filter the rows."),
        )
    fields, columns = _columns(table, wkt=wkt)
    book = Workbook(write_only=True)
    book.properties.creator = "wangge"
    book.properties.title = table.label.zh
    sheet: Any = book.create_sheet(table.name[:31])
    _layout(sheet, fields, headers, columns)
    sheet.append([_cell(sheet, _header(field, headers), "text", bold=True) for field in fields])
    fitted = [_fitting(table, values, field) for values, field in zip(columns, fields, strict=True)]
    for row in zip(*fitted, strict=True):
        sheet.append([_cell(sheet, value, field.dtype) for value, field in zip(row, fields, strict=True)])
    _fields_sheet(book, fields)
    _provenance_sheet(book, table)
    book.save(path)


def _columns(table: ExportTable, *, wkt: bool) -> tuple[list[Field], list[list[Any]]]:
    fields = [*table.fields]
    columns = [python_values(table.frame[field.name], field.dtype) for field in fields]
    if not table.spatial:
        return fields, columns
    taken = {field.name for field in fields}
    shapes = table.shapes
    points = shapely.get_type_id(shapes) == 0
    if points.any() or not (~shapely.is_missing(shapes)).any():
        for field, coordinate in zip(_POSITION, (shapely.get_x, shapely.get_y), strict=True):
            if field.name not in taken:
                values = coordinate(only(shapes, points))
                columns.append([None if np.isnan(value) else value for value in values.tolist()])
                fields.append(field)
    others = ~points & ~shapely.is_missing(shapes)
    if others.any() and wkt and "wkt" not in taken:
        texts = shapely.to_wkt(shapes, rounding_precision=9)
        columns.append([text if other else None for text, other in zip(texts, others, strict=True)])
        fields.append(_WKT)
    elif others.any():
        table.note(
            "表格不含面和线的图形，只含属性。",
            "The table holds attributes only; shapes of areas and lines are left out.",
        )
    return fields, columns


def _header(field: Field, headers: str) -> str:
    if headers not in HEADERS:
        raise InputError(
            Text(f"没有表头形式“{headers[:20]}”。", f"There is no header style '{headers[:20]}'."),
            where="headers",
            mend=Text(f"可用：{'、'.join(HEADERS)}。", f"Use one of {', '.join(HEADERS)}."),
        )
    return field.name if headers == "names" else field.label.to(headers)


def _as_text(values: list[Any], field: Field) -> list[str]:
    if field.dtype == "text":
        return ["" if value is None else neutralise(value) for value in values]
    if field.dtype == "boolean":
        return ["" if value is None else str(value).lower() for value in values]
    if field.dtype == "datetime":
        return ["" if value is None else value.isoformat(" ") for value in values]
    return ["" if value is None else str(value) for value in values]


def _codec(encoding: str) -> str:
    known = {"utf-8": "utf-8-sig", "utf8": "utf-8-sig", "auto": "utf-8-sig", "gbk": "gbk", "gb18030": "gb18030"}
    if encoding.lower() not in known:
        raise InputError(
            Text(f"不能用编码“{encoding[:20]}”导出。", f"Cannot export in the encoding '{encoding[:20]}'."),
            where="encoding",
            mend=Text("可用：utf-8、gbk、gb18030。", "Use one of utf-8, gbk, gb18030."),
        )
    return known[encoding.lower()]


def _count_lost(columns: list[list[str]], codec: str) -> int:
    return sum(not encodable(value, codec) for column in columns for value in column)


def encodable(text: str, codec: str) -> bool:
    """Whether every character of `text` exists in `codec`."""
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _fitting(table: ExportTable, values: list[Any], field: Field) -> list[Any]:
    """Values that a cell can hold: no control characters, at most 32,767 characters; what was lost is noted."""
    if field.dtype != "text":
        return values
    cleaned, changed = without_control(values)
    if changed:
        table.note(
            f"字段“{field.name}”有 {changed} 个值去掉了控制字符。",
            f"{changed} values of '{field.name}' lost control characters.",
        )
    long = sum(value is not None and len(value) > XLSX_TEXT for value in cleaned)
    if long:
        table.note(
            f"字段“{field.name}”有 {long} 个值超过 {XLSX_TEXT:,} 字，已截断。",
            f"{long} values of '{field.name}' are longer than {XLSX_TEXT:,} characters and were cut.",
        )
    return [value if value is None else value[:XLSX_TEXT] for value in cleaned]


def _cell(sheet: WriteOnlyWorksheet, value: Any, dtype: str, *, bold: bool = False) -> Any:
    if value is None:
        return None
    if dtype == "text":
        cell = WriteOnlyCell(sheet)
        # Set by hand: openpyxl would read "=..." as a formula and "#N/A" as an error.
        cell._value, cell.data_type = value, "s"
        cell.number_format = "@"
        if bold:
            cell.font = Font(bold=True)
        return cell
    if dtype in _DATE_FORMATS:
        cell = WriteOnlyCell(sheet, value)
        cell.number_format = _DATE_FORMATS[dtype]
        return cell
    return value


def _layout(sheet: WriteOnlyWorksheet, fields: list[Field], headers: str, columns: list[list[Any]]) -> None:
    sheet.freeze_panes = "A2"
    for number, (field, values) in enumerate(zip(fields, columns, strict=True), start=1):
        texts = [_header(field, headers), *(str(value) for value in values[:200] if value is not None)]
        # A Chinese character is as wide as two digits.
        widest = max(sum(2 if ord(sign) > 0x2E7F else 1 for sign in text[:60]) for text in texts)
        sheet.column_dimensions[get_column_letter(number)].width = min(max(widest + 2, 8), 48)


def _fields_sheet(book: Workbook, fields: list[Field]) -> None:
    sheet: Any = book.create_sheet("字段 fields")
    for number, width in enumerate((22, 22, 26, 12, 10, 60), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    heads = ("字段 field", "中文名", "label", "类型 type", "单位 unit", "取值 values")
    sheet.append([_cell(sheet, head, "text", bold=True) for head in heads])
    for field in fields:
        choices = "；".join(f"{value} = {words.zh} / {words.en}" for value, words in field.choices)
        row = (field.name, field.label.zh, field.label.en, field.dtype, field.unit, choices)
        sheet.append([_cell(sheet, value, "text") for value in row])


def _provenance_sheet(book: Workbook, table: ExportTable) -> None:
    sheet: Any = book.create_sheet("来源 provenance")
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 110
    for name, value in table.provenance.items():
        words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)
        cell = _cell(sheet, without_control([words])[0][0][:XLSX_TEXT], "text")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.append([_cell(sheet, str(name), "text", bold=True), cell])
