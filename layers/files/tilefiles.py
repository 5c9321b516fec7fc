"""Raster tiles from one file: MBTiles (SQLite) and PMTiles version 3, read only.

Sources: MBTiles specification 1.3 (Mapbox, 2018); PMTiles specification version 3 (Protomaps, 2022): a header of 127
bytes, directories of varints sorted by tile number along a Hilbert curve per zoom, root directory first.
"""

import sqlite3
import struct
import threading
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from geo.errors import InputError, StoreError
from geo.words import Text

IMAGE_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_PM_TYPES = {2: "png", 3: "jpg", 4: "webp"}
_HEADER_BYTES = 127
_NONE, _GZIP = 1, 2
_LARGEST_DIRECTORY = 4 << 20
_LARGEST_TILE = 4 << 20
_DEPTH = 4


def open_tiles(path: Path) -> "MbTiles | PmTiles":
    """The tiles of a .mbtiles or .pmtiles file.

    Raises
    ------
    InputError
        When the file is of neither format, or holds vector tiles or a compression that cannot be read.
    StoreError
        When the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise StoreError(
            Text(f"无法读取底图文件 {path.name}。", f"Cannot read the basemap {path.name}."), where=path.name
        ) from error
    if head.startswith(b"SQLite format 3\0"):
        return MbTiles(path)
    if head.startswith(b"PMTiles\x03"):
        return PmTiles(path)
    raise _refused(path, "应为 MBTiles 或第 3 版 PMTiles。", "MBTiles or PMTiles version 3 is wanted.")


def _refused(path: Path, zh: str, en: str) -> InputError:
    return InputError(
        Text(f"底图文件 {path.name} 不能使用：{zh}", f"The basemap {path.name} cannot be used: {en}"), where=path.name
    )


@dataclass(frozen=True, slots=True)
class About:
    """What a file of tiles says about itself; bounds in degrees."""

    format: str
    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float] | None
    attribution: str


class MbTiles:
    """Tiles in an SQLite file, opened read-only and without trust in its schema."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path.as_uri() + "?mode=ro", uri=True, check_same_thread=False)
        self._connection.execute("PRAGMA query_only = on")
        self._connection.execute("PRAGMA trusted_schema = off")
        try:
            # A view may stand for the table (the specification allows it); anything else is not a file of tiles.
            facts = dict(self._connection.execute("SELECT name, value FROM metadata LIMIT 1000").fetchall())
            zooms = self._connection.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
        except sqlite3.Error as error:
            self._connection.close()
            raise _refused(path, "缺少 metadata 或 tiles 表。", "it has no tables metadata and tiles.") from error
        kind = str(facts.get("format", "png")).lower().replace("jpeg", "jpg")
        if kind not in IMAGE_TYPES:
            self._connection.close()
            raise _refused(path, "只支持栅格瓦片（png、jpg、webp）。", "only raster tiles (png, jpg, webp) are read.")
        self.about = About(
            kind, zooms[0] or 0, zooms[1] or 0, _bounds(facts.get("bounds")), str(facts.get("attribution", ""))[:500]
        )

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The image, or None when the file has none there; rows are counted from the south in the file."""
        query = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"
        try:
            with self._lock:
                row = self._connection.execute(query, (z, x, 2**z - 1 - y)).fetchone()
        except sqlite3.Error as error:
            raise StoreError(Text("底图文件已损坏。", "The basemap file is damaged."), where=self.path.name) from error
        return bytes(row[0]) if row and isinstance(row[0], bytes) else None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _bounds(given: Any) -> tuple[float, float, float, float] | None:
    try:
        west, south, east, north = (float(part) for part in str(given).split(","))
    except ValueError:
        return None
    inside = -180 <= west < east <= 180 and -90 <= south < north <= 90
    return (west, south, east, north) if inside else None


class PmTiles:
    """Tiles in a PMTiles version 3 archive on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        self._lock = threading.Lock()
        self._size = path.stat().st_size
        header = self._file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            self._file.close()
            raise _refused(path, "文件不完整。", "the file is cut short.")
        self._root, self._leaves, self._data = (struct.unpack_from("<QQ", header, at) for at in (8, 40, 56))
        self._packed, tile_packed, kind, low, high = header[97], header[98], header[99], header[100], header[101]
        if kind not in _PM_TYPES:
            self._file.close()
            raise _refused(path, "只支持栅格瓦片（png、jpg、webp）。", "only raster tiles (png, jpg, webp) are read.")
        if self._packed not in (_NONE, _GZIP) or tile_packed not in (0, _NONE):
            self._file.close()
            raise _refused(path, "使用了不支持的压缩方式。", "it uses a compression that is not read here.")
        corners = [value / 1e7 for value in struct.unpack_from("<iiii", header, 102)]
        self.about = About(_PM_TYPES[kind], low, high, _bounds(",".join(map(str, corners))), "")
        # Leaf directories are few and asked for again and again.
        self._directory = lru_cache(maxsize=64)(self._read_directory)

    def _slice(self, offset: int, length: int, most: int) -> bytes:
        if length > most or offset < 0 or offset + length > self._size:
            raise self._damaged()
        with self._lock:
            self._file.seek(offset)
            return self._file.read(length)

    def _damaged(self) -> StoreError:
        return StoreError(Text("底图文件已损坏。", "The basemap file is damaged."), where=self.path.name)

    def _read_directory(self, offset: int, length: int) -> list[tuple[int, int, int, int]]:
        """Entries (first tile number, run length, offset, length), ascending."""
        packed = self._slice(offset, length, _LARGEST_DIRECTORY)
        try:
            raw = packed if self._packed == _NONE else _unpacked(packed)
            return _entries(raw)
        except (ValueError, IndexError, OSError, EOFError, zlib.error) as error:
            raise self._damaged() from error

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The image, or None when the file has none there."""
        wanted = hilbert_number(z, x, y)
        offset, length = self._root
        for _ in range(_DEPTH):
            entry = _find(self._directory(offset, length), wanted)
            if entry is None:
                return None
            first, run, at, size = entry
            if run:
                inside = wanted < first + run
                return self._slice(self._data[0] + at, size, _LARGEST_TILE) if inside else None
            offset, length = self._leaves[0] + at, size
        raise self._damaged()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unpacked(packed: bytes) -> bytes:
    stream = zlib.decompressobj(31)
    raw = stream.decompress(packed, _LARGEST_DIRECTORY * 4)
    if stream.unconsumed_tail or not stream.eof:
        raise ValueError("directory too large or cut short")
    return raw


def _entries(raw: bytes) -> list[tuple[int, int, int, int]]:
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = raw[position]
            position += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("number too large")

    count = varint()
    if count > len(raw):
        raise ValueError("more entries than bytes")
    numbers, last = [], 0
    for _ in range(count):
        last += varint()
        numbers.append(last)
    runs = [varint() for _ in range(count)]
    lengths = [varint() for _ in range(count)]
    offsets: list[int] = []
    for row in range(count):
        given = varint()
        # Nought: the tile follows the one before it.
        offsets.append(offsets[-1] + lengths[row - 1] if given == 0 and row else given - 1)
    return list(zip(numbers, runs, offsets, lengths, strict=True))


def _find(entries: list[tuple[int, int, int, int]], wanted: int) -> tuple[int, int, int, int] | None:
    low, high = 0, len(entries)
    while low < high:
        middle = (low + high) // 2
        if entries[middle][0] <= wanted:
            low = middle + 1
        else:
            high = middle
    return entries[low - 1] if low else None


def hilbert_number(z: int, x: int, y: int) -> int:
    """Number of a tile in PMTiles: all tiles of lower zooms first, then along the Hilbert curve of its zoom."""
    number = (4**z - 1) // 3
    side = 1 << z
    half = side >> 1
    while half:
        right, down = int(bool(x & half)), int(bool(y & half))
        number += half * half * ((3 * right) ^ down)
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        half >>= 1
    return number
