"""Grids that divide land: what is taken as such, who borders on whom, and how a change is put in and taken out."""

import itertools

import numpy as np
import pytest
import redrawing
import shapely
from shapely import MultiPolygon, Polygon, box

from geo import partition
from geo.centimetres import Edges, doubled_area, on_grid
from geo.partition import Partition
from geo.refusals import RefusedError


def four():
    """c d over a b, squares of 100 m."""
    return Partition(
        "abcd", [box(0, 0, 100, 100), box(100, 0, 200, 100), box(0, 100, 100, 200), box(100, 100, 200, 200)]
    )


def refusal(*arguments, **options):
    with pytest.raises(RefusedError) as raised:
        Partition(*arguments, **options)
    return raised.value


def test_overlapping_grids_are_refused_with_the_land_claimed_twice():
    refused = refusal("ab", [box(0, 0, 10, 10), box(9, 0, 20, 10)])
    assert refused.reason == "not_a_coverage" and refused.codes == ("a", "b")
    assert refused.piece.equals(box(9, 0, 10, 10))
    assert refused.what.zh and refused.mend.en and refused.code == "refused"


def test_a_corner_on_the_edge_of_a_neighbour_is_refused_until_the_neighbour_has_it_too():
    left, lower, upper = box(0, 0, 10, 10), box(10, 0, 20, 5), box(10, 5, 20, 10)
    refused = refusal("abc", [left, lower, upper])
    assert refused.reason == "not_a_coverage" and refused.piece.intersects(shapely.Point(10, 5))
    welded = Polygon([(0, 0), (10, 0), (10, 5), (10, 10), (0, 10)])
    assert Partition("abc", [welded, lower, upper]).is_valid()


@pytest.mark.parametrize(
    ("codes", "shapes", "reason"),
    [
        ("a", [box(0, 0, 10.004, 10)], "not_exact"),
        ("ab", [box(0, 0, 10, 10)], "not_a_coverage"),
        ("aa", [box(0, 0, 10, 10), box(10, 0, 20, 10)], "not_a_coverage"),
        ("a", [Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])], "not_a_coverage"),
        ("a", [shapely.Point(0, 0)], "not_a_coverage"),
        ("a", [Polygon()], "not_a_coverage"),
        ("a", [None], "not_a_coverage"),
    ],
)
def test_what_is_no_partition_is_refused(codes, shapes, reason):
    assert refusal(codes, shapes).reason == reason


def test_an_outline_that_the_grids_do_not_fill_is_refused_with_what_is_missing():
    shapes = [box(0, 0, 10, 10), box(10, 0, 20, 10)]
    assert Partition("ab", shapes, box(0, 0, 20, 10)).outline.equals(box(0, 0, 20, 10))
    refused = refusal("ab", shapes, box(0, 0, 25, 10))
    assert refused.reason == "not_a_coverage" and refused.piece.equals(box(20, 0, 25, 10))


def test_neighbours_share_more_than_a_metre_of_border_and_a_corner_does_not_count():
    land = four()
    assert land.neighbours("a") == {"b": 100.0, "c": 100.0}
    lower = Polygon([(0, 0), (10, 0), (10, 9), (10, 10), (0, 10)])
    bend = Polygon([(10, 9), (20, 9), (20, 20), (10, 20), (10, 10)])
    assert Partition("ab", [lower, bend]).neighbours("a") == {}, "just a metre"
    more = Polygon([(10, 9), (20, 9), (20, 20), (0, 20), (0, 10), (10, 10)])
    assert Partition("ab", [lower, more]).neighbours("a") == {"b": 11.0}
    with pytest.raises(RefusedError, match="no grid"):
        land.neighbours("x")


def test_neighbours_are_those_of_the_obvious_way():
    land = redrawing.hard(120, seed=3)
    for code, shape in land.shapes.items():
        slow = {}
        for other, far in land.shapes.items():
            metres = shapely.intersection(shape.boundary, far.boundary).length
            if other != code and metres > 1.0:
                slow[other] = metres
        found = land.neighbours(code)
        assert found.keys() == slow.keys()
        assert all(abs(found[other] - slow[other]) < 1e-6 for other in slow)


def test_no_grids_are_a_partition_of_nothing():
    land = Partition([], [])
    assert len(land) == 0 and land.near(shapely.Point(0, 0)) == [] and land.doubled_area() == 0 and land.is_valid()


def test_near_finds_what_is_within_the_distance_also_after_changes():
    land = four()
    assert land.near(shapely.Point(50, 50)) == ["a"]
    assert land.near(shapely.Point(99.98, 50)) == ["a", "b"]
    assert land.near(shapely.Point(99.9, 50)) == ["a"]
    assert land.near(shapely.Point(100, 100), 0.0) == ["a", "b", "c", "d"]
    assert land.near(shapely.Point(500, 500), 100) == [] and land.near(Polygon()) == []
    land.replace({"a": None, "b": box(0, 0, 200, 100)})
    assert land.near(shapely.Point(50, 50)) == ["b"]


def test_replacing_gives_the_record_that_takes_it_back():
    land = four()
    shapes = dict(land.shapes)
    merged = Polygon([(0, 0), (100, 0), (200, 0), (200, 100), (100, 100), (0, 100)])
    before = land.replace({"a": None, "b": None, "e": merged})
    assert sorted(land.shapes) == ["c", "d", "e"] and land.ended == {"a", "b"} and land.is_valid()
    assert before == {"a": shapes["a"], "b": shapes["b"], "e": None}
    assert sorted(land.replace(before)) == ["a", "b", "e"]
    assert all(land.shapes[code] is shape for code, shape in shapes.items()) and land.ended == {"e"}
    assert len(land) == 4 and "a" in land and "e" not in land


@pytest.mark.parametrize("most", [1_000, 10])
def test_near_stays_in_step_through_hundreds_of_edits_and_their_undoing(most, monkeypatch):
    monkeypatch.setattr(partition, "_MOST_BOXES", most)
    land = redrawing.hard(80, seed=6)
    session = redrawing.Session(land)
    session.edit(redrawing.Hand.of("exact", seed=6), 120, check_every=120)
    rng = np.random.default_rng(6)
    for _ in range(2):
        for at in rng.uniform(*np.array(land.outline.bounds).reshape(2, 2), (60, 2)):
            place = shapely.Point(at)
            slow = sorted(code for code, shape in land.shapes.items() if shape.distance(place) <= 200)
            assert land.near(place, 200) == slow
        session.undo_all()


def test_a_gap_an_overlap_and_a_new_vertex_on_the_outline_are_seen():
    for wrong in (
        box(0, 0, 99.99, 100),
        box(0, 0, 100.01, 100),
        Polygon([(0, 0), (50, 0), (100, 0), (100, 100), (0, 100)]),
    ):
        land = four()
        land.replace({"a": wrong})
        assert not land.is_valid()


def test_area_is_exact_where_floats_are_not():
    land = redrawing.plain(300, seed=5)
    slow = 0
    for shape in land.shapes.values():
        assert not shape.interiors
        points = [(round(x * 100), round(y * 100)) for x, y in shape.exterior.coords]
        pairs = itertools.pairwise(points)
        slow += abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs))
    assert land.doubled_area() == slow == doubled_area([land.outline])


def test_edges_run_with_the_land_on_the_left_whatever_the_order_of_the_ring():
    ring = Polygon([(0, 0), (0, 4), (4, 4), (4, 0)], [[(1, 1), (1, 2), (2, 2), (2, 1)]])
    for shape in (ring, shapely.reverse(ring), shapely.orient_polygons(ring, exterior_cw=True)):
        edges = Edges.of([shape, MultiPolygon([box(10, 10, 11, 11), box(12, 12, 13, 13)])])
        assert edges.doubled_area() == 2 * (160_000 - 10_000 + 20_000)
        assert np.bincount(edges.owner).tolist() == [8, 8]
        assert edges.length_m().sum() == 16 + 4 + 8
    assert on_grid([ring, box(0, 0, 0.005, 1)]).tolist() == [True, False]
    assert len(Edges.of([]).single().start) == 0 and doubled_area([]) == 0
