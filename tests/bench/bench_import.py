"""Import of a 1,000,000-row CSV of incidents with all checks, against a bare write of the same rows.

Ours: `import_file` into a fresh GeoPackage store that holds a county with its villages and grids: reading in the
sandbox, encoding, dates, privacy, positions, duplicates, homes by position, one change, spatial index. The peer writes
the frame, already in memory, with `pyogrio.write_dataframe` (both ways of handing rows over; the bar counts against
the one that people get without asking).
"""

import tempfile
from pathlib import Path
from time import perf_counter

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from rows import Row

from layers.imports.importing import ImportOptions, import_file
from layers.rights import OWNER
from layers.storage.rows import insert_rows
from layers.storage.store import Store

ROWS = 1_000_000
_CATEGORIES = ("矛盾纠纷", "环境卫生", "消防隐患", "道路设施", "占道经营", "噪声扰民")
_WEST, _SOUTH, _EAST, _NORTH = 109.5, 28.7, 110.3, 29.4


def _incidents(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    moments = np.datetime64("2025-01-01T00:00") + rng.integers(0, 365 * 24 * 60, rows).astype("timedelta64[m]")
    return pd.DataFrame(
        {
            "事件编号": [f"SJ{number:09d}" for number in range(rows)],
            "事件类别": np.array(_CATEGORIES)[rng.integers(0, len(_CATEGORIES), rows)],
            "发生时间": np.datetime_as_string(moments, unit="m"),
            "办理状态": np.array(["已办结", "处置中"])[rng.integers(0, 2, rows)],
            "来源": np.array(["巡查", "热线", "视频"])[rng.integers(0, 3, rows)],
            "经度": np.round(rng.uniform(_WEST, _EAST, rows), 6),
            "纬度": np.round(rng.uniform(_SOUTH, _NORTH, rows), 6),
        }
    )


def _squares(columns: int, rows: int, name: str, code: str) -> gpd.GeoDataFrame:
    x, y = np.linspace(_WEST, _EAST, columns + 1), np.linspace(_SOUTH, _NORTH, rows + 1)
    left, bottom = (grid.ravel() for grid in np.meshgrid(x[:-1], y[:-1]))
    right, top = (grid.ravel() for grid in np.meshgrid(x[1:], y[1:]))
    codes = [code.format(number + 1) for number in range(columns * rows)]
    return gpd.GeoDataFrame({name: codes}, geometry=shapely.box(left, bottom, right, top), crs="EPSG:4490")


def _store(folder: Path) -> Store:
    store = Store.create(str(folder / "county.gpkg"), codes="free")
    change = store.open_change("bench", "import")
    insert_rows(store, change, "village", _squares(20, 15, "code", "V{:04d}"))
    insert_rows(store, change, "grid", _squares(50, 40, "grid_code", "G{:05d}"))
    store.finish_change(change, ["village", "grid"], 2300)
    return store


def _bare(frame: gpd.GeoDataFrame, path: Path, *, use_arrow: bool) -> float:
    start = perf_counter()
    pyogrio.write_dataframe(frame, path, driver="GPKG", use_arrow=use_arrow)
    return perf_counter() - start


def run(rows: int = ROWS) -> list[Row]:
    """Import and write the same rows; seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = _incidents(rows)
        table.to_csv(folder / "incidents.csv", index=False)
        with _store(folder) as store:
            start = perf_counter()
            report = import_file(store, folder / "incidents.csv", ImportOptions("incident"), viewer=OWNER)
            ours = perf_counter() - start
        assert report.stored and report.rows_stored == rows, report.findings[:3]
        points = gpd.points_from_xy(table["经度"], table["纬度"], crs="EPSG:4490")
        frame = gpd.GeoDataFrame(table, geometry=points)
        plain = _bare(frame, folder / "bare.gpkg", use_arrow=False)
        arrow = _bare(frame, folder / "arrow.gpkg", use_arrow=True)
    note = f"{rows:,} rows, {len(table.columns)} columns; villages and grids set by position"
    return [
        Row("import of a CSV against a bare write", ours, plain, "s", 1 / 3, note),
        Row("import of a CSV against a bare write with use_arrow", ours, arrow, "s", None, note),
    ]
