"""Building blocks for balancing: the land of each grid cut along natural villages, a block layer, or cells.

All linework of a village is noded once on the 1 cm grid and its faces become the blocks, so that they divide every grid
without gap or overlap. Roads and rivers are cut along too, where layers of these names are there: a border along one is
preferred. Faces too small to be worth moving go with the neighbour in their grid they share most border with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo import crs
from geo.blocks import length_along
from geo.cells import hex_cells
from geo.errors import InputError, NotFoundError
from geo.words import Text

from ..figures.rule_body import WorkloadRule
from ..kinds import REFERENCE
from ..places.areas import area_set
from ..rights import OWNER
from ..selection import frames
from .balance_land import Land

if TYPE_CHECKING:
    from ..storage.store import Store

AUTO, CELL, NATURAL = "auto", "cell", "natural_village"
CENTIMETRE = 0.01
_ENOUGH = 3
"""Blocks per grid, in the mean, from which a layer of blocks is worth using by itself."""


@dataclass(frozen=True, slots=True)
class BlockSet:
    """Blocks, in the order of their grids."""

    source: str  # CELL, NATURAL or reference:NAME
    label: Text
    shapes: np.ndarray  # metric polygons
    grid: np.ndarray  # row in `Land.codes`
    households: np.ndarray  # of the block layer, NaN where it has none
    barriers: shapely.Geometry | None  # metric lines


def block_set(store: "Store", land: Land, rule: WorkloadRule, source: str = AUTO) -> BlockSet:
    """The blocks of some grids.

    Parameters
    ----------
    source
        AUTO (natural villages when there are enough of them, else cells), CELL, NATURAL or reference:NAME.

    Raises
    ------
    NotFoundError, InputError
        No such layer; the layer has nothing to divide land with.
    """
    barriers = _barriers(store, land, rule)
    chosen, layer = _layer(store, land, source)
    size_m2 = sum(land.shapes[code].area for code in land.codes) / max(1, len(land.codes)) / rule.cells_per_grid
    faces, grids, owners = [], [], []
    row = {code: number for number, code in enumerate(land.codes)}
    for codes in _villages(land):
        shapes = np.array([land.shapes[code] for code in codes], dtype=object)
        found, grid, owner = _faces(shapes, layer, barriers, size_m2)
        small = rule.least_block_share * (size_m2 if layer is None else shapely.area(found).mean())
        found, grid, owner = _absorbed(found, grid, owner, small, barriers)
        faces.append(found)
        grids.append(np.array([row[code] for code in codes])[grid])
        owners.append(owner)
    grid = np.concatenate(grids)
    owner = np.concatenate(owners)
    order = np.argsort(grid, kind="stable")
    recorded = np.full(len(grid), np.nan)
    if layer is not None and "households" in layer:
        figures = np.append(pd.to_numeric(layer["households"], errors="coerce").to_numpy(dtype=float), np.nan)
        whole = np.append(shapely.area(layer["shape"].to_numpy()), np.nan)
        recorded = figures[owner] * np.minimum(1.0, shapely.area(np.concatenate(faces)) / whole[owner])
    return BlockSet(chosen, _label(chosen), np.concatenate(faces)[order], grid[order], recorded[order], barriers)


def _label(source: str) -> Text:
    if source == CELL:
        return Text("等积单元", "cells")
    if source == NATURAL:
        return Text("自然村", "natural villages")
    name = source.removeprefix(f"{REFERENCE}:")
    return Text(name, name)


def _villages(land: Land) -> list[list[str]]:
    """Codes of the grids of each village."""
    found: dict[str, list[str]] = {}
    for code in land.codes:
        found.setdefault(land.village[code], []).append(code)
    return list(found.values())


def _window(land: Land) -> tuple[float, float, float, float]:
    """Bounds of the land in degrees, a little wider."""
    shapes = np.array([land.shapes[code] for code in land.codes], dtype=object)
    lonlat = crs.transform_geometries([shapely.box(*shapely.total_bounds(shapes)).buffer(50)], land.crs, crs.LONLAT)
    west, south, east, north = shapely.bounds(lonlat)[0].tolist()
    return west, south, east, north


def _layer(store: "Store", land: Land, source: str) -> tuple[str, pd.DataFrame | None]:
    """What cuts the land: `shape` (metric polygons or lines) and perhaps households; None for cells."""
    if source == CELL:
        return CELL, None
    if source in (AUTO, NATURAL):
        areas = area_set(store, "natural_village", land.on).frame
        mine = areas[
            areas.geometry.notna() & areas["problem"].isna() & areas["parent_code"].isin(set(land.village.values()))
        ]
        if source == AUTO and len(mine) < _ENOUGH * len(land.codes):
            return CELL, None
        frame, source = mine, NATURAL
    elif source.startswith(f"{REFERENCE}:"):
        frame = frames.read_layer(store, source, OWNER, bbox=_window(land))
    else:
        raise InputError(
            Text(f"不能用“{source[:40]}”作地块。", f"'{source[:40]}' cannot be used as building blocks."),
            where="blocks",
        )
    shapes = frame.geometry.to_numpy()
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes)) & (shapely.get_dimensions(shapes) >= 1)
    if not usable.any():
        raise InputError(
            Text(
                "这个图层在此处没有可以划分土地的面或线。", "This layer has no areas or lines here to divide land with."
            ),
            where="blocks",
            mend=Text("请换一个图层，或用等积单元。", "Choose another layer, or cells."),
        )
    columns = {"shape": crs.transform_geometries(shapes[usable], crs.LONLAT, land.crs)}
    if "households" in frame:
        columns["households"] = frame["households"].to_numpy()[usable]
    return source, pd.DataFrame(columns)


def _barriers(store: "Store", land: Land, rule: WorkloadRule) -> shapely.Geometry | None:
    """Lines of the layers that borders should follow, metric; None where there are none."""
    lines = []
    for name in rule.barriers:
        try:
            frame = frames.read_layer(store, f"{REFERENCE}:{name}", OWNER, columns=[], bbox=_window(land))
        except NotFoundError:
            continue
        shapes = frame.geometry.to_numpy()
        shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        lines += list(shapes[shapely.get_dimensions(shapes) == 1])
    if not lines:
        return None
    return shapely.union_all(crs.transform_geometries(np.array(lines, dtype=object), crs.LONLAT, land.crs))


def _faces(
    grids: np.ndarray, layer: pd.DataFrame | None, barriers: shapely.Geometry | None, cell_m2: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces of one village, with the row of the grid and of the layer (-1 none) each lies in."""
    outline = shapely.coverage_union_all(grids)
    lines = [shapely.boundary(grids)]
    areas = np.zeros(0, dtype=object)
    if layer is None:
        # Hexagons of this width have the area wanted.
        cells = hex_cells(shapely.box(*outline.bounds), sqrt(cell_m2 / sqrt(0.75))).geometry
        lines.append(_clipped(shapely.boundary(cells), outline))
    else:
        cutting = layer["shape"].to_numpy()
        polygonal = shapely.get_dimensions(cutting) == 2
        areas = cutting.copy()
        areas[~polygonal] = None
        lines.append(_clipped(np.where(polygonal, shapely.boundary(cutting), cutting), outline))
    if barriers is not None:
        lines.append(_clipped(np.array([barriers], dtype=object), outline))
    noded = shapely.union_all(np.concatenate(lines), grid_size=CENTIMETRE)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    faces = faces[np.lexsort(shapely.get_coordinates(shapely.point_on_surface(faces)).T)]
    inner = shapely.point_on_surface(faces)
    grid = _inside(grids, inner)
    faces, inner, grid = faces[grid >= 0], inner[grid >= 0], grid[grid >= 0]
    owner = _inside(areas, inner) if len(areas) else np.full(len(faces), -1)
    if layer is not None and barriers is None:
        return _dissolved(faces, grid, owner)
    return faces, grid, owner


def _clipped(lines: np.ndarray, outline: shapely.Geometry) -> np.ndarray:
    shapely.prepare(outline)
    near = lines[shapely.intersects(lines, outline)]
    return shapely.intersection(near, outline)


def _inside(areas: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Row of the first area each point lies in, -1 for none."""
    point, area = shapely.STRtree(areas).query(points, predicate="intersects")
    found = np.full(len(points), -1, dtype=np.int64)
    first = pd.Series(area).groupby(point).min()
    found[first.index.to_numpy()] = first.to_numpy()
    return found


def _dissolved(faces: np.ndarray, grid: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces of one grid and one area of the layer put together, as far as they touch."""
    shapes, grids, owners = [], [], []
    for (g, o), members in pd.DataFrame({"g": grid, "o": owner}).groupby(["g", "o"]).groups.items():
        rows = np.asarray(members)
        together = shapely.get_parts(shapely.coverage_union_all(faces[rows])) if o >= 0 else faces[rows]
        for part in together:
            shapes.append(part)
            grids.append(g)
            owners.append(o)
    return np.array(shapes, dtype=object), np.array(grids), np.array(owners)


def _absorbed(
    faces: np.ndarray, grid: np.ndarray, owner: np.ndarray, small_m2: float, barriers: shapely.Geometry | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces below `small_m2` joined to the neighbour of their grid with the longest common border, across a barrier only
    where there is no other."""
    size = shapely.area(faces)
    target = np.arange(len(faces))
    left, right = shapely.STRtree(faces).query(faces[size < small_m2], predicate="intersects")
    left = np.flatnonzero(size < small_m2)[left]
    same = (left != right) & (grid[left] == grid[right])
    left, right = left[same], right[same]
    common = shapely.intersection(shapely.boundary(faces[left]), shapely.boundary(faces[right]))
    length = shapely.length(common)
    if barriers is not None:
        along = length_along(common, barriers, 5 * CENTIMETRE)
        length = np.where(length > CENTIMETRE, np.maximum(length - along, 2 * CENTIMETRE), 0.0)
    around: dict[int, list[tuple[float, float, int]]] = {}
    for a, b, metres in zip(left.tolist(), right.tolist(), length.tolist(), strict=True):
        if metres > CENTIMETRE:
            around.setdefault(a, []).append((metres, size[b], -b))

    def root(face: int) -> int:
        while target[face] != face:
            face = int(target[face])
        return face

    for face in sorted(around, key=lambda each: (size[each], each)):
        into = root(-max(around[face])[2])
        if into != root(face):
            target[root(face)] = into
    roots = np.array([root(face) for face in range(len(faces))], dtype=np.int64)
    kept = np.unique(roots)
    groups: Sequence[np.ndarray] = [np.flatnonzero(roots == each) for each in kept]
    merged = [shapely.coverage_union_all(faces[rows]) if len(rows) > 1 else faces[rows[0]] for rows in groups]
    return np.array(merged, dtype=object), grid[kept], owner[kept]
