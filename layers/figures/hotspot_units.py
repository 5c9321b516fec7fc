"""The units hotspots are looked for in: equal-area cells over what a viewer may see, grids or villages."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pyproj import CRS
from scipy import sparse

from geo import crs
from geo.cells import Cells, hex_cells, neighbours_of_areas
from geo.errors import InputError
from geo.lookup import Lookup
from geo.words import Text

from ..kinds import AREA_KINDS
from ..places.areas import AreaSet, area_set
from ..rights import Viewer
from ..selection import frames
from ..storage.kept import kept

if TYPE_CHECKING:
    from ..storage.store import Store

UNITS = ("cell", "grid", "village")


@dataclass(frozen=True, slots=True)
class Units:
    """Units with their land; arrays of one length."""

    kind: str
    key: tuple[Any, ...]  # what identifies them, for caches
    codes: np.ndarray
    name_of: Callable[[int], Text]  # of a unit by row: its name, or the part of the village a cell lies in
    frame: pd.DataFrame  # further columns of the rows: name, parent_code, derived; none for cells
    drawn: np.ndarray  # polygons in lon/lat, None without land
    area_m2: np.ndarray  # 0 without land
    system: CRS
    neighbours: sparse.csr_array
    lon: np.ndarray
    lat: np.ndarray
    lonlat: GeoDataFrame | None  # the drawn shapes of cells, None for areas (they are layers already)
    notes: tuple[Text, ...]
    _home: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def home(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Row of the unit each position falls in, -1 for none."""
        return self._home(lon, lat)


def units_of(store: "Store", viewer: Viewer, kind: str, on: str, *, cell_m: float, tolerance_m: float) -> Units:
    """The units of a kind that lie in what the viewer may see, kept until an area layer changes."""
    if kind not in UNITS:
        raise InputError(
            Text(f"不能按“{kind[:30]}”统计热点。", f"Hotspots cannot be worked out per {kind[:30]}."),
            where="unit",
            mend=Text("可用：cell、grid、village", "There are: cell, grid, village"),
        )
    key = (kind, viewer.cache_key, on, tuple(store.versions(AREA_KINDS).items()), cell_m if kind == "cell" else 0.0)
    make = _cells if kind == "cell" else _areas
    return kept(store).get(
        ("units", *key, tolerance_m), lambda: make(store, viewer, kind, on, key, cell_m, tolerance_m)
    )


def study_area(store: "Store", viewer: Viewer, on: str) -> tuple[shapely.Geometry, tuple[Text, ...]]:
    """Outline of what the viewer may see, lon/lat, with notes; derived areas when there is no other outline."""
    outline = frames.outline(store, viewer, on)
    notes: tuple[Text, ...] = ()
    if outline is None:
        villages = area_set(store, "village", on)
        derived, notes = villages.frame, villages.notes
        seen = frames.read_layer(store, "village", viewer, as_of=on, columns=[], geometry=False).index.astype(str)
        shapes = derived.geometry[derived.index.isin(seen)].dropna()
        outline = shapely.union_all(shapes.array) if len(shapes) else None
    if outline is None or outline.is_empty:
        raise InputError(
            Text("没有区域界线，无法划分单元。", "There is no outline to divide into cells."),
            where="unit",
            mend=Text("请先导入县界、乡镇界或村界。", "Import the county, townships or villages first."),
        )
    return outline, notes


def _cells(store: "Store", viewer: Viewer, kind: str, on: str, key: tuple, cell_m: float, tolerance_m: float) -> Units:
    outline, notes = study_area(store, viewer, on)
    system = crs.metric_crs(outline.bounds)
    metric = shapely.make_valid(crs.transform_geometries([outline], crs.LONLAT, system)[0])
    cells = hex_cells(metric, cell_m)
    drawn = crs.transform_geometries(cells.geometry, system, crs.LONLAT)
    at = shapely.point_on_surface(drawn)
    lon, lat = shapely.get_x(at), shapely.get_y(at)
    villages = area_set(store, "village", on)
    around = villages.home(lon, lat)
    x, y = crs.transform_xy(lon, lat, crs.LONLAT, system)
    within = Lookup.build(["outline"], [outline])
    return Units(
        kind=kind,
        key=key,
        codes=cells.codes,
        name_of=_CellNames(villages.frame, around, cells.codes, x, y, system),
        frame=pd.DataFrame(index=range(len(cells))),
        drawn=drawn,
        area_m2=cells.area_m2,
        system=system,
        neighbours=cells.neighbours,
        lon=lon,
        lat=lat,
        lonlat=GeoDataFrame(geometry=drawn, index=pd.Index(cells.codes, name="cell", dtype=object), crs=crs.LONLAT),
        notes=notes,
        _home=_CellHome(within, replace(cells, geometry=cells.geometry[:0]), system),
    )


@dataclass(frozen=True, slots=True)
class _CellHome:
    """Which cell a position inside the outline falls in."""

    outline: Lookup
    cells: Cells
    system: CRS

    def __call__(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        inside = self.outline.home(lon, lat) >= 0
        x, y = crs.transform_xy(lon, lat, crs.LONLAT, self.system)
        return np.where(inside, self.cells.home(x, y), -1)


_DIRECTIONS = (
    Text("东部", "east side of"), Text("东北部", "north-east side of"), Text("北部", "north side of"), Text("西北部", "north-west side of"),
    Text("西部", "west side of"), Text("西南部", "south-west side of"), Text("南部", "south side of"), Text("东南部", "south-east side of"),
)  # fmt: skip
_MIDDLE = 0.25  # of the side of a square as large as the village: nearer to its centre no direction is named


@dataclass(frozen=True, slots=True)
class _CellNames:
    """Names a cell after the part of the village it lies in; by its own code where there is no village."""

    villages: GeoDataFrame
    around: np.ndarray  # row of the village of each cell, -1 for none
    codes: np.ndarray
    x: np.ndarray
    y: np.ndarray
    system: CRS

    def __call__(self, row: int) -> Text:
        home, code = self.around[row], self.codes[row]
        if home < 0:
            return Text(f"单元 {code}", f"cell {code}")
        village = str(self.villages["name"].iloc[home] or self.villages.index[home])
        land = crs.transform_geometries([self.villages.geometry.iloc[home]], crs.LONLAT, self.system)[0]
        centre = shapely.centroid(land)
        dx, dy = self.x[row] - centre.x, self.y[row] - centre.y
        if np.hypot(dx, dy) < _MIDDLE * np.sqrt(land.area):
            return Text(village, village)
        part = _DIRECTIONS[round(np.arctan2(dy, dx) / (np.pi / 4)) % 8]
        return Text(f"{village}{part.zh}", f"the {part.en} {village}")


@dataclass(frozen=True, slots=True)
class _AreaNames:
    """Names an area by its name, or its code."""

    frame: GeoDataFrame

    def __call__(self, row: int) -> Text:
        name = str(self.frame["name"].iloc[row] or self.frame.index[row])
        return Text(name, name)


def _areas(store: "Store", viewer: Viewer, kind: str, on: str, key: tuple, cell_m: float, tolerance_m: float) -> Units:
    areas = area_set(store, kind, on)
    frame = areas.frame
    if viewer.areas:
        seen = frames.read_layer(store, kind, viewer, as_of=on, columns=[], geometry=False).index.astype(str)
        frame = frame[frame.index.isin(seen)]
    if not len(frame):
        raise InputError(
            Text("没有可统计的区域。", "There are no areas to count in."),
            where="unit",
            mend=Text("请先导入该图层，或改用单元格。", "Import the layer first, or use cells."),
        )
    drawn = np.array(frame.geometry.array, dtype=object)
    missing = shapely.is_missing(drawn)
    if missing.all():
        raise InputError(Text("这些区域都没有位置。", "None of these areas has a position."), where="unit")
    system = crs.metric_crs(shapely.total_bounds(drawn))
    shapes = np.full(len(drawn), None, dtype=object)
    shapes[~missing] = shapely.make_valid(crs.transform_geometries(drawn[~missing], crs.LONLAT, system))
    at = shapely.point_on_surface(drawn)
    return Units(
        kind=kind,
        key=key,
        codes=frame.index.to_numpy(dtype=object),
        name_of=_AreaNames(frame[["name"]]),
        frame=frame[["name", "parent_code", "derived"]].reset_index(drop=True),
        drawn=drawn,
        area_m2=np.nan_to_num(shapely.area(shapes)),
        system=system,
        neighbours=neighbours_of_areas(shapes, tolerance_m=tolerance_m),
        lon=shapely.get_x(at),
        lat=shapely.get_y(at),
        lonlat=None,
        notes=areas.notes,
        _home=_AreaHome(areas, frame.index.get_indexer(areas.frame.index)),
    )


@dataclass(frozen=True, slots=True)
class _AreaHome:
    """Which of the chosen areas a position falls in."""

    areas: AreaSet
    row_of: np.ndarray  # row among the chosen areas for every area, -1 when not chosen

    def __call__(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        home = self.areas.home(lon, lat)
        return np.where(home >= 0, self.row_of[np.maximum(home, 0)], -1)
