"""How long a sign-in lasts: idle and absolute limits that a changed clock cannot stretch, and versions that end it.

The signed cookie holds the account, its session version and two clocks. The version is compared with the account on
every request, so a new password, another role or a disabled account ends all sessions at once. Time is counted on the
system's monotonic clock while the machine runs, on the wall clock across restarts, where a clock set back ends the
session.
"""

import functools
import secrets
import time
from pathlib import Path
from typing import Any

from flask import session

from . import current

ENDED = "ended_sessions"
_REFRESH_S = 300
# Clocks of machines in one office differ a little.
_SKEW_S = 120
_ended_here: dict[str, float] = {}  # sessions signed out of a store that cannot be written to


@functools.cache
def _boot() -> str:
    """The running system's start, shared by all server processes; a random word where the system tells none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return secrets.token_hex(8)


def _now() -> dict[str, Any]:
    return {"wall": int(time.time()), "steady": int(time.monotonic()), "boot": _boot()}


def _age_s(then: dict[str, Any]) -> float:
    """Seconds since `then`; infinite when the clock went back."""
    now = _now()
    if then["boot"] == now["boot"]:
        return now["steady"] - then["steady"]
    age = now["wall"] - then["wall"]
    return age if age >= -_SKEW_S else float("inf")


def begin(name: str, version: int) -> None:
    """A new session for an account; whatever the cookie held before is gone, the token too."""
    session.clear()
    now = _now()
    session.update(account=name, version=version, id=secrets.token_hex(16), since=now, seen=now)


def end() -> None:
    """End this session for good: a copy of its cookie is refused as well."""
    ended = session.get("id")
    if ended:
        now = time.time()
        still = {key: until for key, until in _ended().items() if until > now}
        still[ended] = now + current.setting("SESSION_ABSOLUTE_S")
        if current.store().readonly:
            _ended_here.update(still)
        else:
            with current.store().change(session["account"], "sign_out") as change:
                current.store().settings.put(change.connection, ENDED, still)
    session.clear()


def _ended() -> dict[str, float]:
    """Ids of sessions that were signed out, with the time after which they need no longer be remembered."""
    return (current.store().settings.get(ENDED) or {}) | _ended_here


def account_and_version() -> tuple[str, int] | None:
    """The account and session version of a session that is still good, else None."""
    name, since, seen = session.get("account"), session.get("since"), session.get("seen")
    if not name or not since or not seen or session.get("id") in _ended():
        return None
    if _age_s(seen) > current.setting("SESSION_IDLE_S") or _age_s(since) > current.setting("SESSION_ABSOLUTE_S"):
        return None
    # Renewing the cookie now and then is enough, and leaves most answers without Set-Cookie.
    if _age_s(seen) > _REFRESH_S:
        session["seen"] = _now()
    return name, session["version"]
