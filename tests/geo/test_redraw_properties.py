"""Whatever is drawn: either it is refused and nothing changed, or every promise holds. Inputs by hypothesis."""

import itertools

import numpy as np
import redrawing
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon

from geo.operations import Operation
from geo.redraw import perform
from geo.refusals import RefusedError

EDGE = 2_500  # metres from the middle of the village to where nothing is any more


def village(seed):
    """About 25 grids, some within others, some in parts, around two lakes."""
    return redrawing.hard(25, seed=seed)


places = st.tuples(st.integers(-EDGE, EDGE), st.integers(-EDGE, EDGE)).map(lambda at: redrawing.CENTRE + np.array(at))
chains = st.lists(places, min_size=2, max_size=6)
villages = st.integers(1, 6).map(village)
picks = st.integers(0, 1_000)


def attempt(land, operation):
    """The outcome put in place, all promises looked at; None when it is refused, with a reason and unharmed land."""
    shapes, area = dict(land.shapes), land.doubled_area()
    numbers = itertools.count()
    try:
        outcome = perform(land, operation, new_codes=lambda _o, _s, made: [f"n{next(numbers)}" for _ in made])
    except RefusedError as refused:
        assert land.shapes == shapes and refused.what.zh and refused.mend.en
        assert refused.piece is not None or refused.reason in ("unknown_grid", "malformed", "no_change")
        return None
    parts = {code: len(shapely.get_parts(shape)) for code, shape in shapes.items()}
    record = land.replace(outcome.shapes)
    assert land.is_valid() and land.doubled_area() == area
    if operation.op not in ("merge", "dissolve"):
        assert all(len(shapely.get_parts(land.shapes[code])) <= parts[code] for code in outcome.shapes if code in parts and code in land)  # fmt: skip
    changed = {code for move in outcome.moves for code in (move.source, move.target)}
    assert changed <= set(outcome.shapes)
    redone = land.replace(record)
    assert land.shapes == shapes and all(land.shapes[code] is shape for code, shape in shapes.items())
    land.replace(redone)
    return outcome


STAYS = redrawing.CENTRE + np.array([(1, 0), (0, -473), (0, 0), (0, 0)])
"""A line whose pen rested where it ended."""


@settings(max_examples=60, deadline=None)
@example(village(3), 0, list(STAYS), "push", 60.0)
@given(villages, picks, chains, st.sampled_from(["push", "split"]), st.sampled_from([0.0, 5.0, 60.0]))
def test_any_line(land, pick, chain, op, metres_per_pixel):
    line = LineString(chain)
    if line.length == 0 or not line.is_simple:
        return
    codes = sorted(land.shapes)
    attempt(land, Operation(op, (codes[pick % len(codes)],), line, metres_per_pixel=metres_per_pixel))


@settings(max_examples=60, deadline=None)
@given(
    villages, picks, picks, st.lists(places, min_size=3, max_size=7), st.sampled_from(["redraw", "carve", "transfer"])
)
def test_any_ring(land, pick, other, chain, op):
    ring = Polygon(chain)
    if not ring.is_valid or ring.area == 0:
        return
    codes = sorted(land.shapes)
    grid, to = codes[pick % len(codes)], codes[other % len(codes)]
    grids, into = {"redraw": ((grid,), None), "carve": ((), None), "transfer": ((grid,), to)}[op]
    if grid != to:
        attempt(land, Operation(op, grids, ring, into))


@settings(max_examples=40, deadline=None)
@given(villages, picks, picks, places)
def test_any_corner(land, pick, vertex, to):
    shape = land.shapes[sorted(land.shapes)[pick % len(land)]]
    vertices = shapely.get_coordinates(shape)
    at = vertices[vertex % len(vertices)]
    # Half way towards the place, so that many corners stay within their surroundings.
    for share in (0.02, 0.5):
        goal = np.round(at + (to - at) * share, 2)
        if (goal != at).any():
            attempt(land, Operation("corner", (), LineString([at, goal])))


@settings(max_examples=40, deadline=None)
@given(villages, picks, st.floats(0, 2 * np.pi), st.floats(0.3, 0.7))
def test_a_split_and_a_merge_give_the_land_back(land, pick, angle, share):
    code = sorted(land.shapes)[pick % len(land)]
    shape = land.shapes[code]
    middle = shapely.get_coordinates(shape.representative_point())[0]
    way = np.array([np.cos(angle), np.sin(angle)]) * 4 * EDGE
    outcome = attempt(land, Operation("split", (code,), LineString([middle - way * share, middle + way])))
    if outcome is None:
        return
    assert sum(portion for _, _, portion in outcome.lineage) == 1.0
    halves = tuple(new for _, new, _ in outcome.lineage)
    again = attempt(land, Operation("merge", halves, into="whole"))
    if again is not None:
        # A new border may have bent the outer one by a fraction of a centimetre where it ended.
        assert shapely.hausdorff_distance(land.shapes["whole"], shape) < 0.0072


@settings(max_examples=40, deadline=None)
@given(villages, picks, picks, st.integers(20, 200))
def test_a_piece_handed_over_and_back_leaves_every_area_as_it_was(land, pick, side, radius):
    code = sorted(land.shapes)[pick % len(land)]
    around = sorted(land.neighbours(code))
    if not around:
        return
    other = around[side % len(around)]
    border = shapely.intersection(land.shapes[code].boundary, land.shapes[other].boundary)
    at = shapely.get_coordinates(border).mean(axis=0)
    before = {name: shape.area for name, shape in land.shapes.items()}
    there = attempt(land, Operation("transfer", (code,), Point(at).buffer(radius, quad_segs=3), other))
    if there is None:
        return
    piece = shapely.union_all([move.piece for move in there.moves])
    back = attempt(land, Operation("transfer", (other,), piece, code))
    if back is not None:
        for name, area in before.items():
            # Borders that a node was put in may have given way by a centimetre over their length.
            assert abs(land.shapes[name].area - area) <= 0.0072 * land.shapes[name].length


@settings(max_examples=30, deadline=None)
@given(villages, picks, st.integers(0, 10_000))
def test_a_sloppy_retrace_never_changes_anything(land, pick, seed):
    shape = land.shapes[sorted(land.shapes)[pick % len(land)]]
    part = max(shapely.get_parts(shape), key=lambda one: one.area)
    points = shapely.get_coordinates(part.exterior)[:-1]
    wobble = np.random.default_rng(seed).uniform(-0.17, 0.17, points.shape)
    ring = Polygon(np.round(points + wobble, 2))
    if not ring.is_valid:
        return
    code = sorted(land.shapes)[pick % len(land)]
    assert attempt(land, Operation("redraw", (code,), ring)) is None
