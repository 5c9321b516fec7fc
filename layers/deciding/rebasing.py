"""Putting a draft on the boundaries that hold by now: its operations are drawn again, in order.

The same operations on the same boundaries give the same land, to the centimetre. On boundaries that changed, what can
still be drawn is drawn; what cannot is set aside (`lost`) with the reason and the place.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import shapely

from geo.refusals import RefusedError

from ..redrawing import drafts, redraw_session
from ..redrawing.draft import Draft
from ..redrawing.redraw_ground import ground, to_lonlat
from ..rights import Viewer
from ..storage.changes import Change, answered
from .decision_steps import require_open, said

if TYPE_CHECKING:
    from ..storage.store import Store


def rebase(store: "Store", viewer: Viewer, draft_id: int, version: int, *, key: str | None = None) -> Draft:
    """Draw a draft again on the boundaries that hold on its day by now; what could not be drawn is in `lost`.

    A proposed or reviewed draft has to be reviewed again; when something was lost it is a draft again, and its author
    has to hand it in anew.

    Raises
    ------
    ConflictError
        Somebody changed the draft since `version`, or it is decided already.
    """
    draft = drafts.read(store, viewer, draft_id)
    if answered(store, key) is not None:
        return draft
    drafts.require_version(draft, version)
    require_open(draft, viewer)
    land = ground(store, draft.level, draft.parent_kind, draft.parent_code, draft.effective_from)
    session = redraw_session.begin(store, draft.id, land)
    lost: list[dict[str, Any]] = []
    for operation in draft.operations:
        try:
            session.perform(operation, locked=draft.locked, fresh=False)
        except RefusedError as refused:
            lost.append(_set_aside(operation, refused, land.crs))
    done = [step.operation for step in session.steps]
    state = draft.state if draft.state == "draft" else "draft" if lost else "proposed"

    def body(change: Change) -> dict[str, Any]:
        now = drafts.load(change.connection, draft_id)
        drafts.require_version(now, version)
        drafts.save(
            change.connection, now, viewer.name,
            state=state, operations=done, redone=[], lost=lost, base=session.base(),
            reviews=said(now, viewer, "rebase", ""),
        )  # fmt: skip
        return {"draft": draft_id, "lost": len(lost)}

    details = {"draft": draft_id, "drawn": len(done), "lost": len(lost)}
    store.act(viewer.name, "draft_rebase", body, key=key, details=details)
    redraw_session.forget(store, draft_id)
    return drafts.read(store, viewer, draft_id)


def _set_aside(operation: Mapping[str, Any], refused: RefusedError, metric: Any) -> dict[str, Any]:
    """An operation that could not be drawn, with reason, what, mend (both languages) and piece (GeoJSON or None)."""
    piece = None
    if refused.piece is not None and not refused.piece.is_empty:
        piece = shapely.geometry.mapping(to_lonlat([refused.piece], metric)[0])
    return {
        "operation": dict(operation),
        "reason": refused.reason,
        "what": refused.what.as_dict(),
        "mend": refused.mend.as_dict(),
        "codes": list(refused.codes),
        "piece": piece,
    }
