"""Who asks, of which store, on which day: what every view needs to know about the request at hand."""

from datetime import date
from typing import TYPE_CHECKING, Any

from flask import current_app, g
from flask_login import current_user

from geo.errors import RightsError
from geo.words import Text
from layers.rights import Viewer
from layers.storage import history

if TYPE_CHECKING:
    from layers.storage.store import Store

    from .kept import Kept


def store() -> "Store":
    """The store this application serves."""
    return current_app.extensions["wangge_store"]


def kept() -> "Kept":
    """Answers kept in memory for this application."""
    return current_app.extensions["wangge_kept"]


def viewer() -> Viewer:
    """Whoever is signed in, in the language of the request.

    Raises
    ------
    RightsError
        When nobody is signed in (the access table lets no such request through).
    """
    if not current_user.is_authenticated:
        raise RightsError(Text("请先登录。", "Sign in first."))
    return current_user.viewer


def today() -> date:
    """The day that "now" means, one and the same during a request."""
    if "today" not in g:
        g.today = history.today()
    return g.today


def setting(name: str) -> Any:
    """A setting: what an administrator saved in the store, else what the server was started with."""
    saved = g.get("saved_settings")
    if saved is None:
        saved = g.saved_settings = store().settings.get("web") or {}
    return saved.get(name, current_app.config[name])


def forget_settings() -> None:
    """Read saved settings again: they were changed in this request."""
    g.pop("saved_settings", None)
