"""Scripts, styles and libraries: served under a folder that names their content, so that browsers keep them for good.

`/static/v-DIGEST/js/main.js` is `static/js/main.js`; modules import each other by relative path and so stay in the
same folder. A new release has another digest and is fetched anew, all together: no page mixes old and new modules.
"""

import re
from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable

from flask import Flask, Response, current_app, g

_VERSIONED = re.compile(r"v-([0-9a-f]{12})/(.+)\Z")
_IMPORT = re.compile(r"^(?:import|export) [^\n]*?from \"\./(\w+\.js)\"", re.MULTILINE)
_LATER = re.compile(r"import\(\"\./(\w+\.js)\"\)")
_YEAR_S = 365 * 24 * 3600


def _folder() -> Traversable:
    return resources.files("web") / "static"


def _files(folder: Traversable, above: str = "") -> list[tuple[str, Traversable]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        name = above + entry.name
        found += _files(entry, name + "/") if entry.is_dir() else [(name, entry)]
    return found


@cache
def digest() -> str:
    """Twelve hexadecimal digits that change with any file under `static`."""
    made = sha256()
    for name, file in _files(_folder()):
        made.update(name.encode() + b"\0" + file.read_bytes())
    return made.hexdigest()[:12]


def address(name: str) -> str:
    """Address of a file under `static`, such as "js/main.js"."""
    return f"/static/v-{digest()}/{name}"


@cache
def modules_of(page: str) -> tuple[str, ...]:
    """The modules a page imports, directly or not, announced in its head so that the browser fetches them all at once."""
    return tuple(_reached(page, _IMPORT))


@cache
def text_of(page: str) -> str:
    """The text of all modules that a page may come to run, those it fetches later on included."""
    return "\n".join(_reached(page, _IMPORT, _LATER).values())


def _reached(page: str, *ways: re.Pattern[str]) -> dict[str, str]:
    folder, own = _folder() / "js", f"page_{page}.js"
    found: dict[str, str] = {}
    waiting = ["main.js", own]
    while waiting:
        name = waiting.pop(0)
        if name in found or not (folder / name).is_file() or (name.startswith("page_") and name != own):
            continue
        found[name] = (folder / name).read_text("utf-8")
        for way in ways:
            waiting += way.findall(found[name])
    return found


def register(app: Flask) -> None:
    """Let the application's own static view understand the folder with the digest."""

    def serve(filename: str) -> Response:
        versioned = _VERSIONED.match(filename)
        name = versioned[2] if versioned else filename
        response = current_app.send_static_file(name)
        etag = response.get_etag()[0]
        if response.status_code == 200:
            # In memory, whatever server stands in front: only so is it compressed; once, not for every reader.
            response.direct_passthrough = False
            response.set_data(response.get_data())
        g.compressed_key = f"static {name} {etag}"
        if versioned and versioned[1] == digest():
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.immutable = True
            response.cache_control.max_age = _YEAR_S
        return response

    app.view_functions["static"] = serve
