"""Hotspots: where reported incidents cluster more, or less, than the land, households or people explain.

Per unit the reported incidents, those expected by the exposure, Gi* for comparison, and the neighbourhood count test
that alone decides hot or cold (`geo.hotspots`). Near-duplicates are collapsed before the test; `count` still shows every
report. Incidents are what was reported, not what happened: places with more cameras and grid workers report more.

Roles without incidents see which villages are hot or cold, for the whole period and without any number or filter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from geo import crs
from geo import hotspots as statistics
from geo.duplicates import near_duplicates, stacked
from geo.errors import RightsError
from geo.words import Text

from .coverage import records
from .exposure import EXPOSURES, kept_exposure, require_exposure
from .history import day
from .hotspot_units import Units, units_of
from .hotspot_words import hotspot_sentence, period_words, plain_sentence
from .incidents import Chosen, IncidentFilter, Incidents, categories, choose, read_incidents
from .kept import kept
from .provenance import Provenance, provenance
from .rights import INTERNAL, Viewer
from .rule_body import RuleSet
from .rules import read_rule_set

if TYPE_CHECKING:
    from .store import Store

DEFAULT_CELL_M = 500.0
REPORTED = Text(
    "事件指已上报的事件；摄像机和网格员多的地方上报也多。",
    "Incidents are reported incidents; places with more cameras and grid workers report more.",
)
_SIGNIFICANT = 6  # digits of derived figures, the same on screen, in tables and in files
_NUMBERS = ("count", "expected", "ratio", "gi_z", "p", "q", "neighbourhood_count", "neighbourhood_expected", "few")


@dataclass(frozen=True, slots=True)
class HotspotResult:
    """Hot and cold units, hot ones first by how sure they are."""

    unit: str
    as_of: str
    provenance: Provenance
    summary: dict[str, Any]
    rows: pd.DataFrame  # code or cell, lon, lat, count, expected, ratio, gi_z, p, q, hot, cold, ...
    cells: GeoDataFrame | None  # shapes of the cells, EPSG:4490, by cell; None for areas
    sentences: list[Text]  # one per hot row, in the order of the rows
    categories: list[str]  # there are, most frequent first; empty for roles without incidents

    def as_json(self, language: str) -> dict[str, Any]:
        """The shape of `wangge hotspots --json`, with a sentence for each hot unit."""
        return {
            "unit": self.unit,
            "as_of": self.as_of,
            "provenance": self.provenance,
            "summary": dict(self.summary),
            "categories": list(self.categories),
            "sentences": [sentence.to(language) for sentence in self.sentences],
            "rows": records(self.rows),
        }


def hotspots(
    store: "Store",
    viewer: Viewer,
    *,
    unit: str | None = None,
    cell_m: float | None = None,
    date_from: date | str | None = None,
    date_to: date | str | None = None,
    category: Any = None,
    weekdays: Any = None,
    hours: Any = None,
    exposure: str | None = None,
    as_of: date | str | None = None,
    where: str | None = None,
    rule_set: str | None = None,
) -> HotspotResult:
    """Find hot and cold units.

    Parameters
    ----------
    unit
        cell (hexagons of equal area), grid or village; by default cell, for roles without incidents village.
    cell_m
        Width of a cell, 500 m by default.
    date_from, date_to, category, weekdays, hours
        See `incidents.IncidentFilter`.
    exposure
        area (default), households or population: what the expected counts follow.
    where
        Filter on the columns of the incidents.

    Raises
    ------
    InputError, RightsError
        When an option cannot be used, or the role may not ask for it.
    """
    inside = viewer.role in INTERNAL
    chosen = IncidentFilter.of(date_from, date_to, category, weekdays, hours)
    exposure = require_exposure(exposure or "area")
    unit = unit or ("cell" if inside else "village")
    if not inside:
        _require_plain(unit, chosen, exposure, where)
    rules = read_rule_set(store, rule_set)
    on = day(as_of)
    width = float(cell_m or DEFAULT_CELL_M)
    parameters = {
        "unit": unit,
        "cell_m": width if unit == "cell" else None,
        "exposure": exposure,
        "where": where,
        **chosen.as_dict(),
        "statistics": {
            name: rules.number(name)
            for name in (
                "level", "dispersion_limit", "min_count", "few_expected", "duplicate_distance_m", "duplicate_hours",
            )
        },
    }  # fmt: skip
    key = (
        "hotspots", tuple(sorted(store.versions().items())), viewer.cache_key, rules.name, rules.version, on, unit,
        width, chosen, exposure, where,
    )  # fmt: skip
    # Who may not see incidents gets figures made from them, in the same areas, with every number taken out.
    reader = viewer if inside else replace(viewer, role="planner")

    def make() -> HotspotResult:
        units = units_of(store, reader, unit, on, cell_m=width, tolerance_m=rules.number("neighbour_tolerance_m"))
        work = _Work(store, reader, rules, units, on, chosen, exposure, where)
        return work.result(parameters) if inside else _without_numbers(work.result(parameters), units)

    return kept(store).get(key, make)


def _require_plain(unit: str, chosen: IncidentFilter, exposure: str, where: str | None) -> None:
    """Roles without incidents ask for villages as a whole; any filter could be played against another."""
    if unit != "village" or chosen != IncidentFilter() or exposure != "area" or where:
        raise RightsError(
            Text(
                "您的角色只能查看各村是否为热点，不能筛选。", "Your role sees which villages are hot, without filters."
            ),
            where="hotspots",
            mend=Text("请改为按村（社区）查看，并去掉筛选。", "Choose the village as unit and remove the filters."),
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """One search for hotspots."""

    store: "Store"
    viewer: Viewer
    rules: RuleSet
    units: Units
    on: str
    chosen: IncidentFilter
    exposure: str
    where: str | None

    def result(self, parameters: Mapping[str, Any]) -> HotspotResult:
        """Count, test and put into words."""
        units = self.units
        everything = read_incidents(self.store, self.viewer, as_of=self.on, where=self.where)
        picked = choose(everything, self.chosen)
        incidents = picked.incidents
        home = units.home(incidents.lon, incidents.lat)
        rows = np.flatnonzero(home >= 0)
        counted, home = incidents.at(rows), home[rows]
        distinct = self._distinct(counted)
        n = len(units.codes)
        every = np.bincount(home, minlength=n).astype(float)
        once = np.bincount(home[distinct], minlength=n).astype(float)
        exposed = kept_exposure(
            self.store,
            units.key,
            self.exposure,
            self.on,
            units.shapes,
            units.system,
            kind=units.kind,
            codes=units.codes,
        )
        found = statistics.hot_and_cold(
            once,
            exposed.per_unit,
            units.neighbours,
            level=self.rules.number("level"),
            dispersion_limit=self.rules.number("dispersion_limit"),
            min_count=self.rules.number("min_count"),
        )
        table = self._rows(every, exposed.per_unit, found)
        order = np.lexsort((table.iloc[:, 0].astype(str), table["q"].fillna(2.0), ~table["hot"]))
        summary = self._summary(everything, picked, incidents, counted, distinct, found, exposed.per_unit, every)
        sentences = [self._sentence(row, found, home[distinct], counted, distinct) for row in order if found.hot[row]]
        return HotspotResult(
            unit=units.kind,
            as_of=self.on,
            provenance=provenance(
                self.store,
                "layers.hotspots",
                as_of=self.on,
                kinds=[
                    "incident",
                    *(("county", "township", "village") if units.kind == "cell" else (units.kind,)),
                    *exposed.kinds,
                ],
                parameters=parameters,
                rule_set=self.rules,
                notes=self._notes(picked, found, exposed.notes),
            ),
            summary=summary,
            rows=table.iloc[order].reset_index(drop=True),
            cells=units.lonlat,
            sentences=sentences,
            categories=categories(everything),
        )

    def _distinct(self, counted: Incidents) -> np.ndarray:
        """Rows that are no repeat of an earlier report."""
        x, y = crs.transform_xy(counted.lon, counted.lat, crs.LONLAT, self.units.system)
        first = near_duplicates(
            x,
            y,
            counted.when_hours,
            counted.category,
            distance_m=self.rules.number("duplicate_distance_m"),
            hours=self.rules.number("duplicate_hours"),
        )
        return np.flatnonzero(first == np.arange(len(first)))

    def _rows(self, every: np.ndarray, exposure: np.ndarray, found: statistics.Hotspots) -> pd.DataFrame:
        units = self.units
        weight = np.nan_to_num(exposure)
        part = weight > 0
        share = weight / weight.sum() if part.any() else weight
        expected = every[part].sum() * share
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(expected > 0, every / expected, np.nan)
        test = found.test
        columns: dict[str, Any] = {"cell" if units.kind == "cell" else "code": units.codes}
        columns |= {name: units.frame[name].to_numpy() for name in units.frame.columns}
        columns |= {
            "lon": np.round(units.lon, 6),
            "lat": np.round(units.lat, 6),
            "count": every.astype(np.int64),
            "expected": _rounded(expected),
            "ratio": _rounded(ratio),
            "gi_z": _rounded(found.gi_z),
            "p": _rounded(test.p),
            "q": _rounded(found.q),
            "hot": found.hot,
            "cold": found.cold,
            "neighbourhood_count": test.neighbourhood_count,
            "neighbourhood_expected": _rounded(test.neighbourhood_expected),
            "few": test.neighbourhood_expected < self.rules.number("few_expected"),
        }
        return pd.DataFrame(columns)

    def _summary(
        self,
        everything: Incidents,
        picked: Chosen,
        incidents: Incidents,
        counted: Incidents,
        distinct: np.ndarray,
        found: statistics.Hotspots,
        exposure: np.ndarray,
        every: np.ndarray,
    ) -> dict[str, Any]:
        located = int(incidents.located.sum())
        piles = stacked(counted.lon, counted.lat, top=int(self.rules.number("stacked_top")))
        first, last = self._period(incidents) or (None, None)
        whole = everything.days()
        return {
            "units": len(self.units.codes),
            "hot": int(found.hot.sum()),
            "cold": int(found.cold.sum()),
            "outside": located - len(counted),
            "no_location": len(incidents) - located,
            "total": len(incidents),
            "incidents": len(incidents),
            "counted": len(counted),
            "duplicates": len(counted) - len(distinct),
            "stacked": round(piles.share * len(counted)),
            "stacked_share": round(piles.share, 4),
            "positions": piles.positions,
            "no_exposure": int(every[~(np.nan_to_num(exposure) > 0)].sum()),
            "without_day": picked.without_day,
            "without_hour": picked.without_hour,
            "first_day": first,
            "last_day": last,
            "data_first_day": whole[0] if whole else None,
            "data_last_day": whole[1] if whole else None,
            "dispersion": round(found.dispersion, 3),
            "test": "negative binomial" if found.clumping > 0 else "binomial",
        }

    def _period(self, incidents: Incidents) -> tuple[str, str] | None:
        """The days looked at: those asked for, else those there are."""
        there = incidents.days()
        first, last = self.chosen.date_from, self.chosen.date_to
        if there is None:
            return (first, last) if first and last else None
        return first or there[0], last or there[1]

    def _sentence(
        self, row: int, found: statistics.Hotspots, home: np.ndarray, counted: Incidents, distinct: np.ndarray
    ) -> Text:
        start, stop = self.units.neighbours.indptr[row : row + 2]
        around = self.units.neighbours.indices[start:stop]
        taking_part = ~np.isnan(found.q[around])
        kinds = pd.Series(counted.category[distinct[np.isin(home, around[taking_part])]]).value_counts()
        return hotspot_sentence(
            place=self.units.names[row],
            neighbours=int(taking_part.sum()) - 1,
            count=int(found.test.neighbourhood_count[row]),
            expected=float(found.test.neighbourhood_expected[row]),
            q=float(found.q[row]),
            exposure=EXPOSURES[self.exposure],
            period=period_words(self._period(counted)),
            chosen=self.chosen.words(),
            category=str(kinds.index[0]) if len(kinds) else None,
            of_category=int(kinds.iloc[0]) if len(kinds) else 0,
        )

    def _notes(self, picked: Chosen, found: statistics.Hotspots, exposure: tuple[Text, ...]) -> list[Text]:
        notes = [REPORTED, *self.units.notes, *exposure]
        notes.append(
            Text(
                f"是否热点由邻域计数检验决定，并对多重检验作 Benjamini-Hochberg 校正（q ≤ {self.rules.number('level'):g}）；Gi* 仅供对照。",
                f"Hot or cold is decided by the neighbourhood count test, Benjamini-Hochberg corrected (q <= {self.rules.number('level'):g}); Gi* is for comparison.",
            )
        )
        if found.clumping > 0:
            notes.append(
                Text(
                    f"事件有聚堆现象（离散指数 {found.dispersion:.2f}），已改用负二项检验，以免虚报。",
                    f"Incidents clump (dispersion {found.dispersion:.2f}); the negative binomial test keeps false alarms down.",
                )
            )
        if picked.without_day:
            notes.append(
                Text(
                    f"{picked.without_day} 起未记录日期，未计入。",
                    f"{picked.without_day} incidents without a day are left out.",
                )
            )
        if picked.without_hour:
            notes.append(
                Text(
                    f"{picked.without_hour} 起未记录时刻，未计入。",
                    f"{picked.without_hour} incidents without an hour are left out.",
                )
            )
        return notes


def _rounded(values: np.ndarray) -> np.ndarray:
    """Six significant digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = np.where(values == 0, 0, np.floor(np.log10(np.abs(values))))
    scale = 10.0 ** (_SIGNIFICANT - 1 - np.nan_to_num(digits, neginf=0.0))
    return np.where(np.isfinite(scale), np.round(values * scale) / scale, values)


def _without_numbers(result: HotspotResult, units: Units) -> HotspotResult:
    """The result with hot and cold only: no count, no figure a count could be worked out from."""
    rows = result.rows.copy()
    for name in _NUMBERS:
        rows[name] = None
    names = dict(zip(units.codes, units.names, strict=True))
    period = period_words(
        None if result.summary["first_day"] is None else (result.summary["first_day"], result.summary["last_day"])
    )
    # The order would tell how sure each is; by code it tells nothing.
    rows = rows.sort_values(["hot", "code"], ascending=[False, True], kind="stable").reset_index(drop=True)
    shown = {name: result.summary[name] for name in ("units", "hot", "cold", "first_day", "last_day")}
    hidden = dict.fromkeys(name for name in result.summary if name not in shown)
    made = {
        **result.provenance,
        "notes": [REPORTED.as_dict()],
        "layers": [
            {**each, "rows": None} if each["kind"] == "incident" else each for each in result.provenance["layers"]
        ],
    }
    return replace(
        result,
        provenance=made,
        summary=shown | hidden,
        rows=rows,
        sentences=[plain_sentence(names[code], period) for code in rows.loc[rows["hot"], "code"]],
        categories=[],
    )
