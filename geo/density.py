"""How many reported incidents per square kilometre, smoothed: a Gaussian kernel density on a regular grid of cells.

Points are shared out linearly among the four nearest cell centres and the counts filtered with a Gaussian. Sharing out
widens the kernel by a known variance (a sixth of a cell squared on average), which is taken off the bandwidth first,
so that the result agrees with the exact sum to well under a thousandth of the peak from four cells per bandwidth on
(`tests/geo/test_density.py`, and 1M points in `tests/bench`). A change of units changes nothing but the units.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from .errors import InputError
from .words import Text

TRUNCATE = 6.0  # bandwidths at which the kernel ends: 1.5e-8 of its height
MAX_CELLS = 25_000_000
_SHARING_VARIANCE = 1.0 / 6.0  # cells squared, mean over positions inside a cell


@dataclass(frozen=True, slots=True)
class Density:
    """Density per unit of area (m2 when the input is metres); row 0 is the southern edge."""

    per_m2: npt.NDArray[np.float64]  # NaN outside the mask
    bounds: tuple[float, float, float, float]  # west, south, east, north of the outer cell edges
    cell_m: float
    bandwidth_m: float

    def effective_count(self) -> npt.NDArray[np.float64]:
        """Points that carry the estimate at each cell: each counts 1 at the centre of the kernel, less farther out."""
        return self.per_m2 * (2.0 * np.pi * self.bandwidth_m**2)


def kernel_density(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    bounds: tuple[float, float, float, float],
    cell_m: float,
    bandwidth_m: float,
    mask: npt.NDArray[np.float64] | None = None,
) -> Density:
    """Gaussian kernel density of points on a grid.

    Parameters
    ----------
    x, y
        Positions in a metric system. Points outside the bounds count as far as their kernel reaches in; rows with NaN
        are left out.
    bounds
        West, south, east, north; extended to the north and east to whole cells.
    cell_m
        Side of a cell. At most half the bandwidth, otherwise the kernel is too coarse to draw.
    bandwidth_m
        Standard deviation of the kernel.
    mask
        Share of each cell inside the study area, 0 to 1, in the shape of the result. The estimate is then divided by
        the part of the kernel inside the area (edge correction) and NaN outside.

    Raises
    ------
    InputError
        When the sizes do not fit together or the grid would have more than 25 million cells.
    """
    if not (cell_m > 0 and bandwidth_m >= 2 * cell_m):
        raise InputError(
            Text("带宽须不小于像元边长的两倍。", "The bandwidth must be at least twice the cell size."),
            where="bandwidth_m",
            mend=Text("请减小像元或增大带宽。", "Choose smaller cells or a larger bandwidth."),
        )
    columns, rows = grid_shape(bounds, cell_m)
    sigma = sqrt((bandwidth_m / cell_m) ** 2 - _SHARING_VARIANCE)
    margin = ceil(TRUNCATE * sigma)
    wide, high = columns + 2 * margin, rows + 2 * margin
    if wide * high > MAX_CELLS:
        raise InputError(
            Text("密度图像元过多。", "The density surface would have too many cells."),
            where="cell_m",
            mend=Text("请增大像元。", "Choose larger cells."),
        )
    counts = _shared_out(x, y, bounds[0] - margin * cell_m, bounds[1] - margin * cell_m, cell_m, wide, high)
    smooth = gaussian_filter(counts, sigma, mode="constant", truncate=TRUNCATE)
    inner = smooth[margin : margin + rows, margin : margin + columns] / cell_m**2
    # The filter leaves about 1e-18 of negative rounding where there is nothing.
    inner = np.maximum(inner, 0.0)
    if mask is not None:
        if mask.shape != inner.shape:
            raise InputError(
                Text("掩膜与密度图大小不符。", "The mask does not have the shape of the surface."), where="mask"
            )
        reach = gaussian_filter(mask.astype(np.float64), sigma, mode="constant", truncate=TRUNCATE)
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.where(mask > 0, inner / reach, np.nan)
    edges = (bounds[0], bounds[1], bounds[0] + columns * cell_m, bounds[1] + rows * cell_m)
    return Density(inner, edges, float(cell_m), float(bandwidth_m))


def grid_shape(bounds: tuple[float, float, float, float], cell_m: float) -> tuple[int, int]:
    """Columns and rows of cells that cover the bounds."""
    west, south, east, north = bounds
    # A bound that is a whole number of cells away up to rounding does not ask for one more cell.
    return max(1, ceil((east - west) / cell_m - 1e-9)), max(1, ceil((north - south) / cell_m - 1e-9))


def _shared_out(
    x: npt.ArrayLike, y: npt.ArrayLike, west: float, south: float, cell_m: float, wide: int, high: int
) -> npt.NDArray[np.float64]:
    """Points per cell, each shared among the four nearest cell centres."""
    u = (np.asarray(x, dtype=np.float64) - west) / cell_m - 0.5
    v = (np.asarray(y, dtype=np.float64) - south) / cell_m - 0.5
    # NaN compares false, so points without a position fall out here too.
    near = (u >= 0) & (u < wide - 1) & (v >= 0) & (v < high - 1)
    u, v = u[near], v[near]
    i, j = u.astype(np.int64), v.astype(np.int64)
    du, dv = u - i, v - j
    corner = j * wide + i
    total = np.zeros(wide * high)
    for step, weight in (
        (0, (1 - du) * (1 - dv)),
        (1, du * (1 - dv)),
        (wide, (1 - du) * dv),
        (wide + 1, du * dv),
    ):
        total += np.bincount(corner + step, weights=weight, minlength=wide * high)
    return total.reshape(high, wide)
