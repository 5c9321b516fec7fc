"""Which part of each area lies in which area after a redraw, and how whole numbers follow the land.

Figures that are known per area only (households, population) are shared out by area: an estimate, but one that loses
nothing, since every whole number is given away to the last one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

ROUNDING_M = 0.05
"""Land narrower than twice this came about by putting borders on the centimetre grid; nobody moved it."""


@dataclass(frozen=True, slots=True)
class Share:
    """The part (above 0, up to 1) of the land of `old` that lies in `new` afterwards."""

    old: str
    new: str
    share: float


def land_shares(old: Mapping[str, shapely.Geometry], new: Mapping[str, shapely.Geometry]) -> list[Share]:
    """Shares of the land of each of `old` in each of `new`, in the order of codes.

    Both divide the same land, in metres. Shares of one old area add up to 1; one whose shape is unchanged has a single
    share in itself.
    """
    names = sorted(new)
    shapes = np.array([new[name] for name in names], dtype=object)
    tree = shapely.STRtree(shapes)
    found: list[Share] = []
    for code in sorted(old):
        shape = old[code]
        if code in new and shapely.equals_exact(shape, new[code], tolerance=0.0):
            found.append(Share(code, code, 1.0))
            continue
        near = np.sort(tree.query(shape, predicate="intersects"))
        common = shapely.intersection(shapes[near], shape)
        areas = shapely.area(common)
        areas[shapely.is_empty(shapely.buffer(common, -ROUNDING_M, quad_segs=1))] = 0.0
        if not areas.any():  # thinner than rounding as a whole: all of it goes where most of it lies
            areas = shapely.area(common)
        total = areas.sum()
        found += [Share(code, names[row], float(area / total)) for row, area in zip(near, areas, strict=True) if area]
    return found


def hand_out(total: int, weights: Sequence[float]) -> list[int]:
    """`total` in whole numbers in proportion to `weights`, with nothing lost: largest remainders first, then order."""
    given = np.asarray(weights, dtype=float)
    if not len(given):
        return []
    if given.sum() <= 0:
        given = np.ones(len(given))
    exact = total * given / given.sum()
    whole = np.floor(exact).astype(np.int64)
    left = total - int(whole.sum())
    order = np.lexsort((np.arange(len(given)), -(exact - whole)))
    whole[order[:left]] += 1
    return whole.tolist()


def follow_land(values: Mapping[str, int | None], shares: Sequence[Share]) -> dict[str, int | None]:
    """A whole number per old area as a number per new area; the sum stays exactly the same.

    Unknown (None) stays unknown: an area that got land of nothing but unknown areas has None.
    """
    parts: dict[str, list[Share]] = {}
    for share in shares:
        parts.setdefault(share.old, []).append(share)
    found: dict[str, int | None] = {share.new: None for share in shares}
    for code, of in parts.items():
        total = values.get(code)
        if total is None:
            continue
        for share, number in zip(of, hand_out(int(total), [part.share for part in of]), strict=True):
            found[share.new] = (found[share.new] or 0) + number
    return found
