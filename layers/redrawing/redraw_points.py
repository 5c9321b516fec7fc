"""Points that the figures of a draft count: cameras, incidents of the last days, key places; by position, in lon/lat.

A camera counts as the store's camera rule counts it. Incidents are those of the days the rule set names, up to today (or
up to the draft's day when that is earlier). What a key place is, is data of the rule set too.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.coverage import camera_weights
from geo.workload import Scale

from ..figures.cameras import read_cameras
from ..figures.incidents import IncidentFilter, choose, read_incidents
from ..figures.rule_body import Rule, RuleSet
from ..figures.rules import read_rule_set, workload_of
from ..figures.workload import loads
from ..rights import OWNER
from ..selection.frames import read_layer
from ..storage.history import today
from ..storage.kept import kept
from .redraw_ground import Ground, context

if TYPE_CHECKING:
    from ..storage.store import Store


@dataclass(frozen=True, slots=True)
class Points:
    """Points near a draft: what each stands for, by figure; `tree` finds them."""

    places: np.ndarray  # shapely points, lon/lat
    figure: np.ndarray  # object: cameras, incidents, key_places
    weight: np.ndarray
    tree: shapely.STRtree
    cameras_known: bool  # whether the store has any camera on that day


@dataclass(frozen=True, slots=True)
class Bearings:
    """What figures of one draft are measured with: rules, points, the norms of the index, areas around the land."""

    rules: RuleSet
    points: Points
    scale: Scale | None  # of the workload index; grids have one
    around: dict[str, shapely.Geometry]  # lon/lat, areas outside the draft that touch its land
    camera_states: dict[float, dict[str, Any]] = field(default_factory=dict)  # by count, as far as worked out


def bearings(store: "Store", land: Ground) -> Bearings:
    """The bearings of a draft's land, kept until a layer or the rule set changes."""
    rules = read_rule_set(store)
    key = (
        "redraw_bearings", land.level, land.on, land.bounds_lonlat, rules.name, rules.version, today(),
        tuple(sorted(store.versions().items())),
    )  # fmt: skip

    def make() -> Bearings:
        frame = context(store, land)
        weights = loads(store, land.on, rules).scale if land.level == "grid" else None
        return Bearings(rules, _read(store, land, rules), weights, dict(zip(frame.index, frame.geometry, strict=True)))

    return kept(store).get(key, make)


def camera_rule(rules: RuleSet, level: str) -> Rule | None:
    """The rule that says how many cameras an area of a level needs: cam_admin, else the first of its kind; or None."""
    fitting = [
        rule
        for rule in rules.rules
        if rule.form == "count" and rule.numerator["layer"] == "camera" and level in rule.units
    ]
    return next((rule for rule in fitting if rule.id == "cam_admin"), fitting[0] if fitting else None)


def incident_days(on: str, rules: RuleSet) -> tuple[str, str]:
    """First and last day of the incidents that count."""
    last = min(date.fromisoformat(on), today())
    return (last - timedelta(days=int(rules.number("workload_incident_days")) - 1)).isoformat(), last.isoformat()


def _read(store: "Store", land: Ground, rules: RuleSet) -> Points:
    lon, lat, figure, weight = [], [], [], []
    known = False
    if land.bounds_lonlat is not None:
        rule = camera_rule(rules, land.level)
        if rule is not None:
            table = read_cameras(store, land.on)
            known = len(table.lon) > 0
            inside = _within(table.lon, table.lat, land) & (table.passes(rule.numerator) == 1.0)
            lon.append(table.lon[inside])
            lat.append(table.lat[inside])
            weight.append(camera_weights(table.weight[inside]))
            figure.append(np.full(int(inside.sum()), "cameras", dtype=object))
        for name, at in (
            ("incidents", _incidents(store, land, rules)),
            ("key_places", _key_places(store, land, rules)),
        ):
            inside = _within(at[:, 0], at[:, 1], land)
            lon.append(at[inside, 0])
            lat.append(at[inside, 1])
            weight.append(np.ones(int(inside.sum())))
            figure.append(np.full(int(inside.sum()), name, dtype=object))
    nothing = np.empty(0)
    places = shapely.points(np.concatenate([nothing, *lon]), np.concatenate([nothing, *lat]))
    return Points(
        places=places,
        figure=np.concatenate([nothing.astype(object), *figure]),
        weight=np.concatenate([nothing, *weight]),
        tree=shapely.STRtree(places),
        cameras_known=known,
    )


def _within(lon: np.ndarray, lat: np.ndarray, land: Ground) -> np.ndarray:
    assert land.bounds_lonlat is not None
    west, south, east, north = land.bounds_lonlat
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _incidents(store: "Store", land: Ground, rules: RuleSet) -> np.ndarray:
    """Positions of the incidents of the last days, (n, 2) lon/lat."""
    first, last = incident_days(land.on, rules)
    chosen = choose(read_incidents(store, OWNER), IncidentFilter(date_from=first, date_to=last)).incidents
    return np.column_stack([chosen.lon[chosen.located], chosen.lat[chosen.located]])


def _key_places(store: "Store", land: Ground, rules: RuleSet) -> np.ndarray:
    """Where the key places of a rule set stand, (n, 2) lon/lat; what is no point stands in its middle."""
    kinds = workload_of(rules)
    facilities = read_layer(store, "facility", OWNER, as_of=land.on, columns=["type"])
    if kinds.facility_types:
        facilities = facilities[facilities["type"].isin(kinds.facility_types)]
    shapes = [facilities.geometry.to_numpy()]
    if kinds.key_areas:
        shapes.append(read_layer(store, "key_area", OWNER, as_of=land.on, columns=[]).geometry.to_numpy())
    listed = np.concatenate(shapes)
    there = ~(shapely.is_missing(listed) | shapely.is_empty(listed))
    return shapely.get_coordinates(shapely.point_on_surface(listed[there])).reshape(-1, 2)
