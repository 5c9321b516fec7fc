"""Turns a column of a file into a field: text, whole numbers, numbers, yes/no, dates, moments, choices.

What cannot be read becomes null and a warning; what is read but cannot be (a negative count) is an error. Messages
quote a value only when it cannot be about a person (`privacy.quoted`).
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geo.words import Text

from .. import dates
from ..files import privacy
from ..files.cells import Converted, Problem, Style, as_text, read_numbers
from ..kinds import Field

_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_BIDI = "[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
_YES_WORDS = "true t yes y 1 是 有 已 √ 对 已联网 联网 已设 已安装 在线 1.0 ✓ ✔"
_YES = frozenset(_YES_WORDS.split())
_NO_WORDS = "false f no n 0 否 无 未 × x 没有 不 未联网 未设 未安装 不是 0.0 ✗ 不联网"
_NO = frozenset(_NO_WORDS.split())
_WORDS = {
    "status": {
        "online": "正常 在线 在用 可用 运行 运行中 良好 完好 启用 on 1 正常运行",
        "offline": "离线 不在线 故障 损坏 停用 异常 断线 掉线 off 0 维修 报废",
        "planned": "规划 拟建 待建 计划 新建 planning proposed 未建",
    },
    "video_class": {
        "1": "一类 一类点 1类 i类 ⅰ类 一类监控 一 class1 ⅰ",
        "2": "二类 二类点 2类 ii类 ⅱ类 二 class2 ⅱ",
        "3": "三类 三类点 3类 iii类 ⅲ类 三 class3 ⅲ",
    },
    "kind": {
        "base": "综合 基础 基础网格 普通网格 一般网格 综合网格 全科网格",
        "dedicated": "专属 专属网格 专职网格 专业网格",
    },
    "state": {
        "archived": "办结 已办结 结案 已结案 归档 closed",
        "handling": "处理中 办理中 在办",
        "reported": "上报 待受理 open",
        "returned": "退回",
    },
    "location_quality": {
        "surveyed": "实测 gps 测量",
        "geocoded": "地址 地理编码 地址匹配",
        "centroid": "中心点 质心 代表点",
        "none": "无",
    },
}


def convert(column: pa.Array, target: Field, style: Style) -> Converted:
    """One column of a batch as the field `target`."""
    match target.dtype:
        case "integer" | "real":
            return read_numbers(column, target)
        case "boolean":
            return _boolean(column)
        case "date" | "datetime":
            return _moment(column, target, style)
        case _:
            return _choice(column, target) if target.choices else text(column, style)


def text(column: pa.Array, style: Style, *, key: bool = False) -> Converted:
    """Free text: control characters removed, cut at the limit, single personal values emptied."""
    values = as_text(column)
    problems = []
    odd = pc.match_substring_regex(values, _CONTROL)
    if pc.any(odd).as_py():
        values = pc.replace_substring_regex(values, _CONTROL, "")
        rows = _rows(odd)
        problems.append(
            Problem("control", "info", rows, lambda _: Text("已去除控制字符。", "Control characters were removed."))
        )
    broken = pc.match_substring(values, "\ufffd")
    if pc.any(broken).as_py():
        problems.append(
            Problem(
                "encoding",
                "warning",
                _rows(broken),
                lambda _: Text("文字有无法解码的字符。", "The text has characters that could not be decoded."),
                Text(
                    "换一种编码导入，或检查字段是否被截断。", "Try another encoding, or see whether the field was cut."
                ),
            )
        )
    long = pc.greater(pc.utf8_length(values), style.cell_chars)
    if pc.any(long).as_py():
        values = pc.utf8_slice_codeunits(values, 0, style.cell_chars)
        problems.append(
            Problem(
                "length",
                "warning",
                _rows(long),
                lambda _: Text(
                    f"文字超过 {style.cell_chars} 个字符，已截断。",
                    f"The text was cut at {style.cell_chars} characters.",
                ),
            )
        )
    personal = [
        (row, reason) for row, cell in privacy.suspects(values) if (reason := privacy.personal_value(cell, key=key))
    ]
    if personal and not (key and all(reason == "id" for _, reason in personal)):
        rows = np.array([row for row, _ in personal])
        reasons = dict(personal)
        keep = np.ones(len(values), dtype=bool)
        keep[rows] = False
        values = pc.if_else(pa.array(keep), values, None)
        problems.append(
            Problem(
                "personal",
                "warning",
                rows,
                lambda row: Text(
                    f"单元格{privacy.REASONS[reasons[row]].zh.removeprefix('内容')}，未存储。",
                    f"The cell was not stored: {privacy.REASONS[reasons[row]].en.replace('its values look', 'it looks')}.",
                ),
                Text("系统只存地点，不存个人信息。", "Only places are kept, never persons."),
            )
        )
    return Converted(values, problems)


def _rows(mask: pa.Array) -> np.ndarray:
    return pc.indices_nonzero(pc.fill_null(mask, False)).to_numpy()


def _boolean(column: pa.Array) -> Converted:
    if pa.types.is_boolean(column.type):
        return Converted(column, [])
    texts = as_text(column)
    codes, uniques = pd.factorize(texts.to_pandas())
    read = [True if cell.lower() in _YES else False if cell.lower() in _NO else None for cell in uniques]
    values = np.array([*read, None], dtype=object)[codes]
    wrong = np.flatnonzero((codes >= 0) & np.array([value is None for value in values], dtype=bool))
    problems = []
    if len(wrong):
        problems.append(
            Problem(
                "boolean",
                "warning",
                wrong,
                lambda row: Text(
                    f"{privacy.quoted(texts[row].as_py()).zh}不是“是/否”，按空值处理。",
                    f"The value{privacy.quoted(texts[row].as_py()).en} is neither yes nor no; left empty.",
                ),
                Text("请填“是”或“否”。", "Write yes or no."),
            )
        )
    return Converted(pa.array(values.tolist(), pa.bool_()), problems)


def _choice(column: pa.Array, target: Field) -> Converted:
    texts = as_text(column)
    known = {}
    for value, label in target.choices:
        for word in (value, label.zh, label.en, f"{value}.0", *_WORDS.get(target.name, {}).get(value, "").split()):
            known[word.lower()] = value
    codes, uniques = pd.factorize(texts.to_pandas())
    read = [known.get(cell.lower()) for cell in uniques]
    values = np.array([*read, None], dtype=object)[codes]
    wrong = np.flatnonzero((codes >= 0) & np.array([value is None for value in values], dtype=bool))
    problems = []
    if len(wrong):
        options = Text(
            "、".join(label.zh for _, label in target.choices), ", ".join(value for value, _ in target.choices)
        )
        problems.append(
            Problem(
                "choice",
                "warning",
                wrong,
                lambda row: Text(
                    f"{privacy.quoted(texts[row].as_py()).zh}不在可选值之内，按空值处理。",
                    f"The value{privacy.quoted(texts[row].as_py()).en} is not one of the choices; left empty.",
                ),
                Text(f"可选：{options.zh}", f"Choices: {options.en}"),
            )
        )
    return Converted(pa.array(values.tolist(), pa.string()), problems)


def _moment(column: pa.Array, target: Field, style: Style) -> Converted:
    kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        values = (
            pc.cast(column, pa.timestamp("ms"), safe=False)
            if pa.types.is_date(kind) or not kind.tz
            else _wall(column, style)
        )
        timed = np.full(len(column), pa.types.is_timestamp(kind)) & pc.is_valid(column).to_numpy(zero_copy_only=False)
        return Converted(_dated(values, target), [], timed)
    texts = as_text(column)
    found = dates.read_moments(texts.to_pandas(), style.date_order, place_offset_h=style.place_offset_h)
    problems = []
    if found.bad.any():
        problems.append(
            Problem(
                "date",
                "warning",
                np.flatnonzero(found.bad),
                lambda row: Text(
                    f"{privacy.quoted(texts[row].as_py()).zh}不是能识别的日期，按空值处理。",
                    f"The value{privacy.quoted(texts[row].as_py()).en} is not a date that can be read; left empty.",
                ),
                Text(
                    "写成 2026-01-31 的形式，或用 --dates 指明写法。",
                    "Write it like 2026-01-31, or state the order with --dates.",
                ),
            )
        )
    values = pa.array(found.values.astype("datetime64[ms]"), pa.timestamp("ms"), mask=np.isnat(found.values))
    return Converted(_dated(values, target), problems, found.timed)


def _wall(column: pa.Array, style: Style) -> pa.Array:
    """A column with a zone as wall time of the place."""
    utc = pc.cast(column, pa.timestamp("ms", tz="UTC"), safe=False)
    naive = pc.cast(utc, pa.timestamp("ms"))
    return pc.add(naive, pa.scalar(round(style.place_offset_h * 3_600_000), pa.duration("ms")))


def _dated(values: pa.Array, target: Field) -> pa.Array:
    return pc.cast(values, pa.date32(), safe=False) if target.dtype == "date" else values
