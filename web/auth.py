"""Signing in and out, changing the password, and the first administrator."""

from typing import Any

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user
from werkzeug.wrappers import Response as AnyResponse

from geo.errors import InputError, LimitError, NotFoundError, RightsError
from layers.storage import accounts, signing_in

from . import current, sessions
from .language import language, t
from .targets import safe_target

blueprint = Blueprint("auth", __name__)
_TARGET = "target"


class SignedIn(UserMixin):
    """The account of this request, read from the store each time: a change of rights holds from the next click."""

    def __init__(self, account: accounts.Account) -> None:
        self.viewer = account.viewer
        self.must_change = account.must_change

    def get_id(self) -> str:
        """The account's name."""
        return self.viewer.name


def register(app: Flask) -> None:
    """Flask-Login reads the account behind our own session (`web.sessions`)."""
    manager = LoginManager(app)
    manager.session_protection = None

    @manager.request_loader
    def load(_request: Any) -> SignedIn | None:
        known = sessions.account_and_version()
        if known is None:
            return None
        try:
            account = accounts.read(current.store(), known[0])
        except NotFoundError:
            return None
        if account.disabled or account.session_version != known[1]:
            return None
        return SignedIn(account)

    app.register_blueprint(blueprint)


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> AnyResponse | Response:
    """The sign-in page; a wrong name and a wrong password read and take the same."""
    if request.method == "GET":
        target = safe_target(request.args.get("next"))
        if current_user.is_authenticated:
            return redirect(target)
        # The target waits in the session: no form field or link can smuggle in another one.
        session[_TARGET] = target
        return _page("sign_in.html", target)
    target = safe_target(session.get(_TARGET))
    try:
        account = signing_in.verify(
            current.store(), request.form.get("name", ""), request.form.get("password", ""), request.remote_addr or ""
        )
    except LimitError as error:
        return _wait("sign_in.html", target, error)
    except RightsError as error:
        return _page("sign_in.html", target, error.what.to(language()), 401)
    sessions.begin(account.name, account.session_version)
    return redirect(url_for("auth.password") if account.must_change else target, 303)


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session, on the server too."""
    sessions.end()
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> AnyResponse | Response:
    """Change one's own password; all other sessions of the account end."""
    if request.method == "GET":
        return _page("password.html", "/")
    asks, form = current.viewer(), request.form
    old, new = form.get("old", ""), form.get("new", "")
    if new != form.get("again", ""):
        return _page("password.html", "/", t("auth.differ"), 400)
    try:
        account = signing_in.change_password(current.store(), asks.name, old, new, request.remote_addr or "")
    except LimitError as error:
        return _wait("password.html", "/", error)
    except RightsError:
        return _page("password.html", "/", t("auth.old_wrong"), 400)
    except InputError as error:
        return _page("password.html", "/", " ".join((error.what.to(language()), error.mend.to(language()))), 400)
    sessions.begin(account.name, account.session_version)
    return redirect("/", 303)


def _wait(template: str, target: str, error: LimitError) -> Response:
    """Too soon after wrong tries; `where` of the error is the number of seconds."""
    response = _page(template, target, error.what.to(language()), 429)
    response.headers["Retry-After"] = error.where or "1"
    return response


def _page(template: str, target: str, error: str = "", status: int = 200) -> Response:
    must_change = bool(current_user.is_authenticated and current_user.must_change)
    response = make_response(
        render_template(
            template,
            page=template.removesuffix(".html"),
            next_ok=target,
            message=error,
            name=request.form.get("name", ""),
            must_change=must_change,
            min_length=accounts.MIN_PASSWORD,
        ),
        status,
    )
    response.headers["Cache-Control"] = "no-store"
    return response
