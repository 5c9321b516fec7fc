"""Runs one job in a process of its own: memory goes back when it ends, and a killed job harms nobody.

    python -m layers.work [--store URL] JOB_ID

Payloads: import {"path", "name": what people call the file, "options": fields of ImportOptions}, export {"what", "path",
"options"}, balance {"asked": fields of balance.Asked}, mend as `mend_jobs` queues it. The result of an import holds its
report and its findings, that of an export the path and the number of rows, that of a balance the suggestion, that of
mending the answer.
"""

import argparse
import dataclasses
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from geo.errors import NotFoundError, RightsError, WanggeError
from geo.words import Text

from .findings import Finding
from .limits import WEB
from .rights import OWNER, Viewer
from .storage import accounts, jobs
from .storage.store import Store, store_url

BEAT_S = 5.0
WATCHED_BEAT_S, WATCHED_S = 1.0, 60.0
"""Somebody looks on at first: they see it move, and it stops soon after they say so."""
KEPT_FINDINGS = 20_000

_log = logging.getLogger(__name__)


class _Beat:
    """Signs of life of a running job, every second at first and every five later, and the wish to stop."""

    def __init__(self, store: Store, job: dict[str, Any]) -> None:
        self.job_id: str = job["id"]
        self._store, self._attempt = store, job["attempts"]
        self._end = threading.Event()
        self._stop = threading.Event()
        self._share = 0.0
        self._message: Text | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "_Beat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._end.wait(WATCHED_BEAT_S if time.monotonic() - began < WATCHED_S else BEAT_S):
            self.beat()

    def beat(self) -> None:
        try:
            alive = jobs.heartbeat(self._store, self.job_id, self._share, self._message, attempt=self._attempt)
        except WanggeError:
            return  # busy store: the next beat will do
        if not alive:
            self._stop.set()

    def progress(self, done: float, total: float | None = None, message: Text | None = None) -> None:
        """`done` of `total`, or a share from 0 to 1."""
        self._share = done / total if total else done
        self._message = message or self._message

    def wants_stop(self) -> bool:
        return self._stop.is_set()


def _viewer(store: Store, actor: str) -> Viewer:
    if actor == OWNER.name:
        return OWNER
    account = accounts.read(store, actor)
    if account.disabled:
        raise RightsError(Text("账号已停用。", "The account is closed."), where=actor)
    return account.viewer


def _import(store: Store, viewer: Viewer, payload: dict[str, Any], beat: _Beat) -> tuple[dict[str, Any], Text | None]:
    from .imports import importing

    given = dict(payload.get("options", {}))
    if isinstance(given.get("as_of"), str):
        given["as_of"] = date.fromisoformat(given["as_of"])
    options = importing.ImportOptions(**given)
    report = importing.import_file(
        store,
        Path(payload["path"]),
        options,
        viewer=viewer,
        progress=beat.progress,
        cancelled=beat.wants_stop,
        limits=WEB,
        name=payload.get("name"),
    )
    result = {
        field.name: getattr(report, field.name) for field in dataclasses.fields(report) if field.name != "findings"
    }
    findings: list[Finding] = list(report.findings)
    result["findings_total"] = len(findings)
    result["findings"] = [finding.as_dict() for finding in findings[:KEPT_FINDINGS]]
    wanted = not getattr(options, "dry_run", False) and not report.already_imported
    refused = Text("数据有误，未导入。", "The data was refused; nothing was changed.")
    return result, refused if wanted and not report.stored else None


def _export(store: Store, viewer: Viewer, payload: dict[str, Any], beat: _Beat) -> tuple[dict[str, Any], Text | None]:
    from .exports import exporting

    report = exporting.export(store, viewer, payload["what"], Path(payload["path"]), **payload.get("options", {}))
    return {"path": str(report.path), "rows": report.rows, "notes": [note.as_dict() for note in report.notes]}, None


def _balance(store: Store, viewer: Viewer, payload: dict[str, Any], beat: _Beat) -> tuple[dict[str, Any], Text | None]:
    from geo.balance import Stopped

    from .balancing import balance, balance_plans

    work = balance.prepare(store, viewer, balance.asked_of(payload["asked"]))
    searching = Text(f"正在用 {len(work)} 个地块试算……", f"Searching with {len(work)} blocks ...")
    try:
        made = balance_plans.suggestion(
            store, work, progress=lambda share: beat.progress(share, message=searching), stop=beat.wants_stop
        )
    except Stopped:
        return {}, Text("已停止。", "Stopped.")
    return {"suggestion": made}, None


def _mend(store: Store, viewer: Viewer, payload: dict[str, Any], beat: _Beat) -> tuple[dict[str, Any], Text | None]:
    from .checking import mend_jobs
    from .telling import Stopped

    def tell(share: float, words: Text) -> None:
        beat.progress(share, message=words)
        if beat.wants_stop():
            raise Stopped

    try:
        return mend_jobs.run(store, viewer, payload, beat.job_id, tell), None
    except Stopped:
        return {}, Text("已停止。", "Stopped.")


_WORK: dict[str, Callable[..., tuple[dict[str, Any], Text | None]]] = {
    "import": _import,
    "export": _export,
    "balance": _balance,
    "mend": _mend,
}


def run(store: Store, job_id: str) -> None:
    """Run a job that was claimed (or is queued) to its end, whatever that is."""
    job = jobs.read_job(store, job_id)
    if job["state"] == "queued":
        claimed = jobs.claim(store, job_id)
        if claimed is None:
            return
        job = claimed
    if job["state"] != "running":
        return
    with _Beat(store, job) as beat:
        try:
            beat.beat()
            viewer = _viewer(store, job["actor"])
            result, refusal = _WORK[job["kind"]](store, viewer, job["payload"], beat)
        except WanggeError as error:
            if beat.wants_stop():
                jobs.cancelled(store, job_id)
            else:
                jobs.fail(store, job_id, error)
            return
        except Exception:
            _log.exception("job %s", job_id)
            jobs.fail(store, job_id, Text("程序内部错误，详情见日志。", "A fault of the program; see the log."))
            return
    if refusal is None:
        jobs.finish(store, job_id, result)
    elif beat.wants_stop():
        jobs.cancelled(store, job_id, result)
    else:
        jobs.fail(store, job_id, refusal, result)


def run_next(store: Store, *, stop: Callable[[], bool] = lambda: False) -> str | None:
    """Claim the oldest queued job and run it in a child process to its end; its id, or None when nothing is queued.

    A child that dies without a word is noticed at once. When `stop()` turns true the child is ended and its job is
    queued again.
    """
    job = jobs.claim(store)
    if job is None:
        return None
    # The address may hold a password, which the list of processes must not show.
    environment = {**os.environ, "WANGGE_STORE": store.url}
    # An id may begin with a dash, which must not be taken for an option.
    child = subprocess.Popen([sys.executable, "-P", "-m", "layers.work", "--", job["id"]], env=environment)
    while True:
        try:
            child.wait(timeout=0.5)
            break
        except subprocess.TimeoutExpired:
            if stop():
                child.kill()
    jobs.sweep(store, gone=job["id"])
    return job["id"]


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when the job has an end, 2 when there is no such job."""
    parser = argparse.ArgumentParser(prog="python -m layers.work")
    parser.add_argument("--store")
    parser.add_argument("job")
    given = parser.parse_args(arguments)
    try:
        with Store.open(store_url(given.store)) as store:
            run(store, given.job)
    except NotFoundError as error:
        print(error.to("en"), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
