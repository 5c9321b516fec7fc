"""One edit of a boundary among 20,000 grids: the kernel alone, and against cutting pairwise and looking at everything."""

import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
import shapely
from rows import Row
from rows import best_of as best

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import redrawing

from geo.operations import parse
from geo.partition import Partition
from geo.redraw import perform
from geo.refusals import RefusedError

GRIDS, EDITS = 20_000, 250


def best_of(times: int, act: Callable[[], object]) -> float:
    """Seconds of processor time: an edit is too short to be measured beside other work by the clock on the wall."""
    return best(times, act, clock=process_time)


def pairwise(land: Partition, code: str, ring: shapely.Geometry) -> bool:
    """A redrawn ring the usual way: cut from each neighbour in turn, what is left over to the first, then look at all."""
    shapes = dict(land.shapes)
    old = shapes[code]
    around = [other for other in land.near(shapely.union(old, ring), 0.0) if other != code]
    new = shapely.intersection(ring, shapely.union_all([shapes[other] for other in [code, *around]], grid_size=0.01))
    for other in around:
        shapes[other] = shapely.difference(shapes[other], new, grid_size=0.01)
    lost = shapely.difference(old, new, grid_size=0.01)
    shapes[around[0]] = shapely.union(shapes[around[0]], lost, grid_size=0.01)
    shapes[code] = new
    return bool(shapely.coverage_is_valid(list(shapes.values())))


def measured(land: Partition, hand: redrawing.Hand) -> tuple[np.ndarray, list[dict], int]:
    """Milliseconds of each edit done, the operations, and how many were refused."""
    session = redrawing.Session(land)
    took, bodies, refused = [], [], 0
    while len(took) < EDITS:
        body = hand.operation(land)
        if body is None:
            continue
        try:
            outcome = perform(land, parse(body, redrawing.CRS), new_codes=session.new_codes)
        except RefusedError:
            refused += 1
            continue

        def edit(body: dict = body) -> None:
            perform(land, parse(body, redrawing.CRS), new_codes=session.new_codes)

        # Nothing is changed by working an edit out, so the same one can be measured again.
        took.append(best_of(2, edit) + best_of(1, lambda new=outcome.shapes: land.replace(new)))
        bodies.append(body)
    return np.array(took) * 1000, bodies, refused


def run() -> list[Row]:
    rows = []
    for name, winding_m in (("", 0.0), (", winding borders", 8.0)):
        land = redrawing.plain(GRIDS, winding_m=winding_m)
        opened = best_of(2, lambda land=land: Partition(list(land.shapes), list(land.shapes.values())))
        vertices = shapely.get_num_coordinates(list(land.shapes.values())).mean()
        took, _, refused = measured(land, redrawing.Hand.of("sloppy", seed=5))
        assert land.is_valid()
        note = f"{len(land):,} grids of {vertices:.0f} vertices, {EDITS} edits of all kinds, {refused} refused"
        rows += [
            Row(f"edit, median{name}", float(np.median(took)), None, "ms CPU", 5, note),
            Row(f"edit, 95th percentile{name}", float(np.percentile(took, 95)), None, "ms CPU", 25, f"max {took.max():.0f} ms"),
            Row(f"open a session{name}", opened, None, "s CPU", None if winding_m else 1, "partition with all checks"),
        ]  # fmt: skip
    land = redrawing.plain(GRIDS)
    hand = redrawing.Hand.of("exact", seed=6)
    rings = [body for body in (hand.operation(land) for _ in range(60)) if body is not None and body["op"] == "redraw"]
    reads = [parse(body, redrawing.CRS) for body in rings[:10]]
    ours = [best_of(3, lambda read=read: _tried(land, read)) for read in reads]
    theirs = [best_of(1, lambda read=read: pairwise(land, read.grids[0], read.shape)) for read in reads]
    valid = sum(pairwise(land, read.grids[0], read.shape) for read in reads)
    note = (
        f"peer: difference and union one neighbour after the other, then all looked at; valid {valid} of {len(reads)}"
    )
    return [*rows, Row("redraw a ring and be sure", float(np.mean(ours)), float(np.mean(theirs)), "s CPU", 20, note)]


def _tried(land: Partition, read: redrawing.Any) -> None:
    try:
        perform(land, read, new_codes=lambda op, sources, shapes: [])
    except RefusedError:
        return


if __name__ == "__main__":
    for row in run():
        print(row)
