"""Which of 5,000 digitised grids is each of 1,000,000 points in: the lookup against geopandas.sjoin."""

from time import process_time

import geopandas as gpd
import numpy as np
import shapely
from rows import Row, best_of

from geo.lookup import Lookup

POINTS, GRIDS, VERTICES = 1_000_000, 5_000, 127
SIDE_M = 70_000.0


def digitised(count: int, *, seed: int) -> np.ndarray:
    """A square divided among `count` areas whose borders wind as if drawn by hand, about 127 vertices each."""
    rng = np.random.default_rng(seed)
    land = shapely.box(0, 0, SIDE_M, SIDE_M)
    sites = shapely.multipoints(rng.uniform(0, SIDE_M, (count, 2)))
    edges = shapely.intersection(shapely.voronoi_polygons(sites, extend_to=land, only_edges=True), land)
    lines = shapely.get_parts(shapely.union_all([edges, land.boundary]))
    around = 2 * shapely.length(lines).sum() / count
    dense = shapely.segmentize(lines, around / VERTICES / 0.95)
    # Only vertices within a line move, by the same rule for both sides, so the areas still fit.
    ends = shapely.get_coordinates([line.boundary for line in dense])
    fixed = {tuple(xy) for xy in np.round(ends, 6).tolist()}

    def wind(xy: np.ndarray) -> np.ndarray:
        moved = xy + 25 * np.column_stack([np.sin(xy[:, 1] / 90), np.sin(xy[:, 0] / 110)])
        rim = (xy <= 0).any(axis=1) | (xy >= SIDE_M).any(axis=1)
        still = np.array([tuple(at) in fixed for at in np.round(xy, 6).tolist()]) | rim
        return np.where(still[:, None], xy, moved)

    return shapely.get_parts(
        shapely.polygonize([shapely.node(shapely.multilinestrings(shapely.transform(dense, wind)))])
    )


def clustered(count: int, *, seed: int) -> np.ndarray:
    """Points as incidents lie: most around a few hundred places, a fifth anywhere."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, SIDE_M, (400, 2))
    near = places[rng.integers(0, len(places), count)] + rng.normal(0, 900, (count, 2))
    return np.where(rng.random(count)[:, None] < 0.2, rng.uniform(0, SIDE_M, (count, 2)), near)


def run() -> list[Row]:
    grids = digitised(GRIDS, seed=1)
    codes = np.array([f"{row:06d}" for row in range(len(grids))], dtype=object)
    x, y = clustered(POINTS, seed=2).T
    frame = gpd.GeoDataFrame({"code": codes}, geometry=grids)
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y))
    lookup = Lookup.build(codes, grids)
    home = lookup.home(x, y)

    def joined() -> gpd.GeoDataFrame:
        fresh = gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=shapely.from_wkb(wkb))
        return points.sjoin(fresh, how="left", predicate="intersects")

    wkb = shapely.to_wkb(grids)  # fresh shapes each time: nothing prepared is left over from the last round
    theirs = joined()
    first = theirs[~theirs.index.duplicated()]["code"]
    found = lookup.code_of(x, y)
    differ = int((first.fillna("").to_numpy() != np.where(home >= 0, found, "")).sum())
    peer = best_of(3, joined, clock=process_time)
    built = best_of(3, lambda: Lookup.build(codes, shapely.from_wkb(wkb)).home(x, y), clock=process_time)
    again = best_of(5, lambda: lookup.home(x, y), clock=process_time)
    mean = shapely.get_num_coordinates(grids).mean()
    note = f"{len(grids):,} areas of {mean:.0f} vertices, {POINTS:,} clustered points; answers that differ: {differ}"
    return [
        Row("assign points, lookup built", built, peer, "s CPU", 5, f"peer geopandas.sjoin; {note}"),
        Row("assign points, lookup kept", again, peer, "s CPU", 40, "peer geopandas.sjoin, which rebuilds its index"),
    ]
