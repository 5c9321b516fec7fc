"""Fields of a draft: what may be said of one and how long it may be, and how its columns keep what is not plain text."""

import json
from collections.abc import Iterable
from typing import Any

from geo.errors import InputError
from geo.words import UNWRITABLE, Text

from ..storage.history import day

_JSON = ("attachments", "editors", "operations", "redone", "lost", "locked", "base", "codes", "reviews")
_LONGEST = {"title": 200, "reason": 4000, "decision_number": 100}
_MOST = {"attachments": 50, "locked": 20_000}
_CODE_LENGTH = 200
_EDITABLE = (*_LONGEST, *_MOST, "effective_from", "correction")


def require_editable(names: Iterable[str]) -> None:
    """InputError for fields that nobody may set by hand."""
    unknown = set(names) - set(_EDITABLE)
    if unknown:
        raise InputError(
            Text(f"不能修改：{'、'.join(sorted(unknown))}。", f"This cannot be changed: {', '.join(sorted(unknown))}."),
            where="draft",
        )


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """Values as they may be stored; InputError for what is too long, empty or of the wrong kind."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name in _LONGEST:
            values[name] = _text(name, value)
        elif name in _MOST:
            values[name] = _names(name, value)
        elif name == "effective_from":
            values[name] = day(value, name)
        else:
            values[name] = bool(value)
    return values


def _text(name: str, value: Any) -> str:
    text = value.strip() if isinstance(value, str) else value
    if not isinstance(text, str) or len(text) > _LONGEST[name] or (name == "title" and not text):
        raise InputError(
            Text(f"须填写不超过 {_LONGEST[name]} 字的文字。", f"Give a text of at most {_LONGEST[name]} characters."),
            where=name,
        )
    if UNWRITABLE.search(text):
        raise InputError(
            Text("内容里有不能保存的控制字符。", "The text holds control characters that cannot be kept."), where=name
        )
    return text


def _names(name: str, value: Any) -> list[str]:
    listed = list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict) else [None]
    if len(listed) > _MOST[name] or not all(isinstance(each, str) and 0 < len(each) <= _CODE_LENGTH for each in listed):
        raise InputError(
            Text(f"须为不超过 {_MOST[name]} 项的名称列表。", f"Give a list of at most {_MOST[name]} names."), where=name
        )
    return list(dict.fromkeys(str(each) for each in listed))


def stored(values: dict[str, Any]) -> dict[str, Any]:
    """Values as the columns of a draft keep them: lists and mappings as JSON."""
    return {name: json.dumps(value, ensure_ascii=False) if name in _JSON else value for name, value in values.items()}


def loaded(values: dict[str, Any]) -> dict[str, Any]:
    """The reverse of `stored`, for values of all columns; lists come back as tuples."""
    found = dict(values)
    for name in _JSON:
        value = json.loads(found[name])
        found[name] = value if isinstance(value, dict) else tuple(value)
    return found
