"""What a rule set is: its rules, its numbers, and the check of a body that comes from a file or a form.

A rule compares a *numerator* with a threshold in one of five *forms*: `count` (a number per area), `share` (a share of
the denominator, from 0 to 1), `rate` (so many per head, rounded up to whole people), `deficit` (both camera standards
at once) and `floor_area` (base area or so much per household).
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from geo.errors import InputError, NotFoundError
from geo.words import Text

from .kinds import KINDS

FORMS = ("count", "share", "rate", "deficit", "floor_area")
COMPARISONS = (">=", "<=")
UNITS = ("village", "natural_village", "grid", "township", "county")
LAYERS = ("camera", "unit", "staffing", "facility", "one")
CAMERA_TESTS = ("working", "existing", "connected", "registered", "sign_installed", "filed", "retained")
STATISTICS = (
    "level", "dispersion_limit", "min_count", "few_expected", "duplicate_distance_m", "duplicate_hours", "stacked_top",
    "neighbour_tolerance_m", "density_bandwidth_m", "density_min_bandwidth_m", "density_min_events", "density_cell_m",
    "workload_households", "workload_incidents", "workload_area", "workload_key_places", "workload_household_norm",
    "workload_incident_days", "workload_split_households", "workload_split_factor", "workload_merge_factor",
)  # fmt: skip
"""Numbers that the analyses take from the rule set, under these names."""

_MAX_RULES = 100
_MAX_TEXT = 1_000
_MAX_BODY = 200_000
_NAME = re.compile(r"[\w\u4e00-\u9fff][\w\u4e00-\u9fff .()（）-]{0,63}")
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One standard: what is counted, against what, how much of it is asked, and who asks."""

    id: str
    label: Text
    form: str
    units: tuple[str, ...]  # the first is the usual one
    numerator: dict[str, Any]
    denominator: dict[str, Any]
    threshold: float
    comparison: str
    amount: Text  # what the numbers count: 台 / cameras
    formula: Text
    source: Text
    source_date: str
    valid_from: str
    colour_limits: tuple[float, ...]  # shortfalls from which a darker class begins
    applies: dict[str, Any]  # which units the rule is for; empty: all
    parts: dict[str, Any]  # what the forms deficit and floor_area need besides

    def as_dict(self, language: str) -> dict[str, Any]:
        """The rule in the words of one language, as `coverage --json` prints it."""
        return {
            "id": self.id,
            "label": self.label.to(language),
            "form": self.form,
            "units": list(self.units),
            "threshold": self.threshold,
            "comparison": self.comparison,
            "amount": self.amount.to(language),
            "formula": self.formula.to(language),
            "source": self.source.to(language),
            "source_date": self.source_date,
            "valid_from": self.valid_from,
            "colour_limits": list(self.colour_limits),
        }


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A named set of rules and of the numbers that the statistics use."""

    name: str
    label: Text
    source: Text
    source_date: str
    valid_from: str
    rules: tuple[Rule, ...]
    statistics: dict[str, float]
    body: dict[str, Any]  # as stored; what a copy starts from
    shipped: bool
    version: int = 0  # of a planner's copy, for the conflict check; 0 for shipped sets
    based_on: str = ""
    changed_by: str = ""
    changed_at: str = ""

    def rule(self, rule_id: str) -> Rule:
        """The rule called `rule_id`; NotFoundError names those there are."""
        for candidate in self.rules:
            if candidate.id == rule_id:
                return candidate
        known = "、".join(r.id for r in self.rules)
        raise NotFoundError(
            Text(
                f"规则集“{self.name}”中没有规则“{rule_id[:40]}”。",
                f"Rule set '{self.name}' has no rule '{rule_id[:40]}'.",
            ),
            where="rule",
            mend=Text(f"可用：{known}", f"There are: {known.replace('、', ', ')}"),
        )

    def number(self, name: str) -> float:
        """A number of the statistics (one of `STATISTICS`)."""
        return self.statistics[name]


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
    for positive in ("duplicate_distance_m", "duplicate_hours", "density_bandwidth_m", "density_cell_m", "level"):
        if numbers[positive] <= 0:
            raise read.wrong(f"statistics.{positive}", Text("须大于 0。", "It must be more than 0."))
    if numbers["level"] > 0.5:
        raise read.wrong("statistics.level", Text("须不大于 0.5。", "It must be 0.5 at most."))
    return RuleSet(
        name=name,
        label=read.text(body, "label", "label"),
        source=read.text(body, "source", "source"),
        source_date=read.day(body, "source_date", "source_date"),
        valid_from=read.day(body, "valid_from", "valid_from"),
        rules=rules,
        statistics=numbers,
        body=dict(body),
        shipped=shipped,
        **origin,
    )


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

    def measure(self, value: Any, where: str) -> dict[str, Any]:
        """What is counted: a layer with a camera test or with fields."""
        if not isinstance(value, dict):
            raise self.wrong(where, Text("缺少计算内容。", "What to count is missing."))
        layer = self.one_of(value.get("layer"), LAYERS, f"{where}.layer")
        if layer == "camera":
            self.one_of(value.get("test"), CAMERA_TESTS, f"{where}.test")
            if value["test"] in ("filed", "retained"):
                self.number(value, "days", f"{where}.days")
            classes = tuple(choice for choice, _ in KINDS["camera"].field("video_class").choices)
            for each in value.get("class", []):
                self.one_of(each, classes, f"{where}.class")
            for each in value.get("fields", []):
                self.one_of(each, KINDS["camera"].names, f"{where}.fields")
        elif layer != "one":
            known = tuple(KINDS[layer].names) if layer in KINDS else tuple(n for u in UNITS for n in KINDS[u].names)
            fields = value.get("fields")
            if not isinstance(fields, list) or not fields:
                raise self.wrong(f"{where}.fields", Text("缺少字段。", "The fields are missing."))
            for each in fields:
                self.one_of(each, known, f"{where}.fields")
        return value

    def rule(self, entry: Any, where: str) -> Rule:
        """One rule."""
        if not isinstance(entry, dict):
            raise self.wrong(where, Text("不是规则。", "It is not a rule."))
        identity = self.word(entry, "id", _ID)
        form = self.one_of(entry.get("form"), FORMS, f"{identity}.form")
        units = entry.get("units")
        if not isinstance(units, list) or not units:
            raise self.wrong(f"{identity}.units", Text("缺少统计单元。", "The units are missing."))
        limits = entry.get("colour_limits")
        if not isinstance(limits, list) or not 1 <= len(limits) <= 4:
            raise self.wrong(
                f"{identity}.colour_limits", Text("须有 1 至 4 个分级界限。", "It must have 1 to 4 class limits.")
            )
        bounds = tuple(self.number({"at": each}, "at", f"{identity}.colour_limits") for each in limits)
        if any(a >= b for a, b in pairwise(bounds)):
            raise self.wrong(f"{identity}.colour_limits", Text("须由小到大。", "They must rise."))
        parts = entry.get("parts", {})
        if form == "floor_area":
            base = parts.get("base_m2") if isinstance(parts, dict) else None
            if not isinstance(base, dict) or not base:
                raise self.wrong(f"{identity}.parts", Text("缺少基准面积。", "The base areas are missing."))
            for key in base:
                self.number(base, key, f"{identity}.parts.base_m2")
        return Rule(
            id=identity,
            label=self.text(entry, "label", f"{identity}.label"),
            form=form,
            units=tuple(self.one_of(each, UNITS, f"{identity}.units") for each in units),
            numerator=self.measure(entry.get("numerator"), f"{identity}.numerator"),
            denominator=self.measure(entry.get("denominator"), f"{identity}.denominator"),
            threshold=self.number(entry, "threshold", f"{identity}.threshold", high=1.0 if form == "share" else 1e9),
            comparison=self.one_of(entry.get("comparison"), COMPARISONS, f"{identity}.comparison"),
            amount=self.text(entry, "amount", f"{identity}.amount"),
            formula=self.text(entry, "formula", f"{identity}.formula"),
            source=self.text(entry, "source", f"{identity}.source"),
            source_date=self.day(entry, "source_date", f"{identity}.source_date"),
            valid_from=self.day(entry, "valid_from", f"{identity}.valid_from"),
            colour_limits=bounds,
            applies=entry.get("applies", {}),
            parts=parts,
        )
