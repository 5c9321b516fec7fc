"""The server as a process: memory after everything the map pages ask for, and answers under fifty readers."""

import gzip
import http.client
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

import numpy as np
from rows import Row

from layers.imports import sample
from layers.storage.store import Store

MB = 1024
PAGE = (
    "/",
    "/api/v1/session",
    "/api/v1/layers",
    "/features/county?columns=name",
    "/features/township?columns=name&tolerance_m=60",
    "/features/village?columns=name,parent_code&tolerance_m=60",
    "/points/camera?columns=status,video_class",
    "/api/v1/coverage",
    "/api/v1/table/village?size=50",
    "/api/v1/hotspots",
    "/api/v1/density",
    "/api/v1/density.png",
)
COUNTY = ("/features/grid?columns=name&tolerance_m=60", "/points/incident?columns=category")
CITY = ("/tiles/grid/11/1655/860.mvt", "/tiles/grid/11/1655/861.mvt", "/tiles/incident/9/413/215.mvt")
READ = (
    "/api/v1/layers",
    "/features/village?columns=name,parent_code&tolerance_m=60",
    "/api/v1/coverage",
    "/api/v1/table/village?size=50&page={}",
)
READERS, SECONDS, PAUSE_S = 50, 10.0, 0.5


class Reader:
    """Somebody at a browser who has signed in."""

    def __init__(self, port: int, password: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self.cookie = ""
        page = self.get("/sign-in")
        token = re.search(rb'csrf_token" value="([^"]+)"', page).group(1).decode()
        form = urllib.parse.urlencode({"name": "planner", "password": password, "csrf_token": token})
        self.get("/sign-in", "POST", form, {"Content-Type": "application/x-www-form-urlencoded"})
        self.received = 0

    def get(self, path: str, method: str = "GET", body: str | None = None, headers: dict | None = None) -> bytes:
        """The unpacked answer; an error is an error of the bench."""
        self.connection.request(
            method, path, body, {"Cookie": self.cookie, "Accept-Encoding": "gzip", **(headers or {})}
        )
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.getheader("Set-Cookie"):
            self.cookie = answer.getheader("Set-Cookie").split(";")[0]
        if answer.status >= 400:
            raise RuntimeError(f"{answer.status} {path} {data[:200]!r}")
        self.received = getattr(self, "received", 0) + len(data)
        return gzip.decompress(data) if answer.getheader("Content-Encoding") == "gzip" else data


def memory_mb(pid: int, field: str) -> float:
    """A memory figure of a process: VmRSS now, VmHWM at most."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", text).group(1)) / MB


def served(folder: Path, size: str) -> tuple[subprocess.Popen, int, str]:
    """A server on a sample of that size; process, port and the planner's password."""
    with Store.create(str(folder / f"{size}.gpkg")) as store:
        sample.make_sample(store, size=size)
        word = next(entry.password for entry in sample.sign_ins(store) if entry.role == "planner")
    command = [sys.executable, "-m", "web.cli", "serve", "--store", str(folder / f"{size}.gpkg"), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout or ():
        found = re.search(r"http://[^:]+:(\d+)/", line)
        if found:
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return process, int(found.group(1)), word
    raise RuntimeError("the server did not start")


def under_load(port: int, word: str) -> tuple[float, int]:
    """95th percentile in ms over all readers, and the number of answers."""
    took: list[float] = []
    failed: list[Exception] = []
    first = Reader(port, word)
    end = time.monotonic() + SECONDS

    def read(number: int) -> None:
        try:
            one = Reader.__new__(Reader)
            one.connection, one.cookie = http.client.HTTPConnection("127.0.0.1", port, timeout=60), first.cookie
            turn = number
            while time.monotonic() < end:
                began = time.perf_counter()
                one.get(READ[turn % len(READ)].format(1 + turn % 5))
                took.append((time.perf_counter() - began) * 1000)
                turn += 1
                threading.Event().wait(PAUSE_S)
        except Exception as error:  # told after all threads have ended
            failed.append(error)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return float(np.percentile(took, 95)), len(took)


def run() -> list[Row]:
    """Rows for the table."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="wangge-bench-") as name:
        for size, more, bar in (("county", COUNTY, 350.0), ("city", CITY, 1024.0)):
            process, port, word = served(Path(name), size)
            try:
                one = Reader(port, word)
                for path in (*PAGE, *more):
                    one.get(path)
                held, most = memory_mb(process.pid, "VmRSS"), memory_mb(process.pid, "VmHWM")
                note = f"after all requests of the map pages; at most {most:.0f} MB for a moment"
                rows.append(Row(f"memory of the server, {size}", held, None, "MB", bar, note))
                if size == "county":
                    fresh = Reader(port, word)
                    fresh.received = 0
                    for path in (*PAGE[:8], *more):
                        fresh.get(path)
                    rows.append(
                        Row(
                            "county data for the page, gzip",
                            fresh.received / 1000,
                            None,
                            "kB",
                            None,
                            "villages, grids, cameras, incidents, coverage; without scripts",
                        )
                    )
                    p95, answers = under_load(port, word)
                    rows.append(
                        Row(
                            "50 readers, 95th percentile",
                            p95,
                            None,
                            "ms",
                            300.0,
                            f"{answers} answers in {SECONDS:.0f} s, none failed",
                        )
                    )
            finally:
                process.terminate()
                process.wait()
    return rows


if __name__ == "__main__":
    for row in run():
        print(row, row.met)
