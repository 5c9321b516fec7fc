"""How borders are marked and how often they are inspected: `data/borders.json`, overridden by the setting `borders`."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import Text

if TYPE_CHECKING:
    from ..storage.store import Store

SETTING = "borders"
_RANGE = {
    "inspection_years": (1, 50),
    "township_marker_m": (50, 100_000),
    "village_marker_m": (50, 100_000),
    "stake_offset_m": (1, 100),
    "barrier_distance_m": (0, 500),
}


@dataclass(frozen=True, slots=True)
class BorderLimits:
    """`inspection_years`: every line is inspected once in so many years. `..._marker_m`: distance of markers along a
    line, by level. `stake_offset_m`: how far twin and triple stakes stand from the line or point they mark.
    `barrier_distance_m`: markers nearer than this to a barrier are twins; `barriers`: names of the reference layers
    that are one, such as rivers. `source`: where the shipped values come from.
    """

    inspection_years: int
    township_marker_m: float
    village_marker_m: float
    stake_offset_m: float
    barrier_distance_m: float
    barriers: tuple[str, ...]
    source: Text

    def marker_m(self, level: str) -> float:
        """Distance of markers along a line of a level."""
        return self.township_marker_m if level == "township" else self.village_marker_m


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Any]:
    return json.loads(files("data").joinpath("borders.json").read_text(encoding="utf-8"))


def read_border_limits(store: "Store") -> BorderLimits:
    """The values in force; InputError when the store's setting names one that is not there or is out of range."""
    shipped = _shipped()
    own: Any = store.settings.get(SETTING) or {}
    own = dict(own) if isinstance(own, dict) else {str(own)[:40]: None}
    barriers = own.pop("barriers", shipped["barriers"])
    values = {**shipped["limits"], **own}
    for name, value in values.items():
        low, high = _RANGE.get(name, (1, 0))
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise _wrong(name, f"{low:g} – {high:g}" if name in _RANGE else ", ".join(_RANGE))
    if not isinstance(barriers, list) or not all(isinstance(name, str) for name in barriers):
        raise _wrong("barriers", "[...]")
    values["inspection_years"] = int(values["inspection_years"])
    return BorderLimits(**values, barriers=tuple(barriers), source=Text.from_dict(shipped["source"]))


def _wrong(name: str, allowed: str) -> InputError:
    return InputError(
        Text(f"界线设置“{name[:40]}”不正确。", f"The setting '{name[:40]}' of borders is not right."),
        where=SETTING,
        mend=Text(f"可用：{allowed}。", f"Allowed: {allowed}."),
    )
