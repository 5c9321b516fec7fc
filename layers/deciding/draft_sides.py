"""A draft or a decision laid side by side: its land before and after, what each area has, and which land moved.

Before is what would hold on the draft's day without it; for a decision, the day before. Land that moved is what an old
and a new area of different codes have in common; what stands on it is counted by position, people follow by area.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from geo.lookup import Lookup
from geo.shares import hand_out, land_shares
from geo.words import Text

from .. import rights
from ..redrawing import redraw_figures, redraw_session
from ..redrawing.draft import Draft
from ..redrawing.redraw_ground import ground, to_lonlat
from ..redrawing.redraw_land import Session
from ..redrawing.redraw_points import Bearings, bearings

if TYPE_CHECKING:
    from ..rights import Viewer
    from ..storage.store import Store

STATES = {
    "changed": Text("有改动", "changed"),
    "new": Text("新设", "new"),
    "ended": Text("撤销", "ended"),
    "unchanged": Text("未变", "unchanged"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """The areas of one side by code: shapes in metres, and figures of those that differ."""

    shapes: Mapping[str, shapely.Geometry]
    figures: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Land that goes from one area to another; people are an estimate by area where only a part of `source` moves."""

    source: str
    target: str
    shape: shapely.Geometry  # metric
    area_m2: float
    share_of_area: float
    households: int | None
    estimated: bool
    counts: Mapping[str, int]  # cameras, incidents: those the viewer may see


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a draft; `states` has every code of either, see `STATES`."""

    crs: CRS
    before_on: str
    after_on: str
    before: Side
    after: Side
    states: Mapping[str, str]
    pieces: tuple[Piece, ...]

    def differing(self) -> list[str]:
        """Codes of areas that changed, begin or end, in order."""
        return [code for code, state in sorted(self.states.items()) if state != "unchanged"]


def sides(store: "Store", viewer: "Viewer", draft: Draft) -> Sides:
    """Both sides of a draft as the viewer may see them.

    Raises
    ------
    ConflictError
        The boundaries below the draft changed: it has to be rebased first.
    """
    decided = draft.change_id is not None
    on = draft.effective_from
    before_on = (date.fromisoformat(on) - timedelta(days=1)).isoformat() if decided else on
    then = _bare(store, draft, before_on)
    if decided:
        now = _bare(store, draft, on)
        return _laid(viewer, draft, before_on, then, now, bearings(store, now.ground))
    with redraw_session.held(store, draft) as now:
        return _laid(viewer, draft, before_on, then, now, bearings(store, now.ground))


def _bare(store: "Store", draft: Draft, on: str) -> Session:
    return redraw_session.begin(store, draft.id, ground(store, draft.level, draft.parent_kind, draft.parent_code, on))


def _laid(viewer: "Viewer", draft: Draft, before_on: str, then: Session, now: Session, known: Bearings) -> Sides:
    old = {code: then.shape(code) for code in then.codes()}
    new = {code: now.shape(code) for code in now.codes()}
    states = {code: _state(old.get(code), new.get(code)) for code in sorted({*old, *new})}
    gone = {code: shape for code, shape in old.items() if states[code] != "unchanged"}
    came = {code: shape for code, shape in new.items() if states[code] != "unchanged"}
    before = Side(old, _figures(then, viewer, sorted(gone), bearings(then.store, then.ground)))
    after = Side(new, _figures(now, viewer, sorted(came), known))
    pieces = tuple(_pieces(viewer, gone, came, old, new, before, now.crs, known))
    return Sides(now.crs, before_on, draft.effective_from, before, after, states, pieces)


def _state(old: shapely.Geometry | None, new: shapely.Geometry | None) -> str:
    if old is None:
        return "new"
    if new is None:
        return "ended"
    return "unchanged" if shapely.equals_identical(old, new) else "changed"


def _figures(session: Session, viewer: "Viewer", codes: list[str], known: Bearings) -> dict[str, dict[str, Any]]:
    return dict(zip(codes, redraw_figures.figures(session, viewer, codes, given=known), strict=True))


def _pieces(
    viewer: "Viewer",
    gone: Mapping[str, shapely.Geometry],
    came: Mapping[str, shapely.Geometry],
    old: Mapping[str, shapely.Geometry],
    new: Mapping[str, shapely.Geometry],
    before: Side,
    metric: CRS,
    known: Bearings,
) -> list[Piece]:
    counted = _moved_counts(viewer, old, new, metric, known)
    by_source: dict[str, list[Any]] = {}
    for share in land_shares(gone, came) if gone and came else []:
        by_source.setdefault(share.old, []).append(share)
    found = []
    for source, shares in sorted(by_source.items()):
        total = before.figures[source].get("households")
        parts = [None] * len(shares) if total is None else hand_out(int(total), [each.share for each in shares])
        for share, households in zip(shares, parts, strict=True):
            if share.new == source:
                continue
            shape = shapely.intersection(gone[source], came[share.new], grid_size=0.01)
            found.append(
                Piece(
                    source,
                    share.new,
                    shape,
                    round(float(shape.area), 4),
                    share.share,
                    households,
                    share.share < 1 - 1e-9 or bool(before.figures[source].get("households_estimated")),
                    counted(source, share.new),
                )
            )
    return found


def _moved_counts(
    viewer: "Viewer",
    old: Mapping[str, shapely.Geometry],
    new: Mapping[str, shapely.Geometry],
    metric: CRS,
    known: Bearings,
) -> Any:
    """A function that counts what changed hands from one code to another, by where each point lay and lies."""
    seen = [
        name
        for name, layer in redraw_figures.COUNTS.items()
        if name != "key_places" and rights.allowed(layer, viewer).rows
    ]
    near = known.points
    x, y = shapely.get_x(near.places), shapely.get_y(near.places)
    homes = []
    for shapes in (old, new):
        codes = sorted(shapes)
        lonlat = to_lonlat([shapes[code] for code in codes], metric)
        homes.append(Lookup.build(codes, lonlat).code_of(x, y))
    moved = homes[0] != homes[1]
    totals: dict[tuple[Any, Any, Any], float] = {}
    for row in np.flatnonzero(moved):
        key = (homes[0][row], homes[1][row], near.figure[row])
        totals[key] = totals.get(key, 0.0) + float(near.weight[row])
    return lambda source, target: {name: int(totals.get((source, target, name), 0)) for name in seen}
