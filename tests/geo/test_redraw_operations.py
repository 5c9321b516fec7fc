"""Splits, merges, pieces and corners in small villages, worked out by hand, and what is refused."""

import pytest
import shapely
from four_grids import done, four, moved, nested, refused
from shapely import LineString, MultiPolygon, Polygon, box

from geo.partition import Partition

# split, merge, dissolve


@pytest.mark.parametrize("line", [[(0, 0), (100, 100)], [(-30, -30), (160, 160)], [(1, 1), (99, 99)]])
def test_a_split_ends_the_grid_and_begins_two(line):
    land = four()
    outcome = done(land, "split", ("a",), LineString(line))
    assert outcome.lineage == (("a", "n0", 0.5), ("a", "n1", 0.5))
    assert moved(outcome) == [("a", "n0", 5000.0), ("a", "n1", 5000.0)]
    assert land.shapes["n0"].equals(Polygon([(0, 0), (100, 100), (0, 100)])), "the left of the line comes first"
    assert "a" not in land and refused(land, "split", ("a",), LineString(line)).reason == "ended"


def test_a_split_may_use_codes_given_before_and_none_in_use():
    land = four()
    line = LineString([(0, 0), (100, 100)])
    assert set(done(land, "split", ("a",), line, codes=("x", "y")).shapes) == {"a", "x", "y"}
    assert refused(four(), "split", ("a",), line, codes=("b", "y")).reason == "malformed"
    assert refused(four(), "split", ("a",), line, codes=("x",)).reason == "malformed"
    assert refused(four(), "split", ("a",), line, codes=("x", "x")).reason == "malformed"


def test_a_line_that_does_not_run_through_does_not_split():
    assert refused(four(), "split", ("a",), LineString([(-10, 50), (50, 50)])).reason == "misses"
    assert refused(four(), "split", ("a",), LineString([(300, 0), (300, 100)])).reason == "misses"
    assert refused(four(), "split", ("a",), LineString([(20, 20), (30, 30)])).reason == "misses"
    assert refused(four(), "split", ("a",), LineString([(100, 0), (100, 100)])).reason == "misses"


def test_a_line_that_runs_through_twice_does_not_split_into_three():
    arch = Polygon([(0, 0), (300, 0), (300, 100), (200, 100), (200, 50), (100, 50), (100, 100), (0, 100)])
    land = Partition("ab", [arch, Polygon([(100, 50), (200, 50), (200, 100), (100, 100)])])
    answer = refused(land, "split", ("a",), LineString([(-10, 70), (310, 80)]))
    assert answer.reason == "cut_in_two" and answer.codes == ("a",) and answer.piece.area < 3000


def test_a_split_beside_an_outline_without_vertices_says_so():
    square = Partition(["a"], [box(0, 0, 100, 100)])
    answer = refused(square, "split", ("a",), LineString([(40, -10), (40, 110)]))
    assert answer.reason == "outside_parent" and "corner" in answer.what.en
    outcome = done(square, "split", ("a",), LineString([(40, -10), (60, 110)]))
    assert outcome.snapped_m == pytest.approx(41, abs=1)


def test_splitting_one_part_of_a_grid_leaves_the_other_with_the_nearer_half():
    land = Partition("ab", [MultiPolygon([box(0, 0, 100, 100), box(150, 0, 160, 100)]), box(100, 0, 150, 100)])
    outcome = done(land, "split", ("a",), LineString([(0, 0), (100, 100)]))
    assert [len(shapely.get_parts(outcome.shapes[code])) for code in ("n0", "n1")] == [1, 2]


def test_splitting_an_annulus_across_its_hole():
    land = nested()
    outcome = done(land, "split", ("a",), LineString([(0, 0), (100, 100)]))
    assert [round(outcome.shapes[code].area) for code in ("n0", "n1")] == [4800, 4800]
    assert land.shapes["b"].area == 400


@pytest.mark.parametrize(
    ("into", "ends", "code"), [("a", {"b"}, "a"), ("x", {"a", "b"}, "x"), (None, {"a", "b"}, "n0")]
)
def test_a_merge_keeps_the_code_it_goes_into(into, ends, code):
    land = four()
    outcome = done(land, "merge", ("a", "b"), into=into)
    assert {old for old, shape in outcome.shapes.items() if shape is None} == ends
    assert land.shapes[code].equals(box(0, 0, 200, 100))
    assert {(old, new) for old, new, share in outcome.lineage if share == 1.0} == {(old, code) for old in ends}


def test_only_neighbours_are_merged_and_only_into_one_of_them_or_a_new_code():
    answer = refused(four(), "merge", ("a", "d"))
    assert answer.reason == "not_neighbours" and answer.piece.equals(box(100, 100, 200, 200))
    assert done(four(), "merge", ("a", "d", "b")).shapes["n0"].area == 30_000
    assert refused(four(), "merge", ("a", "b"), into="c").reason == "malformed"
    assert refused(four(), "merge", ("a", "x")).reason == "unknown_grid"


def test_a_split_taken_back_by_a_merge_gives_the_shape_again():
    land = four()
    shape = land.shapes["a"]
    done(land, "split", ("a",), LineString([(0, 0), (100, 100)]))
    done(land, "merge", ("n0", "n1"), into="a2")
    assert land.shapes["a2"].equals(shape)


def test_a_merged_grid_may_bring_its_parts_along():
    land = nested()
    outcome = done(land, "merge", ("a", "c"), into="a")
    assert len(shapely.get_parts(outcome.shapes["a"])) == 2


def test_a_grid_dissolves_into_the_neighbour_with_the_longest_border():
    land = Partition("abc", [box(0, 0, 100, 100), box(100, 0, 200, 100), Polygon([(0, 100), (100, 100), (200, 100), (200, 150), (0, 150)])])  # fmt: skip
    land.replace({})
    assert done(land, "dissolve", ("a",), into="b").lineage == (("a", "b", 1.0),)
    strip = Partition("abc", [box(0, 0, 100, 40), box(100, 0, 200, 40), Polygon([(0, 40), (100, 40), (200, 40), (200, 150), (0, 150)])])  # fmt: skip
    assert done(strip, "dissolve", ("a",)).lineage == (("a", "c", 1.0),)
    assert refused(four(), "dissolve", ("a",), into="d").reason == "not_neighbours"
    alone = Partition("ab", [box(0, 0, 10, 10), box(50, 0, 60, 10)])
    assert refused(alone, "dissolve", ("a",)).reason == "not_neighbours"


def test_a_recoded_grid_keeps_its_land():
    land = four()
    outcome = done(land, "recode", ("a",), into="z")
    assert outcome.lineage == (("a", "z", 1.0),) and land.shapes["z"].equals(box(0, 0, 100, 100))
    assert refused(four(), "recode", ("a",), into="b").reason == "malformed"


# transfer, carve, corner


def test_a_piece_is_cut_to_the_giver():
    outcome = done(four(), "transfer", ("a",), box(80, 20, 140, 40), into="b")
    assert moved(outcome) == [("a", "b", 400.0)] and outcome.moves[0].piece.equals(box(80, 20, 100, 40))


def test_a_piece_goes_to_a_neighbour_only():
    answer = refused(four(), "transfer", ("a",), box(80, 20, 140, 40), into="d")
    assert answer.reason == "not_neighbours" and answer.piece.equals(box(80, 20, 100, 40))
    assert refused(four(), "transfer", ("a",), box(20, 20, 40, 40), into="b").reason == "not_neighbours"
    assert refused(four(), "transfer", ("a",), box(80, 80, 100, 100), into="d").reason == "not_neighbours"
    assert refused(four(), "transfer", ("a",), box(120, 20, 140, 40), into="b").reason == "misses"
    assert refused(four(), "transfer", ("a",), box(-10, -10, 110, 110), into="b").reason == "swallowed"


def test_a_ring_is_carved_out_of_one_or_several_grids():
    land = four()
    outcome = done(land, "carve", (), box(20, 20, 40, 40))
    assert moved(outcome) == [("a", "n0", 400.0)] and outcome.lineage == (("a", "n0", 0.04),)
    assert len(land.shapes["a"].interiors) == 1
    several = done(four(), "carve", (), box(90, 90, 110, 110))
    assert moved(several) == [(code, "n0", 100.0) for code in "abcd"]
    assert several.shapes["n0"].equals(box(90, 90, 110, 110))


def test_a_ring_that_cuts_off_or_covers_a_grid_is_not_carved():
    assert refused(four(), "carve", (), box(500, 500, 600, 600)).reason == "misses"
    assert refused(four(), "carve", (), box(100, 0, 200, 100)).reason == "swallowed"
    across = refused(nested(), "carve", (), Polygon([(-10, 30), (210, 30), (210, 70), (-10, 70)]))
    assert across.reason in ("swallowed", "cut_in_two")


def test_a_corner_is_moved_in_all_grids_around_it():
    land = four()
    outcome = done(land, "corner", (), LineString([(100.3, 99.8), (110, 90)]))
    assert set(outcome.shapes) == set("abcd")
    assert all((shapely.get_coordinates(shape) == [110, 90]).all(axis=1).any() for shape in land.shapes.values())
    assert sum(move.area_m2 for move in outcome.moves) == pytest.approx(1909.09)


def test_a_corner_stays_where_it_cannot_go():
    assert refused(four(), "corner", (), LineString([(90, 90), (110, 90)])).reason == "no_corner"
    assert refused(four(), "corner", (), LineString([(100, 200), (110, 190)])).reason == "outside_parent"
    assert refused(four(), "corner", (), LineString([(100, 100), (110, 290)])).reason == "outside_parent"
    assert refused(four(), "corner", (), LineString([(100, 99), (100, 100)])).reason == "no_change"
    crossing = refused(nested(), "corner", (), LineString([(40, 40), (70, 55)]))
    assert crossing.reason == "self_crossing"
