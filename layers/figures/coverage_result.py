"""What a coverage figure is: areas with what they have and lack, totals, the change, and where it comes from."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.words import Text

from ..kinds import KINDS
from ..places.areas import PROBLEMS
from .boundary_modes import Boundaries
from .coverage_tables import records
from .provenance import Provenance
from .rule_body import Rule, RuleSet


@dataclass(frozen=True, slots=True)
class CoverageResult:
    """Coverage of the areas a viewer may see, ranked: largest shortfall first, then by code, no_data last."""

    rule: Rule  # with the threshold that was used
    rule_set: RuleSet
    unit: str
    as_of: str
    boundaries: Boundaries
    provenance: Provenance
    summary: dict[str, int | None]
    rows: pd.DataFrame
    totals: pd.DataFrame  # level, code, name, units, met, short, no_data, missing, value
    change: dict[str, Any] | None  # against an earlier date; the rows then carry value_then, shortfall_then, state_then

    def sentence(self) -> Text:
        """The answer in one sentence."""
        unit = KINDS[self.unit].label
        n, short, missing = self.summary["units"], self.summary["short"], self.summary["missing"]
        gap = Text(f"共缺 {missing} {self.rule.amount.zh}", f"{missing} {self.rule.amount.en} missing")
        if self.rule.comparison == "<=" and self.rule.form != "deficit":
            gap = Text(f"共超出 {missing} {self.rule.amount.zh}", f"{missing} {self.rule.amount.en} too many")
        unknown = self.summary["no_data"]
        return Text(
            f"{n} 个{unit.zh}中 {short} 个不足，{gap.zh}" + (f"；{unknown} 个无数据。" if unknown else "。"),
            f"{short} of {n} units ({unit.en}) fall short, {gap.en}"
            + (f"; {unknown} without data." if unknown else "."),
        )

    def as_json(self, language: str) -> dict[str, Any]:
        """The shape of `wangge coverage --json`, with totals and change."""
        shape = {
            "rule": self.rule.as_dict(language),
            "unit": self.unit,
            "as_of": self.as_of,
            "provenance": self.provenance,
            "summary": dict(self.summary),
            "sentence": self.sentence().to(language),
            "rows": [self._with_reason(row, language) for row in records(self.rows)],
            "totals": records(self.totals),
            "boundaries": self.boundaries.as_json(language),
            "known_on": self.provenance["known_on"],
        }
        if self.change is not None:
            shape["change"] = dict(self.change)
        return shape

    @staticmethod
    def _with_reason(row: dict[str, Any], language: str) -> dict[str, Any]:
        """Rows that cannot be judged say why, in words."""
        problem = row.pop("problem")
        return row if problem is None else row | {"reason": PROBLEMS[problem].to(language)}
