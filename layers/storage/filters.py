"""The filter language of `--where` and of tables: columns, comparisons, and, or, not, brackets. Never SQL.

    status = 'offline' and (camera_count >= 2 or name like '%桥%') and filed_on is null and video_class in (1, 2)

A text is turned into a bound SQLAlchemy expression over the columns it may name; everything else is an InputError that
says at which character.
"""

import json
import operator
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, false, not_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import BigInteger, Boolean, Double, Integer

from geo.errors import InputError
from geo.words import Text

from .schema import Day, Moment, moment_text

MAX_TERMS = 20
MAX_LENGTH = 4_000

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d{1,18}(?:\.\d{1,18})?)|'(?P<text>(?:[^']|'')*)'"
    r"|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)|(?P<word>[^\W\d]\w*)|\"(?P<name>[^\"]+)\")"
)
_SIGNS: dict[str, Any] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {"and", "or", "not", "in", "like", "is", "null", "true", "false"}


class Among(ColumnElement):
    """`column IN (many values)` with all values in one bound JSON text, so that no limit of parameters is met."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, target: ColumnElement, values: Sequence[Any]) -> None:
        self.target = target
        self.numbers = isinstance(target.type, (Integer, BigInteger))
        self.values: BindParameter[str] = bindparam(None, json.dumps(list(values), ensure_ascii=False), unique=True)


@compiles(Among)
def _among(element: Among, compiler: Any, **options: Any) -> str:
    target = compiler.process(element.target, **options)
    values = compiler.process(element.values, **options)
    if compiler.dialect.name == "postgresql":
        value = "value::bigint" if element.numbers else "value"
        return f"{target} IN (SELECT {value} FROM jsonb_array_elements_text(CAST({values} AS jsonb)))"  # noqa: S608
    return f"{target} IN (SELECT value FROM json_each({values}))"  # noqa: S608


def among(target: ColumnElement, values: Sequence[Any]) -> ColumnElement[bool]:
    """Condition that a column has one of many values."""
    return Among(target, values) if len(values) else false()


def _refuse(position: int, zh: str, en: str) -> NoReturn:
    raise InputError(
        Text(f"筛选条件第 {position + 1} 个字符处：{zh}", f"Filter, character {position + 1}: {en}"),
        where="where",
        mend=Text(
            "例如：status = 'offline' and camera_count >= 2", "For example: status = 'offline' and camera_count >= 2"
        ),
    )


class _Parser:
    def __init__(self, given: str, columns: Mapping[str, ColumnElement], place_offset_h: int) -> None:
        self.columns = columns
        self.offset = timedelta(hours=place_offset_h)
        self.terms = 0
        self.tokens: list[tuple[str, str, int]] = []
        position = 0
        stripped = given.rstrip()
        while position < len(stripped):
            match = _TOKEN.match(stripped, position)
            if match is None:
                _refuse(position, "无法识别。", "not understood.")
            kind = match.lastgroup or ""
            value, start = match.group(kind), match.start(kind)
            if kind == "word" and value.lower() in _WORDS:
                kind, value = "key", value.lower()
            self.tokens.append((kind, value, start))
            position = match.end()
        self.tokens.append(("end", "", len(stripped)))
        self.at = 0

    def peek(self, *values: str) -> bool:
        kind, value, _ = self.tokens[self.at]
        return kind in ("key", "sign") and value in values

    def take(self) -> tuple[str, str, int]:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def expect(self, value: str) -> None:
        if not self.peek(value):
            _refuse(self.tokens[self.at][2], f"这里应为“{value}”。", f"expected '{value}'.")
        self.at += 1

    def whole(self) -> ColumnElement[bool]:
        result = self.either(0)
        kind, _, position = self.tokens[self.at]
        if kind != "end":
            _refuse(position, "条件到此应已结束。", "the filter should end here.")
        return result

    def either(self, depth: int) -> ColumnElement[bool]:
        parts = [self.both(depth)]
        while self.peek("or"):
            self.at += 1
            parts.append(self.both(depth))
        return or_(*parts) if len(parts) > 1 else parts[0]

    def both(self, depth: int) -> ColumnElement[bool]:
        parts = [self.single(depth)]
        while self.peek("and"):
            self.at += 1
            parts.append(self.single(depth))
        return and_(*parts) if len(parts) > 1 else parts[0]

    def single(self, depth: int) -> ColumnElement[bool]:
        if depth > MAX_TERMS:
            _refuse(self.tokens[self.at][2], "括号太多。", "too many brackets.")
        if self.peek("not"):
            self.at += 1
            return not_(self.single(depth + 1))
        if self.peek("("):
            self.at += 1
            inner = self.either(depth + 1)
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> ColumnElement[bool]:
        kind, name, position = self.take()
        if kind not in ("word", "name") or name not in self.columns:
            listed = ", ".join(self.columns)
            _refuse(position, f"没有这个字段。可用：{listed}", f"no such column. There are: {listed}")
        self.terms += 1
        if self.terms > MAX_TERMS:
            _refuse(position, f"条件超过 {MAX_TERMS} 项。", f"more than {MAX_TERMS} terms.")
        target = self.columns[name]
        if self.peek("is"):
            self.at += 1
            negated = self.peek("not")
            self.at += negated
            self.expect("null")
            return target.is_not(None) if negated else target.is_(None)
        negated = self.peek("not")
        self.at += negated
        if self.peek("in"):
            self.at += 1
            self.expect("(")
            values = [self.literal(target)]
            while self.peek(","):
                self.at += 1
                values.append(self.literal(target))
            self.expect(")")
            return target.not_in(values) if negated else target.in_(values)
        if self.peek("like"):
            self.at += 1
            kind, value, position = self.take()
            if kind != "text" or not _is_text(target):
                _refuse(position, "like 只用于文字。", "like is for text.")
            pattern = value.replace("''", "'")
            return target.not_like(pattern, escape="\\") if negated else target.like(pattern, escape="\\")
        if negated:
            _refuse(self.tokens[self.at][2], "not 之后应为 in 或 like。", "expected in or like after not.")
        kind, sign, position = self.take()
        if kind != "sign" or sign in "(),":
            _refuse(position, "这里应为比较符号。", "expected a comparison.")
        if isinstance(target.type, Boolean) and sign not in ("=", "!=", "<>"):
            _refuse(position, "这个字段只能用 = 或 !=。", "this column takes = or != only.")
        return _SIGNS[sign](target, self.literal(target))

    def literal(self, target: ColumnElement) -> Any:
        kind, value, position = self.take()
        value = value.replace("''", "'") if kind == "text" else value
        if kind not in ("text", "number") and value not in ("true", "false"):
            _refuse(position, "这里应为数值、日期或带引号的文字。", "expected a number, a date or quoted text.")
        if isinstance(target.type, Boolean):
            if value.lower() in ("true", "1", "false", "0"):
                return value.lower() in ("true", "1")
            _refuse(position, "应为 true 或 false。", "expected true or false.")
        if isinstance(target.type, (Integer, BigInteger, Double)):
            if kind != "number" or abs(float(value)) >= 2**63:
                _refuse(position, "应为数值。", "expected a number.")
            return float(value) if "." in value else int(value)
        if isinstance(target.type, (Day, Moment)):
            return self.moment(target, value if kind == "text" else "", position)
        return value

    def moment(self, target: ColumnElement, value: str, position: int) -> str:
        try:
            if isinstance(target.type, Day):
                return date.fromisoformat(value).isoformat()
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = (moment - self.offset).replace(tzinfo=UTC)
            return moment_text(moment)
        except (ValueError, OverflowError):
            _refuse(position, "应为日期，如 '2026-01-31'。", "expected a date such as '2026-01-31'.")


def _is_text(target: ColumnElement) -> bool:
    return not isinstance(target.type, (Integer, BigInteger, Double, Boolean, Day, Moment))


def parse(given: str, columns: Mapping[str, ColumnElement], *, place_offset_h: int = 0) -> ColumnElement[bool]:
    """Turn a filter text into a bound expression over `columns` (name -> column); InputError with the position.

    `place_offset_h`: hours that wall time of the place is ahead of UTC, for comparisons with moments.
    """
    if len(given) > MAX_LENGTH:
        raise InputError(Text("筛选条件太长。", "The filter is too long."), where="where")
    return _Parser(given, columns, place_offset_h).whole()
