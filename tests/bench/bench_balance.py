"""Evening out grids whose work has drifted apart: blocks moved against evenness, beside a map made anew by METIS.

Two places: 300 blocks in 30 grids and 5,000 in 200, loads per block lognormal; one grid carries nearly or more than twice
the mean, the others vary by a quarter. METIS forgets today's borders; its grids are named after those they overlap most.
"""

import heapq
from time import process_time

import numpy as np
import shapely
from rows import Row

from geo import balance_fresh
from geo.balance import suggest, yardstick
from geo.blocks import Blocks, Borders, make_blocks, shared_borders

PLACES = ((300, 30, 0.92, 200), (5_000, 200, 1.16, 60))
"""Blocks, grids, what the worst grid carries above the mean, steps of the search per block."""
SHARES = (0.02, 0.05, 0.1, 0.2)


def land(count: int, rng: np.random.Generator) -> np.ndarray:
    """Blocks of irregular shape that divide a square."""
    side = 200.0 * np.sqrt(count)
    points = shapely.MultiPoint(rng.uniform(0, side, (count, 2)))
    square = shapely.box(0, 0, side, side)
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square))
    return shapely.intersection(cells, square)


def grown(borders: Borders, load: np.ndarray, grids: int, rng: np.random.Generator) -> np.ndarray:
    """Grids grown from random blocks, the lightest first, until every block belongs to one."""
    near: list[list[int]] = [[] for _ in load]
    for a, b in zip(borders.left.tolist(), borders.right.tolist(), strict=True):
        near[a].append(b)
        near[b].append(a)
    grid = np.full(len(load), -1)
    edge: list[list[int]] = []
    for number, block in enumerate(rng.choice(len(load), grids, replace=False).tolist()):
        grid[block] = number
        edge.append(list(near[block]))
    queue = [(float(load[grid == number].sum()), number) for number in range(grids)]
    heapq.heapify(queue)
    while queue:
        carried, number = heapq.heappop(queue)
        while edge[number] and grid[edge[number][0]] >= 0:
            edge[number].pop(0)
        if edge[number]:
            block = edge[number].pop(0)
            grid[block] = number
            edge[number] += near[block]
            heapq.heappush(queue, (carried + float(load[block]), number))
    return grid


def drifted(count: int, grids: int, hot: float) -> Blocks:
    """Blocks in grids that were even once."""
    rng = np.random.default_rng(3)
    borders = shared_borders(land(count, rng), min_length_m=1.0)
    load = rng.lognormal(0, 0.8, count)
    grid = grown(borders, load, grids, rng)
    carries = np.maximum(0.4, 1.0 + rng.normal(0, 0.23, grids))
    carries[int(rng.integers(grids))] = 1.0 + hot
    load *= (carries / np.bincount(grid, weights=load))[grid]
    return make_blocks(load, grid, [0] * grids, borders)


def run() -> list[Row]:
    """For each place: time, deviation within shares of blocks moved, and blocks moved to come as even as METIS."""
    rows = []
    for count, grids, hot, steps in PLACES:
        blocks = drifted(count, grids, hot)
        name = f"{count:,} blocks, {grids} grids"
        began = process_time()
        plans = suggest(blocks, steps_per_block=steps)
        seconds = process_time() - began
        start = plans[0]
        note = f"today {start.over:+.0%} / {start.under:+.0%}; curve of {len(plans)} plans"
        rows.append(Row(f"{name}: the whole curve", seconds, None, "s CPU", None, note))
        for share in SHARES:
            best = [plan for plan in plans if plan.moved <= share * count][-1]
            note = f"{best.over:+.1%} / {best.under:+.1%} with {best.moved} moved"
            rows.append(
                Row(f"{name}: deviation with {share:.0%} of blocks moved", 100 * best.worst, None, "%", None, note)
            )
        if not balance_fresh.available():
            continue
        fresh = yardstick(blocks)
        if fresh is None:
            continue
        reached = [plan for plan in plans if plan.worst <= fresh.worst]
        ours = reached[0] if reached else plans[-1]
        note = f"peer pymetis, {fresh.over:+.1%} / {fresh.under:+.1%}; ours {ours.over:+.1%} / {ours.under:+.1%}"
        rows.append(
            Row(f"{name}: blocks moved to be as even as a new map", ours.moved, fresh.moved, "blocks", None, note)
        )
    return rows
