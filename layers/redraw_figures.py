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
from geo.shares import hand_out, land_shares
from geo.words import Text

from . import rights
from .decision_rows import AreaRow, NewArea, Replacement, values_of
from .kinds import KINDS
from .redraw_ground import context, to_lonlat
from .redraw_land import Session, Step
from .redraw_points import Points, camera_rule, points, rules_of
from .rule_body import Rule, RuleSet
from .workload import loads

if TYPE_CHECKING:
    from .rights import Viewer

COUNTS = {"cameras": "camera", "incidents": "incident", "key_places": "facility"}
"""Figure and the layer whose rights decide who sees it."""
_PEOPLE = ("households", "population")
Home = tuple[np.ndarray, np.ndarray]
"""Row numbers of points, and the code of the area each lies in."""


def features(
    session: Session, viewer: "Viewer", codes: Sequence[str] | None = None, *, locked: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """GeoJSON features of areas as they are now, lon/lat with nine decimals, figures as properties; all without `codes`.

    Words (`breaks`) are in both languages, see `in_language`.
    """
    listed = session.codes() if codes is None else sorted(codes)
    rows = figures(session, viewer, listed)
    fixed = frozenset(locked)
    before = session.ground.shapes
    return [
        {
            "type": "Feature",
            "id": code,
            "geometry": shapely.geometry.mapping(_lonlat(session, code)),
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


def figures(session: Session, viewer: "Viewer", codes: Sequence[str]) -> list[dict[str, Any]]:
    """The figures of some areas as they are now, in the order of `codes`."""
    if not len(codes):
        return []
    rules = rules_of(session.store)
    near = points(session.store, session.ground, rules)
    counts = _counts(session, near, codes)
    values = _values(session, codes)
    seen = [name for name, layer in COUNTS.items() if rights.allowed(layer, viewer).rows]
    rule = camera_rule(rules, session.ground.level) if "cameras" in seen else None
    area = shapely.area(np.array([session.shape(code) for code in codes], dtype=object))
    weights = loads(session.store, session.ground.on, rules).scale if session.ground.level == "grid" else None
    found = []
    for row, code in enumerate(codes):
        value, estimated = values[code]
        shown: dict[str, Any] = {
            "name": value.get("name"),
            "parent_code": value.get(KINDS[session.ground.level].parent),
            "kind": value.get("kind"),
            "area_m2": round(float(area[row]), 4),
            **{name: value.get(name) for name in _PEOPLE},
            "households_estimated": estimated,
            **{name: int(counts[name][row]) for name in seen},
        }
        if weights is not None and "incidents" in seen:
            households = np.nan if shown["households"] is None else shown["households"]
            index = weights.index(households, counts["incidents"][row], area[row], counts["key_places"][row])
            shown["workload"] = None if np.isnan(index) else round(float(index), 4)
        if rule is not None:
            shown |= _camera_state(rule, near, counts["cameras"][row])
        shown["breaks"] = _breaks(session, rules, rule, shown, value)
        found.append(shown)
    return found


def change_rows(session: Session, viewer: "Viewer", step: Step, *, back: bool = False) -> list[dict[str, Any]]:
    """The pieces of land that a step moved (`back`: that taking it back moves), with what stands on them.

    To be asked while the step is the last one; after it was taken back with `back`.
    """
    near = points(session.store, session.ground, rules_of(session.store))
    new = {code: shape for code, shape in step.outcome.shapes.items() if shape is not None}
    old = {code: shape for code, shape in step.before.items() if shape is not None}
    around = _around(session, [*old.values(), *new.values()], but={*old, *new})
    then, now = (
        _home(near, {**around, **dict(zip(part, to_lonlat(list(part.values()), session.crs), strict=True))})
        for part in (old, new)
    )
    moved = _moved(near, then, now)
    people = _people_moved(session, step, old)
    seen = [name for name, layer in COUNTS.items() if name != "key_places" and rights.allowed(layer, viewer).rows]
    rows = []
    pieces = to_lonlat([move.piece for move in step.outcome.moves], session.crs)
    for number, (move, piece) in enumerate(zip(step.outcome.moves, pieces, strict=True)):
        pair = (move.source, move.target)
        twins = [pieces[at] for at, each in enumerate(step.outcome.moves) if (each.source, each.target) == pair]
        own = sum(1 for each in step.outcome.moves[:number] if (each.source, each.target) == pair)
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
            row[name] = _on_piece(near, moved.get(pair, np.empty(0, dtype=np.int64)), name, twins, own)
        rows.append(row)
    return rows


def _lonlat(session: Session, code: str) -> shapely.Geometry:
    """An area as it is now, as it is stored and sent; remembered as long as the shape stays."""
    memory = session.memory.setdefault("lonlat", {})
    shape = session.shape(code)
    known = memory.get(code)
    if known is None or known[0] is not shape:
        known = memory[code] = (shape, to_lonlat([shape], session.crs)[0])
    return known[1]


# --- points


def _counts(session: Session, near: Points, codes: Sequence[str]) -> dict[str, np.ndarray]:
    """How many of each kind of point lie in each area."""
    shapes = {code: _lonlat(session, code) for code in codes}
    others = [] if len(codes) == len(session.codes()) else [session.shape(code) for code in codes]
    around = _around(session, others, but=shapes)
    if len(codes) == len(session.codes()):
        around = _context(session)
    at, home = _home(near, {**around, **shapes})
    number = pd.Series(np.arange(len(codes)), index=pd.Index(codes, dtype=object))
    row = number.reindex(home).to_numpy()
    inside = ~np.isnan(row)
    at, row = at[inside], row[inside].astype(np.int64)
    return {
        name: np.bincount(
            row[near.figure[at] == name], weights=near.weight[at[near.figure[at] == name]], minlength=len(codes)
        )
        for name in COUNTS
    }


def _around(session: Session, shapes: Sequence[shapely.Geometry], *, but: Iterable[str]) -> dict[str, shapely.Geometry]:
    """Areas that touch metric shapes, in the draft's land and outside it, lon/lat: they may own a common border."""
    left = set(but)
    found: set[str] = set()
    for partition in session.partitions.values():
        for shape in shapes:
            found.update(partition.near(shape))
    inside = {code: _lonlat(session, code) for code in found - left}
    return {**_context(session), **inside}


def _context(session: Session) -> dict[str, shapely.Geometry]:
    frame = context(session.store, session.ground)
    return dict(zip(frame.index, frame.geometry, strict=True))


def _home(near: Points, shapes: Mapping[str, shapely.Geometry]) -> Home:
    """The area each point lies in, for points that lie in any; of several the one with the lowest code."""
    codes = np.array(sorted(shapes), dtype=object)
    if not len(codes) or not len(near.places):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    array = np.array([shapes[code] for code in codes], dtype=object)
    shapely.prepare(array)
    area, point = near.tree.query(array, predicate="intersects")
    order = np.lexsort((area, point))
    area, point = area[order], point[order]
    first = np.r_[True, point[1:] != point[:-1]] if len(point) else np.empty(0, dtype=bool)
    return point[first], codes[area[first]]


def _moved(near: Points, then: Home, now: Home) -> dict[tuple[str, str], np.ndarray]:
    """Row numbers of the points that have another home now, by old and new one."""
    both = pd.DataFrame({"then": pd.Series(then[1], index=then[0]), "now": pd.Series(now[1], index=now[0])})
    both = both.dropna()
    both = both[both["then"] != both["now"]]
    return {pair: rows.index.to_numpy() for pair, rows in both.groupby(["then", "now"])}


def _on_piece(near: Points, rows: np.ndarray, name: str, pieces: list[shapely.Geometry], own: int) -> int:
    """Of the points that moved between two areas, those of a kind nearest to one of the pieces between them."""
    rows = rows[near.figure[rows] == name]
    if len(pieces) > 1 and len(rows):
        far = np.array([shapely.distance(near.places[rows], piece) for piece in pieces])
        rows = rows[far.argmin(axis=0) == own]
    return int(near.weight[rows].sum())


# --- people


def _values(session: Session, codes: Sequence[str]) -> dict[str, tuple[dict[str, Any], bool]]:
    """Fields of areas as approval would write them, and whether their households are an estimate."""
    frame, ground = session.frame, session.ground
    found: dict[str, tuple[dict[str, Any], bool]] = {}
    touched = session.touched()
    asked = [code for code in codes if code in touched]
    for code in codes:
        if code not in touched:
            found[code] = _row(session, code), False
    if not asked:
        return found
    # The areas of the beginning that the asked ones lie on, and all that lies on those now.
    old = _ground_near(session, [session.shape(code) for code in asked], touched)
    new: set[str] = set(asked)
    for code in old:
        group = ground.group_of[code]
        new.update(each for each in session.partition(group).near(ground.shapes[code], 0.0) if each in touched)
    shares = land_shares(
        {code: ground.shapes[code] for code in old}, {code: session.shape(code) for code in sorted(new)}
    )
    given = session.given()
    replacement = Replacement(
        ground.level,
        {
            code: AreaRow(int(frame.at[code, "fid"]), code, _row(session, code), ground.shapes[code], "", None, None, 0)
            for code in old
        },
        {code: NewArea(session.shape(code), given.get(code, {})) for code in {share.new for share in shares}},
        shares,
    )
    values = values_of(replacement)
    parted = {share.new for share in shares if share.share < 1 - 1e-9}
    for code in asked:
        found[code] = values[code], code in parted
    return found


def _ground_near(session: Session, shapes: Sequence[shapely.Geometry], touched: set[str]) -> list[str]:
    """Areas of the beginning that were changed since and overlap metric shapes."""
    codes = sorted(touched & set(session.ground.shapes))
    tree = shapely.STRtree([session.ground.shapes[code] for code in codes])
    hit = np.unique(tree.query(np.array(list(shapes), dtype=object), predicate="intersects")[1])
    return [codes[row] for row in hit]


def _row(session: Session, code: str) -> dict[str, Any]:
    """Recorded fields of an area of the beginning, None where nothing is recorded."""
    memory = session.memory.setdefault("rows", {})
    if code not in memory:
        names = KINDS[session.ground.level].names
        row = session.frame.loc[code, [name for name in names if name in session.frame]]
        memory[code] = {
            name: None if value is None or value is pd.NA or value != value else _plain(value)
            for name, value in row.items()
        }
        parent = KINDS[session.ground.level].parent
        memory[code][parent] = session.frame.at[code, "parent_code"]
    return memory[code]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _people_moved(session: Session, step: Step, old: Mapping[str, shapely.Geometry]) -> list[tuple[int | None, bool]]:
    """Households on each piece of a step by share of area, in whole numbers, and whether they are an estimate.

    What an area had before the step is shared out among its pieces and what is left of it.
    """
    moves = step.outcome.moves
    had = _households_before(session, step, old)
    found: list[tuple[int | None, bool]] = [(None, False)] * len(moves)
    for source in {move.source for move in moves}:
        rows = [row for row, move in enumerate(moves) if move.source == source]
        number, estimated = had.get(source, (None, False))
        if number is None:
            continue
        areas = [moves[row].area_m2 for row in rows]
        left = max(old[source].area - sum(areas), 0.0)
        whole = left < 1e-3 and len(rows) == 1
        dealt = hand_out(number, [*areas, 0.0 if left < 1e-3 else left])
        for row, households in zip(rows, dealt, strict=False):
            found[row] = households, estimated or not whole
    return found


def _households_before(
    session: Session, step: Step, old: Mapping[str, shapely.Geometry]
) -> dict[str, tuple[int | None, bool]]:
    """Households of the areas of a step as they were before it."""
    there = session.steps and session.steps[-1] is step
    if there:
        session.rewind(len(session.steps) - 1)
    try:
        values = _values(session, sorted(old))
    finally:
        if there:
            session.put_back(step)
    return {code: (value.get("households"), estimated) for code, (value, estimated) in values.items()}


# --- rules


def _camera_state(rule: Rule, near: Points, cameras: float) -> dict[str, Any]:
    value = float(cameras) if near.cameras_known else np.nan
    result = coverage.coverage(pd.Series([value]), rule.threshold, at_least=rule.comparison == ">=")
    missing = result.shortfall.iloc[0]
    return {
        "camera_required": float(result.required.iloc[0]),
        "camera_shortfall": None if np.isnan(missing) else int(missing),
        "camera_state": str(result.state.iloc[0]),
    }


def _breaks(
    session: Session, rules: RuleSet, rule: Rule | None, shown: Mapping[str, Any], value: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The rules an area breaks, with words in both languages."""
    found: list[dict[str, Any]] = []
    if rule is not None and shown["camera_state"] == coverage.SHORT:
        missing = shown["camera_shortfall"]
        found.append(
            _break(
                rule.id,
                f"{rule.label.zh}：缺 {missing} {rule.amount.zh}",
                f"{rule.label.en}: {missing} {rule.amount.en} missing",
            )
        )
    if session.ground.level != "grid":
        return found
    most = rules.number("workload_split_households")
    if shown["households"] is not None and shown["households"] > most:
        found.append(_break("households", f"户数超过 {most:g} 户", f"more than {most:g} households"))
    staff = [value.get(name) for name in ("workers_full", "workers_part")]
    if any(number is not None for number in _staff_of_layer(session)) and not sum(number or 0 for number in staff):
        found.append(_break("workers", "没有网格员", "no worker"))
    return found


def _break(rule: str, zh: str, en: str) -> dict[str, Any]:
    return {"rule": rule, "text": Text(zh, en).as_dict()}


def _staff_of_layer(session: Session) -> list[int | None]:
    """Largest recorded head counts of the layer: where nobody records workers, nobody lacks them."""
    if "staff" not in session.memory:
        names = [name for name in ("workers_full", "workers_part") if name in session.frame]
        most = [session.frame[name].max() if session.frame[name].notna().any() else None for name in names]
        session.memory["staff"] = [None if value is None else int(value) for value in most]
    return session.memory["staff"]
