"""What a rule counts, worked out for every area: the step from layers to numerators, denominators and states."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo import coverage as figures
from geo.errors import InputError
from geo.words import Text

from ..kinds import KINDS
from ..places.areas import AreaSet, area_set
from ..places.carried import ESTIMATED, carried, restated
from ..rights import OWNER
from ..selection import frames
from .cameras import STATUS_NOTE, CameraFilter, read_cameras
from .rule_body import Rule, RuleSet
from .staffing import staff

if TYPE_CHECKING:
    from ..storage.store import Store


@dataclass(slots=True)
class Figures:
    """A rule worked out for all areas it applies to; rows are indexed by code."""

    rows: pd.DataFrame
    kinds: list[str]  # layers that went in
    notes: list[Text]
    not_applicable: int = 0
    outside: int = 0  # located rows (camera sites) in no unit
    no_location: int = 0  # rows without position
    total: int | None = None  # cameras counted, in and out of units; None when the rule counts no cameras
    outside_cameras: int = 0
    no_location_cameras: int = 0
    not_recorded: int = 0
    estimated: set[str] = field(default_factory=set)  # codes of areas whose figure was carried over in parts


def measure(
    store: "Store",
    rule_set: RuleSet,
    rule: Rule,
    unit: str,
    on: str,
    chosen: CameraFilter,
    camera_where: str | None = None,
    *,
    within: str | None = None,
) -> Figures:
    """Work out `rule` for all areas of `unit`: what there was on the day `on`, in the areas of the day `within`.

    `within` is `on` by default. What is recorded per area of another day is carried over and marked as estimated.
    """
    within = within or on
    areas = restated(store, unit, on, within)
    found = Figures(rows=pd.DataFrame(), kinds=[unit], notes=list(areas.notes))
    work = _Work(store, rule_set, rule, areas, on, within, chosen, camera_where, found)
    forms = {
        "count": work.count,
        "share": work.share,
        "rate": work.rate,
        "deficit": work.deficit,
        "floor_area": work.floor_area,
    }
    numerator, denominator, result = forms[rule.form]()
    frame = areas.frame
    rows = pd.DataFrame(
        {
            "code": frame.index.to_numpy(dtype=object),
            "name": frame["name"].to_numpy(dtype=object),
            "parent_code": frame["parent_code"].to_numpy(dtype=object),
            "value": result.value.to_numpy(),
            "required": result.required.to_numpy(),
            "shortfall": result.shortfall.to_numpy(),
            "state": result.state.to_numpy(dtype=object),
            "derived": frame["derived"].to_numpy(dtype=bool),
            "numerator": numerator.to_numpy(),
            "denominator": denominator.to_numpy(),
            "problem": np.where(result.state == figures.NO_DATA, frame["problem"], None),
            ESTIMATED: frame.index.isin(found.estimated),
        },
        index=frame.index,
    )
    concerned = applies(store, rule, frame)
    found.not_applicable = int((~concerned).sum())
    found.rows = rows[concerned]
    return found


Worked = tuple[pd.Series, pd.Series, figures.Coverage]
"""Numerator, denominator and the comparison, indexed by code."""


@dataclass(slots=True)
class _Work:
    """One rule on one set of areas; each form of rule is a method, notes and counts go to `found`."""

    store: "Store"
    rule_set: RuleSet
    rule: Rule
    areas: AreaSet
    on: str  # the day of what is counted
    within: str  # the day of the areas
    chosen: CameraFilter
    where: str | None
    found: Figures

    def count(self) -> Worked:
        """A number per area against a number."""
        if self.rule.numerator["layer"] == "camera":
            value = self.cameras()[0]
        else:
            value = self.fields(self.rule.numerator)
        result = figures.coverage(value, self.rule.threshold, at_least=self.rule.comparison == ">=")
        return value, pd.Series(1.0, index=value.index), result

    def share(self) -> Worked:
        """Part of a whole against a share."""
        if self.rule.numerator["layer"] == "camera":
            has, of = self.cameras()
        else:
            has, of = self.fields(self.rule.numerator), self.fields(self.rule.denominator)
        return has, of, figures.share_coverage(has, of, threshold=self.rule.threshold)

    def rate(self) -> Worked:
        """So many per head, rounded up."""
        has, of = self.fields(self.rule.numerator), self.fields(self.rule.denominator)
        needed = pd.Series(figures.required_count(of.where(of > 0), self.rule.threshold), index=of.index)
        return has, of, figures.coverage(has, needed)

    def deficit(self) -> Worked:
        """Cameras missing in a village when its own and its natural villages' standards are kept."""
        total = self.cameras()[0]
        natural = area_set(self.store, "natural_village", self.within)
        self.found.kinds.append("natural_village")
        inside = _Work(
            self.store,
            self.rule_set,
            self.rule,
            natural,
            self.on,
            self.within,
            self.chosen,
            self.where,
            Figures(pd.DataFrame(), [], []),
        ).cameras()[0]
        parent = self.areas.frame.index.get_indexer(natural.frame["parent_code"])
        unknown = inside.isna()
        if len(natural.frame) == 0:
            self.found.notes.append(
                Text(
                    "没有自然村图层，只按行政村标准计算。",
                    "There are no natural villages; only the village standard counts.",
                )
            )
        elif unknown.any():
            self.found.notes.append(
                Text(
                    f"{int(unknown.sum())} 个自然村没有可用位置，未计入。",
                    f"{int(unknown.sum())} natural villages without a usable position are left out.",
                )
            )
        parts = self.rule.parts
        lacking = figures.camera_deficit(
            total,
            inside.fillna(0.0),
            np.where(unknown, -1, parent),
            per_village=self.rule_set.rule(parts["per_village"]).threshold,
            per_natural=self.rule_set.rule(parts["per_natural"]).threshold,
        )
        value = pd.Series(lacking, index=total.index)
        return total, pd.Series(1.0, index=total.index), figures.coverage(value, self.rule.threshold, at_least=False)

    def floor_area(self) -> Worked:
        """Service floor area against a base area or so much per household."""
        frame = self.areas.frame
        base = frame["village_type"].map(self.rule.parts["base_m2"]).astype(float)
        households = _numbers(frame, "households")
        self.found.estimated |= set(frame.index[frame[ESTIMATED]])
        needed = figures.floor_area_required(households, base, per_household_m2=self.rule.threshold)
        facilities = frames.read_layer(
            self.store, "facility", OWNER, as_of=self.on, columns=self.rule.numerator["fields"]
        )
        self.found.kinds.append("facility")
        located = facilities[facilities.geometry.notna()]
        at = shapely.point_on_surface(located.geometry.array)
        home = self.areas.home(shapely.get_x(at), shapely.get_y(at))
        area = sum(
            (_numbers(located, name).fillna(0.0) for name in self.rule.numerator["fields"]),
            pd.Series(0.0, index=located.index),
        )
        inside = home >= 0
        summed = np.bincount(home[inside], weights=area.to_numpy()[inside], minlength=len(frame))
        self.found.outside = int((~inside).sum())
        self.found.no_location = len(facilities) - len(located)
        value = pd.Series(summed if len(facilities) else np.nan, index=frame.index).where(frame["problem"].isna())
        return value, households, figures.coverage(value, pd.Series(needed, index=frame.index))

    def cameras(self) -> tuple[pd.Series, pd.Series]:
        """Cameras that pass the rule's test, and those the test is asked of, per area by position."""
        table = read_cameras(self.store, self.on, self.where)
        self.found.kinds.append("camera")
        numerator, denominator = self.rule.numerator, self.rule.denominator
        keep = table.kept_by(self.chosen)
        if self.rule.form == "share":
            asked = table.passes(denominator) if denominator["layer"] == "camera" else np.ones(len(keep))
            passed = table.passes(numerator)
            whole = keep & (asked == 1.0)
            silent = whole & np.isnan(passed)
            whole &= ~silent
        else:
            # A status that was asked for takes the place of "working".
            measured = {**numerator, "test": "existing"} if self.chosen.statuses else numerator
            passed = table.passes(measured)
            if "planned" in self.chosen.statuses:
                passed = np.ones(len(keep))
            silent = keep & np.isnan(passed) & ("class" not in numerator)
            whole = keep & (passed == 1.0)
        part = whole & (passed == 1.0)
        home = self.areas.home(table.lon, table.lat)
        frame = self.areas.frame
        has = figures.cameras_per_area(np.where(part, home, -1), table.weight, len(frame)).astype(float)
        of = figures.cameras_per_area(np.where(whole, home, -1), table.weight, len(frame)).astype(float)
        located = np.isfinite(table.lon) & np.isfinite(table.lat)
        self._account(table.weight, whole, home, located, silent)
        if np.any(whole & ~table.recorded["status"]):
            self.found.notes.append(STATUS_NOTE)
        known = frame["problem"].isna()
        if self.where is None and not len(table.lon):
            known &= False
            self.found.notes.append(Text("该日期没有视频监控点记录。", "There are no camera records on this day."))
        return pd.Series(has, index=frame.index).where(known), pd.Series(of, index=frame.index).where(known)

    def _account(
        self, weight: np.ndarray, whole: np.ndarray, home: np.ndarray, located: np.ndarray, silent: np.ndarray
    ) -> None:
        """What became of every camera that counts: in a unit, outside all, without position, not recorded."""
        found, outside, nowhere = self.found, whole & located & (home < 0), whole & ~located
        found.outside, found.no_location = int(outside.sum()), int(nowhere.sum())
        found.outside_cameras, found.no_location_cameras = int(weight[outside].sum()), int(weight[nowhere].sum())
        found.total = int(weight[whole].sum())
        found.not_recorded = int(weight[silent].sum())
        if found.not_recorded:
            found.notes.append(
                Text(
                    f"{found.not_recorded} 台摄像机未记录该项，不计入分子和分母。",
                    f"{found.not_recorded} cameras do not say; they are in neither part of the share.",
                )
            )

    def fields(self, measure: dict[str, Any]) -> pd.Series:
        """Sum of recorded columns of the units, or of the staffing table, per area; NaN where none is recorded."""
        frame = self.areas.frame
        if measure["layer"] == "unit":
            unknown = [name for name in measure["fields"] if name not in frame]
            if unknown:
                raise InputError(
                    Text(
                        f"{KINDS[self.areas.kind].label.zh}没有字段“{unknown[0]}”。",
                        f"The layer {self.areas.kind} has no column '{unknown[0]}'.",
                    ),
                    where="unit",
                )
            self.found.estimated |= set(frame.index[frame[ESTIMATED]])
            return _sum(frame, measure["fields"])
        self.found.kinds.append("staffing")
        return self._head_counts(measure["fields"])

    def _head_counts(self, names: list[str]) -> pd.Series:
        """Figures recorded for the unit itself, else the sum of those of its villages or townships."""
        frame = self.areas.frame
        people = staff(self.store, self.areas.kind, self.on)
        own = _sum(people.counts, names)
        if self.on == self.within:
            result, guessed = own.reindex(frame.index), set(frame.index) & people.estimated
        else:
            over = carried(self.store, self.areas.kind, self.on, self.within)
            result, marked = over.apply(own)
            guessed = set(marked.index[marked])
            guessed |= {new for code in people.estimated for new in over.shares.get(code, ())}
        self.found.estimated |= guessed
        self.found.notes += people.notes
        below = {"township": "village", "county": "township"}.get(self.areas.kind)
        if below is None or not result.isna().any():
            return result
        children = area_set(self.store, below, self.within)
        lower = _Work(
            self.store, self.rule_set, self.rule, children, self.on, self.within, self.chosen, self.where, self.found
        )._head_counts(names)
        parents = children.frame["parent_code"]
        summed = lower.groupby(parents).sum(min_count=1).reindex(frame.index)
        above = set(parents[children.frame.index.isin(self.found.estimated)])
        self.found.estimated |= above & set(result.index[result.isna() & summed.notna()])
        return result.fillna(summed)


def _numbers(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column as float, NaN where nothing is recorded."""
    return pd.to_numeric(frame[name], errors="coerce").astype("float64")


def _sum(frame: pd.DataFrame, names: list[str]) -> pd.Series:
    """Sum of columns over those that are recorded; NaN when none is."""
    return pd.DataFrame({name: _numbers(frame, name) for name in names}, index=frame.index).sum(axis=1, min_count=1)


def applies(store: "Store", rule: Rule, frame: pd.DataFrame) -> pd.Series:
    """Which areas a rule is for; `frame` by code, with the columns urban_rural and village_type.

    An urban community is a residents' committee (digits of its 12-digit code) whose urban-rural class, where recorded,
    is urban. Without 12-digit codes the recorded village type and class decide.
    """
    chosen = pd.Series(True, index=frame.index)
    digits = rule.applies.get("committee_digits")
    first = rule.applies.get("urban_rural_first_digit")
    if digits is None and first is None:
        return chosen
    recorded_class = frame["urban_rural"].astype(object)
    urban_class = recorded_class.map(lambda value: str(value).startswith(str(first)), na_action="ignore")
    if store.codes == "cn12" and digits is not None:
        number = pd.to_numeric(frame.index.to_series().str.slice(9, 12), errors="coerce")
        chosen = pd.Series(False, index=frame.index)
        for low, high in digits:
            chosen |= number.between(low, high)
        return chosen & urban_class.astype(object).where(urban_class.notna(), True).astype(bool)
    urban_type = frame["village_type"].map(lambda value: str(value).startswith("urban"), na_action="ignore")
    stated = urban_type.where(urban_type.notna(), urban_class)
    return stated.where(stated.notna(), False).astype(bool)
