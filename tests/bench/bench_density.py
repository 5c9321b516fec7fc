"""Density of a million points on 500 x 500 cells, against scikit-learn, and its error against the exact sum."""

import numpy as np
from rows import Row, best_of

from geo.density import kernel_density

POINTS, SIDE, CELL_M, BANDWIDTH_M = 1_000_000, 500, 100.0, 500.0
EXACT, SAMPLE = 300, 12


def cloud() -> tuple[np.ndarray, np.ndarray]:
    """Clusters of all sizes."""
    rng = np.random.default_rng(1)
    centres = rng.uniform(2_000, SIDE * CELL_M - 2_000, (400, 2))
    spread = rng.uniform(200, 1_500, 400)
    which = rng.integers(0, 400, POINTS)
    x, y = (centres[which] + rng.normal(0, 1, (POINTS, 2)) * spread[which][:, None]).T
    return x, y


def run() -> list[Row]:
    """Error at random cells; time against scikit-learn's tree on a sample of cells, scaled up to all of them."""
    from sklearn.neighbors import KernelDensity

    x, y = cloud()
    bounds = (0.0, 0.0, SIDE * CELL_M, SIDE * CELL_M)

    def ours() -> np.ndarray:
        return kernel_density(x, y, bounds=bounds, cell_m=CELL_M, bandwidth_m=BANDWIDTH_M).per_m2

    surface = ours()
    rng = np.random.default_rng(2)
    row, column = rng.integers(0, SIDE, (2, EXACT))
    at_x, at_y = (column + 0.5) * CELL_M, (row + 0.5) * CELL_M
    truth = np.array(
        [
            np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * BANDWIDTH_M**2)).sum() / (2 * np.pi * BANDWIDTH_M**2)
            for a, b in zip(at_x, at_y, strict=True)
        ]
    )
    error = float(np.abs(surface[row, column] - truth).max() / surface.max())

    points = np.column_stack([x, y])
    tree = KernelDensity(bandwidth=BANDWIDTH_M, rtol=1e-3).fit(points)
    asked = np.column_stack([at_x, at_y])[:SAMPLE]
    per_cell = best_of(1, lambda: tree.score_samples(asked)) / SAMPLE
    fit = best_of(1, lambda: KernelDensity(bandwidth=BANDWIDTH_M, rtol=1e-3).fit(points))
    return [
        Row(
            "1M points on 500 x 500 cells", best_of(5, ours), fit + per_cell * SIDE * SIDE, "s", 1_000,
            f"scikit-learn KernelDensity (rtol 1e-3): {SAMPLE} cells timed, extrapolated to {SIDE * SIDE:,}",
        ),
        Row("error against the exact sum", error, None, "of the peak", 1e-3, f"largest at {EXACT} random cells"),
    ]  # fmt: skip
