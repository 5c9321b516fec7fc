"""Building blocks of grids: pieces of land with a load, who borders whom, and what a grid border along a line costs.

Modelling decisions. Two blocks are neighbours when they share more than a set length of border (a corner does not
count), and only within one village: land never passes a village border. A border along a natural barrier (road, river)
is cheap, so that grids come to end there; elsewhere it costs its length.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from .errors import InputError
from .words import Text


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks with their loads and neighbours; grids and blocks are row numbers."""

    load: npt.NDArray[np.float64]  # per block, >= 0
    grid: npt.NDArray[np.int64]  # of each block today
    grids: int
    left: npt.NDArray[np.int64]  # neighbours, each pair once, left < right
    right: npt.NDArray[np.int64]
    cost: npt.NDArray[np.float64]  # of a grid border between the two, metres

    def __len__(self) -> int:
        return len(self.load)


def make_blocks(
    load: npt.ArrayLike,
    grid: npt.ArrayLike,
    village: npt.ArrayLike,
    borders: "Borders",
) -> Blocks:
    """Blocks from what is known of them.

    Parameters
    ----------
    load
        Workload of each block; additive (see `workload.Scale`).
    grid
        Row of the grid each block lies in today, from 0; every grid up to the highest must have a block.
    village
        What each grid belongs to, one per grid.
    borders
        Who borders whom, from `shared_borders`.

    Raises
    ------
    InputError
        When a load is not a number, or a grid has no block.
    """
    loads = np.asarray(load, dtype=np.float64)
    homes = np.asarray(grid, dtype=np.int64)
    places = np.asarray(village, dtype=object)
    if not np.isfinite(loads).all() or (loads < 0).any():
        raise InputError(
            Text("有地块没有工作量，无法均衡。", "Some blocks have no workload, so nothing can be balanced."),
            where="load",
            mend=Text("请先补全各网格的户数。", "Record the households of every grid first."),
        )
    if len(np.unique(homes)) != len(places):
        raise InputError(Text("有网格没有地块。", "Some grids have no block."), where="grid")
    inside = places[homes[borders.left]] == places[homes[borders.right]]
    return Blocks(
        loads, homes, len(places), borders.left[inside], borders.right[inside], borders.cost[inside].astype(np.float64)
    )


@dataclass(frozen=True, slots=True)
class Borders:
    """Pairs of blocks with a common border: rows (left < right), length in metres, cost in metres."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    length_m: npt.NDArray[np.float64]
    cost: npt.NDArray[np.float64]


def shared_borders(
    shapes: npt.ArrayLike,
    *,
    min_length_m: float,
    barriers: shapely.Geometry | None = None,
    barrier_width_m: float = 0.0,
    barrier_share: float = 1.0,
) -> Borders:
    """Which blocks border which, and what their common border costs.

    Parameters
    ----------
    shapes
        Polygons of a clean coverage in a metric system.
    min_length_m
        Shorter common borders do not count: the blocks are no neighbours.
    barriers
        Lines (roads, rivers) that grid borders should follow.
    barrier_width_m
        A border this near to a barrier runs along it.
    barrier_share
        What a metre along a barrier costs, from 0 to 1.
    """
    land = np.asarray(shapes, dtype=object)
    left, right = shapely.STRtree(land).query(land, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    common = shapely.intersection(land[left], land[right])
    length = shapely.length(common)
    real = length > min_length_m
    left, right, common, length = left[real], right[real], common[real], length[real]
    along = np.zeros(len(length))
    if barriers is not None:
        along = length_along(common, barriers, barrier_width_m)
    order = np.lexsort((right, left))
    cost = length - (1.0 - barrier_share) * along
    return Borders(left[order], right[order], length[order], cost[order])


def length_along(lines: npt.NDArray[np.object_], barriers: shapely.Geometry, width_m: float) -> npt.NDArray[np.float64]:
    """How much of each line runs within `width_m` of some barrier, in metres; of one that crosses a barrier a little."""
    parts = shapely.get_parts(shapely.get_parts(barriers))
    points, part = shapely.get_coordinates(parts, return_index=True)
    same = part[1:] == part[:-1]
    # Piece by piece: a strip around a whole river would be compared with every border of the county.
    pieces = shapely.linestrings(np.stack([points[:-1][same], points[1:][same]], axis=1))
    strips = shapely.buffer(pieces, width_m, cap_style="flat")
    line, strip = shapely.STRtree(strips).query(lines, predicate="intersects")
    length = shapely.length(shapely.intersection(lines[line], strips[strip]))
    return np.minimum(np.bincount(line, weights=length, minlength=len(lines)), shapely.length(lines))
