"""In which grid of its own day was each of 1,000,000 dated incidents: 24 decisions on 2,000 grids over four years.

The peer joins once per period between two decisions, on grids that are in memory. Ours reads the versions of the grids
from the store and gives every incident its code.
"""

import tempfile
from pathlib import Path
from time import process_time

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from bench_lookup import SIDE_M, clustered, digitised
from rows import Row, best_of

from layers.places import homes
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage import rows as stored
from layers.storage.store import Store

POINTS, GRIDS, DECISIONS, EDITS = 1_000_000, 2_000, 24, 7
FIRST, DAYS = np.datetime64("2022-01-01"), 1_460
DEGREE_M = 100_000.0


def to_lonlat(xy: np.ndarray) -> np.ndarray:
    """Metres of the made-up square as degrees; only where things lie matters here, not how large they are."""
    return np.array([111.0, 30.0]) + xy / DEGREE_M


def decide(store: Store, shapes: dict[str, shapely.Geometry], day: str, rng: np.random.Generator) -> None:
    """One decision: some grids each give half of their land to a neighbour, from a day on."""
    changed: dict[str, shapely.Geometry] = {}
    codes = sorted(shapes)
    tree = shapely.STRtree([shapes[code] for code in codes])
    while len(changed) < 2 * EDITS:
        giver = codes[rng.integers(len(codes))]
        near = [codes[row] for row in tree.query(shapes[giver], predicate="intersects")]
        taker = near[rng.integers(len(near))]
        if giver == taker or {giver, taker} & set(changed):
            continue
        west, south, east, north = shapes[giver].bounds
        half = shapely.box(west - 1, south - 1, (west + east) / 2, north + 1)
        changed[giver] = shapely.difference(shapes[giver], half)
        changed[taker] = shapely.union(shapes[taker], shapely.intersection(shapes[giver], half))
    shapes |= changed
    there = read_layer(store, "grid", OWNER, as_of=day, columns=[], geometry=False)
    frame = gpd.GeoDataFrame({"grid_code": list(changed)}, geometry=list(changed.values()), crs=4490)
    with store.change("planner", "decision") as change:
        stored.close_rows(store, change.id, "grid", there.loc[list(changed), "fid"].to_numpy(), day, within=change)
        stored.insert_in(change, "grid", frame, valid_from=day)


def run() -> list[Row]:
    """The rows of the table."""
    rng = np.random.default_rng(5)
    land = digitised(GRIDS, seed=1)
    shapes = dict(zip((f"{row:06d}" for row in range(len(land))), shapely.transform(land, to_lonlat), strict=True))
    days = [str(FIRST + (number + 1) * (DAYS // (DECISIONS + 1))) for number in range(DECISIONS)]
    lon, lat = to_lonlat(np.clip(clustered(POINTS, seed=2), 0, SIDE_M)).T
    when = FIRST + rng.integers(0, DAYS, POINTS)
    with tempfile.TemporaryDirectory() as folder, Store.create(str(Path(folder) / "asof.gpkg"), codes="free") as store:
        change = store.open_change("planner", "import", kinds=["grid"])
        frame = gpd.GeoDataFrame({"grid_code": list(shapes)}, geometry=list(shapes.values()), crs=4490)
        stored.insert_rows(store, change, "grid", frame)
        store.finish_change(change, ["grid"], len(frame))
        for day in days:
            decide(store, shapes, day, rng)
        begins = ["1900-01-01", *days]
        frames = [read_layer(store, "grid", OWNER, as_of=day) for day in begins]
        wkb = [shapely.to_wkb(each.geometry.to_numpy()) for each in frames]
        period = np.searchsorted(np.array(days, dtype="datetime64[D]"), when, side="right")
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat, crs=4490))

        def joined() -> list[gpd.GeoDataFrame]:
            # Fresh shapes: nothing prepared is left over from the last round.
            fresh = [shapely.from_wkb(shapes) for shapes in wkb]
            return [
                points.iloc[np.flatnonzero(period == number)].sjoin(
                    gpd.GeoDataFrame({"code": each.index}, geometry=fresh[number], crs=4490),
                    how="left",
                    predicate="intersects",
                )
                for number, each in enumerate(frames)
            ]

        def ours() -> np.ndarray:
            with Store.open(store.url) as fresh:  # nothing kept
                return homes.find_homes(fresh, lon, lat, when)["grid_code"]

        lowest = pd.concat(joined())["code"].groupby(level=0).min().reindex(range(POINTS)).fillna("").to_numpy()
        mine = ours()
        differ = int((lowest != np.where(pd.isna(mine), "", mine)).sum())
        peer = best_of(2, joined, clock=process_time)
        cold = best_of(3, ours, clock=process_time)
        warm = best_of(3, lambda: homes.find_homes(store, lon, lat, when), clock=process_time)
    note = (
        f"{len(shapes):,} grids, {DECISIONS} decisions, {len(shapes) + 2 * EDITS * DECISIONS:,} rows, "
        f"{POINTS:,} dated points; answers that differ: {differ}"
    )
    return [
        Row("grid on its own day, from the store", cold, peer, "s CPU", 5, f"peer one sjoin per period; {note}"),
        Row("grid on its own day, versions kept", warm, peer, "s CPU", None, "peer one sjoin per period"),
    ]
