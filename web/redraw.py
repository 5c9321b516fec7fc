"""History of boundaries over the API: versions and lineage of an area, and the days on which areas change."""

from apiflask import APIBlueprint
from flask import Response

from layers.kinds import AREA_KINDS
from layers.places import lineage

from . import current, etags
from .known import require_kind
from .language import language
from .parameters import takes

blueprint = APIBlueprint("redraw", __name__, tag="redraw")


@blueprint.get("/api/v1/history/<kind>/<path:code>")
@blueprint.doc(summary="Versions of an area with the decisions behind them, and where its land came from and went")
@takes()
def history(kind: str, code: str) -> Response:
    """Every version there ever was, those that are to come included."""
    require_kind(kind)
    return etags.answer_json(
        AREA_KINDS, [], lambda: lineage.code_history(current.store(), current.viewer(), kind, code, language())
    )


@blueprint.get("/api/v1/dates")
@blueprint.doc(summary="Days on which areas change, with the titles of the decisions")
@takes()
def dates() -> Response:
    """In their order, days to come included."""
    return etags.answer_json(AREA_KINDS, [], lambda: lineage.change_days(current.store(), current.viewer()))
