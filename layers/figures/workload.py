"""The workload of every grid on a day: households, incidents of the last days, area and key places in one index.

The norms (means per grid) are those of the whole layer, whichever part of it is looked at, so that a grid has one index
and not another one in every list. Incidents and key places count where they lie; on a common border in the grid with
the lower code. What a key place is, the weights and the period are data of the rule set.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo import crs
from geo.words import Text
from geo.workload import Scale, Weights, scale

from ..kinds import AREA_KINDS
from ..places.areas import area_set, metric_system
from ..rights import OWNER
from ..selection import frames
from ..storage.history import day, today
from ..storage.kept import kept
from .incidents import IncidentFilter, choose, read_incidents
from .rule_body import RuleSet
from .rules import workload_of

if TYPE_CHECKING:
    from ..storage.store import Store

SOURCES = (*AREA_KINDS, "incident", "facility", "key_area")
"""Layers the index is made from."""
FIGURES = ("households", "incidents", "area_m2", "key_places")


@dataclass(frozen=True, slots=True)
class Places:
    """What is counted by where it lies: coordinates in a metric system, one row each."""

    incidents: np.ndarray
    key_places: np.ndarray
    first_day: str  # of the incidents
    last_day: str


@dataclass(frozen=True, slots=True)
class Loads:
    """The workload of all grids of a day."""

    frame: (
        pd.DataFrame
    )  # index code; name, village, households (NaN not recorded), incidents, area_m2, key_places, index
    shapes: np.ndarray  # metric, in the order of `frame`
    crs: CRS
    scale: Scale
    places: Places
    notes: tuple[Text, ...]


def weights_of(rule_set: RuleSet) -> Weights:
    """The weights of a rule set."""
    return Weights(
        households=rule_set.number("workload_households"),
        incidents=rule_set.number("workload_incidents"),
        area=rule_set.number("workload_area"),
        key_places=rule_set.number("workload_key_places"),
        household_norm=rule_set.number("workload_household_norm"),
    )


def metric(store: "Store", on: str) -> CRS:
    """The metric system of the store on a day; zone 105E where there is no area at all."""
    found = metric_system(store, on)
    if found is not None:
        return found
    grids = area_set(store, "grid", on).frame
    shapes = grids.geometry.dropna()
    return crs.metric_crs(shapes.total_bounds) if len(shapes) else CRS.from_epsg(4544)


def places(store: "Store", on: date | str | None, rule_set: RuleSet) -> Places:
    """Incidents of the period that ends on a day (today at the latest), and key places of that day.

    All there are, whoever asks: for figures of whole areas only, behind the right to redraw.
    """
    known = store.versions(SOURCES)
    key = ("workload_places", day(on), str(today()), tuple(known.items()), _mark(rule_set))
    return kept(store).get(key, lambda: _places(store, day(on), rule_set))


def loads(store: "Store", on: date | str | None, rule_set: RuleSet) -> Loads:
    """Figures and index of all grids of a day, kept until a layer they come from changes."""
    known = store.versions(SOURCES)
    key = ("workload", day(on), str(today()), tuple(known.items()), _mark(rule_set))
    return kept(store).get(key, lambda: _loads(store, day(on), rule_set))


def count_in(shapes: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """How many points lie in each shape; one on a common border counts in the first of them."""
    points = shapely.points(xy)
    point, shape = shapely.STRtree(shapes).query(points, predicate="intersects")
    first = pd.Series(shape).groupby(point).min()
    return np.bincount(first.to_numpy(dtype=np.int64), minlength=len(shapes)).astype(np.float64)


def _mark(rule_set: RuleSet) -> tuple[str, int, str]:
    return rule_set.name, rule_set.version, rule_set.changed_at


def _places(store: "Store", on: str, rule_set: RuleSet) -> Places:
    into = metric(store, on)
    last = min(date.fromisoformat(on), today())
    first = last - timedelta(days=int(rule_set.number("workload_incident_days")) - 1)
    chosen = choose(
        read_incidents(store, OWNER), IncidentFilter(date_from=first.isoformat(), date_to=last.isoformat())
    ).incidents
    there = chosen.located
    incidents = np.column_stack(crs.transform_xy(chosen.lon[there], chosen.lat[there], crs.LONLAT, into))
    kinds = workload_of(rule_set)
    facilities = frames.read_layer(store, "facility", OWNER, as_of=on, columns=["type"])
    if kinds.facility_types:
        facilities = facilities[facilities["type"].isin(kinds.facility_types)]
    lonlat = [_middle(facilities.geometry.to_numpy())]
    if kinds.key_areas:
        lonlat.append(_middle(frames.read_layer(store, "key_area", OWNER, as_of=on, columns=[]).geometry.to_numpy()))
    at = np.concatenate(lonlat)
    key_places = np.column_stack(crs.transform_xy(at[:, 0], at[:, 1], crs.LONLAT, into))
    return Places(incidents, key_places, first.isoformat(), last.isoformat())


def _middle(shapes: np.ndarray) -> np.ndarray:
    """A point of each shape that has a place, lon/lat."""
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return shapely.get_coordinates(shapely.point_on_surface(shapes[there])).reshape(-1, 2)


def _loads(store: "Store", on: str, rule_set: RuleSet) -> Loads:
    areas = area_set(store, "grid", on).frame
    there = areas.geometry.notna().to_numpy()
    areas = areas[there]
    into = metric(store, on)
    shapes = crs.transform_geometries(areas.geometry.to_numpy(), crs.LONLAT, into)
    shapes = shapely.make_valid(shapes) if len(shapes) else shapes
    counted = places(store, on, rule_set)
    frame = pd.DataFrame(
        {
            "name": areas["name"],
            "village": areas["parent_code"],
            "households": pd.to_numeric(areas["households"], errors="coerce").astype("float64"),
            "incidents": count_in(shapes, counted.incidents),
            "area_m2": shapely.area(shapes),
            "key_places": count_in(shapes, counted.key_places),
        },
        index=areas.index,
    )
    figures = [frame[name].to_numpy() for name in FIGURES]
    measured = scale(*figures, weights=weights_of(rule_set))
    frame["index"] = measured.index(*figures)
    return Loads(frame, shapes, into, measured, counted, _notes(frame, counted))


def _notes(frame: pd.DataFrame, counted: Places) -> tuple[Text, ...]:
    notes = []
    missing = int(frame["households"].isna().sum())
    if len(frame) and missing == len(frame):
        notes.append(
            Text(
                "所有网格都没有户数，工作量不含户数一项。",
                "No grid records households; the index is made without them.",
            )
        )
    elif missing:
        notes.append(
            Text(
                f"{missing} 个网格没有户数，其工作量为无数据。",
                f"{missing} grids do not record households; they have no index.",
            )
        )
    if not len(counted.incidents):
        notes.append(
            Text(
                f"{counted.first_day} 至 {counted.last_day} 没有事件，工作量不含事件一项。",
                f"There are no incidents from {counted.first_day} to {counted.last_day}; the index is made without them.",
            )
        )
    if not len(counted.key_places):
        notes.append(
            Text("没有重点场所，工作量不含这一项。", "There are no key places; the index is made without them.")
        )
    return tuple(notes)
