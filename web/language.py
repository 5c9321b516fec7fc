"""The reader's language and the words of the page.

Words live in `web/translations/*.json` as {key: {"zh": ..., "en": ...}}, Chinese written first. The language is, in
this order: `?lang=`, the cookie, the account's own, Chinese. Dates and numbers go through Flask-Babel.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from flask import Flask, Response, g, request
from flask_babel import Babel
from flask_login import current_user

from geo.errors import WanggeError
from geo.words import LANGUAGES, Text

COOKIE = "wangge_lang"
LOCALES = {"zh": "zh_Hans_CN", "en": "en_GB"}
_YEAR_S = 365 * 24 * 3600


@cache
def words() -> Mapping[str, dict[str, str]]:
    """Every word of the page by key, from all files of web/translations; a key may stand in one file only."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted((resources.files("web") / "translations").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".json"):
            continue
        for key, both in json.loads(file.read_text("utf-8")).items():
            if key in found:
                raise ValueError(f"{file.name}: the key {key} stands in another file too")
            found[key] = both
    return found


def language() -> str:
    """The reader's language of this request, "zh" or "en"."""
    if "language" not in g:
        g.language = _choose()
    return g.language


def _choose() -> str:
    for given in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if given in LANGUAGES:
            return given
    if current_user and current_user.is_authenticated and current_user.viewer.language in LANGUAGES:
        return current_user.viewer.language
    return LANGUAGES[0]


def t(key: str, **values: Any) -> str:
    """The words of `key` in the reader's language with `{name}` filled in; the key itself when it has no words."""
    both = words().get(key)
    if both is None:
        return key
    text = both.get(language()) or both["zh"]
    # Plain replacement: a value that holds braces or format syntax stays text.
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def text(key: str, **values: Any) -> Text:
    """The words of `key` in both languages, for messages that are kept or raised."""
    both = words().get(key, {"zh": key, "en": key})
    filled = dict(both)
    for name, value in values.items():
        filled = {code: words_.replace("{" + name + "}", str(value)) for code, words_ in filled.items()}
    return Text(filled["zh"], filled["en"])


def to_reader(message: Text | WanggeError) -> str:
    """A message in the reader's language."""
    return message.to(language())


def spoken(value: Any, code: str) -> Any:
    """JSON with every pair of texts put into one language; provenance keeps both, as everywhere."""
    if isinstance(value, dict):
        if set(value) == {"zh", "en"}:
            return value[code]
        return {name: inner if name == "provenance" else spoken(inner, code) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [spoken(inner, code) for inner in value]
    return value


def register(app: Flask) -> None:
    """Give templates `t` and `language`, Babel its locale, and keep a `?lang=` choice in the cookie."""
    Babel(app, locale_selector=lambda: LOCALES[language()])
    app.jinja_env.globals["t"] = t
    app.context_processor(lambda: {"language": language()})

    @app.after_request
    def keep_choice(response: Response) -> Response:
        # The language of one print or export is no choice for the pages.
        chosen = None if request.path.startswith("/api/") else request.args.get("lang")
        if chosen in LANGUAGES and request.cookies.get(COOKIE) != chosen:
            response.set_cookie(
                COOKIE, chosen, max_age=_YEAR_S, samesite="Lax", secure=app.config["SESSION_COOKIE_SECURE"]
            )
        return response
