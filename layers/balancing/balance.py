"""Evener grids for a village or township: what a suggestion is made from, and how a draft takes over a point of it.

A suggestion is made from the boundaries of a day, or from those of a draft as drawn so far, and changes nothing: each
point of its curve is a list of `transfer` operations (`balance_plans`). A draft takes them over only while its boundaries
are still those the suggestion was made on.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import ConflictError, InputError
from geo.words import Text

from ..figures import workload
from ..figures.rule_body import RuleSet
from ..figures.rules import read_rule_set, workload_of
from ..redrawing import draft_rights, drafts
from ..redrawing.draft import Draft
from ..redrawing.draft_operations import apply
from ..redrawing.parents import require_parent
from ..redrawing.redraw_ground import ground
from ..redrawing.redraw_session import Session, begin, held
from ..rights import Viewer
from ..selection.frames import scope
from ..storage import changes
from ..storage.history import day
from .balance_blocks import AUTO, CELL, BlockSet, block_set
from .balance_land import Land, households_of, land_of, require_households

if TYPE_CHECKING:
    from ..storage.store import Store

STEPS_PER_BLOCK = {"quick": 100, "thorough": 600}
"""How long each effort searches."""
LONGEST_QUICK = 250
"""Blocks up to which a quick suggestion takes a second or two."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a suggestion is for: a draft, or the area `parent_code` on a day."""

    draft_id: int | None = None
    parent_code: str | None = None
    as_of: str | None = None
    blocks: str = AUTO
    locked: tuple[str, ...] = ()  # besides those of the draft
    seed: int = 0
    effort: str = "quick"
    rule_set: str | None = None


def asked_of(stored: dict[str, Any]) -> Asked:
    """The inverse of `dataclasses.asdict`, after a way through JSON."""
    return Asked(**{**stored, "locked": tuple(stored["locked"])})


@dataclass(frozen=True, slots=True)
class Work:
    """What a suggestion is made from; see `prepare`."""

    asked: Asked
    draft: Draft | None
    parent: tuple[str | None, str | None]  # kind and code
    session: Session  # nobody else's; where points are drawn to see what they come to
    land: Land
    rules: RuleSet
    loads: workload.Loads
    blocks: BlockSet
    households: np.ndarray  # per block
    estimated: bool  # whether households of blocks are a share of those of their grids
    incidents: np.ndarray
    key_places: np.ndarray
    locked: tuple[str, ...]
    notes: tuple[Text, ...]

    def __len__(self) -> int:
        return len(self.blocks.grid)


def prepare(store: "Store", viewer: Viewer, asked: Asked) -> Work:
    """Cut the land into blocks and say what each carries.

    Raises
    ------
    RightsError, NotFoundError, InputError
        No right, or not an area of the account; no such area, draft or layer; fewer than two grids that could pass land
        to each other, or grids without recorded households.
    """
    viewer.require("redraw")
    if asked.effort not in STEPS_PER_BLOCK:
        raise InputError(Text("没有这种计算方式。", "There is no such effort."), where="effort")
    draft, parent, session, on = _start(store, viewer, asked)
    land = land_of(session, on)
    if len(land.codes) < 2:
        raise InputError(
            Text("此处没有两个以上可以互相调整的网格。", "There are no two grids here that could pass land on."),
            where=parent[1] or "",
            mend=land.notes[0] if land.notes else None,
        )
    rules = read_rule_set(store, asked.rule_set)
    loads = workload.loads(store, land.on, rules)
    blocks = block_set(store, land, workload_of(rules), asked.blocks)
    households, estimated = households_of(land, blocks.shapes, blocks.grid, blocks.households)
    if loads.scale.household:
        require_households(land, blocks.grid, households)
    households, estimated = np.nan_to_num(households), estimated and bool(loads.scale.household)
    frozen = {*asked.locked, *(draft.locked if draft else ())}
    return Work(
        asked=asked,
        draft=draft,
        parent=parent,
        session=session,
        land=land,
        rules=rules,
        loads=loads,
        blocks=blocks,
        households=households,
        estimated=estimated,
        incidents=workload.count_in(blocks.shapes, loads.places.incidents),
        key_places=workload.count_in(blocks.shapes, loads.places.key_places),
        locked=tuple(code for code in land.codes if code in frozen),
        notes=(*loads.notes, *land.notes, *_notes(blocks, estimated)),
    )


def _start(
    store: "Store", viewer: Viewer, asked: Asked
) -> tuple[Draft | None, tuple[str | None, str | None], Session, str]:
    """The draft, if any, the area it belongs to, its boundaries in a session of their own, and their day."""
    if asked.draft_id is None:
        on = day(asked.as_of)
        parent = require_parent(store, "grid", asked.parent_code, on)
        draft_rights.require_reach(parent, scope(store, viewer, on))
        return None, parent, begin(store, 0, ground(store, "grid", *parent, on)), on
    draft = drafts.read(store, viewer, asked.draft_id)
    if draft.level != "grid":
        raise InputError(Text("只能均衡网格。", "Only grids can be balanced."), where="draft")
    with held(store, draft) as shared:
        own = begin(store, draft.id, shared.ground)
    own.follow(draft.operations)
    return draft, (draft.parent_kind, draft.parent_code), own, draft.effective_from


def _notes(blocks: BlockSet, estimated: bool) -> list[Text]:
    notes = []
    if estimated:
        notes.append(
            Text(
                "地块的户数按面积从网格户数推算，为估计值。",
                "Households of blocks are estimated from those of their grids by area.",
            )
        )
    if blocks.source == CELL:
        notes.append(
            Text(
                "没有用地块图层，按等积单元试算，移动的边界沿单元边缘。",
                "No layer of blocks was used: land moves in cells of equal area, and borders follow their edges.",
            )
        )
    return notes


def put(
    store: "Store",
    viewer: Viewer,
    draft_id: int,
    version: int,
    made: dict[str, Any],
    point: int,
    *,
    key: str | None = None,
) -> Any:
    """Perform a point of a suggestion in a draft, as `draft_operations.apply` does, and give its answer.

    Raises
    ------
    ConflictError
        When the suggestion was made on other boundaries than those of the draft.
    InputError
        When it has no such point, or the point moves nothing.
    """
    draft = drafts.read(store, viewer, draft_id)
    if changes.answered(store, key) is None and not _fits(draft, made):
        raise ConflictError(
            Text("建议所依据的边界已变化。", "The boundaries this suggestion was made on have changed."),
            where=str(draft_id),
            mend=Text("请重新计算建议。", "Ask for a suggestion again."),
        )
    if not 0 <= point < len(made["curve"]) or not made["curve"][point]["operations"]:
        raise InputError(
            Text("这个方案不移动任何地块。", "This point moves nothing."),
            where="point",
            mend=Text("请在曲线上选择另一个点。", "Choose another point of the curve."),
        )
    return apply(store, viewer, draft_id, version, made["curve"][point]["operations"], key=key)


def _fits(draft: Draft, made: dict[str, Any]) -> bool:
    """Whether a suggestion was made on the boundaries as the draft has them."""
    if made["draft"] is not None:
        return (made["draft"], made["version"]) == (draft.id, draft.version)
    same = (made["parent_code"], made["as_of"]) == (draft.parent_code, draft.effective_from)
    return same and draft.level == "grid" and not draft.operations
