"""Imports and other long work: queued here, done by a child process, read back from the job's row.

The row in the store is the truth (state, heartbeat, progress, cancel). One thread of the server runs queued
jobs in child processes (`layers.work`), so that memory comes back, a crash harms one job only and pages stay quick.
"""

import csv
import io
import threading
from datetime import date
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, request

from geo.errors import InputError, NotFoundError
from geo.words import Text
from layers import work
from layers.findings import COLUMNS, Finding
from layers.places import homes
from layers.storage import jobs
from layers.storage.history import today

from . import bodies, current, description, etags, uploads
from .language import language
from .logs import logger
from .parameters import takes

if TYPE_CHECKING:
    from layers.storage.store import Store

blueprint = APIBlueprint("jobs", __name__, tag="import")
_LISTED = 200
_PAUSE_S = 3.0


class Worker(threading.Thread):
    """Runs queued jobs one after the other until `stop`, each in a child process."""

    def __init__(self, store: "Store") -> None:
        super().__init__(name="wangge-jobs", daemon=True)
        self._store = store
        self._day: date | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()

    def wake(self) -> None:
        """Look for a job now."""
        self._wake.set()

    def run(self) -> None:
        """Run, look again; with nothing queued look every few seconds for what others queued or left behind.

        At the start and whenever a new day has come, rows are told where they fall if areas changed.
        """
        while not self._stopping.is_set():
            self._wake.clear()
            self._greet_the_day()
            try:
                done = work.run_next(self._store, stop=self._stopping.is_set)
            except Exception as error:  # the thread must outlive whatever a job or the store does
                logger().error("jobs", exc_info=error)
                done = None
            if done is None:
                self._wake.wait(_PAUSE_S)

    def _greet_the_day(self) -> None:
        now = today()
        if now == self._day:
            return
        try:
            homes.keep_up(self._store)
            self._day = now
        except Exception as error:  # tried again at the next turn; jobs do not wait for it
            logger().error("homes", exc_info=error)

    def stop(self) -> None:
        """End the thread and its child; the child's job is queued again."""
        self._stopping.set()
        self._wake.set()
        self.join(10.0)


def start_worker(app: Any) -> Worker:
    """The worker of this server; one per store."""
    worker = Worker(app.extensions["wangge_store"])
    app.extensions["wangge_worker"] = worker
    worker.start()
    return worker


@blueprint.post("/api/v1/imports")
@blueprint.input(bodies.Import, arg_name="body")
@blueprint.doc(summary="Queue the import of an upload", responses=description.QUEUED)
def add_import(body: dict[str, Any]) -> tuple[Response, int]:
    """The job's id; the same Idempotency-Key gives the same job."""
    asks = current.viewer()
    upload = uploads.find(body["upload"])
    options = _options(body["options"])
    facts = upload.describe()
    payload = {
        "path": str(upload.path),
        "name": facts["name"],
        "options": options,
    }
    job = jobs.submit(current.store(), asks.name, "import", payload, key=request.headers.get("Idempotency-Key"))
    wake()
    return jsonify(job=job), 202


def _options(given: Any) -> dict[str, Any]:
    errors = bodies.Options().validate(given) if isinstance(given, dict) else {"options": []}
    if errors:
        fields = ", ".join(sorted(map(str, errors)))
        raise InputError(Text(f"导入选项不对：{fields}", f"Import options: {fields}"), where="options")
    loaded = bodies.Options().load(given)
    return {**loaded, "as_of": loaded["as_of"].isoformat() if loaded["as_of"] else None}


def wake() -> None:
    """Tell the worker that there is something to do."""
    worker = current_app.extensions.get("wangge_worker")
    if worker is not None:
        worker.wake()


def find(job: str) -> dict[str, Any]:
    """A job of the caller, or any for who may read the audit; another's reads like none at all."""
    asks = current.viewer()
    missing = NotFoundError(Text("没有这个任务。", "There is no such job."), where="job")
    try:
        found = jobs.read_job(current.store(), job)
    except NotFoundError:
        raise missing from None
    if found["actor"] != asks.name and not asks.may("audit"):
        raise missing
    return found


def described(job: dict[str, Any]) -> dict[str, Any]:
    """A job for the page; its payload holds paths of the server and stays here."""
    code = language()
    payload, result = job.get("payload") or {}, dict(job.get("result") or {})
    findings = result.pop("findings", [])
    result.pop("path", None)
    for long in ("suggestion", "answer"):  # asked for by themselves
        result.pop(long, None)
    message = job.get("message")
    return {
        "id": job["id"],
        "actor": job["actor"],
        "kind": job["kind"],
        "state": job["state"],
        "progress": job["progress"],
        "message": Text.from_dict(message).to(code) if isinstance(message, dict) else message,
        "name": payload.get("name", ""),
        "layer": (payload.get("options") or {}).get("kind", ""),
        "dry_run": (payload.get("options") or {}).get("dry_run", False),
        "submitted_at": job["submitted_at"],
        "started_at": job.get("started_at"),
        "finished_at": job.get("finished_at"),
        "result": result or None,
        "findings": len(findings),
        "errors": sum(finding["severity"] == "error" for finding in findings),
    }


def _answer(body: Any) -> Response:
    response = Response(etags.to_json(body), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/api/v1/jobs")
@blueprint.doc(summary="The caller's jobs, newest first; all of them for an administrator")
def list_jobs() -> Response:
    """State, progress and outcome."""
    asks = current.viewer()
    found = jobs.list_jobs(current.store(), actor=None if asks.may("audit") else asks.name, limit=_LISTED)
    return _answer([described(job) for job in found])


@blueprint.get("/api/v1/jobs/<job>")
@blueprint.doc(summary="One job with the first of its findings")
def read_job(job: str) -> Response:
    """State, progress, outcome."""
    found = find(job)
    findings = (found.get("result") or {}).get("findings", [])
    shown = [_row(finding) for finding in findings[:_LISTED]]
    return _answer(described(found) | {"first_findings": shown})


@blueprint.post("/api/v1/jobs/<job>/cancel")
@blueprint.doc(summary="Cancel a job; what it has done so far is taken back")
def cancel_job(job: str) -> Response:
    """The job as it stands now."""
    find(job)
    jobs.cancel(current.store(), job, current.viewer().name)
    return _answer(described(find(job)))


def _row(finding: dict[str, Any]) -> dict[str, object]:
    found = Finding.from_dict(finding)
    return found.as_row(language()) | {"kind": found.kind, "lon": found.lon, "lat": found.lat}


@blueprint.get("/api/v1/jobs/<job>/findings.json")
@blueprint.doc(summary="All findings of a job")
@takes()
def findings_json(job: str) -> Response:
    """Rows of row, column, code, severity, what, mend."""
    return _answer([_row(finding) for finding in (find(job).get("result") or {}).get("findings", [])])


@blueprint.get("/api/v1/jobs/<job>/findings.csv")
@blueprint.doc(summary="All findings of a job as CSV (UTF-8 with BOM)", responses=description.sends("text/csv"))
@takes()
def findings_csv(job: str) -> Response:
    """The same rows for a spreadsheet; texts that look like formulas are defused."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for finding in (find(job).get("result") or {}).get("findings", []):
        row = _row(finding)
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="findings.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay."""
    if isinstance(value, str) and value.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"):
        return "'" + value
    return value
