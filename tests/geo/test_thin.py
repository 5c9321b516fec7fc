"""Thinned shapes still fit together; gathered points are all counted."""

import numpy as np
import shapely
import specimens
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon

from geo import crs, thin


def wiggly(count=25, seed=1):
    """Villages with digitised borders (a vertex every 150 m or so), in lon/lat."""
    shapes = specimens.voronoi(count, seed=seed, outline=specimens.COUNTY_LONLAT)
    noded = shapely.union_all(shapely.boundary(shapes), grid_size=1e-6)
    bent = shapely.transform(
        shapely.segmentize(noded, 0.0015), lambda xy: np.round(xy + 0.0004 * np.sin(xy[:, ::-1] * 900), 7)
    )
    return shapely.get_parts(shapely.polygonize([shapely.node(bent)]))


def test_neighbours_still_fit_after_thinning():
    shapes = wiggly()
    assert bool(shapely.coverage_is_valid(shapes))
    thinned = thin.simplify_coverage(shapes, 100)
    assert shapely.get_num_coordinates(thinned).sum() < 0.5 * shapely.get_num_coordinates(shapes).sum()
    assert bool(shapely.coverage_is_valid(thinned)) and shapely.is_valid(thinned).all()
    assert len(shapely.coverage_union_all(thinned).interiors) == 0
    before = {tuple(xy) for xy in np.round(shapely.get_coordinates(shapes), 9).tolist()}
    assert {tuple(xy) for xy in shapely.get_coordinates(thinned).tolist()} <= before


def test_tolerance_is_in_metres_on_the_ground():
    shapes = wiggly()
    metric = crs.transform_geometries(shapes, crs.LONLAT, 4546)
    in_degrees, in_metres = thin.simplify_coverage(shapes, 200), thin.simplify_coverage(metric, 200, crs=4546)
    counts = shapely.get_num_coordinates(in_degrees).sum(), shapely.get_num_coordinates(in_metres).sum()
    assert abs(counts[0] - counts[1]) < 0.05 * counts[1]


def test_tolerance_zero_changes_nothing_and_more_means_fewer_vertices():
    shapes = wiggly()
    counts = [
        shapely.get_num_coordinates(thin.simplify_coverage(shapes, tolerance)).sum() for tolerance in (0, 20, 100, 500)
    ]
    assert counts[0] == shapely.get_num_coordinates(shapes).sum()
    assert counts == sorted(counts, reverse=True) and counts[3] < counts[0]


def test_nulls_points_and_lines_keep_their_places():
    line = LineString([(110, 29), (110.0005, 29.0000001), (110.001, 29)])
    out = thin.simplify_coverage([None, Point(110, 29), Polygon(), line, specimens.COUNTY_LONLAT], 50)
    assert out[0] is None and out[1].equals(Point(110, 29)) and out[2].is_empty
    assert len(out[3].coords) == 2 and out[4].is_valid
    assert thin.simplify_coverage([], 10).shape == (0,)
    assert thin.simplify_coverage([None], 10)[0] is None


def test_input_is_left_as_it_was():
    shapes = wiggly()
    copies = shapes.copy()
    thin.simplify_coverage(shapes, 300)
    assert all(a is b for a, b in zip(shapes, copies, strict=True))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-5e4, 5e4), st.floats(-5e4, 5e4)), max_size=60), st.floats(50, 5_000))
def test_every_point_is_gathered_once_near_where_it_is(points, size):
    x, y = np.array(points).reshape(-1, 2).T
    found = thin.gather_points(x, y, size_m=size)
    assert found.count.sum() == len(points)
    for px, py in points:  # the farthest corner of a hexagon is size / sqrt(3) from its centre
        assert np.hypot(found.x - px, found.y - py).min() <= size / np.sqrt(3) * 1.000001


def test_weights_count_and_missing_positions_do_not():
    found = thin.gather_points([0.0, 1.0, np.nan], [0.0, 1.0, 5.0], size_m=100, weight=[3, 4, 9])
    assert found.count.tolist() == [7]
