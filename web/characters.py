"""Characters that neither a store nor a document can hold, refused wherever a request brings them.

Kept once, they would fail much later, in somebody else's export.
"""

from typing import Any

from werkzeug.datastructures import MultiDict

from geo.errors import InputError
from geo.words import UNWRITABLE

from .language import text


def require_writable(value: Any, where: str = "") -> None:
    """Raise InputError unless every text in a decoded JSON value, keys included, can be stored and printed."""
    waiting = [(where, value)]
    while waiting:
        at, one = waiting.pop()
        if isinstance(one, str):
            if UNWRITABLE.search(one):
                raise InputError(text("server.control"), where=at, mend=text("server.control_mend"))
        elif isinstance(one, dict):
            waiting += [("", key) for key in one]
            # Named by the outermost field: that is what a page has an input for.
            waiting += [(at or ("" if UNWRITABLE.search(key) else key), inner) for key, inner in one.items()]
        elif isinstance(one, list):
            waiting += [(at, inner) for inner in one if isinstance(inner, str | dict | list)]


def require_writable_fields(fields: MultiDict[str, str]) -> None:
    """Raise InputError unless every parameter of an address, or field of a form, can be stored and looked for."""
    for name, value in fields.items(multi=True):
        require_writable([name, value], "" if UNWRITABLE.search(name) else name)
