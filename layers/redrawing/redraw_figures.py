"""Figures of areas while they are redrawn: what each has, needs and breaks, for what changed only.

Cameras, incidents and key places are counted where they lie (on a common border: lowest code), households and
population follow the land by area in whole numbers whose sum stays, as they will when the draft is approved. The norms
of the workload index are those of the whole layer and are held while somebody draws.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo import coverage
from geo.words import Text

from .. import rights
from ..figures.rule_body import Rule, RuleSet
from ..kinds import KINDS
from . import communities, redraw_values
from .redraw_ground import to_lonlat
from .redraw_land import Session, Step
from .redraw_points import Bearings, Points, bearings, camera_rule

if TYPE_CHECKING:
    from ..rights import Viewer

COUNTS = {"cameras": "camera", "incidents": "incident", "key_places": "facility"}
"""Figure and the layer whose rights decide who sees it."""
_PEOPLE = ("households", "population")
_STAFF = ("workers_full", "workers_part")
Home = tuple[np.ndarray, np.ndarray]
"""Row numbers of points, and the code of the area each lies in."""


def features(
    session: Session,
    viewer: "Viewer",
    codes: Sequence[str] | None = None,
    *,
    locked: Iterable[str] = (),
    given: Bearings | None = None,
) -> list[dict[str, Any]]:
    """GeoJSON features of areas as they are now, lon/lat with nine decimals, figures as properties; all without `codes`.

    Words (`breaks`) are in both languages, see `in_language`. `given`: bearings when the caller has them already.
    """
    listed = session.codes() if codes is None else sorted(codes)
    rows = figures(session, viewer, listed, given=given)
    shapes = _lonlat(session, listed)
    fixed = frozenset(locked)
    before = session.ground.shapes
    return [
        {
            "type": "Feature",
            "id": code,
            "geometry": shapely.geometry.mapping(shapes[code]),
            "properties": {
                "code": code,
                "locked": code in fixed,
                "editable": session.group(code) not in session.refusals,
                "changed": code not in before or before[code] is not session.shape(code),
                **row,
            },
        }
        for code, row in zip(listed, rows, strict=True)
    ]


def in_language(feature: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A feature of `features` with its words in one language."""
    broken = [
        each | {"text": Text.from_dict(each["text"]).to(language)} for each in feature["properties"].get("breaks", ())
    ]
    return {**feature, "properties": {**feature["properties"], "breaks": broken}}


def figures(
    session: Session, viewer: "Viewer", codes: Sequence[str], *, given: Bearings | None = None
) -> list[dict[str, Any]]:
    """The figures of some areas as they are now, in the order of `codes`."""
    if not len(codes):
        return []
    known = given or bearings(session.store, session.ground)
    counts = _counts(session, known, codes)
    values = redraw_values.values(session, codes)
    seen = [name for name, layer in COUNTS.items() if rights.allowed(layer, viewer).rows]
    level = session.ground.level
    rule = camera_rule(known.rules, level) if "cameras" in seen else None
    area = shapely.area(np.array([session.shape(code) for code in codes], dtype=object))
    households = np.array([np.nan if (n := values[code][0].get("households")) is None else n for code in codes])
    load = None
    if known.scale is not None and "incidents" in seen:
        load = known.scale.index(households, counts["incidents"], area, counts["key_places"])
    cameras = None if rule is None else _camera_states(rule, known, counts["cameras"])
    staffed = _staffed(session)
    too_large = _communities(session, known.rules, {code: values[code][0] for code in codes})
    found = []
    for row, code in enumerate(codes):
        value, estimated = values[code]
        shown: dict[str, Any] = {
            "name": value.get("name"),
            "parent_code": value.get(KINDS[level].parent),
            "kind": value.get("kind"),
            "area_m2": round(float(area[row]), 4),
            **{name: value.get(name) for name in _PEOPLE},
            "households_estimated": estimated,
            **{name: int(counts[name][row]) for name in seen},
        }
        if load is not None:
            shown["workload"] = None if np.isnan(load[row]) else round(float(load[row]), 4)
        if cameras is not None:
            shown |= cameras[row]
        shown["breaks"] = _breaks(level, known.rules, rule, shown, value, staffed=staffed) + too_large.get(code, [])
        found.append(shown)
    return found


def change_rows(
    session: Session, viewer: "Viewer", step: Step, *, back: bool = False, given: Bearings | None = None
) -> list[dict[str, Any]]:
    """The pieces of land that a step moved (`back`: that taking it back moves), with what stands on them.

    To be asked while the step is the last one; after it was taken back with `back`.
    """
    known = given or bearings(session.store, session.ground)
    near = known.points
    new = {code: shape for code, shape in step.outcome.shapes.items() if shape is not None}
    old = {code: shape for code, shape in step.before.items() if shape is not None}
    around = _around(session, known, [*old.values(), *new.values()], but={*old, *new})
    then, now = (
        _home(near, {**around, **dict(zip(part, to_lonlat(list(part.values()), session.crs), strict=True))})
        for part in (old, new)
    )
    moved = _moved(then, now)
    people = redraw_values.households_moved(session, step)
    seen = [name for name, layer in COUNTS.items() if name != "key_places" and rights.allowed(layer, viewer).rows]
    moves = step.outcome.moves
    pairs = [(move.source, move.target) for move in moves]
    pieces = to_lonlat([move.piece for move in moves], session.crs)
    rows = []
    for number, (move, piece) in enumerate(zip(moves, pieces, strict=True)):
        pair = pairs[number]
        twins = [pieces[at] for at, each in enumerate(pairs) if each == pair]
        households, estimated = people[number]
        ends = pair[::-1] if back else pair
        row = {
            "from": ends[0],
            "to": ends[1],
            "area_m2": move.area_m2,
            "households": households,
            "households_estimated": estimated,
            "piece": shapely.geometry.mapping(piece),
        }
        for name in seen:
            row[name] = _on_piece(near, moved.get(pair, []), name, twins, pairs[:number].count(pair))
        rows.append(row)
    return rows


def _lonlat(session: Session, codes: Iterable[str]) -> dict[str, shapely.Geometry]:
    """Areas as they are now, as they are stored and sent; remembered as long as the shape stays."""
    memory: dict[str, tuple[shapely.Geometry, shapely.Geometry]] = session.memory.setdefault("lonlat", {})
    listed = list(codes)
    shapes = {code: session.shape(code) for code in listed}
    stale = [code for code in listed if code not in memory or memory[code][0] is not shapes[code]]
    if stale:
        turned = to_lonlat([shapes[code] for code in stale], session.crs)
        memory.update({code: (shapes[code], lonlat) for code, lonlat in zip(stale, turned, strict=True)})
    return {code: memory[code][1] for code in listed}


# --- points


def _counts(session: Session, known: Bearings, codes: Sequence[str]) -> dict[str, np.ndarray]:
    """How many of each kind of point lie in each area."""
    near = known.points
    if len(codes) == len(session.codes()):
        around = known.around
    else:
        around = _around(session, known, [session.shape(code) for code in codes], but=codes)
    at, home = _home(near, {**around, **_lonlat(session, codes)})
    number = {code: row for row, code in enumerate(codes)}
    row = np.array([number.get(code, -1) for code in home], dtype=np.int64)
    at, row = at[row >= 0], row[row >= 0]
    figure, weight = near.figure[at], near.weight[at]
    return {
        name: np.bincount(row[figure == name], weights=weight[figure == name], minlength=len(codes)) for name in COUNTS
    }


def _around(
    session: Session, known: Bearings, shapes: Sequence[shapely.Geometry], *, but: Iterable[str]
) -> dict[str, shapely.Geometry]:
    """Areas that touch metric shapes, in the draft's land and outside it, lon/lat: they may own a common border."""
    found: set[str] = set()
    for partition in session.partitions.values():
        for shape in shapes:
            found.update(partition.near(shape))
    return {**known.around, **_lonlat(session, sorted(found - set(but)))}


def _home(near: Points, shapes: Mapping[str, shapely.Geometry]) -> Home:
    """The area each point lies in, for points that lie in any (ascending); of several the one with the lowest code."""
    codes = np.array(sorted(shapes), dtype=object)
    if not len(codes) or not len(near.places):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    array = np.array([shapes[code] for code in codes], dtype=object)
    # Not prepared for later: what lies around is shared between threads, and a prepared shape is not safe to be.
    area, point = near.tree.query(array, predicate="intersects")
    order = np.lexsort((area, point))
    area, point = area[order], point[order]
    first = np.r_[True, point[1:] != point[:-1]] if len(point) else np.empty(0, dtype=bool)
    return point[first], codes[area[first]]


def _moved(then: Home, now: Home) -> dict[tuple[str, str], list[int]]:
    """Row numbers of the points that have another home now, by old and new one."""
    both, before, after = np.intersect1d(then[0], now[0], assume_unique=True, return_indices=True)
    old, new = then[1][before], now[1][after]
    found: dict[tuple[str, str], list[int]] = {}
    for row in np.flatnonzero(old != new):
        found.setdefault((old[row], new[row]), []).append(int(both[row]))
    return found


def _on_piece(near: Points, moved: list[int], name: str, pieces: list[shapely.Geometry], own: int) -> int:
    """Of the points that moved between two areas, those of a kind nearest to one of the pieces between them."""
    rows = np.array(moved, dtype=np.int64)
    rows = rows[near.figure[rows] == name]
    if len(pieces) > 1 and len(rows):
        far = np.array([shapely.distance(near.places[rows], piece) for piece in pieces])
        rows = rows[far.argmin(axis=0) == own]
    return int(near.weight[rows].sum())


# --- rules


def _camera_states(rule: Rule, known: Bearings, cameras: np.ndarray) -> list[dict[str, Any]]:
    """What each number of cameras comes to under the rule."""
    fresh = [count for count in dict.fromkeys(cameras.tolist()) if count not in known.camera_states]
    if fresh:
        value = pd.Series(fresh if known.points.cameras_known else np.nan, index=range(len(fresh)), dtype="float64")
        result = coverage.coverage(value, rule.threshold, at_least=rule.comparison == ">=")
        for count, needs, missing, state in zip(fresh, result.required, result.shortfall, result.state, strict=True):
            known.camera_states[count] = {
                "camera_required": needs,
                "camera_shortfall": None if np.isnan(missing) else int(missing),
                "camera_state": state,
            }
    return [known.camera_states[count] for count in cameras.tolist()]


def _breaks(
    level: str,
    rules: RuleSet,
    rule: Rule | None,
    shown: Mapping[str, Any],
    value: Mapping[str, Any],
    *,
    staffed: bool,
) -> list[dict[str, Any]]:
    """The rules an area breaks, with words in both languages."""
    found: list[dict[str, Any]] = []
    if rule is not None and shown["camera_state"] == coverage.SHORT:
        missing = shown["camera_shortfall"]
        zh, en = rule.label.zh, rule.label.en
        found.append(
            _break(rule.id, f"{zh}：缺 {missing} {rule.amount.zh}", f"{en}: {rule.amount.en} missing: {missing}")
        )
    if level != "grid":
        return found
    most = rules.number("workload_split_households")
    if shown["households"] is not None and shown["households"] > most:
        found.append(_break("households", f"户数超过 {most:g} 户", f"more than {most:g} households"))
    if staffed and not sum(value.get(name) or 0 for name in _STAFF):
        found.append(_break("workers", "没有网格员", "no worker"))
    return found


def _communities(
    session: Session, rules: RuleSet, values: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Rules on the size of urban communities that villages break, by code."""
    if session.ground.level != "village":
        return {}
    begun = set(values) - set(session.ground.shapes)
    made = communities.converted(step.operation for step in session.steps)
    return communities.broken(session.store, rules, values, begun=begun, made=made)


def _break(rule: str, zh: str, en: str) -> dict[str, Any]:
    return {"rule": rule, "text": Text(zh, en).as_dict()}


def _staffed(session: Session) -> bool:
    """Whether the layer records workers at all: where nobody does, nobody lacks them."""
    if "staffed" not in session.memory:
        frame = session.frame
        session.memory["staffed"] = any(name in frame and frame[name].notna().any() for name in _STAFF)
    return session.memory["staffed"]
