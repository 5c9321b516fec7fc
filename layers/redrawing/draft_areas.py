"""The areas of a draft as they are drawn by now, what they were, and what is not in order below them: for a map.

When the boundaries below a draft have changed, its drawing cannot be shown: the areas of today are, with what changed.
A decision is shown as its rows are.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ..findings import Finding
from ..kinds import KINDS
from ..places import lineage
from ..selection.frames import scope
from . import redraw_figures, redraw_session
from .redraw_base import BaseChangedError
from .redraw_ground import context, ground

if TYPE_CHECKING:
    from ..rights import Viewer
    from ..storage.store import Store
    from .draft import Draft
    from .redraw_land import Session


def areas(store: "Store", viewer: "Viewer", draft: "Draft", language: str) -> dict[str, Any]:
    """A FeatureCollection in lon/lat (nine decimals: the same centimetre back) with the figures as properties.

    Areas around the draft's land are there to snap to and have `editable` false; none that the viewer may not see.
    Besides the features:

    before
        Figures of the areas that are not what they were, as they were.
    snapped
        How many areas lay beside the centimetre grid, and the farthest vertex in metres.
    problems
        Findings about the boundaries the draft starts from, each with a place where it has one.
    conflicts
        What changed below the draft since it was drawn: then the features are the areas without the drawing.
    """
    if draft.change_id is not None:
        session = _bare(store, draft)
        shown = _shown(store, viewer, draft, session, language)
        decided = _changed_by(store, draft)
        for feature in shown["features"]:
            feature["properties"]["changed"] = feature["id"] in decided
        return shown
    try:
        with redraw_session.held(store, draft) as session:
            return _shown(store, viewer, draft, session, language)
    except BaseChangedError as error:
        shown = _shown(store, viewer, draft, _bare(store, draft), language)
        return shown | {"conflicts": [each.as_dict() for each in error.changed], "conflict": error.what.to(language)}


def _bare(store: "Store", draft: "Draft") -> "Session":
    """The areas of the draft's day without anything drawn."""
    land = ground(store, draft.level, draft.parent_kind, draft.parent_code, draft.effective_from)
    return redraw_session.begin(store, draft.id, land)


def _shown(store: "Store", viewer: "Viewer", draft: "Draft", session: "Session", language: str) -> dict[str, Any]:
    features = [
        redraw_figures.in_language(feature, language)
        for feature in redraw_figures.features(session, viewer, locked=draft.locked)
    ]
    around, reach = context(store, session.ground), scope(store, viewer, draft.effective_from)
    around = around[np.array([reach.contains(draft.level, code) for code in around.index], dtype=bool)]
    kind = KINDS[draft.level]
    for code, name, parent, shape in zip(
        around.index, around["name"], around[kind.parent], around.geometry, strict=True
    ):
        facts = {"code": code, "name": name, "parent_code": parent, "editable": False}
        features.append(
            {"type": "Feature", "id": code, "geometry": shapely.geometry.mapping(shape), "properties": facts}
        )
    return {
        "type": "FeatureCollection",
        "draft": draft.id,
        "version": draft.version,
        "features": features,
        "before": _before(store, viewer, draft, session),
        "snapped": session.ground.snapped.as_dict(),
        "problems": [_place(finding, language) for finding in session.problems],
        "conflicts": [],
        "valid": session.is_valid(),
        "area_change_m2": session.area_change_of(session.steps) / 20_000,
    }


def _before(store: "Store", viewer: "Viewer", draft: "Draft", session: "Session") -> list[dict[str, Any]]:
    codes = sorted(session.touched() & set(session.ground.shapes))
    if not codes:
        return []
    rows = redraw_figures.figures(_bare(store, draft), viewer, codes)
    return [{"code": code, **row} for code, row in zip(codes, rows, strict=True)]


def _changed_by(store: "Store", draft: "Draft") -> frozenset[str]:
    """Codes of the areas whose land a decision changed; not of those that were only put on the centimetre grid."""
    links = lineage.of_change(store, draft.change_id or 0)
    return frozenset(link.new_code for link in links if link.level == draft.level)


def _place(finding: Finding, language: str) -> dict[str, Any]:
    at = None if finding.lon is None else {"type": "Point", "coordinates": [finding.lon, finding.lat]}
    return {**finding.as_row(language), "kind": finding.kind, "geometry": at}
