"""The same write sent twice: an `Idempotency-Key` makes it happen once, with the same answer both times.

Imports carry the key into the store (a restart does not forget it); for every other write the answer is remembered
here by account and key.
"""

import hashlib
import re
import threading

from flask import Flask, Response, current_app, g, request
from flask_login import current_user

from .errors import RequestRefused
from .kept import Kept
from .language import text
from .security import UNSAFE

_KEY = re.compile(r"[A-Za-z0-9._:-]{8,100}\Z")
_REMEMBERED_BYTES = 4 * 1024 * 1024
_WAIT_S = 60.0


class Repeats:
    """Answers by key, and who is at work on a key right now."""

    def __init__(self) -> None:
        self.answers = Kept(_REMEMBERED_BYTES, size=lambda answer: len(answer[2]) + 300)
        self._busy: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def begin(self, key: str) -> tuple[str, int, bytes, str] | None:
        """The remembered answer; None when the caller is to do the work (and must `end` it)."""
        while True:
            with self._lock:
                found = self.answers.get(key)
                if found is not None:
                    return found
                other = self._busy.get(key)
                if other is None:
                    self._busy[key] = threading.Event()
                    return None
            other.wait(_WAIT_S)

    def end(self, key: str, answer: tuple[str, int, bytes, str] | None) -> None:
        """Remember the answer (None: it failed and may be tried again) and wake those who wait."""
        with self._lock:
            if answer is not None:
                self.answers.set(key, answer)
            event = self._busy.pop(key, None)
        if event:
            event.set()


def key_of_request() -> str | None:
    """The caller's key, checked; None when there is none."""
    given = request.headers.get("Idempotency-Key")
    if not given or request.method not in UNSAFE:
        return None
    if not _KEY.match(given):
        raise RequestRefused(text("server.key"), where="Idempotency-Key")
    return hashlib.sha256(f"{current_user.get_id()}\n{given}".encode()).hexdigest()


def register(app: Flask) -> None:
    """Answer repeats from memory, remember what succeeded."""
    app.extensions["wangge_repeats"] = Repeats()

    @app.before_request
    def answer_again() -> Response | None:
        key = key_of_request() if current_user.is_authenticated else None
        if key is None or request.url_rule is None:
            return None
        repeats: Repeats = current_app.extensions["wangge_repeats"]
        found = repeats.begin(key)
        if found is None:
            g.repeat_key = key
            return None
        said, status, body, mimetype = found
        if said != _said():
            raise RequestRefused(text("server.key_reused"), status=422, where="Idempotency-Key")
        response = Response(body, status=status, mimetype=mimetype)
        response.headers["Idempotent-Replay"] = "true"
        return response

    @app.after_request
    def remember(response: Response) -> Response:
        key = g.pop("repeat_key", None)
        if key is not None:
            whole = not response.direct_passthrough and response.status_code < 500 and response.status_code != 409
            answer = (_said(), response.status_code, response.get_data(), response.mimetype or "") if whole else None
            current_app.extensions["wangge_repeats"].end(key, answer)
        return response

    @app.teardown_request
    def release(_error: BaseException | None) -> None:
        key = g.pop("repeat_key", None)
        if key is not None:
            current_app.extensions["wangge_repeats"].end(key, None)


def _said() -> str:
    """What the request was: another request with the same key is a mistake of the caller."""
    body = request.get_data(cache=True) if request.mimetype == "application/json" else b""
    return f"{request.method} {request.path} {hashlib.sha256(body).hexdigest()}"
