"""Drawing in a draft over the API: operations, previews, steps back and forward.

Operations are answered one by one: a refused one says why and shows the piece of land, the others are kept.
"""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from layers.redrawing import draft_areas, draft_operations

from . import again, current, draft_bodies, etags
from .drafts import answer, find, require_number
from .figures import rules_state
from .language import language
from .parameters import takes

blueprint = APIBlueprint("draft_operations", __name__, tag="redraw")


@blueprint.post("/api/v1/drafts/<int:draft>/operations")
@blueprint.input(draft_bodies.Operations, arg_name="body")
@blueprint.doc(summary="Draw: perform operations, or only say what they would change")
def operate(draft: int, body: dict[str, Any]) -> Response:
    """One result per operation, in order, with moved pieces and the figures of the areas that changed."""
    require_number(draft)
    made = draft_operations.apply(
        current.store(),
        current.viewer(),
        draft,
        body["version"],
        body["operations"],
        preview=body["preview"],
        key=None if body["preview"] else again.key_of_request(),
    )
    return answer(made.as_dict(language()))


@blueprint.post("/api/v1/drafts/<int:draft>/undo")
@blueprint.input(draft_bodies.Step, arg_name="body")
@blueprint.doc(summary="Take back the last operation")
def undo(draft: int, body: dict[str, Any]) -> Response:
    """Shapes come back to the last bit."""
    return _step(draft_operations.undo, draft, body)


@blueprint.post("/api/v1/drafts/<int:draft>/redo")
@blueprint.input(draft_bodies.Step, arg_name="body")
@blueprint.doc(summary="Perform again what was taken back last")
def redo(draft: int, body: dict[str, Any]) -> Response:
    """Empty again once something else was drawn."""
    return _step(draft_operations.redo, draft, body)


def _step(step: Any, draft: int, body: dict[str, Any]) -> Response:
    require_number(draft)
    made = step(current.store(), current.viewer(), draft, body["version"], key=again.key_of_request())
    return answer(made.as_dict(language()))


@blueprint.get("/api/v1/drafts/<int:draft>/areas")
@blueprint.doc(summary="The areas of a draft as they are drawn by now, and those around them")
@takes()
def areas(draft: int) -> Response:
    """GeoJSON with figures, at full precision: what comes back from a drawing meets the same corners."""
    found = find(draft)
    return etags.answer_json(
        None,
        [found.version, found.state, rules_state(None)],
        lambda: draft_areas.areas(current.store(), current.viewer(), found, language()),
    )
