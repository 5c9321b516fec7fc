"""Figures recorded for whole areas, carried over to the areas of another day.

Households are known per grid of their day only. For the areas of another day they are carried by lineage: the shares
that a decision recorded when it split or merged an area, else the share of land that went where. What was carried in
parts is an estimate and marked so; what was carried whole (an area that stayed, or merged with others) is not. Whole
numbers stay whole, and their sum stays what it was.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import select

from geo import crs
from geo.words import Text

from ..kinds import AREA_KINDS, KINDS
from ..storage import schema
from ..storage.history import hidden_changes
from ..storage.kept import kept
from .areas import AreaSet, area_set

if TYPE_CHECKING:
    from ..storage.store import Store

ESTIMATED = "estimated"
_WHOLE = 1e-9  # shares this close to 1 are all of it
_CRUMB = 1e-6  # of an area: less of it in another is rounding of the border they share

Shares = Mapping[str, Mapping[str, float]]
"""Old code -> new code -> share of the old area's figures; the shares of one code sum up to 1, or are empty."""


@dataclass(frozen=True, slots=True)
class Carried:
    """How the areas of one day go over into those of another."""

    codes: pd.Index  # of the other day
    shares: Shares

    def apply(self, figures: pd.Series) -> tuple[pd.Series, pd.Series]:
        """Figures by old code as figures by new code, and which of these are estimates.

        NaN where nothing recorded went. Whole numbers are dealt out whole (largest remainder, then lowest code).
        """
        values: dict[str, float] = defaultdict(float)
        guessed: set[str] = set()
        for code, value in figures.dropna().items():
            parts = self.shares.get(str(code), {})
            for new, amount in _dealt(float(value), parts).items():
                values[new] += amount
                if parts[new] < 1 - _WHOLE:
                    guessed.add(new)
        return (
            pd.Series(values, dtype="float64").reindex(self.codes),
            pd.Series(self.codes.isin(guessed), index=self.codes),
        )

    def lost(self, figures: pd.Series) -> float:
        """Sum of the figures of areas whose land has no successor."""
        return float(sum(value for code, value in figures.dropna().items() if not self.shares.get(str(code))))


def _dealt(value: float, parts: Mapping[str, float]) -> dict[str, float]:
    if not parts or not value.is_integer():
        return {code: value * share for code, share in parts.items()}
    dealt = {code: float(np.floor(value * share + _WHOLE)) for code, share in parts.items()}
    order = sorted(parts, key=lambda code: (dealt[code] - value * parts[code], code))
    for turn in range(round(value - sum(dealt.values()))):
        dealt[order[turn % len(order)]] += 1.0
    return dealt


def carried(store: "Store", kind: str, on: str, within: str) -> Carried:
    """How the areas of `kind` on the day `on` go over into those of the day `within`."""
    key = ("carried", kind, on, within, tuple(store.versions(AREA_KINDS).items()))
    return kept(store).get(key, lambda: _carried(store, kind, on, within))


def _carried(store: "Store", kind: str, on: str, within: str) -> Carried:
    old, new = area_set(store, kind, on).frame, area_set(store, kind, within).frame
    shares: dict[str, Mapping[str, float]] = {}
    both = old.index.intersection(new.index)
    same = (old["fid"].reindex(both) == new["fid"].reindex(both)).to_numpy(dtype=bool, na_value=False)
    # Another row may hold the same land under the same code: only other attributes were decided then.
    other = both[~same]
    alike = shapely.equals(old.geometry.reindex(other).to_numpy(), new.geometry.reindex(other).to_numpy())
    stays = both[same].union(other[alike])
    shares |= {code: {code: 1.0} for code in stays}
    moved = old.index.difference(stays)
    known = set(new.index)
    recorded = _recorded(store, kind, on, within) if on < within else {}
    by_land = []
    for code in moved:
        followed = _follow(code, recorded)
        if followed is not None and set(followed) <= known:
            shares[code] = followed
        else:
            by_land.append(code)
    if by_land:
        shares |= _by_land(old.loc[by_land], new)
    return Carried(new.index, shares)


def _recorded(store: "Store", kind: str, on: str, within: str) -> dict[str, dict[str, dict[str, float]]]:
    """Day -> old code -> new code -> share, as decisions recorded it between two days."""
    table = schema.lineage
    with store.read() as connection:
        rows = connection.execute(
            select(table)
            .where(
                table.c.level == kind,
                table.c.on > on,
                table.c.on <= within,
                table.c.change_id.not_in(hidden_changes(connection)),
            )
            .order_by(table.c.on, table.c.id)
        ).mappings()
        by_old: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            by_old.setdefault((row["on"], row["old_code"]), []).append(row)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (day, code), parts in by_old.items():
        # Shares of land and of households are not mixed.
        known = all(part["share_of_households"] is not None for part in parts)
        name = "share_of_households" if known else "share_of_area"
        shares = found.setdefault(day, {}).setdefault(code, {})
        for part in parts:
            shares[part["new_code"]] = shares.get(part["new_code"], 0.0) + float(part[name])
    return found


def _follow(code: str, recorded: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, float] | None:
    """Shares of a code through all days; None when nothing was recorded of it."""
    shares, told = {code: 1.0}, False
    for day in sorted(recorded):
        after: dict[str, float] = defaultdict(float)
        for old, share in shares.items():
            parts = recorded[day].get(old)
            if not parts:
                after[old] += share
                continue
            told = True
            whole = sum(parts.values())
            if whole < 1 - _WHOLE and old not in parts:
                # What is not said to have gone stays under the old code.
                after[old] += share * (1 - whole)
                whole = 1.0
            for new, part in parts.items():
                after[new] += share * part / whole
        shares = {new: share for new, share in after.items() if share > 0}
    return shares if told else None


def _by_land(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, Mapping[str, float]]:
    """Shares of land of each old area in the new ones; empty where none of it lies in any."""
    there = np.flatnonzero(new.geometry.notna().to_numpy())
    shares: dict[str, Mapping[str, float]] = {code: {} for code in old.index}
    placed = old[old.geometry.notna()]
    if not len(placed) or not len(there):
        return shares
    system = crs.metric_crs(shapely.total_bounds(placed.geometry.to_numpy()))
    lands = shapely.make_valid(crs.transform_geometries(placed.geometry.to_numpy(), crs.LONLAT, system))
    targets = shapely.make_valid(crs.transform_geometries(new.geometry.to_numpy()[there], crs.LONLAT, system))
    source, target = shapely.STRtree(targets).query(lands, predicate="intersects")
    common = shapely.area(shapely.intersection(lands[source], targets[target]))
    common[common < _CRUMB * shapely.area(lands)[source]] = 0.0
    whole = np.bincount(source, weights=common, minlength=len(lands))
    for row, at, area in zip(source, there[target], common, strict=True):
        if area > 0:
            parts = dict(shares[placed.index[row]])
            parts[new.index[at]] = float(area / whole[row])
            shares[placed.index[row]] = parts
    return shares


def restated(store: "Store", kind: str, on: str, within: str) -> AreaSet:
    """The areas of the day `within` with the figures that are recorded for the areas of the day `on`.

    The frame has a further column `estimated`. Notes tell how many areas hold estimates and what had to be left out.
    """
    there = area_set(store, kind, within)
    if on == within:
        return replace(there, frame=there.frame.assign(**{ESTIMATED: False}))
    key = ("restated", kind, on, within, tuple(store.versions(AREA_KINDS).items()))
    return kept(store).get(key, lambda: _restated(store, kind, on, within, there))


def countable(kind: str) -> list[str]:
    """Fields of an area kind that are counts and can be added up."""
    return [field.name for field in KINDS[kind].fields if field.dtype == "integer" and field.name != "code_year"]


def _restated(store: "Store", kind: str, on: str, within: str, there: AreaSet) -> AreaSet:
    before = area_set(store, kind, on).frame
    over = carried(store, kind, on, within)
    frame = there.frame.copy()
    frame[ESTIMATED] = False
    lost: list[tuple[str, float]] = []
    for name in countable(kind):
        figures = pd.to_numeric(before[name], errors="coerce").astype("float64")
        frame[name], guessed = over.apply(figures)
        frame[ESTIMATED] |= guessed.to_numpy()
        if over.lost(figures):
            lost.append((name, over.lost(figures)))
    notes = list(there.notes) + _notes(kind, on, within, int(frame[ESTIMATED].sum()), lost)
    return replace(there, frame=frame, notes=tuple(notes))


def _notes(kind: str, on: str, within: str, guessed: int, lost: list[tuple[str, float]]) -> list[Text]:
    label = KINDS[kind].label
    notes = []
    if guessed:
        notes.append(
            Text(
                f"{on} 的户数、人口等只按当时的{label.zh}登记；其中 {guessed} 个{label.zh}的数按 {within} 边界分摊，为估计数。",
                f"Households and the like of {on} are recorded per {label.en} of that day only; those of {guessed} "
                f"areas are shared out to the boundaries of {within} and are estimates.",
            )
        )
    for name, amount in lost:
        field = KINDS[kind].field(name).label
        notes.append(
            Text(
                f"{field.zh} {amount:,.0f} 所在的土地在 {within} 没有{label.zh}，未计入。",
                f"{field.en}: {amount:,.0f} on land without any {label.en} on {within} are left out.",
            )
        )
    return notes
