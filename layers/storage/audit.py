"""The audit trail: one row per act, each sealed with the hash of the one before.

The row is written in the transaction of the act. It carries the number of stored rows of every kind the act touched,
so that a store whose last pages were lost is found by comparing them with what is there.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, desc, func, insert, select

from geo.words import Text

from ..findings import Finding
from . import schema

if TYPE_CHECKING:
    from .store import Store

_FIRST = "0" * 64


def seal(row: dict[str, Any]) -> str:
    """The hash of an audit row: SHA-256 over its values, which include the hash before it."""
    body = [row[name] for name in ("id", "at", "change_id", "actor", "action", "details", "previous_hash")]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def write(connection: Connection, change_id: int | None, actor: str, action: str, details: dict[str, Any]) -> None:
    """Add the row of an act; the caller holds the write lock of the store."""
    last = connection.execute(
        select(schema.audit.c.id, schema.audit.c.hash).order_by(desc(schema.audit.c.id)).limit(1)
    ).one_or_none()
    row: dict[str, Any] = {
        "id": 1 if last is None else last.id + 1,
        "at": schema.now(),
        "change_id": change_id,
        "actor": actor,
        "action": action,
        "details": json.dumps(details, ensure_ascii=False, sort_keys=True),
        "previous_hash": _FIRST if last is None else last.hash,
    }
    connection.execute(insert(schema.audit).values(**row, hash=seal(row)))


def read_audit(store: "Store", *, limit: int = 200, before: int | None = None) -> list[dict[str, Any]]:
    """Audit rows, newest first; `before` is an id to page on."""
    query = select(schema.audit).order_by(desc(schema.audit.c.id)).limit(limit)
    if before is not None:
        query = query.where(schema.audit.c.id < before)
    with store.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        row["details"] = json.loads(row["details"])
    return rows


def _broken(number: int) -> Finding:
    return Finding(
        Text(f"操作记录第 {number} 条被改动或缺失。", f"Audit row {number} was changed or is missing."),
        Text("请用最近的备份核对。", "Compare with the latest backup."),
        row=number,
        kind="audit_chain",
    )


def doubts(connection: Connection) -> list[Finding]:
    """A quick look when a store is opened: whether its last sealed act is there and no layer is older than it says.

    A WAL that was deleted while it held acts leaves pages of different moments; `verify_chain` looks at everything.
    """
    last = connection.execute(select(schema.audit).order_by(desc(schema.audit.c.id)).limit(1)).mappings().one_or_none()
    if last is None or seal(dict(last)) != last["hash"]:
        return [_broken(0 if last is None else last["id"])]
    newest = connection.scalar(select(func.max(schema.change.c.id))) or 0
    if (last["change_id"] or 0) > newest:
        return [_broken(last["id"])]
    versions = json.loads(last["details"]).get("versions", {})
    known = {row.kind: row.version for row in connection.execute(select(schema.layer_version))}
    if any(known.get(kind, 0) < version for kind, version in versions.items()):
        return [_broken(last["id"])]
    return []


def verify_chain(store: "Store") -> list[Finding]:
    """What does not fit: changed, missing or reordered audit rows, and kinds whose stored rows were lost or added."""
    findings: list[Finding] = []
    totals: dict[str, int] = {}
    previous, number = _FIRST, 0
    with store.read() as connection:
        for stored in connection.execute(select(schema.audit).order_by(schema.audit.c.id)).mappings():
            number += 1
            row = dict(stored)
            if row["id"] != number or row["previous_hash"] != previous or seal(row) != row["hash"]:
                findings.append(_broken(number))
                number = row["id"]
            previous = row["hash"]
            totals.update(json.loads(row["details"]).get("totals", {}))
        pending = set(
            connection.scalars(select(schema.change.c.id).where(schema.change.c.state.in_(("pending", "abandoned"))))
        )
        for kind, expected in totals.items():
            if kind not in schema.ROWS:
                continue
            table = schema.ROWS[kind]
            query = select(func.count()).select_from(table)
            if pending:
                query = query.where(table.c.created_by.not_in(pending))
            found = connection.scalar(query)
            if found != expected:
                findings.append(
                    Finding(
                        Text(
                            f"图层“{kind}”应有 {expected} 行，实有 {found} 行。",
                            f"Layer '{kind}' should hold {expected} rows and holds {found}.",
                        ),
                        Text("请从备份恢复。", "Restore from a backup."),
                        kind="audit_totals",
                    )
                )
    return findings
