"""Rule sets: which standard a county is held to, as data with a source and a date.

Shipped sets are files in `data/rules/`; copies that planners change are rows of the store's table `rule_set`. Both have
the same body (`rule_body`), and a figure carries the name and date of the set that made it. A shipped set is never
changed: save a copy under another name.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping, delete, insert, select, update

from geo.errors import ConflictError, InputError, NotFoundError
from geo.words import Text

from ..rights import Viewer
from ..storage import schema
from .rule_body import Rule, RuleSet, WorkloadRule
from .rule_check import parse

if TYPE_CHECKING:
    from ..storage.store import Store

DEFAULT = "sample-2025"


def rule(rule_set: RuleSet, rule_id: str) -> Rule:
    """The rule called `rule_id` of a set."""
    return rule_set.rule(rule_id)


def workload_of(rule_set: RuleSet) -> WorkloadRule:
    """What the workload is made of; a copy made before this was part of a rule set has it from the shipped one."""
    found = rule_set.workload or shipped()[DEFAULT].workload
    assert found is not None  # the shipped set has one
    return found


@lru_cache(maxsize=1)
def shipped() -> dict[str, RuleSet]:
    """The rule sets that come with wangge, by name."""
    found = {}
    for entry in sorted(files("data").joinpath("rules").iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".json"):
            parsed = parse(json.loads(entry.read_text(encoding="utf-8")), shipped=True)
            found[parsed.name] = parsed
    return found


def list_rule_sets(store: "Store") -> list[RuleSet]:
    """All rule sets: shipped ones first, then the planners' copies by name."""
    with store.read() as connection:
        rows = connection.execute(select(schema.rule_set).order_by(schema.rule_set.c.name)).mappings().all()
    return [*shipped().values(), *(_from_row(row) for row in rows)]


def read_rule_set(store: "Store", name: str | None = None) -> RuleSet:
    """The rule set called `name`, or the one the store was made with (`init --rules`) when no name is given.

    Raises
    ------
    NotFoundError
        When there is no such set.
    """
    if name is None:
        name = str(store.settings.get("rule_set") or DEFAULT)
    if name in shipped():
        return shipped()[name]
    with store.read() as connection:
        row = connection.execute(select(schema.rule_set).where(schema.rule_set.c.name == name)).mappings().first()
    if row is None:
        raise NotFoundError(
            Text(f"没有名为“{name[:64]}”的规则集。", f"There is no rule set called '{name[:64]}'."),
            where="rule_set",
            mend=Text("请在规则集列表中选择。", "Choose one from the list of rule sets."),
        )
    return _from_row(row)


def save_rule_set(
    store: "Store",
    viewer: Viewer,
    name: str,
    body: Mapping[str, Any],
    *,
    based_on: str = "",
    version: int | None = None,
) -> RuleSet:
    """Store a planner's rule set under `name`, new or in place of the older one.

    Parameters
    ----------
    body
        As in `data/rules/*.json`; its name is replaced by `name`.
    based_on
        The set it was copied from.
    version
        The version the change was made on; when the stored one has moved on, nothing is saved.

    Raises
    ------
    RightsError, InputError, ConflictError
        No right to edit rules; a body that is no rule set, or a name of a shipped set; somebody else saved first.
    """
    viewer.require("edit_rules")
    _require_own_name(name)
    parsed = parse({**body, "name": name}, shipped=False)
    text = json.dumps(parsed.body, ensure_ascii=False, sort_keys=True)
    table = schema.rule_set
    with store.change(viewer.name, "save_rule_set", details={"rule_set": name, "based_on": based_on}) as change:
        now = change.connection.execute(select(table.c.version).where(table.c.name == name)).scalar()
        if version is not None and (now or 0) != version:
            raise ConflictError(
                Text(f"规则集“{name}”已被他人修改。", f"Rule set '{name}' was changed by somebody else."),
                where="rule_set",
                mend=Text("请重新打开后再修改。", "Open it again and repeat the change."),
            )
        values = {"body": text, "based_on": based_on, "changed_by": viewer.name, "changed_at": schema.now()}
        if now is None:
            change.connection.execute(insert(table).values(name=name, version=1, **values))
        else:
            change.connection.execute(update(table).where(table.c.name == name).values(version=now + 1, **values))
    return read_rule_set(store, name)


def delete_rule_set(store: "Store", viewer: Viewer, name: str) -> None:
    """Remove a planner's rule set; shipped sets cannot be removed."""
    viewer.require("edit_rules")
    _require_own_name(name)
    read_rule_set(store, name)
    with store.change(viewer.name, "delete_rule_set", details={"rule_set": name}) as change:
        change.connection.execute(delete(schema.rule_set).where(schema.rule_set.c.name == name))


def _from_row(row: RowMapping) -> RuleSet:
    return parse(
        json.loads(row["body"]),
        shipped=False,
        version=int(row["version"]),
        based_on=row["based_on"] or "",
        changed_by=row["changed_by"],
        changed_at=str(row["changed_at"]),
    )


def _require_own_name(name: str) -> None:
    if name in shipped():
        raise InputError(
            Text(f"“{name}”是出厂规则集，不能修改。", f"'{name}' is a shipped rule set and cannot be changed."),
            where="rule_set",
            mend=Text("请另存为其他名称。", "Save it under another name."),
        )
