"""Which area a point belongs to: exact, and fast enough to ask for a million points at a time.

Modelling decisions:

- A point on a border belongs to the area, and where areas share a border, a vertex or overlap, the point has exactly
  one home: the area with the lowest code. So counts per area add up to the number of points inside.
- Works in any planar coordinates; lon/lat is as good as metres (a border is then a straight line in degrees).

The areas are laid over a lattice of cells. A cell that no border crosses lies wholly inside or outside every area, so
its answer is known beforehand; only points in cells with a border are tested against the few areas crossing there.
Borders are walked cell by cell in floating point; where a border passes within rounding distance of a lattice corner
all four cells around it count as crossed, so that rounding can cost time but never a wrong answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from .errors import InputError
from .words import Text

_NEAR = 1e-9  # in cells: far above rounding (1e-12), far below what matters for speed
_CHUNK = 1 << 20
_POLYGONAL = (3, 6)  # shapely type ids of Polygon and MultiPolygon


@dataclass(frozen=True, slots=True)
class Lookup:
    """A kept answer to "which area is this point in?"; build it once per version of the areas.

    `codes` are sorted; the row numbers that `home` gives refer to this order. Safe to share between threads.
    """

    codes: np.ndarray  # object, sorted
    geometries: np.ndarray  # object, in the order of codes
    _origin: tuple[float, float]
    _scale: tuple[float, float]  # cells per unit
    _shape: tuple[int, int]  # columns, rows
    _label: np.ndarray  # int32 per cell: area; -1 none; -2 ask the candidates, else none; -3 - n ask them, else area n
    _start: np.ndarray  # int32 per cell + 1: where its candidates begin
    _candidates: np.ndarray  # int32, ascending within a cell

    @classmethod
    def build(cls, codes: Sequence[str] | np.ndarray, geometries: Any, *, cells: int | None = None) -> "Lookup":
        """A lookup over areas.

        Parameters
        ----------
        codes
            One code per area; decides who owns a shared border.
        geometries
            Polygons or multipolygons, in any planar coordinates. Null, empty and non-areal ones, and those with a
            coordinate that is no number, are never hit.
        cells
            Number of cells along the longer side; by default chosen from the number and detail of the areas.

        Raises
        ------
        InputError
            When the numbers of codes and geometries differ.
        """
        shapes = np.asarray(geometries, dtype=object).ravel()
        names = np.empty(len(codes), dtype=object)
        names[:] = list(codes)
        if len(names) != len(shapes):
            raise InputError(
                Text(
                    f"有 {len(names)} 个代码，却有 {len(shapes)} 个图形。",
                    f"There are {len(names)} codes but {len(shapes)} geometries.",
                ),
                where="Lookup.build",
            )
        order = np.argsort(names.astype(str), kind="stable")
        names, shapes = names[order], shapes[order]
        usable = np.isin(shapely.get_type_id(shapes), _POLYGONAL) & np.isfinite(shapely.bounds(shapes)).all(axis=1)
        rings, ring_of_vertex = _rings(shapes, usable)
        if not len(rings):
            nothing = np.full(1, -1, np.int32)
            return cls(names, shapes, (0.0, 0.0), (1.0, 1.0), (1, 1), nothing, np.zeros(2, np.int32), nothing[:0])
        origin, scale, shape = _lattice(rings, int(usable.sum()), cells)
        placed = (rings - origin) * scale
        cell, area = _crossed(placed, ring_of_vertex, shape, len(shapes))
        # The tree inside a prepared polygon is made at its first question; asking one here, in one thread, keeps
        # later questions from several threads from racing to make it.
        shapely.prepare(shapes[usable])
        full = _covered(shapes, cell, area, origin, scale, shape)
        boxes = shapely.bounds(shapes[usable])
        shapely.intersects_xy(shapes[usable], (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2)
        return cls(names, shapes, origin, scale, shape, *_resolved(cell, area, full, shape))

    def home(self, x: Any, y: Any) -> np.ndarray:
        """Row number (in the order of `codes`) of the area each point belongs to; -1 outside all, or NaN."""
        x = np.atleast_1d(np.asarray(x, dtype=float))
        y = np.atleast_1d(np.asarray(y, dtype=float))
        out = np.empty(len(x), np.int32)
        for begin in range(0, len(x), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            out[part] = self._home(x[part], y[part])
        return out

    def code_of(self, x: Any, y: Any) -> np.ndarray:
        """Code of the area each point belongs to (object array); None outside all."""
        home = self.home(x, y)
        out = np.full(len(home), None, dtype=object)
        inside = home >= 0
        out[inside] = self.codes[home[inside]]
        return out

    def _home(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        columns, rows = self._shape
        with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity give any cell and are masked below
            across = (x - self._origin[0]) * self._scale[0]
            up = (y - self._origin[1]) * self._scale[1]
            off_lattice = ~((across >= 0) & (across < columns) & (up >= 0) & (up < rows))
            cell = up.astype(np.int32)
            cell *= np.int32(columns)
            cell += across.astype(np.int32)
        cell[off_lattice] = 0
        out = self._label.take(cell)
        out[off_lattice] = -1
        asked = np.flatnonzero(out <= -2)
        if len(asked):
            out[asked] = self._test(cell[asked], x[asked], y[asked])
        return out

    def _test(self, cell: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Test points in crossed cells against the candidates there, lowest code first."""
        out = -3 - self._label[cell]
        begin = self._start[cell]
        count = self._start[cell + 1] - begin
        live = np.arange(len(cell))
        turn = 0
        while len(live):
            candidate = self._candidates[begin[live] + turn]
            # Points of one area together: its tree stays in the processor's cache. Sixteen bits are sorted by radix.
            together = np.argsort(candidate.astype(np.uint16), kind="stable")
            live, candidate = live[together], candidate[together]
            hit = shapely.intersects_xy(self.geometries[candidate], x[live], y[live])
            out[live[hit]] = candidate[hit]
            turn += 1
            live = live[~hit]
            live = live[count[live] > turn]
        return out


def _rings(shapes: np.ndarray, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All vertices of all rings (n, 2), and for each vertex ring * n_areas + area, so that both can be told apart."""
    parts, area_of_part = shapely.get_parts(shapes[usable], return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    area = np.flatnonzero(usable)[area_of_part[part_of_ring[ring]]] if len(ring) else ring
    return vertices, ring.astype(np.int64) * len(shapes) + area


def _lattice(
    vertices: np.ndarray, areas: int, cells: int | None
) -> tuple[tuple[float, float], tuple[float, float], tuple[int, int]]:
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    size = high - low
    # A rim keeps the outermost border inside the lattice; a layer without extent still gets one cell.
    rim = np.maximum(size * 1e-6, np.maximum(np.abs(low), np.abs(high)).max() * 1e-12 + 1e-300)
    low, size = low - rim, size + 2 * rim
    longest = size.max()
    # About twenty cells across an area of mean size: fewer leave too many points to test, more cost more to lay out
    # than they save (measured at 5,000 areas and 1,000,000 points).
    shared_out = areas * longest / size.min() if size.min() > 0 else areas
    wanted = cells or int(np.clip(20 * np.sqrt(shared_out), 64, 1536))
    shape = np.maximum(np.ceil(wanted * size / longest), 1).astype(int)
    return (float(low[0]), float(low[1])), tuple((shape / size).tolist()), (int(shape[0]), int(shape[1]))


def _crossed(
    placed: np.ndarray, ring_and_area: np.ndarray, shape: tuple[int, int], areas: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (cell, area) where a border of the area passes through the cell, sorted by area, then cell."""
    columns, rows = shape
    x, y = placed[:, 0], placed[:, 1]
    at_x, at_y = x.astype(np.int64), y.astype(np.int64)  # the lattice has a rim: nothing is negative
    area = ring_and_area % areas
    keys = [(area * rows + at_y) * columns + at_x]

    # Most edges of a digitised border lie within one cell; only those that do not have to be walked.
    walks = (ring_and_area[1:] == ring_and_area[:-1]) & ((at_x[1:] != at_x[:-1]) | (at_y[1:] != at_y[:-1]))
    begin = np.flatnonzero(walks)
    from_x, from_y, area = x[begin], y[begin], area[begin]
    step_x, step_y = x[begin + 1] - from_x, y[begin + 1] - from_y
    edges = np.arange(len(begin))
    edge_of_x, moment_of_x = _line_crossings(from_x, x[begin + 1])
    edge_of_y, moment_of_y = _line_crossings(from_y, y[begin + 1])
    edge = np.concatenate([edges, edges, edge_of_x, edge_of_y])
    moment = np.concatenate([np.zeros(len(begin)), np.ones(len(begin)), moment_of_x, moment_of_y])
    order = np.lexsort((moment, edge))
    edge, moment = edge[order], moment[order]

    piece = edge[1:] == edge[:-1]
    middle, of = ((moment[1:] + moment[:-1]) / 2)[piece], edge[:-1][piece]
    column = (from_x[of] + step_x[of] * middle).astype(np.int64)
    row = (from_y[of] + step_y[of] * middle).astype(np.int64)
    keys.append((area[of] * rows + row) * columns + column)

    stop_x, stop_y = from_x[edge] + step_x[edge] * moment, from_y[edge] + step_y[edge] * moment
    line_x, line_y = np.rint(stop_x), np.rint(stop_y)
    corner = (np.abs(stop_x - line_x) < _NEAR) & (np.abs(stop_y - line_y) < _NEAR)
    if corner.any():
        column, row, of = line_x[corner].astype(np.int64), line_y[corner].astype(np.int64), area[edge[corner]]
        for left in (-1, 0):
            for down in (-1, 0):
                beside = np.clip(row + down, 0, rows - 1) * columns + np.clip(column + left, 0, columns - 1)
                keys.append(of * rows * columns + beside)
    key = np.concatenate(keys)
    key.sort()
    key = key[np.concatenate([[True], key[1:] != key[:-1]])]
    return key % (rows * columns), key // (rows * columns)


def _line_crossings(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For edges running from `begin` to `end` along one axis: edge number and moment (0-1) of each lattice line."""
    low, high = np.minimum(begin, end), np.maximum(begin, end)
    first = np.floor(low).astype(np.int64) + 1
    count = np.maximum(np.ceil(high).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(begin)), count)
    line = first[edge] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return edge, (line - begin[edge]) / (end[edge] - begin[edge])


def _covered(
    shapes: np.ndarray,
    cell: np.ndarray,
    area: np.ndarray,
    origin: tuple[float, float],
    scale: tuple[float, float],
    shape: tuple[int, int],
) -> np.ndarray:
    """For each cell the lowest area that covers all of it, -1 where none does.

    Along a row of cells, what lies between two border cells of an area is wholly inside or wholly outside it, so one
    exact test per such run decides.
    """
    columns, rows = shape
    row, column = cell // columns, cell % columns
    run = (area[1:] == area[:-1]) & (row[1:] == row[:-1]) & (column[1:] > column[:-1] + 1)
    at = np.flatnonzero(run)
    run_area, run_row = area[at], row[at]
    run_from, run_to = column[at] + 1, column[at + 1]
    inside = shapely.intersects_xy(
        shapes[run_area], origin[0] + (run_from + 0.5) / scale[0], origin[1] + (run_row + 0.5) / scale[1]
    )
    # Painted from the highest code to the lowest, so that the lowest stays.
    run_area, run_row, run_from, run_to = (v[inside][::-1] for v in (run_area, run_row, run_from, run_to))
    length = run_to - run_from
    offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    painted = np.repeat(run_row * columns + run_from, length) + offset
    full = np.full(rows * columns, -1, np.int32)
    full[painted] = np.repeat(run_area, length)
    return full


def _resolved(
    cell: np.ndarray, area: np.ndarray, full: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Label, start and candidates of each cell; an area that cannot win in a cell is no candidate there."""
    wins = (full[cell] < 0) | (area < full[cell])
    cell, area = cell[wins], area[wins]
    order = np.argsort(cell, kind="stable")  # pairs come sorted by area, so candidates stay ascending
    cell, area = cell[order], area[order]
    start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=shape[0] * shape[1]))]).astype(np.int32)
    label = full.copy()
    label[cell] = -3 - full[cell]  # -2 where nothing covers the cell
    return label, start, area.astype(np.int32)
