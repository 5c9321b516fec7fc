"""The check of a rule set that comes from a file or a form: everything in it is looked at before it is used."""

import json
import math
import re
from datetime import date
from itertools import pairwise
from typing import Any

from geo.errors import InputError
from geo.words import Text

from ..kinds import KINDS
from .rule_body import CAMERA_TESTS, COMPARISONS, FORMS, LAYERS_OF_FORM, STATISTICS, UNITS, Rule, RuleSet, WorkloadRule

_MAX_RULES = 100
_MAX_TEXT = 1_000
_MAX_BODY = 200_000
_NAME = re.compile(r"[\w\u4e00-\u9fff][\w\u4e00-\u9fff .()（）-]{0,63}")
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")


def parse(body: Any, *, shipped: bool, **origin: Any) -> RuleSet:
    """A rule set from the body of a file or a form; InputError says which part of it is wrong."""
    read = _Reader(body)
    if len(json.dumps(body, ensure_ascii=False, default=str)) > _MAX_BODY:
        raise read.wrong("rule_set", Text("内容过大。", "It is too large."))
    name = read.word(body, "name", _NAME)
    entries = body.get("rules")
    if not isinstance(entries, list) or not 1 <= len(entries) <= _MAX_RULES:
        raise read.wrong("rules", Text(f"应有 1 至 {_MAX_RULES} 条规则。", f"There must be 1 to {_MAX_RULES} rules."))
    rules = tuple(read.rule(entry, f"rules[{position}]") for position, entry in enumerate(entries))
    ids = [r.id for r in rules]
    if len(set(ids)) < len(ids):
        raise read.wrong("rules", Text("规则编号重复。", "Two rules have the same id."))
    for each in rules:
        for part in ("per_village", "per_natural") if each.form == "deficit" else ():
            if each.parts.get(part) not in ids:
                raise read.wrong(
                    f"{each.id}.parts.{part}",
                    Text("须为本规则集中的规则编号。", "It must be the id of a rule of this set."),
                )
    statistics = body.get("statistics")
    if not isinstance(statistics, dict):
        raise read.wrong("statistics", Text("缺少统计参数。", "The numbers of the statistics are missing."))
    numbers = {each: read.number(statistics, each, f"statistics.{each}", low=0.0) for each in STATISTICS}
    for positive in _POSITIVE:
        if numbers[positive] <= 0:
            raise read.wrong(f"statistics.{positive}", Text("须大于 0。", "It must be more than 0."))
    if numbers["level"] > 0.5:
        raise read.wrong("statistics.level", Text("须不大于 0.5。", "It must be 0.5 at most."))
    if not any(numbers[each] for each in _WEIGHTS):
        raise read.wrong(
            "statistics.workload_households", Text("至少一项须大于 0。", "One of the weights must be more than 0.")
        )
    return RuleSet(
        name=name,
        label=read.text(body, "label", "label"),
        source=read.text(body, "source", "source"),
        source_date=read.day(body, "source_date", "source_date"),
        valid_from=read.day(body, "valid_from", "valid_from"),
        rules=rules,
        statistics=numbers,
        workload=read.workload(body["workload"]) if "workload" in body else None,
        body=dict(body),
        shipped=shipped,
        **origin,
    )


_POSITIVE = (
    "duplicate_distance_m", "duplicate_hours", "density_bandwidth_m", "density_cell_m", "level",
    "workload_household_norm", "workload_incident_days", "workload_split_households",
)  # fmt: skip
_WEIGHTS = ("workload_households", "workload_incidents", "workload_area", "workload_key_places")


class _Reader:
    """Takes values out of a body and says what is wrong with one in the words of the form."""

    def __init__(self, body: Any) -> None:
        if not isinstance(body, dict):
            raise self.wrong("rule_set", Text("不是规则集。", "It is not a rule set."))

    @staticmethod
    def wrong(where: str, what: Text) -> InputError:
        """The error to raise for the part called `where`."""
        return InputError(
            Text(f"规则集的“{where}”有误：{what.zh}", f"'{where}' of the rule set is wrong: {what.en}"),
            where=where,
            mend=Text("请改正后再保存。", "Correct it and save again."),
        )

    def word(self, holder: dict, key: str, pattern: re.Pattern[str]) -> str:
        """A short name that fits `pattern`."""
        value = holder.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.wrong(
                key,
                Text(
                    "名称为空、过长或含有不允许的字符。",
                    "The name is empty, too long or has characters that are not allowed.",
                ),
            )
        return value

    def text(self, holder: dict, key: str, where: str) -> Text:
        """A text in both languages."""
        value = holder.get(key)
        if not isinstance(value, dict) or not all(isinstance(value.get(each), str) for each in ("zh", "en")):
            raise self.wrong(where, Text("须有中文和英文。", "It must have Chinese and English."))
        if any(len(value[each]) > _MAX_TEXT for each in ("zh", "en")):
            raise self.wrong(where, Text(f"超过 {_MAX_TEXT} 字。", f"It is longer than {_MAX_TEXT} characters."))
        return Text(value["zh"], value["en"])

    def number(self, holder: dict, key: str, where: str, *, low: float = 0.0, high: float = 1e9) -> float:
        """A finite number within limits."""
        value = holder.get(key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or not low <= value <= high
        ):
            raise self.wrong(
                where, Text(f"须为 {low:g} 至 {high:g} 的数。", f"It must be a number from {low:g} to {high:g}.")
            )
        return float(value)

    def day(self, holder: dict, key: str, where: str) -> str:
        """A date as ISO text."""
        value = holder.get(key)
        try:
            return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
        except ValueError:
            raise self.wrong(
                where, Text("须为日期，如 2025-01-31。", "It must be a date such as 2025-01-31.")
            ) from None

    def one_of(self, value: Any, allowed: tuple[str, ...], where: str) -> str:
        """A word from a list."""
        if value not in allowed:
            raise self.wrong(
                where, Text(f"须为 {'、'.join(allowed)} 之一。", f"It must be one of {', '.join(allowed)}.")
            )
        return value

    def words(self, holder: dict, key: str, allowed: tuple[str, ...], where: str) -> list[str]:
        """A list of words from a list; empty when there is none."""
        value = holder.get(key, [])
        if not isinstance(value, list):
            raise self.wrong(where, Text("须为列表。", "It must be a list."))
        return [self.one_of(each, allowed, where) for each in value]

    def names(self, holder: dict, key: str, where: str) -> tuple[str, ...]:
        """A list of short texts; empty when there is none."""
        value = holder.get(key, [])
        if (
            not isinstance(value, list)
            or len(value) > _MAX_RULES
            or any(not isinstance(each, str) or not 0 < len(each) <= 64 for each in value)
        ):
            raise self.wrong(where, Text("须为名称的列表。", "It must be a list of names."))
        return tuple(value)

    def workload(self, value: Any) -> WorkloadRule:
        """What the workload of a grid is made of."""
        if not isinstance(value, dict):
            raise self.wrong("workload", Text("不是工作量参数。", "It is no set of parameters."))
        if not isinstance(value.get("key_areas"), bool):
            raise self.wrong("workload.key_areas", Text("须为 true 或 false。", "It must be true or false."))
        return WorkloadRule(
            label=self.text(value, "label", "workload.label"),
            formula=self.text(value, "formula", "workload.formula"),
            source=self.text(value, "source", "workload.source"),
            source_date=self.day(value, "source_date", "workload.source_date"),
            valid_from=self.day(value, "valid_from", "workload.valid_from"),
            facility_types=self.names(value, "facility_types", "workload.facility_types"),
            key_areas=value["key_areas"],
            barriers=self.names(value, "barriers", "workload.barriers"),
            barrier_width_m=self.number(value, "barrier_width_m", "workload.barrier_width_m", high=1_000),
            barrier_share=self.number(value, "barrier_share", "workload.barrier_share", high=1),
            cells_per_grid=self.number(value, "cells_per_grid", "workload.cells_per_grid", low=2, high=200),
            least_block_share=self.number(value, "least_block_share", "workload.least_block_share", high=1),
        )

    def measure(self, value: Any, layers: tuple[str, ...], where: str) -> dict[str, Any]:
        """What is counted: a layer with a camera test or with fields."""
        if not isinstance(value, dict):
            raise self.wrong(where, Text("缺少计算内容。", "What to count is missing."))
        layer = self.one_of(value.get("layer"), layers, f"{where}.layer")
        if layer == "camera":
            test = self.one_of(value.get("test"), CAMERA_TESTS, f"{where}.test")
            if test in ("filed", "retained"):
                self.number(value, "days", f"{where}.days", high=36_500)
            classes = tuple(choice for choice, _ in KINDS["camera"].field("video_class").choices)
            self.words(value, "class", classes, f"{where}.class")
            self.words(value, "fields", KINDS["camera"].names, f"{where}.fields")
        elif layer != "one":
            known = KINDS[layer].names if layer in KINDS else tuple(n for u in UNITS for n in KINDS[u].names)
            if not self.words(value, "fields", known, f"{where}.fields"):
                raise self.wrong(f"{where}.fields", Text("缺少字段。", "The fields are missing."))
        return value

    def applies(self, entry: dict, identity: str) -> dict[str, Any]:
        """Which units a rule is for: ranges of the last three digits of the code, first digit of the class."""
        value = entry.get("applies", {})
        if not isinstance(value, dict):
            raise self.wrong(f"{identity}.applies", Text("不是适用条件。", "It is no condition."))
        ranges = value.get("committee_digits", [])
        for each in ranges if isinstance(ranges, list) else [None]:
            if not isinstance(each, list) or len(each) != 2:
                raise self.wrong(
                    f"{identity}.committee_digits", Text("须为成对的起止号。", "Pairs of first and last are wanted.")
                )
            for number in each:
                self.number({"at": number}, "at", f"{identity}.committee_digits", high=999)
        if value.get("urban_rural_first_digit", "1") not in ("1", "2"):
            raise self.wrong(f"{identity}.urban_rural_first_digit", Text("须为 1 或 2。", "It must be 1 or 2."))
        return value

    def parts(self, entry: dict, identity: str, form: str) -> dict[str, Any]:
        """What the forms deficit and floor_area need besides; that named rules exist is checked with the whole set."""
        value = entry.get("parts", {})
        if not isinstance(value, dict):
            raise self.wrong(f"{identity}.parts", Text("不是附加参数。", "It is no set of parameters."))
        if form == "floor_area":
            base = value.get("base_m2")
            if not isinstance(base, dict) or not base:
                raise self.wrong(f"{identity}.parts", Text("缺少基准面积。", "The base areas are missing."))
            for key in base:
                self.number(base, key, f"{identity}.parts.base_m2")
        return value

    def rule(self, entry: Any, where: str) -> Rule:
        """One rule."""
        if not isinstance(entry, dict):
            raise self.wrong(where, Text("不是规则。", "It is not a rule."))
        identity = self.word(entry, "id", _ID)
        form = self.one_of(entry.get("form"), FORMS, f"{identity}.form")
        units = self.words(entry, "units", UNITS, f"{identity}.units")
        if not units:
            raise self.wrong(f"{identity}.units", Text("缺少统计单元。", "The units are missing."))
        numerators, denominators = LAYERS_OF_FORM[form]
        limits = entry.get("colour_limits")
        if not isinstance(limits, list) or not 1 <= len(limits) <= 4:
            raise self.wrong(
                f"{identity}.colour_limits", Text("须有 1 至 4 个分级界限。", "It must have 1 to 4 class limits.")
            )
        bounds = tuple(self.number({"at": each}, "at", f"{identity}.colour_limits") for each in limits)
        if any(a >= b for a, b in pairwise(bounds)):
            raise self.wrong(f"{identity}.colour_limits", Text("须由小到大。", "They must rise."))
        numerator = self.measure(entry.get("numerator"), numerators, f"{identity}.numerator")
        denominator = self.measure(entry.get("denominator"), denominators, f"{identity}.denominator")
        if form == "share" and (numerator["layer"] == "camera") != (denominator["layer"] == "camera"):
            raise self.wrong(
                f"{identity}.denominator", Text("分子和分母须同为摄像机。", "Both parts must count cameras.")
            )
        return Rule(
            id=identity,
            label=self.text(entry, "label", f"{identity}.label"),
            form=form,
            units=tuple(units),
            numerator=numerator,
            denominator=denominator,
            threshold=self.number(entry, "threshold", f"{identity}.threshold", high=1.0 if form == "share" else 1e9),
            comparison=self.one_of(entry.get("comparison"), COMPARISONS, f"{identity}.comparison"),
            amount=self.text(entry, "amount", f"{identity}.amount"),
            formula=self.text(entry, "formula", f"{identity}.formula"),
            source=self.text(entry, "source", f"{identity}.source"),
            source_date=self.day(entry, "source_date", f"{identity}.source_date"),
            valid_from=self.day(entry, "valid_from", f"{identity}.valid_from"),
            colour_limits=bounds,
            applies=self.applies(entry, identity),
            parts=self.parts(entry, identity, form),
        )
