"""Who may call which address: one table, default deny.

Each rule of the URL map stands here with what a caller needs: PUBLIC, SIGNED_IN, DRAFTS, or an act of
`layers.rights.ACTS`. A rule that is missing is closed to everybody, so a new page is shut until somebody decides. Rows
and columns are decided further down, in `layers.rights` and `layers.selection.frames`.
"""

from flask import Flask, Response, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from geo.errors import RightsError
from layers.redrawing import draft_rights

from . import current, errors
from .language import text

PUBLIC = "public"
SIGNED_IN = "signed in"
DRAFTS = "drafts"
"""Who draws, reviews or approves boundaries; what of it, and of which draft, is decided in `layers.redrawing.drafts`."""

ACCESS: dict[str, str] = {
    "/static/<path:filename>": PUBLIC,
    "/fonts/<file>": PUBLIC,
    "/healthz": PUBLIC,
    "/sign-in": PUBLIC,
    "/sign-out": SIGNED_IN,
    "/password": SIGNED_IN,
    "/": SIGNED_IN,
    "/coverage": SIGNED_IN,
    "/hotspots": SIGNED_IN,
    "/redraw": DRAFTS,
    "/layers": SIGNED_IN,
    "/reports": SIGNED_IN,
    "/help": SIGNED_IN,
    "/admin": "accounts",
    "/features/<kind>": SIGNED_IN,
    "/points/<kind>": SIGNED_IN,
    "/tiles/<kind>/<z>/<x>/<y>.mvt": SIGNED_IN,
    "/basemap/<name>/<z>/<x>/<y>": SIGNED_IN,
    "/api/openapi.json": SIGNED_IN,
    "/api/v1/session": SIGNED_IN,
    "/api/v1/layers": SIGNED_IN,
    "/api/v1/features/<kind>/<path:key>": SIGNED_IN,
    "/api/v1/table/<kind>": SIGNED_IN,
    "/api/v1/search": SIGNED_IN,
    "/api/v1/coverage": SIGNED_IN,
    "/api/v1/hotspots": SIGNED_IN,
    "/api/v1/density": "points",
    "/api/v1/density.png": "points",
    "GET /api/v1/rules": SIGNED_IN,
    "POST /api/v1/rules": "edit_rules",
    "/api/v1/rules/<name>": "edit_rules",
    "/api/v1/uploads": "import",
    "/api/v1/uploads/<upload>/preview": "import",
    "/api/v1/imports": "import",
    "/api/v1/jobs": SIGNED_IN,
    "/api/v1/jobs/<job>": SIGNED_IN,
    "/api/v1/jobs/<job>/cancel": SIGNED_IN,
    "/api/v1/jobs/<job>/findings.csv": SIGNED_IN,
    "/api/v1/jobs/<job>/findings.json": SIGNED_IN,
    "/api/v1/changes/<int:change>/undo": "undo_import",
    "/api/v1/borders/derive": "mend",
    "GET /api/v1/borders/inspections": SIGNED_IN,
    "POST /api/v1/borders/inspections": "redraw",
    "/api/v1/mending/look": "mend",
    "/api/v1/mending/plan": "mend",
    "/api/v1/mending/apply": "mend",
    "/api/v1/mending/jobs/<job>": "mend",
    "/api/v1/export": "export",
    "/api/v1/print": "export",
    "/api/v1/standalone": "export",
    "/api/v1/history/<kind>/<path:code>": SIGNED_IN,
    "/api/v1/dates": SIGNED_IN,
    "/api/v1/comparison/<kind>": SIGNED_IN,
    "/api/v1/drafts": DRAFTS,
    "/api/v1/drafts/<int:draft>": DRAFTS,
    "/api/v1/drafts/<int:draft>/operations": DRAFTS,
    "/api/v1/drafts/<int:draft>/undo": DRAFTS,
    "/api/v1/drafts/<int:draft>/redo": DRAFTS,
    "/api/v1/drafts/<int:draft>/areas": DRAFTS,
    "/api/v1/drafts/<int:draft>/submit": DRAFTS,
    "/api/v1/drafts/<int:draft>/withdraw": DRAFTS,
    "/api/v1/drafts/<int:draft>/send_back": DRAFTS,
    "/api/v1/drafts/<int:draft>/review": DRAFTS,
    "/api/v1/drafts/<int:draft>/approve": DRAFTS,
    "/api/v1/drafts/<int:draft>/rebase": DRAFTS,
    "/api/v1/drafts/<int:draft>/discard": DRAFTS,
    "/api/v1/drafts/<int:draft>/package": DRAFTS,
    "/api/v1/balance": "redraw",
    "/api/v1/balance/suggest": "redraw",
    "/api/v1/balance/suggestions/<job>": "redraw",
    "/api/v1/balance/suggestions/<job>/apply": "redraw",
    "/api/v1/accounts": "accounts",
    "/api/v1/accounts/<name>": "accounts",
    "/api/v1/audit": "audit",
    "/api/v1/settings": "settings",
    "/api/v1/backup": "backup",
}
"""Rule, or "METHOD rule" where methods differ, to what a caller needs."""

BEFORE_PASSWORD_CHANGE = {"/password", "/sign-out", "/sign-in", "/healthz", "/static/<path:filename>", "/fonts/<file>"}


def needed(method: str, rule: str) -> str | None:
    """What a call needs; None when the rule is not in the table (closed to everybody)."""
    method = "GET" if method in ("HEAD", "OPTIONS") else method
    return ACCESS.get(f"{method} {rule}", ACCESS.get(rule))


def check() -> AnyResponse | Response | None:
    """Let the request pass, send its sender to sign in, or refuse; runs before every view."""
    if request.url_rule is None:
        return None  # 404 or 405 by routing
    rule = request.url_rule.rule
    need = needed(request.method, rule)
    if need == PUBLIC:
        return None
    if not current_user.is_authenticated:
        if errors.wants_json():
            raise errors.SignInNeeded(text("auth.sign_in_first"))
        return redirect(
            url_for("auth.sign_in", next=request.full_path.rstrip("?") if request.method == "GET" else None)
        )
    g.signed_in = True
    if current_user.must_change and rule not in BEFORE_PASSWORD_CHANGE:
        if errors.wants_json():
            raise RightsError(text("auth.change_first"), mend=text("auth.change_first_mend"))
        return redirect(url_for("auth.password"))
    if need == DRAFTS:
        draft_rights.require_sight(current.store(), current_user.viewer)
    elif need is None or (need != SIGNED_IN and not _may(need)):
        raise RightsError(text("server.not_open"), mend=text("server.ask_admin"))
    return None


def _may(act: str) -> bool:
    asks = current_user.viewer
    if act == "points":
        from layers.rights import INTERNAL

        return asks.role in INTERNAL
    return asks.may(act)


def register(app: Flask) -> None:
    """Check every request against the table."""
    app.before_request(check)
