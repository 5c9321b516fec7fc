"""A made-up township whose grids are redrawn by decision: three villages, thirty grids, on the centimetre."""

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from redrawing import CENTRE, CRS, body_of, disc, divide
from squares import put

from layers.deciding import decisions
from layers.redrawing import draft_operations, drafts
from layers.redrawing.draft import Draft
from layers.redrawing.redraw_ground import to_lonlat
from layers.rights import OWNER, Viewer
from layers.selection.frames import read_layer
from layers.storage.store import Store

COUNTY, TOWN = "990101000000", "990101001000"
VILLAGES = tuple(f"990101001{201 + number}" for number in range(3))
PLANNER = Viewer("planner", "planner")
OTHER = Viewer("other", "planner")
BOSS = Viewer("boss", "administrator")
RADIUS_M = 2_500.0


def land(count: int = 30, *, seed: int = 1) -> tuple[list[str], list[str], np.ndarray]:
    """Codes, village codes and metric shapes of about `count` grids; villages are strips from west to east."""
    shapes = divide(disc(RADIUS_M, vertices=60), count, seed=seed)
    middle = shapely.get_x(shapely.centroid(shapes))
    strip = np.minimum((np.argsort(np.argsort(middle)) * 3) // len(shapes), 2)
    villages = [VILLAGES[number] for number in strip]
    seen = dict.fromkeys(VILLAGES, 0)
    codes = []
    for village in villages:
        seen[village] += 1
        codes.append(f"{village}{seen[village]:03d}")
    return codes, villages, shapes


def frame(shapes: Any, **columns: Any) -> gpd.GeoDataFrame:
    """Metric shapes as rows in the kept system."""
    return gpd.GeoDataFrame(
        {name: pd.Series(values) for name, values in columns.items()}, geometry=list(to_lonlat(shapes, CRS)), crs=4490
    )


def fill(store: Store, *, count: int = 30, seed: int = 1) -> Store:
    """County, township, villages and grids; households and people of every grid, workers of some."""
    codes, villages, shapes = land(count, seed=seed)
    of = np.array(villages)
    outlines = [shapely.coverage_union_all(shapes[of == village]) for village in VILLAGES]
    whole = shapely.coverage_union_all(shapes)
    put(store, "county", frame([whole], code=[COUNTY], name=["望川县"]))
    put(store, "township", frame([whole], code=[TOWN], name=["南桥镇"], parent_code=[COUNTY]))
    put(
        store,
        "village",
        frame(
            outlines, code=VILLAGES, name=["东村", "中村", "西村"], parent_code=[TOWN] * 3,
            households=pd.array([900, 1000, 1100], dtype="Int64"),
        ),
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    put(
        store,
        "grid",
        frame(
            shapes,
            grid_code=codes,
            name=[f"第{row + 1}网格" for row in range(len(codes))],
            village_code=villages,
            kind=["base"] * len(codes),
            households=pd.array(rng.integers(80, 400, len(codes)), dtype="Int64"),
            population=pd.array(rng.integers(200, 1200, len(codes)), dtype="Int64"),
            workers_full=pd.array([1 + row % 2 for row in range(len(codes))], dtype="Int64"),
        ),
    )
    return store


def grids(store: Store, on: str | None = None, **options: Any) -> gpd.GeoDataFrame:
    """The grids of a day by code, in metres on the centimetre grid."""
    found = read_layer(store, "grid", OWNER, as_of=on, **options)
    metric = found.to_crs(CRS)
    return metric.set_geometry(shapely.transform(metric.geometry.to_numpy(), lambda xy: np.round(xy, 2)), crs=CRS)


def across(shape: shapely.Geometry, *, angle: float = 0.0) -> dict[str, Any]:
    """A line through the middle of a shape that reaches well over both sides."""
    middle = np.array(shape.representative_point().coords[0])
    way = np.array([np.cos(angle), np.sin(angle)]) * 3 * np.sqrt(shape.area)
    return body_of(shapely.LineString([middle - way, middle + way]))


def split(store: Store, code: str, *, on: str | None = None, angle: float = 0.0) -> dict[str, Any]:
    """The operation that splits a grid through its middle."""
    return {"op": "split", "grid": code, "line": across(grids(store, on).geometry[code], angle=angle)}


def merge(*codes: str, into: str | None = None) -> dict[str, Any]:
    """The operation that merges grids."""
    return {"op": "merge", "grids": list(codes), **({} if into is None else {"into": into})}


def neighbours(store: Store, on: str | None = None) -> list[tuple[str, str]]:
    """Pairs of grids of one village that share more than 20 m of border, ascending."""
    found = grids(store, on)
    shapes, codes = found.geometry.to_numpy(), found.index.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="touches")
    length = shapely.length(shapely.intersection(shapes[left], shapes[right]))
    villages = found["village_code"].to_numpy()
    keep = (left < right) & (length > 20) & (villages[left] == villages[right])
    return sorted(zip(codes[left[keep]], codes[right[keep]], strict=True))


def drawn(
    store: Store,
    operations: Sequence[Mapping[str, Any]],
    *,
    on: str | None = None,
    parent: str | None = TOWN,
    viewer: Viewer = PLANNER,
    **said: Any,
) -> Draft:
    """A draft with operations, all of which must have been possible."""
    made = drafts.create(
        store, viewer, title=said.pop("title", "调整网格"), parent_code=parent, effective_from=on,
        reason="户数增长", **said,
    )  # fmt: skip
    answer = draft_operations.apply(store, viewer, made.id, made.version, [dict(each) for each in operations])
    told = answer.as_dict("en")
    assert all(result["ok"] for result in told["results"]), told["results"]
    return drafts.read(store, viewer, made.id)


def reviewed(store: Store, draft: Draft, *, viewer: Viewer = PLANNER) -> Draft:
    """The draft handed in and agreed to by somebody else."""
    handed_in = decisions.submit(store, viewer, draft.id, draft.version)
    return decisions.review(store, OTHER, handed_in.id, handed_in.version, verdict="agree")


def approved(store: Store, draft: Draft, *, on: str | None = None) -> Draft:
    """The draft as a decision."""
    ready = reviewed(store, draft)
    return decisions.approve(store, BOSS, ready.id, ready.version, effective_from=on)


def doubled_area(shapes: Any) -> int:
    """Twice the area in square centimetres, exact (an own sum: the kernel's is what is tested)."""
    total = 0
    for polygon in shapely.get_parts(np.asarray(shapes, dtype=object)):
        for number, ring in enumerate([polygon.exterior, *polygon.interiors]):
            xy = np.rint(np.asarray(ring.coords) * 100).astype(np.int64) - np.rint(CENTRE * 100).astype(np.int64)
            size = int(abs(np.sum(xy[:-1, 0] * xy[1:, 1] - xy[1:, 0] * xy[:-1, 1])))
            total += size if number == 0 else -size
    return total
