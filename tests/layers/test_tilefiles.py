"""Raster tiles from MBTiles and PMTiles files, whole and broken."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tilefiles import PNG, make_mbtiles, make_pmtiles

from geo.errors import InputError, StoreError
from layers.files.tilefiles import MbTiles, PmTiles, hilbert_number, open_tiles

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
