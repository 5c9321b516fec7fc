"""Grids as somebody traced them one by one: nothing fits to the centimetre any more."""

from pathlib import Path

import numpy as np
import shapely

from layers.rights import OWNER
from layers.selection import frames
from layers.storage.rows import insert_rows, retire_rows
from layers.storage.store import Store

OFF_DEG = 4e-6
"""About forty centimetres."""


def trace_grids(path: Path, seed: int = 5) -> None:
    """Move every vertex of every grid in a closed store file a little, each grid by itself."""
    rng = np.random.default_rng(seed)

    def traced(shape: shapely.Polygon) -> shapely.Polygon:
        paths = [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(shape)]
        outer, *inner = [path + rng.uniform(-OFF_DEG, OFF_DEG, path.shape) for path in paths]
        return shapely.Polygon(outer, inner)

    with Store.open(str(path)) as store:
        grids = frames.read_layer(store, "grid", OWNER)
        change = store.open_change("owner", "import", kinds=["grid"])
        retire_rows(store, change, "grid", grids["fid"].to_numpy())
        new = grids.drop(columns="fid").set_geometry([traced(shape) for shape in grids.geometry])
        insert_rows(store, change, "grid", new)
        store.finish_change(change, ["grid"], len(new))
