"""Encodings: guessed from what comes out, on the words that county files are made of."""

import struct
from pathlib import Path

import pytest

from layers.files import encodings, reading

HEADER = "村代码,村名,乡镇,经度,纬度\n433127101002,首车居委会,首车镇,109.71,29.09\n"


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (HEADER, "gbk", "gb18030"),
        (HEADER, "utf-8", "utf-8"),
        (HEADER, "utf-8-sig", "utf-8-sig"),
        (HEADER, "utf-16", "utf-16"),
        (HEADER, "utf-16-le", "utf-16-le"),
        (HEADER, "utf-16-be", "utf-16-be"),
        ("名稱,代碼\n竹山鎮延平里,10008040011\n水里鄉鉅工村,10008110007\n", "big5", "big5"),
        ("简体国语", "gbk", "gb18030"),
        ("繁體國語", "big5", "big5"),
        ("状态\n在线\n离线\n", "gbk", "gb18030"),
        ("ひたちなか市西蒲原郡弥彦村", "shift_jis", "shift_jis"),
        ("name,code\nabc,1\n", "ascii", "utf-8"),
        ("Café,Straße\n", "cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_guessed(text: str, encoding: str, expected: str) -> None:
    assert encodings.guess(text.encode(encoding)).encoding == expected


def test_a_character_cut_at_the_end_of_a_sample_does_not_spoil_the_guess() -> None:
    sample = HEADER.encode("utf-8")
    cut = sample[: sample.index("委".encode()) + 1]
    assert encodings.guess(cut, whole=False).encoding == "utf-8"


def test_names_people_use_are_understood() -> None:
    assert encodings.normalise("GBK") == "gb18030"
    assert encodings.normalise("cp936") == "gb18030"
    assert encodings.normalise("UTF-8") == "utf-8"
    for name in ("hex", "base64", "nonsense"):
        with pytest.raises(LookupError):
            encodings.normalise(name)


def test_every_candidate_is_offered_with_its_mark() -> None:
    guess = encodings.guess(HEADER.encode("gbk"))
    assert guess.label == "GBK"
    assert guess.certain
    assert {name for name, _ in guess.candidates} == set(encodings.CANDIDATES)


def dbf(width: int, *texts: str) -> bytes:
    """A table with one GBK text field, language byte 0, texts cut at its width as old programs do."""
    field = "名".encode("gbk").ljust(11, b"\0") + b"C" + b"\0" * 4 + bytes([width]) + b"\0" * 15
    rows = b"".join(b" " + text.encode("gbk")[:width].ljust(width) for text in texts)
    return struct.pack("<BBBBIHH20x", 3, 26, 1, 1, len(texts), 65, width + 1) + field + b"\r" + rows + b"\x1a"


def test_a_table_in_gbk_is_read_with_its_field_names(tmp_path: Path) -> None:
    (tmp_path / "a.dbf").write_bytes(dbf(20, "望川县石桥村", "首车居委会"))
    seen = reading.preview(tmp_path / "a.dbf")
    assert seen.columns == ["名"] and [row["名"] for row in seen.sample] == ["望川县石桥村", "首车居委会"]
    assert seen.encoding == "GBK" and seen.findings == []


def test_a_field_cut_inside_a_character_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.dbf").write_bytes(dbf(11, "望川县石桥村", "首车居委会", "短"))
    seen = reading.preview(tmp_path / "a.dbf")
    assert [row["名"] for row in seen.sample][1:] == ["首车居委会", "短"]
    assert [(finding.kind, finding.severity) for finding in seen.findings] == [("encoding", "warning")]


def test_the_user_may_choose_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("名稱\n竹山鎮\n".encode("big5"))
    assert reading.preview(tmp_path / "a.csv", encoding="big5").sample[0]["名稱"] == "竹山鎮"
    assert reading.preview(tmp_path / "a.csv", encoding="GBK").columns != ["名稱"]


def test_a_long_ascii_beginning_does_not_hide_the_encoding(tmp_path: Path) -> None:
    filler = "".join(f"{number},abc\n" for number in range(600_000))
    (tmp_path / "a.csv").write_bytes(("id,name\n" + filler + "1,望川县石桥村\n").encode("gbk"))
    with reading.opened(tmp_path / "a.csv") as source:
        last = list(source.batches())[-1]
        assert last.column("c1")[-1].as_py() == "望川县石桥村"
        assert source.encoding == "gb18030"
