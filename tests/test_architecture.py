"""The house keeps its shape: who may import whom, what geo never touches, and what lies where."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("geo", "layers", "web", "data")
MAY_IMPORT = {"geo": set(), "layers": {"geo", "data"}, "web": {"geo", "layers", "data"}, "data": set()}
ROOMS = (
    {"storage"},
    {"files", "selection"},
    {"places"},
    {"figures", "imports"},
    {"redrawing", "checking"},
    {"deciding", "balancing"},
    {"exports"},
    {"prints", "work.py"},
)
"""The rooms of layers by floor, the lowest first; below them lie its other single files, the words all rooms share."""
TOP_LEVEL = {
    "geo", "layers", "web", "data", "tests", ".ci", ".github",
    "pyproject.toml", "README.md", "Makefile", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", ".gitignore", ".gitattributes",
}  # fmt: skip
GEO_NEVER = {
    "sqlite3", "sqlalchemy", "flask", "requests", "urllib", "http", "socket", "subprocess", "pyogrio", "fiona", "folium",
    "os", "io", "pathlib", "shutil", "tempfile", "glob", "time", "random", "threading", "multiprocessing", "logging",
}  # fmt: skip
LAYERS_NEVER = {"flask", "apiflask", "flask_login", "flask_wtf", "flask_babel", "folium", "waitress", "requests"}
NETWORK = {"requests", "httpx", "aiohttp", "urllib3", "ftplib", "smtplib"}
GDAL_READERS = {"layers/files/reader_child.py", "layers/files/reader_ogr.py"}  # the second is a part of the first
GDAL_WRITERS = {"layers/exports/export_child.py"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
LONGEST = 400  # 100-300 is the aim; beyond this a file certainly has two nouns in it


def modules(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def relative(path):
    return path.relative_to(ROOT).as_posix()


@cache
def nodes(path):
    """Every node of a file's syntax tree."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports(path):
    """(top package, whole dotted name, line) of every import anywhere in a file, functions included."""
    package = path.relative_to(ROOT).parts[:-1]
    found = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [(alias.name.split(".")[0], alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                whole = ".".join([*package[: len(package) - node.level + 1], node.module or ""]).strip(".")
            else:
                whole = node.module or ""
            found += [(whole.split(".")[0], f"{whole}.{alias.name}", node.lineno) for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "__import__",
            "importlib.import_module",
            "import_module",
        ):
            name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else "?"
            found.append((str(name).split(".")[0], str(name), node.lineno))
    return found


ALL = [path for folder in FOLDERS for path in modules(folder)]


def test_there_is_something_to_check():
    assert len(ALL) > 40
    probe = [name for _, name, _ in imports(ROOT / "geo" / "datum.py")]
    assert "geo.lookup.Lookup" in probe and "numpy" in probe
    assert {"geo/lookup.py", "geo/errors.py"} <= reached("geo/datum.py")
    assert "layers/files/reader_ogr.py" in reached("layers/files/reader_child.py")
    assert all((ROOT / name).exists() for name in GDAL_READERS | GDAL_WRITERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_point_one_way(folder):
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in modules(folder)
        for top, name, line in imports(path)
        if top in (*FOLDERS, "tests") and top != folder and top not in MAY_IMPORT[folder]
    ]
    assert not wrong, wrong


def floor(path):
    """On which floor of layers a file or a folder's import stands: 0 is the ground."""
    room = path.split("/")[1]
    return next((number for number, rooms in enumerate(ROOMS, start=1) if room in rooms), 0)


def test_rooms_of_layers_import_downwards_only():
    found = {path.name for path in (ROOT / "layers").iterdir() if path.is_dir() and list(path.glob("*.py"))}
    assert found == set().union(*ROOMS) - {"work.py"}
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in modules("layers")
        for top, name, line in imports(path)
        if top == "layers"
        and (other := below_layers(name)).split("/")[1] != relative(path).split("/")[1]
        and floor(other) >= max(floor(relative(path)), 1)
    ]
    assert not wrong, wrong


def below_layers(name):
    """The file or folder right below layers that a dotted name of layers lies in, as a path."""
    part = name.split(".")[1]
    return f"layers/{part}" if (ROOT / "layers" / part).is_dir() else f"layers/{part}.py"


def test_inside_a_folder_imports_are_relative():
    wrong = []
    for path in ALL:
        own = path.relative_to(ROOT).parts[0]
        for node in nodes(path):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            wrong += [f"{relative(path)}:{node.lineno}" for name in names if name.split(".")[0] == own]
    assert not wrong, wrong


def test_geo_touches_no_file_network_database_or_clock():
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in modules("geo")
        for top, name, line in imports(path)
        if top in GEO_NEVER
    ]
    for path in modules("geo"):
        for node in nodes(path):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("open", "input", "print", "eval", "exec") or re.search(
                r"\.(read_file|to_file|read_csv|to_csv|read_parquet|to_parquet|read_text|write_text|savefig|tofile|fromfile)$"
                r"|^np\.(load|save|savez|savetxt|loadtxt)$|^np\.random\.(seed|rand|randn|random|choice|uniform)$|\.now$|\.today$",
                called,
            ):
                wrong.append(f"{relative(path)}:{node.lineno} calls {called}")
    assert not wrong, wrong


def test_layers_know_no_web_framework():
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in modules("layers")
        for top, name, line in imports(path)
        if top in LAYERS_NEVER
    ]
    assert not wrong, wrong


def test_nothing_reaches_out_to_a_network():
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in ALL
        for top, name, line in imports(path)
        if top in NETWORK or name.startswith(("urllib.request", "http.client"))
    ]
    assert not wrong, wrong


def test_gdal_is_used_only_in_the_child_processes():
    wrong = []
    for path in ALL:
        if relative(path) in GDAL_READERS | GDAL_WRITERS:
            continue
        wrong += [
            f"{relative(path)}:{line} imports {name}"
            for top, name, line in imports(path)
            if top in ("pyogrio", "fiona", "osgeo")
        ]
        for node in nodes(path):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if re.search(r"(^|\.)(read_file|to_file|list_layers_of_file|read_dataframe|write_dataframe)$", called):
                wrong.append(f"{relative(path)}:{node.lineno} calls {called}")
    assert not wrong, wrong


def reached(start):
    """Our own modules that importing `start` brings in, function-level imports included, as paths below the root."""
    known = {relative(path) for path in ALL}
    found, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for _, name, _ in imports(ROOT / path):
            parts = name.split(".")
            names = ["/".join(parts[:length]) + ".py" for length in range(2, len(parts) + 1)]
            waiting += [other for other in names if other in known]
    return found


SERVER_SIDE = [relative(path) for path in modules("web")] + ["layers/work.py"]


@pytest.mark.parametrize("start", SERVER_SIDE)
def test_no_process_that_holds_the_store_loads_gdal(start):
    """In one process with sqlite3, GDAL breaks the store's locks, and a disguised file may lead it anywhere."""
    assert not reached(start) & (GDAL_READERS | GDAL_WRITERS)


def test_importing_all_of_layers_loads_no_web_framework():
    names = [
        relative(path).removesuffix(".py").replace("/", ".") for path in modules("layers") if path.stem != "__init__"
    ]
    code = (
        "import importlib, json, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(json.dumps([name for name in ('flask', 'folium', 'web') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_command_line_starts_without_gdal():
    code = (
        "import sys, json, web.cli; print(json.dumps([n for n in ('pyogrio', 'fiona', 'osgeo') if n in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_sql_that_is_long_lives_in_files():
    """A statement of more than three lines is a file in layers/storage/sql; web and geo hold no SQL at all."""
    statement = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH)\s", re.IGNORECASE)
    wrong = []
    for path in ALL:
        folder = path.relative_to(ROOT).parts[0]
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.match(node.value):
                text = node.value.strip()
                shouted = text.split()[0].isupper() and re.search(r"\b(FROM|INTO|TABLE|SET|TRIGGER|VIEW|INDEX)\b", text)
                if shouted and (folder in ("web", "geo") or text.count("\n") > 3):
                    wrong.append(f"{relative(path)}:{node.lineno}")
    assert not wrong, wrong


def test_the_top_level_holds_nothing_else():
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    found = {name.split("/")[0] for name in listed.stdout.splitlines()}
    assert found <= TOP_LEVEL, found - TOP_LEVEL


def test_files_are_named_by_their_noun():
    wrong = [relative(path) for path in ALL if path.stem in FORBIDDEN_NAMES]
    wrong += [relative(path) for path in (ROOT / "tests").rglob("__init__.py")]
    assert not wrong, wrong


def test_files_stay_short_enough_to_read():
    """But for `kinds.py`, which is one table."""
    long = {
        relative(path): count
        for path in ALL
        if relative(path) != "layers/kinds.py"
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert not long, long


def test_every_module_says_what_it_is_for():
    silent = [
        relative(path)
        for path in ALL
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent, silent


@pytest.mark.parametrize("folder", (*FOLDERS, "tests"))
def test_every_folder_states_its_law(folder):
    text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) >= 5


def test_no_work_is_left_marked_as_undone():
    mark = re.compile(r"\b(TODO|FIXME|XXX)\b")
    wrong = [relative(path) for path in ALL if mark.search(path.read_text(encoding="utf-8"))]
    assert not wrong, wrong
