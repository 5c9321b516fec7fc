"""An import that is killed at any moment leaves the old rows or the new rows, whole, and a store that opens."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layers.imports.importing import ImportOptions, import_file
from layers.rights import OWNER
from layers.selection import frames
from layers.storage.store import Store

ROUNDS = int(os.environ.get("WANGGE_KILLS", "6"))
ROWS = 3000
IMPORT = """
import sys
from layers.imports.importing import ImportOptions, import_file
from layers.rights import OWNER
from layers.storage.store import Store
store_path, source = sys.argv[1:]
with Store.open(store_path) as store:
    print("open", flush=True)
    report = import_file(store, source, ImportOptions(kind="incident", mode="replace"), viewer=OWNER)
    print("stored" if report.stored else "refused", flush=True)
"""


def write_incidents(path: Path, state: str) -> None:
    lines = [f"{n},{111 + n % 50 / 1000},{30 + n // 50 / 1000},2025-05-01 08:00,{state}" for n in range(ROWS)]
    path.write_text("\n".join(["incident_no,lon,lat,occurred_at,level", *lines]), encoding="utf-8")


def levels_of(path: Path) -> dict[str, int]:
    with Store.open(str(path)) as store:
        frame = frames.read_layer(store, "incident", OWNER, columns=["level"], geometry=False)
        counts: dict[str, int] = frame["level"].value_counts().to_dict()
        return counts


@pytest.mark.slow
def test_an_import_killed_at_random_moments_is_whole_or_has_not_happened(tmp_path: Path) -> None:
    path, chance = tmp_path / "county.gpkg", random.Random(7)
    sources = [tmp_path / "round0.csv", tmp_path / "round1.csv"]
    with Store.create(str(path)) as store:
        write_incidents(sources[0], "0")
        assert import_file(store, sources[0], ImportOptions(kind="incident"), viewer=OWNER).stored
    now, finished, killed = "0", 0, 0
    for number in range(1, ROUNDS + 1):
        following = str(number)
        write_incidents(sources[1], following)
        child = subprocess.Popen(
            [sys.executable, "-P", "-c", IMPORT, str(path), str(sources[1])],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        # From the first look at the file to shortly after the end; a stand-still at the start would test nothing.
        time.sleep(chance.uniform(0.05, 2.2))
        alive = child.poll() is None
        os.killpg(child.pid, signal.SIGKILL) if alive else None
        answered = child.stdout.read()
        child.stdout.close()
        child.wait()
        found = levels_of(path)
        assert found in ({now: ROWS}, {following: ROWS}), found
        if b"stored" in answered:
            assert found == {following: ROWS}
            finished += 1
        killed += alive
        (now,) = found
    assert killed
