"""Import in the browser: preview, mapping, check with findings, store, undo; and taking things away."""

import zipfile
from pathlib import Path

import pytest
from visitor import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def _cameras(path: Path, centre: list[float], *, bad: bool = False) -> Path:
    lines = ["点位名称,经度,纬度,状态,数量,联系电话"]
    lines += [
        f"新点位{i},{centre[0] + i * 1e-4:.6f},{centre[1]:.6f},在线,{'很多' if bad and i == 3 else 2},13800000000"
        for i in range(12)
    ]
    path.write_bytes("\n".join(lines).encode("gbk"))
    return path


def _middle(visitor: Visitor) -> list[float]:
    west, south, east, north = visitor.get("/api/v1/session")["place"]["bounds"]
    return [(west + east) / 2, (south + north) / 2]


def _finished(visitor: Visitor) -> None:
    visitor.page.wait_for_selector("#import-rest p.answer", timeout=60_000)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_gbk_table_is_read_checked_stored_and_undone(visit: Visit, tmp_path: Path, language: str) -> None:
    visitor = visit("administrator", language, at="own_address")
    page = visitor.open("/layers")
    visitor.shot("layers")
    before = next(layer for layer in visitor.get("/api/v1/layers") if layer["kind"] == "camera")["rows"]
    page.set_input_files("#file", _cameras(tmp_path / "摄像机.csv", _middle(visitor)))
    page.wait_for_selector("[data-column]")
    assert page.locator("[data-column=点位名称]").input_value() == "name"
    assert page.locator("[data-column=数量]").input_value() == "camera_count"
    assert page.locator(".tag-bad", has_text="个人信息" if language == "zh" else "Personal").count() >= 1
    assert page.locator("#import-map").is_visible()
    visitor.settle()
    visitor.shot("import")
    page.locator("#import-rest .btn-primary").click()
    _finished(visitor)
    assert next(layer for layer in visitor.get("/api/v1/layers") if layer["kind"] == "camera")["rows"] == before
    visitor.shot("import-checked")
    page.locator("#import-rest .btn-primary").click()
    page.wait_for_selector("#import-rest a[href='/']", timeout=60_000)
    assert next(layer for layer in visitor.get("/api/v1/layers") if layer["kind"] == "camera")["rows"] == before + 12
    page.locator("#history-list button").first.click()
    page.locator("dialog .btn-primary").click()
    page.wait_for_selector("#history-list .tag")
    assert next(layer for layer in visitor.get("/api/v1/layers") if layer["kind"] == "camera")["rows"] == before


def test_errors_come_all_at_once_and_nothing_is_stored(visit: Visit, tmp_path: Path) -> None:
    visitor = visit("planner", at="own_address")
    page = visitor.open("/layers")
    centre = _middle(visitor)
    lines = ["网格编码,网格名称,经度,纬度"] + [f",格{i},{centre[0]},{centre[1]}" for i in range(3)]
    path = tmp_path / "网格.csv"
    path.write_text("\n".join(lines), "utf-8")
    page.set_input_files("#file", path)
    page.wait_for_selector("[data-column]")
    page.locator("#import-rest .btn-outline-secondary", has_text="直接入库").click()
    _finished(visitor)
    assert page.locator("#import-rest .tag-bad").count() >= 1
    visitor.shot("import-findings")
    rows = next(layer for layer in visitor.get("/api/v1/layers") if layer["kind"] == "grid")["rows"]
    visitor.open("/layers")
    assert next(layer for layer in visitor.get("/api/v1/layers") if layer["kind"] == "grid")["rows"] == rows


def test_report_is_previewed_and_taken_away(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/reports")
    page.wait_for_selector("#report-preview img", timeout=60_000)
    visitor.shot("reports")
    with page.expect_download(timeout=60_000) as pdf:
        page.locator("#report-form .btn-primary", has_text="PDF").click()
    assert Path(pdf.value.path()).read_bytes().startswith(b"%PDF")
    with page.expect_download(timeout=60_000) as sheet:
        page.locator("#report-form button", has_text="Excel").click()
    assert zipfile.is_zipfile(sheet.value.path())
    assert sheet.value.suggested_filename.endswith(".xlsx")


def test_export_of_the_coverage_page_holds_its_figures(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/coverage?threshold=7")
    page.locator(".actions button").first.click()
    note = page.locator("dialog .small-note", has_text="压缩包")
    assert note.is_hidden()
    page.locator("dialog input[value=csv]").check()
    assert note.is_visible()
    with page.expect_download(timeout=60_000) as taken:
        page.locator("dialog .btn-primary").click()
    assert taken.value.suggested_filename.endswith("_csv.zip")
    with zipfile.ZipFile(taken.value.path()) as archive:
        assert sorted(archive.namelist()) == ["coverage.csv", "coverage.csv.provenance.json"]
        text = archive.read("coverage.csv").decode("utf-8-sig")
    rows = visitor.get("/api/v1/coverage?threshold=7")["rows"]
    assert len([line for line in text.splitlines() if line.strip()]) >= len(rows)
    assert rows[0]["code"] in text
