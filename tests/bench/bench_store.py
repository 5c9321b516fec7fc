"""The GeoPackage store with a million incidents: putting them in, reading them as points, a map window.

Bars are CPU seconds of this process: the machine is shared, and nothing else works for the store.
"""

import tempfile
from pathlib import Path
from time import process_time

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rows import Row, best_of

from layers.rights import OWNER
from layers.selection import frames
from layers.storage import rows as stored
from layers.storage.store import Store

COUNT = 1_000_000


def incidents(count: int, seed: int = 1) -> gpd.GeoDataFrame:
    """Made-up incidents with 14 columns and a position, clustered over a county."""
    rng = np.random.default_rng(seed)
    villages = np.array([f"99098310{number:04d}" for number in range(300)], dtype=object)
    seconds = rng.integers(0, 30_000_000, count)
    data = {
        "incident_no": [f"E{number:09d}" for number in range(count)],
        "category": rng.choice(np.array(["噪声", "占道", "垃圾"], dtype=object), count),
        "scheme": "local",
        "level": rng.choice(np.array(["一", "二"], dtype=object), count),
        "state": "archived",
        "occurred_at": pd.Timestamp("2025-01-01") + pd.to_timedelta(seconds, unit="s"),
        "occurred_on": pd.Timestamp("2025-01-01") + pd.to_timedelta(seconds // 86_400, unit="D"),
        "occurred_hour": seconds // 3600 % 24,
        "received_at": pd.Timestamp("2025-01-01") + pd.to_timedelta(seconds + 600, unit="s"),
        "resolved_level": "village",
        "source": "hotline",
        "location_quality": "surveyed",
        "village_code": rng.choice(villages, count),
        "grid_code": rng.choice(villages, count),
    }
    points = shapely.points(rng.normal(111, 0.2, count), rng.normal(22, 0.2, count))
    return gpd.GeoDataFrame(data, geometry=points, crs=4490)


def run() -> list[Row]:
    """Measure in a folder that is removed afterwards."""
    frame = incidents(COUNT)
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.create(str(Path(folder) / "bench.gpkg")) as store,
    ):

        def put() -> None:
            change_id = store.open_change("bench", "import", kinds=["incident"])
            stored.insert_rows(store, change_id, "incident", frame)
            store.finish_change(change_id, ["incident"], COUNT)

        insert = best_of(1, put, clock=process_time)
        points = best_of(3, lambda: frames.read_points(store, "incident", OWNER), clock=process_time)
        styled = best_of(
            3, lambda: frames.read_points(store, "incident", OWNER, columns=["category", "state"]), clock=process_time
        )
        window = (111.0, 22.0, 111.016, 22.016)
        rows_there = len(frames.read_layer(store, "incident", OWNER, bbox=window))
        seen = best_of(10, lambda: frames.read_layer(store, "incident", OWNER, bbox=window), clock=process_time)
    return [
        Row("store: 1M incidents put in, 14 columns and R*Tree", insert, None, "CPU s", 12.0),
        Row("store: 1M points read as arrays", points, None, "CPU s", 2.0),
        Row("store: 1M points read with two columns", styled, None, "CPU s", None),
        Row(f"store: map window, {rows_there} of 1M rows", seen * 1000, None, "CPU ms", None),
    ]
