"""Small files of raster tiles, written as the two specifications say."""

import gzip
import sqlite3
import struct
import zlib
from pathlib import Path

from layers.files.tilefiles import hilbert_number

PNG = b"\x89PNG\r\n\x1a\n"


def picture(dots: dict[tuple[int, int], bytes] | None = None, *, ground: bytes = b"\xee\xee\xe4") -> bytes:
    """A tile of 256 pixels a side as PNG: one colour, and pixels of others by column and row."""
    rows = [bytearray(ground * 256) for _ in range(256)]
    for (column, row), colour in (dots or {}).items():
        rows[row][3 * column : 3 * column + 3] = colour
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 256, 256, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))),
        (b"IEND", b""),
    ]
    return PNG + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def make_mbtiles(path: Path, tiles: dict[tuple[int, int, int], bytes], **metadata: str) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("create table metadata (name text, value text)")
    connection.execute("create table tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)")
    connection.executemany("insert into metadata values (?, ?)", metadata.items())
    connection.executemany(
        "insert into tiles values (?, ?, ?, ?)", [(z, x, 2**z - 1 - y, data) for (z, x, y), data in tiles.items()]
    )
    connection.commit()
    connection.close()
    return path


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def directory(entries: list[tuple[int, int, int, int]]) -> bytes:
    """(number, run, offset, length) as PMTiles writes them, contiguous offsets as nought."""
    numbers = [entry[0] for entry in entries]
    parts = [varint(len(entries))]
    parts += [varint(now - before) for now, before in zip(numbers, [0, *numbers], strict=False)]
    parts += [varint(entry[1]) for entry in entries]
    parts += [varint(entry[3]) for entry in entries]
    end = None
    for entry in entries:
        parts.append(varint(0 if entry[2] == end else entry[2] + 1))
        end = entry[2] + entry[3]
    return b"".join(parts)


def make_pmtiles(
    path: Path, tiles: dict[tuple[int, int, int], bytes], *, leaves: bool = False, kind: int = 2, tile_packing: int = 1
) -> Path:
    data, entries = b"", []
    for number, content in sorted((hilbert_number(*place), content) for place, content in tiles.items()):
        entries.append((number, 1, len(data), len(content)))
        data += content
    leaf = b""
    if leaves:
        half = len(entries) // 2
        first, second = (gzip.compress(directory(part)) for part in (entries[:half], entries[half:]))
        leaf = first + second
        root = gzip.compress(
            directory([(entries[0][0], 0, 0, len(first)), (entries[half][0], 0, len(first), len(second))])
        )
    else:
        root = gzip.compress(directory(entries))
    at = 127
    header = b"PMTiles\x03" + struct.pack("<QQ", at, len(root)) + struct.pack("<QQ", at + len(root), 0)
    header += struct.pack("<QQ", at + len(root), len(leaf)) + struct.pack("<QQ", at + len(root) + len(leaf), len(data))
    header += struct.pack("<QQQ", len(entries), len(entries), len(entries)) + bytes([1, 2, tile_packing, kind, 0, 12])
    header += (
        struct.pack("<iiii", *(round(v * 1e7) for v in (110.5, 27.0, 111.5, 28.0)))
        + bytes([8])
        + struct.pack("<ii", 0, 0)
    )
    assert len(header) == at
    path.write_bytes(header + root + leaf + data)
    return path
