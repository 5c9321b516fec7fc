"""What is read of an operation, and what is sent back before anything is drawn."""

import copy
import math

import numpy as np
import pytest
import redrawing
import shapely
from shapely import LineString, box

from geo.drawings import MAX_VERTICES
from geo.operations import OPERATIONS, parse
from geo.refusals import REASONS, RefusedError

X, Y = redrawing.CENTRE
LINE = LineString([(X, Y), (X + 120.25, Y + 80.5)])
RING = box(X, Y, X + 100, Y + 60)
BOUNDS = (110.9, 36.0, 111.1, 36.2)
EXAMPLES = {
    "redraw": {"grid": "a", "ring": redrawing.body_of(RING)},
    "push": {"grid": "a", "line": redrawing.body_of(LINE)},
    "corner": {"at": redrawing.lonlat([X, Y]), "to": redrawing.lonlat([X + 5, Y])},
    "transfer": {"from": "a", "to": "b", "piece": redrawing.body_of(RING)},
    "split": {"grid": "a", "line": redrawing.body_of(LINE)},
    "merge": {"grids": ["a", "b"], "into": "a"},
    "carve": {"ring": redrawing.body_of(RING), "kind": "dedicated", "name": "学校"},
    "dissolve": {"grid": "a", "into": "b"},
    "recode": {"grid": "a", "into": "n"},
}


def read(op, **changes):
    return parse({"op": op, **copy.deepcopy(EXAMPLES[op]), **changes}, redrawing.CRS, bounds_lonlat=BOUNDS)


def refusal(op, **changes):
    with pytest.raises(RefusedError) as raised:
        read(op, **changes)
    assert raised.value.reason in REASONS and raised.value.what.zh and raised.value.mend.en
    return raised.value


def line_of(points):
    return {"type": "LineString", "coordinates": points}


def test_every_operation_is_read_to_the_centimetre():
    assert set(EXAMPLES) == set(OPERATIONS)
    assert read("push").shape.equals(LINE) and read("push").grids == ("a",)
    assert read("redraw").shape.equals(RING)
    assert shapely.get_coordinates(read("corner").shape).tolist() == [[X, Y], [X + 5, Y]]
    assert (read("transfer").grids, read("transfer").into) == (("a",), "b")
    assert (read("merge").grids, read("merge").into) == (("a", "b"), "a")
    assert read("merge", into=None).into is None and read("dissolve", into=None).into is None
    assert (read("carve").kind, read("carve").name) == ("dedicated", "学校")
    assert read("split", codes=["n1", "n2"]).codes == ("n1", "n2")
    assert read("redraw", give_to="c").give_to == "c"


def test_coordinates_come_back_to_their_own_centimetre():
    rng = np.random.default_rng(1)
    points = np.round(redrawing.CENTRE + rng.uniform(-20_000, 20_000, (2_000, 2)), 2)
    made = read("push", line=redrawing.body_of(LineString(points[points[:, 0].argsort()])))
    assert (shapely.get_coordinates(made.shape) == points[points[:, 0].argsort()]).all()


def test_a_feature_with_heights_and_a_multipolygon_piece_are_read():
    geometry = redrawing.body_of(LINE)
    geometry["coordinates"] = [[*point, 12.5] for point in geometry["coordinates"]]
    assert read("push", line={"type": "Feature", "properties": {}, "geometry": geometry}).shape.equals(LINE)
    two = shapely.MultiPolygon([RING, box(X + 200, Y, X + 300, Y + 60)])
    assert read("transfer", piece=redrawing.body_of(two)).shape.equals(two)
    assert refusal("redraw", ring=redrawing.body_of(two)).reason == "malformed"


def test_coarse_hands_have_wider_tolerances():
    assert (read("push").min_width_m, read("push").reach_m) == (0.5, 2.0)
    coarse = read("push", metres_per_pixel=5)
    assert (coarse.min_width_m, coarse.reach_m) == (10.0, 60.0)


@pytest.mark.parametrize(
    "points",
    [
        [],
        "110,36",
        None,
        [[111.0, 36.1], [math.nan, 36.1]],
        [[111.0, 36.1], [math.inf, 36.1]],
        [[111.0, 36.1], [10**400, 36.1]],
        [[111.0, 36.1], ["111.1", 36.1]],
        [[111.0, 36.1], [True, 36.1]],
        [[111.0, 36.1], [111.1]],
        [[111.0, 36.1], [111.1, 36.1, 0, 0]],
        [[111.0, 36.1], None],
        [[[111.0, 36.1]], [[111.1, 36.1]]],
        [[500.0, 400.0], [501.0, 400.0]],
    ],
)
def test_what_is_no_line_is_malformed(points):
    assert refusal("push", line=line_of(points)).reason == "malformed"


@pytest.mark.parametrize("body", [None, [], "split", 7, {}, {"op": "explode"}, {"op": None}, {"op": ["split"]}])
def test_what_is_no_operation_is_malformed(body):
    with pytest.raises(RefusedError) as raised:
        parse(body, redrawing.CRS)
    assert raised.value.reason == "malformed"


@pytest.mark.parametrize(
    ("op", "changes"),
    [
        ("push", {"grid": None}),
        ("push", {"grid": 7}),
        ("push", {"grid": " "}),
        ("push", {"grid": "x" * 65}),
        ("push", {"line": {"type": "Polygon", "coordinates": []}}),
        ("push", {"line": {"type": "LineString"}}),
        ("push", {"metres_per_pixel": "1"}),
        ("push", {"metres_per_pixel": -1}),
        ("push", {"metres_per_pixel": math.nan}),
        ("push", {"metres_per_pixel": True}),
        ("merge", {"grids": ["a"]}),
        ("merge", {"grids": ["a", "a"]}),
        ("merge", {"grids": "ab"}),
        ("merge", {"grids": [str(row) for row in range(501)]}),
        ("transfer", {"to": "a"}),
        ("transfer", {"piece": {"type": "MultiPolygon", "coordinates": []}}),
        ("transfer", {"piece": {"type": "MultiPolygon", "coordinates": [[]]}}),
        ("transfer", {"piece": {"type": "Polygon", "coordinates": {"0": 1}}}),
        ("carve", {"name": ["x"]}),
        ("carve", {"name": "x" * 201}),
        ("carve", {"name": "a\x00b"}),
        ("carve", {"name": "\ud800"}),
        ("redraw", {"holes": "yes"}),
        ("corner", {"at": [111.0]}),
        ("corner", {"to": None}),
        ("split", {"codes": "n1"}),
        ("split", {"codes": [1, 2]}),
    ],
)
def test_wrong_values_are_malformed(op, changes):
    assert refusal(op, **changes).reason == "malformed"


def test_a_ring_that_is_not_closed_is_malformed():
    ring = redrawing.body_of(RING)
    ring["coordinates"][0].pop()
    assert refusal("redraw", ring=ring).reason == "malformed"


def test_holes_need_to_be_asked_for():
    holed = redrawing.body_of(RING.difference(box(X + 10, Y + 10, X + 20, Y + 20)))
    assert "holes" in refusal("redraw", ring=holed).mend.en
    assert len(read("redraw", ring=holed, holes=True).shape.interiors) == 1


def test_swapped_longitude_and_latitude_are_noticed():
    assert refusal("corner", at=[36.1, 111.0], to=[36.11, 111.0]).reason == "lonlat_swapped"
    swapped = [[lat, lon] for lon, lat in redrawing.body_of(LINE)["coordinates"]]
    assert refusal("push", line=line_of(swapped)).reason == "lonlat_swapped"
    with pytest.raises(RefusedError) as raised:  # without bounds, by the impossible latitude alone
        parse({"op": "push", "grid": "a", "line": line_of(swapped)}, redrawing.CRS)
    assert raised.value.reason == "lonlat_swapped"
    # In a village west of Greenwich both orders are possible numbers; only the bounds tell.
    bounds = (-99.5, 38.7, -99.0, 39.1)
    with pytest.raises(RefusedError) as raised:
        parse({"op": "corner", "at": [38.8, -99.2], "to": [38.9, -99.2]}, "EPSG:32614", bounds_lonlat=bounds)
    assert raised.value.reason == "lonlat_swapped"
    assert parse({"op": "corner", "at": [-99.2, 38.8], "to": [-99.2, 38.9]}, "EPSG:32614", bounds_lonlat=bounds)


def test_a_scribble_of_ten_thousand_points_is_refused_with_the_limit():
    t = np.linspace(0, 200, 10_000)
    scribble = np.column_stack([111 + 0.001 * t * np.cos(t), 36.1 + 0.001 * t * np.sin(t)])
    refused = refusal("push", line=line_of(scribble.tolist()))
    assert refused.reason == "too_many_vertices" and f"{MAX_VERTICES:,}" in refused.what.en
    ring = {"type": "Polygon", "coordinates": [[*scribble.tolist(), scribble[0].tolist()]]}
    assert refusal("carve", ring=ring).reason == "too_many_vertices"
    many = {"type": "MultiPolygon", "coordinates": [redrawing.body_of(RING)["coordinates"]] * 1_500}
    assert refusal("transfer", piece=many).reason == "too_many_vertices"


def test_self_crossing_drawings_are_refused_with_the_place():
    loop = LineString([(X, Y), (X + 100, Y), (X + 50, Y + 50), (X + 50, Y - 50)])
    refused = refusal("push", line=redrawing.body_of(loop))
    assert refused.reason == "self_crossing" and refused.piece.equals(shapely.Point(X + 50, Y))
    bow = shapely.Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])
    refused = refusal("redraw", ring=redrawing.body_of(bow))
    assert refused.reason == "self_crossing" and refused.piece.equals(shapely.Point(X + 50, Y + 50))
    back = LineString([(X, Y), (X + 100, Y), (X + 50, Y)])
    assert refusal("split", line=redrawing.body_of(back)).reason == "self_crossing"


def test_drawings_without_length_or_area_are_refused():
    here = redrawing.lonlat([X, Y])
    assert refusal("push", line=line_of([here])).reason == "zero_length"
    assert refusal("push", line=line_of([here, here])).reason == "zero_length"
    assert refusal("corner", at=here, to=here).reason == "zero_length"
    flat = shapely.Polygon([(X, Y), (X + 100, Y), (X, Y), (X, Y)])
    assert refusal("carve", ring=redrawing.body_of(flat)).reason == "zero_length"
    tiny = shapely.Polygon([(X, Y), (X + 0.001, Y), (X, Y + 0.001)])
    assert refusal("carve", ring=redrawing.body_of(tiny)).reason == "zero_length"
