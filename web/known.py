"""Which layer an address names, and what of it the caller may ask for."""

from geo.errors import InputError, NotFoundError
from geo.words import Text
from layers import rights
from layers.kinds import AREA_KINDS, KINDS, REFERENCE
from layers.selection import frames
from layers.storage.schema import own_fields

from . import current

EXTRA = ("fid", "derived")
"""Columns every layer has besides its own."""


def require_kind(kind: str) -> None:
    """Raise `NotFoundError` for an unknown layer and `RightsError` for one the caller may not see."""
    if kind in KINDS:
        rights.require(kind, current.viewer())
        return
    if kind.startswith(f"{REFERENCE}:") and len(kind) <= 80:
        known = {entry["kind"] for entry in frames.list_layers(current.store(), current.viewer())}
        if kind in known:
            return
    raise NotFoundError(Text("没有这个图层。", "There is no such layer."), where=kind[:40])


def versions_needed(kind: str) -> list[str]:
    """The layers an answer about `kind` depends on: itself, and the areas that bound the caller's scope."""
    return sorted({kind, *AREA_KINDS})


def all_columns(kind: str) -> tuple[str, ...]:
    """Every column of a layer in display order, home columns included."""
    if kind in KINDS:
        return tuple(field.name for field in own_fields(KINDS[kind]))
    for entry in frames.list_layers(current.store(), current.viewer()):
        if entry["kind"] == kind:
            return tuple(column["name"] for column in entry["columns"])
    return ()


def columns_of(kind: str, asked: tuple[str, ...] | None) -> tuple[str, ...]:
    """The columns asked for, or all; `InputError` for one the layer has not."""
    known = all_columns(kind)
    if asked is None:
        return known
    for name in asked:
        if name not in known and name not in EXTRA:
            raise InputError(
                Text(f"图层没有字段“{name[:40]}”。", f"The layer has no column '{name[:40]}'."),
                where="columns",
                mend=Text(f"可用字段：{'、'.join(known)}", f"Columns: {', '.join(known)}"),
            )
    return asked


def quoted(value: str) -> str:
    """A text as a literal of the filter language."""
    return "'" + value.replace("'", "''") + "'"
