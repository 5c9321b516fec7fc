"""Codes: the vectors of the domain, and what spreadsheets do to them."""

import pandas as pd
import pytest

from layers import codes
from layers.kinds import KINDS
from layers.places import hierarchy


@pytest.mark.parametrize(
    ("code", "level", "problem"),
    [
        ("440983102208", "village", None),
        ("522632210500", "village", None),
        ("330102016001", "village", None),
        ("440983102000", "township", None),
        ("440983000000", "county", None),
        ("441900003001", "village", None),
        ("440983602201", "village", "township"),
        ("440983000201", "village", "orphan"),
        ("44098310220", None, "length"),
        ("990000000000", None, "province"),
        ("44098310220A", None, "digits"),
        ("４４０９８３１０２２０８", None, "digits"),
        ("440983102999", "village", "village"),
        ("440983102499", "village", "village"),
        ("440999102201", "village", None),
    ],
)
def test_area_codes_are_judged(code: str, level: str | None, problem: str | None) -> None:
    assert codes.problem(code) == problem
    if level is not None:
        assert codes.level(code) == level


def test_short_codes_are_padded_and_know_their_parent() -> None:
    assert codes.pad("433127101") == "433127101000"
    assert codes.pad("43312710") == "43312710"
    assert codes.parent("433127101002", "village") == "433127101000"
    assert codes.parent("433127101000", "township") == "433127000000"
    assert codes.parent("433127101002007", "grid") == "433127101002"
    assert codes.parent("433127101002", "county") is None


def test_device_ids_are_taken_apart() -> None:
    device = codes.parse_device("34020000001320000101")
    assert device is not None
    assert (device.centre, device.industry, device.type, device.network, device.serial) == (
        "34020000", "00", "132", "0", "000101",
    )  # fmt: skip
    assert device.is_camera
    server = codes.parse_device("34020000002000000001")
    assert server is not None and not server.is_camera
    assert codes.parse_device("3402000000132000010") is None


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("433127101002001", None),
        ("43312710100201", None),
        ("01000143312710100201", None),
        ("4331271010020", "grid"),
        ("433127602002001", "township"),
        ("A33127101002001", "digits"),
    ],
)
def test_grid_codes_have_one_of_the_known_layouts(code: str, problem: str | None) -> None:
    assert codes.grid_problem(code) == problem


def test_decimals_and_exponents_are_mended_where_nothing_is_lost() -> None:
    found = codes.restore(
        pd.Series(["433127101002.0", "4.33127101002E+11", "4.33127E+11", "433127101003", None]), cn12=True
    )
    assert found.values.tolist() == ["433127101002", "433127101002", "4.33127E+11", "433127101003", None]
    assert found.decimal.tolist() == [True, True, False, False, False]
    assert found.exponent.tolist() == [False, False, True, False, False]


def test_lost_zeros_are_put_back_only_where_other_codes_show_the_length() -> None:
    found = codes.restore(pd.Series(["0123", "45", "6789"]), cn12=False)
    assert found.values.tolist() == ["0123", "0045", "6789"]
    assert found.zeros.tolist() == [False, True, False]
    untouched = codes.restore(pd.Series(["123", "45", "6789"]), cn12=False)
    assert untouched.values.tolist() == ["123", "45", "6789"]
    collides = codes.restore(pd.Series(["0123", "123"]), cn12=False)
    assert collides.values.tolist() == ["0123", "123"]


def test_a_free_code_keeps_its_decimals() -> None:
    found = codes.restore(pd.Series(["5350034.02", "5350033"]), cn12=False)
    assert found.values.tolist() == ["5350034.02", "5350033"]


def test_a_code_of_the_wrong_level_is_an_error() -> None:
    values, notes = hierarchy.read_keys(pd.Series(["440983102", "440983102208"]), KINDS["village"], "代码", cn12=True)
    assert values.tolist() == ["440983102000", "440983102208"]
    assert [(note.at, note.finding.severity, note.finding.kind) for note in notes] == [(0, "error", "code")]


def test_every_row_after_the_first_of_a_code_points_back_at_it() -> None:
    import numpy as np

    keys = np.array(["a", "b", "a", None, "a", None], dtype=object)
    assert hierarchy.duplicates(keys, np.ones(6, dtype=bool)).tolist() == [-1, -1, 0, -1, 0, -1]
