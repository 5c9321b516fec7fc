"""Encodings: guessed from what comes out, on the words that county files are made of."""

import pytest

from layers import encodings

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
