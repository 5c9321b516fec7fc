"""What a draft would write into the layers: worked out before the transaction, on the boundaries of its day.

The plan says which versions of the area layers it was made on. Whoever writes it compares them inside the transaction
and plans again when they differ, so that checks and rows are always of the same boundaries.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import Connection, select

from geo import crs
from geo.errors import ConflictError, InputError
from geo.refusals import RefusedError
from geo.shares import land_shares
from geo.words import Text

from ..kinds import AREA_KINDS
from ..redrawing import redraw_session
from ..redrawing.decision_rows import AreaRow, NewArea, Replacement, read_rows
from ..redrawing.draft import Draft
from ..redrawing.redraw_ground import to_lonlat
from ..redrawing.redraw_land import Session
from ..storage import schema
from ..storage.history import clock
from . import village_decisions

if TYPE_CHECKING:
    from ..storage.store import Store

LEVELS = ("township", "village", "natural_village", "grid")
"""Kinds of area a decision may write."""
_SAME_M = 0.001


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows that end and begin, kind by kind from the level that was drawn downwards, and what it was worked out on."""

    versions: Mapping[str, int]
    replacements: tuple[Replacement, ...]

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees of all land concerned."""
        shapes = [row.shape for each in self.replacements for row in each.old.values() if row.shape is not None]
        shapes += [area.shape for each in self.replacements for area in each.new.values() if area.shape is not None]
        west, south, east, north = shapely.total_bounds(shapes)
        return float(west), float(south), float(east), float(north)


def versions(connection: Connection) -> dict[str, int]:
    """Version of each area layer as this transaction sees it."""
    table = schema.layer_version
    found = {row.kind: row.version for row in connection.execute(select(table.c.kind, table.c.version))}
    return {kind: found.get(kind, 0) for kind in AREA_KINDS}


def plan(store: "Store", draft: Draft) -> Plan:
    """Draw a draft on the boundaries of its `effective_from` and work out the rows.

    Raises
    ------
    ConflictError
        The boundaries it builds on changed, or a later decision ends one of the areas: says which, by whom, when.
    InputError
        Nothing was drawn, or everything was taken back again.
    RefusedError
        The land would not be divided exactly.
    """
    on = draft.effective_from
    with store.read() as connection:
        known = versions(connection)
    with redraw_session.held(store, draft) as session:
        old, new = session.replaced()
        if not session.is_valid() or session.area_change_of(session.steps):
            raise RefusedError("not_exact")
        rest = _rounded(session) if session.ground.snapped.grids else {}
        given, metric = session.given(), session.crs
    if not old and not new:
        raise InputError(
            Text("草案没有改动任何边界。", "The draft changes no boundary."),
            where=str(draft.id),
            mend=Text("请先画出变更。", "Draw the change first."),
        )
    for code, shape in rest.items():
        if code not in new:
            old[code] = new[code] = shape
    with store.read() as connection:
        rows = read_rows(connection, draft.level, on, old)
        if not draft.correction:
            require_last(connection, rows)
    codes = sorted(new)
    shapes = to_lonlat([new[code] for code in codes], metric)
    first = Replacement(
        draft.level,
        rows,
        {code: NewArea(shape, given.get(code, {})) for code, shape in zip(codes, shapes, strict=True)},
        tuple(land_shares(old, new)),
    )
    below = () if draft.correction else village_decisions.follow(store, on, first, new, metric)
    if not draft.correction:
        with store.read() as connection:
            for each in below:
                require_last(connection, each.old)
    return Plan(known, (first, *below))


def _rounded(session: Session) -> dict[str, shapely.Geometry]:
    """Areas of the groups drawn in whose stored shape is not on the centimetre grid: it is written rounded, too.

    Else the neighbours of what is written would no longer fit to it. What the session says it moved (`snapped`) is
    what this writes.
    """
    found: dict[str, shapely.Geometry] = {}
    codes = [code for group in {step.group for step in session.steps} for code in session.ground.groups[group]]
    with session.store.read() as connection:
        stored = read_rows(connection, session.ground.level, session.ground.on, codes)
    ended = {code for code in session.touched() if session.group(code) is None}
    for code, row in stored.items():
        if code in ended or row.shape is None:
            continue
        metric = crs.transform_geometries([row.shape], crs.LONLAT, session.crs)
        moved = np.abs(shapely.get_coordinates(metric) - np.round(shapely.get_coordinates(metric), 2))
        if len(moved) and moved.max() > _SAME_M:
            found[code] = session.ground.shapes[code]
    return found


def require_last(connection: Connection, rows: Mapping[str, AreaRow]) -> None:
    """ConflictError when an act ends one of the rows later: decisions on an area follow each other in time."""
    later = sorted((row for row in rows.values() if row.valid_to is not None), key=lambda row: row.code)
    if later:
        act = who(connection, later[0].closed_by)
        raise ConflictError(
            Text(
                f"{_listed(later, '、')} 自 {later[0].valid_to} 起已有另一项变更：{act.zh}。",
                f"{_listed(later, ', ')} change again on {later[0].valid_to}: {act.en}.",
            ),
            where=", ".join(row.code for row in later[:20]),
            mend=Text(
                "请改用更晚的生效日期，或先撤回后一项决定。",
                "Choose a later day, or withdraw the later decision first.",
            ),
        )


def _listed(rows: Iterable[AreaRow], between: str) -> str:
    codes = [row.code for row in rows]
    return between.join(codes[:5]) + (" …" if len(codes) > 5 else "")


def who(connection: Connection, change_id: int | None) -> Text:
    """Who did a change, when, and the title of its decision."""
    change, draft = schema.change, schema.draft
    row = connection.execute(
        select(change.c.actor, change.c.closed_at, draft.c.title)
        .select_from(change.outerjoin(draft, draft.c.change_id == change.c.id))
        .where(change.c.id == change_id)
    ).first()
    if row is None:
        return Text("来历不明", "unknown")
    title_zh, title_en = (f"“{row.title}”，", f"'{row.title}', ") if row.title else ("", "")
    at = clock(row.closed_at) if row.closed_at else ""
    return Text(f"{title_zh}{row.actor}，{at}", f"{title_en}{row.actor}, {at}")
