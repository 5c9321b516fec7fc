"""Changes: every write belongs to one, and becomes visible as a whole.

A short change is one transaction. A long one (an import) goes through the steps in `pending_changes`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select, update

from geo.errors import ConflictError, NotFoundError
from geo.words import Text

from ..kinds import KINDS
from . import audit, gpkg, process, references, schema

if TYPE_CHECKING:
    from .store import Store

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


def with_key(connection: Connection, key: str | None) -> Any:
    """The row of the change that was made with this idempotency key; None when there is none."""
    if key is None:
        return None
    return connection.execute(select(schema.change).where(schema.change.c.key == key)).one_or_none()


def answered(store: "Store", key: str | None) -> dict[str, Any] | None:
    """What a short change of this idempotency key answered; None when there was none."""
    if key is None:
        return None
    with store.read() as connection:
        known = with_key(connection, key)
    return None if known is None or known.answer is None else json.loads(known.answer)


def insert_change(connection: Connection, state: str, actor: str, action: str, **values: Any) -> int:
    """Store a change that begins now and return its id; a pending one notes which process it lives in."""
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
        known = with_key(connection, key)
        if known is not None:
            answer = None if known.answer is None else json.loads(known.answer)
            savepoint = connection.begin_nested()
            try:
                yield Change(known.id, connection, repeated=True, answer=answer)
            finally:
                savepoint.rollback()
            return
        moment = schema.now()
        values = {"details": as_json(details or {}), "source": source, "key": key, "closed_at": moment}
        change = Change(
            insert_change(connection, "done", actor, action, **values), connection, details=dict(details or {})
        )
        yield change
        close(store, connection, change, actor, action, source)


def as_json(value: Any) -> str:
    """A value as the columns of a change keep it; what JSON does not know is written as text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def close(store: "Store", connection: Connection, change: Change, actor: str, action: str, source: str | None) -> None:
    """Versions, totals and audit row of a change that becomes done, in the transaction of `connection`."""
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
            kinds=as_json(sorted(change.kinds)),
            rows=as_json(change.rows),
            answer=None if change.answer is None else as_json(change.answer),
            closed_at=schema.now(),
        )
    )
    said = {**change.details, "rows": change.rows}
    if source is not None:
        said["source"] = source
    if versions:
        said |= {"versions": versions, "totals": totals}
    audit.write(connection, change.id, actor, action, json.loads(as_json(said)))


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


def set_state(connection: Connection, change_id: int, state: str) -> None:
    """End a change in a state other than done: it gives its idempotency key free."""
    connection.execute(
        update(schema.change)
        .where(schema.change.c.id == change_id)
        .values(state=state, closed_at=schema.now(), key=None)
    )


def take_back(change: Change, change_id: int) -> set[str]:
    """Make a finished change count no longer, as part of another act; the kinds it had changed.

    Whether anything was built on it is for the caller to know. ConflictError when it does not count anyway.
    """
    row = change.connection.execute(select(schema.change).where(schema.change.c.id == change_id)).one_or_none()
    if row is None or row.state != "done":
        raise ConflictError(Text("这项更改已不再有效。", "This change no longer counts."), where=str(change_id))
    set_state(change.connection, change_id, "undone")
    kinds = set(json.loads(row.kinds))
    for kind in kinds:
        change.touch(kind)
    return kinds


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
        set_state(connection, change_id, "undone")
        moment = schema.now()
        undoing = insert_change(
            connection, "done", actor, "undo", closed_at=moment, details=as_json({"change": change_id})
        )
        change = Change(undoing, connection, details={"change": change_id})
        for kind in kinds:
            change.touch(kind)
        close(store, connection, change, actor, "undo", None)
    return kinds
