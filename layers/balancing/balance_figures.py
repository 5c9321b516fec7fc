"""How evenly the work lies over the grids of an area on a day, and which to split or merge by the rule set.

Norms and medians are those of the whole layer, so that a grid reads the same in every list; mean, extremes and Gini are
those of the grids shown. Proposals are hints: nothing is changed by them.
"""

from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.blocks import shared_borders
from geo.proposals import HOUSEHOLDS, WORKLOAD, Limits, find_merges, find_splits
from geo.words import Text
from geo.workload import spread

from ..figures import workload
from ..figures.provenance import provenance
from ..figures.rule_body import RuleSet
from ..figures.rules import read_rule_set, workload_of
from ..redrawing import draft_rights
from ..redrawing.parents import require_parent
from ..redrawing.redraw_ground import ground
from ..rights import Viewer
from ..selection.frames import scope
from ..storage.history import day

if TYPE_CHECKING:
    from ..storage.store import Store


def limits_of(rule_set: RuleSet) -> Limits:
    """When a rule set proposes to split and to merge."""
    return Limits(
        split_households=rule_set.number("workload_split_households"),
        split_factor=rule_set.number("workload_split_factor"),
        merge_factor=rule_set.number("workload_merge_factor"),
    )


def figures(
    store: "Store",
    viewer: Viewer,
    *,
    parent_code: str | None = None,
    as_of: Any = None,
    rule_set: str | None = None,
) -> dict[str, Any]:
    """Workload of the grids of a village, township or (None) the whole layer, with proposals; words in both languages.

    Raises
    ------
    RightsError, NotFoundError
        No right, or not an area of the account; no such area on that day.
    """
    viewer.require("redraw")
    on = day(as_of)
    rules = read_rule_set(store, rule_set)
    loads = workload.loads(store, on, rules)
    rows = _rows(store, viewer, parent_code, on, loads)
    frame = loads.frame
    household, index = frame["households"].to_numpy(), frame["index"].to_numpy()
    limits = limits_of(rules)
    splits = [each for each in find_splits(household, index, limits=limits) if rows[each.row]]
    # Only idle grids can be merged: the borders of the others need not be measured.
    known = index[np.isfinite(index)]
    median = float(np.median(known)) if len(known) else float("nan")
    idle = np.flatnonzero(rows & (index < limits.merge_factor * median))
    borders = shared_borders(loads.shapes[idle], min_length_m=rules.number("neighbour_tolerance_m"))
    pairs = zip(idle[borders.left].tolist(), idle[borders.right].tolist(), strict=True)
    merges = find_merges(household, index, frame["village"].to_numpy(dtype=object), pairs, limits=limits)
    codes = frame.index.to_numpy(dtype=object)
    rule = workload_of(rules)
    return {
        "parent_code": parent_code,
        "as_of": on,
        "spread": _numbers(asdict(spread(index[rows]))),
        "median": _number(median),
        "limits": asdict(limits),
        "rows": [_row(str(code), frame.loc[code]) for code in codes[rows]],
        "splits": [
            {"code": codes[each.row], "reasons": [_reason(word, limits).as_dict() for word in each.reasons]}
            for each in splits
        ],
        "merges": [
            {"codes": [codes[row] for row in each.rows], "households": each.households, "index": each.workload}
            for each in merges
        ],
        "label": rule.label.as_dict(),
        "formula": rule.formula.as_dict(),
        "period": {"from": loads.places.first_day, "to": loads.places.last_day},
        "notes": [note.as_dict() for note in loads.notes],
        "provenance": provenance(
            store,
            "geo.workload",
            as_of=on,
            kinds=workload.SOURCES,
            parameters={
                "parent": parent_code,
                "weights": asdict(workload.weights_of(rules)),
                "source": rule.source.as_dict(),
                "source_date": rule.source_date,
            },
            rule_set=rules,
            notes=loads.notes,
        ),
    }


def _rows(store: "Store", viewer: Viewer, parent_code: str | None, on: str, loads: workload.Loads) -> np.ndarray:
    """Which grids are asked for and may be seen."""
    if parent_code is None:
        reach = scope(store, viewer, on)
        return np.array([reach.contains("grid", str(code)) for code in loads.frame.index], dtype=bool)
    parent = require_parent(store, "grid", parent_code, on)
    draft_rights.require_reach(parent, scope(store, viewer, on))
    return loads.frame.index.isin(list(ground(store, "grid", *parent, on).shapes))


def _row(code: str, row: Any) -> dict[str, Any]:
    return {
        "code": code,
        "name": row["name"] or "",
        "village": row["village"] or "",
        **{name: _number(row[name]) for name in (*workload.FIGURES, "index")},
    }


def _number(value: float) -> float | None:
    """A finite number with four decimals; None for what is not known."""
    return round(float(value), 4) if isfinite(value) else None


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in values.items()}


def _reason(word: str, limits: Limits) -> Text:
    return {
        HOUSEHOLDS: Text(f"户数超过 {limits.split_households:g}", f"more than {limits.split_households:g} households"),
        WORKLOAD: Text(
            f"工作量超过中位数的 {limits.split_factor:g} 倍",
            f"workload above {limits.split_factor:g} times the median",
        ),
    }[word]
