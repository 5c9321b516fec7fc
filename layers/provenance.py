"""Where a figure comes from: written beside every derived layer, on screen, in tables and in exports."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from geo.words import Text

from . import schema
from .boundary_modes import Boundaries
from .rule_body import Rule, RuleSet

if TYPE_CHECKING:
    from .store import Store

Provenance = dict[str, Any]
"""made_at, as_of, function, parameters, boundaries, rule_set, rule, layers, notes, product; ready to be written as JSON."""


def product() -> str:
    """Name and version of the program that made the figure."""
    return f"wangge {version('wangge')}"


def layer_sources(store: "Store", kinds: Iterable[str]) -> list[dict[str, Any]]:
    """Version, rows and origin of layers, in the order given; version 0 and nulls for a layer that has no rows."""
    table = schema.layer_version
    with store.read() as connection:
        known = {row["kind"]: row for row in connection.execute(select(table)).mappings()}
    listed = []
    for kind in dict.fromkeys(kinds):
        row = known.get(kind)
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
        "notes": [note.as_dict() for note in dict.fromkeys([*_counted_in(boundaries), *notes])],
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


def _counted_in(boundaries: Boundaries | None) -> list[Text]:
    if boundaries is None:
        return []
    words = boundaries.words()
    return [Text(f"边界口径：{words.zh}。", f"Counted in: {words.en}.")]
