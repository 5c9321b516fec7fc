"""Codes of areas that begin: the next free ones, in reading order, never one that was ever used."""

import pytest
import shapely
from gridded import V1, A, grids
from squares import put

from geo.errors import LimitError
from geo.refusals import RefusedError
from layers.places import grid_codes, lineage
from layers.places.grid_codes import Numbering
from layers.storage import schema
from layers.storage.store import Store


def boxes(*corners: tuple[float, float]) -> list[shapely.Polygon]:
    """Squares of 100 m."""
    return [shapely.box(x, y, x + 100, y + 100) for x, y in corners]


def test_new_areas_are_numbered_from_the_north_and_within_a_band_from_the_west() -> None:
    shapes = boxes((0, 0), (200, 10), (100, -5), (100, 300), (0, 290))
    assert grid_codes.numbered(shapes) == [4, 3, 0, 2, 1]
    assert grid_codes.numbered([]) == []


def test_the_upper_half_comes_first_and_the_left_half_comes_first() -> None:
    assert grid_codes.numbered([shapely.box(0, 0, 10, 50), shapely.box(0, 50, 10, 100)]) == [1, 0]
    assert grid_codes.numbered([shapely.box(50, 0, 100, 99), shapely.box(0, 0, 50, 100)]) == [1, 0]


def test_a_grid_takes_the_next_free_number_of_its_village() -> None:
    used = {f"{V1}001", f"{V1}003"}
    numbering = Numbering("grid", True, used)
    assert numbering.give([f"{V1}001"], boxes((100, 0), (0, 0)), V1) == [f"{V1}004", f"{V1}002"]
    assert numbering.give([f"{V1}001"], boxes((0, 0)), V1, dedicated=True) == [f"{V1}900"]
    assert numbering.give([f"{V1}001"], boxes((0, 0)), None) == [f"{V1}005"]


def test_when_the_numbers_are_used_up_that_is_said() -> None:
    used = {f"{V1}{number:03d}" for number in range(900, 1000)}
    with pytest.raises(LimitError):
        Numbering("grid", True, used).give([f"{V1}001"], boxes((0, 0)), V1, dedicated=True)


@pytest.mark.parametrize(
    ("level", "source", "expected"),
    [
        ("village", "990983102201", "990983102202"),
        ("village", "990983103001", "990983103003"),
        ("township", "990983102000", "990983104000"),
    ],
)
def test_villages_and_townships_stay_in_the_range_they_come_from(level: str, source: str, expected: str) -> None:
    used = {
        "990983102201",
        "990983103001",
        "990983103002",
        "990983102000",
        "990983100000",
        "990983101000",
        "990983103000",
    }
    assert Numbering(level, True, used).give([source], boxes((0, 0)), None) == [expected]


def test_in_a_free_store_a_new_area_is_called_after_the_old_one() -> None:
    numbering = Numbering("grid", False, {"A", "A-1"})
    assert numbering.give(["A"], boxes((0, 0), (100, 0)), None) == ["A-2", "A-3"]
    with pytest.raises(LimitError):
        numbering.give(["x" * 63], boxes((0, 0)), None)


def test_a_code_counts_as_used_for_ever(gridded_store: Store) -> None:
    store = gridded_store
    undone = put(store, "grid", grids().iloc[:1].assign(grid_code=f"{V1}050"))
    with store.write() as connection:
        connection.execute(schema.change.update().where(schema.change.c.id == undone).values(state="undone"))
        from geo.shares import Share

        lineage.write(connection, "grid", [Share(f"{V1}060", f"{V1}061", 1.0)], {}, "2026-01-01", undone)
    with store.read() as connection:
        used = grid_codes.used_codes(connection, "grid", [V1])
        assert used == {A, f"{V1}002", f"{V1}003", f"{V1}004", f"{V1}050", f"{V1}060", f"{V1}061"}
        assert grid_codes.known_codes(connection, "grid", [A, f"{V1}050", f"{V1}099"]) == {A, f"{V1}050"}
        assert grid_codes.used_codes(connection, "grid", ["%"]) == set()


def test_a_code_that_was_used_cannot_be_asked_for() -> None:
    grid_codes.require_unused(["new"], {"old"})
    with pytest.raises(RefusedError) as refused:
        grid_codes.require_unused(["new", "old"], {"old"})
    assert (refused.value.reason, refused.value.codes) == ("malformed", ("old",))
