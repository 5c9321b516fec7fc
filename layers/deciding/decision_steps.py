"""The steps a draft may take: in which state, by whom, and what is noted in its `reviews`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from geo.errors import ConflictError, InputError, RightsError
from geo.words import Text

from ..redrawing import draft_rights, drafts
from ..redrawing.draft import STATES, Draft
from ..rights import Viewer
from ..storage import schema
from .village_decisions import offices_of

if TYPE_CHECKING:
    from ..storage.store import Store

VERDICTS = {
    "submit": Text("提交", "submitted"),
    "agree": Text("同意", "agrees"),
    "disagree": Text("不同意", "disagrees"),
    "send_back": Text("退回", "sent back"),
    "withdraw": Text("撤回", "withdrawn"),
    "rebase": Text("按新界线重做", "redrawn on the new boundaries"),
    "approve": Text("批准", "approved"),
}
"""What a line in `reviews` may say; each is {role, name, at, verdict, note}, with `warnings` where rules are broken."""
_ROUND_ENDS = ("submit", "send_back", "withdraw", "rebase")
_LONGEST_NOTE = 4000


def round_of(draft: Draft) -> list[Mapping[str, Any]]:
    """The reviews since the draft was last handed in; what was said of an earlier state does not count."""
    found: list[Mapping[str, Any]] = []
    for review in draft.reviews:
        found = [] if review["verdict"] in _ROUND_ENDS else [*found, review]
    return found


def offices_missing(draft: Draft) -> tuple[str, ...]:
    """The offices that still have to agree; one review without an office is enough where none are prescribed ("")."""
    last = {review["role"]: review["verdict"] for review in round_of(draft)}
    wanted = offices_of(draft)
    if wanted:
        return tuple(office for office in wanted if last.get(office) != "agree")
    return () if "agree" in last.values() and "disagree" not in last.values() else ("",)


def in_state(connection: Connection, draft_id: int, version: int, states: Sequence[str]) -> Draft:
    """The draft as it is in this transaction; ConflictError unless it is of `version` and in one of `states`."""
    draft = drafts.load(connection, draft_id)
    drafts.require_version(draft, version)
    if draft.state not in states:
        wanted = Text("、".join(STATES[each].zh for each in states), " or ".join(STATES[each].en for each in states))
        raise ConflictError(
            Text(
                f"草案现为“{STATES[draft.state].zh}”，须为“{wanted.zh}”。",
                f"The draft is {STATES[draft.state].en}; it has to be {wanted.en}.",
            ),
            where=str(draft_id),
            mend=Text("请先完成前面的步骤。", "Take the steps before this one first."),
        )
    return draft


def require_other(draft: Draft, viewer: Viewer) -> None:
    """RightsError for who drew in the draft: nobody judges his own work."""
    if viewer.name == draft.author or viewer.name in draft.editors:
        raise RightsError(
            Text(
                "您参与了该草案的绘制，不能审核或批准。",
                "You drew in this draft and can neither review nor approve it.",
            ),
            where=str(draft.id),
            mend=Text("请由他人审核、批准。", "Let somebody else do it."),
        )


def require_approver(store: "Store", viewer: Viewer) -> None:
    if not draft_rights.may_approve(store, viewer):
        raise RightsError(
            Text("您无权批准边界变更。", "You may not approve changes of boundaries."),
            where="approve_redraw",
            mend=Text("由管理员或其指定的审批人批准。", "An administrator approves, or who the administrator named."),
        )


def said(
    draft: Draft, viewer: Viewer, verdict: str, note: str, role: str = "", *, warnings: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """The reviews of a draft with one line more; `warnings`: rules that are broken (see `communities.warnings`)."""
    if len(note) > _LONGEST_NOTE:
        raise InputError(
            Text(f"说明不超过 {_LONGEST_NOTE} 字。", f"A note has at most {_LONGEST_NOTE} characters."), where="note"
        )
    line: dict[str, Any] = {
        "role": role,
        "name": viewer.name,
        "at": schema.now(),
        "verdict": verdict,
        "note": note.strip(),
    }
    if warnings:
        line["warnings"] = [dict(each) for each in warnings]
    return [*map(dict, draft.reviews), line]


def require_open(draft: Draft, viewer: Viewer) -> None:
    """ConflictError when a draft is decided or given up; RightsError for who may not draw in it."""
    viewer.require("redraw")
    if draft.state not in ("draft", "proposed", "reviewed"):
        raise ConflictError(
            Text(
                f"草案{STATES[draft.state].zh}，不能修改。", f"The draft is {STATES[draft.state].en}: it cannot change."
            ),
            where=str(draft.id),
        )
    if viewer.name != draft.author:
        viewer.require("review_redraw")
