"""Pending changes: a long write in steps, unseen until it is finished.

A long change (an import) is opened as *pending*, its rows are written in batches that nobody sees, each with a sign of
life, and `finish` makes all of them count in one transaction with the new versions and the audit row. `abandon` ends it
as if it had never been; `sweep` does so for changes whose process is dead.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select, update

from geo.errors import ConflictError, NotFoundError
from geo.words import Text

from ..kinds import KINDS
from . import audit, changes, process, references, rtree, schema
from .history import FORMER

if TYPE_CHECKING:
    from .store import Store

STALE_S = 600.0
"""A pending change of another machine whose last sign of life is older than this belongs to a dead process."""

_OPEN = ("pending", "abandoned")


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
        known = changes.with_key(connection, key)
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
        return changes.insert_change(
            connection,
            "pending",
            actor,
            action,
            kinds=changes.as_json(wanted),
            details=changes.as_json(details or {}),
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
        update(schema.change)
        .where(schema.change.c.id == change_id)
        .values(rows=changes.as_json(rows), heartbeat_at=schema.now())
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
    connection.execute(update(table).where(table.c.id == change_id).values(details=changes.as_json(details)))


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
        change = changes.Change(change_id, connection, rows=rows, details=details, answer=answer)
        for kind in {*kinds, *inserted}:
            change.touch(kind, added=inserted.get(kind, 0))
        if "staged" in change.details:
            references.swap(connection, change_id, change.details)
        changes.close(store, connection, change, row.actor, row.action, row.source)


def abandon(store: "Store", change_id: int) -> None:
    """End a pending change as if it had never been: its rows are deleted, its marks on other rows removed.

    May be called again when it was interrupted. NotFoundError when the change is not open.
    """
    with store.write() as connection:
        row = connection.execute(select(schema.change).where(schema.change.c.id == change_id)).one_or_none()
        if row is None or row.state not in _OPEN:
            raise NotFoundError(Text("没有这项未完成的更改。", "There is no such open change."), where=str(change_id))
        changes.set_state(connection, change_id, "abandoned")
        references.drop_staged(connection, change_id)
    kinds = {*json.loads(row.kinds), *json.loads(row.rows)} & set(KINDS)
    for kind in sorted(kinds or KINDS):
        with store.write(durable=False) as connection:
            _erase(store, connection, kind, change_id)
    with store.write() as connection:
        changes.set_state(connection, change_id, "erased")
        audit.write(connection, change_id, row.actor, "abandon", {"of": row.action})


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
