"""Words for incident categories that come as codes; the table is data (`data/incident_categories.json`)."""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from geo.words import Text

DEFAULT_SCHEME = "GBT31000"


@lru_cache(maxsize=1)
def _schemes() -> dict[str, Any]:
    text = files("data").joinpath("incident_categories.json").read_text(encoding="utf-8")
    schemes: dict[str, Any] = json.loads(text)["schemes"]
    return schemes


def category_words(code: str, scheme: str | None = None) -> Text:
    """What a category means: the words of its code, else of its class, else the text itself (free categories).

    `scheme` is the column of the same name; without one the code is read as GB/T 31000.
    """
    known = _schemes().get(scheme or DEFAULT_SCHEME)
    if known is None:
        return Text(code, code)
    if code in known["codes"]:
        return Text(*known["codes"][code])
    words = known["classes"].get(code[:2]) if code.isascii() and code.isdigit() and len(code) in (2, 4) else None
    if words is None:
        return Text(code, code)
    if len(code) == 4 and code.endswith("99") and code[:2] != "99":
        return Text(f"{words[0]}（其他）", f"{words[1]} (other)")
    return Text(*words)
