"""Mapbox Vector Tile encoder in numpy: shapes in tile units in, protocol buffer bytes out.

Follows the Vector Tile Specification 2.1 (Mapbox, 2016, section 4.3): coordinates are rounded to whole units, repeated
vertices removed, exterior rings wind so that their area in tile coordinates (y downwards) is positive, holes the other
way, and each hole follows its exterior. Rings that collapse to a line disappear; with an exterior its holes do.
Rounding is point by point, so neighbours that share a border still share it.
"""

import itertools
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from .tilegeom import EXTENT

_MOVE, _LINE, _CLOSE = 1, 2, 15
_POINT, _LINES, _POLYGON = 1, 2, 3


def encode(
    name: str,
    shapes: np.ndarray,
    *,
    ids: Sequence[int] | np.ndarray,
    columns: Mapping[str, Sequence[Any]],
    extent: int = EXTENT,
) -> bytes:
    """One layer as a tile.

    Parameters
    ----------
    name
        Name of the layer.
    shapes
        Shapely geometries in tile units, y downwards, clipped (`geo.tilegeom`). Parts of a collection that are not of
        its highest dimension are dropped.
    ids
        A whole number >= 0 per shape.
    columns
        Values per shape: text, whole numbers, floats or booleans; None leaves the value out.
    extent
        Units along the tile's side.

    Returns
    -------
    tile
        The tile's bytes; empty when nothing can be drawn.
    """
    drawn = _geometries(np.asarray(shapes, dtype=object))
    if not drawn:
        return b""
    order = np.array([row for row, _, _ in drawn])
    tags, values = _tags(columns, order)
    parts: list[bytes] = []
    for (row, kind, commands), tag in zip(drawn, tags, strict=True):
        # id, tags, type, geometry; each with its field number and wire type in front.
        body = b"".join(
            (
                b"\x08",
                _varint(int(ids[row])),
                b"\x12",
                _varint(len(tag)),
                tag,
                kind,
                b"\x22",
                _varint(len(commands)),
                commands,
            )
        )
        parts.append(b"\x12" + _varint(len(body)) + body)
    parts.extend(_block(0x1A, key.encode()) for key in columns)
    parts.extend(_block(0x22, value) for value in values)
    layer = _block(0x0A, name.encode()) + b"".join(parts) + b"\x28" + _varint(extent) + b"\x78\x02"
    return _block(0x1A, layer)


def _varint(number: int) -> bytes:
    if number < 128:
        return bytes((number,))
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _block(field: int, body: bytes) -> bytes:
    return bytes((field,)) + _varint(len(body)) + body


def _varints(numbers: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Unsigned numbers below 2**35 as one run of varints, and where each number ends in it."""
    numbers = numbers.astype(np.uint64)
    length = np.ones(len(numbers), np.int64)
    for bits in (7, 14, 21, 28):
        length += numbers >= (1 << bits)
    ends = np.cumsum(length)
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - length
    for byte in range(int(length.max(initial=0))):
        rows = np.flatnonzero(length > byte)
        low = (numbers[rows] >> np.uint64(7 * byte)) & np.uint64(127)
        out[starts[rows] + byte] = low.astype(np.uint8) | ((length[rows] > byte + 1) * 128).astype(np.uint8)
    return out.tobytes(), ends


def _zigzag(numbers: np.ndarray) -> np.ndarray:
    return (numbers << 1) ^ (numbers >> 63)


def _slices(run: bytes, ends: np.ndarray, counts: np.ndarray) -> list[bytes]:
    """The run cut into pieces of `counts` numbers each."""
    stops = np.concatenate([[0], np.cumsum(counts)])
    edges = np.concatenate([[0], ends])[stops].tolist()
    return [run[start:stop] for start, stop in itertools.pairwise(edges)]


def _geometries(shapes: np.ndarray) -> list[tuple[int, bytes, bytes]]:
    """(row, type field, commands) of every shape that can be drawn, points first, polygons last."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    nested = shapely.get_type_id(parts) > 3
    while nested.any():  # collections inside collections
        deeper, above = shapely.get_parts(parts, return_index=True)
        parts, row = deeper, row[above]
        nested = shapely.get_type_id(parts) > 3
    full = ~(shapely.is_missing(parts) | shapely.is_empty(parts))
    parts, row = parts[full], row[full]
    dimension = shapely.get_dimensions(parts)
    highest = np.full(len(shapes), -1)
    np.maximum.at(highest, row, dimension)
    keep = dimension == highest[row]
    parts, row, dimension = parts[keep], row[keep], dimension[keep]
    found: list[tuple[int, bytes, bytes]] = []
    for wanted, draw, kind in ((0, _points, _POINT), (1, _lines, _LINES), (2, _polygons, _POLYGON)):
        chosen = dimension == wanted
        if chosen.any():
            rows, commands = draw(parts[chosen], row[chosen])
            kind_field = b"\x18" + bytes((kind,))
            found.extend((r, kind_field, c) for r, c in zip(rows, commands, strict=True))
    return found


def _points(parts: np.ndarray, row: np.ndarray) -> tuple[list[int], list[bytes]]:
    xy = np.rint(shapely.get_coordinates(parts)).astype(np.int64)
    first = np.concatenate([[True], row[1:] != row[:-1]])
    start = np.flatnonzero(first)
    count = np.diff(np.concatenate([start, [len(row)]]))
    step = xy.copy()
    step[1:] -= np.where(first[1:, None], 0, xy[:-1])
    total = count * 2 + 1
    flat = np.empty(int(total.sum()), np.int64)
    offset = np.cumsum(total) - total
    flat[offset] = (count << 3) | _MOVE
    place = np.arange(len(xy)) * 2 + np.cumsum(first)
    flat[place], flat[place + 1] = _zigzag(step[:, 0]), _zigzag(step[:, 1])
    return row[start].tolist(), _slices(*_varints(flat), total)


def _lines(parts: np.ndarray, row: np.ndarray) -> tuple[list[int], list[bytes]]:
    xy, part = shapely.get_coordinates(parts, return_index=True)
    xy, part = _distinct(np.rint(xy).astype(np.int64), part)
    xy, part = _long_enough(xy, part, 2)
    return _strokes(xy, part, row[part], closed=False)


def _polygons(parts: np.ndarray, row: np.ndarray) -> tuple[list[int], list[bytes]]:
    rings, polygon = shapely.get_rings(parts, return_index=True)
    outer = np.concatenate([[True], polygon[1:] != polygon[:-1]])
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    # The closing vertex is not written: the command that closes a ring stands for it.
    last = np.concatenate([ring[1:] != ring[:-1], [True]])
    xy, ring = _distinct(np.rint(xy[~last]).astype(np.int64), ring[~last], closed=True)
    xy, ring = _long_enough(xy, ring, 3)
    if not len(xy):
        return [], []
    start, count = _runs(ring)
    following = np.arange(1, len(xy) + 1)
    following[start + count - 1] = start
    doubled_area = np.add.reduceat(xy[:, 0] * xy[following, 1] - xy[following, 0] * xy[:, 1], start)
    which = ring[start]
    # A polygon whose exterior collapsed has no holes either.
    standing = np.zeros(len(parts), dtype=bool)
    standing[polygon[which[outer[which] & (doubled_area != 0)]]] = True
    keep = (doubled_area != 0) & standing[polygon[which]]
    flip = (doubled_area > 0) != outer[which]
    position = np.arange(len(xy))
    turned = np.repeat(start * 2 + count - 1, count) - position
    xy = xy[np.where(np.repeat(flip, count), turned, position)]
    kept = np.repeat(keep, count)
    xy, ring = xy[kept], ring[kept]
    return _strokes(xy, ring, row[polygon[ring]], closed=True)


def _runs(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each run of equal numbers starts, and its length."""
    start = np.flatnonzero(np.concatenate([[True], part[1:] != part[:-1]])) if len(part) else np.empty(0, np.int64)
    return start, np.diff(np.concatenate([start, [len(part)]]))


def _distinct(xy: np.ndarray, part: np.ndarray, *, closed: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Without vertices equal to the one before; in closed rings also without a last one equal to the first."""
    if not len(xy):
        return xy, part
    same = np.concatenate([[False], (xy[1:] == xy[:-1]).all(axis=1) & (part[1:] == part[:-1])])
    xy, part = xy[~same], part[~same]
    if closed:
        start, count = _runs(part)
        end = start + count - 1
        back = (count > 1) & (xy[start] == xy[end]).all(axis=1)
        keep = np.ones(len(xy), dtype=bool)
        keep[end[back]] = False
        xy, part = xy[keep], part[keep]
    return xy, part


def _long_enough(xy: np.ndarray, part: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    _, count = _runs(part)
    keep = np.repeat(count >= least, count)
    return xy[keep], part[keep]


def _strokes(xy: np.ndarray, part: np.ndarray, row: np.ndarray, *, closed: bool) -> tuple[list[int], list[bytes]]:
    """Move, line and close commands of lines or rings, per shape."""
    if not len(xy):
        return [], []
    start, count = _runs(part)
    shape_start, _ = _runs(row)
    step = xy.copy()
    step[1:] -= xy[:-1]
    step[shape_start] = xy[shape_start]  # the pen starts at the tile's corner for every shape
    # Per part: move, dx, dy, line, dx, dy, ..., close.
    total = count * 2 + (3 if closed else 2)
    offset = np.cumsum(total) - total
    flat = np.empty(int(total.sum()), np.int64)
    flat[offset] = (1 << 3) | _MOVE
    flat[offset + 3] = ((count - 1) << 3) | _LINE
    if closed:
        flat[offset + total - 1] = _CLOSE
    within = np.arange(len(xy)) - np.repeat(start, count)
    place = np.repeat(offset, count) + 1 + within * 2 + (within > 0)
    flat[place], flat[place + 1] = _zigzag(step[:, 0]), _zigzag(step[:, 1])
    part_row = row[start]
    row_start, _ = _runs(part_row)
    per_shape = np.add.reduceat(total, row_start)
    return part_row[row_start].tolist(), _slices(*_varints(flat), per_shape)


def _tags(columns: Mapping[str, Sequence[Any]], order: np.ndarray) -> tuple[list[bytes], list[bytes]]:
    """The tag bytes of each drawn shape, and the encoded distinct values."""
    known: dict[tuple[type, Any], int] = {}
    numbers = np.full((len(order), len(columns), 2), -1, np.int64)
    for key, given in enumerate(columns.values()):
        for at, row in enumerate(order.tolist()):
            value = given[row]
            if value is None:
                continue
            # The type is part of the key: True, 1 and 1.0 are equal to Python and three values to a tile.
            numbers[at, key, 1] = known.setdefault((type(value), value), len(known))
        numbers[:, key, 0] = key
    there = numbers[:, :, 1] >= 0
    run, ends = _varints(numbers[there].ravel())
    return _slices(run, ends, there.sum(axis=1) * 2), [_value(value) for _, value in known]


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _block(0x0A, value.encode("utf-8", "replace"))
    if isinstance(value, (bool, np.bool_)):
        return b"\x38" + bytes((bool(value),))
    if isinstance(value, (int, np.integer)):
        number = int(value)
        return b"\x28" + _varint(number) if number >= 0 else b"\x30" + _varint((-number << 1) - 1)
    return b"\x19" + struct.pack("<d", float(value))
