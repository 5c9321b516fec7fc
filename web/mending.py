"""Mending dirty grids over the API: what does not fit, what mending would move, and the act for a plan that was seen.

Each is a job of its asker: few grids are done before the answer, a county in the background, with progress and cancel
as for imports. The consent is the number of the plan's job: nothing is done that nobody has seen.
"""

from typing import Any

from apiflask import APIBlueprint, Schema
from apiflask.fields import Float, String
from apiflask.validators import Length
from flask import Response

from geo.errors import NotFoundError
from geo.words import Text
from layers import work
from layers.checking import mend_jobs
from layers.storage import jobs as queue

from . import again, current, description
from .drafts import answer
from .jobs import described, wake
from .jobs import find as find_job
from .language import language, spoken
from .parameters import takes

blueprint = APIBlueprint("mending", __name__, tag="redraw")
_MISSING = Text("没有这个修整任务。", "There is no such job of mending.")


class MendLook(Schema):
    """Which grids."""

    parent = String(load_default="", validate=Length(0, 64), metadata={"description": "village, township or county"})


class MendPlan(MendLook):
    """Which grids, and how far mending may go; absent tolerances are those of the store."""

    snapping_m = Float(
        load_default=None, allow_none=True, metadata={"description": "vertices closer than this are one"}
    )
    gap_width_m = Float(
        load_default=None, allow_none=True, metadata={"description": "gaps up to this wide go to a neighbour"}
    )


class MendConsent(Schema):
    """The plan somebody has seen, by its job."""

    plan = String(required=True, validate=Length(1, 64))


@blueprint.post("/api/v1/mending/look")
@blueprint.input(MendLook, arg_name="body")
@blueprint.doc(
    summary="Where grids do not fit: gaps, overlaps, slivers, grids that miss their village",
    responses=description.DONE_OR_WORKING,
)
def look(body: dict[str, Any]) -> Response:
    """200 with places (a point and a window each, errors and large ones first), 202 with the job that looks."""
    return _begun(mend_jobs.look(current.store(), current.viewer(), **body))


@blueprint.post("/api/v1/mending/plan")
@blueprint.input(MendPlan, arg_name="body")
@blueprint.doc(
    summary="What mending would move, grid by grid; nothing is changed", responses=description.DONE_OR_WORKING
)
def make_plan(body: dict[str, Any]) -> Response:
    """200 with tolerances, totals, villages that are not clean and the grids that change; 202 with the job."""
    return _begun(mend_jobs.plan(current.store(), current.viewer(), **body, key=again.key_of_request()))


@blueprint.post("/api/v1/mending/apply")
@blueprint.input(MendConsent, arg_name="body")
@blueprint.doc(
    summary="Mend as the plan of this job said, as one change that can be undone", responses=description.DONE_OR_WORKING
)
def apply(body: dict[str, Any]) -> Response:
    """409 when grids or villages changed since the plan; else 200 with the number of the change, 202 with the job."""
    planned = _found(body["plan"])
    return _begun(mend_jobs.apply(current.store(), current.viewer(), planned, key=again.key_of_request()))


@blueprint.get("/api/v1/mending/jobs/<job>")
@blueprint.doc(
    summary="What a look, a plan or a repair has found, or how far it is", responses=description.DONE_OR_WORKING
)
@takes()
def read(job: str) -> Response:
    """200 with the answer, 202 while it is worked on or when it failed, with the state of the job."""
    return _state(_found(job))


def _begun(job: str) -> Response:
    """The state of a job, after it was done if that is quick."""
    store = current.store()
    found = _found(job)
    if found["state"] == "queued":
        if not mend_jobs.is_quick(found["payload"]):
            wake()
        elif queue.claim(store, job) is not None:
            work.run(store, job)
            found = _found(job)
    return _state(found)


def _found(job: str) -> dict[str, Any]:
    """A job of the caller that is one of mending; any other reads like none at all."""
    found = find_job(job)
    if found["kind"] != mend_jobs.KIND:
        raise NotFoundError(_MISSING, where="job")
    return found


def _state(found: dict[str, Any]) -> Response:
    asked = found["payload"]
    done = found["state"] == "done"
    body = {
        "job": described(found),
        "step": asked["step"],
        "asked": {name: asked.get(name) for name in ("parent", "snapping_m", "gap_width_m", "plan")},
        "answer": spoken(found["result"]["answer"], language()) if done else None,
    }
    return answer(body, 200 if done else 202)
