"""Jobs: long work that a person asked for. The row in the store is the truth about it.

queued -> running -> done | failed | cancelled. A running job gives signs of life; one that has not for 30 seconds lost
its process: it is queued again once, and marked failed with the reason after that.
"""

import json
import secrets
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, case, desc, func, insert, null, select, update

from geo.errors import ConflictError, LimitError, NotFoundError, WanggeError
from geo.words import Text

from . import audit, schema
from .pending_changes import is_stale

if TYPE_CHECKING:
    from .store import Store

STALE_S = 30.0
_TRY_AGAIN_S = 10.0
OPEN_PER_ACTOR = 3
MAX_ATTEMPTS = 2
KINDS = ("import", "export", "balance", "mend")
_LONG = ("balance", "mend")
"""Results of these are long: a list goes without them."""

_LOST = Text("处理进程意外中止。", "The process of this job ended unexpectedly.")


def submit(
    store: "Store",
    actor: str,
    kind: str,
    payload: dict[str, Any],
    key: str | None = None,
    *,
    same: Collection[str] = (),
) -> str:
    """Queue a job and return its id; the same `key` gives the same job. LimitError at three open jobs of one actor.

    `same`: a job of the actor in one of these states that was asked exactly the same is given instead of a new one.
    """
    if kind not in KINDS:
        raise ValueError(kind)
    table = schema.job
    with store.write() as connection:
        if key is not None:
            known = connection.scalar(select(table.c.id).where(table.c.key == f"{actor}:{key}"))
            if known is not None:
                return known
        alike = _alike(connection, actor, kind, payload, same)
        if alike is not None:
            return alike
        waiting = connection.scalar(
            select(func.count())
            .select_from(table)
            .where(table.c.actor == actor, table.c.state.in_(("queued", "running")))
        )
        if (waiting or 0) >= OPEN_PER_ACTOR:
            raise LimitError(
                Text(f"您已有 {OPEN_PER_ACTOR} 项任务未完成。", f"You have {OPEN_PER_ACTOR} open jobs already."),
                mend=Text("请等一项完成，或取消一项。", "Wait for one to finish, or cancel one."),
                retry_after_s=_TRY_AGAIN_S,
            )
        job_id = secrets.token_urlsafe(12)
        sequence = (connection.scalar(select(func.max(table.c.sequence))) or 0) + 1
        connection.execute(
            insert(table).values(
                id=job_id,
                actor=actor,
                kind=kind,
                state="queued",
                payload=_json(payload),
                key=None if key is None else f"{actor}:{key}",
                sequence=sequence,
                submitted_at=schema.now(),
            )
        )
        audit.write(connection, None, actor, "submit_job", {"job": job_id, "kind": kind})
    return job_id


def find_same(store: "Store", actor: str, kind: str, payload: dict[str, Any], states: Collection[str]) -> str | None:
    """The newest job of an actor in one of `states` that was asked exactly this; None when there is none."""
    with store.read() as connection:
        return _alike(connection, actor, kind, payload, states)


def _alike(
    connection: Connection, actor: str, kind: str, payload: dict[str, Any], states: Collection[str]
) -> str | None:
    table = schema.job
    asked = (table.c.actor == actor, table.c.kind == kind, table.c.payload == _json(payload))
    query = select(table.c.id).where(*asked, table.c.state.in_(states)).order_by(desc(table.c.sequence)).limit(1)
    return connection.scalar(query) if states else None


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _as_dict(row: Any) -> dict[str, Any]:
    job = dict(row._mapping)
    del job["key"], job["sequence"]
    for name in ("payload", "message", "result"):
        job[name] = None if job[name] is None else json.loads(job[name])
    job["cancel_requested"] = bool(job["cancel_requested"])
    return job


def _row(connection: Connection, job_id: str) -> Any:
    row = connection.execute(select(schema.job).where(schema.job.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFoundError(Text("没有这项任务。", "There is no such job."), where="job")
    return row


def _set(connection: Connection, job_id: str, **values: Any) -> None:
    connection.execute(update(schema.job).where(schema.job.c.id == job_id).values(**values))


def _words(message: Text | None) -> str | None:
    return None if message is None else json.dumps(message.as_dict(), ensure_ascii=False)


def claim(store: "Store", job_id: str | None = None) -> dict[str, Any] | None:
    """Take the oldest queued job (or the named one) for running; None when there is nothing to do."""
    table = schema.job
    sweep(store)
    with store.read() as connection:
        if connection.scalar(select(func.count()).select_from(table).where(table.c.state == "queued")) == 0:
            return None
    with store.write() as connection:
        query = select(table).where(table.c.state == "queued").order_by(table.c.sequence).limit(1)
        if job_id is not None:
            query = query.where(table.c.id == job_id)
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        moment = schema.now()
        _set(connection, row.id, state="running", started_at=moment, heartbeat_at=moment, attempts=row.attempts + 1)
        return _as_dict(_row(connection, row.id))


def heartbeat(
    store: "Store",
    job_id: str,
    progress: float | None = None,
    message: Text | None = None,
    *,
    attempt: int | None = None,
) -> bool:
    """Sign of life with progress from 0 to 1; returns False when the job is to stop (cancelled, or taken away).

    `attempt`: which run of the job this is, so that a run that was given up for dead does not go on beside the next.
    """
    with store.write(durable=False) as connection:
        row = _row(connection, job_id)
        if row.state != "running" or attempt not in (None, row.attempts):
            return False
        values: dict[str, Any] = {"heartbeat_at": schema.now()}
        if progress is not None:
            values["progress"] = min(max(float(progress), 0.0), 1.0)
        if message is not None:
            values["message"] = _words(message)
        _set(connection, job_id, **values)
        return not row.cancel_requested


def _end(store: "Store", job_id: str, state: str, message: Text | None, result: dict[str, Any] | None) -> None:
    with store.write() as connection:
        row = _row(connection, job_id)
        if row.state not in ("queued", "running"):
            raise ConflictError(Text("任务已经结束。", "The job has ended already."), where=job_id)
        values: dict[str, Any] = {"state": state, "finished_at": schema.now()}
        if message is not None:
            values["message"] = _words(message)
        if result is not None:
            values["result"] = json.dumps(result, ensure_ascii=False, allow_nan=False)
        if state == "done":
            # What was being done last is of no interest any more.
            values |= {"progress": 1.0, "message": _words(message)}
        _set(connection, job_id, **values)
        audit.write(connection, None, row.actor, f"job_{state}", {"job": job_id, "kind": row.kind})


def finish(store: "Store", job_id: str, result: dict[str, Any], message: Text | None = None) -> None:
    """The job did what was asked; `result` is JSON."""
    _end(store, job_id, "done", message, result)


def fail(store: "Store", job_id: str, error: WanggeError | Text, result: dict[str, Any] | None = None) -> None:
    """The job could not do what was asked; the reason is shown to whoever asked."""
    if isinstance(error, WanggeError):
        error = Text(error.to("zh"), error.to("en"))
    _end(store, job_id, "failed", error, result)


def cancel(store: "Store", job_id: str, actor: str) -> None:
    """Ask a job to stop: a queued one ends at once, a running one at its next sign of life. No error when it ended."""
    with store.write() as connection:
        row = _row(connection, job_id)
        if row.state == "queued":
            _set(connection, job_id, state="cancelled", cancel_requested=True, finished_at=schema.now())
        elif row.state == "running":
            _set(connection, job_id, cancel_requested=True)
        else:
            return
        audit.write(connection, None, actor, "cancel_job", {"job": job_id})


def cancelled(store: "Store", job_id: str, result: dict[str, Any] | None = None) -> None:
    """A running job that was asked to stop has stopped."""
    _end(store, job_id, "cancelled", Text("已取消，未作更改。", "Cancelled; nothing was changed."), result)


def sweep(store: "Store", *, gone: str | None = None) -> list[str]:
    """Find running jobs without a sign of life: queue them once more, then fail them with the reason; their ids.

    `gone`: a job whose process is known to have ended, so that nobody waits for its silence.
    """

    def is_lost(row: Any) -> bool:
        return row.state == "running" and (row.id == gone or is_stale(row.heartbeat_at, older_than_s=STALE_S))

    with store.read() as connection:
        running = connection.execute(select(schema.job).where(schema.job.c.state == "running")).all()
    lost = [row.id for row in running if is_lost(row)]
    if not lost:
        return []
    with store.write() as connection:
        for job_id in lost:
            row = _row(connection, job_id)
            if not is_lost(row):
                continue
            if row.cancel_requested:
                _set(connection, job_id, state="cancelled", finished_at=schema.now(), message=_words(_LOST))
            elif row.attempts < MAX_ATTEMPTS:
                _set(connection, job_id, state="queued", progress=0.0, message=_words(_LOST))
            else:
                _set(connection, job_id, state="failed", finished_at=schema.now(), message=_words(_LOST))
            audit.write(connection, None, row.actor, "job_lost", {"job": job_id, "attempts": row.attempts})
    return lost


def read_job(store: "Store", job_id: str, *, actor: str | None = None) -> dict[str, Any]:
    """One job; NotFoundError when there is none, or it is not the actor's."""
    with store.read() as connection:
        row = _row(connection, job_id)
    if actor is not None and row.actor != actor:
        raise NotFoundError(Text("没有这项任务。", "There is no such job."), where="job")
    return _as_dict(row)


def list_jobs(store: "Store", *, actor: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """Jobs, newest first, without long results; of one actor when named."""
    table = schema.job
    short = case((table.c.kind.in_(_LONG), null()), else_=table.c.result).label("result")
    columns = [short if column.name == "result" else column for column in table.c]
    query = select(*columns).order_by(desc(schema.job.c.sequence)).limit(limit)
    if actor is not None:
        query = query.where(schema.job.c.actor == actor)
    with store.read() as connection:
        return [_as_dict(row) for row in connection.execute(query)]
