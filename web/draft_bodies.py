"""Shapes of the JSON bodies of boundary drafts: what is wanted, never whether the drawing is right (the kernel decides)."""

from apiflask import Schema
from apiflask.fields import Boolean, Date, Dict, Integer, List, Raw, String
from apiflask.validators import Length, OneOf, Range

LEVELS = ("grid", "village", "township")
VERDICTS = ("agree", "disagree")
MOST_OPERATIONS = 500
_WHOLE = Range(0, 2**53)
_CODE = Length(1, 64)
_VERSION = {"description": "the version of the draft this was made on; 409 when somebody saved in between"}


class NewDraft(Schema):
    """A draft to be begun; `parent_code` is a village or township, and absent in a store without villages."""

    title = String(required=True, validate=Length(1, 200))
    level = String(load_default="grid", validate=OneOf(LEVELS))
    parent_code = String(load_default=None, allow_none=True, validate=_CODE)
    reason = String(load_default="", validate=Length(0, 4000))
    decision_number = String(load_default="", validate=Length(0, 100))
    effective_from = Date(load_default=None, allow_none=True)
    correction = Boolean(load_default=False, metadata={"description": "mends a slip of digitising; no decision"})


class DraftChange(Schema):
    """What of a draft changes besides its drawing."""

    version = Integer(required=True, validate=_WHOLE, metadata=_VERSION)
    title = String(validate=Length(1, 200))
    reason = String(validate=Length(0, 4000))
    decision_number = String(validate=Length(0, 100))
    attachments = List(String(validate=Length(1, 200)), validate=Length(0, 50))
    effective_from = Date()
    correction = Boolean()
    locked = List(String(validate=_CODE), validate=Length(0, 20_000))


class Operations(Schema):
    """Drawing operations in their order; with `preview` nothing is kept and the answer says what would be."""

    version = Integer(required=True, validate=_WHOLE, metadata=_VERSION)
    operations = List(
        Dict(keys=String(), values=Raw(allow_none=True)), required=True, validate=Length(1, MOST_OPERATIONS)
    )
    preview = Boolean(load_default=False)


class Step(Schema):
    """One step back or forward."""

    version = Integer(required=True, validate=_WHOLE, metadata=_VERSION)


class Transition(Schema):
    """A draft goes to its next state, or back."""

    version = Integer(required=True, validate=_WHOLE, metadata=_VERSION)
    note = String(load_default="", validate=Length(0, 4000))
    verdict = String(load_default=None, allow_none=True, validate=OneOf(VERDICTS))
    role = String(
        load_default=None,
        allow_none=True,
        validate=_CODE,
        metadata={"description": "for which office the review speaks, where several have to"},
    )
    effective_from = Date(load_default=None, allow_none=True)
