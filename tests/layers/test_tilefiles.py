"""Raster tiles from MBTiles and PMTiles files, whole and broken."""

import gzip
import sqlite3
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError, StoreError
from layers.tilefiles import MbTiles, PmTiles, hilbert_number, open_tiles

PNG = b"\x89PNG\r\n\x1a\n"


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


TILES = {
    (z, x, y): PNG + f"{z}/{x}/{y}".encode() for z in range(4) for x in range(2**z) for y in range(2**z) if (x + y) % 3
}


@pytest.mark.parametrize("form", ["mbtiles", "pmtiles", "pmtiles with leaves"])
def test_every_tile_is_found_and_no_other(tmp_path, form):
    if form == "mbtiles":
        tiles = open_tiles(
            make_mbtiles(tmp_path / "a.mbtiles", TILES, format="png", bounds="110,27,112,28", attribution="x")
        )
    else:
        tiles = open_tiles(make_pmtiles(tmp_path / "a.pmtiles", TILES, leaves="leaves" in form))
    for z in range(5):
        for x in range(2**z):
            for y in range(2**z):
                assert tiles.tile(z, x, y) == TILES.get((z, x, y))
    assert tiles.about.format == "png" and tiles.about.bounds is not None
    tiles.close()


def test_tile_numbers_follow_the_curve():
    # From the specification: 0 for the world, then 1..4 on zoom 1 in the order of the curve.
    assert hilbert_number(0, 0, 0) == 0
    assert [hilbert_number(1, x, y) for x, y in ((0, 0), (0, 1), (1, 1), (1, 0))] == [1, 2, 3, 4]
    assert hilbert_number(12, 3423, 1763) == 19078479
    for z in range(6):
        first = (4**z - 1) // 3
        found = {hilbert_number(z, x, y) for x in range(2**z) for y in range(2**z)}
        assert found == set(range(first, first + 4**z))


@given(st.integers(1, 22), st.data())
def test_neighbours_on_the_curve_are_neighbours_on_the_map(z, data):
    x, y = data.draw(st.integers(0, 2**z - 1)), data.draw(st.integers(0, 2**z - 1))
    number = hilbert_number(z, x, y)
    around = [
        (x + dx, y + dy) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)) if 0 <= x + dx < 2**z and 0 <= y + dy < 2**z
    ]
    steps = {abs(hilbert_number(z, *place) - number) for place in around}
    assert 1 in steps


@pytest.mark.parametrize("content", [b"", b"text", b"PMTiles\x02" + b"\0" * 200, b"PMTiles\x03short", b"<?xml?>"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.pmtiles"
    path.write_bytes(content)
    with pytest.raises(InputError):
        open_tiles(path)


def test_vector_tiles_and_other_databases_are_refused(tmp_path):
    with pytest.raises(InputError):
        open_tiles(make_pmtiles(tmp_path / "v.pmtiles", TILES, kind=1))
    with pytest.raises(InputError):
        open_tiles(make_pmtiles(tmp_path / "g.pmtiles", TILES, tile_packing=2))
    with pytest.raises(InputError):
        open_tiles(make_mbtiles(tmp_path / "v.mbtiles", TILES, format="pbf"))
    other = sqlite3.connect(tmp_path / "other.mbtiles")
    other.execute("create table account (name text)")
    other.commit()
    other.close()
    with pytest.raises(InputError):
        open_tiles(tmp_path / "other.mbtiles")
    with pytest.raises(StoreError):
        open_tiles(tmp_path / "none.mbtiles")


def test_a_tiles_file_cannot_be_written_through_us(tmp_path):
    tiles = open_tiles(make_mbtiles(tmp_path / "a.mbtiles", TILES))
    assert isinstance(tiles, MbTiles)
    with pytest.raises(sqlite3.OperationalError):
        tiles._connection.execute("delete from tiles")
    tiles.close()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_archive_is_an_error_or_a_tile_but_never_a_fault(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    whole = make_pmtiles(folder / "whole.pmtiles", TILES, leaves=True).read_bytes()
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "broken.pmtiles"
    path.write_bytes(bytes(broken[: data.draw(st.integers(127, len(whole)))]))
    try:
        tiles = open_tiles(path)
    except InputError:
        return
    assert isinstance(tiles, PmTiles)
    for place in ((0, 0, 0), (3, 2, 5), (3, 7, 7)):
        try:
            found = tiles.tile(*place)
        except StoreError:
            continue
        assert found is None or isinstance(found, bytes)
    tiles.close()
