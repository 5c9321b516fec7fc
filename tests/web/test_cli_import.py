"""`wangge import`: files in, findings out, all files or none."""

import csv
import json
import shutil

import pytest
from command_line import CommandLine, use_chinese

from layers.storage import accounts
from layers.storage.store import Store
from web.cli import main

CAMERAS = "设备编码,点位名称,经度,纬度,状态\n"
GOOD = (
    CAMERAS
    + "43202500001320000001,一,111.03,27.61,在线\n43202500001320000002,二,111.031,27.611,在线\n43202500001320000003,三,,,离线\n"
)
# The same code twice is an error; a cell that looks like a formula is just text.
BAD = CAMERAS + "43202500001320000011,一,111.03,27.61,在线\n43202500001320000011,=cmd|x,111.031,27.61,在线\n"


def square(number):
    x, y = 111.0 + 0.02 * number, 27.6
    ring = [[x, y], [x + 0.02, y], [x + 0.02, y + 0.02], [x, y + 0.02], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.fixture(scope="module")
def village_file(tmp_path_factory):
    features = [
        {
            "type": "Feature",
            "properties": {"编码": f"4320251002{n:02d}", "村名": f"石{n}村", "户数": 100 + n},
            "geometry": square(n),
        }
        for n in range(1, 4)
    ]
    path = tmp_path_factory.mktemp("villages") / "villages.geojson"
    return write(path, json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))


@pytest.fixture(scope="module")
def filled_file(village_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("filled") / "store.gpkg"
    assert main(["init", "--store", str(path)]) == 0
    assert main(["import", str(village_file), "--layer", "village", "--store", str(path)]) == 0
    return path


@pytest.fixture
def empty(capsys, tmp_path, monkeypatch):
    """A store without layers."""
    use_chinese(monkeypatch, tmp_path)
    made = CommandLine(capsys, tmp_path / "store.gpkg")
    assert made.run("init") == 0
    return made


@pytest.fixture
def line(capsys, tmp_path, monkeypatch, filled_file):
    """A store with three villages."""
    use_chinese(monkeypatch, tmp_path)
    shutil.copyfile(filled_file, tmp_path / "store.gpkg")
    return CommandLine(capsys, tmp_path / "store.gpkg")


def write(path, text):
    path.write_text(text, "utf-8")
    return path


def rows_of(line, kind):
    return {layer["kind"]: layer["rows"] for layer in line.json("layers")}.get(kind, 0)


def test_a_file_goes_in_and_nothing_is_said_on_standard_output(empty, village_file):
    assert empty.run("import", village_file, "--layer", "village") == 0
    assert empty.out == ""
    assert "保存 3 行" in empty.err
    assert rows_of(empty, "village") == 3


def test_findings_are_written_as_json_with_exactly_the_promised_columns(line, tmp_path):
    findings = tmp_path / "findings.json"
    assert line.run("import", write(tmp_path / "c.csv", GOOD), "--layer", "camera", "--findings", findings) == 0
    rows = json.loads(findings.read_text("utf-8"))
    assert rows
    assert {tuple(row) for row in rows} == {("row", "column", "code", "severity", "what", "mend")}
    assert any(row["row"] == 3 and row["code"] == "43202500001320000003" for row in rows)


def test_a_refused_file_changes_nothing_and_exits_1_with_findings_as_csv(line, tmp_path):
    findings = tmp_path / "findings.csv"
    assert line.run("import", write(tmp_path / "c.csv", BAD), "--layer", "camera", "--findings", findings) == 1
    assert "什么也没有保存" in line.err
    assert line.out == ""
    raw = findings.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert {"error"} <= {row["severity"] for row in rows}
    assert rows_of(line, "camera") == 0


def test_cells_of_the_findings_file_are_no_formulas(line, tmp_path):
    findings = tmp_path / "findings.csv"
    text = "设备编码,=点位,经度,纬度,=cmd|x\n=HYPERLINK(1),一,111.03,27.61,1\n"
    line.run("import", write(tmp_path / "c.csv", text), "--layer", "camera", "--findings", findings)
    cells = [cell for row in csv.reader(findings.read_text("utf-8-sig").splitlines()) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "@", "-")]


def test_bad_rows_can_be_left_out(line, tmp_path):
    mixed = write(tmp_path / "c.csv", GOOD + BAD.removeprefix(CAMERAS))
    assert line.run("import", mixed, "--layer", "camera") == 1
    assert rows_of(line, "camera") == 0
    assert line.run("import", mixed, "--layer", "camera", "--skip-bad") == 0
    assert rows_of(line, "camera") >= 3


def test_a_dry_run_stores_nothing_and_tells_what_it_thinks(line, tmp_path):
    assert line.run("import", write(tmp_path / "good.csv", GOOD), "--layer", "camera", "--dry-run") == 0
    assert rows_of(line, "camera") == 0
    assert line.run("import", write(tmp_path / "c.csv", BAD), "--layer", "camera", "--dry-run") == 1


def test_several_files_go_in_together(line, tmp_path):
    other = GOOD.replace("000000", "000009")
    one, two = write(tmp_path / "one.csv", GOOD), write(tmp_path / "two.csv", other)
    assert line.run("import", one, two, "--layer", "camera") == 0
    assert rows_of(line, "camera") == 6


def test_when_one_of_several_files_is_refused_none_stays(line, tmp_path):
    good, bad = write(tmp_path / "good.csv", GOOD), write(tmp_path / "bad.csv", BAD)
    findings = tmp_path / "findings.json"
    assert line.run("import", good, bad, "--layer", "camera", "--findings", findings) == 1
    assert rows_of(line, "camera") == 0
    assert {row["file"] for row in json.loads(findings.read_text("utf-8"))} == {"good.csv", "bad.csv"}
    assert line.run("import", good, "--layer", "camera") == 0
    assert rows_of(line, "camera") == 3


def test_several_files_replace_a_layer_together(line, tmp_path):
    line.run("import", write(tmp_path / "old.csv", GOOD), "--layer", "camera")
    parts = [write(tmp_path / f"{n}.csv", GOOD.replace("000000", f"00000{n}")) for n in (4, 5)]
    assert line.run("import", *parts, "--layer", "camera", "--mode", "replace") == 0
    assert rows_of(line, "camera") == 6


def test_the_same_file_again_is_recognised(line, village_file):
    assert line.run("import", village_file, "--layer", "village") == 0
    assert "已导入过" in line.err
    assert rows_of(line, "village") == 3


def test_columns_are_mapped_by_pairs(line, tmp_path):
    text = "甲,乙,丙,丁\n43202500001320000001,一,111.03,27.61\n"
    path = write(tmp_path / "c.csv", text)
    pairs = ["--map", "甲=device_id", "乙=name", "--map", "丙=lon", "丁=lat"]
    assert line.run("import", path, "--layer", "camera", *pairs) == 0, line.err
    (layer,) = [layer for layer in line.json("layers") if layer["kind"] == "camera"]
    assert layer["with_geometry"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch.csv", "--layer", "camera"],
        ["FILE", "--layer", "nosuch"],
        ["FILE", "--layer", "village", "--map", "村名=nosuch"],
        ["FILE", "--layer", "village", "--crs", "nonsense"],
        ["FILE", "--layer", "village", "--encoding", "nonsense"],
        ["FILE", "--layer", "village", "--findings", "findings.txt"],
        ["FILE", "--layer", "village", "--findings", "no/such/folder/f.json"],
        ["FILE", "--layer", "village", "--account", "viewer"],
    ],
)
def test_wrong_options_are_wrong_use_and_store_nothing(empty, village_file, arguments):
    with Store.open(empty.store) as store:
        accounts.create(store, "viewer", "viewer", password="correct-horse-7")
    given = [village_file if argument == "FILE" else argument for argument in arguments]
    assert empty.run("import", *given) == 2
    assert rows_of(empty, "village") == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("noise.gpkg", b"\x00\x01\x02" * 500),
        ("text.shp", b"hello"),
        ("x.exe", b"MZ"),
        ("a.json", b"{"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_a_finding(line, tmp_path, name, content):
    path, findings = tmp_path / name, tmp_path / "findings.json"
    path.write_bytes(content)
    assert line.run("import", path, "--layer", "village", "--findings", findings) == 1
    (finding, *_) = json.loads(findings.read_text("utf-8"))
    assert finding["severity"] == "error"


def test_an_import_that_fails_midway_takes_back_the_files_before_it(line, tmp_path, monkeypatch):
    from geo.errors import StoreError
    from geo.words import Text
    from layers.imports import importing

    real = importing.import_file

    def sometimes(store, path, options, **more):
        if path.name == "two.csv":
            raise StoreError(Text("磁盘已满。", "Disk full."))
        return real(store, path, options, **more)

    monkeypatch.setattr(importing, "import_file", sometimes)
    one, two = write(tmp_path / "one.csv", GOOD), write(tmp_path / "two.csv", GOOD)
    assert line.run("import", one, two, "--layer", "camera") == 1
    assert "磁盘已满" in line.err
    assert rows_of(line, "camera") == 0
