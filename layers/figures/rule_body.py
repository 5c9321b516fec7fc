"""What a rule set is: its rules and its numbers (`rule_check` makes one from a body and checks it).

A rule compares a *numerator* with a threshold in one of five *forms*: `count` (a number per area), `share` (a share of
the denominator, from 0 to 1), `rate` (so many per head, rounded up to whole people), `deficit` (both camera standards
at once) and `floor_area` (base area or so much per household).
"""

from dataclasses import dataclass
from typing import Any

from geo.errors import NotFoundError
from geo.words import Text

FORMS = ("count", "share", "rate", "deficit", "floor_area")
COMPARISONS = (">=", "<=")
UNITS = ("village", "natural_village", "grid", "township", "county")
LAYERS_OF_FORM: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "count": (("camera", "unit", "staffing"), ("one",)),
    "share": (("camera", "unit", "staffing"), ("camera", "unit", "staffing")),
    "rate": (("unit", "staffing"), ("unit", "staffing")),
    "deficit": (("camera",), ("one",)),
    "floor_area": (("facility",), ("one",)),
}
"""Layers that numerator and denominator of each form may come from."""
CAMERA_TESTS = ("working", "existing", "connected", "registered", "sign_installed", "filed", "retained")
STATISTICS = (
    "level", "dispersion_limit", "min_count", "few_expected", "duplicate_distance_m", "duplicate_hours", "stacked_top",
    "neighbour_tolerance_m", "density_bandwidth_m", "density_min_bandwidth_m", "density_min_events", "density_cell_m",
    "workload_households", "workload_incidents", "workload_area", "workload_key_places", "workload_household_norm",
    "workload_incident_days", "workload_split_households", "workload_split_factor", "workload_merge_factor",
)  # fmt: skip
"""Numbers that the analyses take from the rule set, under these names."""


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
class WorkloadRule:
    """What the workload of a grid is made of, and how evener grids are looked for; its numbers are `STATISTICS`."""

    label: Text
    formula: Text
    source: Text
    source_date: str
    valid_from: str
    facility_types: tuple[str, ...]  # facilities that are key places; empty: all
    key_areas: bool  # whether key areas are key places too
    barriers: tuple[str, ...]  # reference layers whose lines grid borders should follow, where they are there
    barrier_width_m: float  # a border this near to one of their lines runs along it
    barrier_share: float  # what a metre of border along such a line costs of an ordinary one
    cells_per_grid: float  # where there are no building blocks: so many cells per grid
    least_block_share: float  # smaller pieces, as a share of a mean block, go with a neighbouring one

    def as_dict(self, language: str) -> dict[str, Any]:
        """What a reader needs to judge the index, in one language."""
        return {
            "label": self.label.to(language),
            "formula": self.formula.to(language),
            "source": self.source.to(language),
            "source_date": self.source_date,
            "valid_from": self.valid_from,
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
    workload: WorkloadRule | None  # None: a copy made before there was one; the shipped one holds
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
