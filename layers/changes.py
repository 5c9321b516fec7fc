"""Changes: every write belongs to one, and becomes visible as a whole.

A short change is one transaction. A long one (an import) is opened as *pending*, its rows are written in batches that
nobody sees, and `finish` makes all of them count in one transaction with the new versions and the audit row.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from geo.errors import ConflictError, NotFoundError
from geo.words import Text

from . import audit, gpkg, process, references, rtree, schema
from .history import FORMER
from .kinds import KINDS

if TYPE_CHECKING:
    from .store import Store

STALE_S = 600.0
"""A pending change of another machine whose last sign of life is older than this belongs to a dead process."""


_OPEN = ("pending", "abandoned")
DECISION, CORRECTION, WITHDRAWAL = "draft_approve", "draft_correct", "draft_withdraw"
"""Acts that put a draft of boundaries into the layers, and the one that takes a decision out again."""
_TAKEN_BACK_ELSEWHERE = {
    DECISION: (
        Text("这是一项边界变更决定，不是导入。", "This is a decision on boundaries, not an import."),
        Text("生效日之前可在边界页面撤回该决定。", "Before its day it can be withdrawn on the page of boundaries."),
    ),
    CORRECTION: (
        Text("这是一次边界更正，不是导入。", "This is a correction of boundaries, not an import."),
        Text("请另作一次更正。", "Make another correction."),
    ),
    WITHDRAWAL: (
        Text("这是对一项边界变更决定的撤回。", "This is the withdrawal of a decision on boundaries."),
        Text("该决定可重新提交、批准。", "The decision can be handed in and approved again."),
    ),
}


@dataclass(slots=True)
class Change:
    """A write in progress: `touch` each kind it changes, set `rows` and `answer`.

    `repeated` is True when the idempotency key was used before: then `answer` is the first answer and whatever this
    transaction writes is rolled back.
    """

    id: int
    connection: Connection
    repeated: bool = False
    answer: dict[str, Any] | None = None
    rows: int | dict[str, int] = 0
    details: dict[str, Any] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    added: dict[str, int] = field(default_factory=dict)

    def touch(self, kind: str, *, added: int = 0) -> None:
        """Say that rows of `kind` changed: its version goes up. `added`: how many rows were inserted."""
        self.kinds.add(kind)
        self.added[kind] = self.added.get(kind, 0) + added


def _found(connection: Connection, key: str | None) -> Any:
    if key is None:
        return None
    return connection.execute(select(schema.change).where(schema.change.c.key == key)).one_or_none()


def answered(store: "Store", key: str | None) -> dict[str, Any] | None:
    """What a short change of this idempotency key answered; None when there was none."""
    if key is None:
        return None
    with store.read() as connection:
        known = _found(connection, key)
    return None if known is None or known.answer is None else json.loads(known.answer)


def _new(connection: Connection, state: str, actor: str, action: str, **values: Any) -> int:
    moment = schema.now()
    row = {"state": state, "actor": actor, "action": action, "opened_at": moment, "heartbeat_at": moment, **values}
    if state == "pending":
        row["process"] = process.identity()
    return connection.execute(insert(schema.change).values(row)).inserted_primary_key[0]  # type: ignore[index]


@contextmanager
def short(
    store: "Store", actor: str, action: str, *, details: dict[str, Any] | None, source: str | None, key: str | None
) -> Iterator[Change]:
    """One act in one transaction: BEGIN IMMEDIATE, the body, versions, audit row, commit."""
    with store.write() as connection:
        known = _found(connection, key)
        if known is not None:
            answer = None if known.answer is None else json.loads(known.answer)
            savepoint = connection.begin_nested()
            try:
                yield Change(known.id, connection, repeated=True, answer=answer)
            finally:
                savepoint.rollback()
            return
        moment = schema.now()
        values = {"details": _json(details or {}), "source": source, "key": key, "closed_at": moment}
        change = Change(_new(connection, "done", actor, action, **values), connection, details=dict(details or {}))
        yield change
        _close(store, connection, change, actor, action, source)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _close(store: "Store", connection: Connection, change: Change, actor: str, action: str, source: str | None) -> None:
    """Versions, totals and audit row of a change that becomes done."""
    versions, totals = {}, {}
    for kind in sorted(change.kinds):
        versions[kind], totals[kind] = bump(connection, kind, change.id, source=source, added=change.added.get(kind, 0))
        if store.dialect == "gpkg" and kind in KINDS:
            spatial = KINDS[kind].geometry != "none"
            gpkg.refresh_contents(connection, kind, schema.ROWS[kind].name, spatial=spatial)
    connection.execute(
        update(schema.change)
        .where(schema.change.c.id == change.id)
        .values(
            state="done",
            kinds=_json(sorted(change.kinds)),
            rows=_json(change.rows),
            answer=None if change.answer is None else _json(change.answer),
            closed_at=schema.now(),
        )
    )
    said = {**change.details, "rows": change.rows}
    if source is not None:
        said["source"] = source
    if versions:
        said |= {"versions": versions, "totals": totals}
    audit.write(connection, change.id, actor, action, json.loads(_json(said)))


def bump(
    connection: Connection, kind: str, change_id: int | None, *, source: str | None = None, added: int = 0
) -> tuple[int, int]:
    """Give a layer its next version; returns it and the number of stored rows."""
    table = schema.layer_version
    old = connection.execute(select(table).where(table.c.kind == kind)).one_or_none()
    moment = schema.now()
    if old is None:
        values: dict[str, Any] = {"version": 1, "row_total": added}
    else:
        kept = 0 if references.is_reference(kind) else old.row_total or 0
        values = {"version": old.version + 1, "row_total": kept + added}
    values |= {"changed_at": moment, "change_id": change_id}
    if source is not None:
        values |= {"source": source, "imported_at": moment}
    if old is None:
        connection.execute(insert(table).values(kind=kind, **values))
    else:
        connection.execute(update(table).where(table.c.kind == kind).values(**values))
    return values["version"], values["row_total"]


def open_change(
    store: "Store",
    actor: str,
    action: str,
    *,
    kinds: Iterable[str] = (),
    details: dict[str, Any] | None = None,
    source: str | None = None,
    key: str | None = None,
) -> int:
    """Open a long change and return its id; ConflictError when another one is open on the same kind."""
    wanted = sorted(kinds)
    sweep(store)
    with store.write() as connection:
        known = _found(connection, key)
        if known is not None:
            raise ConflictError(Text("这次导入已经提交过。", "This change was already submitted."), where=str(known.id))
        for other in connection.execute(select(schema.change).where(schema.change.c.state == "pending")):
            shared = set(json.loads(other.kinds)) & set(wanted)
            if shared:
                raise ConflictError(
                    Text("另一项导入正在写入同一图层。", "Another import is writing to the same layer."),
                    where=", ".join(sorted(shared)),
                    mend=Text("请等它完成后再试。", "Try again when it is finished."),
                )
        return _new(
            connection,
            "pending",
            actor,
            action,
            kinds=_json(wanted),
            details=_json(details or {}),
            source=source,
            key=key,
        )


def is_stale(heartbeat_at: str, *, older_than_s: float | None = None) -> bool:
    """Whether a heartbeat is so old that its process must be dead."""
    moment = datetime.fromisoformat(heartbeat_at)
    return datetime.now(UTC) - moment > timedelta(seconds=STALE_S if older_than_s is None else older_than_s)


def heartbeat(connection: Connection, change_id: int, kind: str, inserted: int) -> None:
    """Sign of life of a pending change, with the rows it has inserted so far; ConflictError when it was ended."""
    row = connection.execute(select(schema.change).where(schema.change.c.id == change_id)).one_or_none()
    if row is None or row.state not in ("pending", "done"):
        raise ConflictError(
            Text("这次导入已被取消或回收。", "This change was cancelled or cleaned up."), where=str(change_id)
        )
    if row.state == "done":
        return
    rows = json.loads(row.rows)
    rows = rows if isinstance(rows, dict) else {}
    rows[kind] = rows.get(kind, 0) + inserted
    connection.execute(
        update(schema.change).where(schema.change.c.id == change_id).values(rows=_json(rows), heartbeat_at=schema.now())
    )


def remember(connection: Connection, change_id: int, kind: str, former: Iterable[tuple[int, int]]) -> None:
    """Note which rows a change takes back that another act had taken back before: (that act, fid), in this order.

    The row has room for one mark. `history` needs the older ones to tell what was known while those acts stood.
    """
    table = schema.change
    details = json.loads(connection.execute(select(table.c.details).where(table.c.id == change_id)).scalar_one())
    listed = details.setdefault(FORMER, [])
    for by, fid in former:
        if listed and listed[-1][:2] == [kind, by] and listed[-1][3] == fid - 1:
            listed[-1][3] = fid
        else:
            listed.append([kind, by, fid, fid])
    connection.execute(update(table).where(table.c.id == change_id).values(details=_json(details)))


def finish(
    store: "Store",
    change_id: int,
    kinds: Iterable[str],
    rows: int | dict[str, int],
    answer: dict[str, Any] | None = None,
) -> None:
    """Make a pending change count: state, versions, audit row, in one transaction."""
    with store.write() as connection:
        row = connection.execute(select(schema.change).where(schema.change.c.id == change_id)).one_or_none()
        if row is None or row.state != "pending":
            raise ConflictError(Text("这次导入已经结束。", "This change is no longer open."), where=str(change_id))
        inserted = json.loads(row.rows)
        details = {name: value for name, value in json.loads(row.details).items() if name != FORMER}
        change = Change(change_id, connection, rows=rows, details=details, answer=answer)
        for kind in {*kinds, *inserted}:
            change.touch(kind, added=inserted.get(kind, 0))
        if "staged" in change.details:
            references.swap(connection, change_id, change.details)
        _close(store, connection, change, row.actor, row.action, row.source)


def abandon(store: "Store", change_id: int) -> None:
    """End a pending change as if it had never been: its rows are deleted, its marks on other rows removed.

    May be called again when it was interrupted. NotFoundError when the change is not open.
    """
    with store.write() as connection:
        row = connection.execute(select(schema.change).where(schema.change.c.id == change_id)).one_or_none()
        if row is None or row.state not in _OPEN:
            raise NotFoundError(Text("没有这项未完成的更改。", "There is no such open change."), where=str(change_id))
        _set_state(connection, change_id, "abandoned")
        references.drop_staged(connection, change_id)
    kinds = {*json.loads(row.kinds), *json.loads(row.rows)} & set(KINDS)
    for kind in sorted(kinds or KINDS):
        with store.write(durable=False) as connection:
            _erase(store, connection, kind, change_id)
    with store.write() as connection:
        _set_state(connection, change_id, "erased")
        audit.write(connection, change_id, row.actor, "abandon", {"of": row.action})


def _set_state(connection: Connection, change_id: int, state: str) -> None:
    """A change that is not done gives its idempotency key free."""
    connection.execute(
        update(schema.change)
        .where(schema.change.c.id == change_id)
        .values(state=state, closed_at=schema.now(), key=None)
    )


def _erase(store: "Store", connection: Connection, kind: str, change_id: int) -> None:
    table = schema.ROWS[kind]
    mine = table.c.created_by == change_id
    if store.dialect == "gpkg" and KINDS[kind].geometry != "none":
        import numpy as np

        fids = np.array(connection.scalars(select(table.c.fid).where(mine)).all(), dtype=np.int64)
        if len(fids):
            rtree.remove(connection, f"rtree_{table.name}_geom", fids)
    connection.execute(delete(table).where(mine))
    connection.execute(update(table).where(table.c.retired_by == change_id).values(retired_by=None, retired_at=None))
    if KINDS[kind].versioned:
        connection.execute(update(table).where(table.c.closed_by == change_id).values(closed_by=None, valid_to=None))


def take_back(change: Change, change_id: int) -> set[str]:
    """Make a finished change count no longer, as part of another act; the kinds it had changed.

    Whether anything was built on it is for the caller to know. ConflictError when it does not count anyway.
    """
    row = change.connection.execute(select(schema.change).where(schema.change.c.id == change_id)).one_or_none()
    if row is None or row.state != "done":
        raise ConflictError(Text("这项更改已不再有效。", "This change no longer counts."), where=str(change_id))
    _set_state(change.connection, change_id, "undone")
    kinds = set(json.loads(row.kinds))
    for kind in kinds:
        change.touch(kind)
    return kinds


def sweep(store: "Store") -> list[int]:
    """Abandon pending changes whose process is dead, and finish what was interrupted in that; returns their ids."""
    with store.read() as connection:
        found = connection.execute(select(schema.change).where(schema.change.c.state.in_(_OPEN))).all()
    dead = [
        row.id
        for row in found
        if row.state == "abandoned" or process.is_dead(row.process) or is_stale(row.heartbeat_at)
    ]
    for change_id in dead:
        with suppress(NotFoundError):  # another process was faster
            abandon(store, change_id)
    return dead


def undo(store: "Store", change_id: int, actor: str) -> set[str]:
    """Take back a finished import: its rows no longer count, rows it ended count again. The kinds it had changed.

    ConflictError when a later change touched one of the same layers: the newest must be taken back first.
    """
    with store.write() as connection:
        row = connection.execute(select(schema.change).where(schema.change.c.id == change_id)).one_or_none()
        if row is None or row.state != "done" or not json.loads(row.kinds):
            raise NotFoundError(
                Text("没有可以撤销的这项更改。", "There is no such change to undo."), where=str(change_id)
            )
        kinds = set(json.loads(row.kinds))
        later = connection.execute(
            select(schema.change).where(schema.change.c.id > change_id, schema.change.c.state.in_(("done", "pending")))
        ).all()
        # Setting where rows fall ("homes") follows from the areas and is set again after, and rows that count again
        # after a withdrawal are still those of their own change: neither stands in anybody's way.
        blocking = [
            other.id
            for other in later
            if kinds & set(json.loads(other.kinds)) and other.action not in ("undo", "homes", WITHDRAWAL)
        ]
        if blocking or any(kind not in KINDS for kind in kinds):
            raise ConflictError(
                Text(
                    "同一图层之后又有更改，不能直接撤销。",
                    "A later change touched the same layer, so this one cannot be undone.",
                ),
                where=", ".join(sorted(kinds)),
                mend=Text("请先撤销较新的更改，或重新导入。", "Undo the newer change first, or import again."),
            )
        if row.action in _TAKEN_BACK_ELSEWHERE:
            what, mend = _TAKEN_BACK_ELSEWHERE[row.action]
            raise ConflictError(what, where=str(change_id), mend=mend)
        _set_state(connection, change_id, "undone")
        moment = schema.now()
        undoing = _new(connection, "done", actor, "undo", closed_at=moment, details=_json({"change": change_id}))
        change = Change(undoing, connection, details={"change": change_id})
        for kind in kinds:
            change.touch(kind)
        _close(store, connection, change, actor, "undo", None)
    return kinds
