"""149 broken and odd files: each ends as a good import or as a clear finding, soon and in little memory."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from layers.files import formats, reading
from layers.imports.importing import ImportOptions, import_file
from layers.rights import OWNER
from layers.storage.store import Store

pytestmark = pytest.mark.real
SECONDS, MEMORY_KB = 10, 1_000_000


@pytest.fixture(scope="module")
def unpacked(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every file of formats.zip."""
    folder = tmp_path_factory.mktemp("formats")
    with zipfile.ZipFile(real_data / "formats/formats.zip") as archive:
        archive.extractall(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) == 149
    return files


_EACH = """
import json, resource, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from layers.imports.importing import ImportOptions, import_file
from layers.rights import OWNER
from layers.storage.store import Store

def outcome(number, path):
    with Store.create(f"{sys.argv[1]}/{number}.gpkg", codes="free") as store:
        start = time.monotonic()
        report = import_file(store, Path(path), ImportOptions("reference:x"), viewer=OWNER)
        findings = [[found.what.zh, found.what.en, found.kind] for found in report.findings]
        return Path(path).name, report.stored, findings, time.monotonic() - start

files = json.load(sys.stdin)
with ThreadPoolExecutor(2) as pool:
    outcomes = list(pool.map(outcome, range(len(files)), files))
print(json.dumps([outcomes, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""
"""Run in a process of its own: what the system counts as a child's memory begins with that of its parent."""


def test_every_file_is_imported_or_refused_with_a_reason(unpacked: list[Path], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _EACH, str(tmp_path)],
        input=json.dumps([str(path) for path in unpacked]), capture_output=True, text=True, check=True,
    )  # fmt: skip
    outcomes, most_kb = json.loads(done.stdout)
    for name, stored, findings, seconds in outcomes:
        assert seconds < SECONDS, (name, seconds)
        assert stored or findings, name
        for zh, en, kind in findings:
            assert zh and en and kind, name
            assert "Traceback" not in en and "Error" not in en, name
    assert sum(stored for _, stored, _, _ in outcomes) > 70
    assert len(outcomes) == 149 and 0 < most_kb < MEMORY_KB


NAMES = {"gbk.dbf": "简体国语", "gb2312.dbf": "简体国语", "big5.dbf": "繁體國語", "shiftjis.dbf": "ひたちなか市"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_tables_without_a_stated_encoding_are_read_right(name: str, unpacked: list[Path]) -> None:
    path = next(file for file in unpacked if file.name == name and file.parent.name == "dbf")
    seen = reading.preview(path)
    assert seen.sample[0]["NAME"] == NAMES[name]
    assert seen.candidates


def test_a_stated_encoding_is_believed(unpacked: list[Path]) -> None:
    folder = next(file for file in unpacked if file.name == "euckr.dbf").parent
    assert reading.preview(folder / "euckr.dbf").encoding == "EUC-KR"
    assert reading.preview(folder / "big5.shp").sample[0]["NAME"]


def test_arcs_are_read_as_short_straight_pieces(unpacked: list[Path], tmp_path: Path) -> None:
    curves = [file for file in unpacked if file.name in ("curve.gpkg", "curvepolygon.gpkg", "multisurface.gpkg")]
    assert len(curves) == 3
    for path in curves:
        with Store.create(str(tmp_path / f"{path.stem}.gpkg"), codes="free") as store:
            report = import_file(store, path, ImportOptions("reference:x"), viewer=OWNER)
        assert report.stored, (path.name, report.findings)


def test_the_layers_of_an_archive_are_offered(unpacked: list[Path]) -> None:
    path = next(file for file in unpacked if file.name == "blockgroups_multishapefile.zip")
    assert len(reading.preview(path).layers) == 2
    with pytest.raises(formats.Refused), reading.opened(path):
        pass
    with reading.opened(path, source_layer=reading.preview(path).layers[1]["name"]) as source:
        assert source.rows > 0
