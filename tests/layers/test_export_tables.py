"""CSV and XLSX: what a spreadsheet must not do to the values."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError, LimitError
from geo.words import Text
from layers import formulas
from layers.exports import tables_out
from layers.kinds import Field
from layers.selection.export_table import ExportTable, make_frame

FIELDS = (
    Field("code", "text", Text("代码", "code")),
    Field("name", "text", Text("名称", "name")),
    Field("households", "integer", Text("户数", "households")),
    Field("share", "real", Text("比例", "share")),
    Field("connected", "boolean", Text("已联网", "connected")),
    Field("filed_on", "date", Text("备案日期", "filed on")),
    Field("seen_at", "datetime", Text("时间", "seen at")),
)
NAMES = ['=HYPERLINK("http://x")', "</script>", "運誠乗", "-1", "＝1+1", "'=1", None]


def table(names: list[str | None] = NAMES, *, points: bool = True) -> ExportTable:
    n = len(names)
    shapes = [shapely.Point(111 + i / 10, 30) if points else shapely.box(111, 30, 111.1, 30.1) for i in range(n)]
    frame = make_frame(
        {
            "code": pd.Series([f"9909831022{i:02d}" for i in range(n)], dtype=object),
            "name": pd.Series(names, dtype=object),
            "households": pd.array([-1, None, *range(n - 2)], dtype="Int64"),
            "share": [0.5, np.nan, *([1.25] * (n - 2))],
            "connected": pd.array([True, None, *([False] * (n - 2))], dtype="boolean"),
            "filed_on": pd.to_datetime(["2026-02-03", None, *(["2025-12-31"] * (n - 2))]).astype("datetime64[us]"),
            "seen_at": pd.to_datetime(["2026-02-03 08:30:00", None, *(["2025-12-31 23:59:59"] * (n - 2))]),
        },
        np.array(shapes, dtype=object),
    )
    return ExportTable(
        "village", Text("村（社区）", "village"), frame, FIELDS, True, {"made_at": "2026-01-01", "notes": []}
    )


def rows_of(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


def test_csv_opens_in_chinese_excel_because_it_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    tables_out.write_csv(table(), tmp_path / "v.csv")
    assert (tmp_path / "v.csv").read_bytes().startswith(b"\xef\xbb\xbfcode,name,")


def test_csv_guards_every_text_that_a_spreadsheet_would_run(tmp_path: Path) -> None:
    tables_out.write_csv(table(), tmp_path / "v.csv")
    names = [row["name"] for row in rows_of(tmp_path / "v.csv")]
    assert names == ['\'=HYPERLINK("http://x")', "</script>", "運誠乗", "'-1", "'＝1+1", "''=1", ""]


def test_negative_numbers_stay_numbers_in_csv(tmp_path: Path) -> None:
    tables_out.write_csv(table(), tmp_path / "v.csv")
    assert rows_of(tmp_path / "v.csv")[0]["households"] == "-1"


def test_csv_writes_iso_dates_plain_booleans_and_positions_of_points(tmp_path: Path) -> None:
    tables_out.write_csv(table(), tmp_path / "v.csv")
    first, second = rows_of(tmp_path / "v.csv")[:2]
    assert (first["filed_on"], first["seen_at"], first["connected"]) == ("2026-02-03", "2026-02-03 08:30:00", "true")
    assert (float(first["lon"]), float(first["lat"])) == (111.0, 30.0)
    assert (second["filed_on"], second["seen_at"], second["connected"], second["share"]) == ("", "", "", "")


def test_shapes_of_areas_are_left_out_and_told_unless_wkt_is_asked(tmp_path: Path) -> None:
    without, with_wkt = table(points=False), table(points=False)
    tables_out.write_csv(without, tmp_path / "a.csv")
    tables_out.write_csv(with_wkt, tmp_path / "b.csv", wkt=True)
    assert "lon" not in rows_of(tmp_path / "a.csv")[0]
    assert len(without.notes) == 1 and not with_wkt.notes
    assert shapely.from_wkt(rows_of(tmp_path / "b.csv")[0]["wkt"]).equals(shapely.box(111, 30, 111.1, 30.1))


def test_characters_that_gbk_lacks_are_counted_in_a_note(tmp_path: Path) -> None:
    there = table(["𠅤坪村", "石门村", "运城", "a", "b", "c", "d"])
    tables_out.write_csv(there, tmp_path / "v.csv", encoding="gbk")
    assert [row["name"] for row in rows_of(tmp_path / "v.csv", "gbk")][:2] == ["?坪村", "石门村"]
    assert "1" in there.notes[0].zh and "GBK" in there.notes[0].zh


def test_headers_can_be_labels_in_either_language(tmp_path: Path) -> None:
    for language, head in (("zh", "代码"), ("en", "code")):
        tables_out.write_csv(table(), tmp_path / "v.csv", headers=language)
        assert next(iter(rows_of(tmp_path / "v.csv")[0])) == head
    with pytest.raises(InputError):
        tables_out.write_csv(table(), tmp_path / "v.csv", headers="fr")


def test_unknown_encoding_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        tables_out.write_csv(table(), tmp_path / "v.csv", encoding="ebcdic")
    assert "gbk" in caught.value.mend.en


@given(st.text())
def test_restore_undoes_neutralise_for_every_text(text: str) -> None:
    assert formulas.restore(formulas.neutralise(text)) == text


@given(st.lists(st.text(alphabet="'=+-@\t\r\n＝a", max_size=6)))
def test_a_column_is_restored_as_its_values_are(texts: list[str]) -> None:
    import pyarrow as pa

    guarded = pa.array([formulas.neutralise(text) for text in texts], pa.string())
    assert formulas.restore_column(guarded).to_pylist() == texts


def test_no_guarded_text_begins_with_a_sign_of_a_formula() -> None:
    for sign in "=+-@\t\r\n＝＋－＠":
        assert formulas.neutralise(sign + "x").startswith("'")


def test_xlsx_keeps_codes_and_formula_like_names_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    tables_out.write_xlsx(table(), tmp_path / "v.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "v.xlsx")["village"]
    rows = list(sheet.iter_rows(min_row=2))
    assert [row[0].data_type for row in rows] == ["s"] * len(rows)
    assert rows[0][0].value == "990983102200" and rows[0][0].number_format == "@"
    assert rows[0][1].value == '=HYPERLINK("http://x")' and rows[0][1].data_type == "s"
    assert rows[0][2].value == -1 and rows[0][2].data_type == "n"
    assert rows[0][5].is_date and rows[0][5].value.date().isoformat() == "2026-02-03"


def test_xlsx_tells_what_columns_mean_and_where_the_figures_come_from(tmp_path: Path) -> None:
    there = table()
    there.provenance["layers"] = [{"kind": "village", "version": 3}]
    tables_out.write_xlsx(there, tmp_path / "v.xlsx")
    book = openpyxl.load_workbook(tmp_path / "v.xlsx")
    meanings = {row[0]: row[1:3] for row in book["字段 fields"].iter_rows(min_row=2, values_only=True)}
    assert meanings["households"] == ("户数", "households")
    told = dict(book["来源 provenance"].iter_rows(values_only=True))
    assert json.loads(told["layers"]) == [{"kind": "village", "version": 3}]


def test_xlsx_cuts_what_a_cell_cannot_hold_and_says_so(tmp_path: Path) -> None:
    there = table(["長" * 50_000, "a\x0bb", "#N/A", "d", "e", "f", "g"])
    tables_out.write_xlsx(there, tmp_path / "v.xlsx")
    names = [
        row[1] for row in openpyxl.load_workbook(tmp_path / "v.xlsx")["village"].iter_rows(min_row=2, values_only=True)
    ]
    assert len(names[0]) == 32_767 and names[1:3] == ["ab", "#N/A"]
    assert len(there.notes) == 2


def test_xlsx_refuses_more_rows_than_a_sheet_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_out, "XLSX_ROWS", 6)
    with pytest.raises(LimitError) as caught:
        tables_out.write_xlsx(table(), tmp_path / "v.xlsx")
    assert "CSV" in caught.value.mend.en
