"""Errors to answers, in one table: class to status, page or JSON of one shape, the reader's language, no trace.

JSON is {"code", "what", "where", "mend"}. What a reader may not know of and what does not exist read the same. A refused
drawing adds `reason`, `codes` and `piece` (GeoJSON lon/lat), boundaries that changed under a draft add `changed`.
"""

from http import HTTPStatus
from typing import Any

import shapely
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException

from geo import errors as geo_errors
from geo.errors import WanggeError
from geo.refusals import RefusedError
from geo.words import Text
from layers.places.areas import metric_system
from layers.redrawing.redraw_base import BaseChangedError
from layers.redrawing.redraw_ground import to_lonlat

from . import current
from .language import language, t, text
from .logs import logger

STATUS: dict[type[WanggeError], int] = {
    geo_errors.CrsError: 422,
    geo_errors.GeometryError: 422,
    geo_errors.InputError: 400,
    geo_errors.RightsError: 403,
    geo_errors.NotFoundError: 404,
    geo_errors.ConflictError: 409,
    geo_errors.LimitError: 413,
    geo_errors.StoreError: 503,
    RefusedError: 422,
}
"""Class to status; subclasses inherit. A limit that passes with time (`retry_after_s`) is 429 instead."""

DATA_PATHS = ("/api/", "/features/", "/points/", "/tiles/", "/basemap/", "/healthz")


class SignInNeeded(WanggeError):
    """Nobody is signed in, or the session has ended."""

    code = "sign_in"


class RequestRefused(WanggeError):
    """The request's form is refused: content type, origin, token, host, header size."""

    code = "refused"

    def __init__(self, what: Text, *, status: int = 400, where: str = "", mend: Text | None = None) -> None:
        super().__init__(what, where=where, mend=mend)
        self.status = status


def status_of(error: WanggeError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, RequestRefused):
        return error.status
    if isinstance(error, SignInNeeded):
        return 401
    if getattr(error, "retry_after_s", None):
        return 429
    for cls in type(error).__mro__:
        if cls in STATUS:
            return STATUS[cls]
    return 500


def wants_json() -> bool:
    """Whether the caller is a program: the data paths, or a request that asks for JSON."""
    if request.path.startswith(DATA_PATHS):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def answer(error: WanggeError) -> Response:
    """The error as JSON or as a page."""
    return _answer(
        status_of(error),
        error.code,
        error.what.to(language()),
        error.where,
        error.mend.to(language()),
        getattr(error, "retry_after_s", None),
        _more(error),
    )


def _more(error: WanggeError) -> dict[str, Any]:
    """What errors of boundaries say besides, for the page to show on the map."""
    if isinstance(error, RefusedError):
        return {"reason": error.reason, "codes": list(error.codes), "piece": _on_the_map(error.piece)}
    if isinstance(error, BaseChangedError):
        return {"changed": [each.as_dict() for each in error.changed]}
    return {}


def _on_the_map(piece: Any) -> dict[str, Any] | None:
    """A piece of land as GeoJSON: it comes in metres of the store's own system."""
    metric = metric_system(current.store(), current.today().isoformat())
    if piece is None or piece.is_empty or metric is None:
        return None
    return shapely.geometry.mapping(to_lonlat([piece], metric)[0])


def _answer(
    status: int,
    code: str,
    what: str,
    where: str = "",
    mend: str = "",
    retry_after_s: float | None = None,
    more: dict[str, Any] | None = None,
) -> Response:
    facts: dict[str, Any] = {"code": code, "what": what, "where": where, "mend": mend}
    if wants_json():
        response = jsonify(facts | (more or {}))
    else:
        try:
            response = make_response(render_template("error.html", status=status, **facts))
        except TemplateNotFound:
            response = make_response(" ".join(part for part in (what, mend) if part))
            response.mimetype = "text/plain"
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    if retry_after_s:
        response.headers["Retry-After"] = str(max(1, round(retry_after_s)))
    return response


def register(app: Flask) -> None:
    """Answer every error here; what is nobody's fault but ours is logged with its trace and shown without."""

    @app.errorhandler(WanggeError)
    def known(error: WanggeError) -> Response:
        if status_of(error) >= 500:
            logger().error("store", extra={"facts": {"code": error.code, "where": error.where}}, exc_info=error)
        return answer(error)

    @app.errorhandler(CSRFError)
    def token(_error: CSRFError) -> Response:
        return answer(RequestRefused(text("server.csrf"), where="X-CSRFToken", mend=text("server.csrf_mend")))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if error.response is not None or 300 <= status < 400:
            return make_response(error.get_response())
        key = f"server.http_{status}"
        what = t(key)
        response = _answer(status, _code_of(status), what if what != key else HTTPStatus(status).phrase)
        if status == 405 and error.get_response().headers.get("Allow"):
            response.headers["Allow"] = error.get_response().headers["Allow"]
        return response

    @app.errorhandler(RecursionError)
    def nested(_error: RecursionError) -> Response:
        return _answer(400, "input", t("server.nested"))

    @app.errorhandler(MemoryError)
    def memory(error: MemoryError) -> Response:
        logger().error("memory", exc_info=error)
        return _answer(503, "limit", t("server.memory"))

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        logger().error("fault", extra={"facts": {"route": str(request.url_rule)}}, exc_info=error)
        return _answer(500, "fault", t("server.fault"), "", t("server.fault_mend"))


def _code_of(status: int) -> str:
    return {404: "not_found", 405: "method", 413: "limit", 415: "refused", 429: "limit"}.get(status, "http")
