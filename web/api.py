"""What the page asks first: who I am, which layers there are, whether the server is well; and details of one feature."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify
from flask_wtf.csrf import generate_csrf

from layers import rights
from layers.kinds import AREA_KINDS, KINDS, Field
from layers.redrawing import draft_rights
from layers.selection import features as one
from layers.selection import frames
from layers.storage.schema import own_fields

from . import current, etags, values
from .known import require_kind
from .language import language
from .parameters import takes

blueprint = APIBlueprint("api", __name__, tag="map")


@blueprint.get("/healthz")
@blueprint.doc(summary="Whether the server can read its store")
def healthz() -> Response:
    """Public, and says nothing about the data."""
    current.store().versions([])
    return jsonify(ok=True)


@blueprint.get("/api/v1/session")
@blueprint.doc(summary="The signed-in account, its rights and the place")
def session() -> Response:
    """Name, role, areas, rights, language, token, place and day."""
    response = jsonify(session_facts())
    response.headers["Cache-Control"] = "no-store"
    return response


def session_facts() -> dict[str, Any]:
    """Who asks and where, for the API and for the pages, which carry it."""
    asks = current.viewer()
    may = {act for act in rights.ACTS if asks.may(act)}
    if draft_rights.may_approve(current.store(), asks):
        may.add("approve_redraw")
    return {
        "name": asks.name,
        "role": asks.role,
        "role_label": rights.ROLES[asks.role].to(language()),
        "areas": list(asks.areas),
        "rights": sorted(may),
        "points_allowed": asks.role in rights.INTERNAL,
        "language": language(),
        "csrf": generate_csrf(),
        "place": _place(),
        "today": current.today().isoformat(),
    }


def _place() -> dict[str, Any]:
    """Name, extent and code scheme of the place: the county's, else of the widest area layer there is."""
    listed = {entry["kind"]: entry for entry in frames.list_layers(current.store(), current.viewer())}
    names = []
    if listed.get("county", {}).get("rows"):
        county = frames.read_layer(
            current.store(),
            "county",
            current.viewer(),
            as_of=current.today(),
            columns=["name"],
            geometry=False,
            limit=3,
        )
        names = [name for name in values.column(county["name"]) if name]
    order = [*AREA_KINDS, *(kind for kind in listed if kind not in AREA_KINDS)]
    bounds = next((listed[kind]["bounds"] for kind in order if listed.get(kind, {}).get("bounds")), None)
    return {
        "name": current.setting("PLACE_NAME") or "、".join(str(name) for name in names),
        "bounds": bounds,
        "codes": current.store().codes,
    }


@blueprint.get("/api/v1/layers")
@blueprint.doc(summary="The layers the caller may see")
@takes("as_of")
def layers(as_of: Any) -> Response:
    """Kinds with rows, version, extent, columns and source."""
    return etags.answer_json(None, {"as_of": as_of}, lambda: described_layers(as_of))


def described_layers(as_of: Any = None) -> list[dict[str, Any]]:
    """The layers the caller may see, in the reader's language."""
    code = language()
    found = []
    for entry in frames.list_layers(current.store(), current.viewer(), as_of=as_of or current.today()):
        kind = KINDS.get(entry["kind"])
        columns = [
            {
                **column,
                "label": column["label"][code],
                "choices": [{"value": choice["value"], "label": choice["label"][code]} for choice in column["choices"]],
            }
            for column in entry["columns"]
        ]
        keys = {"key": kind.key, "parent": kind.parent, "parent_kind": kind.parent_kind} if kind else {}
        found.append({**entry, "label": entry["label"][code], "columns": columns, **keys})
    return found


def describe(field: Field) -> dict[str, Any]:
    """A column in the reader's language."""
    code = language()
    return {
        "name": field.name,
        "label": field.label.to(code),
        "dtype": field.dtype,
        "choices": [{"value": value, "label": text.to(code)} for value, text in field.choices],
        "unit": field.unit,
    }


@blueprint.get("/api/v1/features/<kind>/<path:key>")
@blueprint.doc(summary="Everything about one feature")
@takes("as_of")
def feature(kind: str, key: str, as_of: Any) -> Response:
    """Title, extent, values with labels, the areas above and counts of what lies below."""
    require_kind(kind)
    return etags.answer_json(None, {"as_of": as_of}, lambda: _feature(kind, key, as_of or current.today()))


def _feature(kind: str, key: str, as_of: Any) -> dict[str, Any]:
    store, asks = current.store(), current.viewer()
    row = one.read_feature(store, kind, asks, key, as_of=as_of).iloc[0]
    shape = row.geometry
    named = {field.name: field for field in own_fields(KINDS[kind])} if kind in KINDS else {}
    listed = [name for name in row.index if name not in ("fid", "geometry")]
    return {
        "kind": kind,
        "id": key,
        "title": str(values.plain(row.get("name")) or key),
        "bounds": [round(float(v), 6) for v in shape.bounds] if shape is not None and not shape.is_empty else None,
        "rows": [_value(name, named.get(name), values.plain(row[name])) for name in listed],
        "parents": one.parents(store, kind, row, asks, as_of=as_of),
        "children": one.count_below(store, kind, key, asks, as_of=as_of),
        "figures": [],
    }


def _value(name: str, field: Field | None, value: Any) -> dict[str, Any]:
    code = language()
    words = {choice: text.to(code) for choice, text in field.choices} if field else {}
    return {
        "name": name,
        "label": field.label.to(code) if field else name,
        "value": words.get(value, value),
        "unit": field.unit if field else "",
    }
