"""Small villages to work edits out by hand on, and edits that look at every promise."""

import pytest
from shapely import MultiPolygon, Polygon, box

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
