"""Redrawing boundaries at the server: opening a draft, looking at an operation with live figures, saving it."""

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rows import Row

from geo.crs import LONLAT, transform_geometries, transform_xy
from geo.synthetic import make_county
from layers.imports.sample import read_syllables, store_county
from layers.redrawing import draft_operations, drafts, redraw_figures, redraw_session
from layers.redrawing.draft import Draft
from layers.redrawing.redraw_points import Bearings, bearings
from layers.rights import OWNER
from layers.storage import kept
from layers.storage.rows import insert_rows
from layers.storage.store import Store

ZONE = "EPSG:4546"
CENTRE = (500_000.0, 3_100_000.0)
SPACING_M = 900.0
LOOKS = 30


def divided(count: int, *, seed: int) -> np.ndarray:
    """A wavy disc divided among `count` areas on the centimetre grid (metric)."""
    rng = np.random.default_rng(seed)
    radius = SPACING_M * np.sqrt(count / np.pi)
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    rim = radius * (1 + 0.1 * np.sin(5 * turn))
    land = shapely.polygons(np.column_stack([np.cos(turn), np.sin(turn)]) * rim[:, None] + CENTRE)
    land = shapely.set_precision(land, 0.01)
    sites = rng.uniform(-1.2 * radius, 1.2 * radius, (3 * count, 2)) + CENTRE
    sites = sites[shapely.contains_xy(land, *sites.T)][:count]
    cells = shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=land, only_edges=True)
    lines = shapely.union_all([shapely.intersection(cells, land), land.boundary], grid_size=0.01)
    faces = shapely.get_parts(shapely.polygonize([shapely.unary_union([lines], grid_size=0.01)]))
    return faces[shapely.contains(land, shapely.point_on_surface(faces))]


def free_store(path: Path, count: int) -> Store:
    """A store without villages: `count` grids with five cameras and twenty incidents each."""
    store = Store.create(str(path), codes="free")
    shapes = divided(count, seed=1)
    rng = np.random.default_rng(2)
    _put(
        store,
        "grid",
        transform_geometries(shapes, ZONE, LONLAT),
        grid_code=[f"G{row:05d}" for row in range(len(shapes))],
        households=pd.array(rng.integers(100, 600, len(shapes)), dtype="Int64"),
    )
    low, high = shapely.total_bounds(shapes)[:2], shapely.total_bounds(shapes)[2:]
    for kind, number in (("camera", 5 * count), ("incident", 20 * count)):
        lon, lat = transform_xy(*rng.uniform(low, high, (number, 2)).T, ZONE, LONLAT)
        columns = {
            "camera": {"device_id": [f"c{row}" for row in range(number)]},
            "incident": {
                "incident_no": [f"e{row}" for row in range(number)],
                "occurred_on": pd.Timestamp.today().normalize()
                - pd.to_timedelta(rng.integers(0, 60, number), unit="D"),
            },
        }[kind]
        _put(store, kind, shapely.points(lon, lat), **columns)
    return store


def _put(store: Store, kind: str, shapes: np.ndarray, **columns: object) -> None:
    change = store.open_change("owner", "import", kinds=[kind])
    insert_rows(store, change, kind, gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4490))
    store.finish_change(change, [kind], len(shapes))


def county_store(path: Path) -> Store:
    """The made-up county of `wangge demo`."""
    store = Store.create(str(path))
    store_county(store, make_county(seed=11, syllables=read_syllables()))
    return store


def opened(store: Store, draft: Draft) -> float:
    """Seconds until a draft can be drawn in, with nothing in memory."""
    kept._OF_STORE.pop(store, None)
    redraw_session.forget(store, draft.id)
    begin = perf_counter()
    with redraw_session.held(store, draft):
        return perf_counter() - begin


def splits(store: Store, draft: Draft, count: int) -> list[dict]:
    """Operations that cut areas spread over the draft in two, north to south through the middle."""
    with redraw_session.held(store, draft) as session:
        codes = session.codes()
        chosen = [codes[row] for row in np.linspace(0, len(codes) - 1, min(count, len(codes))).astype(int)]
        lines = []
        for code in chosen:
            west, south, east, north = session.shape(code).bounds
            middle = (west + east) / 2
            lines.append(shapely.LineString([(middle, south - 5), (middle, north + 5)]))
        lonlat = transform_geometries(lines, session.crs, LONLAT)
    return [
        {
            "op": "split",
            "grid": code,
            "line": {"type": "LineString", "coordinates": shapely.get_coordinates(line).tolist()},
        }
        for code, line in zip(chosen, lonlat, strict=True)
    ]


def _measured(name: str, store: Store, draft: Draft, *, bar_s: float | None, times: float | None) -> list[Row]:
    opening = min(opened(store, draft) for _ in range(3))
    operations = splits(store, draft, LOOKS)
    with redraw_session.held(store, draft) as session:
        begin = perf_counter()
        count = len(redraw_figures.features(session, OWNER))
        first = perf_counter() - begin
    looks, done = [], []
    for operation in operations:
        begin = perf_counter()
        answer = draft_operations.apply(store, OWNER, draft.id, draft.version, [operation], preview=True)
        looks.append(perf_counter() - begin)
        done.append(answer.results[0]["ok"])
    live, own, peer = [], [], []
    with redraw_session.held(store, draft) as session:
        known = bearings(store, session.ground)
        for operation in [each for each, good in zip(operations, done, strict=True) if good][:5]:
            step = session.perform(operation)
            changed = [code for code in step.outcome.shapes if session.group(code) is not None]
            for codes, taken in ((changed, live), (session.codes(), own)):
                begin = perf_counter()
                redraw_figures.figures(session, OWNER, codes, given=known)
                taken.append(perf_counter() - begin)
            begin = perf_counter()
            worked_out_anew(session, known)
            peer.append(perf_counter() - begin)
            session.rewind(len(session.steps) - 1)
    note = f"{count:,} areas in the draft; {sum(done)} of {len(done)} looks could be drawn"
    return [
        Row(f"open a draft, {name}", opening, None, "s", bar_s, note),
        Row(f"first figures of all areas, {name}", first, None, "s", None, note),
        Row(f"look at an operation, {name}, median", median(looks), None, "s", 0.1, note),
        Row(f"look at an operation, {name}, slowest", max(looks), None, "s", None, note),
        Row(
            f"live figures, {name}", median(live), median(peer), "s", times, "peer: geopandas.sjoin and overlay of all"
        ),
        Row(
            f"figures of all areas, {name}",
            median(own),
            median(peer),
            "s",
            None,
            "peer: geopandas.sjoin and overlay of all",
        ),
    ]


def worked_out_anew(session: redraw_session.Session, known: Bearings) -> None:
    """The same figures without keeping anything: every point joined to every area, old areas laid over new ones."""
    codes = session.codes()
    new = gpd.GeoDataFrame({"code": codes}, geometry=[session.shape(code) for code in codes], crs=session.crs)
    old = gpd.GeoDataFrame(
        {"households": session.frame["households"].astype("float64").reindex(list(session.ground.shapes)).to_numpy()},
        geometry=list(session.ground.shapes.values()),
        crs=session.crs,
    )
    points = gpd.GeoDataFrame(
        {"figure": known.points.figure, "weight": known.points.weight}, geometry=known.points.places, crs=LONLAT
    )
    joined = points.sjoin(new.to_crs(LONLAT), predicate="intersects")
    joined.groupby(["code", "figure"])["weight"].sum()
    old["area"] = old.area
    both = gpd.overlay(old, new, keep_geom_type=True)
    (both["households"] * both.area / both["area"]).groupby(both["code"]).sum()


def run() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        with county_store(Path(folder) / "county.gpkg") as store:
            townships = drafts.create(store, OWNER, title="a", parent_code=_largest_township(store))
            rows += _measured("a township of the made-up county", store, townships, bar_s=1.0, times=None)
        for count, bar_s in ((2_000, 1.0), (20_000, None)):
            with free_store(Path(folder) / f"free{count}.gpkg", count) as store:
                whole = drafts.create(store, OWNER, title="a")
                rows += _measured(f"{count:,} grids without villages", store, whole, bar_s=bar_s, times=50.0)
    return rows


def _largest_township(store: Store) -> str:
    from layers.selection.frames import read_layer

    villages = read_layer(store, "village", OWNER, columns=["parent_code"], geometry=False)
    return str(villages["parent_code"].value_counts().index[0])
