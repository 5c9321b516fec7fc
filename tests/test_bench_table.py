"""The bench table says what was measured: ratios, bars met and missed, and what could not be measured."""

import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parent / "bench"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    for name in ("rows", "run"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import rows
    import run

    yield rows, run
    for name in ("rows", "run"):
        sys.modules.pop(name, None)


def test_ratio_and_bar(bench):
    rows, _ = bench
    assert rows.Row("a", 2.0, 10.0, "s", 5).ratio == 5 and rows.Row("a", 2.0, 10.0, "s", 5).met is True
    assert rows.Row("a", 2.1, 10.0, "s", 5).met is False
    assert rows.Row("a", 300.0, None, "MB", 350).met is True and rows.Row("a", 351.0, None, "MB", 350).met is False
    assert rows.Row("a", 0.99, None, "share", 0.98, more_is_better=True).met is True
    assert rows.Row("a", 20.0, 4.0, "1/s", 5, more_is_better=True).ratio == 5
    assert rows.Row("a", 1.0, None, "s", None).met is None


def test_broken_bench_is_a_line_and_no_failure(bench, tmp_path):
    _, run = bench
    (tmp_path / "bench_broken.py").write_text("def run():\n    raise ValueError('no such peer')\n")
    rows, problem = run.run_one(tmp_path / "bench_broken.py")
    assert rows == [] and "no such peer" in problem
    (tmp_path / "bench_mute.py").write_text("def run():\n    return []\n")
    assert run.run_one(tmp_path / "bench_mute.py") == ([], "")


def test_lines_of_other_benches_are_kept(bench, tmp_path, monkeypatch, capsys):
    _, run = bench
    source = "from rows import Row\ndef run():\n    return [Row('{}', 1.0, 8.0, 's', {})]\n"
    (tmp_path / "bench_one.py").write_text(source.format("first thing", 5))
    (tmp_path / "bench_two.py").write_text(source.format("second thing", 50))
    (tmp_path / "rows.py").write_text((BENCH / "rows.py").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "RESULTS", tmp_path / "RESULTS.md")
    run.main([])
    run.main(["two"])
    text = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert text.count("| first thing |") == text.count("| second thing |") == 1
    assert "8.0x" in text and "**no**" in text and "Python" in text and "cores" in text
    assert "second thing" in capsys.readouterr().out
    (tmp_path / "bench_one.py").unlink()
    run.main(["two"])
    assert "first thing" not in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
