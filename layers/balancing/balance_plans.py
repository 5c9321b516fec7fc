"""A suggestion for evener grids as JSON: a curve of plans with figures, each with the operations that draw it.

Every point was drawn, in a session that is thrown away, before it is shown: what it says is what the draft will carry,
and a point that would be refused is not offered.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo import balance_fresh
from geo.balance import Plan, deviation, suggest, yardstick
from geo.balance_steps import Step
from geo.blocks import Blocks, make_blocks, shared_borders
from geo.refusals import RefusedError
from geo.words import Text
from geo.workload import spread

from ..figures import workload
from ..figures.provenance import provenance
from ..figures.rules import workload_of
from ..redrawing.redraw_ground import to_lonlat
from .balance import STEPS_PER_BLOCK, Work
from .balance_blocks import CELL, NATURAL

if TYPE_CHECKING:
    from ..storage.store import Store


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
    curve = drawn.curve(plans)
    notes = list(work.notes)
    if drawn.refused:
        notes.append(
            Text(
                f"另有 {drawn.refused} 个方案画不出来（边界规则不允许），未列出。",
                f"{drawn.refused} further plans cannot be drawn by the rules of boundaries and are not listed.",
            )
        )
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
        "curve": curve,
        "yardstick": None if fresh is None else drawn.yardstick(fresh),
        "notes": [note.as_dict() for note in notes],
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
            notes=notes,
        ),
    }


class _Drawn:
    """Plans as they come out when they are drawn, with figures and operations."""

    def __init__(self, work: Work, blocks: Blocks, area: np.ndarray) -> None:
        self.work, self.blocks, self.area = work, blocks, area
        self.codes, self.shapes = work.land.codes, work.blocks.shapes
        self.before = np.bincount(blocks.grid, weights=blocks.load, minlength=blocks.grids)
        self.tree = shapely.STRtree(self.shapes)
        self.today = np.array([work.land.shapes[code] for code in self.codes], dtype=object)
        self.form = _form(self.today)
        self.refused = 0

    def curve(self, plans: list[Plan]) -> list[dict[str, Any]]:
        """The points that can be drawn, each better than the one before; the first moves nothing. `refused` counts the
        others."""
        chosen: list[dict[str, Any]] = []
        for plan in plans:
            point = self.point(plan)
            if point is None:
                self.refused += 1
            elif not chosen or _rank(point) < _rank(chosen[-1]):
                chosen.append({"point": len(chosen), **point})
        return chosen

    def point(self, plan: Plan) -> dict[str, Any] | None:
        """A plan drawn by its operations; None when one of them is refused."""
        operations = [self._operation(step) for step in plan.steps]
        session = self.work.session
        standing = len(session.steps)
        try:
            for operation in operations:
                session.perform(operation, locked=self.work.locked)
            shapes = np.array([session.shape(code) for code in self.codes], dtype=object)
        except RefusedError:
            return None
        finally:
            session.rewind(standing)
        load, form = self.before.copy(), [each.copy() for each in self.form]
        changed = np.flatnonzero([now is not then for now, then in zip(shapes, self.today, strict=True)])
        if len(changed):
            load[changed] = self._load(shapes[changed])
            for old, new in zip(form, _form(shapes[changed]), strict=True):
                old[changed] = new
        return {
            **self.figures(plan, load, *form),
            "grids_changed": len(changed),
            "rows": [
                {"code": self.codes[row], "before": float(self.before[row]), "after": float(load[row])}
                for row in changed.tolist()
            ],
            "operations": operations,
        }

    def figures(self, plan: Plan, load: np.ndarray, compact: np.ndarray, across: np.ndarray) -> dict[str, Any]:
        """What a plan moves, how even it is with these loads, and how compact."""
        moved = plan.grid != self.blocks.grid
        over, under = deviation(load, plan.mean)
        even = spread(load)
        return {
            "moved": plan.moved,
            "moved_share": plan.moved / len(self.blocks),
            "area_m2": round(float(self.area[moved].sum()), 1),
            "households": round(float(self.work.households[moved].sum())),
            "over": over,
            "under": under,
            "worst": max(over, -under),
            "mean": even.mean,
            "max_over_mean": even.max_over_mean,
            "variation": even.variation,
            "gini": even.gini,
            "compactness": float(compact.mean()),
            "longest_m": round(float(across.max()), 1),
        }

    def yardstick(self, plan: Plan) -> dict[str, Any]:
        """Figures of a plan that is not drawn: its grids are put together from blocks."""
        shapes = [shapely.coverage_union_all(self.shapes[plan.grid == row]) for row in range(self.blocks.grids)]
        return self.figures(plan, plan.load, *_form(np.array(shapes, dtype=object)))

    def _operation(self, step: Step) -> dict[str, Any]:
        piece = shapely.coverage_union_all(self.shapes[list(step.blocks)])
        drawn = to_lonlat(np.array([piece], dtype=object), self.work.land.crs)[0]
        return {
            "op": "transfer",
            "from": self.codes[step.source],
            "to": self.codes[step.target],
            "piece": json.loads(json.dumps(shapely.geometry.mapping(drawn))),  # lists, as they come over the wire
        }

    def _load(self, shapes: np.ndarray) -> np.ndarray:
        """Load of grids as drawn: of each block the share of its land. Drawing may put the end of a border elsewhere on
        the outline of the village, which never gains a corner."""
        grid, block = self.tree.query(shapes, predicate="intersects")
        part = shapely.area(shapely.intersection(shapes[grid], self.shapes[block])) / self.area[block]
        return np.bincount(grid, weights=part * self.blocks.load[block], minlength=len(shapes))


def _rank(point: dict[str, Any]) -> tuple[float, float]:
    return round(point["worst"], 6), round(point["variation"], 6)


def _form(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compactness (4 pi area / perimeter squared: 1 a circle) and the way across (metres) of each shape.

    Notes
    -----
    Polsby and Popper 1991, "The third criterion", Yale Law & Policy Review 9(2).
    """
    compact = 4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2
    return compact, 2 * shapely.minimum_bounding_radius(shapes)
