"""Claims on land, made fit to be settled: cut to the grid that holds the land, without the wobble of the hand, ended
where a border may end.

Modelling decisions:

- A piece is what the claim and its present grid have in common; parts thinner than `min_width_m` stay where they are.
- The outline and the borders of locked grids never gain a vertex. Where a piece ends on one between two vertices, it
  ends at the nearer of the two; how far that is, is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from .centimetres import Edges
from .crs import CENTIMETRE
from .partition import Partition
from .patch import REACH_M
from .refusals import RefusedError
from .words import Text

_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Claim:
    """Land of the grid `source` that is to go to `target`.

    `piece` may reach over the borders of `source`; None is the whole grid, which then ends. `target` None means the
    neighbour with the longest border to the piece. A target that is not in the partition begins.
    """

    source: str
    target: str | None
    piece: shapely.Geometry | None = None


def cut_claims(partition: Partition, claims: Sequence[Claim], *, min_width_m: float) -> tuple[list[Claim], float]:
    """The claims with their pieces cut to the source, thin ones dropped, ends on fixed borders moved to a vertex."""
    kept, furthest = [], 0.0
    for claim in claims:
        source = partition.shapes[claim.source]
        if claim.piece is None:
            _require_unlocked(partition, claim, source)
            kept.append(claim)
            continue
        piece = wide_parts(_common(claim.piece, source), min_width_m)
        if piece is not None:
            _require_unlocked(partition, claim, piece)
        for _ in range(_ROUNDS):
            if piece is None:
                break
            piece, moved_m = _ended_on_vertices(partition, piece)
            if moved_m == 0.0:
                kept.append(Claim(claim.source, claim.target, piece))
                break
            furthest = max(furthest, moved_m)
            # The end that moved may have drawn the line across something else.
            piece = wide_parts(_common(piece, source), min_width_m)
        else:
            raise no_vertex_near(claim.piece, [claim.source])
    if not kept:
        drawn = [claim for claim in claims if claim.piece is not None]
        if furthest > 0:
            raise no_vertex_near(drawn[0].piece, [drawn[0].source])
        raise RefusedError("no_change", shapely.union_all([claim.piece for claim in drawn]) if drawn else None)
    return kept, furthest


def _require_unlocked(partition: Partition, claim: Claim, piece: shapely.Geometry) -> None:
    held = sorted({claim.source, claim.target or ""} & partition.locked)
    if held:
        raise RefusedError("locked", piece, codes=held)


def no_vertex_near(piece: shapely.Geometry | None, codes: Sequence[str]) -> RefusedError:
    """Nothing is left of a drawing whose ends had to move to existing vertices of the outline."""
    return RefusedError(
        "outside_parent",
        piece,
        codes=codes,
        what=Text(
            "村界（或锁定网格的边界）在这里没有拐点，新边界接不上。",
            "The outline, or a locked border, has no corner here for a new border to end at.",
        ),
        mend=Text("请把线的两端画到村界已有的拐点上。", "End the line at existing corners of the outline."),
    )


def _common(piece: shapely.Geometry, source: shapely.Geometry) -> shapely.Geometry:
    """What a piece and a grid have in common, on the centimetre where GEOS can."""
    try:
        return shapely.intersection(piece, source, grid_size=CENTIMETRE)
    except shapely.errors.GEOSException:
        # Rounding as it cuts, it sometimes loses an edge ("Ring edge missing"). The patch rounds again anyway.
        return shapely.intersection(piece, source)


def wide_parts(shape: shapely.Geometry, min_width_m: float) -> shapely.Geometry | None:
    """The polygons of `shape` that are not thinner than `min_width_m` throughout; None when there are none."""
    parts = shapely.get_parts(shape)
    parts = parts[shapely.get_type_id(parts) == 3]
    wide = parts[at_least_as_wide(parts, min_width_m)]
    if not len(wide):
        return None
    return wide[0] if len(wide) == 1 else shapely.multipolygons(wide)


def at_least_as_wide(polygons: np.ndarray, width_m: float) -> np.ndarray:
    """Which polygons hold a disc of the diameter `width_m`, so that eroding them by half of it leaves something."""
    area, half = shapely.area(polygons), width_m / 2
    # Every point is within the inradius of the border, so the inradius is at least area / perimeter; and land that is
    # smaller than the disc cannot hold it. Only what lies between has to be eroded.
    wide = area > half * shapely.length(polygons)
    unsure = ~wide & (area >= np.pi * half**2)
    wide[unsure] = ~shapely.is_empty(shapely.buffer(polygons[unsure], -half, quad_segs=1))
    return wide


def _ended_on_vertices(partition: Partition, piece: shapely.Geometry) -> tuple[shapely.Geometry, float]:
    """`piece` with the vertices that lie on fixed borders moved to the nearer end of the edge they lie on."""
    fixed = partition.outline_edges[partition.outline_tree.query(piece, predicate="dwithin", distance=REACH_M)]
    held = [code for code in partition.near(piece, REACH_M) if code in partition.locked]
    if held:
        edges = Edges.of([partition.shapes[code] for code in held]).lines()
        fixed = np.concatenate([fixed, edges[shapely.dwithin(piece, edges, REACH_M)]])
    if not len(fixed):
        return piece, 0.0
    coordinates = shapely.get_coordinates(piece)
    point, edge = shapely.STRtree(fixed).query_nearest(
        shapely.points(coordinates), max_distance=REACH_M, all_matches=False
    )
    if not len(point):
        return piece, 0.0
    ends = shapely.get_coordinates(fixed[edge]).reshape(-1, 2, 2)
    away = np.hypot(*(ends - coordinates[point][:, None]).transpose(2, 0, 1))
    nearer = ends[np.arange(len(ends)), away.argmin(axis=1)]
    moved_m = float(away.min(axis=1).max())
    if moved_m == 0.0:
        return piece, 0.0
    coordinates[point] = nearer
    moved = shapely.remove_repeated_points(shapely.transform(piece, lambda _: coordinates))
    if not moved.is_valid:
        # Only a proposal of where to cut; what comes of it is checked like any other.
        parts = shapely.get_parts(shapely.make_valid(moved))
        moved = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return moved, moved_m
