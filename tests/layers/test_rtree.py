"""R*Tree pages written whole are what SQLite itself would accept and find."""

import numpy as np
import pytest
from sqlalchemy import Connection, create_engine

from layers.storage import rtree


@pytest.fixture
def connection():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIRTUAL TABLE tree USING rtree(id, minx, maxx, miny, maxy)")
        yield connection
    engine.dispose()


def boxes(count: int, seed: int = 1) -> np.ndarray:
    """Boxes over a county, in lon/lat: minx, maxx, miny, maxy."""
    rng = np.random.default_rng(seed)
    low = rng.uniform((110, 21), (113, 24), (count, 2))
    size = rng.exponential(0.01, (count, 2)) * (rng.random((count, 1)) < 0.7)
    return np.stack([low[:, 0], low[:, 0] + size[:, 0], low[:, 1], low[:, 1] + size[:, 1]], axis=1)


def found(connection: Connection, window: tuple[float, float, float, float]) -> set[int]:
    """Ids that SQLite finds in a window (west, south, east, north)."""
    west, south, east, north = window
    query = "SELECT id FROM tree WHERE minx <= ? AND maxx >= ? AND miny <= ? AND maxy >= ?"
    return {row[0] for row in connection.exec_driver_sql(query, (east, west, north, south))}


def slow(given: np.ndarray, ids: np.ndarray, window: tuple[float, float, float, float]) -> set[int]:
    """The same by looking at every box."""
    west, south, east, north = window
    meets = (given[:, 0] <= east) & (given[:, 1] >= west) & (given[:, 2] <= north) & (given[:, 3] >= south)
    return set(ids[meets].tolist())


@pytest.mark.parametrize("count", [0, 1, 50, 51, 52, 51 * 51, 51 * 51 + 1, 20_000])
def test_packed_tree_is_sound_and_finds_every_box(connection, count: int) -> None:
    given, ids = boxes(count), np.arange(count) * 3 + 7
    rtree.write_all(connection, "tree", ids, given)
    assert connection.exec_driver_sql("SELECT rtreecheck('tree')").scalar_one() == "ok"
    assert rtree.count(connection, "tree") == count
    for window in ((111, 22, 111.2, 22.3), (110, 21, 114, 25), (112.5, 23.5, 112.5, 23.5)):
        expected = slow(given, ids, window)
        there = found(connection, window)
        assert expected <= there
        assert len(there - expected) <= 2 + count * 1e-4  # boxes are rounded outward to float32


def test_sqlite_goes_on_editing_a_packed_tree(connection) -> None:
    given, ids = boxes(5_000), np.arange(5_000)
    rtree.write_all(connection, "tree", ids, given)
    for number in range(0, 5_000, 3):
        connection.exec_driver_sql("DELETE FROM tree WHERE id = ?", (number,))
    more = boxes(500, seed=2)
    for number, box in enumerate(more.tolist(), 10_000):
        connection.exec_driver_sql("INSERT INTO tree VALUES (?, ?, ?, ?, ?)", (number, *box))
    assert connection.exec_driver_sql("SELECT rtreecheck('tree')").scalar_one() == "ok"
    assert rtree.count(connection, "tree") == 5_000 - 1_667 + 500


@pytest.mark.parametrize("added", [10, 300, 4_000])
def test_adding_few_or_many_gives_the_same_content(connection, added: int) -> None:
    first, more = boxes(3_000), boxes(added, seed=5)
    rtree.add(connection, "tree", np.arange(3_000), first)
    rtree.add(connection, "tree", np.arange(3_000, 3_000 + added), more)
    ids, kept = rtree.read_all(connection, "tree")
    order = np.argsort(ids)
    assert ids[order].tolist() == list(range(3_000 + added))
    np.testing.assert_allclose(kept[order], np.concatenate([first, more]), atol=1e-4)
    assert connection.exec_driver_sql("SELECT rtreecheck('tree')").scalar_one() == "ok"


def test_packing_again_does_not_let_boxes_grow(connection) -> None:
    given, ids = boxes(2_000), np.arange(2_000)
    rtree.write_all(connection, "tree", ids, given)
    once = rtree.read_all(connection, "tree")[1]
    for _ in range(3):
        again_ids, again = rtree.read_all(connection, "tree")
        rtree.write_all(connection, "tree", again_ids, again.astype(float))
    np.testing.assert_array_equal(np.sort(rtree.read_all(connection, "tree")[1], axis=0), np.sort(once, axis=0))


@pytest.mark.parametrize("gone", [5, 2_500])
def test_removing_few_or_many_leaves_the_rest(connection, gone: int) -> None:
    rtree.write_all(connection, "tree", np.arange(3_000), boxes(3_000))
    rtree.remove(connection, "tree", np.arange(gone) * 100_000)
    assert rtree.count(connection, "tree") == 2_999
    rtree.remove(connection, "tree", np.arange(1, gone + 1))
    assert sorted(rtree.read_all(connection, "tree")[0].tolist()) == list(range(gone + 1, 3_000))
    assert connection.exec_driver_sql("SELECT rtreecheck('tree')").scalar_one() == "ok"


def test_extent_holds_every_box(connection) -> None:
    assert rtree.extent(connection, "tree") is None
    given = boxes(4_000)
    rtree.write_all(connection, "tree", np.arange(4_000), given)
    west, south, east, north = rtree.extent(connection, "tree")
    assert west <= given[:, 0].min() <= west + 1e-4
    assert south <= given[:, 2].min() <= south + 1e-4
    assert east - 1e-4 <= given[:, 1].max() <= east
    assert north - 1e-4 <= given[:, 3].max() <= north


def test_float32_boxes_are_rounded_outward() -> None:
    given = boxes(10_000)
    small = rtree._outward(given).astype(float)
    assert (small[:, [0, 2]] <= given[:, [0, 2]]).all()
    assert (small[:, [1, 3]] >= given[:, [1, 3]]).all()
