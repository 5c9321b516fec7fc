"""Which process wrote something, and whether it still lives: so that work of a dead process is found at once."""

import os
import socket
from functools import cache
from pathlib import Path


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot, "" when unknown: tells a process from a later one of its id."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]  # a killed process that its parent has not looked after yet


@cache
def _identity(pid: int) -> str:
    return f"{socket.gethostname()}|{pid}|{_started(pid)}"


def identity() -> str:
    """This process, as text: host, id, start."""
    return _identity(os.getpid())


def is_dead(written: str | None) -> bool:
    """Whether the process named by `identity()` text surely lives no more; False when it cannot be known."""
    if not written or written.count("|") != 2:
        return False
    host, pid, started = written.split("|")
    if host != socket.gethostname() or not pid.isdigit() or not started:
        return False
    return _started(int(pid)) != started
