"""The application: settings in, everything registered in the order it has to run."""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from apiflask import APIFlask
from flask import Flask, g
from flask.json.provider import DefaultJSONProvider
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from . import again, auth, config, description, errors, language, logs, security
from .kept import Kept
from .keys import signing_key
from .uploads import UploadRequest

if TYPE_CHECKING:
    from layers.storage.store import Store

BLUEPRINTS = (
    "web.pages",
    "web.api",
    "web.features",
    "web.points",
    "web.tiles",
    "web.basemaps",
    "web.tables",
    "web.search",
    "web.figures",
    "web.rule_sets",
    "web.balance",
    "web.drafts",
    "web.draft_operations",
    "web.decisions",
    "web.redraw",
    "web.history",
    "web.uploads",
    "web.jobs",
    "web.mending",
    "web.borders",
    "web.exports",
    "web.accounts",
    "web.admin",
)
"""Modules with a `blueprint`, in the order of the API description."""

COMPRESSED = (
    "text/html",
    "text/css",
    "text/plain",
    "text/csv",
    "text/javascript",
    "application/javascript",
    "application/json",
    "application/geo+json",
    "application/vnd.wangge.points",
    "application/vnd.mapbox-vector-tile",
    "image/svg+xml",
)


class StrictJson(DefaultJSONProvider):
    """JSON as the standard has it: no NaN, no infinity; Chinese as it is."""

    ensure_ascii = False
    sort_keys = False

    def dumps(self, obj: Any, **options: Any) -> str:
        """As JSON text; ValueError for a number that JSON cannot hold."""
        return super().dumps(obj, **{"allow_nan": False, **options})


def create_app(given: dict[str, Any] | None = None, store: "Store | None" = None) -> Flask:
    """The web application for one store.

    Parameters
    ----------
    given
        Settings that differ from `web.config.SETTINGS`, by upper-case name.
    store
        An open store; when absent the one named by the setting STORE is opened.

    Raises
    ------
    StoreError
        When the store cannot be opened.
    InputError
        When a setting has the wrong type.
    """
    values = config.settings(given)
    if store is None:
        from layers.storage.store import Store, store_url

        store = Store.open(store_url(values["STORE"]))
    # The page of documentation that APIFlask offers loads scripts from outside hosts: only the description is served.
    app = APIFlask(
        __name__,
        title="wangge",
        version=version("wangge"),
        spec_path="/api/openapi.json",
        docs_path=None,
        json_errors=False,
    )
    app.request_class = UploadRequest
    app.json = StrictJson(app)
    app.config.update(values)
    app.config["SECRET_KEY"] = values["SECRET_KEY"] or signing_key(store)
    app.extensions["wangge_store"] = store
    app.extensions["wangge_kept"] = Kept(values["CACHE_BYTES"])
    if values["PROXY_HOPS"]:
        hops = values["PROXY_HOPS"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    errors.register(app)
    _compress(app)
    logs.register(app)
    language.register(app)
    security.register(app)
    auth.register(app)
    again.register(app)
    description.register(app)
    for name in BLUEPRINTS:
        module = importlib.import_module(name)
        app.register_blueprint(module.blueprint)
    return app


def _compress(app: Flask) -> None:
    kept = Kept(app.config["COMPRESSED_CACHE_BYTES"])

    class Backend:
        """Compressed answers by ETag; what has no ETag of ours is not kept."""

        def get(self, key: str) -> bytes | None:
            return kept.get(key) if not key.endswith(";None") else None

        def set(self, key: str, value: bytes) -> None:
            if not key.endswith(";None"):
                kept.set(key, value)

    app.config["COMPRESS_MIMETYPES"] = list(COMPRESSED)
    app.config["COMPRESS_CACHE_BACKEND"] = Backend
    app.config["COMPRESS_CACHE_KEY"] = lambda _request: g.get("compressed_key")
    Compress(app)
