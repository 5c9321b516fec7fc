"""Query parameters: each named once, with its check and its words; views declare which they take.

`@takes("bbox", "as_of")` hands the checked values to the view as keyword arguments, refuses names it does not know,
and puts the same table into the API description.
"""

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request

from geo.errors import InputError
from geo.words import Text
from layers.redrawing.draft import STATES
from layers.storage.history import within_days
from layers.storage.known import past_moment

Parse = Callable[[str], Any]
# Understood on every address: the language switch, and the folder the front end names its code version with.
_EVERYWHERE = frozenset({"lang", "v"})
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter: how it is checked, its OpenAPI schema, what it is for, and its value when absent."""

    parse: Parse
    schema: dict[str, Any]
    help: str
    default: Any = None


def refuse(name: str, zh: str, en: str) -> InputError:
    """The error for a parameter that cannot be used."""
    return InputError(Text(f"参数 {name} 不对：{zh}", f"Parameter {name}: {en}"), where=name)


def bbox(given: str) -> tuple[float, float, float, float]:
    """ "west,south,east,north" in degrees: finite, ordered, inside the globe."""
    parts = given.split(",")
    if len(parts) != 4:
        raise refuse("bbox", "应为 西,南,东,北 四个数。", "four numbers west,south,east,north are wanted.")
    west, south, east, north = (number("bbox", part) for part in parts)
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise refuse(
            "bbox", "应为经纬度，西小于东、南小于北。", "degrees are wanted, west below east and south below north."
        )
    return west, south, east, north


def number(name: str, given: str) -> float:
    """A finite decimal number."""
    try:
        value = float(given) if len(given) <= 32 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e12:
        raise refuse(name, "应为数。", "a number is wanted.")
    return value


def whole(name: str, low: int, high: int) -> Parse:
    """A whole number between `low` and `high`."""

    def parse(given: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,12}", given) or not low <= int(given) <= high:
            raise refuse(name, f"应为 {low} 到 {high} 的整数。", f"a whole number from {low} to {high} is wanted.")
        return int(given)

    return parse


def decimal(name: str, low: float, high: float) -> Parse:
    """A number between `low` and `high`."""

    def parse(given: str) -> float:
        value = number(name, given)
        if not low <= value <= high:
            raise refuse(name, f"应在 {low} 到 {high} 之间。", f"a number from {low} to {high} is wanted.")
        return value

    return parse


def day(name: str) -> Parse:
    """A date, YYYY-MM-DD."""

    def parse(given: str) -> date:
        try:
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
                raise ValueError(given)
            return within_days(date.fromisoformat(given))
        except ValueError:
            raise refuse(
                name,
                "应为 1800 至 2999 年的日期，如 2026-03-01。",
                "a date of the years 1800 to 2999 is wanted, such as 2026-03-01.",
            ) from None

    return parse


def boundaries(given: str) -> str | date:
    """ "then", "today" or a date."""
    if given in ("then", "today"):
        return given
    try:
        return day("boundaries")(given)
    except InputError:
        raise refuse(
            "boundaries",
            "应为 then、today 或日期，如 2026-03-01。",
            "then, today or a date such as 2026-03-01 is wanted.",
        ) from None


def compared(given: str) -> str:
    """A date, or "draft:" and the number of a draft."""
    if re.fullmatch(r"draft:[0-9]{1,18}", given, re.ASCII):
        return given
    try:
        return day("compare")(given).isoformat()
    except InputError:
        raise refuse("compare", "应为日期，或 draft:编号。", "a date, or draft: and a number, is wanted.") from None


def one_of(name: str, *choices: str) -> Parse:
    """One of the given words."""

    def parse(given: str) -> str:
        if given not in choices:
            raise refuse(name, f"应为 {'、'.join(choices)} 之一。", f"one of {', '.join(choices)} is wanted.")
        return given

    return parse


def words(name: str, longest: int = 200) -> Parse:
    """Text without control characters, at most `longest` characters."""

    def parse(given: str) -> str:
        if len(given) > longest:
            raise refuse(name, f"最多 {longest} 个字符。", f"at most {longest} characters.")
        if any(ord(letter) < 32 for letter in given):
            raise refuse(name, "不能含控制字符。", "control characters are not allowed.")
        return given

    return parse


def names(name: str) -> Parse:
    """A comma-separated list of names or codes."""

    def parse(given: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in words(name, 1000)(given).split(",") if part.strip())

    return parse


def numbers(name: str, low: int, high: int) -> Parse:
    """A comma-separated list of whole numbers and ranges: "1,2" or "20-23"."""

    def parse(given: str) -> tuple[int, ...]:
        found: list[int] = []
        for part in names(name)(given):
            first, _, last = part.partition("-")
            start = whole(name, low, high)(first)
            end = whole(name, low, high)(last) if last else start
            found.extend(range(start, end + 1))
        return tuple(sorted(set(found)))

    return parse


def flag(name: str) -> Parse:
    """Yes or no."""
    return lambda given: one_of(name, "1", "0", "true", "false")(given) in ("1", "true")


_TEXT, _DATE = {"type": "string"}, {"type": "string", "format": "date"}
_NUMBER, _WHOLE, _FLAG = {"type": "number"}, {"type": "integer"}, {"type": "boolean"}


def _choice(name: str, help_: str, *choices: str, default: str | None = None) -> Parameter:
    return Parameter(one_of(name, *choices), {"type": "string", "enum": list(choices)}, help_, default)


def _whole(name: str, help_: str, low: int, high: int, default: int | None = None) -> Parameter:
    return Parameter(whole(name, low, high), _WHOLE | {"minimum": low, "maximum": high}, help_, default)


def _decimal(name: str, help_: str, low: float, high: float, default: float | None = None) -> Parameter:
    return Parameter(decimal(name, low, high), _NUMBER | {"minimum": low, "maximum": high}, help_, default)


PARAMETERS: dict[str, Parameter] = {
    "bbox": Parameter(bbox, _TEXT, "window west,south,east,north in degrees (EPSG:4490)"),
    "as_of": Parameter(day("as_of"), _DATE, "state of this day; today when absent"),
    "compare": Parameter(compared, _TEXT, "another day, or draft:ID, to hold the boundaries against"),
    "boundaries": Parameter(boundaries, _TEXT, "in whose boundaries to count: then (as of each day), today, or a date"),
    "known_on": Parameter(
        past_moment,
        _TEXT,
        "by what was known at this moment (a day: its end), so that an earlier report can be made again",
    ),
    "against": Parameter(day("against"), _DATE, "earlier day to compare with"),
    "from": Parameter(day("from"), _DATE, "first day of the period"),
    "to": Parameter(day("to"), _DATE, "last day of the period"),
    "where": Parameter(words("where", 2000), _TEXT, "filter: column operator literal, joined by and / or"),
    "year": _whole("year", "calendar year; this one when absent", 1950, 2200),
    "q": Parameter(words("q", 100), _TEXT, "part of a name or the beginning of a code"),
    "parent": Parameter(words("parent", 64), _TEXT, "code of an area above"),
    "columns": Parameter(names("columns"), _TEXT, "columns to send, separated by commas"),
    "tolerance_m": _decimal(
        "tolerance_m", "simplify outlines to this many metres; shared borders stay shared", 0, 5000, 0.0
    ),
    "precision": _choice("precision", "full: coordinates as stored instead of six decimals", "full"),
    "page": _whole("page", "page of the table, from 1", 1, 1_000_000, 1),
    "size": _whole("size", "rows on a page", 1, 500, 50),
    "sort": Parameter(words("sort", 80), _TEXT, "column:asc or column:desc"),
    "limit": _whole("limit", "most results", 1, 100, 10),
    "rule": Parameter(words("rule", 64), _TEXT, "rule of the rule set"),
    "rule_set": Parameter(words("rule_set", 64), _TEXT, "name of a rule set"),
    "unit": _choice("unit", "unit of counting", "village", "natural_village", "grid", "township", "county", "cell"),
    "threshold": _decimal("threshold", "another threshold than the rule's", 0, 1_000_000),
    "class": Parameter(names("class"), _TEXT, "camera classes counted, separated by commas"),
    "status": Parameter(names("status"), _TEXT, "camera states counted, separated by commas"),
    "older_than": _decimal("older_than", "leave out cameras in use for more years than this", 0, 100),
    "cell_m": _whole("cell_m", "width of a cell in metres", 50, 20_000),
    "bandwidth_m": _whole("bandwidth_m", "smoothing of the density in metres", 50, 20_000),
    "category": Parameter(names("category"), _TEXT, "incident categories, separated by commas"),
    "weekdays": Parameter(numbers("weekdays", 1, 7), _TEXT, "weekdays, Monday is 1"),
    "hours": Parameter(numbers("hours", 0, 23), _TEXT, "hours of the day, such as 20-23"),
    "exposure": _choice("exposure", "what expected counts follow", "area", "households", "population"),
    "what": Parameter(words("what", 80), _TEXT, "layer kind, reference:NAME, coverage, hotspots or draft:ID"),
    "view": Parameter(words("view", 80), _TEXT, "coverage, hotspots or a layer kind"),
    "format": Parameter(words("format", 12), _TEXT, "file format"),
    "plain": Parameter(flag("plain"), _FLAG, "CSV alone, not zipped together with its provenance", False),
    "encoding": Parameter(words("encoding", 20), _TEXT, "character encoding"),
    "crs": Parameter(words("crs", 20), _TEXT, "coordinate system: auto, gcj02, bd09, EPSG:n"),
    "layer": Parameter(words("layer", 200), _TEXT, "layer inside the file"),
    "sheet": Parameter(words("sheet", 100), _TEXT, "sheet of the workbook"),
    "paper": _choice("paper", "paper size", "A4", "A3", default="A4"),
    "landscape": Parameter(flag("landscape"), _FLAG, "landscape format", True),
    "title": Parameter(words("title", 120), _TEXT, "title of the map"),
    "approval_number": Parameter(words("approval_number", 60), _TEXT, "map approval number"),
    "unit_name": Parameter(words("unit_name", 120), _TEXT, "unit that makes the map"),
    "state": _choice("state", "state of a draft", *STATES),
    "action": Parameter(words("action", 60), _TEXT, "kind of act"),
    "account": Parameter(words("account", 64), _TEXT, "account name"),
}
_KEYWORDS = {"from": "from_", "class": "class_"}


def read(*wanted: str) -> dict[str, Any]:
    """The checked values of `wanted` from this request's query; an unknown or doubled name is refused."""
    for name, given in request.args.lists():
        if name in _EVERYWHERE:
            continue
        if name not in wanted:
            raise refuse(name[:40], "没有这个参数。", "there is no such parameter here.")
        if len(given) > 1 or len(given[0]) > _LONGEST:
            raise refuse(name, "只能给出一次。", "it may be given once only.")
    values = {}
    for name in wanted:
        raw = request.args.get(name)
        parameter = PARAMETERS[name]
        values[_KEYWORDS.get(name, name)] = parameter.default if raw in (None, "") else parameter.parse(raw)
    return values


def takes(*wanted: str) -> Callable[[Callable], Callable]:
    """Declare the query parameters of a view; it gets them as keyword arguments (`from_`, `class_` for the reserved words)."""

    def declare(view: Callable) -> Callable:
        @functools.wraps(view)
        def call(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs, **read(*wanted))

        call.takes = wanted  # type: ignore[attr-defined]
        return call

    return declare


def describe(wanted: tuple[str, ...]) -> list[dict[str, Any]]:
    """The OpenAPI parameters of a view."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": PARAMETERS[name].help,
            "schema": PARAMETERS[name].schema,
        }
        for name in wanted
    ]
