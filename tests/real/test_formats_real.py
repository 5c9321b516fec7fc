"""149 broken and odd files: each ends as a good import or as a clear finding, soon and in little memory."""

import resource
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layers import formats, reading
from layers.importing import ImportOptions, ImportReport, import_file
from layers.rights import OWNER
from layers.store import Store

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


def outcome(path: Path, folder: Path) -> tuple[str, ImportReport, float]:
    with Store.create(str(folder / "store.gpkg"), codes="free") as store:
        start = time.monotonic()
        report = import_file(store, path, ImportOptions("reference:x"), viewer=OWNER)
        return path.name, report, time.monotonic() - start


def test_every_file_is_imported_or_refused_with_a_reason(unpacked: list[Path], tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(len(unpacked))]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, unpacked, folders))
    for name, report, seconds in outcomes:
        assert seconds < SECONDS, (name, seconds)
        assert report.stored or report.findings, name
        for finding in report.findings:
            assert finding.what.zh and finding.what.en and finding.kind, name
            assert "Traceback" not in finding.what.en and "Error" not in finding.what.en, name
    stored = [name for name, report, _ in outcomes if report.stored]
    assert len(stored) > 70
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < MEMORY_KB


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
        (tmp_path / path.stem).mkdir()
        _, report, _ = outcome(path, tmp_path / path.stem)
        assert report.stored, (path.name, report.findings)


def test_the_layers_of_an_archive_are_offered(unpacked: list[Path]) -> None:
    path = next(file for file in unpacked if file.name == "blockgroups_multishapefile.zip")
    assert len(reading.preview(path).layers) == 2
    with pytest.raises(formats.Refused), reading.opened(path):
        pass
    with reading.opened(path, source_layer=reading.preview(path).layers[1]["name"]) as source:
        assert source.rows > 0
