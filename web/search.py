"""Finding a place or an object by part of its name or the beginning of its code."""

from typing import Any

import shapely
from apiflask import APIBlueprint
from flask import Response

from layers import rights
from layers.kinds import KINDS
from layers.selection import frames

from . import current, etags, values
from .known import quoted, versions_needed
from .parameters import takes

blueprint = APIBlueprint("search", __name__, tag="map")
SEARCHED = ("county", "township", "village", "natural_village", "grid", "camera", "facility", "incident", "key_area")
"""Kinds in the order of the answer; those the caller may not see are left out."""
_CANDIDATES = 100
_TEXT_COLUMNS = 8


@blueprint.get("/api/v1/search")
@blueprint.doc(summary="Places and objects by name or code")
@takes("q", "limit", "as_of")
def search(**asked: Any) -> Response:
    """Best first: the very name or code, then beginnings, then names that hold the words anywhere."""
    kinds = [kind for kind in SEARCHED if rights.allowed(kind, current.viewer()).rows]
    needed = sorted({name for kind in kinds for name in versions_needed(kind)})
    return etags.answer_json(needed, asked, lambda: _found(kinds, **asked))


def _found(kinds: list[str], *, q: str | None, limit: int, as_of: Any) -> list[dict[str, Any]]:
    wanted = (q or "").strip()
    if not wanted:
        return []
    hits: list[tuple[tuple[int, int, str], dict[str, Any]]] = []
    for order, kind in enumerate(kinds):
        key = KINDS[kind].key
        frame = frames.read_layer(
            current.store(),
            kind,
            current.viewer(),
            as_of=as_of or current.today(),
            where=search_terms(kind, wanted),
            limit=_CANDIDATES,
        )
        for fid, (_, row) in zip(frame["fid"].tolist(), frame.iterrows(), strict=True):
            name = str(values.plain(row.get("name")) or "")
            code = str(values.plain(row[key]) if key else fid)
            hits.append(((_rank(wanted, name, code), order, code), _hit(kind, code, name, fid, row)))
    hits.sort(key=lambda hit: hit[0])
    return [hit for _, hit in hits[:limit]]


def search_terms(kind: str, wanted: str) -> str:
    """A filter: the words stand in the name, or the key begins with them; of other layers, any text column holds them."""
    anywhere, beginning = quoted(f"%{_literal(wanted)}%"), quoted(f"{_literal(wanted)}%")
    if kind not in KINDS:
        listed = next(e for e in frames.list_layers(current.store(), current.viewer()) if e["kind"] == kind)
        names = [(column["name"], column["dtype"]) for column in listed["columns"] if '"' not in column["name"]]
        texts = [name for name, dtype in names if dtype == "text"][:_TEXT_COLUMNS]
        # Without a text column nothing can hold the words.
        never = f'"{names[0][0]}" is null and "{names[0][0]}" is not null'
        return " or ".join(f'"{name}" like {anywhere}' for name in texts) or never
    key = KINDS[kind].key
    terms = [f"name like {anywhere}"] if "name" in KINDS[kind].names else []
    terms += [f"{key} like {beginning}"] if key else []
    terms += [f"category like {anywhere}"] if "category" in KINDS[kind].names else []
    return " or ".join(terms) or f"{KINDS[kind].names[0]} like {anywhere}"


def _literal(wanted: str) -> str:
    """The words without the meaning that % and _ have in a pattern."""
    return wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _rank(wanted: str, name: str, code: str) -> int:
    for rank, good in enumerate((wanted in (name, code), name.startswith(wanted), code.startswith(wanted))):
        if good:
            return rank
    return 3


def _hit(kind: str, code: str, name: str, fid: int, row: Any) -> dict[str, Any]:
    shape = row.geometry
    there = shape is not None and not shape.is_empty
    middle = shapely.point_on_surface(shape) if there else None
    parent = KINDS[kind].parent or ("village_code" if KINDS[kind].homed else "")
    return {
        "kind": kind,
        "code": code,
        "id": code if KINDS[kind].is_area else fid,
        "name": name,
        "parent": values.plain(row.get(parent)) if parent else None,
        "center": [round(middle.x, 6), round(middle.y, 6)] if middle is not None else None,
        "bounds": [round(float(v), 6) for v in shape.bounds] if there else None,
    }
