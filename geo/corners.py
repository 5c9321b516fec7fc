"""A corner where borders meet is moved; every border that ends there follows.

Modelling decision: the vertex is the same whole-centimetre point in all grids around it, so it is replaced in all of them
at once and nothing needs to be cut anew. The result has to pass the same conditions as any other edit.
"""

import numpy as np
import shapely

from .partition import Partition
from .reassign import Move, Settled, require_fit
from .refusals import RefusedError
from .words import Text


def moved_corner(partition: Partition, step: shapely.Geometry, *, reach_m: float) -> Settled:
    """The corner nearest to the start of the line `step` (within `reach_m`) moved to its end.

    Raises `no_corner`, `outside_parent` for a corner of the outline or a place outside it, `locked`, and `self_crossing`
    when a border would run across another.
    """
    at, to = shapely.get_coordinates(step)
    corner = _nearest_corner(partition, at, reach_m)
    where = shapely.points(corner)
    if (corner == to).all():
        raise RefusedError("no_change", where)
    if len(partition.outline_tree.query(where, predicate="dwithin", distance=1e-6)):
        raise RefusedError("outside_parent", where)
    around = [code for code in partition.near(where, 1e-6) if _has(partition.shapes[code], corner)]
    if not shapely.intersects_xy(partition.outline, *to):
        raise RefusedError("outside_parent", step)
    held = sorted(set(around) & partition.locked)
    if held:
        raise RefusedError("locked", where, codes=held)
    shapes: dict[str, shapely.Geometry | None] = {}
    for code in around:
        shape = shapely.transform(
            partition.shapes[code], lambda xy: np.where((xy == corner).all(axis=1)[:, None], to, xy)
        )
        if not shape.is_valid:
            raise _crossing(step, [code])
        shapes[code] = shape
    swept = shapely.union_all([shapely.symmetric_difference(partition.shapes[code], shapes[code]) for code in around])
    beside = sorted({*partition.near(swept), *around})
    try:
        require_fit(partition, beside, shapes, step)
    except RefusedError:
        raise _crossing(step, beside) from None
    return Settled(shapes, _moves(partition, shapes))


def _nearest_corner(partition: Partition, at: np.ndarray, reach_m: float) -> np.ndarray:
    close = partition.near(shapely.points(at), reach_m)
    vertices = shapely.get_coordinates([partition.shapes[code] for code in close])
    away = np.hypot(*(vertices - at).T)
    if not len(away) or away.min() > reach_m:
        raise RefusedError("no_corner", shapely.points(at))
    return vertices[away.argmin()]


def _has(shape: shapely.Geometry, corner: np.ndarray) -> bool:
    return bool((shapely.get_coordinates(shape) == corner).all(axis=1).any())


def _moves(partition: Partition, shapes: dict[str, shapely.Geometry | None]) -> tuple[Move, ...]:
    moves = []
    for target, shape in shapes.items():
        for source in shapes:
            if source != target:
                common = shapely.intersection(partition.shapes[source], shape)
                land = [part for part in shapely.get_parts(common) if part.geom_type == "Polygon"]
                moves += [Move(source, target, part, float(part.area)) for part in land if part.area > 1e-3]
    return tuple(moves)


def _crossing(step: shapely.Geometry, codes: list[str]) -> RefusedError:
    return RefusedError(
        "self_crossing",
        step,
        codes=codes,
        what=Text("移到那里，边界会与别的边界相交。", "Moved there, a border would cross another."),
        mend=Text("请移得近一些，或用“推移边界”。", "Move it less far, or push the border instead."),
    )
