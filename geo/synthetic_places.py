"""Names and codes of a made-up county.

Codes follow the structure of area codes (6 + 3 + 3 digits, grids + 3) inside a prefix that no place uses. Names are
put together from syllables the caller brings; without any, places are simply numbered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .synthetic_plan import Plan

Syllables = Mapping[str, Sequence[str]]
"""Word lists: county, city, town_first, town_second, village_first, village_second, community, natural_first,
natural_last."""

CITY_PREFIX = "4320"
FIRST_COUNTY = 25
DEDICATED_FIRST = 900


@dataclass(slots=True)
class Namer:
    """Hands out made-up names, none twice within one `use` call."""

    rng: np.random.Generator
    syllables: Syllables | None = None
    taken: set[str] = field(default_factory=set)

    def unique(self, first: str, second: str, suffix: str, count: int, stem: str) -> list[str]:
        """`count` names of one syllable from each list and `suffix`; `stem` numbers them when there are no syllables."""
        if self.syllables is None:
            return [f"{stem}{number}{suffix}" for number in range(1, count + 1)]
        heads, tails = self.syllables[first], self.syllables[second]
        order = self.rng.permutation(len(heads) * len(tails))
        names: list[str] = []
        for pick in order.tolist():
            if len(names) == count:
                break
            head, tail = heads[pick // len(tails)], tails[pick % len(tails)]
            name = head + tail + suffix
            if name not in self.taken and head != tail:
                self.taken.add(name)
                names.append(name)
        # More places than combinations: the rest carries a direction or a number, as real duplicates do.
        names += (
            [
                f"{names[i % len(names)].removesuffix(suffix)}{i // len(names) + 1}{suffix}"
                for i in range(len(names), count)
            ]
            if names
            else []
        )
        return names

    def pick(self, words: str, number: int, stem: str) -> str:
        """Word `number` of a list, or a numbered stem when the list is missing or too short."""
        listed = self.syllables.get(words, ()) if self.syllables is not None else ()
        return listed[number] if number < len(listed) else f"{stem}{number + 1}"


@dataclass(frozen=True, slots=True)
class Names:
    """Codes and names by row of county, township and village."""

    county_code: list[str]
    county: list[str]
    township_code: list[str]
    township: list[str]
    village_code: list[str]
    village: list[str]


def make_names(plan: Plan, namer: Namer) -> Names:
    counties = [namer.pick("county", number, "County ") for number in range(plan.size.counties)]
    seat_urban = plan.population_of_township
    rural = ~plan.street & (seat_urban < np.quantile(seat_urban, 0.25))
    county_code = county_codes(plan.size.counties)
    township_code = township_codes(plan.county_of_township, plan.street, rural, county_code)
    streets = iter(namer.unique("street_first", "street_second", "街道", int(plan.street.sum()), "街道"))
    towns = iter(namer.unique("town_first", "town_second", "镇", int((~plan.street & ~rural).sum()), "镇"))
    others = iter(namer.unique("town_first", "town_second", "乡", int(rural.sum()), "乡"))
    township = [
        next(streets) if is_street else next(others) if is_rural else next(towns)
        for is_street, is_rural in zip(plan.street.tolist(), rural.tolist(), strict=True)
    ]
    village_code = village_codes(plan.township_of_village, plan.urban, township_code)
    urban = iter(namer.unique("community_first", "community_second", "社区", int(plan.urban.sum()), "社区"))
    country = iter(namer.unique("village_first", "village_second", "村", int((~plan.urban).sum()), "村"))
    village = [next(urban) if is_urban else next(country) for is_urban in plan.urban.tolist()]
    return Names(county_code, counties, township_code, township, village_code, village)


def county_codes(count: int) -> list[str]:
    """12-digit codes of made-up counties."""
    return [f"{CITY_PREFIX}{FIRST_COUNTY + number:02d}000000" for number in range(count)]


def township_codes(
    county_of_township: np.ndarray, street: np.ndarray, rural: np.ndarray, counties: list[str]
) -> list[str]:
    """Streets 001.., towns 100.., townships (rural) 200.. within each county."""
    base = np.where(street, 1, np.where(rural, 200, 100))
    serial = _serial(county_of_township * 1000 + base)
    return [
        f"{counties[county][:6]}{first + number:03d}000"
        for county, first, number in zip(county_of_township.tolist(), base.tolist(), serial.tolist(), strict=True)
    ]


def village_codes(township_of_village: np.ndarray, urban: np.ndarray, townships: list[str]) -> list[str]:
    """Residents' committees 001.., villagers' committees 200.. within each township."""
    base = np.where(urban, 1, 200)
    serial = _serial(township_of_village * 1000 + base)
    return [
        f"{townships[township][:9]}{first + number:03d}"
        for township, first, number in zip(township_of_village.tolist(), base.tolist(), serial.tolist(), strict=True)
    ]


def grid_codes(
    village_of_grid: np.ndarray, dedicated: np.ndarray, xy: np.ndarray, height_m: float, villages: list[str]
) -> list[str]:
    """Village code + sequence: base grids from 001, dedicated from 900, by bands from north, west to east in a band."""
    band = np.floor(-xy[:, 1] / height_m)
    order = np.lexsort([xy[:, 0], band, dedicated, village_of_grid])
    serial = np.empty(len(order), dtype=np.int64)
    serial[order] = _serial((village_of_grid * 2 + dedicated)[order])
    sequence = np.where(dedicated, DEDICATED_FIRST, 1) + serial
    return [
        f"{villages[village]}{number:03d}"
        for village, number in zip(village_of_grid.tolist(), sequence.tolist(), strict=True)
    ]


def natural_codes(village_of_natural: np.ndarray, villages: list[str]) -> list[str]:
    """Village code + three digits from 001."""
    serial = _serial(village_of_natural) + 1
    return [
        f"{villages[village]}{number:03d}"
        for village, number in zip(village_of_natural.tolist(), serial.tolist(), strict=True)
    ]


def _serial(group: np.ndarray) -> np.ndarray:
    """0, 1, 2 ... within each group, in row order."""
    order = np.argsort(group, kind="stable")
    ranked = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    serial = np.empty(len(group), dtype=np.int64)
    serial[order] = ranked
    return serial
