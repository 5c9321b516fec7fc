"""Looking at grids, planning their mending and doing it, as jobs: what each was asked, and what it leaves behind.

Modelling decisions:

- A county takes many seconds, so all three are jobs; what has few grids is quick enough to be done while one waits.
- Consent names the job of the plan that was seen. It is refused when layers have changed since; the repair works the
  plan out again and writes only if it is the same to the last vertex (`mending.apply`).
- Asking the same again gives the job that is there: a look as long as nothing has changed, a plan while it is worked
  out, a repair for ever.
"""

from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING, Any

import shapely

from geo.errors import ConflictError, InputError
from geo.words import Text

from ..places import land
from ..places.check_limits import read_limits
from ..rights import Viewer
from ..storage import jobs
from ..storage.history import day
from ..storage.watched import changed_since
from ..telling import Tell, silent
from . import mend_places, mending
from .mend_limits import read_mend_limits

if TYPE_CHECKING:
    from ..storage.store import Store

KIND = "mend"
LOOK, PLAN, APPLY = "look", "plan", "apply"
QUICK_GRIDS = 200
"""As many are looked at, or planned for, in a second or two."""
_OPEN = ("queued", "running")


def look(store: "Store", viewer: Viewer, parent: str = "") -> str:
    """Queue a look at the grids of an area ("" for all) and give the job's id.

    Raises
    ------
    RightsError
        When the role may not mend.
    NotFoundError
        When there is no such area with grids that the viewer may see.
    LimitError
        When too many jobs of the viewer are open.
    """
    payload = _asked(store, viewer, LOOK, parent)
    payload["of"] |= {
        "limits": [asdict(read_limits(store)), asdict(read_mend_limits(store))],
        "program": [metadata.version("wangge"), shapely.geos_version_string],
    }
    return jobs.submit(store, viewer.name, KIND, payload, same=(*_OPEN, "done"))


def plan(
    store: "Store",
    viewer: Viewer,
    parent: str = "",
    *,
    snapping_m: float | None = None,
    gap_width_m: float | None = None,
    key: str | None = None,
) -> str:
    """Queue the working out of what mending would move and give the job's id; nothing will be changed.

    Errors as `look`, and InputError when a tolerance is out of range.
    """
    read_mend_limits(store).with_(snapping_m=snapping_m, gap_width_m=gap_width_m)
    payload = _asked(store, viewer, PLAN, parent, snapping_m=snapping_m, gap_width_m=gap_width_m)
    return jobs.submit(store, viewer.name, KIND, payload, key, same=_OPEN)


def apply(store: "Store", viewer: Viewer, planned: dict[str, Any], *, key: str | None = None) -> str:
    """Queue the repair that the plan of a job said and give the job's id.

    Raises
    ------
    ConflictError
        When grids or villages changed since the plan was made.
    InputError
        When the job is no finished plan, or there is nothing to mend.
    """
    viewer.require(mending.ACT)
    asked = planned["payload"]
    if planned["kind"] != KIND or asked["step"] != PLAN or planned["state"] != "done":
        raise InputError(
            Text("方案尚未算完。", "The plan is not ready."),
            where="plan",
            mend=Text("请等计算结束。", "Wait until it is done."),
        )
    made = planned["result"]
    payload = {name: asked[name] for name in ("parent", "snapping_m", "gap_width_m", "grids")}
    payload |= {"step": APPLY, "plan": planned["id"], "hash": made["answer"]["hash"]}
    states = (*_OPEN, "done")
    known = jobs.find_same(store, viewer.name, KIND, payload, states)
    if known is not None:
        return known
    if not made["answer"]["totals"]["grids"]:
        raise mending.nothing_to_mend(asked["parent"])
    if made["versions"] != land.versions(store) or made["on"] != day(None):
        raise changed_since()
    return jobs.submit(store, viewer.name, KIND, payload, key, same=states)


def is_quick(payload: dict[str, Any]) -> bool:
    """Whether the job is done in a second or two, so that one may wait for it."""
    return bool(payload["grids"] <= QUICK_GRIDS)


def _asked(store: "Store", viewer: Viewer, step: str, parent: str, **tolerances: float | None) -> dict[str, Any]:
    viewer.require(mending.ACT)
    on = day(None)
    return {
        "step": step,
        "parent": parent,
        "grids": land.count_grids(store, viewer, parent, on),
        "of": {"on": on, "versions": land.versions(store), "areas": list(viewer.areas)},
        **tolerances,
    }


def run(store: "Store", viewer: Viewer, payload: dict[str, Any], job_id: str, tell: Tell = silent) -> dict[str, Any]:
    """Do what a job was asked; its result, JSON with both languages: {"answer", and what a plan was made of}."""
    parent, step = payload["parent"], payload["step"]
    if step == LOOK:
        return {"answer": mend_places.find(store, viewer, parent, tell=tell).as_dict()}
    tolerances = {name: payload[name] for name in ("snapping_m", "gap_width_m")}
    if step == PLAN:
        found = mending.plan(store, viewer, parent, **tolerances, tell=tell)
        return {"answer": found.as_dict(), "versions": found.lands.versions, "on": found.lands.on}
    try:
        done = mending.apply(store, viewer, parent, payload["hash"], **tolerances, key=f"mend {job_id}", tell=tell)
    except ConflictError as error:
        raise ConflictError(
            Text(f"未作更改：{error.what.zh}", f"Nothing was changed. {error.what.en}"), mend=error.mend
        ) from None
    return {"answer": done}
