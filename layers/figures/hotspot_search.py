"""One search for hotspots: from incidents and units to tested rows, a summary and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from scipy import sparse

from geo import crs
from geo import hotspots as statistics
from geo.duplicates import near_duplicates, stacked
from geo.words import Text

from ..categories import category_words
from ..rights import Viewer
from .boundary_modes import Boundaries
from .coverage_tables import records
from .exposure import EXPOSURES, exposure_of
from .hotspot_counts import Counting, counting
from .hotspot_units import Units
from .hotspot_words import hotspot_sentence, period_words
from .incidents import Chosen, IncidentFilter, Incidents, categories, choose, read_incidents
from .provenance import Provenance, provenance
from .rule_body import RuleSet

if TYPE_CHECKING:
    from ..storage.store import Store

REPORTED = Text(
    "事件指已上报的事件；摄像机和网格员多的地方上报也多。",
    "Incidents are reported incidents; places with more cameras and grid workers report more.",
)
_SIGNIFICANT = 6  # digits of derived figures, the same on screen, in tables and in files
_MANY = 0.05  # share of hot units from which area is a poor thing to compare with


@dataclass(frozen=True, slots=True)
class HotspotResult:
    """Hot and cold units, hot ones first by how sure they are."""

    unit: str
    as_of: str
    boundaries: Boundaries
    provenance: Provenance
    summary: dict[str, Any]
    rows: pd.DataFrame  # code or cell, lon, lat, count, expected, ratio, gi_z, p, q, hot, cold, ...
    cells: GeoDataFrame | None  # shapes of the cells, EPSG:4490, by cell; None for areas
    sentences: list[Text]  # one per hot row, in the order of the rows
    ended: pd.DataFrame  # areas that are no more with their counts: code, name, parent_code, begins, ended_on, count
    categories: list[str]  # there are, most frequent first; empty for roles without incidents

    def as_json(self, language: str) -> dict[str, Any]:
        """The shape of `wangge hotspots --json`, with a sentence for each hot unit."""
        return {
            "unit": self.unit,
            "as_of": self.as_of,
            "provenance": self.provenance,
            "summary": dict(self.summary),
            "categories": [{"value": code, "label": category_words(code).to(language)} for code in self.categories],
            "sentences": [sentence.to(language) for sentence in self.sentences],
            "rows": records(self.rows),
            "ended": records(self.ended),
            "boundaries": self.boundaries.as_json(language),
            "known_on": self.provenance["known_on"],
        }


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked; `result` answers."""

    store: "Store"
    viewer: Viewer
    rules: RuleSet
    units: Units
    on: str
    within: Boundaries
    chosen: IncidentFilter
    exposure: str
    where: str | None

    def result(self, parameters: Mapping[str, Any]) -> HotspotResult:
        """Count, test and put into words."""
        units = self.units
        everything = read_incidents(self.store, self.viewer, as_of=self.on, where=self.where)
        picked = choose(everything, self.chosen)
        incidents = picked.incidents
        placed = counting(self.store, units, incidents, self.within, self.on, self._period(incidents))
        home = placed.home
        rows = np.flatnonzero(home >= 0)
        counted, home = incidents.at(rows), home[rows]
        distinct = self._distinct(counted)
        n = len(units.codes)
        every = np.bincount(home, minlength=n).astype(float)
        once = np.bincount(home[distinct], minlength=n).astype(float)
        exposed = exposure_of(self.store, self.exposure, self.on, units, within=self.within.on)
        exposure = exposed.per_unit if placed.stood is None else exposed.per_unit * placed.stood
        found = statistics.hot_and_cold(
            once,
            exposure,
            units.neighbours,
            level=self.rules.number("level"),
            dispersion_limit=self.rules.number("dispersion_limit"),
            min_count=self.rules.number("min_count"),
        )
        table = self._rows(every, exposure, found, exposed.estimated)
        # Where many are sure beyond measure (q is 0 to six digits) the strongest comes first.
        test = found.test
        excess = np.nan_to_num(test.neighbourhood_count / np.maximum(test.neighbourhood_expected, 1e-9))
        order = np.lexsort((table.iloc[:, 0].astype(str), -excess, table["q"].fillna(2.0), ~table["hot"]))
        summary = self._summary(everything, picked, incidents, counted, distinct, found, exposure, every, placed)
        hot = order[found.hot[order]]
        sentences = self._sentences(hot, found, home[distinct], counted.category[distinct], self._period(counted))
        return HotspotResult(
            unit=units.kind,
            as_of=self.on,
            boundaries=self.within,
            provenance=provenance(
                self.store,
                "layers.figures.hotspots",
                as_of=self.on,
                boundaries=self.within,
                kinds=[
                    "incident",
                    *(("county", "township", "village") if units.kind == "cell" else (units.kind,)),
                    *exposed.kinds,
                ],
                parameters=parameters,
                rule_set=self.rules,
                notes=self._notes(picked, found, (*placed.notes, *exposed.notes)),
            ),
            summary=summary,
            rows=table.iloc[order].reset_index(drop=True),
            cells=units.lonlat,
            sentences=sentences,
            ended=placed.ended,
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

    def _rows(
        self, every: np.ndarray, exposure: np.ndarray, found: statistics.Hotspots, estimated: np.ndarray
    ) -> pd.DataFrame:
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
        if units.kind != "cell":
            columns["estimated"] = estimated
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
        placed: Counting,
    ) -> dict[str, Any]:
        located = int(incidents.located.sum())
        piles = stacked(counted.lon, counted.lat, top=int(self.rules.number("stacked_top")))
        first, last = self._period(incidents) or (None, None)
        whole = everything.days()
        return {
            "units": len(self.units.codes),
            "hot": int(found.hot.sum()),
            "cold": int(found.cold.sum()),
            "outside": located - len(counted) - placed.in_ended,
            "ended": placed.in_ended,
            "ended_units": len(placed.ended),
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

    def _sentences(
        self,
        hot: np.ndarray,
        found: statistics.Hotspots,
        home: np.ndarray,
        category: np.ndarray,
        days: tuple[str, str] | None,
    ) -> list[Text]:
        """The sentence of each hot unit, in the order given."""
        near, part = self.units.neighbours, ~np.isnan(found.q)
        codes, words = pd.factorize(category, sort=False)
        known = (codes >= 0) & part[home]
        shape = (len(part), max(len(words), 1))
        each = sparse.csr_array((np.ones(int(known.sum())), (home[known], codes[known])), shape=shape)
        around = (near[hot] @ each).tocsr()
        neighbours = (near[hot] @ part.astype(float)).astype(int) - 1
        sentences = []
        for number, row in enumerate(hot):
            start, stop = around.indptr[number : number + 2]
            of_category = around.data[start:stop]
            most = int(of_category.argmax()) if stop > start else -1
            sentences.append(
                hotspot_sentence(
                    place=self.units.name_of(row),
                    neighbours=int(neighbours[number]),
                    count=int(found.test.neighbourhood_count[row]),
                    expected=float(found.test.neighbourhood_expected[row]),
                    q=float(found.q[row]),
                    exposure=EXPOSURES[self.exposure],
                    period=period_words(days),
                    chosen=self.chosen.words(),
                    category=category_words(str(words[around.indices[start + most]])) if most >= 0 else None,
                    of_category=int(of_category[most]) if most >= 0 else 0,
                )
            )
        return sentences

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
        if self.exposure == "area" and found.hot.mean() > _MANY:
            notes.append(
                Text(
                    "按面积比较时，有人居住的地方大多成为热点；要看住户之外的差异，请改按户数或人口比较。",
                    "By area most settlements come out hot; compare by households or population to see beyond that.",
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
    """Six significant digits; figures below 1e-290 are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        tiny = np.abs(values) < 1e-290
        digits = np.where(tiny | ~np.isfinite(values), 0.0, np.floor(np.log10(np.abs(values))))
        scale = 10.0 ** (_SIGNIFICANT - 1 - digits)
        return np.where(tiny, 0.0, np.round(values * scale) / scale)
