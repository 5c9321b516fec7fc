"""Drafts: proposed changes of boundaries, kept until they are decided on.

A draft belongs to one village or township (to none in a store without villages), says from which day it would hold, and
carries the operations that were drawn, in order, as they came: drawing them again on the same boundaries gives the same
land. Its `version` goes up with everything done to it, so that of two people who save at once the second is told.
"""

from dataclasses import fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select, update

from geo.errors import ConflictError, InputError, NotFoundError, RightsError
from geo.words import Text

from ..kinds import KINDS
from ..rights import Viewer
from ..selection.frames import scope
from ..storage import schema
from ..storage.history import clock
from . import draft_fields, draft_rights
from .draft import STATES, Draft
from .draft_states import APPROVED, standing
from .parents import OF_LEVEL, require_parent
from .redraw_ground import ground

if TYPE_CHECKING:
    from ..storage.store import Store


def create(
    store: "Store",
    viewer: Viewer,
    *,
    title: str,
    level: str = "grid",
    parent_code: str | None = None,
    reason: str = "",
    decision_number: str = "",
    effective_from: date | str | None = None,
    correction: bool = False,
    key: str | None = None,
) -> Draft:
    """Begin a draft.

    Parameters
    ----------
    level
        What is redrawn: grid, village or township.
    parent_code
        The area whose parts are redrawn: for grids a village or township, for villages a township or the county, for
        townships the county; None where the store has none of these.
    effective_from
        The day from which the draft would hold; its boundaries of that day are what is redrawn. Today by default.
    correction
        Mends an error of digitising; needs the right to mend.
    key
        Idempotency key: asked twice, the draft is made once.

    Raises
    ------
    RightsError, NotFoundError, InputError
        No right, or the area is not the account's own; no such area, or nothing to redraw in it on that day; a text
        too long or a day that is none.
    """
    viewer.require("redraw")
    if correction:
        viewer.require("mend")
    if level not in OF_LEVEL:
        raise InputError(
            Text(f"不能编辑“{level[:20]}”的边界。", f"Boundaries of '{level[:20]}' cannot be redrawn."), where="level"
        )
    values = draft_fields.checked(
        {"title": title, "reason": reason, "decision_number": decision_number, "effective_from": effective_from}
    )
    parent = _require_land(store, viewer, level, parent_code, values["effective_from"])
    values |= {"level": level, "parent_kind": parent[0], "parent_code": parent[1], "correction": bool(correction)}

    def body(change: Any) -> dict[str, Any]:
        moment = schema.now()
        made = {
            "version": 1, "author": viewer.name, "editors": [viewer.name], "state": "draft",
            "created_at": moment, "updated_at": moment, "updated_by": viewer.name,
        }  # fmt: skip
        result = change.connection.execute(insert(schema.draft).values(**draft_fields.stored(values | made)))
        draft_id = result.inserted_primary_key[0]
        change.details["draft"] = draft_id
        return {"draft": draft_id}

    said = {name: values[name] for name in ("title", "level", "parent_code", "effective_from", "correction")}
    answer = store.act(viewer.name, "draft_create", body, key=key, details=said)
    return read(store, viewer, answer["draft"])


def read(store: "Store", viewer: Viewer, draft_id: int) -> Draft:
    """A draft the viewer may see; NotFoundError when there is none, or when it is not within the viewer's areas."""
    draft_rights.require_sight(store, viewer)
    with store.read() as connection:
        draft = standing(connection, [load(connection, draft_id)])[0]
    if not draft_rights.reaches(draft, scope(store, viewer, draft.effective_from)):
        raise _missing(draft_id)
    return draft


def list_drafts(store: "Store", viewer: Viewer, *, state: str | None = None) -> list[Draft]:
    """The drafts the viewer may see, the one changed last first; `state` keeps those in that state."""
    draft_rights.require_sight(store, viewer)
    table = schema.draft
    query = select(table).order_by(table.c.updated_at.desc(), table.c.id.desc())
    if state is not None:
        query = query.where(table.c.state == ("approved" if state in APPROVED else state))
    with store.read() as connection:
        found = standing(connection, [_from_row(row) for row in connection.execute(query).mappings()])
    found = [draft for draft in found if state is None or draft.state == state]
    reach = {on: scope(store, viewer, on) for on in {draft.effective_from for draft in found}}
    return [draft for draft in found if draft_rights.reaches(draft, reach[draft.effective_from])]


def edit(
    store: "Store", viewer: Viewer, draft_id: int, version: int, *, key: str | None = None, **changed: Any
) -> Draft:
    """Change what is said about a draft: title, reason, decision_number, attachments, effective_from, locked, correction.

    Raises
    ------
    ConflictError
        Somebody changed the draft since `version`, or it is no longer being drafted.
    NotFoundError
        On the new day there is nothing to redraw.
    """
    draft_fields.require_editable(changed)
    if changed.get("correction"):
        viewer.require("mend")
    values = draft_fields.checked(changed)

    def body(change: Any) -> dict[str, Any]:
        draft = require_own(store, change.connection, viewer, draft_id, version)
        save(change.connection, draft, viewer.name, **values)
        return {"draft": draft_id}

    details = {"draft": draft_id, "fields": sorted(values)}
    before = read(store, viewer, draft_id)
    if "effective_from" in values:
        _require_land(store, viewer, before.level, before.parent_code, values["effective_from"])
    store.act(viewer.name, "draft_edit", body, key=key, details=details)
    return read(store, viewer, draft_id)


def discard(store: "Store", viewer: Viewer, draft_id: int, version: int, *, key: str | None = None) -> Draft:
    """Give a draft up. It stays on file, and can no longer be changed."""
    read(store, viewer, draft_id)

    def body(change: Any) -> dict[str, Any]:
        draft = require_own(store, change.connection, viewer, draft_id, version)
        save(change.connection, draft, viewer.name, state="discarded")
        return {"draft": draft_id}

    store.act(viewer.name, "draft_discard", body, key=key, details={"draft": draft_id})
    return read(store, viewer, draft_id)


def _require_land(
    store: "Store", viewer: Viewer, level: str, parent_code: str | None, on: str
) -> tuple[str | None, str | None]:
    """Kind and code of the area a draft belongs to, one of the viewer's own that has something to redraw on that day."""
    parent = require_parent(store, level, parent_code, on)
    draft_rights.require_reach(parent, scope(store, viewer, on))
    if not ground(store, level, *parent, on).shapes:
        label = KINDS[level].label
        raise NotFoundError(
            Text(
                f"{on} 这里没有带范围的{label.zh}，无从调整。",
                f"On {on} there is no {label.en} with land here to redraw.",
            ),
            where="effective_from" if parent_code is None else "parent_code",
            mend=Text(
                f"请换一个生效日期，或先导入{label.zh}。", f"Choose another day, or import {label.en} data first."
            ),
        )
    return parent


# --- for the acts of other modules, inside their own change


def load(connection: Connection, draft_id: int) -> Draft:
    """A draft by its number, whoever asks; NotFoundError."""
    row = connection.execute(select(schema.draft).where(schema.draft.c.id == draft_id)).mappings().one_or_none()
    if row is None:
        raise _missing(draft_id)
    return _from_row(row)


def require_own(store: "Store", connection: Connection, viewer: Viewer, draft_id: int, version: int) -> Draft:
    """The draft to be changed: in its drafting state, of `version`, and by somebody who may.

    Its author may, and whoever reviews; other accounts with the right to redraw may look only.
    """
    viewer.require("redraw")
    draft = load(connection, draft_id)
    if not draft_rights.may_draw(viewer, draft):
        raise RightsError(
            Text(
                f"草案由 {draft.author} 起草，您只能查看。", f"The draft is {draft.author}'s; you may look at it only."
            ),
            where=str(draft_id),
            mend=Text("请另建草案。", "Begin a draft of your own."),
        )
    require_version(draft, version)
    if draft.state != "draft":
        raise ConflictError(
            Text(
                f"草案{STATES[draft.state].zh}，不能修改。", f"The draft is {STATES[draft.state].en}: it cannot change."
            ),
            where=str(draft_id),
            mend=Text("请先撤回或退回。", "Withdraw it or have it sent back first."),
        )
    return draft


def require_version(draft: Draft, version: int) -> None:
    """ConflictError naming who changed the draft and when, unless it is still of `version`."""
    if draft.version != version:
        at = clock(draft.updated_at)
        raise ConflictError(
            Text(
                f"{draft.updated_by} 于 {at} 修改了草案（版本 {draft.version}，您的是 {version}）。",
                f"{draft.updated_by} changed the draft at {at} (version {draft.version}, yours is {version}).",
            ),
            where=f"{draft.id}: {draft.updated_by}, {at}",
            mend=Text("请重新打开草案后再做。", "Open the draft again and repeat the step."),
        )


def require_newest(store: "Store", draft: Draft) -> None:
    """ConflictError when somebody saved the draft since it was read; costs less than reading it again."""
    table = schema.draft
    with store.read() as connection:
        query = select(table.c.version, table.c.updated_by, table.c.updated_at).where(table.c.id == draft.id)
        version, by, at = connection.execute(query).one()
    require_version(replace(draft, version=version, updated_by=by, updated_at=at), draft.version)


def save(connection: Connection, draft: Draft, actor: str, **values: Any) -> Draft:
    """Store changed values of a draft under its next version, and give it as it now is."""
    table = schema.draft
    new = draft_fields.stored(values) | {"version": draft.version + 1, "updated_at": schema.now(), "updated_by": actor}
    done = connection.execute(
        update(table).where(table.c.id == draft.id, table.c.version == draft.version).values(**new)
    )
    if done.rowcount != 1:
        raise ConflictError(Text("草案已被他人修改。", "Somebody else changed the draft."), where=str(draft.id))
    return load(connection, draft.id)


def _missing(draft_id: int) -> NotFoundError:
    return NotFoundError(Text(f"没有草案 {draft_id}。", f"There is no draft {draft_id}."), where="draft")


def _from_row(row: Any) -> Draft:
    return Draft(**draft_fields.loaded({field.name: row[field.name] for field in fields(Draft)}))
