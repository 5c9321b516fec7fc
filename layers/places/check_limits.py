"""From where on something is a finding: shipped as `data/checks.json`, overridden by the store's setting `checks`."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import Text

if TYPE_CHECKING:
    from ..storage.store import Store

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
