"""Runs the reading child: one fresh process per file, without network, rights to little, and limits on everything.

A plain subprocess, not a fork server: it costs 0.3 to 0.6 s a file and inherits nothing (no memory of the server, no
open store, no environment but the variables below). OGR drivers that follow paths or addresses are switched off by
environment variables before the library is loaded; setting them later does nothing. Where the system allows, the child
has a network namespace of its own with no network in it.

On systems without resource limits (Windows) only the clock in the parent ends a child.
"""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from geo.words import Text

from ..findings import Finding
from ..limits import MB, Limits
from .formats import Refused, refuse

try:
    import resource
except ImportError:  # pragma: no cover - Windows has no resource limits
    resource = None  # type: ignore[assignment]

_ROOT = Path(__file__).resolve().parents[2]
# The child limits itself before it loads anything or sees the file. Doing it between fork and exec (`preexec_fn`) can hang
# a server that has threads: the forked half may wait for ever for a lock that another thread held.
_LIMIT = (
    "import sys, json\n"
    "for name, value in json.loads(sys.argv.pop(1)): import resource; resource.setrlimit(name, (value, value))\n"
)
_START = (
    "sys.path[:0] = sys.argv[1].split('\\n'); sys.argv[1:] = sys.argv[2:]; "
    "import runpy; runpy.run_module('layers.files.reader_child', run_name='__main__')"
)
_OTHER_DRIVERS = (
    "PCIDSK PDS4 VICAR PDF MBTiles EEDA OGCAPI GDALG MapInfo_File LVBAG S57 DGN OGR_VRT CSV GML GPX KML LIBKML ESRIJSON "
    "OGR_GMT SQLite WAsP OpenFileGDB DXF GeoRSS VFK PGDUMP OSM GPSBabel OGR_PDS WFS OAPIF EDIGEO Idrisi ODS XLSX "
    "Elasticsearch Carto AmigoCloud SXF Selafin JML PLSCENES CSW VDV MVT NGW MapML GTFS PMTiles JSONFG MiraMonVector "
    "ADBC AVCBin AVCE00 AIVector HTTP Parquet Arrow PostgreSQL MySQL MSSQLSpatial ODBC PGeo OCI HANA netCDF FileGDB XLS CAD"
)
_POLL_SECONDS = 0.05
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE})


def environment(folder: Path, *, directory_listing: bool) -> dict[str, str]:
    """The whole environment of the child; nothing of the server's comes through.

    `directory_listing`: a shapefile needs to see its side files, nothing else needs to see any.
    """
    skipped = ",".join(name.replace("_File", " File") for name in _OTHER_DRIVERS.split())
    return {
        "OGR_SKIP": skipped,
        "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_DISABLE_READDIR_ON_OPEN": "FALSE" if directory_listing else "EMPTY_DIR",
        "SHAPE_RESTORE_SHX": "YES",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@cache
def network_namespace() -> tuple[str, ...]:
    """The command prefix that takes the network away, or nothing where the system does not allow it."""
    command = ("unshare", "-rn")
    try:
        done = subprocess.run([*command, "true"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return command if done.returncode == 0 else ()


def run_reader(
    request: dict,
    folder: Path,
    limits: Limits,
    *,
    size: int,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict:
    """Run the child on `request` in `folder` and return its answer.

    `size` is the unpacked size of the source in bytes and scales time and output. `progress` is called with the share
    of the source that has been read, from 0 to 1.

    Raises
    ------
    Refused
        When the child refuses the file, hits a limit, crashes or is cancelled.
    """
    request_file, answer_file, progress_file = (folder / name for name in ("request.json", "answer.json", "progress"))
    answer_file.unlink(missing_ok=True)
    request_file.write_text(json.dumps(request), encoding="utf-8")
    paths = "\n".join([str(_ROOT), *{sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}])
    command = [
        *network_namespace(),
        sys.executable,
        "-I",
        "-c",
        _LIMIT + _START,
        _limits_text(limits, size),
        paths,
        str(request_file),
    ]
    listing = request["driver"] == "ESRI Shapefile"
    seconds = limits.wall_seconds(size)
    with (folder / "errors.txt").open("wb") as errors:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder, directory_listing=listing),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            status = _wait(child, seconds, progress_file, size, progress, cancelled)
        finally:
            _kill(child)
    if status is None:
        raise _too_much(limits, size)
    return _answer(status, answer_file, folder / "errors.txt", limits, size)


def _limits_text(limits: Limits, size: int) -> str:
    """Limits for the child to set, as JSON pairs of resource and value; none where the system knows none."""
    if resource is None:
        return "[]"
    return json.dumps(
        [
            (resource.RLIMIT_AS, limits.child_memory),
            (resource.RLIMIT_CPU, limits.cpu_seconds(size)),
            (resource.RLIMIT_FSIZE, limits.output(size)),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 64),
        ]
    )


def _wait(
    child: subprocess.Popen,
    seconds: int,
    progress_file: Path,
    size: int,
    progress: Callable[[float], None] | None,
    cancelled: Callable[[], bool] | None,
) -> int | None:
    """The exit status of the child, or None when its time is over."""
    end = time.monotonic() + seconds
    while True:
        try:
            return child.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() > end:
            return None
        if cancelled is not None and cancelled():
            raise refuse("cancelled", "导入已取消。", "The import was cancelled.", Text("", ""))
        if progress is not None and progress_file.exists():
            read = progress_file.read_text() or "0"
            progress(min(1.0, int(read) / max(1, size)))


def _kill(child: subprocess.Popen) -> None:
    if child.poll() is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError, AttributeError):
            child.kill()
        child.wait()


def _answer(status: int, answer_file: Path, errors: Path, limits: Limits, size: int) -> dict:
    if status == 0 and answer_file.exists():
        answer = json.loads(answer_file.read_text(encoding="utf-8"))
        if refused := answer.get("refused"):
            raise Refused(Finding.from_dict(refused))
        return answer
    ended_by = -status if status < 0 else status - 128
    text = errors.read_bytes()[-4000:]
    signs = (b"MemoryError", b"bad_alloc", b"File too large")  # Python turns the file limit into an error
    if ended_by in (signal.SIGKILL, signal.SIGXCPU, signal.SIGXFSZ) or any(sign in text for sign in signs):
        raise _too_much(limits, size)
    if ended_by in _CRASHES:
        raise refuse(
            "crash",
            "读取程序在这个文件上崩溃了，文件未导入；其他功能不受影响。",
            "The reading process crashed on this file; nothing was imported and everything else goes on.",
            Text("请用桌面软件另存后再试。", "Save the file anew with a desktop program and try again."),
        )
    raise refuse(
        "unreadable",
        "文件无法读取，可能已损坏。",
        "The file cannot be read; it may be damaged.",
        Text("请用桌面软件打开检查并另存后再试。", "Open it in a desktop program, save it anew and try again."),
    )


def _too_much(limits: Limits, size: int) -> Refused:
    memory, seconds = limits.child_memory // MB, limits.cpu_seconds(size)
    return refuse(
        "limit",
        f"读取该文件需要超过 {memory} MB 内存或 {seconds} 秒，已停止。",
        f"The file needs more than {memory} MB of memory or {seconds} s to read and was stopped.",
        Text("请把文件分成几份再导入。", "Split the file and import the parts."),
    )
