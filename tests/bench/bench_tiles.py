"""One vector tile of 2,700 polygons with four attributes: ours, mapbox-vector-tile as it comes, PostGIS ST_AsMVT.

All three start from shapes in web Mercator with a spatial index and end with the bytes of the tile. Milliseconds are
CPU time, with PostgreSQL's own process counted in.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import mapbox_vector_tile
import numpy as np
import shapely
from rows import Row, best_of

from geo import mvt
from geo.tilegeom import BUFFER, EXTENT, TileShapes, from_mercator, tile_bounds

POLYGONS, VERTICES, CALLS, ROUNDS = 2_700, 28, 20, 3
Z, X, Y = 12, 3311, 1721
NAMES = ("gid", "name", "population", "cameras")


def mosaic() -> np.ndarray:
    """Areas in web Mercator that cover the tile and its surroundings, about 2,700 of them meeting the tile."""
    west, south, east, north = tile_bounds(Z, X, Y)
    side = east - west
    rng = np.random.default_rng(3)
    sites = rng.uniform([west - side, south - side], [east + side, north + side], (POLYGONS * 9, 2))
    outer = shapely.box(west - side, south - side, east + side, north + side)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=outer))
    cells = shapely.intersection(cells, outer)
    around = np.median(shapely.length(cells))
    dense = shapely.segmentize(cells, around / VERTICES * 1.15)
    wave = side / 300
    # The same rule moves a vertex for both neighbours, so that the areas still fit.
    return shapely.transform(dense, lambda xy: xy + wave / 12 * np.sin(xy[:, ::-1] / wave))


def seconds_per_call(act: Callable[[], object], clock: Callable[[], float]) -> float:
    """CPU seconds of one call, of the best of several rounds."""
    act()

    def round_of_calls() -> None:
        for _ in range(CALLS):
            act()

    return best_of(ROUNDS, round_of_calls, clock=clock) / CALLS


def run() -> list[Row]:
    """Rows for the table."""
    shapes = mosaic()
    ids = np.arange(len(shapes))
    columns = {
        "gid": ids.tolist(),
        "name": [f"第{i}网格" for i in ids],
        "population": (ids * 7 % 3000).tolist(),
        "cameras": (ids % 9).tolist(),
    }
    layer = TileShapes(shapes, shapely.STRtree(shapes))

    def ours() -> bytes:
        rows, cut = layer.cut(Z, X, Y)
        chosen = {name: [values[row] for row in rows] for name, values in columns.items()}
        return mvt.encode("grid", cut, ids=ids[rows], columns=chosen)

    bounds, outer = tile_bounds(Z, X, Y), tile_bounds(Z, X, Y, buffer=BUFFER)

    def peer() -> bytes:
        rows = np.sort(layer.tree.query(shapely.box(*outer)))
        cut = shapely.clip_by_rect(shapes[rows], *outer)
        features = [
            {"geometry": shape, "id": int(row), "properties": {name: columns[name][row] for name in NAMES}}
            for row, shape in zip(rows, cut, strict=True)
            if not shape.is_empty
        ]
        return mapbox_vector_tile.encode(
            [{"name": "grid", "features": features}], default_options={"quantize_bounds": bounds, "extents": EXTENT}
        )

    counts = {len(mapbox_vector_tile.decode(tile)["grid"]["features"]) for tile in (ours(), peer())}
    drawn = max(counts)
    assert max(counts) - min(counts) <= 5, counts
    mine = seconds_per_call(ours, process_time) * 1000
    theirs = seconds_per_call(peer, process_time) * 1000 if CALLS else 0
    note = f"{drawn} polygons, {int(np.median(shapely.get_num_coordinates(shapes)))} vertices, 4 attributes, CPU time"
    rows = [Row("vector tile of 2,700 polygons, against mapbox-vector-tile", mine, theirs, "ms", 8, note)]
    postgis = measure_postgis(shapes, columns)
    if postgis is None:
        rows.append(
            Row("vector tile of 2,700 polygons, against ST_AsMVT", mine, None, "ms", None, "PostGIS is not installed")
        )
    else:
        rows.append(
            Row(
                "vector tile of 2,700 polygons, against ST_AsMVT (bar: at most twice its time)",
                mine,
                postgis,
                "ms",
                0.5,
                note,
            )
        )
    return rows


def measure_postgis(shapes: np.ndarray, columns: dict[str, list]) -> float | None:
    """Milliseconds of ST_AsMVT from a table with an index; None without PostGIS."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from cluster import Cluster, binaries, has_postgis, new_folder

    found = binaries()
    if found is None or not has_postgis(found):
        return None
    import psycopg

    cluster = Cluster(new_folder())
    try:
        cluster.start()
        cluster.fresh("tiles")
        with psycopg.connect(f"host={cluster.folder} user=wangge dbname=tiles", autocommit=True) as connection:
            connection.execute("CREATE EXTENSION postgis")
            connection.execute(
                "CREATE TABLE g (gid int, name text, population int, cameras int, geom geometry(Geometry,3857))"
            )
            with connection.cursor() as cursor, cursor.copy("COPY g FROM STDIN") as copy:
                for row in zip(
                    *columns.values(),
                    shapely.to_wkb(shapely.set_srid(shapes, 3857), hex=True, include_srid=True),
                    strict=True,
                ):
                    copy.write_row(row)
            connection.execute("CREATE INDEX ON g USING gist (geom)")
            connection.execute("ANALYZE g")
            backend = connection.info.backend_pid
            query = """
                WITH tile AS (
                    SELECT gid, name, population, cameras,
                        ST_AsMVTGeom(geom, ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 4096, 64) AS geom
                    FROM g WHERE geom && ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => 0.015625))
                SELECT ST_AsMVT(tile, 'grid', 4096, 'geom', 'gid') FROM tile"""

            def act() -> bytes:
                return connection.execute(query, {"z": Z, "x": X, "y": Y}).fetchone()[0]

            def clock() -> float:
                fields = Path(f"/proc/{backend}/stat").read_text().rsplit(")", 1)[1].split()
                return process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

            assert len(act()) > 10_000
            return seconds_per_call(act, clock) * 1000
    finally:
        cluster.stop()


if __name__ == "__main__":
    lon, lat = from_mercator(*np.array(tile_bounds(Z, X, Y)).reshape(2, 2).T)
    print(lon, lat)
    for row in run():
        print(row, row.ratio, row.met)
