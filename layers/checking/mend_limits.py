"""Tolerances of mending: shipped as `data/mending.json`, overridden by the store's setting `mending`, asked per repair."""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import Text

if TYPE_CHECKING:
    from ..storage.store import Store

SETTING = "mending"
_WIDEST = {"snapping_m": 5.0, "gap_width_m": 200.0, "min_width_m": 5.0, "least_share": 1.0, "large_share": 1.0}
"""Beyond these a repair would be a redrawing."""


@dataclass(frozen=True, slots=True)
class MendLimits:
    """How far mending may go.

    `snapping_m`: vertices closer than this are one. `gap_width_m`: gaps up to this wide go to a neighbour.
    `min_width_m`: detached parts thinner than this go to a neighbour. `least_share`: a grid that would keep less of its land counts as
    lost, and its village is refused. `large_share`: a grid that gains or loses more
    than this share of its area is marked for a second look.
    """

    snapping_m: float
    gap_width_m: float
    min_width_m: float
    least_share: float
    large_share: float

    def with_(self, **asked: float | None) -> "MendLimits":
        """These with what was asked for a single repair; InputError for a number out of range."""
        given = {name: value for name, value in asked.items() if value is not None}
        _require(given)
        return replace(self, **given)


def _require(values: dict[str, Any]) -> None:
    for name, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in _WIDEST or not number or not 0 < value <= _WIDEST[name]:
            most = _WIDEST.get(name)
            raise InputError(
                Text(
                    f"修整容差“{str(name)[:40]}”不正确。", f"The tolerance '{str(name)[:40]}' of mending is not right."
                ),
                where=str(name)[:40],
                mend=Text(f"应大于 0，不超过 {most:g}。", f"More than 0 and at most {most:g}.")
                if most
                else Text(f"可设：{'、'.join(_WIDEST)}。", f"There are: {', '.join(_WIDEST)}."),
            )


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Any]:
    return json.loads(files("data").joinpath("mending.json").read_text(encoding="utf-8"))


def read_mend_limits(store: "Store") -> MendLimits:
    """The tolerances in force; InputError when the store's setting names one that is not there or is out of range."""
    own: Any = store.settings.get(SETTING) or {}
    own = own if isinstance(own, dict) else {str(own): None}
    _require(own)
    return MendLimits(**{name: float(value) for name, value in {**_shipped()["limits"], **own}.items()})


def source() -> Text:
    """Where the shipped tolerances come from."""
    return Text.from_dict(_shipped()["source"])
