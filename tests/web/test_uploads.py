"""Uploading, looking, importing: through the page's addresses to rows in the store."""

import io
import json
from pathlib import Path

import pytest
from office import village_code

from layers import work
from layers.rights import OWNER
from layers.selection import frames
from web import uploads

GOOD = "村编码,村名,户数\n990101001201,石门村,310\n990101001202,桥门村,320\n"


def send(one, *files: tuple[str, bytes], **more):
    parts = [(io.BytesIO(content), name) for name, content in files]
    return one.send("POST", "/api/v1/uploads", data={"file": parts}, content_type="multipart/form-data", **more)


def add(one, body: dict, **more):
    return one.send("POST", "/api/v1/imports", body, **more)


def run_jobs(app) -> None:
    """What the job thread does, here and now."""
    store = app.extensions["wangge_store"]
    while work.run_next(store):
        pass


def test_an_upload_is_looked_at_and_imported(app, person):
    one, store = person("planner"), app.extensions["wangge_store"]
    answer = send(one, ("村表.csv", ("\ufeff" + GOOD).encode()))
    assert answer.status_code == 200, answer.json
    assert answer.json["name"] == "村表.csv"
    assert answer.json["preview"]["columns"] == ["村编码", "村名", "户数"]
    upload = answer.json["upload"]
    again = one.get(f"/api/v1/uploads/{upload}/preview?what=village").json
    assert again["mapping"]["户数"] == "households"
    queued = add(one, {"upload": upload, "options": {"kind": "village", "mode": "update", "as_of": "2026-05-01"}})
    assert queued.status_code == 202
    run_jobs(app)
    job = one.get(f"/api/v1/jobs/{queued.json['job']}").json
    assert job["state"] == "done", job
    assert job["name"] == "村表.csv" and job["result"]["stored"] is True
    villages = frames.read_layer(store, "village", OWNER, as_of="2026-06-01")
    assert villages.loc[village_code(0), "households"] == 310
    assert frames.read_layer(store, "village", OWNER, as_of="2026-04-01").loc[village_code(0), "households"] == 300
    source = {entry["kind"]: entry["source"] for entry in one.get("/api/v1/layers").json}["village"]
    assert source == "村表.csv"
    undone = person("administrator").send("POST", f"/api/v1/changes/{job['result']['change_id']}/undo", {})
    assert undone.status_code == 200
    assert frames.read_layer(store, "village", OWNER, as_of="2026-06-01").loc[village_code(0), "households"] == 300


def test_a_refused_import_gives_its_findings_on_screen_and_as_files(app, person):
    one = person("planner")
    bad = "村编码,村名,户数\n990101001201,=HYPERLINK(1),many\n12,x,2\n"
    upload = send(one, ("bad.csv", bad.encode())).json["upload"]
    queued = add(one, {"upload": upload, "options": {"kind": "village", "mode": "update"}}).json["job"]
    run_jobs(app)
    job = one.get(f"/api/v1/jobs/{queued}").json
    assert job["state"] == "failed" and job["errors"] >= 1
    as_json = one.get(f"/api/v1/jobs/{queued}/findings.json").json
    assert len(as_json) == job["findings"]
    assert {"row", "column", "code", "severity", "what", "mend"} <= set(as_json[0])
    as_csv = one.get(f"/api/v1/jobs/{queued}/findings.csv").get_data().decode("utf-8-sig")
    assert as_csv.splitlines()[0] == "row,column,code,severity,what,mend"
    assert len(as_csv.splitlines()) >= 1 + len(as_json)
    assert "payload" not in json.dumps(job) and str(app.config["WORK_FOLDER"]) not in json.dumps(job)


def test_cells_that_look_like_formulas_are_defused_in_the_findings_file():
    from web.jobs import _cell

    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", " =1"):
        assert _cell(text) == "'" + text
    for other in (-1, 2.5, "网格", "a=b", ""):
        assert _cell(other) == other


def test_the_same_key_queues_one_job_only(app, person):
    one = person("planner")
    upload = send(one, ("a.csv", GOOD.encode())).json["upload"]
    body = {"upload": upload, "options": {"kind": "village", "mode": "update"}}
    answers = [add(one, body, headers={"Idempotency-Key": "import-000001"}) for _ in range(3)]
    assert len({answer.json["job"] for answer in answers}) == 1
    assert len(one.get("/api/v1/jobs").json) == 1


def test_one_account_has_few_jobs_open(app, person):
    one = person("planner")
    upload = send(one, ("a.csv", GOOD.encode())).json["upload"]
    statuses = [add(one, {"upload": upload, "options": {"kind": "village"}}).status_code for _ in range(4)]
    assert statuses == [202, 202, 202, 429]


NAMES = [
    "../../etc/passwd.csv", "..\\..\\boot.csv", "/abs/olute.csv", "C:\\w.csv", "网格.csv", "a\u202egpj.csv", "a\nb.csv", "a\x00b.csv",
    "CON.csv", "nul.csv", ".csv", "...csv", "a;b|c.csv", "$(touch x).csv", "%2e%2e%2f.csv", "x" * 300 + ".csv", "a.CSV", " .csv", "-rf.csv",
    "<img src=x>.csv",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_is_never_a_path(app, person, name, monkeypatch):
    # What the sandbox makes of the content is not the question here.
    monkeypatch.setattr(uploads, "look", lambda _upload, _asked: {})
    one, folder = person("planner"), Path(app.config["WORK_FOLDER"])
    before = set(folder.parent.rglob("*"))
    answer = send(one, (name, GOOD.encode()))
    assert answer.status_code in (200, 400), answer.json
    new = {path for path in set(folder.parent.rglob("*")) - before if path.is_file()}
    assert all(folder in path.parents for path in new)
    if answer.status_code == 200:
        assert {path.name for path in new} == {"upload.csv", "description.json"}
        shown = answer.json["name"]
        assert not any(ord(c) < 32 or c in "\u202e/\\" for c in shown) and len(shown) <= 120
        assert add(one, {"upload": answer.json["upload"], "options": {"kind": "village"}}).status_code == 202


def test_an_upload_belongs_to_whoever_sent_it(person):
    upload = send(person("planner"), ("a.csv", GOOD.encode())).json["upload"]
    other = person("administrator")
    assert other.get(f"/api/v1/uploads/{upload}/preview").status_code == 404
    assert add(other, {"upload": upload, "options": {"kind": "village"}}).status_code == 404
    for wrong in ("..", "0" * 31, "0" * 33, "%2e%2e%2f" * 4, "A" * 32):
        assert person("planner").get(f"/api/v1/uploads/{wrong}/preview").status_code == 404


def test_nothing_is_written_for_a_sender_without_right_or_token(app, person):
    folder = Path(app.config["WORK_FOLDER"])
    viewer = person("viewer")
    assert send(viewer, ("a.csv", GOOD.encode())).status_code == 403
    planner = person("planner")
    planner.token = "forged"
    assert send(planner, ("a.csv", GOOD.encode())).status_code == 400
    assert not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.exe", b"MZ"), ("a.csv", b""), ("a.gpkg", b"not a database"), ("a", b"x"), ("a.vrt", b"<OGRVRTDataSource/>"),
     ("a.geojson", b"<OGRVRTDataSource></OGRVRTDataSource>"), ("a.zip", b"PK\x03\x04broken"), ("a.xlsx", b"PK\x03\x04broken")],
)  # fmt: skip
def test_files_that_cannot_be_imported_are_refused_and_not_kept(app, person, name, content):
    answer = send(person("planner"), (name, content))
    assert answer.status_code in (400, 422), answer.get_data(as_text=True)
    assert answer.json["what"] and answer.json["mend"]
    folder = Path(app.config["WORK_FOLDER"])
    assert not folder.exists() or not list(folder.iterdir())


def test_uploads_are_limited_at_the_limit_and_beyond(app, person):
    one = person("planner")
    app.config["UPLOAD_MAX_BYTES"] = 2000
    at = GOOD.encode() + b"9" * (2000 - len(GOOD.encode()))
    assert send(one, ("a.csv", at)).status_code == 200
    assert send(one, ("a.csv", at + b"9")).status_code == 413
    assert send(one, ("a.csv", b"9" * 100_000)).status_code == 413


def test_a_plain_shapefile_comes_as_several_files(app, person, tmp_path):
    from office import frames as made

    from layers.exports import exporting

    store = app.extensions["wangge_store"]
    exporting.export(store, OWNER, "grid", tmp_path / "grid.zip")
    import zipfile

    with zipfile.ZipFile(tmp_path / "grid.zip") as archive:
        parts = {Path(name).suffix: archive.read(name) for name in archive.namelist()}
    named = [(f"网格{suffix}", parts[suffix]) for suffix in (".dbf", ".shp", ".shx", ".prj", ".cpg")]
    answer = send(person("planner"), *named)
    assert answer.status_code == 200, answer.json
    assert answer.json["name"] == "网格.shp" and answer.json["preview"]["rows"] == len(made()["grid"])


def test_two_files_of_one_kind_are_refused(person):
    assert send(person("planner"), ("a.csv", b"a\n1\n"), ("b.csv", b"a\n1\n")).status_code == 400
    assert send(person("planner")).status_code == 400


def test_old_uploads_go(app, person):
    import os

    one = person("planner")
    upload = send(one, ("a.csv", GOOD.encode())).json["upload"]
    folder = Path(app.config["WORK_FOLDER"]) / upload
    os.utime(folder, (1, 1))
    send(one, ("a.csv", GOOD.encode()))
    assert not folder.exists()
    assert one.get(f"/api/v1/uploads/{upload}/preview").status_code == 404


@pytest.mark.parametrize(
    "options",
    [None, [], {}, {"kind": ""}, {"kind": "village", "mode": "destroy"}, {"kind": "village", "dates": "x"}, {"kind": "village", "other": 1},
     {"kind": "village", "mapping": {"a": 1}}, {"kind": "village", "as_of": "yesterday"}, {"kind": "village", "encoding": "x" * 50}],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(person, options):
    one = person("planner")
    upload = send(one, ("a.csv", GOOD.encode())).json["upload"]
    answer = add(one, {"upload": upload, "options": options})
    assert answer.status_code == 400 and answer.json["code"] == "input"


def test_names_are_shown_without_what_could_mislead():
    assert uploads.shown("a\u202egpj.exe") == "agpj.exe"
    assert uploads.shown("..\\..\\网格.shp") == "网格.shp"
    assert uploads.suffix_of("a.tar.GZ") == ".gz"
    assert uploads.suffix_of("a.csv\x00.exe") == ".exe"
    assert uploads.suffix_of("网格") == ""
