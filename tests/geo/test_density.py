"""The density surface against the exact sum, and its bookkeeping."""

import numpy as np
import pytest

from geo.density import kernel_density
from geo.errors import InputError

BOUNDS = (0.0, 0.0, 20_000.0, 10_000.0)


def exact(x, y, at_x, at_y, bandwidth):
    """Sum of the kernels of all points, by definition."""
    square = (np.asarray(x)[:, None] - at_x) ** 2 + (np.asarray(y)[:, None] - at_y) ** 2
    return np.exp(-square / (2 * bandwidth**2)).sum(axis=0) / (2 * np.pi * bandwidth**2)


def cloud(seed=1, n=20_000):
    """Clustered points, some of them outside the bounds."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform((0, 0), (20_000, 10_000), (60, 2))[rng.integers(0, 60, n)]
    return (centre + rng.normal(0, 900, (n, 2))).T


def test_one_point_has_mass_one_and_the_peak_of_the_kernel():
    found = kernel_density([10_050.0], [5_050.0], bounds=BOUNDS, cell_m=100, bandwidth_m=500)
    assert found.per_m2.shape == (100, 200)
    assert found.per_m2.sum() * 100**2 == pytest.approx(1.0, abs=1e-6)
    assert found.per_m2.max() == pytest.approx(1 / (2 * np.pi * 500**2), rel=0.01)
    assert np.unravel_index(found.per_m2.argmax(), found.per_m2.shape) == (50, 100)
    assert found.effective_count().max() == pytest.approx(1.0, rel=0.01)


def test_it_agrees_with_the_exact_sum_to_a_thousandth_of_the_peak():
    x, y = cloud()
    found = kernel_density(x, y, bounds=BOUNDS, cell_m=100, bandwidth_m=500)
    rng = np.random.default_rng(2)
    row, column = rng.integers(0, 100, 300), rng.integers(0, 200, 300)
    truth = exact(x, y, column * 100 + 50.0, row * 100 + 50.0, 500)
    assert np.abs(found.per_m2[row, column] - truth).max() / found.per_m2.max() < 1e-3


def test_a_change_of_units_changes_nothing_but_the_unit():
    x, y = cloud()
    metres = kernel_density(x, y, bounds=BOUNDS, cell_m=100, bandwidth_m=500)
    kilometres = kernel_density(x / 1000, y / 1000, bounds=(0, 0, 20, 10), cell_m=0.1, bandwidth_m=0.5)
    assert kilometres.per_m2.shape == metres.per_m2.shape
    np.testing.assert_allclose(kilometres.per_m2, metres.per_m2 * 1e6, rtol=1e-6, atol=1e-9)


def test_points_beyond_the_edge_count_as_far_as_they_reach_in():
    found = kernel_density([-300.0], [5_050.0], bounds=BOUNDS, cell_m=100, bandwidth_m=500)
    assert found.per_m2[50, 0] == pytest.approx(exact([-300.0], [5_050.0], [50.0], [5_050.0], 500)[0], rel=0.01)


def test_even_points_give_an_even_surface_up_to_the_edge_of_the_mask():
    x, y = (part.ravel() for part in np.meshgrid(np.arange(25, 10_000, 50.0), np.arange(25, 10_000, 50.0)))
    mask = np.zeros((100, 200))
    mask[:, :100] = 1.0
    found = kernel_density(x, y, bounds=BOUNDS, cell_m=100, bandwidth_m=500, mask=mask)
    assert np.isnan(found.per_m2[:, 100:]).all()
    np.testing.assert_allclose(found.per_m2[:, :100], 1 / 50**2, rtol=0.01)


def test_rows_without_a_position_are_left_out():
    x, y = cloud(n=50)
    with_gap = kernel_density(np.append(x, np.nan), np.append(y, 5.0), bounds=BOUNDS, cell_m=100, bandwidth_m=500)
    without = kernel_density(x, y, bounds=BOUNDS, cell_m=100, bandwidth_m=500)
    np.testing.assert_array_equal(with_gap.per_m2, without.per_m2)


def test_no_points_give_zero_everywhere():
    assert (kernel_density([], [], bounds=BOUNDS, cell_m=100, bandwidth_m=500).per_m2 == 0).all()


@pytest.mark.parametrize(("cell", "bandwidth"), [(0, 500), (400, 500), (100, np.nan), (0.5, 500)])
def test_sizes_that_do_not_fit_are_refused(cell, bandwidth):
    with pytest.raises(InputError):
        kernel_density([1.0], [1.0], bounds=BOUNDS, cell_m=cell, bandwidth_m=bandwidth)


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(InputError):
        kernel_density([1.0], [1.0], bounds=BOUNDS, cell_m=100, bandwidth_m=500, mask=np.ones((3, 3)))
