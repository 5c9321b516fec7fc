"""A made-up county of squares, small enough to count by hand: six villages of 0.1 degrees in two townships.

V4 V5 V6   township 990983103000 (north)
V1 V2 V3   township 990983102000 (south)
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.storage import rows
from layers.storage.store import Store

COUNTY = "990983000000"
SOUTH, NORTH = "990983102000", "990983103000"
VILLAGES = (
    f"{SOUTH[:9]}201",
    f"{SOUTH[:9]}202",
    f"{SOUTH[:9]}203",
    f"{NORTH[:9]}001",
    f"{NORTH[:9]}202",
    f"{NORTH[:9]}203",
)
V1, V2, V3, V4, V5, V6 = VILLAGES
WEST, BASE, SIDE = 111.0, 30.0, 0.1


def square(column: float, row: float, width: float = 1, height: float = 1) -> shapely.Polygon:
    """A box in units of village sides, counted from the south-west corner of the county."""
    return shapely.box(
        WEST + SIDE * column, BASE + SIDE * row, WEST + SIDE * (column + width), BASE + SIDE * (row + height)
    )


def at(column: float, row: float) -> shapely.Point:
    """A point in the same units."""
    return shapely.Point(WEST + SIDE * column, BASE + SIDE * row)


def frame(geometry: list, **columns: object) -> gpd.GeoDataFrame:
    """Rows in the kept system."""
    return gpd.GeoDataFrame({name: pd.Series(values) for name, values in columns.items()}, geometry=geometry, crs=4490)


def put(store: Store, kind: str, given: gpd.GeoDataFrame, **options: object) -> int:
    """Import a frame as one finished change; returns its id."""
    change_id = store.open_change("planner", "import", kinds=[kind], source="made_up.geojson")
    rows.insert_rows(store, change_id, kind, given, **options)
    store.finish_change(change_id, [kind], len(given))
    return change_id


def county() -> gpd.GeoDataFrame:
    """The outline."""
    return frame([square(0, 0, 3, 2)], code=[COUNTY], name=["望川县"])


def townships() -> gpd.GeoDataFrame:
    """South and north."""
    return frame(
        [square(0, 0, 3, 1), square(0, 1, 3, 1)],
        code=[SOUTH, NORTH],
        name=["南桥镇", "北岭乡"],
        parent_code=[COUNTY] * 2,
    )


def villages(*, as_points: bool = False) -> gpd.GeoDataFrame:
    """Six squares, or their centres."""
    shapes = [square(i % 3, i // 3) for i in range(6)]
    return frame(
        [shape.centroid for shape in shapes] if as_points else shapes,
        code=VILLAGES,
        name=["桥头村", "河西村", "石门村", "城关社区", "柳林村", "大坪村"],
        parent_code=[SOUTH] * 3 + [NORTH] * 3,
        households=pd.array([300, 400, 500, 3200, None, 100], dtype="Int64"),
        population=pd.array([900, 1200, 1500, 9000, None, 0], dtype="Int64"),
        pop_urban=pd.array([0, 0, 0, 9000, None, 0], dtype="Int64"),
        urban_rural=["220", "220", None, "111", "220", "220"],
        village_type=["rural_central", "rural_other", None, "urban_built", "rural_other", "rural_other"],
    )


def cameras() -> gpd.GeoDataFrame:
    """Ten rows with every case: weights 3, none and 0, states, a shared border, outside, without position."""
    return frame(
        [at(0.5, 0.5), at(0.2, 0.2), at(0.8, 0.8), at(1.0, 0.5), at(1.5, 0.5), at(2.5, 0.5), at(0.5, 1.5), at(9, 9), None, at(2.5, 1.5)],
        device_id=[f"9909830000132000000{i}" for i in range(10)],
        camera_count=pd.array([3, None, 0, 1, 5, 4, 7, 2, 6, 1], dtype="Int64"),
        video_class=["1", "2", "1", "1", "1", "2", None, "1", "1", "3"],
        status=["online", None, "online", "online", "online", "offline", "online", "online", "online", "planned"],
        connected=pd.array([True, False, True, True, None, True, True, True, True, None], dtype="boolean"),
        sign_installed=pd.array([True] * 9 + [None], dtype="boolean"),
        in_use_on=pd.to_datetime(["2020-01-01", "2024-01-01", None, "2025-06-01", "2025-01-01", "2010-01-01", "2025-01-01", "2025-01-01", "2025-01-01", None]),
        filed_on=pd.to_datetime(["2020-01-31", "2024-03-01", None, "2025-06-02", None, "2010-01-05", "2025-01-31", None, None, None]),
        retention_days=pd.array([30, 29, None, 90, 30, 30, 30, 30, 30, None], dtype="Int64"),
        name=["南桥路口"] + [None] * 9,
        managing_unit=["县公安局"] * 10,
    )  # fmt: skip


def fill(store: Store) -> Store:
    """County, townships, villages and cameras."""
    for kind, given in (
        ("county", county()),
        ("township", townships()),
        ("village", villages()),
        ("camera", cameras()),
    ):
        put(store, kind, given)
    return store


def incidents(
    seed: int = 1, *, background: int = 600, planted: int = 60, centre: tuple[float, float] = (1.5, 0.5)
) -> gpd.GeoDataFrame:
    """Incidents over the whole county, and a cluster of 100 m at night, by default in the middle of V2."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.uniform(0, 3, background), rng.normal(centre[0], 0.01, planted)])
    y = np.concatenate([rng.uniform(0, 2, background), rng.normal(centre[1], 0.01, planted)])
    n = background + planted
    on = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 365, n), unit="D")
    hour = np.where(np.arange(n) < background, rng.integers(0, 24, n), rng.integers(20, 24, n))
    return frame(
        [at(a, b) for a, b in zip(x, y, strict=True)],
        incident_no=[f"E{i:05d}" for i in range(n)],
        category=np.where(np.arange(n) < background, rng.choice(["0201", "0401"], n), "1301"),
        occurred_on=on,
        occurred_hour=pd.array(hour, dtype="Int64"),
    )
