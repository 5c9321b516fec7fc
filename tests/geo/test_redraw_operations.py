"""What each operation does to a village of four squares, worked out by hand, and what it refuses."""

import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from geo import redraw
from geo.operations import Operation
from geo.partition import Partition
from geo.redraw import perform
from geo.refusals import RefusedError


def four():
    """c d over a b, squares of 100 m."""
    return Partition(
        "abcd", [box(0, 0, 100, 100), box(100, 0, 200, 100), box(0, 100, 100, 200), box(100, 100, 200, 200)]
    )


def nested():
    """b in the middle of a; c to the right in two parts, one of them an island."""
    ring = Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(40, 40), (40, 60), (60, 60), (60, 40)]])
    return Partition("abc", [ring, box(40, 40, 60, 60), MultiPolygon([box(100, 0, 200, 100), box(300, 0, 340, 100)])])


def numbered(op, sources, shapes):
    return [f"n{row}" for row in range(len(shapes))]


def done(land, op, *arguments, **options):
    """The outcome, put in place; the promises of every edit are looked at."""
    area = land.doubled_area()
    outcome = perform(land, Operation(op, *arguments, **options), new_codes=numbered)
    before = land.replace(outcome.shapes)
    assert land.is_valid() and land.doubled_area() == area
    for code, shape in before.items():
        # What a grid lost and gained by the moves is what its area changed by.
        old = shape.area if shape is not None else 0.0
        new = land.shapes[code].area if code in land else 0.0
        gained = sum(move.area_m2 for move in outcome.moves if move.target == code)
        lost = sum(move.area_m2 for move in outcome.moves if move.source == code)
        # A border may give way by 0.7 cm where a new one ends on it; that is nobody's move.
        length = (shape or land.shapes[code]).length
        assert new - old == pytest.approx(gained - lost, abs=1e-6 + 0.0072 * length)
    return outcome


def refused(land, op, *arguments, **options):
    shapes = dict(land.shapes)
    with pytest.raises(RefusedError) as raised:
        perform(land, Operation(op, *arguments, **options), new_codes=numbered)
    assert land.shapes == shapes
    return raised.value


def moved(outcome):
    return [(move.source, move.target, round(move.area_m2, 2)) for move in outcome.moves]


# push


def test_pushing_outwards_takes_land_from_the_neighbour():
    land = four()
    outcome = done(land, "push", ("a",), LineString([(100, 20), (120, 50), (100, 80)]))
    assert moved(outcome) == [("b", "a", 600.0)] and outcome.snapped_m == 0 and outcome.lineage == ()
    assert outcome.moves[0].piece.equals(Polygon([(100, 20), (120, 50), (100, 80)]))
    assert set(outcome.shapes) == {"a", "b"}


def test_pushing_inwards_gives_land_to_the_neighbour():
    assert moved(done(four(), "push", ("a",), LineString([(100, 20), (80, 50), (100, 80)]))) == [("a", "b", 600.0)]


def test_pushing_across_the_border_handles_each_side_by_itself():
    line = LineString([(100, 10), (110, 30), (90, 70), (100, 90)])
    assert moved(done(four(), "push", ("a",), line)) == [("a", "b", 200.0), ("b", "a", 200.0)]


@pytest.mark.parametrize("off", [-1.5, 1.5])
def test_ends_that_stop_short_or_overshoot_are_put_on_the_border(off):
    line = LineString([(100 + off, 20), (120, 50), (100 + off, 80)])
    (move,) = done(four(), "push", ("a",), line).moves
    assert (move.source, move.target) == ("b", "a") and move.area_m2 == pytest.approx(600, abs=50)


@pytest.mark.parametrize(
    "line",
    [
        [(120, 100), (120, 60), (200, 60)],  # from c's side to the outline
        [(120, 99), (120, 60), (199, 60)],  # ends a little short
        [(120, 101.5), (120, 60), (260, 60)],  # overshoots a little, and far beyond the outline
    ],
)
def test_a_line_between_other_borders_cuts_a_strip_off_the_neighbour(line):
    land = Partition(
        "abcd",
        [
            Polygon([(0, 0), (100, 0), (200, 0), (200, 20), (100, 20), (100, 100), (0, 100)]),
            Polygon([(100, 20), (200, 20), (200, 60), (200, 100), (100, 100)]),
            Polygon([(0, 100), (100, 100), (100, 200), (0, 200)]),
            Polygon([(100, 100), (200, 100), (200, 200), (100, 200)]),
        ],
    )
    outcome = done(land, "push", ("a",), LineString(line), metres_per_pixel=0.0)
    assert moved(outcome) == [("b", "a", 4800.0)] and outcome.snapped_m == 0


def test_the_tolerance_for_ends_grows_with_the_pixels():
    line = LineString([(110, 20), (130, 50), (110, 80)])
    assert refused(four(), "push", ("a",), line).reason == "misses"
    assert moved(done(four(), "push", ("a",), line, metres_per_pixel=1.0))[0][:2] == ("b", "a")


def test_a_line_whose_end_is_nowhere_near_the_border_misses():
    answer = refused(four(), "push", ("a",), LineString([(100, 20), (150, 50)]))
    assert answer.reason == "misses" and answer.codes == ("a",) and answer.piece.equals(Point(150, 50))
    assert refused(four(), "push", ("a",), LineString([(500, 500), (600, 600)])).reason == "misses"


def test_a_line_along_the_border_changes_nothing():
    assert refused(four(), "push", ("a",), LineString([(100, 20), (100, 80)])).reason == "no_change"
    assert refused(four(), "push", ("a",), LineString([(100.1, 20), (99.9, 50), (100.1, 80)])).reason == "no_change"


def test_a_line_through_the_middle_needs_to_be_told_who_gets_the_land():
    line = LineString([(50, 100), (50, 50), (100, 50)])
    assert moved(done(four(), "push", ("a",), line, give_to="b")) == [("a", "b", 2500.0)]
    middle = LineString([(0, 0), (100, 100)])
    answer = refused(four(), "push", ("a",), middle)
    assert answer.reason == "ambiguous" and answer.piece.area == pytest.approx(5000)
    assert moved(done(four(), "push", ("a",), middle, give_to="c")) == [("a", "c", 5000.0)]
    assert moved(done(four(), "push", ("a",), middle, give_to="b")) == [("a", "b", 5000.0)]


def test_land_given_up_goes_to_the_longest_border_or_to_whom_it_is_given():
    ends = (LineString([(100, 60), (90, 60), (90, 100)]), LineString([(60, 100), (60, 90), (100, 90)]))
    assert moved(done(four(), "push", ("a",), ends[0])) == [("a", "b", 400.0)]
    assert moved(done(four(), "push", ("a",), ends[1])) == [("a", "c", 400.0)]
    corner = LineString([(100, 80), (80, 80), (80, 100)])
    answer = refused(four(), "push", ("a",), corner)
    assert answer.reason == "ambiguous" and answer.codes == ("b", "c") and answer.piece.equals(box(80, 80, 100, 100))
    assert moved(done(four(), "push", ("a",), corner, give_to="b")) == [("a", "b", 400.0)]
    assert refused(four(), "push", ("a",), corner, give_to="d").reason == "not_neighbours"
    assert refused(four(), "push", ("a",), corner, give_to="a").reason == "malformed"


def test_pushing_over_a_whole_neighbour_swallows_it():
    notch = [(100, 40), (110, 50), (100, 60)]
    land = Partition(
        "abc",
        [
            Polygon([(0, 0), (100, 0), (100, 40), (100, 60), (100, 100), (0, 100)]),
            Polygon(notch),
            Polygon([(100, 0), (200, 0), (200, 100), (100, 100), *notch[::-1]]),
        ],
    )
    answer = refused(land, "push", ("a",), LineString([(100, 30), (120, 50), (100, 70)]))
    assert answer.reason == "swallowed" and answer.codes == ("b",) and answer.piece.equals(Polygon(notch))


def test_pushing_the_border_of_a_hole():
    line = LineString([(60, 45), (70, 50), (60, 55)])
    assert moved(done(nested(), "push", ("b",), line)) == [("a", "b", 50.0)]
    assert moved(done(nested(), "push", ("a",), line)) == [("a", "b", 50.0)]
    assert moved(done(nested(), "push", ("a",), LineString([(60, 45), (50, 50), (60, 55)]))) == [("b", "a", 50.0)]


# redraw


def test_redrawing_takes_and_gives_at_once():
    ring = Polygon([(0, 0), (100, 0), (100, 40), (110, 40), (110, 60), (100, 60), (100, 80), (90, 80), (90, 90),
                    (100, 90), (100, 100), (0, 100)])  # fmt: skip
    assert moved(done(four(), "redraw", ("a",), ring)) == [("a", "b", 100.0), ("b", "a", 200.0)]


def test_a_sloppy_retrace_is_no_change():
    wobble = Polygon([(0.2, -0.1), (50, 0.2), (100.2, 0), (99.9, 50), (100, 100.2), (0, 99.8)])
    assert refused(four(), "redraw", ("a",), wobble).reason == "no_change"
    assert refused(four(), "redraw", ("a",), box(0, 0, 100, 100)).reason == "no_change"
    coarse = box(-4, -4, 104, 104)
    assert refused(four(), "redraw", ("a",), coarse, metres_per_pixel=2.5).reason == "no_change"


def test_a_ring_over_the_outline_leaves_the_outline_as_it_is():
    land = four()
    outcome = done(land, "redraw", ("a",), Polygon([(-50, -50), (100, -50), (100, 20), (120, 50), (100, 80), (100, 150), (-50, 150)]), give_to=None)  # fmt: skip
    assert ("b", "a", 600.0) in moved(outcome)
    assert shapely.get_num_coordinates(land.outline) == 9


def test_a_new_border_ends_at_the_nearest_vertex_of_the_outline():
    land = four()
    outcome = done(land, "redraw", ("a",), box(0, 0, 120, 100))
    assert outcome.snapped_m == 20.0
    assert land.shapes["a"].equals(Polygon([(0, 0), (100, 0), (120, 100), (0, 100)]))


def test_a_ring_somewhere_else_misses_and_one_over_a_neighbour_swallows():
    assert refused(four(), "redraw", ("a",), box(150, 150, 180, 180)).reason == "misses"
    answer = refused(four(), "redraw", ("a",), box(0, 0, 200, 100))
    assert answer.reason == "swallowed" and answer.codes == ("b",) and answer.piece.equals(box(100, 0, 200, 100))


def test_a_ring_that_would_cut_a_neighbour_in_two_is_refused_with_the_smaller_piece():
    row = Partition("abc", [box(0, 0, 100, 100), box(100, 0, 150, 100), box(150, 0, 300, 100)])
    answer = refused(row, "redraw", ("a",), Polygon([(0, 0), (100, 0), (100, 40), (150, 40), (150, 60), (100, 60), (100, 100), (0, 100)]))  # fmt: skip
    assert answer.reason == "cut_in_two" and answer.codes == ("b",) and answer.piece.area == pytest.approx(2000)


def test_grids_within_stay_unless_the_holes_are_drawn_too():
    land = nested()
    assert moved(done(land, "redraw", ("a",), Polygon([(0, 0), (100, 0), (100, 20), (120, 50), (100, 80), (100, 100), (0, 100)]))) == [("c", "a", 600.0)]  # fmt: skip
    assert land.shapes["b"].equals(box(40, 40, 60, 60))
    smaller = Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(40, 40), (40, 60), (50, 60), (50, 40)]])
    assert moved(done(nested(), "redraw", ("a",), smaller, holes=True)) == [("b", "a", 200.0)]
    assert refused(nested(), "redraw", ("a",), box(0, 0, 100, 100), holes=True).reason == "swallowed"


def test_of_a_grid_in_parts_only_the_part_drawn_changes():
    land = nested()
    outcome = done(land, "redraw", ("c",), Polygon([(200, 0), (200, 100), (100, 100), (100, 80), (80, 50), (100, 20), (100, 0)]))  # fmt: skip
    assert moved(outcome) == [("a", "c", 600.0)]
    assert len(shapely.get_parts(land.shapes["c"])) == 2


def test_land_nobody_else_borders_on_cannot_be_given_up():
    answer = refused(nested(), "redraw", ("c",), Polygon([(300, 0), (340, 0), (340, 100), (300, 100), (320, 50)]))
    assert answer.reason == "not_neighbours" and answer.piece.area == pytest.approx(1000)


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


# rounding, locks, unknown codes


def test_a_border_that_gives_way_by_half_a_centimetre_takes_what_it_would_cross_along():
    """The new node at (1900, 0.475) lies at 0.48; the rest of the edge then passes over c's tip, two metres further."""
    tip = [(1902, 0.48), (1932, 40), (1872, 40)]
    around = Polygon([(0, 0), (2000, 0.5), (2000, 50), (0, 50)], [tip])
    land = Partition("abc", [Polygon([(0, -100), (2000, -100), (2000, 0.5), (0, 0)]), around, Polygon(tip)])
    done(land, "push", ("a",), LineString([(1800, 0.45), (1850, 20), (1900, 0.475)]))
    assert (shapely.get_coordinates(land.shapes["a"]) == [1902, 0.48]).all(axis=1).any()


def test_a_drawing_that_the_geometry_engine_gives_up_on_is_refused(monkeypatch):
    def give_up(*arguments, **options):
        raise shapely.errors.GEOSException("TopologyException: side location conflict")

    monkeypatch.setattr(redraw, "reassign", give_up)
    answer = refused(four(), "push", ("a",), LineString([(100, 20), (120, 50), (100, 80)]))
    assert answer.reason == "not_exact" and answer.piece.length > 0


@pytest.mark.parametrize(
    ("op", "arguments", "options"),
    [
        ("push", (("b",), LineString([(100, 20), (80, 50), (100, 80)])), {}),
        ("push", (("a",), LineString([(100, 20), (80, 50), (100, 80)])), {}),
        ("push", (("a",), LineString([(100, 80), (80, 80), (80, 100)])), {"give_to": "c"}),
        ("redraw", (("b",), box(90, 0, 200, 100)), {}),
        ("transfer", (("a",), box(80, 20, 140, 40)), {"into": "b"}),
        ("transfer", (("b",), box(80, 20, 140, 40)), {"into": "a"}),
        ("merge", (("a", "b"),), {}),
        ("dissolve", (("a",),), {}),
        ("dissolve", (("b",),), {"into": "a"}),
        ("split", (("a",), LineString([(0, 0), (100, 100)])), {}),
        ("carve", ((), box(90, 90, 110, 110)), {}),
        ("corner", ((), LineString([(100, 100), (110, 90)])), {}),
        ("recode", (("a",),), {}),
    ],
)
def test_nothing_touches_a_locked_grid(op, arguments, options):
    for locked in ("a", "b", "c"):
        land = four()
        land.locked = {locked}
        try:
            outcome = perform(land, Operation(op, *arguments, **options), new_codes=numbered)
        except RefusedError as answer:
            if answer.reason == "locked":
                assert locked in answer.codes and answer.piece is not None
            continue
        assert locked not in outcome.shapes
    land = four()
    land.locked = set("abc")
    assert refused(land, op, *arguments, **options).reason in ("locked", "ambiguous")


def test_a_border_ends_at_a_vertex_of_a_locked_neighbour():
    land = four()
    land.locked = {"c"}
    outcome = done(land, "push", ("a",), LineString([(100, 20), (80, 20), (80, 100)]))
    assert "c" not in outcome.shapes and outcome.snapped_m == pytest.approx(20, abs=0.1)


def test_codes_nobody_knows_are_named():
    answer = refused(four(), "push", ("x",), LineString([(100, 20), (80, 50), (100, 80)]))
    assert answer.reason == "unknown_grid" and answer.codes == ("x",) and "x" in answer.what.zh
