"""Balancing grids over the API: figures and proposals, a suggestion (at once or as a job), a point of it into a draft.

Every suggestion is a job of its asker: a small one is searched before the answer, a large one in the background, with
progress and cancel as for imports. A suggestion changes nothing; a point of its curve is drawn into a draft on demand.
"""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint, Schema
from apiflask.fields import Date, Integer, List, String
from apiflask.validators import Length, OneOf, Range
from flask import Response

from geo.errors import InputError, NotFoundError, WanggeError
from geo.words import Text
from layers.storage import jobs as queue

from . import again, current, description, etags
from .drafts import answer, find
from .figures import rules_state
from .jobs import described, wake
from .jobs import find as find_job
from .language import language, spoken
from .parameters import takes

blueprint = APIBlueprint("balance", __name__, tag="redraw")
_CODE = Length(1, 64)


class Asked(Schema):
    """What to suggest for: a draft, or an area on a day."""

    draft = Integer(load_default=None, allow_none=True, validate=Range(1, 2**62))
    parent_code = String(load_default=None, allow_none=True, validate=_CODE)
    as_of = Date(load_default=None, allow_none=True)
    blocks = String(
        load_default="auto",
        validate=Length(1, 80),
        metadata={"description": "auto, cell, natural_village or reference:NAME (areas or lines)"},
    )
    locked = List(String(validate=_CODE), load_default=list, validate=Length(0, 20_000))
    seed = Integer(load_default=0, validate=Range(0, 2**31))
    effort = String(load_default="quick", validate=OneOf(["quick", "thorough"]))
    rule_set = String(load_default=None, allow_none=True, validate=_CODE)


class Chosen(Schema):
    """A point of the curve and the draft it is drawn into."""

    draft = Integer(required=True, validate=Range(1, 2**62))
    version = Integer(required=True, validate=Range(0, 2**53))
    point = Integer(required=True, validate=Range(0, 1_000))


@blueprint.get("/api/v1/balance")
@blueprint.doc(summary="Workload of the grids of an area, how even it is, and what to split or merge")
@takes("parent", "as_of", "rule_set")
def figures(**asked: Any) -> Response:
    """Rows with the figures behind each index, mean, max/mean, variation, Gini, proposals, provenance."""
    from layers.balancing import balance_figures

    def make() -> Any:
        found = balance_figures.figures(
            current.store(),
            current.viewer(),
            parent_code=asked["parent"],
            as_of=asked["as_of"] or current.today(),
            rule_set=asked["rule_set"],
        )
        return spoken(found, language())

    return etags.answer_json(None, [asked, rules_state(asked["rule_set"])], make)


@blueprint.post("/api/v1/balance/suggest")
@blueprint.input(Asked, arg_name="body")
@blueprint.doc(
    summary="Suggest evener grids: a curve from few moved blocks to the best balance",
    responses=description.DONE_OR_WORKING,
)
def suggest(body: dict[str, Any]) -> Response:
    """200 with the suggestion when it is quick work, 202 with the job to ask again for when it is not."""
    from layers.balancing import balance

    store, asks = current.store(), current.viewer()
    if body["draft"] is not None:
        find(body["draft"])
    asked = balance.Asked(
        draft_id=body["draft"],
        parent_code=body["parent_code"],
        as_of=body["as_of"].isoformat() if body["as_of"] else None,
        blocks=body["blocks"],
        locked=tuple(body["locked"]),
        seed=body["seed"],
        effort=body["effort"],
        rule_set=body["rule_set"],
    )
    work = balance.prepare(store, asks, asked)
    job = queue.submit(store, asks.name, "balance", {"asked": asdict(asked)}, key=again.key_of_request())
    if asked.effort == "quick" and len(work) <= balance.LONGEST_QUICK:
        _search(job, work)
    else:
        wake()
    return _state(job)


def _search(job: str, work: Any) -> None:
    """Do a job here and now, unless somebody has taken it already."""
    from layers.balancing import balance_plans

    store = current.store()
    if queue.claim(store, job) is None:
        return
    try:
        queue.finish(store, job, {"suggestion": balance_plans.suggestion(store, work)})
    except WanggeError as error:
        queue.fail(store, job, error)
        raise


@blueprint.get("/api/v1/balance/suggestions/<job>")
@blueprint.doc(summary="A suggestion, or how far its search is", responses=description.DONE_OR_WORKING)
@takes()
def read(job: str) -> Response:
    """200 with the suggestion, 202 while it is searched for or when it failed, with the state of the job."""
    return _state(job)


@blueprint.post("/api/v1/balance/suggestions/<job>/apply")
@blueprint.input(Chosen, arg_name="body")
@blueprint.doc(summary="Draw a point of a suggestion into a draft")
def put(job: str, body: dict[str, Any]) -> Response:
    """As drawing operations are answered; 409 when the boundaries are not those the suggestion was made on."""
    from layers.balancing import balance

    found = _suggestion(job)
    made = found["result"].get("suggestion") if found["state"] == "done" else None
    if made is None:
        raise InputError(
            Text("建议尚未算完。", "The suggestion is not ready."),
            where="job",
            mend=Text("请等计算结束。", "Wait until it is done."),
        )
    find(body["draft"])
    drawn = balance.put(
        current.store(),
        current.viewer(),
        body["draft"],
        body["version"],
        made,
        body["point"],
        key=again.key_of_request(),
    )
    return answer(drawn.as_dict(language()))


def _suggestion(job: str) -> dict[str, Any]:
    """A job of the caller that is a suggestion; any other reads like none at all."""
    found = find_job(job)
    if found["kind"] != "balance":
        raise NotFoundError(Text("没有这个建议。", "There is no such suggestion."), where="job")
    return found


def _state(job: str) -> Response:
    found = _suggestion(job)
    body: dict[str, Any] = {"job": described(found)}
    made = (found.get("result") or {}).get("suggestion")
    if made is not None:
        body["suggestion"] = spoken(made, language())
    return answer(body, 200 if made is not None else 202)
