"""Drawing in a draft: perform operations or only look what they would do, take back, do again.

Every operation is done or refused for itself; those that were done are saved together, in one change with its audit
row, under the next version of the draft. A look (`preview`) writes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from geo.errors import ConflictError, InputError, LimitError
from geo.refusals import RefusedError
from geo.words import Text

from ..places import grid_codes
from ..storage import changes
from . import draft_answers, drafts, redraw_session
from .draft_answers import Answer
from .redraw_land import Session, Step
from .redraw_points import Bearings, bearings

if TYPE_CHECKING:
    from ..rights import Viewer
    from ..storage.store import Store
    from .draft import Draft

MOST = 10_000
"""Operations of one draft; more than anybody draws, less than would take minutes to repeat."""
_TRIES = 3


class _CodeTaken(Exception):
    """Another draft was given one of our new codes since we looked."""


def apply(
    store: "Store",
    viewer: "Viewer",
    draft_id: int,
    version: int,
    operations: Sequence[Mapping[str, Any]],
    *,
    preview: bool = False,
    key: str | None = None,
) -> Answer:
    """Perform operations in a draft, one after the other.

    Parameters
    ----------
    version
        The version of the draft they were drawn on.
    operations
        As `geo.operations` reads them, in lon/lat. One that is refused is left out; the others stay.
    preview
        Only look: nothing is kept or written.
    key
        Idempotency key: sent twice, done once, with the same answer.

    Raises
    ------
    ConflictError
        Somebody saved the draft since `version`; the draft is decided on; or the boundaries below it changed.
    RightsError, NotFoundError, InputError, LimitError
        No right or no such draft; not a list of operations; too many of them.
    """
    given = _plain(operations)
    draft = drafts.read(store, viewer, draft_id)
    known = changes.answered(store, None if preview else key)
    if known is not None:
        return draft_answers.again(store, viewer, draft, known)
    if len(draft.operations) + len(given) > MOST:
        raise LimitError(
            Text(f"一份草案最多 {MOST} 步操作。", f"A draft takes at most {MOST:,} operations."),
            where="operations",
            mend=Text("请先提交这一份，再另建草案。", "Submit this one and begin another."),
        )
    for attempt in range(_TRIES):
        try:
            return _apply(store, viewer, draft_id, version, given, preview=preview, key=key)
        except _CodeTaken:
            if attempt == _TRIES - 1:
                raise ConflictError(
                    Text("另一份草案正在占用同样的编码。", "Another draft keeps taking the same codes."),
                    where=str(draft_id),
                    mend=Text("请再试一次。", "Try once more."),
                ) from None
    raise AssertionError


def undo(store: "Store", viewer: "Viewer", draft_id: int, version: int, *, key: str | None = None) -> Answer:
    """Take back the last operation. Shapes come back as they were, to the last bit.

    An operation that changed an area which is locked now is not taken back; the answer says so.
    """

    def step(session: Session, draft: "Draft") -> tuple[Step, dict[str, Any]]:
        last = session.steps[-1]
        held = sorted(set(draft.locked) & set(last.before))
        if held:
            raise RefusedError("locked", codes=held)
        session.rewind(len(session.steps) - 1)
        return last, {"operations": draft.operations[:-1], "redone": [*draft.redone, draft.operations[-1]]}

    return _step(store, viewer, draft_id, version, "draft_undo", step, key=key)


def redo(store: "Store", viewer: "Viewer", draft_id: int, version: int, *, key: str | None = None) -> Answer:
    """Perform again what was taken back last; there is nothing to do again once something else was drawn."""

    def step(session: Session, draft: "Draft") -> tuple[Step, dict[str, Any]]:
        done = session.perform(draft.redone[-1], locked=draft.locked, fresh=False)
        return done, {"operations": [*draft.operations, done.operation], "redone": draft.redone[:-1]}

    return _step(store, viewer, draft_id, version, "draft_redo", step, key=key)


def _apply(
    store: "Store",
    viewer: "Viewer",
    draft_id: int,
    version: int,
    operations: list[dict[str, Any]],
    *,
    preview: bool,
    key: str | None,
) -> Answer:
    with store.read() as connection:
        draft = drafts.require_own(store, connection, viewer, draft_id, version)
    with redraw_session.held(store, draft, newest=True) as session:
        start = len(session.steps)
        given = bearings(store, session.ground)
        saved = False
        try:
            results = [_performed(session, viewer, draft, operation, given) for operation in operations]
            done = session.steps[start:]
            whole = len(operations) > 1 and not preview
            answer = draft_answers.answer_of(session, viewer, draft, results, done, given, whole=whole)
            if done and not preview:
                answer = _save(
                    store, viewer, draft, session, answer, "draft_apply", key,
                    operations=[*draft.operations, *(step.operation for step in done)], redone=[],
                )  # fmt: skip
                saved = True
        finally:
            if not saved:
                session.rewind(start)
    return answer


def _step(
    store: "Store",
    viewer: "Viewer",
    draft_id: int,
    version: int,
    action: str,
    act: Callable[[Session, "Draft"], tuple[Step, dict[str, Any]]],
    *,
    key: str | None,
) -> Answer:
    """One step back or forward."""
    draft = drafts.read(store, viewer, draft_id)
    known = changes.answered(store, key)
    if known is not None:
        return draft_answers.again(store, viewer, draft, known)
    with store.read() as connection:
        draft = drafts.require_own(store, connection, viewer, draft_id, version)
    back = action == "draft_undo"
    if not (draft.operations if back else draft.redone):
        raise ConflictError(
            Text("没有可以撤销的操作。", "There is nothing to take back.")
            if back
            else Text("没有可以重做的操作。", "There is nothing to do again."),
            where=str(draft_id),
        )
    with redraw_session.held(store, draft, newest=True) as session:
        given = bearings(store, session.ground)
        try:
            step, values = act(session, draft)
        except RefusedError as error:
            return draft_answers.answer_of(
                session, viewer, draft, [draft_answers.refused(session, error)], [], given, whole=False
            )
        saved = False
        try:
            result = draft_answers.done(session, viewer, step, given, back=back)
            answer = draft_answers.answer_of(session, viewer, draft, [result], [step], given, whole=False, back=back)
            answer = _save(store, viewer, draft, session, answer, action, key, **values)
            saved = True
        finally:
            if not saved:
                session.follow(draft.operations)
    return answer


def _plain(operations: Any) -> list[dict[str, Any]]:
    """Operations as JSON gives them, whatever they were made of."""
    if not isinstance(operations, Sequence) or isinstance(operations, str | bytes):
        raise InputError(
            Text("须为操作的列表。", "Give a list of operations."),
            where="operations",
            mend=Text('例如 [{"op": "merge", "grids": [...]}]。', 'For example [{"op": "merge", "grids": [...]}].'),
        )
    try:
        return json.loads(json.dumps(list(operations), allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise InputError(
            Text("操作不是有效的 JSON。", "The operations are not valid JSON."), where="operations"
        ) from None


def _performed(session: Session, viewer: "Viewer", draft: "Draft", operation: Any, given: Bearings) -> dict[str, Any]:
    try:
        return draft_answers.done(session, viewer, session.perform(operation, locked=draft.locked), given)
    except RefusedError as error:
        return draft_answers.refused(session, error)


def _save(
    store: "Store",
    viewer: "Viewer",
    draft: "Draft",
    session: Session,
    answer: Answer,
    action: str,
    key: str | None,
    **values: Any,
) -> Answer:
    """Store the operations of a draft under its next version, with the answer for whoever asks again."""
    codes = [code for operation in (*values["operations"], *values["redone"]) for code in _begun(operation)]

    def body(change: changes.Change) -> dict[str, Any]:
        now = drafts.require_own(store, change.connection, viewer, draft.id, draft.version)
        if set(codes) & grid_codes.promised_codes(change.connection, draft.level, but=draft.id):
            raise _CodeTaken
        editors = [*now.editors, *({viewer.name} - set(now.editors))]
        saved = drafts.save(
            change.connection, now, viewer.name, base=session.base(), codes=codes, editors=editors, **values
        )
        change.details["moves"] = [
            {name: move[name] for name in ("from", "to", "area_m2")}
            for result in answer.results
            if result["ok"]
            for move in result["changes"]
        ]
        return {
            "draft": draft.id, "version": saved.version, "results": answer.results, "valid": answer.valid,
            "area_change_m2": answer.area_change_m2, "ended": list(answer.ended),
            "codes": [feature["properties"]["code"] for feature in answer.areas],
        }  # fmt: skip

    details = {"draft": draft.id, "operations": len(values["operations"])}
    told = store.act(viewer.name, action, body, key=key, details=details)
    return Answer(
        draft.id, told["version"], told["results"], answer.valid, answer.area_change_m2, answer.ended, answer.areas
    )


def _begun(operation: Mapping[str, Any]) -> list[str]:
    """Codes that an operation gives to areas that begin."""
    codes = list(operation.get("codes", ()))
    into = operation.get("into")
    named = (*operation.get("grids", ()), operation.get("grid"))
    if operation["op"] in ("merge", "recode") and into is not None and into not in named:
        codes.append(into)
    return codes
