"""Personal columns and values: found, named, never quoted."""

import pyarrow as pa
import pytest

from layers.files import privacy


@pytest.mark.parametrize(
    "header",
    [
        "姓名",
        "户主姓名",
        "身份证号",
        "联系电话",
        "手机",
        "车牌号",
        "民族",
        "宗教信仰",
        "是否有前科",
        "精神障碍",
        "吸毒史",
        "信访人",
        "矫正对象",
        "phone_no",
        "ID Card",
        "人脸",
    ],
)
def test_headers_about_persons_are_refused(header: str) -> None:
    assert privacy.personal_header(header) == "name"


@pytest.mark.parametrize(
    "header",
    [
        "名称",
        "村名",
        "发生日期",
        "设备编码",
        "精神文明户数",
        "telescope",
        "category",
        "点位名称",
        "Name",
        "总人口",
        "code",
    ],
)
def test_harmless_headers_pass(header: str) -> None:
    assert privacy.personal_header(header) is None


@pytest.mark.parametrize("header", ["IP地址", "密码", "rtsp地址", "用户名"])
def test_device_addresses_and_passwords_are_refused(header: str) -> None:
    assert privacy.personal_header(header) == "device"


def test_identity_numbers_are_known_by_their_check_character() -> None:
    assert privacy.is_identity_number("11010519491231002X")
    assert not privacy.is_identity_number("110105194912310021")
    assert not privacy.is_identity_number("11010519491331002X")
    assert not privacy.is_identity_number("99010519491231002X")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("13812345678", "mobile"),
        ("请打138-1234-5678", "mobile"),
        ("+86 13812345678", "mobile"),
        ("湘A12345", "plate"),
        ("车 湘A·D12345 违停", "plate"),
        ("京AD12345", "plate"),
        ("证号11010519491231002X。", "id"),
        ("rtsp://10.0.0.1/x", "device"),
        ("433127101002", None),
        ("34020000001320000101", None),
        ("东门口", None),
        ("12812345678", None),
        ("2026-03-01 08:30", None),
        ("109.712847", None),
    ],
)
def test_values_about_persons_are_known(text: str, reason: str | None) -> None:
    assert privacy.personal_value(text) == reason


def table(**columns: list) -> pa.Table:
    return pa.table({f"c{number}": values for number, values in enumerate(columns.values())})


def test_columns_full_of_personal_values_are_refused_under_any_header() -> None:
    headers = ["a", "b", "c", "d"]
    data = table(
        a=["13812345678", "13912345678", ""],
        b=["11010519491231002X", "无", "无"],
        c=["湘A12345", "", None],
        d=["张家湾", "李家坪", "王家"],
    )
    assert privacy.personal_columns(headers, data) == {0: "mobile", 1: "id", 2: "plate"}


def test_eleven_digit_codes_are_no_telephones_where_a_code_is_expected() -> None:
    tracts = table(a=["17031010100", "17031010201"])
    assert privacy.personal_columns(["a"], tracts, keys=frozenset({0})) == {}
    assert privacy.personal_columns(["a"], tracts) == {0: "mobile"}


def test_serial_numbers_of_the_same_shape_are_kept() -> None:
    # Area, date and sequence make 18 digits; about one in eleven passes the check character by chance.
    numbers = [f"4331272026010{day}{serial:04d}" for day in range(1, 8) for serial in range(30)]
    assert all(len(number) == 18 for number in numbers)
    assert any(privacy.is_identity_number(number) for number in numbers)
    assert privacy.personal_columns(["a"], table(a=numbers)) == {}


def test_numbers_stored_as_numbers_are_looked_at_too() -> None:
    data = pa.table({"c0": pa.array([13812345678, 13912345678, 15012345678])})
    assert privacy.personal_columns(["x"], data) == {0: "mobile"}


def test_messages_never_quote_a_value_that_may_be_about_a_person() -> None:
    for value in ("张三", "Zhang San", "13812345678", "11010519491231002X", "湘A12345"):
        assert privacy.quoted(value).zh == ""
    assert privacy.quoted("12.5").zh == "“12.5”"
    findings = privacy.findings(["姓名"], {0: "name"})
    assert "姓名" in findings[0].what.zh
    assert findings[0].severity == "warning"
