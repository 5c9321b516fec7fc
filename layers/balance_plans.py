"""A suggestion for evener grids as JSON: a curve of plans with figures, each with the operations that draw it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo import balance_fresh
from geo.balance import Plan, suggest, yardstick
from geo.blocks import Blocks, make_blocks, shared_borders
from geo.workload import spread

from . import workload
from .balance import STEPS_PER_BLOCK, Work
from .balance_blocks import CELL, NATURAL
from .provenance import provenance
from .redraw_ground import to_lonlat
from .rules import workload_of

if TYPE_CHECKING:
    from .store import Store


def suggestion(
    store: "Store",
    work: Work,
    *,
    progress: Callable[[float], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """The curve for what was prepared, as JSON with words in both languages; `geo.balance.Stopped` when told to stop."""
    land, rule = work.land, workload_of(work.rules)
    area = shapely.area(work.blocks.shapes)
    load = work.loads.scale.index(work.households, work.incidents, area, work.key_places)
    borders = shared_borders(
        work.blocks.shapes,
        min_length_m=work.rules.number("neighbour_tolerance_m"),
        barriers=work.blocks.barriers,
        barrier_width_m=rule.barrier_width_m,
        barrier_share=rule.barrier_share,
    )
    blocks = make_blocks(load, work.blocks.grid, [land.village[code] for code in land.codes], borders)
    row = {code: number for number, code in enumerate(land.codes)}
    locked = frozenset(row[code] for code in work.locked)
    plans = suggest(
        blocks,
        locked=locked,
        seed=work.asked.seed,
        steps_per_block=STEPS_PER_BLOCK[work.asked.effort],
        progress=progress,
        stop=stop,
    )
    drawn = _Drawn(work, blocks, area)
    fresh = None
    if work.asked.effort == "thorough" and balance_fresh.available():
        fresh = yardstick(blocks, locked=locked, seed=work.asked.seed)
    parameters = {
        "parent": work.parent[1], "draft": work.draft.id if work.draft else None, "blocks": work.blocks.source,
        "locked": list(work.locked), "seed": work.asked.seed, "effort": work.asked.effort,
        "barriers": work.blocks.barriers is not None,
    }  # fmt: skip
    return {
        "parent_kind": work.parent[0],
        "parent_code": work.parent[1],
        "as_of": land.on,
        "draft": work.draft.id if work.draft else None,
        "version": work.draft.version if work.draft else None,
        "blocks": {
            "source": work.blocks.source,
            "label": work.blocks.label.as_dict(),
            "count": len(work),
            "households_estimated": work.estimated,
        },
        "grids": len(land.codes),
        "locked": list(work.locked),
        "curve": [drawn.point(number, plan) for number, plan in enumerate(plans)],
        "yardstick": None if fresh is None else drawn.figures(fresh),
        "notes": [note.as_dict() for note in work.notes],
        "provenance": provenance(
            store,
            "geo.balance.suggest",
            as_of=land.on,
            kinds=[
                *workload.SOURCES,
                *([] if work.blocks.source in (CELL, NATURAL) else [work.blocks.source]),
            ],
            parameters=parameters,
            rule_set=work.rules,
            notes=work.notes,
        ),
    }


class _Drawn:
    """Plans as figures and drawing operations."""

    def __init__(self, work: Work, blocks: Blocks, area: np.ndarray) -> None:
        self.work, self.blocks, self.area = work, blocks, area
        self.land = work.land
        shapes = np.array([self.land.shapes[code] for code in self.land.codes], dtype=object)
        self.compact, self.across = _form(shapes)
        self.before = np.bincount(blocks.grid, weights=blocks.load, minlength=blocks.grids)

    def figures(self, plan: Plan) -> dict[str, Any]:
        """What a plan moves, how even it is and how compact its grids are."""
        moved = plan.grid != self.blocks.grid
        touched = np.union1d(plan.grid[moved], self.blocks.grid[moved])
        compact, across = self.compact.copy(), self.across.copy()
        if len(touched):
            shapes = [shapely.coverage_union_all(self.work.blocks.shapes[plan.grid == grid]) for grid in touched]
            compact[touched], across[touched] = _form(np.array(shapes, dtype=object))
        even = spread(plan.load)
        return {
            "moved": plan.moved,
            "moved_share": plan.moved / len(self.blocks),
            "area_m2": round(float(self.area[moved].sum()), 1),
            "households": round(float(self.work.households[moved].sum())),
            "grids_changed": len(touched),
            "over": plan.over,
            "under": plan.under,
            "worst": plan.worst,
            "mean": even.mean,
            "max_over_mean": even.max_over_mean,
            "variation": even.variation,
            "gini": even.gini,
            "compactness": float(compact.mean()),
            "longest_m": round(float(across.max()), 1),
        }

    def point(self, number: int, plan: Plan) -> dict[str, Any]:
        """A point of the curve with its operations and the grids it changes."""
        found = self.figures(plan)
        codes = self.land.codes
        operations = []
        for step in plan.steps:
            piece = shapely.coverage_union_all(self.work.blocks.shapes[list(step.blocks)])
            drawn = to_lonlat(np.array([piece], dtype=object), self.land.crs)[0]
            operations.append(
                {
                    "op": "transfer",
                    "from": codes[step.source],
                    "to": codes[step.target],
                    "piece": shapely.geometry.mapping(drawn),
                }
            )
        changed = np.flatnonzero(~np.isclose(plan.load, self.before))
        return {
            "point": number,
            **found,
            "rows": [
                {"code": codes[grid], "before": float(self.before[grid]), "after": float(plan.load[grid])}
                for grid in changed.tolist()
            ],
            "operations": operations,
        }


def _form(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compactness (4 pi area / perimeter squared: 1 a circle) and the way across (metres) of each shape.

    Notes
    -----
    Polsby and Popper 1991, "The third criterion", Yale Law & Policy Review 9(2).
    """
    compact = 4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2
    return compact, 2 * shapely.minimum_bounding_radius(shapes)
