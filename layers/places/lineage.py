"""Where areas came from and what became of them: rows of the table `lineage`, versions of a code, days of change.

A decision writes one row for every pair of an old and a new area with land in common, also for the part that stays
under its code, so that the shares of an old area add up to 1. A decision that was withdrawn does not count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, insert, or_, select

from geo.errors import NotFoundError
from geo.shares import Share
from geo.words import Text

from ..kinds import AREA_KINDS, BASELINE_DATE, KINDS
from ..rights import Viewer
from ..selection.frames import scope
from ..storage import schema
from ..storage.history import hidden_changes, today, visible

if TYPE_CHECKING:
    from ..storage.store import Store

KINDS_OF_LINK = {
    "split": Text("拆分", "split"),
    "merge": Text("合并", "merged"),
    "carve": Text("划出", "carved out"),
    "dissolve": Text("撤销并入", "dissolved"),
    "transfer": Text("划转", "transferred"),
    "recode": Text("换编码", "recoded"),
    "stay": Text("保留", "stays"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """Land of `old_code` that lies in `new_code` from a day on; shares (0 to 1) are parts of the old area."""

    level: str
    old_code: str
    new_code: str
    kind: str
    share_of_area: float
    share_of_households: float | None
    on: str
    change_id: int

    def as_dict(self, language: str) -> dict[str, Any]:
        """The link for pages and scripts."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "kind_label": KINDS_OF_LINK[self.kind].to(language) if self.kind in KINDS_OF_LINK else self.kind
        }


def link_kind(share: Share, ended: Iterable[str], begun: Iterable[str], sources: Mapping[str, int]) -> str:
    """What a share of land stands for: `sources` is the number of old areas that make up each new one."""
    if share.old == share.new:
        return "stay"
    if share.old in ended:
        if share.new in begun:
            whole = share.share > 1 - 1e-9
            return "split" if not whole else "recode" if sources[share.new] == 1 else "merge"
        return "merge" if share.share > 1 - 1e-9 else "dissolve"
    return "carve" if share.new in begun else "transfer"


def write(
    connection: Connection,
    level: str,
    shares: Iterable[Share],
    households: Mapping[tuple[str, str], float],
    on: str,
    change_id: int,
) -> None:
    """Record where the land of areas went; `households`: share of the households of (old, new), where known.

    Areas whose land stays whole under its code are left out.
    """
    listed = list(shares)
    old, new = {share.old for share in listed}, {share.new for share in listed}
    sources: dict[str, int] = {}
    for share in listed:
        sources[share.new] = sources.get(share.new, 0) + 1
    rows = [
        {
            "level": level,
            "old_code": share.old,
            "new_code": share.new,
            "kind": link_kind(share, old - new, new - old, sources),
            "share_of_area": share.share,
            "share_of_households": households.get((share.old, share.new)),
            "on": on,
            "change_id": change_id,
        }
        for share in listed
        if not (share.old == share.new and share.share > 1 - 1e-9)
    ]
    if rows:
        connection.execute(insert(schema.lineage), rows)


def _links(connection: Connection, condition: ColumnElement[bool]) -> list[Link]:
    table = schema.lineage
    columns = [table.c[name] for name in Link.__slots__]
    query = select(*columns).where(condition, table.c.change_id.not_in(hidden_changes(connection)))
    return [Link(*row) for row in connection.execute(query.order_by(table.c.on, table.c.id))]


def links(store: "Store", level: str, code: str) -> list[Link]:
    """Every link from or to a code, in the order of days; what merely stays is among them."""
    table = schema.lineage
    with store.read() as connection:
        return _links(connection, (table.c.level == level) & or_(table.c.old_code == code, table.c.new_code == code))


def of_change(store: "Store", change_id: int) -> list[Link]:
    """Every link that one decision wrote; what merely stays is among them."""
    with store.read() as connection:
        return _links(connection, schema.lineage.c.change_id == change_id)


def endings(connection: Connection, level: str, on: str) -> list[Link]:
    """Where the land of every code went that had ended by a day, in the order of days; codes never begin again."""
    table = schema.lineage
    return _links(connection, (table.c.level == level) & table.c.kind.in_(_ENDING) & (table.c.on <= on))


def successors(store: "Store", level: str, code: str) -> list[Link]:
    """What became of a code that ended: its links to others, largest share first; empty while it lasts."""
    found = [link for link in links(store, level, code) if link.old_code == code and link.kind in _ENDING]
    return sorted(found, key=lambda link: (-link.share_of_area, link.new_code))


def predecessors(store: "Store", level: str, code: str) -> list[Link]:
    """Where the land came from with which a code began, largest share first; empty for one of the beginning."""
    found = [link for link in links(store, level, code) if link.new_code == code and link.kind in _BEGINNING]
    first = min((link.on for link in found), default="")
    return sorted((link for link in found if link.on == first), key=lambda link: (-link.share_of_area, link.old_code))


_ENDING = frozenset({"split", "merge", "dissolve", "recode"})
_BEGINNING = frozenset({"split", "merge", "carve", "recode"})


def code_history(store: "Store", viewer: Viewer, kind: str, code: str, language: str) -> dict[str, Any]:
    """Versions of an area with the decisions that made and ended them, and its lineage.

    Versions are in the order of their first day; one taken back by a correction says when.

    Raises
    ------
    NotFoundError
        No such kind or code, or none within the viewer's areas.
    """
    missing = NotFoundError(Text(f"没有“{code[:40]}”。", f"There is no '{code[:40]}'."), where=kind[:40])
    if kind not in AREA_KINDS:
        raise missing
    table, definition = schema.ROWS[kind], KINDS[kind]
    with store.read() as connection:
        hidden = set(connection.scalars(select(schema.change.c.id).where(schema.change.c.state != "done")))
        columns = [column for column in table.c if column.name != "geom"]
        query = select(*columns).where(table.c[definition.key] == code, table.c.created_by.not_in(hidden or {-1}))
        rows = connection.execute(query.order_by(table.c.valid_from, table.c.fid)).mappings().all()
        acts = _acts(connection, {row[name] for row in rows for name in ("created_by", "closed_by", "retired_by")})
    if not rows or not _within(store, viewer, kind, code, [row["valid_from"] for row in rows]):
        raise missing
    versions = [_version(row, definition.parent, hidden, acts) for row in rows]
    return {
        "kind": kind,
        "code": code,
        "versions": versions,
        "links": [link.as_dict(language) for link in links(store, kind, code) if link.kind != "stay"],
        "predecessors": [link.as_dict(language) for link in predecessors(store, kind, code)],
        "successors": [link.as_dict(language) for link in successors(store, kind, code)],
    }


def _within(store: "Store", viewer: Viewer, kind: str, code: str, days: Iterable[str]) -> bool:
    return not viewer.areas or any(
        scope(store, viewer, max(on, BASELINE_DATE)).contains(kind, code) for on in dict.fromkeys(days)
    )


def _version(row: Mapping[Any, Any], parent: str, hidden: set[int], acts: dict[int, dict[str, Any]]) -> dict[str, Any]:
    open_end = row["valid_to"] is None or row["closed_by"] in hidden
    retired = row["retired_by"] is not None and row["retired_by"] not in hidden
    return {
        "name": row["name"],
        "parent_code": row[parent],
        "households": row["households"],
        "population": row["population"],
        "valid_from": row["valid_from"],
        "valid_to": None if open_end else row["valid_to"],
        "recorded_at": row["recorded_at"],
        "retired_at": row["retired_at"] if retired else None,
        "made_by": acts.get(row["created_by"]),
        "ended_by": None if open_end else acts.get(row["closed_by"]),
        "retired_by": acts.get(row["retired_by"]) if retired else None,
    }


def _acts(connection: Connection, ids: Iterable[int | None]) -> dict[int, dict[str, Any]]:
    """Who did the changes, when, and by which decision."""
    wanted = sorted({each for each in ids if each is not None})
    change, draft = schema.change, schema.draft
    query = (
        select(
            change.c.id, change.c.actor, change.c.action, change.c.closed_at,
            draft.c.id.label("draft"), draft.c.title, draft.c.decision_number,
        )
        .select_from(change.outerjoin(draft, draft.c.change_id == change.c.id))
        .where(change.c.id.in_(wanted))
    )  # fmt: skip
    return {
        row["id"]: {
            "change": row["id"],
            "actor": row["actor"],
            "action": row["action"],
            "at": row["closed_at"],
            "draft": row["draft"],
            "title": row["title"],
            "decision_number": row["decision_number"],
        }
        for row in connection.execute(query).mappings()
    }


def change_days(store: "Store", viewer: Viewer) -> list[dict[str, Any]]:
    """The days on which areas change, ascending, each with its decisions; days of the beginning are left out.

    Titles only of decisions within the viewer's areas; `future` marks days that have not come.
    """
    begun: dict[str, set[str]] = {}
    with store.read() as connection:
        hidden = hidden_changes(connection)
        for kind in AREA_KINDS:
            table = schema.ROWS[kind]
            ends = (
                select(table.c.valid_to, table.c.closed_by)
                .where(visible(table, hidden), table.c.valid_to.is_not(None), table.c.closed_by.not_in(hidden))
                .distinct()
            )
            begins = select(table.c.valid_from, table.c.created_by).where(visible(table, hidden)).distinct()
            for on, _ in [*connection.execute(ends), *connection.execute(begins)]:
                if on > BASELINE_DATE:
                    begun.setdefault(on, set()).add(kind)
        table = schema.draft
        query = select(
            table.c.id, table.c.title, table.c.decision_number, table.c.parent_kind, table.c.parent_code,
            table.c.effective_from, table.c.correction,
        ).where(table.c.change_id.is_not(None), table.c.state == "approved")  # fmt: skip
        decisions = connection.execute(query.order_by(table.c.effective_from, table.c.id)).mappings().all()
    titles: dict[str, list[dict[str, Any]]] = {}
    for row in decisions:
        reach = scope(store, viewer, row["effective_from"])
        if reach.everywhere or (row["parent_code"] and reach.contains(row["parent_kind"], row["parent_code"])):
            shown = {"draft": row["id"], "title": row["title"], "decision_number": row["decision_number"]}
            titles.setdefault(row["effective_from"], []).append(shown | {"correction": bool(row["correction"])})
    now = today().isoformat()
    return [
        {
            "on": on,
            "kinds": [kind for kind in AREA_KINDS if kind in begun[on]],
            "decisions": titles.get(on, []),
            "future": on > now,
        }
        for on in sorted(begun)
    ]
