"""Boundaries of two days, or of a day and a draft, held against each other."""

import json
from datetime import date

from apiflask import APIBlueprint
from flask import Response

from geo.errors import LimitError
from geo.words import Text
from layers.deciding.boundary_changes import BoundaryChanges, compare_boundaries

from . import current, etags, features
from .drafts import find
from .known import require_kind
from .parameters import takes

blueprint = APIBlueprint("history", __name__, tag="map")


@blueprint.get("/api/v1/comparison/<kind>")
@blueprint.doc(summary="Areas that are new, changed or ended between two days, or in a draft, with their shapes")
@takes("as_of", "compare")
def comparison(kind: str, as_of: date | None, compare: str | None) -> Response:
    """Counts by state, rows, lineage, and the shapes of what differs on either side (`side`: before, after)."""
    require_kind(kind)
    on, other = (as_of or current.today()).isoformat(), compare or current.today().isoformat()
    state = None
    if other.startswith("draft:"):
        # What a draft comes to follows from its version; finding it is also the check who may see it.
        draft = find(int(other.removeprefix("draft:")))
        state = [draft.version, draft.state]
    return etags.answer_json(
        None,
        [kind, on, other, state],
        lambda: _body(compare_boundaries(current.store(), current.viewer(), kind, on, other)),
    )


def _body(found: BoundaryChanges) -> dict[str, object]:
    limit = current.setting("FEATURES_MAX")
    if len(found.shapes) > limit:
        raise LimitError(
            Text(f"两个状态之间有超过 {limit} 个区域不同。", f"More than {limit} areas differ."),
            where=found.kind,
            mend=Text("请选择更近的两个日期，或上一级的区域。", "Choose days closer together, or areas one level up."),
        )
    return found.as_dict() | {"geometry": json.loads(features.differing(found.shapes))}
