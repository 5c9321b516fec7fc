"""Columns about persons: recognised by header and by values, refused, named, and never stored or quoted.

wangge keeps places. A column called 姓名 or one full of telephone numbers is left out of every import; a single cell
that holds such a value in an otherwise harmless column is emptied. Nothing found here is ever written into a message.
"""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo.words import Text

from ..findings import Finding

_NAME_TEXT = (
    "姓名 身份证 手机 电话 车牌 民族 宗教 人脸 户主 前科 精神 吸毒 矫正 信访人 证件号 公民身份 联系人 联系方式 出生日期 出生年月 生日 "
    "性别 住址 家庭成员 微信号 邮箱 银行卡 护照 指纹 虹膜 当事人 嫌疑人 报警人 举报人 投诉人 被害人 受害人 负责人 法人代表 责任人 监护人 号牌 "
    "年龄 血型 照片 头像 重点人员 人员名单"
)
_NAME_WORDS = tuple(_NAME_TEXT.split())
_NOT_PERSONAL = ("发生日", "精神文明", "民族乡", "电话亭", "门牌")
_ENGLISH_WORDS = (
    "phone mobile telephone tel cellphone idcard idnumber idno passport plate licenceplate licenseplate platenumber "
    "ethnicity religion firstname lastname surname fullname personname householder ownername contactname contact email "
    "birthday birthdate dob gender sex victim suspect complainant"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_DEVICE_WORDS = (
    "密码",
    "口令",
    "用户名",
    "登录名",
    "ip地址",
    "ip",
    "ipaddress",
    "mac",
    "mac地址",
    "password",
    "username",
    "rtsp",
    "rtsp地址",
    "端口号",
)
_ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_ID_CHECK = "10X98765432"
_PROVINCES_WORDS = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
)
_PROVINCES = frozenset(_PROVINCES_WORDS.split())
_ID = re.compile(r"(?<![0-9])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9Xx])")
_MOBILE = re.compile(r"(?<![0-9.])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![0-9])")
_PLATE = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·•. ]?[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9])"
)
_ADDRESS = re.compile(r"(?:rtsp|rtmp|onvif)://|(?<![0-9.])(?:\d{1,3}\.){3}\d{1,3}(?![0-9.])", re.IGNORECASE)
# One RE2 pass finds the few cells worth a closer look among millions.
_HINT = r"\d{15}|1[3-9]\d[- ]?\d{4}[- ]?\d{4}|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z]|(?i:rtsp|rtmp|onvif)://|\d{1,3}(?:\.\d{1,3}){3}"
_SHARE = 0.1
_SAMPLE = 20_000

REASONS = {
    "name": Text("列名涉及个人信息", "its header names personal data"),
    "id": Text("内容像身份证号", "its values look like identity numbers"),
    "mobile": Text("内容像手机号", "its values look like mobile numbers"),
    "plate": Text("内容像车牌号", "its values look like number plates"),
    "device": Text("涉及设备地址或口令", "it holds device addresses or passwords"),
}


def personal_header(header: str) -> str | None:
    """The reason a header alone is enough to refuse a column, or None."""
    text = header.lower()
    for harmless in _NOT_PERSONAL:
        text = text.replace(harmless, "")
    squeezed = re.sub(r"[\s_\-./()（）]+", "", text)
    if any(word in squeezed for word in _NAME_WORDS):
        return "name"
    tokens = set(re.split(r"[^a-z]+", text)) | {squeezed}
    if tokens & _ENGLISH:
        return "name"
    if squeezed in _DEVICE_WORDS or any(word in squeezed for word in ("密码", "口令", "rtsp", "ip地址")):
        return "device"
    return None


def is_identity_number(text: str) -> bool:
    """Whether 18 characters are a valid identity number: province, date of birth, check character (GB 11643)."""
    if not _ID.fullmatch(text) or text[:2] not in _PROVINCES:
        return False
    total = int((np.array([int(digit) for digit in text[:17]]) * _ID_WEIGHTS).sum())
    return _ID_CHECK[total % 11] == text[17].upper()


def personal_value(text: str, *, key: bool = False) -> str | None:
    """The reason a single value may not be kept, or None. `key`: codes may look like mobile numbers."""
    if any(is_identity_number(found.group()) for found in _ID.finditer(text)):
        return "id"
    if not key and _MOBILE.search(text):
        return "mobile"
    if _PLATE.search(text):
        return "plate"
    if _ADDRESS.search(text) and not key:
        return "device"
    return None


def suspects(column: pa.Array | pa.ChunkedArray) -> list[tuple[int, str]]:
    """(position, text) of the cells of a text column that are worth a closer look."""
    flags = pc.match_substring_regex(column, _HINT)
    positions = pc.indices_nonzero(flags)
    if len(positions) == 0:
        return []
    return list(zip(positions.to_pylist(), column.take(positions).to_pylist(), strict=True))


def personal_columns(
    headers: Sequence[str], table: pa.Table | None, *, keys: frozenset[int] = frozenset()
) -> dict[int, str]:
    """Columns to refuse, with the reason: by header, or because a share of their values looks personal.

    `keys` are columns mapped to codes: eleven digits there are a code, not a telephone.
    """
    found = {}
    for number, header in enumerate(headers):
        reason = personal_header(header)
        if reason is None and table is not None:
            reason = _by_values(table.column(f"c{number}"), number in keys)
        if reason is not None:
            found[number] = reason
    return found


def _by_values(column: pa.ChunkedArray, key: bool) -> str | None:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        if key:
            return None
        return _numbers(column)
    if not pa.types.is_string(kind):
        return None
    filled = len(column) - column.null_count
    if not filled:
        return None
    cells = suspects(column.slice(0, _SAMPLE))
    reasons = [personal_value(text, key=key) for _, text in cells]
    candidates = sum(bool(_ID.search(text)) for _, text in cells)
    for reason in ("id", "mobile", "plate", "device"):
        count = reasons.count(reason)
        if not count:
            continue
        # One in eleven random numbers of the right shape passes the check character: serial numbers made of area,
        # date and sequence have that shape, so identity numbers need half of the candidates to pass.
        if reason == "id" and count < candidates / 2:
            continue
        if count >= _SHARE * min(filled, _SAMPLE):
            return reason
    return None


def _numbers(column: pa.ChunkedArray) -> str | None:
    values = pc.cast(column.slice(0, _SAMPLE), pa.float64(), safe=False).to_numpy()
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    mobile = (values >= 1.3e10) & (values < 2e10) & (values == np.floor(values))
    if mobile.mean() > 0.5:
        return "mobile"
    long = values[(values >= 1.1e17) & (values < 9e17)]
    if len(long) > 0.5 * len(values):
        texts = [str(value) for value in column.slice(0, _SAMPLE).drop_null().to_pylist() if float(value).is_integer()]
        if sum(is_identity_number(str(int(float(text)))) for text in texts) > 0.3 * len(texts):
            return "id"
    return None


def findings(headers: Sequence[str], personal: dict[int, str]) -> list[Finding]:
    """One warning per refused column: its header and why, never a value."""
    return [
        Finding(
            Text(
                f"列“{headers[column]}”{REASONS[reason].zh}，未导入。",
                f"The column '{headers[column]}' was refused: {REASONS[reason].en}.",
            ),
            Text(
                "系统只存地点，不存个人信息；请在提供数据前删去此列。",
                "Only places are kept, never persons: remove the column.",
            ),
            severity="warning",
            column=headers[column],
            kind="personal",
        )
        for column, reason in sorted(personal.items())
    ]


_QUOTABLE = re.compile(r"[0-9eE+\-./:%°'\" ,]{1,24}")


def quoted(value: object) -> Text:
    """A value for use in a message, quoted, or nothing when it might be about a person."""
    text = str(value)
    if not _QUOTABLE.fullmatch(text) or personal_value(text) is not None:
        return Text("", "")
    return Text(f"“{text}”", f" '{text}'")
