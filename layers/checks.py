"""What is wrong with the layers of a store: codes, hierarchy, topology and location quality, with places to click.

Checks look at the rows that count on one day and that the viewer may see, and say nothing about layers that are not
there. Tolerances are data: `data/checks.json`, overridden by the store's setting `checks`; what is a repeated report
or a stacked position is a number of the rule set in force.
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import Text

from . import check_borders, check_codes, check_places
from .findings import SEVERITIES, Finding
from .history import day
from .kinds import AREA_KINDS, KINDS
from .notebook import Notebook
from .rights import Viewer, allowed
from .rules import read_rule_set

if TYPE_CHECKING:
    from .store import Store

SETTING = "checks"


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is a finding.

    Gaps, overlaps and land outside a parent: listed above `area_m2`, an error above that and `area_share` of the area
    concerned. `sliver_width_m`: parts thinner throughout. `parent_distance_m`: how far outside its parent a point may
    lie. `stacked_share`: of the rows at the fullest positions. `listed_per_sort`: findings listed before counting.
    """

    area_m2: float
    area_share: float
    sliver_width_m: float
    parent_distance_m: float
    stacked_share: float
    listed_per_sort: float


@lru_cache(maxsize=1)
def _shipped() -> dict[str, float]:
    text = files("data").joinpath("checks.json").read_text(encoding="utf-8")
    return {name: float(value) for name, value in json.loads(text)["limits"].items()}


def read_limits(store: "Store") -> Limits:
    """The limits in force; InputError when the store's setting names one that is not there or is no number >= 0."""
    values = dict(_shipped())
    own: Any = store.settings.get(SETTING) or {}
    for name, value in own.items() if isinstance(own, dict) else [(str(own)[:40], None)]:
        if name not in values or not isinstance(value, int | float) or not 0 <= value < 1e12:
            raise InputError(
                Text(f"检查设置“{name}”不正确。", f"The setting '{name}' of the checks is not right."),
                where=SETTING,
                mend=Text(
                    f"可设：{'、'.join(values)}，数值不小于 0。", f"There are: {', '.join(values)}; numbers >= 0."
                ),
            )
        values[name] = float(value)
    return Limits(**values)


def run(store: "Store", viewer: Viewer, as_of: date | str | None = None) -> list[Finding]:
    """Everything there is to look at, errors first, layer by layer from the county down.

    `code` is the area or device concerned, `kind` the sort of finding: code, duplicate, parent, parent_position,
    no_children, invalid, gap, overlap, outside_parent, sliver, shared_point, no_location, outside, stacked, repeated,
    centroid. A sort with more findings than `listed_per_sort` in one layer is cut, with a line that tells how many.
    """
    on, limits = day(as_of), read_limits(store)
    rules = read_rule_set(store)
    versions = store.versions()
    found: list[Finding] = []
    for kind in (*AREA_KINDS, *(name for name in KINDS if name not in AREA_KINDS)):
        if not versions.get(kind) or not allowed(kind, viewer).rows:
            continue
        notebook = Notebook(int(limits.listed_per_sort))
        if kind in AREA_KINDS:
            check_codes.look(store, viewer, KINDS[kind], on, limits, notebook)
            check_borders.look(store, viewer, KINDS[kind], on, limits, notebook)
        elif KINDS[kind].homed:
            check_places.look(store, viewer, KINDS[kind], on, limits, rules, notebook)
        found += notebook.all()
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
