"""Conditional answers: the ETag names everything the bytes depend on, and an unchanged view costs no computing.

The tag is made of the layer versions, the viewer's role and area scope, the language, the office's day, the product
version and the request's parameters. Two viewers share a tag only if they may see the same bytes.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

from flask import Response, g, request

from . import current, memory
from .language import language

PRODUCT = version("wangge")
_HEAVY_S = 0.2


def tag_of(kinds: Iterable[str] | None, parameters: Any) -> str:
    """The strong ETag of a view on `kinds` (None: on all layers)."""
    asks = current.viewer()
    facts = [
        PRODUCT,
        request.endpoint,
        request.view_args,
        parameters,
        sorted(current.store().versions(None if kinds is None else list(kinds)).items()),
        asks.cache_key,
        language(),
        current.today().isoformat(),
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _asked_for(tag: str) -> bool:
    # Compressed answers carry the algorithm behind the tag ("...:gzip"); both name the same state.
    return any(given == "*" or given.split(":")[0] == tag for given in request.if_none_match.as_set(include_weak=True))


def answer(
    kinds: Iterable[str] | None, parameters: Any, make: Callable[[], bytes | str], mimetype: str, *, keep: bool = True
) -> Response:
    """304 when the caller has this state, else the kept bytes, else what `make` returns.

    `make` is called before anything is sent, so its errors become proper answers. An empty body is 204.
    """
    tag = tag_of(kinds, parameters)
    if _asked_for(tag):
        return mark(Response(status=304), tag)
    body = current.kept().get(tag)
    if body is None:
        began = time.monotonic()
        made = make()
        body = made.encode() if isinstance(made, str) else made
        if time.monotonic() - began > _HEAVY_S:
            memory.give_back()
        if keep:
            current.kept().set(tag, body)
    g.compressed_key = tag
    return mark(Response(body, status=200 if body else 204, mimetype=mimetype), tag)


def answer_json(kinds: Iterable[str] | None, parameters: Any, make: Callable[[], Any]) -> Response:
    """`answer` for JSON; numbers that JSON cannot hold are a fault of ours, never sent."""
    return answer(kinds, parameters, lambda: to_json(make()), "application/json")


def to_json(body: Any) -> str:
    """Compact strict JSON: no NaN, Chinese as it is; `</` is escaped in case it ends up in a page."""
    dumped = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    return dumped.replace("</", "<\\/")


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    if hasattr(value, "as_dict"):
        return value.as_dict()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def mark(response: Response, tag: str | None = None) -> Response:
    """The headers every answer with data carries."""
    if tag:
        response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(["Cookie", "Accept-Language"])
    return response
