"""Handing a draft on over the API: submit, withdraw, send back, review, approve, rebase, discard.

Each step names the version of the draft it was taken on and answers the draft as it is then. A step that was done, and
whose answer was lost on its way, is answered again under its `Idempotency-Key`, not done again.
"""

from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from layers.deciding import decisions
from layers.redrawing import drafts
from layers.redrawing.draft import Draft
from layers.storage import changes

from . import again, current, draft_bodies
from .drafts import answer, described, find

blueprint = APIBlueprint("decisions", __name__, tag="redraw")


def _step(act: Callable[..., Draft], draft: int, body: dict[str, Any], *taken: str) -> Response:
    """Take a step with those values of the body that it knows."""
    now = find(draft)
    key = again.key_of_request()
    if changes.answered(current.store(), key) is None:
        given = {name: body[name] for name in taken}
        now = act(current.store(), current.viewer(), draft, body["version"], key=key, **given)
    return answer(described(now))


@blueprint.post("/api/v1/drafts/<int:draft>/submit")
@blueprint.input(draft_bodies.Transition, arg_name="body")
@blueprint.doc(summary="Hand a draft in for review")
def submit(draft: int, body: dict[str, Any]) -> Response:
    """Checked against the boundaries of its day; 409 when they have changed since it was drawn."""
    return _step(decisions.submit, draft, body, "note")


@blueprint.post("/api/v1/drafts/<int:draft>/withdraw")
@blueprint.input(draft_bodies.Transition, arg_name="body")
@blueprint.doc(summary="Take back what was handed in, or a decision before its day")
def withdraw(draft: int, body: dict[str, Any]) -> Response:
    """It is a draft again."""
    return _step(decisions.withdraw, draft, body, "note")


@blueprint.post("/api/v1/drafts/<int:draft>/send_back")
@blueprint.input(draft_bodies.Transition, arg_name="body")
@blueprint.doc(summary="Give a draft back to its author; the note says why")
def send_back(draft: int, body: dict[str, Any]) -> Response:
    """It is a draft again."""
    return _step(decisions.send_back, draft, body, "note")


@blueprint.post("/api/v1/drafts/<int:draft>/review")
@blueprint.input(draft_bodies.Transition, arg_name="body")
@blueprint.doc(summary="Agree or disagree, for an office where several have to")
def review(draft: int, body: dict[str, Any]) -> Response:
    """Reviewed when everybody who has to agrees; nobody reviews what he drew."""
    return _step(decisions.review, draft, body, "verdict", "note", "role")


@blueprint.post("/api/v1/drafts/<int:draft>/approve")
@blueprint.input(draft_bodies.Transition, arg_name="body")
@blueprint.doc(summary="Make a reviewed draft a decision, in force from a day")
def approve(draft: int, body: dict[str, Any]) -> Response:
    """All checks run again; 409 when the boundaries have changed. Nobody approves what he drew."""
    return _step(decisions.approve, draft, body, "effective_from", "note")


@blueprint.post("/api/v1/drafts/<int:draft>/rebase")
@blueprint.input(draft_bodies.Transition, arg_name="body")
@blueprint.doc(summary="Draw the operations of a draft again on boundaries that have changed")
def rebase(draft: int, body: dict[str, Any]) -> Response:
    """What could not be drawn again stands in `lost`, with the reasons."""
    return _step(decisions.rebase, draft, body)


@blueprint.post("/api/v1/drafts/<int:draft>/discard")
@blueprint.input(draft_bodies.Transition, arg_name="body")
@blueprint.doc(summary="Give a draft up; it stays on file")
def discard(draft: int, body: dict[str, Any]) -> Response:
    """It can no longer be changed."""
    return _step(drafts.discard, draft, body)
