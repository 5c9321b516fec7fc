"""Jobs: one truth in the store, signs of life, lost processes."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from geo.errors import ConflictError, InputError, LimitError, NotFoundError
from geo.words import Text
from layers import work
from layers.findings import Finding
from layers.imports import importing
from layers.rights import OWNER
from layers.selection import frames
from layers.storage import accounts, audit, jobs, schema
from layers.storage.store import Store


def age(store: Store, job_id: str, seconds: float) -> None:
    """Make the last sign of life of a job so old."""
    moment = schema.moment_text(datetime.now(UTC) - timedelta(seconds=seconds))
    with store.write() as connection:
        connection.execute(update(schema.job).where(schema.job.c.id == job_id).values(heartbeat_at=moment))


def test_a_job_goes_from_queue_to_result(store: Store) -> None:
    job_id = jobs.submit(store, "li", "import", {"path": "文件.csv"})
    claimed = jobs.claim(store)
    assert claimed["id"] == job_id
    assert claimed["payload"] == {"path": "文件.csv"}
    assert jobs.claim(store) is None
    assert jobs.heartbeat(store, job_id, 0.5, Text("读取", "reading"))
    assert jobs.read_job(store, job_id)["progress"] == 0.5
    jobs.finish(store, job_id, {"rows": 3})
    ended = jobs.read_job(store, job_id)
    assert (ended["state"], ended["progress"], ended["result"]) == ("done", 1.0, {"rows": 3})
    assert ended["message"] is None, "it is not reading any more"
    with pytest.raises(ConflictError):
        jobs.fail(store, job_id, Text("x", "x"))


def test_jobs_are_claimed_in_the_order_of_submission(store: Store) -> None:
    submitted = [jobs.submit(store, f"p{number}", "export", {}) for number in range(4)]
    assert [jobs.claim(store)["id"] for _ in submitted] == submitted


def test_the_same_key_gives_the_same_job(store: Store) -> None:
    first = jobs.submit(store, "li", "import", {}, key="k")
    assert jobs.submit(store, "li", "import", {}, key="k") == first
    assert jobs.submit(store, "wang", "import", {}, key="k") != first


def test_a_person_has_three_open_jobs_at_most(store: Store) -> None:
    for _ in range(3):
        last = jobs.submit(store, "li", "import", {})
    with pytest.raises(LimitError):
        jobs.submit(store, "li", "import", {})
    jobs.submit(store, "wang", "import", {})
    jobs.cancel(store, last, "li")
    assert jobs.submit(store, "li", "import", {})


def test_a_lost_job_is_queued_once_more_and_then_failed_with_the_reason(store: Store) -> None:
    job_id = jobs.submit(store, "li", "import", {})
    jobs.claim(store)
    age(store, job_id, 29)
    assert jobs.sweep(store) == []
    age(store, job_id, 31)
    assert jobs.claim(store)["id"] == job_id
    age(store, job_id, 31)
    assert jobs.claim(store) is None
    job = jobs.read_job(store, job_id)
    assert job["state"] == "failed"
    assert job["message"]["zh"]


def test_a_run_given_up_for_dead_is_told_to_stop(store: Store) -> None:
    job_id = jobs.submit(store, "li", "import", {})
    first = jobs.claim(store)
    age(store, job_id, 31)
    second = jobs.claim(store)
    assert not jobs.heartbeat(store, job_id, attempt=first["attempts"])
    assert jobs.heartbeat(store, job_id, attempt=second["attempts"])


def test_cancel_ends_a_queued_job_and_asks_a_running_one_to_stop(store: Store) -> None:
    queued = jobs.submit(store, "li", "import", {})
    jobs.cancel(store, queued, "li")
    assert jobs.read_job(store, queued)["state"] == "cancelled"
    assert jobs.claim(store) is None
    running = jobs.submit(store, "li", "import", {})
    jobs.claim(store)
    jobs.cancel(store, running, "li")
    assert not jobs.heartbeat(store, running, 0.1)
    jobs.cancelled(store, running)
    assert jobs.read_job(store, running)["state"] == "cancelled"
    jobs.cancel(store, running, "li")


def test_a_job_of_somebody_else_does_not_exist(store: Store) -> None:
    job_id = jobs.submit(store, "li", "import", {})
    with pytest.raises(NotFoundError):
        jobs.read_job(store, job_id, actor="wang")
    with pytest.raises(NotFoundError):
        jobs.read_job(store, "x")
    assert jobs.list_jobs(store, actor="wang") == []
    assert [job["id"] for job in jobs.list_jobs(store, actor="li")] == [job_id]


@dataclass
class _Options:
    kind: str
    dry_run: bool = False


@dataclass
class _Report:
    stored: bool
    rows_read: int = 2
    already_imported: bool = False
    findings: list = field(default_factory=list)


def _import_that(monkeypatch: pytest.MonkeyPatch, import_file) -> None:
    """Put made-up options and a made-up act in the place of the real ones."""
    monkeypatch.setattr(importing, "ImportOptions", _Options)
    monkeypatch.setattr(importing, "import_file", import_file)


def _queued(store: Store) -> str:
    accounts.create(store, "li", "planner", password="three loose words")
    return jobs.submit(store, "li", "import", {"path": "a.csv", "options": {"kind": "village"}})


def test_work_runs_an_import_as_the_person_who_asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def import_file(store, path, options, *, viewer, progress, cancelled, **_):
        seen.update(path=str(path), kind=options.kind, viewer=viewer, stop=cancelled())
        progress(1, 2)
        return _Report(True, findings=[Finding(Text("提示", "note"), severity="info", row=1)])

    _import_that(monkeypatch, import_file)
    job_id = _queued(store)
    work.run(store, job_id)
    job = jobs.read_job(store, job_id)
    assert job["state"] == "done"
    assert job["result"]["findings"][0]["what"]["zh"] == "提示"
    assert (seen["path"], seen["kind"], seen["viewer"].role, seen["stop"]) == ("a.csv", "village", "planner", False)


def test_refused_data_fails_the_job_with_its_findings(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [Finding(Text("代码错", "bad code"), row=7)]
    _import_that(monkeypatch, lambda *_, **__: _Report(False, findings=findings))
    job_id = _queued(store)
    work.run(store, job_id)
    job = jobs.read_job(store, job_id)
    assert job["state"] == "failed"
    assert job["result"]["findings"][0]["row"] == 7


@pytest.mark.parametrize(
    ("error", "shown"), [(InputError(Text("文件不对", "wrong file")), "文件不对"), (KeyError("secret"), "程序内部错误")]
)
def test_a_fault_in_a_job_is_told_without_a_trace(
    gpkg_store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception, shown: str
) -> None:
    def import_file(*_, **__):
        raise error

    _import_that(monkeypatch, import_file)
    job_id = _queued(gpkg_store)
    work.run(gpkg_store, job_id)
    job = jobs.read_job(gpkg_store, job_id)
    assert job["state"] == "failed"
    assert shown in job["message"]["zh"]
    assert "secret" not in json.dumps(job)


def test_a_closed_account_cannot_have_its_jobs_run(gpkg_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _import_that(monkeypatch, lambda *_, **__: _Report(True))
    job_id = _queued(gpkg_store)
    accounts.disable(gpkg_store, "li")
    work.run(gpkg_store, job_id)
    assert jobs.read_job(gpkg_store, job_id)["state"] == "failed"


def test_a_child_that_dies_is_noticed_at_once(gpkg_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = _queued(gpkg_store)
    monkeypatch.setattr(work.sys, "executable", "/bin/false")
    assert work.run_next(gpkg_store) == job_id
    assert jobs.read_job(gpkg_store, job_id)["state"] == "queued"
    work.run_next(gpkg_store)
    assert jobs.read_job(gpkg_store, job_id)["state"] == "failed"
    assert work.run_next(gpkg_store) is None


def test_a_real_file_goes_through_a_child_process_into_the_store(
    gpkg_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One id in 64 looks like an option.
    monkeypatch.setattr(jobs.secrets, "token_urlsafe", lambda _: "-h0123456789abcd")
    accounts.create(gpkg_store, "li", "planner", password="three loose words")
    path = tmp_path / "seats.csv"
    path.write_text("设备编码,名称,经度,纬度\nD1,桥头,111.05,22.05\nD2,村口,111.06,22.06\n", encoding="utf-8")
    job_id = jobs.submit(gpkg_store, "li", "import", {"path": str(path), "options": {"kind": "camera"}})
    assert work.run_next(gpkg_store) == job_id
    job = jobs.read_job(gpkg_store, job_id)
    assert job["state"] == "done", job
    assert job["result"]["rows_stored"] == 2
    assert sorted(frames.read_layer(gpkg_store, "camera", OWNER)["name"]) == ["村口", "桥头"]
    assert audit.verify_chain(gpkg_store) == []
