"""Run every bench_*.py beside this file, each in a process of its own, print one table and write RESULTS.md.

    python tests/bench/run.py [NAME ...]     only benches whose file name contains one of the names

Never fails: a bench that breaks, or takes longer than it may, is a line that says so. With names, the lines of the other
benches are kept from the last RESULTS.md.
"""

import importlib.util
import json
import os
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from rows import Row  # noqa: E402

RESULTS = HERE / "RESULTS.md"
TIMEOUT_S = 1_800
LIBRARIES = ("numpy", "pandas", "shapely", "geopandas", "scipy", "pyproj", "pyogrio", "sqlalchemy", "folium")
MARK = "<!-- rows "
_ONE = """
import importlib.util, json, sys
sys.path.insert(0, sys.argv[2])
spec = importlib.util.spec_from_file_location("bench", sys.argv[1])
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)
rows = [row.as_dict() for row in bench.run()]
print("\\n" + json.dumps(rows, ensure_ascii=False))
"""


def run_one(path: Path) -> tuple[list[Row], str]:
    """The rows of one bench, and what went wrong ("" when nothing did)."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ONE, str(path), str(HERE)],
            capture_output=True, text=True, timeout=TIMEOUT_S, cwd=HERE.parents[1], check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [], f"stopped after {TIMEOUT_S} s"
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return [], lines[-1] if lines else f"exit {done.returncode}"
    try:
        return [Row(**entry) for entry in json.loads(done.stdout.strip().splitlines()[-1])], ""
    except (ValueError, TypeError, IndexError) as problem:
        return [], f"unreadable answer: {problem}"


def line(row: Row) -> str:
    """One row of the table."""

    def shown(value: float | None) -> str:
        return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

    ratio = "" if row.ratio is None else f"{row.ratio:.1f}x"
    if row.bar is None:
        bar = ""
    elif row.peer is not None:
        bar = f">= {row.bar:g}x"
    else:
        bar = f"{'>=' if row.more_is_better else '<='} {row.bar:g} {row.unit}"
    met = {None: "", True: "yes", False: "**no**"}[row.met]
    note = row.note.replace("|", "/")
    return f"| {row.name} | {shown(row.ours)} | {shown(row.peer)} | {row.unit} | {ratio} | {bar} | {met} | {note} |"


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_gb() -> float:
    """Memory of the machine in GB, 0 when unknown."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError):
        return 0.0


def versions() -> str:
    """Versions of what the figures depend on."""
    found = [f"Python {platform.python_version()}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    if importlib.util.find_spec("shapely"):
        import shapely

        found.append("GEOS " + ".".join(map(str, shapely.geos_version)))
    return ", ".join(found)


def kept(measured: set[str]) -> dict[str, dict]:
    """Sections of the last RESULTS.md of benches that exist and are not measured now."""
    if not RESULTS.exists():
        return {}
    stored = [text for text in RESULTS.read_text(encoding="utf-8").splitlines() if text.startswith(MARK)]
    sections = [json.loads(text[len(MARK) : -len(" -->")]) for text in stored]
    return {
        section["bench"]: section
        for section in sections
        if section["bench"] not in measured and (HERE / f"{section['bench']}.py").exists()
    }


def report(sections: dict[str, dict]) -> str:
    """RESULTS.md."""
    head = [
        "# Measured",
        "",
        f"Written by `make bench`; last run {date.today().isoformat()} on {cores()} cores, {memory_gb():.0f} GB, "
        f"{platform.system()} {platform.machine()}.",
        f"{versions()}.",
        "",
        "Ratios count, not seconds: ours and the named peer are measured in the same run on the same data. A bar that is",
        "not met stands here as **no**.",
        "",
    ]
    columns = "| what | ours | peer | unit | better | bar | met | how |"
    for name, section in sorted(sections.items()):
        head += [f"## {name.removeprefix('bench_')} ({section['date']})", ""]
        if section["problem"]:
            head += [f"Not measured: {section['problem']}", ""]
        if section["rows"]:
            head += [columns, "|---|---:|---:|---|---:|---|---|---|"]
            head += [line(Row(**entry)) for entry in section["rows"]] + [""]
        head += [MARK + json.dumps(section, ensure_ascii=False) + " -->", ""]
    return "\n".join(head)


def main(names: list[str]) -> None:
    """Measure, print, write."""
    benches = sorted(path for path in HERE.glob("bench_*.py") if not names or any(name in path.stem for name in names))
    sections = kept({path.stem for path in benches})
    for path in benches:
        rows, problem = run_one(path)
        sections[path.stem] = {
            "bench": path.stem,
            "date": date.today().isoformat(),
            "problem": problem,
            "rows": [row.as_dict() for row in rows],
        }
        print(f"{path.stem}: {problem}" if problem else "\n".join(line(row) for row in rows), flush=True)
    RESULTS.write_text(report(sections), encoding="utf-8")
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main(sys.argv[1:])
