"""The machine-readable description of the API (/api/openapi.json), made from the views and their parameter table."""

import re
from typing import Any

from apiflask import APIFlask
from apiflask.exceptions import HTTPError

from geo.errors import InputError
from geo.words import Text

from . import errors, parameters

ERROR = {
    "type": "object",
    "required": ["code", "what", "where", "mend"],
    "properties": {
        "code": {"type": "string", "description": "stable word for the sort of error"},
        "what": {"type": "string", "description": "what is wrong, in the reader's language"},
        "where": {"type": "string"},
        "mend": {"type": "string", "description": "how to mend it"},
    },
}
MADE = {201: "made"}
QUEUED = {202: "a job will do it"}
DONE_OR_WORKING = {200: "done", 202: "a job works on it, or failed: its state"}
"""Answers of views that do not simply answer 200."""
_CONVERTER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


def sends(*types: str, nothing: bool = False) -> dict[int | str, dict[str, str | dict[str, dict[str, Any]]]]:
    """Answer of a view that sends a file, by media type; without one of whatever type was asked for.

    `nothing`: where there is nothing to send it answers 204.
    """
    content: dict[str, dict[str, Any]] = {name: {} for name in types or ("*/*",)}
    sent: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
        200: {"description": "the file", "content": content}
    }
    return sent | {204: {"description": "nothing there"}} if nothing else sent


def register(app: APIFlask) -> None:
    """Add the query parameters and the error shape to what APIFlask finds, and answer its refusals in our shape."""
    app.config["SPEC_FORMAT"] = "json"
    app.config["AUTO_SERVERS"] = False
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["AUTO_AUTH_ERROR_RESPONSE"] = False
    app.config["AUTO_404_RESPONSE"] = False
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 400

    @app.spec_processor
    def complete(spec: Any) -> Any:
        spec.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR
        refused = {
            "description": "refused or failed",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        # Each blueprint brings its tag, and several share one.
        spec["tags"] = [{"name": name} for name in dict.fromkeys(tag["name"] for tag in spec.get("tags", []))]
        for rule in app.url_map.iter_rules():
            path = spec["paths"].get(_CONVERTER.sub(r"{\1}", rule.rule))
            view = app.view_functions[rule.endpoint]
            for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
                operation = (path or {}).get(method.lower())
                if operation is None:
                    continue
                operation.setdefault("parameters", []).extend(parameters.describe(getattr(view, "takes", ())))
                operation.setdefault("responses", {})["default"] = refused
        return spec

    def body_refused(error: HTTPError) -> Any:
        """A body that does not fit its schema; names of fields, not values, go back."""
        fields = "、".join(sorted(_fields(error.detail)))
        return errors.answer(
            InputError(
                Text(f"请求内容不符合要求：{fields}", f"The body does not fit: {fields.replace('、', ', ')}"),
                where=fields[:200],
                mend=Text("见 /api/openapi.json。", "See /api/openapi.json."),
            )
        )

    # Not the decorator `error_processor`: that one takes over every other HTTP error as well (APIFlask 3.1).
    app.error_callback = body_refused


def _fields(detail: Any, prefix: str = "") -> set[str]:
    if not isinstance(detail, dict):
        return {prefix} if prefix else set()
    found: set[str] = set()
    for name, below in detail.items():
        # The outermost level names the part of the request ("json").
        here = "" if not prefix and name in ("json", "query", "form", "json_or_form") else f"{prefix}.{name}".strip(".")
        found |= _fields(below, here) or ({here} if here else set())
    return {name for name in found if name != "_schema"}
