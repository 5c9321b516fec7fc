"""Rule sets: reading them, saving a copy, changing and removing one's own."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify

from geo.errors import InputError, NotFoundError
from geo.words import Text
from layers.figures import rules
from layers.figures.rule_body import RuleSet

from . import bodies, current, description
from .language import language

blueprint = APIBlueprint("rule_sets", __name__, tag="rules")


def described(rule_set: RuleSet, *, whole: bool = True) -> dict[str, Any]:
    """A rule set in the reader's language, with the body a copy starts from."""
    code = language()
    facts: dict[str, Any] = {
        "name": rule_set.name,
        "label": rule_set.label.to(code),
        "source": rule_set.source.to(code),
        "source_date": rule_set.source_date,
        "valid_from": rule_set.valid_from,
        "shipped": rule_set.shipped,
        "version": rule_set.version,
        "based_on": rule_set.based_on,
        "changed_by": rule_set.changed_by,
        "changed_at": rule_set.changed_at,
        "rules": [rule.as_dict(code) for rule in rule_set.rules],
    }
    return facts | {"body": rule_set.body} if whole else facts


@blueprint.get("/api/v1/rules")
@blueprint.doc(summary="All rule sets with their rules")
def list_rules() -> Response:
    """Shipped ones first, then the planners' copies; `current` is the one figures use unless another is named."""
    chosen = rules.read_rule_set(current.store())
    response = jsonify(
        current=chosen.name, rule_sets=[described(each) for each in rules.list_rule_sets(current.store())]
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.post("/api/v1/rules")
@blueprint.input(bodies.RuleSetBody, arg_name="body")
@blueprint.doc(summary="Save a rule set under a new name", responses=description.MADE)
def add_rules(body: dict[str, Any]) -> tuple[Response, int]:
    """409 when the name is taken."""
    name = body.get("name") or ""
    if not name:
        raise InputError(Text("请给规则集取一个名称。", "Give the rule set a name."), where="name")
    # Version 0 is that of a set which does not exist yet.
    return jsonify(_save(name, body, 0)), 201


@blueprint.put("/api/v1/rules/<name>")
@blueprint.input(bodies.RuleSetBody, arg_name="body")
@blueprint.doc(summary="Change a rule set; `version` is the one the change was made on")
def change_rules(name: str, body: dict[str, Any]) -> Response:
    """409 when somebody else saved in between."""
    if rules.read_rule_set(current.store(), name).shipped is False and body["version"] is None:
        raise InputError(Text("缺少 version。", "The version is missing."), where="version")
    return jsonify(_save(name, body, body["version"]))


def _save(name: str, body: dict[str, Any], version: int | None) -> dict[str, Any]:
    if not isinstance(body["body"], dict):
        raise InputError(Text("规则集应为 JSON 对象。", "A rule set is a JSON object."), where="body")
    saved = rules.save_rule_set(
        current.store(), current.viewer(), name, body["body"], based_on=body["based_on"], version=version
    )
    return described(saved)


@blueprint.delete("/api/v1/rules/<name>")
@blueprint.doc(summary="Remove a rule set of one's own")
def remove_rules(name: str) -> tuple[str, int]:
    """Shipped sets cannot be removed."""
    if not name:
        raise NotFoundError(Text("没有这个规则集。", "There is no such rule set."))
    rules.delete_rule_set(current.store(), current.viewer(), name)
    return "", 204
