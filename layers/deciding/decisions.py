"""Decisions: how a draft of boundaries is handed on, reviewed, approved and taken back.

    draft -> proposed -> reviewed -> approved -> effective -> superseded

Sent back or withdrawn it is a draft again. Every step is one transaction with its audit row and its line in the draft's
`reviews`; the layers change with the approval only, all at once (`decision_rows`). A decision for a day to come writes
rows that begin on that day: nobody sees them before. The approver has not drawn in the draft.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from geo.errors import ConflictError, InputError
from geo.words import Text

from ..places import homes
from ..redrawing import communities, decision_rows, draft_rights, drafts
from ..redrawing.draft import Draft
from ..rights import Viewer
from ..storage import changes
from ..storage.history import day, today
from . import corrections, decision_plan
from .decision_steps import VERDICTS, in_state, offices_missing, require_approver, require_other, round_of, said
from .rebasing import rebase
from .village_decisions import require_office

if TYPE_CHECKING:
    from ..storage.store import Store

__all__ = [
    "VERDICTS", "approve", "offices_missing", "rebase", "review", "round_of", "send_back", "submit", "withdraw",
]  # fmt: skip

_TRIES = 5

Step = Callable[[Connection], dict[str, Any]]
"""What a step changes of a draft, worked out in its transaction."""


def submit(
    store: "Store", viewer: Viewer, draft_id: int, version: int, *, note: str = "", key: str | None = None
) -> Draft:
    """Hand a draft in. It is checked against the boundaries of its day as it will be when it is approved.

    Rules that a community breaks (`communities`) are noted with the step; they hinder nobody.

    Raises
    ------
    InputError
        No reason is given, or nothing was drawn.
    ConflictError
        The boundaries below have changed (rebase it first), or the draft has.
    """
    draft = drafts.read(store, viewer, draft_id)
    if changes.answered(store, key) is not None:
        return draft
    if not draft.reason:
        raise InputError(
            Text("提交前请写明变更理由。", "Give the reason for the change before handing it in."), where="reason"
        )
    drafts.require_version(draft, version)
    warnings = communities.warnings(store, draft, decision_plan.plan(store, draft).replacements)

    def step(connection: Connection) -> dict[str, Any]:
        now = drafts.require_own(store, connection, viewer, draft_id, version)
        return {"state": "proposed", "reviews": said(now, viewer, "submit", note, warnings=warnings)}

    return _step(store, viewer, draft_id, "draft_submit", step, note=note, key=key)


def review(
    store: "Store",
    viewer: Viewer,
    draft_id: int,
    version: int,
    *,
    verdict: str | None,
    note: str = "",
    role: str | None = None,
    key: str | None = None,
) -> Draft:
    """Say "agree" or "disagree"; the draft counts as reviewed when everybody who has to agrees.

    `role`: the office that is spoken for, where a change needs several (see `village_decisions`). Reviewing needs
    the right to; nobody reviews what he drew.
    """
    viewer.require("review_redraw")
    if verdict not in ("agree", "disagree"):
        raise InputError(
            Text("审核意见应为 agree（同意）或 disagree（不同意）。", "A verdict is agree or disagree."),
            where="verdict",
        )
    drafts.read(store, viewer, draft_id)

    def step(connection: Connection) -> dict[str, Any]:
        now = in_state(connection, draft_id, version, ("proposed", "reviewed"))
        require_other(now, viewer)
        office = require_office(now, role)
        reviews = said(now, viewer, verdict, note, office)
        missing = offices_missing(replace(now, reviews=tuple(reviews)))
        return {"state": "proposed" if missing else "reviewed", "reviews": reviews}

    return _step(store, viewer, draft_id, "draft_review", step, note=note, key=key, verdict=verdict, role=role or "")


def send_back(
    store: "Store", viewer: Viewer, draft_id: int, version: int, *, note: str = "", key: str | None = None
) -> Draft:
    """Give a proposed or reviewed draft back to its author, with the reason."""
    if not draft_rights.may_approve(store, viewer):
        viewer.require("review_redraw")
    if not note.strip():
        raise InputError(Text("退回时请写明原因。", "Say why it is sent back."), where="note")
    drafts.read(store, viewer, draft_id)

    def step(connection: Connection) -> dict[str, Any]:
        now = in_state(connection, draft_id, version, ("proposed", "reviewed"))
        return {"state": "draft", "reviews": said(now, viewer, "send_back", note)}

    return _step(store, viewer, draft_id, "draft_send_back", step, note=note, key=key)


def withdraw(
    store: "Store", viewer: Viewer, draft_id: int, version: int, *, note: str = "", key: str | None = None
) -> Draft:
    """Take back what was handed in, or a decision before its day; it is a draft again.

    What is proposed or reviewed is taken back by its author or a reviewer, a decision by who may approve. The rows of
    a decision then never counted, and those it ended count again.

    Raises
    ------
    ConflictError
        The day of the decision has come, or another decision was made on top of it.
    """
    draft = drafts.read(store, viewer, draft_id)
    if draft.change_id is not None:
        return _withdraw_decision(store, viewer, draft, version, note=note, key=key)

    def step(connection: Connection) -> dict[str, Any]:
        now = in_state(connection, draft_id, version, ("proposed", "reviewed"))
        if viewer.name != now.author:
            viewer.require("review_redraw")
        return {"state": "draft", "reviews": said(now, viewer, "withdraw", note)}

    return _step(store, viewer, draft_id, changes.WITHDRAWAL, step, note=note, key=key)


def _withdraw_decision(
    store: "Store", viewer: Viewer, draft: Draft, version: int, *, note: str, key: str | None
) -> Draft:
    require_approver(store, viewer)
    before: dict[str, int] = {}
    kinds: set[str] = set()

    def body(change: changes.Change) -> dict[str, Any]:
        now = in_state(change.connection, draft.id, version, ("approved",))
        if now.correction or now.effective_from <= today().isoformat():
            raise ConflictError(
                Text("已经生效，不能撤回。", "It is in force and cannot be withdrawn."),
                where=now.effective_from,
                mend=Text("请另作一项变更。", "Make another change."),
            )
        assert now.change_id is not None
        _require_nothing_on_top(change.connection, now)
        before.update(decision_plan.versions(change.connection))
        kinds.update(changes.take_back(change, now.change_id))
        for kind in kinds & set(decision_plan.LEVELS):
            decision_rows.reopen(store, change, kind, now.change_id)
        drafts.save(
            change.connection, now, viewer.name,
            state="draft", change_id=None, reviews=said(now, viewer, "withdraw", note),
        )  # fmt: skip
        return {"draft": now.id}

    details = {"draft": draft.id, "decision": draft.change_id, "note": note}
    store.act(viewer.name, changes.WITHDRAWAL, body, key=key, details=details)
    if before:
        homes.nothing_moved(store, before, kinds)
    return drafts.read(store, viewer, draft.id)


def _require_nothing_on_top(connection: Connection, draft: Draft) -> None:
    """ConflictError when a later act ended or took back a row that the decision made."""
    for kind in decision_plan.LEVELS:
        later = decision_rows.ended_since(connection, kind, draft.change_id or 0)
        if later:
            act = decision_plan.who(connection, later[0].closed_by)
            codes = sorted({row.code for row in later})
            raise ConflictError(
                Text(
                    f"{'、'.join(codes[:5])} 之后又被更改：{act.zh}。",
                    f"{', '.join(codes[:5])} were changed on top of it: {act.en}.",
                ),
                where=", ".join(codes[:20]),
                mend=Text("请先撤回较新的决定。", "Withdraw the newer decision first."),
            )


class Moved(Exception):
    """A layer changed between planning and writing."""


def approve(
    store: "Store",
    viewer: Viewer,
    draft_id: int,
    version: int,
    *,
    effective_from: date | str | None = None,
    note: str = "",
    key: str | None = None,
) -> Draft:
    """Make a reviewed draft a decision: one transaction writes all rows, the lineage and the audit row.

    `effective_from` replaces the day of the draft. Everything is drawn and checked again on the boundaries of that day.
    A correction is written for the whole time in which all the areas it touches had the rows that it corrects.

    Raises
    ------
    RightsError
        Not an administrator nor named in the setting `approvers`, or somebody who drew in the draft.
    ConflictError
        The boundaries below have changed, or a later decision holds for one of the areas: rebase it, or choose
        another day.
    """
    require_approver(store, viewer)
    draft = drafts.read(store, viewer, draft_id)
    if changes.answered(store, key) is not None:
        return draft
    on = draft.effective_from if effective_from is None else day(effective_from, "effective_from")

    def body(change: changes.Change) -> dict[str, Any]:
        now = in_state(change.connection, draft_id, version, ("reviewed",))
        require_other(now, viewer)
        if decision_plan.versions(change.connection) != planned.versions:
            raise Moved
        if now.correction:
            change.details["span"] = corrections.write(store, change, planned.replacements, on)
        else:
            change.rows = {each.kind: decision_rows.write(store, change, each, on) for each in planned.replacements}
        if warnings:
            change.details["warnings"] = warnings
        drafts.save(
            change.connection, now, viewer.name,
            state="approved", effective_from=on, change_id=change.id, reviews=said(now, viewer, "approve", note, warnings=warnings),
        )  # fmt: skip
        return {"draft": draft_id}

    details = {
        "draft": draft_id,
        "title": draft.title,
        "decision_number": draft.decision_number,
        "on": on,
        "note": note,
    }
    action = changes.CORRECTION if draft.correction else changes.DECISION
    for attempt in range(_TRIES):
        require_other(draft, viewer)
        drafts.require_version(draft, version)
        planned = decision_plan.plan(store, replace(draft, effective_from=on))
        warnings = communities.warnings(store, draft, planned.replacements)
        try:
            store.act(viewer.name, action, body, key=key, details=details)
            break
        except Moved:
            if attempt == _TRIES - 1:
                raise ConflictError(
                    Text("图层正在被频繁更改。", "The layers are being changed all the time."),
                    mend=Text("请稍后再试。", "Try again a little later."),
                ) from None
            draft = drafts.read(store, viewer, draft_id)
    kinds = [each.kind for each in planned.replacements]
    if on <= today().isoformat():
        homes.follow(store, viewer.name, planned.versions, kinds, planned.bounds())
    else:
        homes.nothing_moved(store, planned.versions, kinds)
    return drafts.read(store, viewer, draft_id)


def _step(
    store: "Store", viewer: Viewer, draft_id: int, action: str, step: Step, *, key: str | None, **said: Any
) -> Draft:
    """Take one step of the draft in a transaction of its own."""

    def body(change: changes.Change) -> dict[str, Any]:
        values = step(change.connection)
        drafts.save(change.connection, drafts.load(change.connection, draft_id), viewer.name, **values)
        change.details["state"] = values["state"]
        return {"draft": draft_id}

    store.act(viewer.name, action, body, key=key, details={"draft": draft_id, **said})
    return drafts.read(store, viewer, draft_id)
