"""Whether the boundaries below a draft are still those it was drawn on; if not, what changed, by whom, when.

Areas whose land the draft does not change may change as they like. The others must have the land they had when they
were first drawn on: else the draft has to be put on the new boundaries first (rebase). Modelling decision: a vertex
more on a border, put there because a border of somebody else's draft ends at it, is not other land.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import select

from geo import crs
from geo.errors import ConflictError
from geo.refusals import RefusedError
from geo.words import Text

from ..kinds import KINDS
from ..storage import schema
from ..storage.history import clock, hidden_subquery, visible

if TYPE_CHECKING:
    from ..storage.store import Store
    from .draft import Draft
    from .redraw_ground import Ground
    from .redraw_land import Session

_SHOWN = 5
_SAME_LAND_M = 0.02
"""A vertex put into a border lies at most 0.71 cm beside it; two into the same edge twice that."""
_MEND = Text(
    "请将草案更新到新的边界上（重放各步操作）。", "Rebase the draft: its operations are repeated on the new boundaries."
)


@dataclass(frozen=True, slots=True)
class Changed:
    """One area that is not what it was: what happened to it, by whom and when (empty when nobody can be named)."""

    code: str
    what: str  # border, gone
    by: str
    at: str
    change_id: int | None

    def as_dict(self) -> dict[str, Any]:
        """For answers in JSON."""
        return {"code": self.code, "what": self.what, "by": self.by, "at": self.at, "change": self.change_id}


class BaseChangedError(ConflictError):
    """The boundaries below a draft changed; `changed` says which areas, how, by whom and when."""

    def __init__(self, draft_id: int, changed: tuple[Changed, ...], refused: RefusedError | None = None) -> None:
        self.changed = changed
        self.refused = refused
        listed_zh = "；".join(_line(each).zh for each in changed[:_SHOWN]) or (refused.what.zh if refused else "")
        listed_en = "; ".join(_line(each).en for each in changed[:_SHOWN]) or (refused.what.en if refused else "")
        more = len(changed) - _SHOWN
        super().__init__(
            Text(
                f"草案所依据的边界已变化：{listed_zh}" + (f" 等 {len(changed)} 处。" if more > 0 else "。"),
                f"The boundaries below the draft changed: {listed_en}" + (f" and {more} more." if more > 0 else "."),
            ),
            where=", ".join(each.code for each in changed) or str(draft_id),
            mend=_MEND,
        )


def _line(each: Changed) -> Text:
    what = {
        "border": Text("边界已改", "its border or parent changed"),
        "gone": Text("已不存在", "it is no longer there"),
    }[each.what]
    at = clock(each.at) if each.at else ""
    who = Text(f"（{each.by}，{at}）", f" ({each.by}, {at})") if each.by else Text("", "")
    return Text(f"{each.code} {what.zh}{who.zh}", f"{each.code}: {what.en}{who.en}")


def require_same_base(store: "Store", draft: "Draft", session: "Session") -> None:
    """Bring a session to the operations of its draft; BaseChangedError when the areas they change are not what they were."""
    ground = session.ground
    different = [
        code
        for code, mark in draft.base.items()
        if code not in ground.shapes or not (ground.mark(code) == mark or _same_land(store, ground, code, mark))
    ]
    if different:
        session.rewind(0)
        raise BaseChangedError(draft.id, tuple(_explained(store, session, code) for code in sorted(different)))
    try:
        session.follow(draft.operations)
    except RefusedError as error:
        session.rewind(0)
        raise BaseChangedError(draft.id, (), error) from error
    fresh = sorted(set(session.base()) - set(draft.base))
    if fresh:
        session.rewind(0)
        raise BaseChangedError(draft.id, tuple(_explained(store, session, code) for code in fresh))


def _same_land(store: "Store", ground: "Ground", code: str, mark: str) -> bool:
    """Whether the row of an area that had this mark lies on the land the area has now, to `_SAME_LAND_M`."""
    table = schema.ROWS[ground.level]
    with store.read() as connection:
        rows = connection.scalars(select(table.c.geom).where(table.c[KINDS[ground.level].key] == code)).all()
    known = [shape for shape in rows if shape is not None and not shape.is_empty]
    metric = crs.round_centimetre(crs.transform_geometries(known, crs.LONLAT, ground.crs))
    now = ground.shapes[code]
    return any(_near(shape, now) for shape in metric if ground.mark_of(code, shape) == mark)


def _near(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    """Whether each vertex of either shape lies on the border of the other one."""
    for shape, border in ((one, shapely.boundary(other)), (other, shapely.boundary(one))):
        if shapely.distance(shapely.points(shapely.get_coordinates(shape)), border).max() > _SAME_LAND_M:
            return False
    return True


def _explained(store: "Store", session: "Session", code: str) -> Changed:
    """What happened to an area, from the last change that made, ended or took back a row of its code."""
    ground = session.ground
    table = schema.ROWS[ground.level]
    with store.read() as connection:
        hidden = list(connection.scalars(hidden_subquery()))
        query = select(table).where(table.c[KINDS[ground.level].key] == code, table.c.created_by.not_in(hidden))
        rows = connection.execute(query).mappings().all()
        standing = set(connection.scalars(select(table.c.fid).where(visible(table, hidden))))
        acts = {row["created_by"] for row in rows if row["fid"] in standing}
        acts |= {row[name] for row in rows for name in ("closed_by", "retired_by") if row[name] is not None}
        last = (
            connection.execute(
                select(schema.change)
                .where(schema.change.c.id.in_(acts - set(hidden)))
                .order_by(schema.change.c.id.desc())
            )
            .mappings()
            .first()
        )
    there = code in ground.shapes
    what = "border" if there else "gone"
    if last is None:
        return Changed(code, what, "", "", None)
    return Changed(code, what, last["actor"], str(last["closed_at"]), last["id"])
