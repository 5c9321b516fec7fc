"""Where a figure comes from: written beside every derived layer, on screen, in tables and in exports."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from geo.words import Text

from ..storage import known, schema
from ..storage.history import clock
from .boundary_modes import Boundaries
from .rule_body import Rule, RuleSet

if TYPE_CHECKING:
    from ..storage.store import Store

Provenance = dict[str, Any]
"""made_at, as_of, known_on (a moment looked back to, or None), function, parameters, boundaries, rule_set, rule, layers, notes, product; ready to be written as JSON."""


def product() -> str:
    """Name and version of the program that made the figure."""
    return f"wangge {version('wangge')}"


def layer_sources(store: "Store", kinds: Iterable[str]) -> list[dict[str, Any]]:
    """Version, rows and origin of layers, in the order given; version 0 and nulls for a layer that has no rows."""
    wanted = list(dict.fromkeys(kinds))
    table = schema.layer_version
    found: Mapping[str, Mapping[Any, Any]]
    with store.read() as connection:
        if store.known_on is None:
            found = {row["kind"]: row for row in connection.execute(select(table)).mappings()}
        else:
            found = _sources_then(connection, wanted, store.known_on)
    listed = []
    for kind in wanted:
        row = found.get(kind)
        listed.append(
            {
                "kind": kind,
                "version": row["version"] if row else 0,
                "rows": row["row_total"] if row else 0,
                "source": row["source"] if row else None,
                "imported_at": row["imported_at"] if row else None,
            }
        )
    return listed


def _sources_then(connection: Connection, kinds: list[str], known_on: str) -> dict[str, dict[str, Any]]:
    """Version, rows and origin of layers as the audit trail tells them of a moment, latest act first."""
    table = schema.audit
    query = (
        select(table.c.at, table.c.details)
        .where(table.c.at <= known_on, table.c.details.contains('"versions"', autoescape=True))
        .order_by(table.c.id.desc())
    )
    found: dict[str, dict[str, Any]] = {}
    for at, text in connection.execute(query):
        told = json.loads(text)
        for kind, version_ in told.get("versions", {}).items():
            row = found.setdefault(
                kind, {"version": version_, "row_total": told["totals"].get(kind), "source": None, "imported_at": None}
            )
            if row["source"] is None and told.get("source") is not None:
                row |= {"source": told["source"], "imported_at": at}
        if all(kind in found and found[kind]["source"] is not None for kind in kinds):
            break
    return found


def provenance(
    store: "Store",
    function: str,
    *,
    as_of: str,
    kinds: Iterable[str],
    parameters: Mapping[str, Any],
    rule_set: RuleSet,
    rule: Rule | None = None,
    boundaries: Boundaries | None = None,
    notes: Iterable[Text] = (),
) -> Provenance:
    """The provenance of a derived layer.

    Parameters
    ----------
    function
        What made it, as a dotted name.
    kinds
        Layers that went in.
    parameters
        Everything else that shapes the result.
    boundaries
        In whose boundaries it was counted; it is the first of the notes too.
    notes
        What a reader must know to read the figure rightly, in both languages.
    """
    made: Provenance = {
        "made_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "as_of": as_of,
        "known_on": store.known_on,
        "function": function,
        "parameters": dict(parameters),
        "boundaries": None if boundaries is None else boundaries.as_dict(),
        "rule_set": {
            "name": rule_set.name,
            "label": rule_set.label.as_dict(),
            "source": rule_set.source.as_dict(),
            "date": rule_set.source_date,
            "shipped": rule_set.shipped,
            "version": rule_set.version,
        },
        "layers": layer_sources(store, kinds),
        "notes": [
            note.as_dict() for note in dict.fromkeys([*_looked_back(store, rule_set), *_counted_in(boundaries), *notes])
        ],
        "product": product(),
    }
    if rule is not None:
        made["rule"] = {
            "id": rule.id,
            "source": rule.source.as_dict(),
            "date": rule.source_date,
            "formula": rule.formula.as_dict(),
        }
    return made


def _looked_back(store: "Store", rule_set: RuleSet) -> list[Text]:
    if store.known_on is None:
        return []
    notes = [known.note(store.known_on)]
    if rule_set.changed_at and rule_set.changed_at > store.known_on:
        changed = clock(rule_set.changed_at)
        notes.append(
            Text(
                f"规则集在 {changed} 又有修改；此处按现行规则集计算。",
                f"The rule set was changed on {changed}; the figure is by the rule set of now.",
            )
        )
    return notes


def _counted_in(boundaries: Boundaries | None) -> list[Text]:
    if boundaries is None:
        return []
    words = boundaries.words()
    return [Text(f"边界口径：{words.zh}。", f"Counted in: {words.en}.")]
