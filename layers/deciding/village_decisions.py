"""Decisions one level up: villages and townships are redrawn, and what divides them follows.

Modelling decisions:

- An area that lies in another parent afterwards goes there whole when most of its land does: under the new parent, and
  with 12-digit codes under a new code, with its lineage. The numbers stay when all that go together can keep theirs;
  else they are numbered anew, in reading order.
- What a new border cuts off goes to the neighbour on the other side that shares the longest border with the piece, and
  likewise what it severs from the rest on its own side; where there is none, the piece begins as an area of its own.
- Natural villages keep their code and shape and go to the village they lie in.
- A village becomes a community under a code of the residents' committees (operation `recode`). That takes the agreement
  of five offices; the villagers' assembly and the reform of collective property are recorded besides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import shapely

from geo.errors import InputError
from geo.partition import NEIGHBOUR_M, Partition
from geo.reassign import Claim, reassign
from geo.shares import ROUNDING_M, Share, land_shares
from geo.words import Text

from ..kinds import KINDS
from ..places import grid_codes
from ..redrawing.decision_rows import AreaRow, NewArea, Replacement, read_rows
from ..redrawing.draft import Draft
from ..redrawing.redraw_ground import Ground, ground, to_lonlat

if TYPE_CHECKING:
    from ..storage.store import Store

OFFICES = {
    "civil_affairs": Text("民政部门", "civil affairs"),
    "organisation": Text("组织部门", "organisation"),
    "agriculture": Text("农业农村部门", "agriculture"),
    "natural_resources": Text("自然资源部门", "natural resources"),
    "finance": Text("财政部门", "finance"),
}
"""Who has to agree when a village becomes a community."""
RECORDED = {
    "assembly": Text("村民会议", "villagers' assembly"),
    "property_reform": Text("集体产权制度改革", "reform of collective property"),
}
"""Further steps that may be recorded as reviews of such a draft."""
_STEM = {"grid": 12, "village": 9}
_CROSSES_M = 2 * ROUNDING_M


def is_conversion(draft: Draft) -> bool:
    """Whether the draft makes a village a community."""
    return draft.level == "village" and any(operation.get("op") == "recode" for operation in draft.operations)


def offices_of(draft: Draft) -> tuple[str, ...]:
    """The offices that have to agree to a draft; none are prescribed but for conversions."""
    return tuple(OFFICES) if is_conversion(draft) else ()


def require_office(draft: Draft, role: str | None) -> str:
    """The office a review speaks for, "" for none; InputError for one that has no say, or where one must be named."""
    offices = offices_of(draft)
    if not offices:
        return (role or "").strip()[:64]
    if role in OFFICES or role in RECORDED:
        return role
    raise InputError(
        Text("村改社区须注明由哪个部门审核。", "A conversion is reviewed by offices: say which one speaks."),
        where="role",
        mend=Text(
            "可用：" + "、".join(f"{name}（{label.zh}）" for name, label in (OFFICES | RECORDED).items()),
            "Use one of: " + ", ".join(OFFICES | RECORDED),
        ),
    )


def follow(
    store: "Store", on: str, above: Replacement, new: Mapping[str, shapely.Geometry], metric: Any
) -> tuple[Replacement, ...]:
    """What becomes of the areas below those a decision replaces.

    Parameters
    ----------
    above
        The townships or villages that end and begin.
    new
        Metric shapes of those that begin.
    """
    if above.kind == "township":
        villages, shapes = _Following(store, on, above, new, metric, "village").work_out()
        return (villages, *follow(store, on, villages, shapes, metric)) if villages.old else ()
    if above.kind != "village":
        return ()
    grids, _ = _Following(store, on, above, new, metric, "grid").work_out()
    return tuple(each for each in (grids, _natural_villages(store, on, above, new, metric)) if each.old)


@dataclass(slots=True)
class _Following:
    """Areas of one kind on their way from their old parents to the new ones."""

    store: "Store"
    on: str
    above: Replacement
    parents: Mapping[str, shapely.Geometry]
    metric: Any
    kind: str
    was: dict[str, shapely.Geometry] = field(default_factory=dict)
    parent_of: dict[str, str] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)  # code -> new parent
    own: dict[str, shapely.Geometry] = field(default_factory=dict)  # what stays of areas that are cut
    pieces: list[tuple[str, str, shapely.Geometry]] = field(default_factory=list)  # from, parent, land cut off

    def work_out(self) -> tuple[Replacement, dict[str, shapely.Geometry]]:
        """The areas that change, and the metric shapes of those that begin."""
        dedicated: set[str] = set()
        for parent in self.above.old:
            land = ground(self.store, self.kind, self.above.kind, parent, self.on)
            self._place(parent, land)
            if "kind" in land.frame:
                dedicated |= set(land.frame.index[land.frame["kind"] == "dedicated"])
        now = self._cut()
        codes = self._codes(now, dedicated)
        changed = {
            code for code, shape in now.items()
            if codes[code] != code or code not in self.was or self.home[code] != self.parent_of[code]
            or not shapely.equals_identical(shape, self.was[code])
        }  # fmt: skip
        new = {codes[code]: now[code] for code in sorted(changed)}
        old = {code: self.was[code] for code in sorted(changed) if code in self.was}
        with self.store.read() as connection:
            rows = read_rows(connection, self.kind, self.on, old)
        home = {codes[code]: self.home[code] for code in changed}
        lonlat = dict(zip(new, to_lonlat(list(new.values()), self.metric), strict=True)) if new else {}
        areas = {
            code: NewArea(self._stored(rows, code, shape, lonlat[code]), {KINDS[self.kind].parent: home[code]})
            for code, shape in new.items()
        }
        return Replacement(self.kind, rows, areas, tuple(land_shares(old, new))), new

    def _stored(
        self, rows: Mapping[str, AreaRow], code: str, shape: shapely.Geometry, lonlat: shapely.Geometry
    ) -> shapely.Geometry:
        """A shape that did not change is written as it was stored, to the last digit."""
        row = rows.get(code)
        same = row is not None and shapely.equals_identical(shape, self.was[code])
        return row.shape if row is not None and same and row.shape is not None else lonlat

    def _place(self, parent: str, land: Ground) -> None:
        """Say to which new parent each area of an old one goes, and what of it is cut off."""
        heirs = [share.new for share in self.above.shares if share.old == parent]
        for code, shape in land.shapes.items():
            self.was[code], self.parent_of[code] = shape, parent
            if len(heirs) == 1:
                self.home[code] = heirs[0]
                continue
            around = [heir for heir in heirs if shapely.covers(self.parents[heir], shape)]
            if around:
                self.home[code] = around[0]
                continue
            common = {heir: _land(shapely.intersection(shape, self.parents[heir])) for heir in heirs}
            area = {heir: part.area for heir, part in common.items()}
            main = max(sorted(area), key=lambda heir: area[heir])
            self.home[code] = main
            for heir, land_there in common.items():
                parts = sorted(shapely.get_parts(land_there), key=lambda part: -part.area)
                if heir == main:
                    # What hung together before and no longer does goes to neighbours as well.
                    whole = len(shapely.get_parts(shape))
                    self.own[code] = shapely.MultiPolygon(parts[:whole])
                    parts = parts[whole:]
                self.pieces += [(code, heir, part) for part in parts if not part.buffer(-_CROSSES_M / 2).is_empty]

    def _cut(self) -> dict[str, shapely.Geometry]:
        """The shapes after what was cut off went to the neighbours across; what has none begins under a marked code."""
        if not self.pieces:
            return dict(self.was)
        claims = []
        for number, (code, parent, piece) in enumerate(self.pieces):
            target = self._neighbour(code, parent, piece)
            if target is None:
                target = f"{code}{_BEGINS}{number}"
                self.home[target] = parent
            claims.append(Claim(code, target, piece))
        codes = sorted(self.was)
        partition = Partition(codes, [self.was[code] for code in codes])
        partition.replace(reassign(partition, claims, min_width_m=_CROSSES_M).shapes)
        for code in set(codes) - set(partition.shapes):
            del self.home[code]
        return dict(partition.shapes)

    def _neighbour(self, code: str, parent: str, piece: shapely.Geometry) -> str | None:
        rim = shapely.boundary(piece)
        best, longest = None, NEIGHBOUR_M
        for other in sorted(self.was):
            stays = self.own.get(other, self.was[other])
            if other == code or self.home[other] != parent or not shapely.dwithin(stays, piece, ROUNDING_M):
                continue
            length = shapely.intersection(rim, shapely.buffer(stays, ROUNDING_M)).length
            if length > longest:
                best, longest = other, length
        return best

    def _codes(self, now: Mapping[str, shapely.Geometry], dedicated: set[str]) -> dict[str, str]:
        """The code each area has afterwards: another one where its parent is another and the code says its parent."""
        found = {code: code for code in now}
        going: dict[tuple[str, bool], list[str]] = {}
        for code in sorted(now):
            source = code.split(_BEGINS)[0]
            begins = code not in self.was
            if begins or (self.home[code] != self.parent_of[code] and self._says_parent(code)):
                going.setdefault((self.home[code], source in dedicated), []).append(code)
        used = self._used(going)
        numbering = grid_codes.Numbering(self.kind, self.store.codes == "cn12", used)
        for (parent, special), codes in sorted(going.items()):
            kept = [self._under(parent, code) for code in codes]
            if len(set(kept) - used - {""}) == len(codes):
                found.update(zip(codes, kept, strict=True))
                used.update(kept)
            elif self.kind == "grid" and self.store.codes == "cn12":
                given = numbering.give(codes, [now[code] for code in codes], parent, dedicated=special)
                found.update(zip(codes, given, strict=True))
            else:
                # Villages look for a number in the range they were in, under the first digits of their new township.
                for code, under in zip(codes, kept, strict=True):
                    source = under or code.split(_BEGINS)[0]
                    found[code] = numbering.give([source], [now[code]], None)[0]
        return found

    def _under(self, parent: str, code: str) -> str:
        """The code with the digits of another parent and its own number; "" where there is none to keep."""
        stem = _STEM[self.kind]
        return f"{parent[:stem]}{code[stem:]}" if self.store.codes == "cn12" and _BEGINS not in code else ""

    def _says_parent(self, code: str) -> bool:
        stem = _STEM[self.kind]
        return self.store.codes == "cn12" and code[:stem] == self.parent_of[code][:stem]

    def _used(self, going: Mapping[tuple[str, bool], Sequence[str]]) -> set[str]:
        stems = {parent[: _STEM[self.kind]] for parent, _ in going}
        stems |= {code.split(_BEGINS)[0] for codes in going.values() for code in codes if self.store.codes != "cn12"}
        with self.store.read() as connection:
            used = grid_codes.used_codes(connection, self.kind, stems)
            return used | grid_codes.promised_codes(connection, self.kind, but=0)


# Stands between a code and a number where an area begins that has no code yet; no code holds it.
_BEGINS = "\0"


def _land(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a shape; borders that merely touch are left out."""
    return shapely.MultiPolygon([part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"])


def _natural_villages(
    store: "Store", on: str, above: Replacement, new: Mapping[str, shapely.Geometry], metric: Any
) -> Replacement:
    """Natural villages whose village is another now."""
    kind = KINDS["natural_village"]
    with store.read() as connection:
        rows = read_rows(connection, kind.name, on)
    codes, shapes = list(new), list(new.values())
    tree = shapely.STRtree(to_lonlat(shapes, metric)) if shapes else None
    old: dict[str, AreaRow] = {}
    areas: dict[str, NewArea] = {}
    for code, row in rows.items():
        parent = row.values[kind.parent]
        heirs = sorted({share.new for share in above.shares if share.old == parent})
        if not heirs:
            continue
        home = heirs[0]
        if len(heirs) > 1 and row.shape is not None and tree is not None:
            at = shapely.point_on_surface(row.shape)
            there = [codes[number] for number in tree.query(at, predicate="intersects")]
            home = min((each for each in there if each in heirs), default=parent if parent in heirs else heirs[0])
        if home != parent:
            old[code], areas[code] = row, NewArea(row.shape, {kind.parent: home})
    return Replacement(kind.name, old, areas, tuple(Share(code, code, 1.0) for code in sorted(old)))
