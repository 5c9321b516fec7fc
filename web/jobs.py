"""Imports and other long work: queued here, done by a child process, read back from the job's row.

The row in the store is the truth (state, heartbeat, progress, cancel). One thread of the server claims queued jobs
and runs each as `python -m layers.work JOB`, so that memory comes back, a crash harms one job only and pages stay
quick.
"""

import csv
import io
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, request

from geo.errors import InputError, NotFoundError, WanggeError
from geo.words import Text
from layers import jobs
from layers.findings import COLUMNS, Finding

from . import bodies, current, etags, uploads
from .language import language
from .logs import logger
from .parameters import takes

if TYPE_CHECKING:
    from layers.store import Store

blueprint = APIBlueprint("jobs", __name__, tag="import")
_LISTED = 200


class Worker(threading.Thread):
    """Runs queued jobs one after the other until `stop`."""

    def __init__(self, store: "Store") -> None:
        super().__init__(name="wangge-jobs", daemon=True)
        self._store = store
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._child: subprocess.Popen | None = None

    def wake(self) -> None:
        """Look for a job now."""
        self._wake.set()

    def run(self) -> None:
        """Claim, run, look again; between jobs look every few seconds for what others queued or left behind."""
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                job = jobs.claim(self._store)
            except WanggeError as error:
                logger().error("claim", extra={"facts": {"code": error.code}}, exc_info=error)
                job = None
            if job is None:
                self._wake.wait(3.0)
            else:
                self._run(job["id"])

    def _run(self, job: str) -> None:
        # The address of the store may hold a password: it goes by environment, which others cannot list.
        environment = {**os.environ, "WANGGE_STORE": self._store.url}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "layers.work", job],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        code = self._child.wait()
        self._child = None
        if code != 0 and not self._stopping.is_set():
            left = jobs.read_job(self._store, job)
            if left["state"] == "running":
                logger().error("job", extra={"facts": {"job": job, "exit": code}})
                jobs.fail(
                    self._store,
                    job,
                    Text("后台任务意外终止，未做任何更改。", "The job ended unexpectedly; nothing was changed."),
                )

    def stop(self) -> None:
        """End the thread and its child; an unfinished job is found again by its old heartbeat."""
        self._stopping.set()
        self._wake.set()
        child = self._child
        if child is not None:
            child.terminate()
        self.join(10.0)


def start_worker(app: Any) -> Worker:
    """The worker of this server; one per store."""
    worker = Worker(app.extensions["wangge_store"])
    app.extensions["wangge_worker"] = worker
    worker.start()
    return worker


@blueprint.post("/api/v1/imports")
@blueprint.input(bodies.Import, arg_name="body")
@blueprint.doc(summary="Queue the import of an upload")
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
        "viewer": {"name": asks.name, "role": asks.role, "areas": list(asks.areas), "language": asks.language},
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
@blueprint.doc(summary="All findings of a job as CSV (UTF-8 with BOM)")
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
