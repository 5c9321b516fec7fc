"""Boundary drafts over the API: begin one, look at it, say what it is about.

Every write names the version of the draft it was made on. Somebody else's save in between is a 409 and changes
nothing; a write sent twice under one `Idempotency-Key` happens once, also when the server ended between the two.
"""

from collections.abc import Mapping
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from geo.errors import InputError, NotFoundError
from geo.words import Text
from layers.deciding import decision_steps
from layers.redrawing import draft_rights, drafts
from layers.redrawing.draft import Draft

from . import again, current, description, draft_bodies, etags
from .language import language
from .parameters import takes

blueprint = APIBlueprint("drafts", __name__, tag="redraw")
_LARGEST_ID = 2**62
_LONG = ("operations", "redone", "lost")


def find(number: int) -> Draft:
    """The draft the address names; of areas the caller does not reach it reads like none at all."""
    require_number(number)
    return drafts.read(current.store(), current.viewer(), number)


def require_number(number: int) -> None:
    """Raise `NotFoundError` for a number no store can hold; whether there is such a draft is for the act to find out."""
    if number > _LARGEST_ID:
        raise NotFoundError(Text("没有这份草案。", "There is no such draft."), where="draft")


def described(draft: Draft) -> dict[str, Any]:
    """A draft for the reader: with whether it may be drawn in, and which offices still have to agree ("": anybody)."""
    code, asks = language(), current.viewer()
    lost = [one | {name: Text.from_dict(one[name]).to(code) for name in ("what", "mend")} for one in draft.lost]
    return draft.as_dict(code) | {
        "lost": lost,
        "reviews": [_review(one, code) for one in draft.reviews],
        "may_edit": draft.state == "draft" and draft_rights.may_draw(asks, draft),
        "offices_missing": list(decision_steps.offices_missing(draft)) if draft.state == "proposed" else [],
    }


def _review(line: Mapping[str, Any], code: str) -> dict[str, Any]:
    """A line of the reviews, its warnings in the reader's language."""
    if "warnings" not in line:
        return dict(line)
    return {**line, "warnings": [one | {"text": Text.from_dict(one["text"]).to(code)} for one in line["warnings"]]}


def answer(body: Any, status: int = 200) -> Response:
    """JSON that is kept nowhere: a draft changes under the hands of several people."""
    response = Response(etags.to_json(body), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/api/v1/drafts")
@blueprint.doc(summary="Drafts of the caller's areas, newest first")
@takes("state")
def list_drafts(state: str | None) -> Response:
    """`operations`, `redone` and `lost` are counts here; `state` narrows."""
    code = language()
    found = drafts.list_drafts(current.store(), current.viewer(), state=state)
    return answer([_short(draft.as_dict(code)) for draft in found])


def _short(shown: dict[str, Any]) -> dict[str, Any]:
    """A draft in a list: how many operations, not which."""
    counted = {name: len(shown[name]) for name in _LONG}
    return {name: value for name, value in shown.items() if name not in (*_LONG, "locked")} | counted


@blueprint.post("/api/v1/drafts")
@blueprint.input(draft_bodies.NewDraft, arg_name="body")
@blueprint.doc(
    summary="Begin a draft for a village, a township, or the whole layer of a store without villages",
    responses=description.MADE,
)
def begin(body: dict[str, Any]) -> Response:
    """The new draft; the same Idempotency-Key gives the same draft."""
    draft = drafts.create(current.store(), current.viewer(), key=again.key_of_request(), **body)
    return answer(described(draft), 201)


@blueprint.get("/api/v1/drafts/<int:draft>")
@blueprint.doc(summary="One draft with its operations, reviews and state")
@takes()
def read(draft: int) -> Response:
    """Everything that is kept of it."""
    return answer(described(find(draft)))


@blueprint.patch("/api/v1/drafts/<int:draft>")
@blueprint.input(draft_bodies.DraftChange, arg_name="body")
@blueprint.doc(summary="Change title, reason, number, date, attachments or locked areas of a draft")
def change(draft: int, body: dict[str, Any]) -> Response:
    """The draft as it is now; 409 when somebody saved in between."""
    require_number(draft)
    version = body.pop("version")
    if not body:
        raise InputError(Text("没有要修改的内容。", "There is nothing to change."), where="body")
    key = again.key_of_request()
    return answer(described(drafts.edit(current.store(), current.viewer(), draft, version, key=key, **body)))
