"""Where a sign-in leads: an address of ours or nowhere."""

import re

from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

# Plain path characters only: no backslash, control character, colon or second leading slash can name another host.
_PATH = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9_./-]*)?(?:\?[A-Za-z0-9_.,:;=&%+~*!'()-]*)?\Z")


def safe_target(given: str | None) -> str:
    """`given` when it is the address of a page of ours that can be opened by GET, else "/"."""
    if not given or len(given) > 2000 or not _PATH.match(given) or "//" in given.split("?")[0]:
        return "/"
    adapter = current_app.url_map.bind("localhost")
    path = given.split("?")[0]
    try:
        endpoint, _ = adapter.match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return "/"
    return "/" if endpoint in ("auth.sign_in", "auth.sign_out", "auth.password", "static") else given
