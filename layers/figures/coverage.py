"""Coverage: what each area has of what a rule asks, who falls short, and where the figure comes from.

Figures are always worked out by position (never from stored home columns), for all areas at once; a viewer's area
scope then picks rows, so that a camera on the border of a scope is never counted twice or lost. Roles that may not see
cameras get the same counts per village or township, but no filter that could single out a camera.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo import coverage as figures
from geo.errors import InputError, RightsError
from geo.words import Text

from ..kinds import KINDS
from ..rights import INTERNAL, Viewer
from ..selection import frames
from ..storage.history import Moment, day
from ..storage.kept import kept
from ..storage.known import as_known
from .boundary_modes import Boundaries, as_of_then, boundaries_of
from .cameras import CameraFilter
from .coverage_measures import Figures, measure
from .coverage_result import CoverageResult
from .coverage_tables import compared, totals
from .provenance import provenance
from .rule_body import Rule, RuleSet
from .rules import read_rule_set

if TYPE_CHECKING:
    from ..storage.store import Store

OPEN_UNITS = ("village", "township", "county")
"""Units whose camera counts are open to every role; smaller ones would come close to a camera's position."""


def coverage(
    store: "Store",
    viewer: Viewer,
    *,
    rule_id: str | None = None,
    rule_set: str | None = None,
    unit: str | None = None,
    as_of: date | str | None = None,
    against: date | str | None = None,
    boundaries: date | str | None = None,
    where: str | None = None,
    threshold: float | None = None,
    camera_filter: CameraFilter | None = None,
    known_on: Moment = None,
) -> CoverageResult:
    """Compare what areas have with what a rule asks.

    Parameters
    ----------
    rule_id
        By default cam_admin, or cam_natural for natural villages.
    rule_set
        Name of the rule set; by default the one of the store.
    unit
        village, natural_village, grid, township or county; by default the first of the rule's own that the store
        has and the role may ask for.
    against
        An earlier day to compare with.
    boundaries
        In whose boundaries to count: "then" (those of the day of each figure, the default), "today", or a day.
    where
        Filter on the columns of the unit; else, when it names none of them, on the columns of the cameras.
    threshold
        In place of the rule's.
    camera_filter
        Which cameras count.
    known_on
        A moment: the figure as it would have been made then (see `known`); "today" is the day of that moment.

    Raises
    ------
    InputError, NotFoundError, RightsError
        When an option cannot be used, there is no such rule, or the role may not ask for it.
    """
    store = as_known(store, known_on)
    chosen = read_rule_set(store, rule_set)
    rule = chosen.rule(rule_id or ("cam_natural" if unit == "natural_village" else "cam_admin"))
    if threshold is not None:
        rule = _with_threshold(rule, threshold)
    unit = unit or _own_unit(store, viewer, rule)
    if unit not in rule.units:
        listed = Text("、".join(KINDS[u].label.zh for u in rule.units), ", ".join(rule.units))
        raise InputError(
            Text(
                f"规则“{rule.label.zh}”不能按“{unit[:30]}”统计。",
                f"Rule '{rule.id}' cannot be worked out per {unit[:30]}.",
            ),
            where="unit",
            mend=Text(f"可用：{listed.zh}", f"There are: {listed.en}"),
        )
    on, earlier = day(as_of or store.today), None if against is None else day(against)
    within = boundaries_of(boundaries, on, default=as_of_then(on), today=store.today)
    chosen_cameras = camera_filter or CameraFilter()
    _require_right(viewer, rule, unit)
    unit_where, camera_where = _split_filter(store, viewer, unit, on, within.at(on), where)
    parameters = {
        "rule": rule.id,
        "unit": unit,
        "threshold": rule.threshold,
        "against": earlier,
        "boundaries": within.given,
        "where": where,
        "camera_filter": chosen_cameras.as_dict(),
    }
    key = (
        "coverage", tuple(sorted(store.versions().items())), viewer.cache_key, chosen.name, chosen.version, on,
        earlier, within, rule.id, rule.threshold, unit, where, chosen_cameras,
    )  # fmt: skip
    return kept(store).get(
        key,
        lambda: _result(
            store, viewer, chosen, rule, unit, on, earlier, within, unit_where, camera_where, chosen_cameras, parameters
        ),
    )


def _own_unit(store: "Store", viewer: Viewer, rule: Rule) -> str:
    """The first unit of a rule that there is and the role may ask for: a city may keep grids and no villages."""
    versions = store.versions(rule.units)
    there = [unit for unit in rule.units if versions[unit]]
    return next((unit for unit in there if _may_ask(viewer, rule, unit)), rule.units[0])


def _result(
    store: "Store",
    viewer: Viewer,
    chosen: RuleSet,
    rule: Rule,
    unit: str,
    on: str,
    earlier: str | None,
    within: Boundaries,
    unit_where: str | None,
    camera_where: str | None,
    chosen_cameras: CameraFilter,
    parameters: Mapping[str, Any],
) -> CoverageResult:
    now = measure(store, chosen, rule, unit, on, chosen_cameras, camera_where, within=within.at(on))
    rows = _visible_rows(store, viewer, unit, within.at(on), unit_where, now)
    limited = bool(viewer.areas) or unit_where is not None
    change = None
    notes = list(now.notes)
    if earlier is not None:
        at = within.at(earlier)
        then = measure(store, chosen, rule, unit, earlier, chosen_cameras, camera_where, within=at)
        rows, change = compared(rows, _visible_rows(store, viewer, unit, at, unit_where, then), earlier)
        notes += then.notes
    if rule.valid_from > on:
        notes.append(
            Text(
                f"该规则自 {rule.valid_from} 起施行，晚于统计日期。",
                f"The rule is in force from {rule.valid_from}, after the day of the figure.",
            )
        )
    if limited:
        notes.append(
            Text(
                "只统计所选或有权查看的区域；区域外和无位置的摄像机数只在查看全部时给出。",
                "Only chosen or permitted areas; cameras outside and without position are told for the whole only.",
            )
        )
    return CoverageResult(
        rule=rule,
        rule_set=chosen,
        unit=unit,
        as_of=on,
        boundaries=within,
        provenance=provenance(
            store,
            "layers.figures.coverage",
            as_of=on,
            boundaries=within,
            kinds=now.kinds,
            parameters=parameters,
            rule_set=chosen,
            rule=rule,
            notes=notes,
        ),
        summary=_summary(rows, now, limited),
        rows=rows,
        totals=totals(store, unit, within.at(on), rows),
        change=change,
    )


def _with_threshold(rule: Rule, threshold: float) -> Rule:
    most = 1.0 if rule.form == "share" else 1e9
    if not 0 <= threshold <= most:  # NaN fails too
        raise InputError(
            Text(f"门槛须为 0 至 {most:g} 的数。", f"The threshold must be a number from 0 to {most:g}."),
            where="threshold",
        )
    return replace(rule, threshold=float(threshold))


def _may_ask(viewer: Viewer, rule: Rule, unit: str) -> bool:
    return viewer.role in INTERNAL or rule.numerator["layer"] != "camera" or unit in OPEN_UNITS


def _require_right(viewer: Viewer, rule: Rule, unit: str) -> None:
    if not _may_ask(viewer, rule, unit):
        raise RightsError(
            Text(
                "您的角色只能查看按村或乡镇汇总的摄像机数。",
                "Your role sees camera counts per village or township only.",
            ),
            where="unit",
            mend=Text("请改为按村（社区）统计。", "Choose the village as unit."),
        )


def _split_filter(
    store: "Store", viewer: Viewer, unit: str, on: str, within: str, where: str | None
) -> tuple[str | None, str | None]:
    """Whether a filter speaks of the units or of the cameras."""
    if not where or not where.strip():
        return None, None
    try:
        frames.count_layer(store, unit, viewer, as_of=within, where=where)
    except InputError as wrong:
        if viewer.role not in INTERNAL:
            raise
        try:
            frames.count_layer(store, "camera", replace(viewer, areas=()), as_of=on, where=where)
        except InputError:
            raise wrong from None
        return None, where
    return where, None


def _visible_rows(
    store: "Store", viewer: Viewer, unit: str, on: str, where: str | None, found: Figures
) -> pd.DataFrame:
    """The rows the viewer may see and the filter keeps, ranked."""
    rows = found.rows
    if viewer.areas or where:
        seen = frames.read_layer(store, unit, viewer, as_of=on, where=where, columns=[], geometry=False)
        rows = rows[rows.index.isin(seen.index.astype(str))]
    order = figures.ranked(figures.Coverage(rows["value"], rows["required"], rows["shortfall"], rows["state"]))
    return rows.loc[order].reset_index(drop=True)


def _summary(rows: pd.DataFrame, found: Figures, limited: bool) -> dict[str, int | None]:
    """Counts over the rows; figures about cameras in no unit are told only when nothing limits the rows."""
    state = rows["state"]
    missing = int(rows.loc[state == figures.SHORT, "shortfall"].sum())
    summary: dict[str, int | None] = {
        "units": len(rows),
        "short": int((state == figures.SHORT).sum()),
        "cameras_missing": missing,
        "no_data": int((state == figures.NO_DATA).sum()),
        "outside": None if limited else found.outside,
        "no_location": None if limited else found.no_location,
        "met": int((state == figures.MET).sum()),
        "missing": missing,
        "not_applicable": found.not_applicable,
        "derived": int(rows["derived"].sum()),
    }
    if found.total is not None:
        summary |= {
            "cameras": None if limited else found.total,
            "outside_cameras": None if limited else found.outside_cameras,
            "no_location_cameras": None if limited else found.no_location_cameras,
            "not_recorded": None if limited else found.not_recorded,
        }
    return summary
