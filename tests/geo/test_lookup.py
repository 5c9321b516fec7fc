"""The lookup against a slow obvious twin, and by hand where the answer can be said out loud."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
import specimens
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box
from shapely.affinity import affine_transform

from geo import lookup as lookup_module
from geo.errors import InputError
from geo.lookup import Lookup


def twin(codes, shapes, x, y):
    """The obvious way: every point against every area in code order, the first hit is the home."""
    order = sorted(range(len(codes)), key=lambda row: codes[row])
    home = np.full(len(x), -1)
    for point in range(len(x)):
        for rank, row in enumerate(order):
            if shapes[row] is not None and shapely.intersects(shapes[row], Point(x[point], y[point])):
                home[point] = rank
                break
    return home


def assert_like_twin(codes, shapes, x, y, cells=None):
    x, y = np.asarray(x, float), np.asarray(y, float)
    lookup = Lookup.build(codes, shapes, cells=cells)
    np.testing.assert_array_equal(lookup.home(x, y), twin(codes, shapes, x, y))


def probes(shapes, steps):
    """Vertices, edge midpoints and a raster over the extent: where mistakes would show."""
    kept = [shape for shape in shapes if shape is not None and not shape.is_empty]
    vertices = shapely.get_coordinates(kept)
    middles = (vertices[1:] + vertices[:-1]) / 2
    west, south, east, north = shapely.total_bounds(kept)
    raster = np.stack(np.meshgrid(np.linspace(west - 1, east + 1, steps), np.linspace(south - 1, north + 1, steps)), -1)
    together = np.concatenate([vertices, middles, raster.reshape(-1, 2)])
    return together[:, 0], together[:, 1]


def test_point_on_shared_border_belongs_to_the_lowest_code():
    lookup = Lookup.build(["b", "a"], [specimens.SQUARE, specimens.NEIGHBOUR])
    assert list(lookup.codes) == ["a", "b"]
    assert list(lookup.code_of([10, 10, 10], [0, 5, 10])) == ["a", "a", "a"]
    assert list(lookup.code_of([9.999999, 10.000001], [5, 5])) == ["b", "a"]


def test_point_on_a_corner_of_four_belongs_to_one():
    four = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 1, 2), box(1, 1, 2, 2)]
    for cells in (1, 2, 3, 16, 64, 100):
        assert list(Lookup.build(["4", "3", "2", "1"], four, cells=cells).code_of([1.0], [1.0])) == ["1"]


def test_hole_is_outside_and_the_island_in_it_is_inside():
    lookup = Lookup.build(["r"], [specimens.RING])
    assert lookup.home([5, 1, 3], [5, 1, 5]).tolist() == [-1, 0, 0]
    assert Lookup.build(["r"], [specimens.ISLAND_IN_HOLE]).home([5, 3.5], [5, 3.5]).tolist() == [0, -1]


def test_area_within_another_area_yields_to_the_lower_code():
    inner, outer = box(40, 40, 60, 60), box(0, 0, 100, 100)
    low_outside = Lookup.build(["1", "2"], [outer, inner])
    low_inside = Lookup.build(["2", "1"], [outer, inner])
    x, y = np.array([50.0, 40.0, 41.0, 10.0]), np.array([50.0, 50.0, 59.99, 10.0])
    assert low_outside.code_of(x, y).tolist() == ["1", "1", "1", "1"]
    assert low_inside.code_of(x, y).tolist() == ["1", "1", "1", "2"]


def test_cell_covered_by_one_area_and_crossed_by_another_knows_both():
    # One cell wide lattice: every cell is crossed by the small areas and covered by the large one.
    small = [box(x, y, x + 1, y + 1) for x in range(0, 20, 2) for y in range(0, 20, 2)]
    codes = [f"s{row:03d}" for row in range(len(small))] + ["z"]
    shapes = [*small, box(-50, -50, 50, 50)]
    for cells in (1, 4, 7, 33):
        assert_like_twin(codes, shapes, *probes(shapes, 12), cells=cells)


def test_nan_and_infinity_have_no_home():
    lookup = Lookup.build(["a"], [specimens.SQUARE])
    x = [np.nan, 5, np.inf, -np.inf, 1e308, 5, 5]
    y = [5, np.nan, 5, 5, 5, -1e308, 5]
    assert lookup.home(x, y).tolist() == [-1, -1, -1, -1, -1, -1, 0]


@pytest.mark.parametrize(
    "shapes",
    [
        [],
        [None],
        [Polygon()],
        [None, Polygon(), MultiPolygon()],
        [Point(1, 1)],
        [LineString([(0, 0), (9, 9)])],
        [Polygon([(0, 0), (np.inf, 0), (1, 1)])],
    ],
)
def test_layer_without_areas_is_never_hit(shapes):
    lookup = Lookup.build([str(row) for row in range(len(shapes))], shapes)
    assert lookup.home([0.0, 1.0, np.nan], [0.0, 1.0, 0.0]).tolist() == [-1, -1, -1]
    assert lookup.home([], []).shape == (0,)
    assert lookup.code_of([1.0], [1.0]).tolist() == [None]


def test_null_and_empty_areas_keep_their_row_numbers():
    shapes = [None, specimens.SQUARE, Polygon(), specimens.NEIGHBOUR, GeometryCollection([box(50, 50, 60, 60)])]
    lookup = Lookup.build(["a", "b", "c", "d", "e"], shapes)
    assert lookup.home([5, 15, 55], [5, 5, 55]).tolist() == [1, 3, -1]


def test_codes_and_shapes_of_different_number_are_refused():
    with pytest.raises(InputError):
        Lookup.build(["a", "b"], [specimens.SQUARE])


def test_flat_and_tiny_extents():
    sliver = specimens.SLIVER
    lookup = Lookup.build(["s"], [sliver])
    assert lookup.home([500, 500, 500], [0.002, 0.0041, -0.0001]).tolist() == [0, -1, -1]
    flat = Polygon([(0, 5), (10, 5), (4, 5)])
    assert Lookup.build(["f"], [flat]).home([3.0], [6.0]).tolist() == [-1]
    tiny = box(1e7, 1e7, 1e7 + 1e-6, 1e7 + 1e-6)
    assert Lookup.build(["t"], [tiny]).home([1e7, 1e7 + 5e-7, 1e7 - 1], [1e7, 1e7 + 5e-7, 1e7]).tolist() == [0, 0, -1]
    assert Lookup.build(["t"], [box(0, 0, 1e-9, 1e-9)]).home([1e305], [0.0]).tolist() == [-1]


def test_row_order_does_not_matter():
    shapes = list(specimens.voronoi(60, seed=3))
    codes = [f"{row:03d}" for row in range(len(shapes))]
    x, y = probes(shapes, 30)
    expected = Lookup.build(codes, shapes).code_of(x, y)
    shuffled = np.random.default_rng(1).permutation(len(codes))
    again = Lookup.build([codes[row] for row in shuffled], [shapes[row] for row in shuffled]).code_of(x, y)
    assert again.tolist() == expected.tolist()


def test_every_point_of_a_divided_land_is_counted_once():
    shapes = specimens.voronoi(200, seed=5)
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 100, 20_000), rng.uniform(0, 100, 20_000)
    home = Lookup.build([f"{row:03d}" for row in range(len(shapes))], shapes).home(x, y)
    outside = ~shapely.intersects_xy(shapely.union_all(shapes), x, y)
    assert np.bincount(home[home >= 0]).sum() + outside.sum() == len(x)
    assert (home < 0).sum() == outside.sum()


def test_diagonal_borders_through_lattice_corners():
    # Borders that pass exactly through corners of the lattice, both ways: the cell beside the corner must know.
    size = 16.0
    for shapes in (
        [Polygon([(0, 0), (size, size), (0, size)]), Polygon([(0, 0), (size, 0), (size, size)])],
        [Polygon([(0, size), (size, 0), (0, 0)]), Polygon([(0, size), (size, 0), (size, size)])],
    ):
        for cells in (1, 2, 4, 8, 16, 32):
            x = np.arange(0, size + 1)
            assert_like_twin(["a", "b"], shapes, np.r_[x, x], np.r_[x, size - x], cells=cells)


coordinate = st.integers(0, 12).map(float)
corner = st.tuples(coordinate, coordinate)


@st.composite
def area(draw):
    """Small valid polygons on whole numbers, so that borders and corners are shared all the time."""
    sort = draw(st.sampled_from(["box", "triangle", "hull", "ring", "parts", "null", "empty"]))
    if sort == "null":
        return None
    if sort == "empty":
        return Polygon()
    if sort == "triangle" or sort == "hull":
        points = draw(st.lists(corner, min_size=3, max_size=3 if sort == "triangle" else 8, unique=True))
        shape = shapely.convex_hull(shapely.multipoints(points))
        return shape if shape.geom_type == "Polygon" else Polygon()
    (west, south), width, height = draw(corner), draw(st.integers(1, 8)), draw(st.integers(1, 8))
    outer = box(west, south, west + width, south + height)
    if sort == "ring" and width > 2 and height > 2:
        return outer.difference(box(west + 1, south + 1, west + width - 1, south + height - 1))
    if sort == "parts":
        other = box(west + width + draw(st.integers(0, 3)), south, west + width + 5, south + 2)
        return MultiPolygon([outer, other]) if not outer.intersects(other) else outer
    return outer


@settings(max_examples=150, deadline=None)
@given(st.lists(area(), min_size=1, max_size=7), st.integers(1, 40), st.data())
def test_same_as_the_twin_for_overlaps_holes_parts_and_borders(shapes, cells, data):
    codes = data.draw(
        st.lists(st.text("0123456789", min_size=1, max_size=2), min_size=len(shapes), max_size=len(shapes))
    )
    halves = st.tuples(st.integers(-2, 44).map(lambda v: v / 2), st.integers(-2, 44).map(lambda v: v / 2))
    points = np.array(data.draw(st.lists(halves, min_size=1, max_size=40)))
    assert_like_twin(codes, shapes, points[:, 0], points[:, 1], cells=cells)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 60),
    st.integers(1, 50),
    st.sampled_from([(1, 0, 0), (1e-4, 110.0, 29.0), (300.0, 37_500_000.0, 3_200_000.0), (1e-9, 0, 0)]),
    st.floats(0, 6.3),
)
def test_same_as_the_twin_for_divided_land_in_any_units(seed, count, cells, units, angle):
    scale, east, north = units
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    shapes = [
        affine_transform(shape, [cos, -sin, sin, cos, east, north]) for shape in specimens.voronoi(count, seed=seed)
    ]
    vertices = shapely.get_coordinates(shapes)
    rng = np.random.default_rng(seed)
    west, south, right, top = shapely.total_bounds(shapes)
    x = np.r_[vertices[:40, 0], rng.uniform(west, right, 40)]
    y = np.r_[vertices[:40, 1], rng.uniform(south, top, 40)]
    codes = [f"{value:04d}" for value in rng.permutation(len(shapes))]
    assert_like_twin(codes, shapes, x, y, cells=cells)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(area(), min_size=1, max_size=6), st.sampled_from([1.0, 0.5, 2.0, 1 / 3]), st.data())
def test_borders_along_the_lattice_itself(monkeypatch, shapes, scale, data):
    """Every corner on a lattice corner, every straight border on a lattice line: the worst place for rounding."""
    monkeypatch.setattr(lookup_module, "_lattice", lambda *_: ((-1.0, -1.0), (scale, scale), (60, 60)))
    codes = [f"{row}" for row in range(len(shapes))]
    halves = st.tuples(st.integers(-2, 44).map(lambda v: v / 2), st.integers(-2, 44).map(lambda v: v / 2))
    points = np.array(data.draw(st.lists(halves, min_size=1, max_size=40)))
    assert_like_twin(codes, shapes, *np.concatenate([points, *map(corners, shapes)]).T)


def corners(shape):
    return shapely.get_coordinates(shape).reshape(-1, 2)


def test_threads_share_one_lookup():
    shapes = specimens.voronoi(300, seed=9)
    lookup = Lookup.build([f"{row:03d}" for row in range(len(shapes))], shapes)
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 100, 40_000), rng.uniform(0, 100, 40_000)
    expected = lookup.home(x, y)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: lookup.home(x, y), range(16)))
    assert all(np.array_equal(answer, expected) for answer in answers)


def test_invalid_shapes_do_not_raise():
    lookup = Lookup.build(["x"], [specimens.BOW_TIE])
    assert set(lookup.home([1.0, 9.0, 20.0], [5.0, 5.0, 5.0]).tolist()) <= {-1, 0}
