"""Area scope: what an account that is limited to some areas may see.

The account names area codes of any level. They are followed down the hierarchy (parent columns; with 12-digit codes
also the code itself where a parent is not recorded), and through decisions that give their land another code. Rows without a code of their own (zones, boundary lines,
reference layers) count as inside when they touch the outline of those areas.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
from sqlalchemy import ColumnElement, Connection, Table, false, or_, select

from ..kinds import AREA_KINDS, KINDS
from ..storage import schema
from ..storage.filters import among
from ..storage.geometry import from_stored
from ..storage.history import Hidden, counted


@dataclass(frozen=True, slots=True)
class Scope:
    """Codes by area kind that an account reaches; with `everywhere` there is no limit and the sets are empty."""

    everywhere: bool = False
    codes: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def village_codes(self) -> frozenset[str]:
        """Codes of the villages inside."""
        return self.codes.get("village", frozenset())

    @property
    def grid_codes(self) -> frozenset[str]:
        """Codes of the grids inside."""
        return self.codes.get("grid", frozenset())

    def contains(self, kind: str, code: str) -> bool:
        """Whether an area is inside."""
        return self.everywhere or code in self.codes.get(kind, frozenset())


def _stem(code: str) -> str:
    """A 12-digit code without its empty levels: the common beginning of all codes below it."""
    if len(code) != 12 or not code.isdigit():
        return code
    for length in (2, 4, 6, 9):
        if not code[length:].strip("0"):
            return code[:length]
    return code


def resolve(connection: Connection, areas: Sequence[str], codes: str, hidden: Hidden, on: str) -> Scope:
    """Follow area codes down to townships, villages, natural villages and grids that count on a day."""
    named = frozenset(areas) | _heirs(connection, areas, hidden, on)
    stems = tuple(_stem(code) for code in named) if codes == "cn12" else ()
    reached: dict[str, frozenset[str]] = {"": frozenset()}
    known: dict[str, frozenset[str]] = {"": frozenset()}
    for kind in AREA_KINDS:
        definition, table = KINDS[kind], schema.ROWS[kind]
        above, listed = reached[definition.parent_kind] | named, known[definition.parent_kind]
        rows = connection.execute(
            select(table.c[definition.key], table.c[definition.parent]).where(counted(kind, table, hidden, on))
        ).all()
        known[kind] = frozenset(row[0] for row in rows)
        reached[kind] = frozenset(
            code
            for code, parent in rows
            if code in named
            or parent in above
            # The parent is not recorded, or not in the store: then a 12-digit code says itself where it belongs.
            or (bool(stems) and parent not in listed and str(code).startswith(stems))
        )
    del reached[""]
    return Scope(codes=reached)


def _heirs(connection: Connection, areas: Sequence[str], hidden: Hidden, on: str) -> frozenset[str]:
    """Codes under which all the land of an area goes on by a day, and nothing but land of these areas.

    So an account keeps what it had when its village becomes a community or its grid is split, and gets nothing more.
    """
    table = schema.lineage
    query = (
        select(table.c.level, table.c.new_code, table.c.change_id, table.c.old_code, table.c.kind)
        .where(table.c.on <= on, table.c.change_id.not_in(hidden))
        .order_by(table.c.on, table.c.id)
    )
    begun: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
    for level, new, change, old, kind in connection.execute(query):
        begun.setdefault((level, new, change), []).append((old, kind))
    known = set(areas)
    for (_level, new, _change), sources in begun.items():
        if all(old in known and kind in ("split", "recode") for old, kind in sources):
            known.add(new)
    return frozenset(known)


def condition(
    connection: Connection, layer: str, table: Table, scope: Scope, hidden: Hidden, on: str, *, spatial: bool
) -> ColumnElement[bool]:
    """Rows of a layer that lie inside a scope; `spatial`: the layer has shapes that may be looked at."""
    kind = KINDS.get(layer)
    if kind is not None and kind.is_area:
        return among(table.c[kind.key], sorted(scope.codes.get(kind.name, ())))
    if kind is not None and kind.homed:
        return or_(
            among(table.c.village_code, sorted(scope.village_codes)),
            among(table.c.grid_code, sorted(scope.grid_codes)),
        )
    if kind is not None and kind.key == "area_code":
        return among(table.c.area_code, sorted(frozenset().union(*scope.codes.values())))
    if not spatial:
        return false()
    return among(table.c.fid, _touching(connection, layer, table, scope, hidden, on))


def _touching(connection: Connection, layer: str, table: Table, scope: Scope, hidden: Hidden, on: str) -> list[int]:
    outline = _outline(connection, scope, hidden, on)
    if outline is None:
        return []
    rows = connection.execute(select(table.c.fid, table.c.geom).where(counted(layer, table, hidden, on))).cursor
    listed: Sequence[Any] = rows.fetchall() if rows is not None else []
    if not listed:
        return []
    shapely.prepare(outline)
    inside = shapely.intersects(outline, from_stored([row[1] for row in listed]))
    return [row[0] for row, keep in zip(listed, inside, strict=True) if keep]


def _outline(connection: Connection, scope: Scope, hidden: Hidden, on: str) -> shapely.Geometry | None:
    for kind in AREA_KINDS:
        codes = scope.codes.get(kind, frozenset())
        if kind == "natural_village" or not codes:
            continue
        table = schema.ROWS[kind]
        rows = connection.execute(
            select(table.c.geom).where(counted(kind, table, hidden, on), among(table.c[KINDS[kind].key], sorted(codes)))
        )
        shapes = [row[0] for row in rows if row[0] is not None and row[0].geom_type.endswith("Polygon")]
        if shapes:
            return shapely.union_all(shapely.make_valid(shapes))
    return None
