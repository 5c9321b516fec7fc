"""Mending dirty grids over the API: what does not fit, a plan of what would move, and the act with the plan's hash.

The hash is the consent: it stands for every row the plan takes back and every shape it writes, so that nothing is done
that nobody has seen.
"""

from typing import Any

from apiflask import APIBlueprint, Schema
from apiflask.fields import Float, String
from apiflask.validators import Length
from flask import Response

from layers import mend_places, mending

from . import again, current, etags
from .language import language
from .parameters import takes

blueprint = APIBlueprint("mending", __name__, tag="redraw")
_SHOWN = 500


class MendPlan(Schema):
    """Which grids, and how far mending may go; absent tolerances are those of the store."""

    parent = String(load_default="", validate=Length(0, 64), metadata={"description": "village, township or county"})
    snapping_m = Float(
        load_default=None, allow_none=True, metadata={"description": "vertices closer than this are one"}
    )
    gap_width_m = Float(
        load_default=None, allow_none=True, metadata={"description": "gaps up to this wide go to a neighbour"}
    )


class MendConsent(MendPlan):
    """The plan somebody has seen, by its hash, with the tolerances it was made with."""

    hash = String(required=True, validate=Length(64, 64))


def _answer(body: Any) -> Response:
    response = Response(etags.to_json(body), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/api/v1/mending")
@blueprint.doc(summary="Where grids do not fit: gaps, overlaps, slivers, grids that miss their village")
@takes("parent")
def places(parent: str | None) -> Response:
    """Places with a point and a window, errors and large ones first; at most 500, `total` says how many there are."""
    found = mend_places.find(current.store(), current.viewer(), parent or "")
    code = language()
    kinds: dict[str, int] = {}
    for place in found.places:
        kinds[place.finding.kind] = kinds.get(place.finding.kind, 0) + 1
    return _answer(
        {
            "parent": parent or "",
            "villages": found.villages,
            "clean": found.clean,
            "grids": found.grids,
            "total": len(found.places),
            "kinds": kinds,
            "places": [place.as_dict(code) for place in found.places[:_SHOWN]],
        }
    )


@blueprint.post("/api/v1/mending/plan")
@blueprint.input(MendPlan, arg_name="body")
@blueprint.doc(summary="What mending would move, grid by grid; nothing is changed")
def make_plan(body: dict[str, Any]) -> Response:
    """Hash, tolerances, totals, villages that are not clean, and the grids that change, most land first."""
    plan = mending.plan(current.store(), current.viewer(), **body)
    told = plan.as_dict(language())
    return _answer(told | {"grids": told["grids"][:_SHOWN]})


@blueprint.post("/api/v1/mending/apply")
@blueprint.input(MendConsent, arg_name="body")
@blueprint.doc(summary="Mend as the plan of this hash said, as one change that can be undone")
def apply(body: dict[str, Any]) -> Response:
    """409 when grids or villages changed since the plan; the change's number otherwise."""
    parent, consent = body.pop("parent"), body.pop("hash")
    done = mending.apply(current.store(), current.viewer(), parent, consent, key=again.key_of_request(), **body)
    return _answer(done)
