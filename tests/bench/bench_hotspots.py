"""Gi* and the count test on 50,000 hexagons, against esda's G_Local without permutations."""

from typing import Any

import numpy as np
import shapely
from rows import Row, best_of

from geo.cells import hex_cells
from geo.hotspots import benjamini_hochberg, count_test, gi_star, hot_and_cold

CELLS = 50_000


def run() -> list[Row]:
    """Ours: Gi* and count test with correction, neighbours at hand. Peer: Gi* alone, weights at hand."""
    from esda.getisord import G_Local
    from libpysal.weights import W

    side = float(np.sqrt(CELLS * 500.0**2 * np.sqrt(0.75)))
    cells = hex_cells(shapely.box(500_000, 3_200_000, 500_000 + side, 3_200_000 + side), 500)
    rng = np.random.default_rng(1)
    count = rng.poisson(1.0, len(cells)).astype(float)
    near = cells.neighbours
    others = near.copy()
    others.setdiag(0)
    others.eliminate_zeros()
    weights = W(
        {i: others.indices[others.indptr[i] : others.indptr[i + 1]].tolist() for i in range(len(cells))},
        silence_warnings=True,
    )

    def both() -> Any:
        return gi_star(count, near), benjamini_hochberg(count_test(count, cells.area_m2, near).p)

    def search() -> Any:
        return hot_and_cold(count, cells.area_m2, near, level=0.05, dispersion_limit=1.2, min_count=3)

    def peer() -> Any:
        return G_Local(count, weights, transform="B", star=True, permutations=0)

    theirs = best_of(5, peer)
    agreement = float(np.abs(peer().Zs - gi_star(count, near)).max())
    note = f"{len(cells):,} hexagons, Poisson counts; z differ by at most {agreement:.0e}"
    return [
        Row("Gi* and count test with correction", best_of(9, both) * 1e3, theirs * 1e3, "ms", 20, note),
        Row(
            "whole search (with clumping and cold)", best_of(9, search) * 1e3, theirs * 1e3, "ms", None,
            "the same, and what decides hot or cold",
        ),
    ]  # fmt: skip
