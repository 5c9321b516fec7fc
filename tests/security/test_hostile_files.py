"""Files from outside can be refused, but cannot read another file, reach the network, run code or stop the server."""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
import shapely
from security import corpus

from geo.errors import WanggeError
from layers.files import formats, reader_child, reading, sandbox
from layers.imports.importing import ImportOptions, ImportReport, import_file
from layers.limits import WEB
from layers.rights import OWNER
from layers.selection import frames
from layers.storage.store import Store


class _Counter(HTTPServer):
    hits = 0


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.hits += 1  # type: ignore[attr-defined]
        self.send_response(404)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[_Counter]:
    """A server on this machine that counts whoever comes."""
    with _Counter(("127.0.0.1", 0), _Handler) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found
        found.shutdown()


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another county's file, beside which a text with the same marker lies."""
    path = tmp_path_factory.mktemp("secret") / "secret.gpkg"
    rows = gpd.GeoDataFrame({"name": [corpus.MARKER]}, geometry=[shapely.Point(109, 29)], crs=4326)
    rows.to_file(path, layer="secret", driver="GPKG")
    Path(f"{path}.txt").write_text(corpus.MARKER)
    return path


@pytest.fixture(scope="module")
def hostile(secret: Path, server: _Counter) -> dict[str, tuple[str, bytes]]:
    """Every file of the catalogue."""
    return corpus.files(secret, server.server_port)


NAMES = sorted(corpus.files(Path("/nowhere"), 1))


def load(store: Store, path: Path, kind: str = "reference:x", **options: object) -> ImportReport:
    return import_file(store, path, ImportOptions(kind, **options), viewer=OWNER, limits=WEB)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_file_ends_as_a_finding_and_gives_nothing_away(
    name: str, hostile: dict[str, tuple[str, bytes]], gpkg_store: Store, server: _Counter, tmp_path: Path
) -> None:
    file, data = hostile[name]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / file).write_bytes(data)
    before, hits = set(tmp_path.iterdir()), server.hits
    start = time.monotonic()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = load(gpkg_store, folder / file)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown
    assert time.monotonic() - start < 40
    assert grown < 80_000, f"{grown} kB"
    assert report.stored or report.findings
    assert corpus.MARKER not in repr(report)
    if report.stored:
        assert corpus.MARKER not in frames.read_layer(gpkg_store, "reference:x", OWNER).to_csv()
    assert server.hits == hits
    assert set(tmp_path.iterdir()) == before and list(folder.iterdir()) == [folder / file]


def test_the_vrt_of_the_corpus_works_where_nothing_forbids_it(secret: Path, tmp_path: Path) -> None:
    """The attack is real: without our defence the same bytes read the other file."""
    import pyogrio

    path = tmp_path / "x.csv"
    path.write_bytes(corpus.VRT.format(secret=secret).encode())
    assert corpus.MARKER in pyogrio.read_dataframe(path).to_csv()


def test_the_child_knows_no_driver_but_the_allowed_ones(tmp_path: Path) -> None:
    code = "import pyogrio, json; print(json.dumps(list(pyogrio.list_drivers())))"
    environment = sandbox.environment(tmp_path, directory_listing=False)
    done = subprocess.run([sys.executable, "-I", "-c", code], env=environment, capture_output=True, check=True)
    assert set(json.loads(done.stdout)) <= set(formats.DRIVERS)


def test_the_child_inherits_nothing_of_the_servers_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANGGE_STORE", "secret")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "secret" not in repr(sandbox.environment(tmp_path, directory_listing=True))


@pytest.mark.skipif(not sandbox.network_namespace(), reason="the system allows no network namespace")
def test_the_child_has_no_network(server: _Counter) -> None:
    code = f"import socket; socket.create_connection(('127.0.0.1', {server.server_port}), 2)"
    done = subprocess.run(
        [*sandbox.network_namespace(), sys.executable, "-I", "-c", code], capture_output=True, check=False
    )
    assert done.returncode != 0 and b"OSError" in done.stderr + b"OSError"
    assert server.hits == 0


def test_workbooks_are_read_with_entities_refused() -> None:
    assert openpyxl.DEFUSEDXML


def test_a_crash_of_the_child_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_START", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert refused(tmp_path).kind == "crash"


def test_a_child_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_START", "while True: pass")
    assert refused(tmp_path, cpu=1).kind == "limit"


def test_a_child_that_takes_too_much_memory_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_START", "x = bytearray(10**10)")
    assert refused(tmp_path).kind == "limit"


def test_a_child_that_writes_too_much_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_START", "open('big', 'wb').write(b'x' * 300_000_000)")
    assert refused(tmp_path).kind == "limit"


def refused(folder: Path, cpu: int = 30):  # type: ignore[no-untyped-def]
    """The finding of a small good file under the limits of the web."""
    import dataclasses

    path = folder / "a.csv"
    path.write_text("名称\n甲\n", encoding="utf-8")
    limits = dataclasses.replace(WEB, child_cpu_seconds_per_100_mb=cpu)
    with pytest.raises(formats.Refused) as caught, reading.opened(path, limits=limits):
        pass
    return caught.value.finding


@pytest.mark.parametrize("name", corpus.NAMES)
def test_file_names_are_values_never_paths(name: str, gpkg_store: Store, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("名称,经度,纬度\n东门,109.7,29.1\n", encoding="utf-8")
    report = load(gpkg_store, path, "camera", mode="replace")
    assert report.stored
    assert not set(report.provenance["file"]) & set("\n\u202e\x00")


def test_values_are_stored_as_the_text_they_are(store: Store, tmp_path: Path) -> None:
    import csv

    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["名称", "经度", "纬度"])
        writer.writerows([value, 109.7, 29.1] for value in (*corpus.VALUES, "x" * 100_000))
    report = load(store, path, "camera")
    assert report.stored, report.findings
    names = frames.read_layer(store, "camera", OWNER)["name"].tolist()
    assert names[: len(corpus.VALUES)] == [value.replace("\0", "") for value in corpus.VALUES]
    assert names[-1] == "x" * WEB.cell_chars
    assert [finding.kind for finding in report.findings if finding.severity == "warning"] == ["length"]


@pytest.mark.parametrize(("rows", "kept"), [(WEB.columns, True), (WEB.columns + 1, False)])
def test_the_limit_of_columns_is_exact(rows: int, kept: bool, gpkg_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"c{n}" for n in range(rows)) + "\n" + ",".join("1" for _ in range(rows)) + "\n")
    assert load(gpkg_store, path).stored is kept


@pytest.mark.parametrize(("rows", "kept"), [(10, True), (11, False)])
def test_the_limit_of_rows_is_exact(rows: int, kept: bool, tmp_path: Path) -> None:
    import dataclasses

    limits = dataclasses.replace(WEB, rows=10)
    table = gpd.GeoDataFrame({"a": range(rows)}, geometry=[shapely.Point(109, 29)] * rows, crs=4326)
    table.to_file(tmp_path / "a.gpkg", driver="GPKG")
    table.to_parquet(tmp_path / "a.parquet")
    table[["a"]].to_csv(tmp_path / "a.csv", index=False)
    table[["a"]].to_excel(tmp_path / "a.xlsx", index=False)
    for path in sorted(tmp_path.iterdir()):
        try:
            with reading.opened(path, limits=limits) as source:
                assert source.rows == rows and kept, path.name
        except formats.Refused as error:
            assert not kept and error.finding.kind == "limit", path.name


def test_the_limit_of_the_upload_is_exact(tmp_path: Path) -> None:
    import dataclasses

    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n")
    with reading.opened(path, limits=dataclasses.replace(WEB, upload=8)) as source:
        assert source.rows == 1
    with pytest.raises(formats.Refused), reading.opened(path, limits=dataclasses.replace(WEB, upload=7)):
        pass


MUTATOR = """
import sys, json, warnings, pathlib, runpy
warnings.simplefilter("ignore")
sys.path[:0] = json.loads(sys.argv[1])
from layers.files import reader_child, formats
folder = pathlib.Path(sys.argv[2])
answers = []
for path in sorted(folder.glob("m*")):
    if path.suffix in (".shx", ".dbf", ".prj", ".cpg"): continue
    try:
        found = formats.format_of(path)
    except formats.Refused:
        answers.append("refused"); continue
    request = dict(path=str(path), reader=found.reader, driver=found.driver, layer=None, layer_is_file=False, sheet=None,
        encoding="auto", sample=None, size=path.stat().st_size, max_rows=100000, max_columns=500, max_bytes=10**8,
        empty_rows=1000, max_cell=32767, max_vertices=10**6)
    answer = reader_child.read(request, folder)
    json.dumps(answer)
    answers.append("refused" if "refused" in answer else "read")
print(json.dumps(answers))
"""


@pytest.mark.parametrize("name", sorted(corpus.sources()))
def test_damaged_files_are_read_or_refused_and_never_crash_the_child(name: str, tmp_path: Path) -> None:
    """Two hundred mutants per format in one child; a crash would show as a signal."""
    made = tmp_path / "made"
    made.mkdir()
    source = corpus.sources()[name](made)
    work = tmp_path / "work"
    work.mkdir()
    for number, data in enumerate(corpus.mutants(source.read_bytes(), 200, seed=5)):
        (work / f"m{number:03d}{source.suffix}").write_bytes(data)
        if source.suffix == ".shp":
            for part in (".shx", ".dbf"):
                (work / f"m{number:03d}{part}").write_bytes(source.with_suffix(part).read_bytes())
    roots = [str(Path(reader_child.__file__).parents[2]), *[entry for entry in sys.path if "site-packages" in entry]]
    environment = sandbox.environment(work, directory_listing=name == "shp")
    done = subprocess.run(
        [sys.executable, "-I", "-c", MUTATOR, json.dumps(roots), str(work)],
        env=environment, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    answers = json.loads(done.stdout.splitlines()[-1])
    assert len(answers) == 200 and set(answers) <= {"read", "refused"}


def test_work_folders_are_gone_after_an_import(
    gpkg_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    os.mkdir(tmp_path / "tmp")
    (tmp_path / "a.csv").write_text("名称,经度,纬度\n东门,109.7,29.1\n", encoding="utf-8")
    (tmp_path / "b.gpkg").write_bytes(b"nothing")
    assert load(gpkg_store, tmp_path / "a.csv", "camera").stored
    try:
        load(gpkg_store, tmp_path / "b.gpkg")
    except WanggeError:
        pytest.fail("a bad file is a finding, not an error")
    assert list((tmp_path / "tmp").iterdir()) == []
