"""Pushing and redrawing borders of small villages, worked out by hand; and what no edit touches."""

from time import process_time

import pytest
import redrawing
import shapely
from four_grids import done, four, moved, nested, numbered, refused
from shapely import LineString, Point, Polygon, box

from geo import redraw
from geo.operations import Operation
from geo.partition import Partition
from geo.redraw import perform
from geo.refusals import RefusedError

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


def test_a_ring_over_a_whole_county_is_refused_at_once():
    county = redrawing.plain(2_000)
    ring = redrawing.disc(60_000)
    began = process_time()
    for op, grids in (("redraw", ("g00007",)), ("carve", ())):
        answer = refused(county, op, grids, ring)
        assert answer.reason == "swallowed" and len(answer.codes) >= 1_999 and "1,999" not in answer.what.zh
        assert len(answer.what.zh) < 80
    assert process_time() - began < 1.0


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
