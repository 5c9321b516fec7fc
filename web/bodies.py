"""Shapes of the JSON bodies that writes take; they check what comes in and describe it in the API description."""

from apiflask import Schema
from apiflask.fields import Boolean, Date, Dict, Integer, List, Raw, String
from apiflask.validators import Length, OneOf

from layers.kinds import REFERENCE
from layers.rights import ROLES

MODES = ("append", "replace", "update")
DATES = ("auto", "ymd", "mdy", "dmy", "roc")
_NAME = Length(1, 64)


class Options(Schema):
    """How an upload is imported."""

    kind = String(required=True, validate=Length(1, 80), metadata={"description": f"layer kind, or {REFERENCE}:NAME"})
    source_layer = String(load_default=None, allow_none=True, validate=Length(0, 200))
    sheet = String(load_default=None, allow_none=True, validate=Length(0, 100))
    encoding = String(load_default="auto", validate=Length(1, 20))
    crs = String(load_default="auto", validate=Length(1, 20))
    dates = String(load_default="auto", validate=OneOf(DATES))
    mapping = Dict(keys=String(validate=Length(1, 200)), values=String(validate=Length(0, 64)), load_default=dict)
    mode = String(load_default="append", validate=OneOf(MODES))
    as_of = Date(load_default=None, allow_none=True)
    dry_run = Boolean(load_default=False)
    skip_bad = Boolean(load_default=False)
    repair = Boolean(load_default=False)


class Import(Schema):
    """An import to be queued."""

    upload = String(required=True, validate=Length(32, 32))
    options = Raw(required=True, metadata={"type": "object", "description": "see Options"})


class NewAccount(Schema):
    """An account to be made; without a password a one-time one is made and answered once."""

    name = String(required=True, validate=_NAME)
    role = String(required=True, validate=OneOf(list(ROLES)))
    areas = List(String(validate=_NAME), load_default=list, validate=Length(0, 200))
    language = String(load_default="zh", validate=OneOf(["zh", "en"]))
    password = String(load_default=None, allow_none=True, validate=Length(1, 256))


class AccountChange(Schema):
    """What of an account changes; every change ends its sessions."""

    role = String(validate=OneOf(list(ROLES)))
    areas = List(String(validate=_NAME), validate=Length(0, 200))
    disabled = Boolean()
    reset_password = Boolean(metadata={"description": "make a one-time password and answer it once"})
    language = String(validate=OneOf(["zh", "en"]))


class RuleSetBody(Schema):
    """A rule set as in data/rules."""

    name = String(validate=_NAME)
    body = Raw(required=True, metadata={"type": "object"})
    based_on = String(load_default="", validate=Length(0, 64))
    version = Integer(load_default=None, allow_none=True)


class SettingsChange(Schema):
    """Settings by name; null goes back to the default."""

    values = Dict(keys=String(validate=_NAME), values=Raw(allow_none=True), required=True)
