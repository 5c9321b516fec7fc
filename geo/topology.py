"""Where areas fail to fit: gaps, overlaps, slivers, and what lies outside its parent. Finding only, no mending.

Modelling decision: everything is compared on the 1 cm grid, so differences below a centimetre (the same border with a
vertex more on one side) are not findings. What is too small to matter above that is the caller's tolerance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .crs import CENTIMETRE, require_metric

_POLYGONAL = (3, 6)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Land where something does not fit, largest first: shapes (n), the areas each concerns, and sizes in m2 (n)."""

    shapes: np.ndarray
    codes: list[tuple[str, ...]]
    area_m2: np.ndarray


def sound(shapes: np.ndarray) -> np.ndarray:
    """A copy of the shapes for looking at them: each broken ring stands for the land it means; valid ones as they are."""
    broken = ~shapely.is_valid(shapes)
    shapes = shapes.copy()
    shapes[broken] = shapely.make_valid(shapes[broken], method="structure")
    return shapes


def find_gaps(areas: gpd.GeoDataFrame, parent: shapely.Geometry, *, min_area_m2: float = 0.0) -> gpd.GeoDataFrame:
    """Land of `parent` that no area covers, one row per piece, largest first.

    Parameters
    ----------
    areas
        Polygons in a metric system, indexed by code.
    parent
        The polygon they should cover, in the same system.
    min_area_m2
        Pieces below are left out.

    Returns
    -------
    gaps
        `geometry`, `codes` (tuple of the areas around the gap), `area_m2`.
    """
    require_metric(areas, "find_gaps")
    codes, shapes = _polygons(areas)
    return _framed(gaps(codes, shapes, parent, min_area_m2=min_area_m2), areas.crs)


def gaps(codes: np.ndarray, shapes: np.ndarray, parent: shapely.Geometry, *, min_area_m2: float = 0.0) -> Pieces:
    """`find_gaps` for the many small coverages of a county: sound metric polygons and their codes as arrays."""
    covered = shapely.union_all(shapes, grid_size=CENTIMETRE)
    return around(codes, shapes, shapely.difference(parent, covered, grid_size=CENTIMETRE), min_area_m2=min_area_m2)


def around(codes: np.ndarray, shapes: np.ndarray, bare: shapely.Geometry, *, min_area_m2: float = 0.0) -> Pieces:
    """The pieces of `bare` land that are more than rounding, with the areas that touch them."""
    pieces = shapely.get_parts(bare)
    pieces = pieces[(shapely.get_type_id(pieces) == 3) & _wide(pieces)]
    return _pieces(pieces, _touching(pieces, codes, shapes), min_area_m2)


def find_overlaps(areas: gpd.GeoDataFrame, *, min_area_m2: float = 0.0) -> gpd.GeoDataFrame:
    """Land that two areas both claim, one row per pair, largest first.

    Areas in a metric system, indexed by code. Returns `geometry`, `codes` (the two, ascending), `area_m2`. Where three
    areas lie on top of each other the land appears in three pairs.
    """
    require_metric(areas, "find_overlaps")
    return _framed(overlaps(*_polygons(areas), min_area_m2=min_area_m2), areas.crs)


def overlaps(codes: np.ndarray, shapes: np.ndarray, *, min_area_m2: float = 0.0) -> Pieces:
    """`find_overlaps` for sound metric polygons and their codes as arrays."""
    # The coverage check names an area of every pair whose borders do not match exactly (of one area within another only
    # the inner); in a clean layer that is none, and the pairwise work below has nothing to do.
    suspects = (
        np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes))) if len(shapes) else np.arange(0)
    )
    suspect, other = shapely.STRtree(shapes).query(shapes[suspects], predicate="intersects")
    both = np.column_stack([suspects[suspect], other])
    both = np.unique(np.sort(both[both[:, 0] != both[:, 1]], axis=1), axis=0)
    left, right = both[:, 0], both[:, 1]
    common = _areal(shapely.intersection(shapes[left], shapes[right], grid_size=CENTIMETRE))
    pairs = [tuple(sorted((codes[i], codes[j]))) for i, j in zip(left, right, strict=True)]
    real = _wide(common)
    return _pieces(common[real], [pair for pair, kept in zip(pairs, real, strict=True) if kept], min_area_m2)


def find_slivers(areas: gpd.GeoDataFrame, *, width_m: float) -> gpd.GeoDataFrame:
    """Parts of areas thinner than `width_m` throughout, so that eroding them by half of it leaves nothing.

    Areas in a metric system, indexed by code. Returns `geometry`, `codes` (the one area), `area_m2`. A narrow arm of a
    wide area is not reported: it is one part with the rest.
    """
    require_metric(areas, "find_slivers")
    return _framed(slivers(*_polygons(areas), width_m=width_m), areas.crs)


def slivers(codes: np.ndarray, shapes: np.ndarray, *, width_m: float) -> Pieces:
    """`find_slivers` for sound metric polygons and their codes as arrays."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    # Only parts with much border for their area can be thin: a strip has area / perimeter of half its width.
    maybe = shapely.area(parts) < width_m * shapely.length(parts)
    parts, owner = parts[maybe], owner[maybe]
    thin = shapely.is_empty(shapely.buffer(parts, -width_m / 2))
    return _pieces(parts[thin], [(codes[row],) for row in owner[thin]], 0.0)


def find_outside(
    areas: gpd.GeoDataFrame,
    parents: gpd.GeoDataFrame,
    *,
    parent_column: str = "parent_code",
    min_area_m2: float = 0.0,
) -> gpd.GeoDataFrame:
    """What of an area lies outside the parent it names, one row per area, largest first.

    Areas and parents in the same metric system, indexed by code. Areas that name no parent, or one that has no
    polygon, are left out: that is a question of hierarchy, not of topology. Returns `geometry`, `codes` (area,
    parent), `area_m2`.
    """
    require_metric(areas, "find_outside")
    require_metric(parents, "find_outside")
    parent_codes, parent_shapes = _polygons(parents)
    at = pd.Series(np.arange(len(parent_codes)), index=parent_codes)
    at = at[~at.index.duplicated()]
    codes, shapes, named = _polygons(areas, parent_column)
    row = at.reindex(named).to_numpy()
    known = ~np.isnan(row)
    row = row[known].astype(np.int64)
    pairs = list(zip(codes[known], parent_codes[row], strict=True))
    return _framed(outside(pairs, shapes[known], parent_shapes[row], min_area_m2=min_area_m2), areas.crs)


def outside(
    codes: Sequence[tuple[str, ...]], shapes: np.ndarray, own: np.ndarray, *, min_area_m2: float = 0.0
) -> Pieces:
    """What of each area lies outside its `own` parent; sound metric polygons, and what to name each piece with."""
    # Most areas lie wholly inside; a prepared test says so far sooner than the difference would.
    shapely.prepare(own)
    out = ~shapely.covers(own, shapes)
    rest = _areal(shapely.difference(shapes[out], own[out], grid_size=CENTIMETRE))
    real = _wide(rest)
    return _pieces(rest[real], [codes[at] for at in np.flatnonzero(out)[real]], min_area_m2)


def _polygons(areas: gpd.GeoDataFrame, column: str | None = None) -> Any:
    """Codes and shapes of the rows that have land, invalid rings mended for the comparison; with `column` its values."""
    shapes = areas.geometry.to_numpy()
    usable = np.isin(shapely.get_type_id(shapes), _POLYGONAL) & ~shapely.is_empty(shapes)
    shapes = shapes[usable].copy()
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = _areal(shapely.make_valid(shapes[broken]))
    codes = areas.index.astype(str).to_numpy(dtype=object)[usable]
    if column is None:
        return codes, shapes
    return codes, shapes, areas[column].astype(object).to_numpy()[usable]


def _areal(shapes: np.ndarray) -> np.ndarray:
    """The polygons in each shape, without the lines and points that an intersection may leave."""
    mixed = np.flatnonzero(~np.isin(shapely.get_type_id(shapes), _POLYGONAL))
    shapes = shapes.copy()
    for row in mixed:
        shapes[row] = shapely.MultiPolygon(
            [part for part in shapely.get_parts(shapes[row]) if part.geom_type == "Polygon"]
        )
    return shapes


def _wide(shapes: np.ndarray) -> np.ndarray:
    """Which shapes are more than rounding: two borders put on the grid apart can stand one and a half steps apart."""
    return ~shapely.is_empty(shapely.buffer(shapes, -0.75 * CENTIMETRE, quad_segs=1))


def _touching(pieces: np.ndarray, codes: np.ndarray, shapes: np.ndarray) -> list[tuple[str, ...]]:
    around: list[tuple[str, ...]] = [()] * len(pieces)
    if len(pieces) and len(shapes):
        piece, area = shapely.STRtree(shapes).query(pieces, predicate="dwithin", distance=2 * CENTIMETRE)
        for row, found in pd.Series(codes[area]).groupby(piece):
            around[int(str(row))] = tuple(sorted(found))
    return around


def _pieces(shapes: np.ndarray, codes: list[tuple[str, ...]], min_area_m2: float) -> Pieces:
    size = shapely.area(shapes)
    order = [
        row for row in sorted(range(len(size)), key=lambda row: (-size[row], codes[row])) if size[row] >= min_area_m2
    ]
    return Pieces(shapes[order], [codes[row] for row in order], size[order])


def _framed(pieces: Pieces, crs: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"codes": pd.Series(pieces.codes, dtype=object), "area_m2": pieces.area_m2},
        geometry=list(pieces.shapes),
        crs=crs,
    )
