"""Border lines over the API: derive them for a day, this year's joint inspections, and what an inspection found."""

from datetime import date
from typing import Any

from apiflask import APIBlueprint, Schema
from apiflask.fields import Date, String
from apiflask.validators import Length, OneOf
from flask import Response

from layers.kinds import KINDS
from layers.places import borders, inspections

from . import again, current, description, etags
from .language import language
from .parameters import takes

blueprint = APIBlueprint("borders", __name__, tag="redraw")
_STATES = [value for value, _ in KINDS["inspection"].field("state").choices]


class DeriveBorders(Schema):
    """The day whose areas have borders; today when absent."""

    on = Date(load_default=None, allow_none=True)


class Inspection(Schema):
    """What a joint inspection found; of a photo the file's name only."""

    line_number = String(required=True, validate=Length(1, 20))
    inspected_on = Date(required=True)
    units = String(load_default="", validate=Length(0, 200))
    state = String(load_default="sound", validate=OneOf(_STATES))
    note = String(load_default="", validate=Length(0, 500))
    photo = String(load_default="", validate=Length(0, 120))


def _answer(body: Any, status: int = 200) -> Response:
    response = Response(etags.to_json(body), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/api/v1/borders/derive")
@blueprint.input(DeriveBorders, arg_name="body")
@blueprint.doc(summary="Derive border lines, tri-junctions and markers from the townships and villages of a day")
def derive(body: dict[str, Any]) -> Response:
    """Rows kept, new and ended of each layer; `change` is null when nothing differed."""
    on: date | None = body["on"]
    found = borders.derive(current.store(), current.viewer(), on=on or current.today(), key=again.key_of_request())
    return _answer(found)


@blueprint.get("/api/v1/borders/inspections")
@blueprint.doc(summary="Lines whose joint inspection is due in a year, and those inspected in it")
@takes("year")
def due(year: int | None) -> Response:
    """Number, areas, length, last inspection, why it is due, and what was found when it is done."""
    found = inspections.inspection_list(current.store(), current.viewer(), year or current.today().year)
    return _answer(found.as_dict(language()))


@blueprint.post("/api/v1/borders/inspections")
@blueprint.input(Inspection, arg_name="body")
@blueprint.doc(summary="Keep what a joint inspection found", responses=description.MADE)
def record(body: dict[str, Any]) -> Response:
    """The number of the change; the same Idempotency-Key records once."""
    made = inspections.record(current.store(), current.viewer(), key=again.key_of_request(), **body)
    return _answer(made, 201)
