"""Equal-area cells over an outline, and neighbours of areas."""

import numpy as np
import pytest
import shapely

from geo.cells import hex_cells, neighbours_of_areas, square_cells
from geo.errors import InputError

RING = shapely.Point(500_000, 3_200_000).buffer(9_000, 48).difference(shapely.Point(499_000, 3_201_000).buffer(2_500))
ISLANDS = shapely.union_all([RING, shapely.box(512_000, 3_195_000, 513_777, 3_199_001)])
MAKERS = [hex_cells, square_cells]


@pytest.mark.parametrize("make", MAKERS)
def test_cells_cover_the_outline_exactly(make):
    cells = make(ISLANDS, 700)
    assert cells.area_m2.sum() == pytest.approx(ISLANDS.area, rel=1e-9)
    assert shapely.union_all(cells.geometry).symmetric_difference(ISLANDS).area < 1.0
    assert (cells.area_m2 > 0).all()


@pytest.mark.parametrize(("make", "full"), [(hex_cells, 700**2 * np.sqrt(0.75)), (square_cells, 700.0**2)])
def test_cells_that_are_not_cut_have_equal_area(make, full):
    cells = make(ISLANDS, 700)
    assert cells.area_m2.max() == pytest.approx(full, rel=1e-9)
    assert (np.isclose(cells.area_m2, full, rtol=1e-9)).mean() > 0.6


@pytest.mark.parametrize("make", MAKERS)
def test_every_point_of_the_outline_is_in_the_cell_that_contains_it(make):
    rng = np.random.default_rng(1)
    cells = make(ISLANDS, 700)
    x, y = rng.uniform(489_000, 515_000, 20_000), rng.uniform(3_190_000, 3_210_000, 20_000)
    home = cells.home(x, y)
    inside = shapely.contains_xy(ISLANDS, x, y)
    assert (home[inside] >= 0).all()
    assert shapely.intersects_xy(cells.geometry[home[inside]], x[inside], y[inside]).all()


@pytest.mark.parametrize("make", MAKERS)
def test_a_point_far_away_or_without_position_is_in_no_cell(make):
    cells = make(ISLANDS, 700)
    assert cells.home([0.0, 1e7, np.nan, 5e5], [0.0, 3.2e6, 3.2e6, np.inf]).tolist() == [-1, -1, -1, -1]


@pytest.mark.parametrize(("make", "most"), [(hex_cells, 7), (square_cells, 9)])
def test_neighbours_are_the_cells_next_door_and_the_cell_itself(make, most):
    cells = make(shapely.box(500_000, 3_200_000, 505_000, 3_204_000), 500)
    slow = neighbours_of_areas(cells.geometry, tolerance_m=1e-6)
    assert (cells.neighbours != slow).nnz == 0
    assert (cells.neighbours.diagonal() == 1).all()
    assert cells.neighbours.sum(axis=1).max() == most


@pytest.mark.parametrize("make", MAKERS)
def test_cells_keep_their_names_when_the_outline_grows(make):
    small = make(shapely.box(500_100, 3_200_100, 503_000, 3_202_000), 500)
    large = make(shapely.box(498_000, 3_199_000, 505_000, 3_204_000), 500)
    x, y = np.array([501_234.0, 502_777.0]), np.array([3_201_111.0, 3_200_500.5])
    assert small.codes[small.home(x, y)].tolist() == large.codes[large.home(x, y)].tolist()
    assert len(set(large.codes)) == len(large)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("size", [0, -5, np.nan, 1])
def test_senseless_and_far_too_small_cells_are_refused(make, size):
    with pytest.raises(InputError):
        make(RING, size)


@pytest.mark.parametrize("make", MAKERS)
def test_an_outline_smaller_than_a_cell_is_one_to_a_few_cells(make):
    dot = shapely.Point(500_333, 3_200_444).buffer(20)
    cells = make(dot, 1000)
    assert 1 <= len(cells) <= 4
    assert cells.area_m2.sum() == pytest.approx(dot.area)


def test_queen_neighbours_share_a_border_or_a_corner():
    squares = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 1, 3, 2), shapely.box(9, 9, 10, 10)]
    near = neighbours_of_areas(squares).toarray()
    assert near.tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]]


def test_areas_that_miss_each_other_narrowly_are_neighbours_within_the_tolerance():
    squares = np.array([shapely.box(0, 0, 100, 100), shapely.box(100.6, 0, 200, 100), None], dtype=object)
    assert neighbours_of_areas(squares).toarray()[0].tolist() == [1, 0, 0]
    assert neighbours_of_areas(squares, tolerance_m=1.0).toarray().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
