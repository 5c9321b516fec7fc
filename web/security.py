"""What every request and answer goes through: hosts, sizes, origin, content type, token, headers.

The order matters: cheap refusals come first, and nothing reads a body before the sender is known and the size is
allowed.
"""

import ipaddress
import json
import math
import secrets
import socket
from functools import cache
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request
from flask_wtf.csrf import CSRFProtect

from geo.errors import StoreError
from geo.words import UNWRITABLE

from . import access, current
from .characters import require_writable, require_writable_fields
from .errors import RequestRefused
from .language import text

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
UPLOAD_RULE = "/api/v1/uploads"
FORM_RULES = frozenset({"/sign-in", "/sign-out", "/password"})
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# Room for the multipart frame around an upload.
_FRAME_BYTES = 64 * 1024


def nonce() -> str:
    """The nonce of this answer: scripts and styles of the page's own HTML carry it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    return g.csp_nonce


@cache
def _own_names() -> frozenset[str]:
    return frozenset({"localhost", socket.gethostname().lower()})


def require_known_host(app: Flask) -> None:
    """Refuse a Host header that is neither an IP address, nor this machine, nor listed (DNS rebinding, forged links)."""
    # An IPv6 address stands in brackets: urlsplit takes both apart.
    try:
        name = (urlsplit(f"//{request.environ.get('HTTP_HOST', '')}").hostname or "").lower()
    except ValueError:
        name = ""
    if name in _own_names() or name in {host.lower() for host in app.config["PUBLIC_HOSTS"]}:
        return
    try:
        ipaddress.ip_address(name)
    except ValueError:
        raise RequestRefused(text("server.host"), mend=text("server.host_mend")) from None


def require_small_header(app: Flask) -> None:
    """Refuse a request whose headers are larger than the limit."""
    size = sum(len(name) + len(value) + 4 for name, value in request.headers.items()) + len(request.full_path)
    if size > app.config["HEADER_MAX_BYTES"]:
        raise RequestRefused(text("server.header_size"), status=431)


def limit_body(app: Flask) -> None:
    """Set how much of a body may be read: uploads as configured, all else the JSON limit."""
    uploads = request.url_rule is not None and request.url_rule.rule == UPLOAD_RULE
    limit = current.setting("UPLOAD_MAX_BYTES") + _FRAME_BYTES if uploads else app.config["JSON_MAX_BYTES"]
    request.max_content_length = limit
    if request.content_length and request.content_length > limit:
        raise RequestRefused(text("server.http_413"), status=413)


def require_own_page() -> None:
    """Writes come from our own pages: same origin, the right content type, the token in a header."""
    if request.method not in UNSAFE or request.url_rule is None:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise RequestRefused(text("server.cross_site"), status=403, where="Sec-Fetch-Site")
    rule = request.url_rule.rule
    if rule in FORM_RULES:
        wanted = _FORM_TYPES if rule != "/sign-out" else _FORM_TYPES | {"application/json"}
    elif rule == UPLOAD_RULE:
        wanted = frozenset({"multipart/form-data"})
    else:
        wanted = frozenset({"application/json"})
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if request.mimetype not in wanted and (has_body or request.mimetype):
        raise RequestRefused(text("server.content_type", wanted=sorted(wanted)[0]), status=415, where="Content-Type")
    # The token of a data call stands in a header, which a foreign form cannot set, and is asked for before the body is read.
    if rule not in FORM_RULES and not request.headers.get("X-CSRFToken"):
        raise RequestRefused(text("server.csrf"), where="X-CSRFToken", mend=text("server.csrf_mend"))
    if rule in FORM_RULES:
        require_writable_fields(request.form)
    if request.mimetype == "application/json" and has_body:
        require_json(request.get_data(cache=True))


def require_json(body: bytes) -> None:
    """Raise unless a body is JSON as the standard has it, finite, not nested without end, its texts fit to be kept."""

    def finite(written: str) -> float:
        value = float(written)
        if not math.isfinite(value):
            raise ValueError(written)
        return value

    def refuse_constant(written: str) -> None:
        raise ValueError(written)

    try:
        value = json.loads(body, parse_float=finite, parse_constant=refuse_constant)
    except ValueError:
        raise RequestRefused(text("server.json")) from None
    except RecursionError:
        raise RequestRefused(text("server.nested")) from None
    require_writable(value)


def content_policy(app: Flask) -> str:
    """The Content-Security-Policy of this answer; hosts of configured basemaps may give images, nothing else may."""
    # Scripts and styles show no basemap: the setting is not read for each of the many files of a page.
    hosts = [] if request.endpoint == "static" else _basemap_hosts()
    images = " ".join(["'self'", "data:", "blob:", *hosts])
    own = f"'self' 'nonce-{nonce()}'"
    return (
        f"default-src 'self'; script-src {own}; style-src {own}; style-src-attr 'unsafe-inline'; img-src {images}; "
        "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; form-action 'self'"
    )


def _basemap_hosts() -> list[str]:
    hosts = set()
    try:
        basemaps = current.setting("BASEMAPS")
    except StoreError:
        # The answer that tells of the failing store still needs its headers.
        return []
    for basemap in basemaps:
        for key in ("url", "labels_url"):
            parts = urlsplit(str(basemap.get(key, "")))
            if parts.scheme in ("http", "https") and parts.netloc:
                # Addresses with numbered hosts ("t{s}.example.org") are listed as one wildcard.
                labels = ["*" if "{" in label else label for label in parts.netloc.split(".")]
                hosts.add(f"{parts.scheme}://{'.'.join(labels)}")
    return sorted(hosts)


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def register(app: Flask) -> None:
    """Checks in their order, the token, and the headers of every answer."""
    app.jinja_env.globals["csp_nonce"] = nonce

    @app.before_request
    def check_form() -> None:
        require_known_host(app)
        require_small_header(app)
        limit_body(app)
        if UNWRITABLE.search(request.path):
            abort(404)  # nothing has such a name
        require_writable_fields(request.args)

    access.register(app)
    app.before_request(require_own_page)
    tokens = CSRFProtect(app)
    # An upload checks its token itself, before its body is read (Flask-WTF would read the body to look for a field).
    tokens.exempt("web.uploads.upload")

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = content_policy(app)
        if app.config["TLS"]:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
            response.vary.add("Cookie")
        return response
