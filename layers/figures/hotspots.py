"""Hotspots: where reported incidents cluster more, or less, than the land, households or people explain.

Per unit the reported incidents, those expected by the exposure, Gi* for comparison, and the neighbourhood count test
that alone decides hot or cold (`geo.hotspots`). Near-duplicates are collapsed before the test; `count` still shows every
report. Incidents are what was reported, not what happened: places with more cameras and grid workers report more.

Roles without incidents see which villages are hot or cold, for the whole period and without any number or filter.
"""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from geo.errors import RightsError
from geo.words import Text

from ..rights import INTERNAL, Viewer
from ..storage.history import Moment, day
from ..storage.kept import kept
from ..storage.known import as_known
from .boundary_modes import THEN, boundaries_of, of_day
from .exposure import default_exposure, require_exposure
from .hotspot_search import REPORTED, HotspotResult, Search
from .hotspot_units import Units, units_of
from .hotspot_words import period_words, plain_sentence
from .incidents import IncidentFilter
from .rules import read_rule_set

if TYPE_CHECKING:
    from ..storage.store import Store

DEFAULT_CELL_M = 500.0
_NUMBERS = ("count", "expected", "ratio", "gi_z", "p", "q", "neighbourhood_count", "neighbourhood_expected", "few")


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
    boundaries: date | str | None = None,
    where: str | None = None,
    rule_set: str | None = None,
    known_on: Moment = None,
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
        area, households or population: what the expected counts follow; by default the best that is recorded.
    boundaries
        In whose boundaries to count: "then" (each incident in the area of its own day), "today", or a day; by default
        those of `as_of`. Cells are the same on every day; the outline they fill is that of the day.
    where
        Filter on the columns of the incidents.
    known_on
        A moment: the figure as it would have been made then (see `known`); "today" is the day of that moment.

    Raises
    ------
    InputError, RightsError
        When an option cannot be used, or the role may not ask for it.
    """
    inside = viewer.role in INTERNAL
    chosen = IncidentFilter.of(date_from, date_to, category, weekdays, hours)
    unit = unit or ("cell" if inside else "village")
    if not inside:
        _require_plain(unit, chosen, exposure, where, boundaries, known_on)
    store = as_known(store, known_on)
    rules = read_rule_set(store, rule_set)
    on = day(as_of or store.today)
    within = boundaries_of(boundaries, on, default=of_day(on, store.today), today=store.today)
    if unit == "cell" and within.mode == THEN:
        within = of_day(on, store.today)
    exposure = require_exposure(exposure) if exposure else default_exposure(store, on)
    width = float(cell_m or DEFAULT_CELL_M)
    parameters = {
        "unit": unit,
        "cell_m": width if unit == "cell" else None,
        "exposure": exposure,
        "boundaries": within.given,
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
        width, chosen, exposure, within, where,
    )  # fmt: skip
    # Who may not see incidents gets figures made from them, in the same areas, with every number taken out.
    reader = viewer if inside else replace(viewer, role="planner")

    def make() -> HotspotResult:
        tolerance_m = rules.number("neighbour_tolerance_m")
        units = units_of(store, reader, unit, within.on, cell_m=width, tolerance_m=tolerance_m)
        work = Search(store, reader, rules, units, on, within, chosen, exposure, where)
        return work.result(parameters) if inside else _without_numbers(work.result(parameters), units)

    return kept(store).get(key, make)


def _require_plain(
    unit: str,
    chosen: IncidentFilter,
    exposure: str | None,
    where: str | None,
    boundaries: date | str | None,
    known_on: Moment,
) -> None:
    """Roles without incidents ask for villages as a whole; any filter could be played against another."""
    if unit != "village" or chosen != IncidentFilter() or exposure or where or boundaries or known_on:
        raise RightsError(
            Text(
                "您的角色只能查看各村是否为热点，不能筛选。", "Your role sees which villages are hot, without filters."
            ),
            where="hotspots",
            mend=Text("请改为按村（社区）查看，并去掉筛选。", "Choose the village as unit and remove the filters."),
        )


def _without_numbers(result: HotspotResult, units: Units) -> HotspotResult:
    """The result with hot and cold only: no count, no figure a count could be worked out from."""
    rows = result.rows.copy()
    for name in _NUMBERS:
        rows[name] = None
    row_of = dict(zip(units.codes, range(len(units.codes)), strict=True))
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
        sentences=[plain_sentence(units.name_of(row_of[code]), period) for code in rows.loc[rows["hot"], "code"]],
        categories=[],
    )
