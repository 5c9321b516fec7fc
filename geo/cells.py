"""Equal-area cells over a place, and who neighbours whom.

Cells lie on a fixed lattice (its origin is a multiple of the cell size, not a corner of the data), so that adding data
moves no cell. Every cell that shares area with the outline is kept; its exposure is the area inside the outline, its
drawn shape the part inside. Hexagons have six equal neighbours, squares eight by edge or corner (queen).
"""

from dataclasses import dataclass, field
from math import ceil, floor, sqrt

import numpy as np
import numpy.typing as npt
import shapely
from scipy import sparse

from .errors import InputError
from .words import Text

MAX_CELLS = 1_000_000
_HEX_STEPS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))
_SQUARE_STEPS = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1))


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells in a metric system, in the order of their columns and rows."""

    codes: npt.NDArray[np.object_]  # "column_row" of the lattice, stable for a size
    geometry: npt.NDArray[np.object_]  # the part inside the outline
    area_m2: npt.NDArray[np.float64]  # of that part
    neighbours: sparse.csr_array  # 0/1, each cell its own neighbour
    size_m: float
    shape: str  # "hex" or "square"
    _index: npt.NDArray[np.int32] = field(repr=False)  # lattice position -> row, -1 none
    _first: tuple[int, int] = field(repr=False)  # lattice position of _index[0, 0]

    def __len__(self) -> int:
        return len(self.codes)

    def home(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Row of the cell each point falls in, -1 for none. Whether a point is inside the outline is not asked."""
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        known = np.isfinite(x) & np.isfinite(y)
        x, y = np.where(known, x, 0.0), np.where(known, y, 0.0)
        column, row = (_hex_at if self.shape == "hex" else _square_at)(x, y, self.size_m)
        i, j = column - self._first[0], row - self._first[1]
        within = known & (i >= 0) & (j >= 0) & (i < self._index.shape[0]) & (j < self._index.shape[1])
        home = np.full(len(x), -1, dtype=np.int32)
        home[within] = self._index[i[within], j[within]]
        return home


def square_cells(outline: shapely.Geometry, size_m: float) -> Cells:
    """Squares of side `size_m` over `outline` (polygon in a metric system)."""
    _require_size(outline, size_m, size_m * size_m)
    west, south, east, north = outline.bounds
    columns = np.arange(floor(west / size_m), ceil(east / size_m) + 1)
    rows = np.arange(floor(south / size_m), ceil(north / size_m) + 1)
    column, row = (part.ravel() for part in np.meshgrid(columns, rows, indexing="ij"))
    boxes = shapely.box(column * size_m, row * size_m, (column + 1) * size_m, (row + 1) * size_m)
    return _cells(outline, boxes, column, row, size_m, "square", _SQUARE_STEPS)


def hex_cells(outline: shapely.Geometry, size_m: float) -> Cells:
    """Hexagons `size_m` wide from side to side (pointed at the top) over `outline` (polygon in a metric system).

    The distance between neighbouring centres is `size_m`; the area is 0.866 of a square of that side.
    """
    _require_size(outline, size_m, size_m * size_m * sqrt(0.75))
    west, south, east, north = outline.bounds
    step = size_m * sqrt(0.75)
    rows = np.arange(floor(south / step) - 1, ceil(north / step) + 2)
    # Axial coordinates: the centre of (column, row) is at ((column + row / 2) size, row step).
    starts = np.floor(west / size_m - rows / 2).astype(np.int64) - 1
    width = ceil((east - west) / size_m) + 3
    column = (starts[:, None] + np.arange(width)).ravel()
    row = np.repeat(rows, width)
    corners = np.radians(np.arange(30, 390, 60))
    radius = size_m / sqrt(3.0)
    x = (column + row / 2) * size_m
    y = row * step
    rings = np.stack([x[:, None] + radius * np.cos(corners), y[:, None] + radius * np.sin(corners)], axis=-1)
    return _cells(outline, shapely.polygons(rings), column, row, size_m, "hex", _HEX_STEPS)


def _cells(
    outline: shapely.Geometry,
    shapes: npt.NDArray[np.object_],
    column: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    size_m: float,
    shape: str,
    steps: tuple[tuple[int, int], ...],
) -> Cells:
    """The cells that share area with the outline, clipped to it, with their neighbours."""
    shapely.prepare(outline)
    full = shapely.contains_properly(outline, shapes)
    cut = ~full & shapely.intersects(outline, shapes)
    shapes = shapes.copy()
    shapes[cut] = _pieces(outline, shapes[cut])
    area = shapely.area(shapes)
    # A sliver below a square centimetre is rounding, not land.
    kept = np.flatnonzero((full | cut) & (area > 1e-4))
    kept = kept[np.lexsort((row[kept], column[kept]))]
    column, row = column[kept], row[kept]
    if len(kept) == 0:
        return Cells(
            np.array([], dtype=object), shapes[:0], area[:0], sparse.csr_array((0, 0)), size_m, shape,
            np.zeros((0, 0), dtype=np.int32), (0, 0),
        )  # fmt: skip
    first = int(column.min()), int(row.min())
    i, j = column - first[0], row - first[1]
    # One empty lattice row all round, so that stepping to a neighbour never leaves the array.
    padded = np.full((i.max() + 3, j.max() + 3), -1, dtype=np.int32)
    padded[i + 1, j + 1] = np.arange(len(kept), dtype=np.int32)
    others = np.stack([padded[i + 1 + di, j + 1 + dj] for di, dj in steps], axis=1)
    codes = np.array([f"{c}_{r}" for c, r in zip(column, row, strict=True)], dtype=object)
    return Cells(codes, shapes[kept], area[kept], _matrix(others), size_m, shape, padded[1:-1, 1:-1], first)


def _pieces(outline: shapely.Geometry, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """The parts of cells inside the outline; only the outline's pieces near each cell are looked at."""
    pieces = shapely.intersection(shapes, outline)
    lines = ~np.isin(shapely.get_type_id(pieces), (3, 6))
    # A cell that meets the outline in area and along a line gives a collection: keep the area.
    pieces[lines] = [
        shapely.union_all([p for p in shapely.get_parts(g) if p.geom_type in ("Polygon", "MultiPolygon")])
        for g in pieces[lines]
    ]
    return pieces


def _matrix(others: npt.NDArray[np.int32]) -> sparse.csr_array:
    """0/1 neighbour matrix from rows of neighbour numbers, -1 for none."""
    real = others >= 0
    start = np.concatenate([[0], np.cumsum(real.sum(axis=1))])
    ones = np.ones(int(start[-1]))
    matrix = sparse.csr_array((ones, others[real], start), shape=(len(others), len(others)))
    matrix.sort_indices()
    return matrix


def _square_at(x: np.ndarray, y: np.ndarray, size_m: float) -> tuple[np.ndarray, np.ndarray]:
    return np.floor(x / size_m).astype(np.int64), np.floor(y / size_m).astype(np.int64)


def _hex_at(x: np.ndarray, y: np.ndarray, size_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Nearest hexagon centre: round the three axial coordinates and mend the one that was rounded most."""
    r = y / (size_m * sqrt(0.75))
    q = x / size_m - r / 2
    s = -q - r
    column, row, third = np.rint(q), np.rint(r), np.rint(s)
    dq, dr, ds = np.abs(column - q), np.abs(row - r), np.abs(third - s)
    worst_q = (dq > dr) & (dq > ds)
    worst_r = ~worst_q & (dr > ds)
    mended_column = np.where(worst_q, -row - third, column)
    mended_row = np.where(worst_r, -column - third, row)
    return mended_column.astype(np.int64), mended_row.astype(np.int64)


def _require_size(outline: shapely.Geometry, size_m: float, cell_m2: float) -> None:
    if not np.isfinite(size_m) or size_m <= 0:
        raise InputError(
            Text("单元格边长须大于 0 米。", "The cell size must be more than 0 metres."),
            where="cell_m",
            mend=Text("常用 250 至 1000 米。", "250 to 1000 metres is usual."),
        )
    west, south, east, north = outline.bounds if not outline.is_empty else (0.0, 0.0, 0.0, 0.0)
    wanted = (east - west) * (north - south) / cell_m2
    if wanted > MAX_CELLS:
        smallest = ceil(sqrt((east - west) * (north - south) / MAX_CELLS) / 10) * 10
        raise InputError(
            Text(
                f"单元格太小，将产生约 {wanted:,.0f} 个单元。",
                f"Cells this small would make about {wanted:,.0f} units.",
            ),
            where="cell_m",
            mend=Text(f"请取 {smallest} 米以上。", f"Choose {smallest} metres or more."),
        )


def neighbours_of_areas(geometries: npt.ArrayLike, *, tolerance_m: float = 0.0) -> sparse.csr_array:
    """Queen neighbours of areas: those that share a border or a corner, and the area itself.

    `tolerance_m` also joins areas whose borders miss each other by that much (layers that are no clean coverage).
    Null geometries have only themselves.
    """
    shapes = np.asarray(geometries, dtype=object)
    tree = shapely.STRtree(shapes)
    if tolerance_m > 0:
        left, right = tree.query(shapes, predicate="dwithin", distance=tolerance_m)
    else:
        left, right = tree.query(shapes, predicate="intersects")
    itself = np.arange(len(shapes))
    left, right = np.concatenate([left, itself]), np.concatenate([right, itself])
    matrix = sparse.csr_array((np.ones(len(left)), (left, right)), shape=(len(shapes), len(shapes)))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def neighbours_within(x: npt.ArrayLike, y: npt.ArrayLike, distance_m: float) -> sparse.csr_array:
    """Points no farther apart than `distance_m`, each its own neighbour."""
    points = shapely.points(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
    return neighbours_of_areas(points, tolerance_m=distance_m)
