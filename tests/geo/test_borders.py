"""Lines between areas, the points where three meet, and numbers that stay with their line."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
import specimens
from shapely import LineString, Point, Polygon, box

from geo import border_numbers as numbers
from geo import borders
from geo.errors import CrsError, InputError, LimitError


def layer(**shapes):
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=4546)


def grid(columns=3, rows=2, side=100.0):
    return layer(
        **{
            f"v{row}{column}": box(column * side, row * side, (column + 1) * side, (row + 1) * side)
            for row in range(rows)
            for column in range(columns)
        }
    )


def test_squares_have_a_line_for_each_pair_that_shares_a_side():
    found = borders.find_borders(grid())
    # 3 columns, 2 rows: two upright sides per row, one level side per column.
    assert found.lines["codes"].tolist() == [
        ("v00", "v01"), ("v00", "v10"), ("v01", "v02"), ("v01", "v11"), ("v02", "v12"), ("v10", "v11"), ("v11", "v12"),
    ]  # fmt: skip
    assert found.lines["length_m"].tolist() == [100.0] * 7
    assert found.lines.geometry.iloc[0].equals(LineString([(100, 0), (100, 100)]))
    # Four areas meet in each of the two inner corners.
    assert found.junctions["codes"].tolist() == [("v00", "v01", "v10", "v11"), ("v01", "v02", "v11", "v12")]
    assert [point.coords[0] for point in found.junctions.geometry] == [(100.0, 100.0), (200.0, 100.0)]


def test_order_of_areas_and_of_their_vertices_does_not_matter():
    areas = grid()
    turned = areas.iloc[::-1].set_geometry([shapely.reverse(shape) for shape in areas.geometry[::-1]])
    one, other = borders.find_borders(areas), borders.find_borders(turned)
    assert one.lines["codes"].tolist() == other.lines["codes"].tolist()
    assert one.lines.geometry.to_wkb().equals(other.lines.geometry.to_wkb())
    assert one.junctions.geometry.to_wkb().equals(other.junctions.geometry.to_wkb())


def test_corner_in_the_middle_of_a_side_splits_the_line_of_nobody_else():
    # A long side of a against two short ones: three areas meet where b and c do, a's side has no vertex there.
    found = borders.find_borders(layer(a=box(0, 0, 100, 200), b=box(100, 0, 200, 90), c=box(100, 90, 200, 200)))
    assert found.lines["codes"].tolist() == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found.lines["length_m"].tolist() == [90.0, 110.0, 100.0]
    assert found.junctions.geometry.iloc[0].equals(Point(100, 90))


def test_pair_with_a_third_between_has_two_lines():
    third = box(90, 40, 110, 60)
    left = box(0, 0, 100, 100).difference(third)
    found = borders.find_borders(layer(a=left, b=box(100, 0, 200, 100).difference(third), c=third))
    assert found.lines["codes"].tolist() == [("a", "b"), ("a", "b"), ("a", "c"), ("b", "c")]
    assert found.lines["length_m"].tolist() == [40.0, 40.0, 40.0, 40.0]
    assert len(found.junctions) == 2


def test_third_area_that_touches_in_a_point_splits_the_line():
    wedge = Polygon([(100, 50), (140, 45), (140, 55)])
    found = borders.find_borders(layer(a=box(0, 0, 100, 100), b=box(100, 0, 200, 100).difference(wedge), c=wedge))
    assert found.lines["codes"].tolist().count(("a", "b")) == 2
    assert found.junctions["codes"].tolist() == [("a", "b", "c")]


def test_enclave_has_one_closed_line_and_no_junction():
    hole = box(40, 40, 60, 60)
    found = borders.find_borders(layer(a=box(0, 0, 100, 100).difference(hole), b=hole))
    assert found.lines["codes"].tolist() == [("a", "b")] and found.lines["length_m"].tolist() == [80.0]
    assert found.lines.geometry.iloc[0].is_ring and found.lines.geometry.iloc[0].coords[0] == (40.0, 40.0)
    assert not len(found.junctions)


def test_layers_without_borders():
    for areas in (layer(a=box(0, 0, 1, 1)), layer(a=None, b=Polygon()), layer(a=box(0, 0, 1, 1), b=box(1, 1, 2, 2))):
        found = borders.find_borders(areas)
        assert not len(found.lines) and not len(found.junctions)
        assert list(found.lines.columns) == ["codes", "length_m", "geometry"]
    with pytest.raises(CrsError):
        borders.find_borders(grid().set_crs(4490, allow_override=True))


def test_lines_are_the_inner_borders_of_any_clean_layer_and_junctions_their_ends():
    cells = shapely.set_precision(specimens.voronoi(40, seed=3), 0.01)
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(shapely.boundary(cells), grid_size=0.01)]))
    areas = gpd.GeoDataFrame(geometry=faces, index=[f"{row:03d}" for row in range(len(faces))], crs=4546)
    found = borders.find_borders(areas)
    total, outer = areas.length.sum(), areas.union_all().length
    assert found.lines["length_m"].sum() == pytest.approx((total - outer) / 2, abs=0.1)
    # The slow twin: pairwise intersections of the borders.
    expected = {
        (a, b)
        for i, a in enumerate(areas.index) for b in areas.index[i + 1 :]
        if areas.geometry[a].boundary.intersection(areas.geometry[b].boundary).length > 0
    }  # fmt: skip
    assert set(found.lines["codes"]) == expected
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(found.lines.geometry.to_numpy(), i)) for i in (0, -1)]
    )
    inside = shapely.distance(shapely.points(ends), areas.union_all().boundary) > 0.02
    places = shapely.multipoints(found.junctions.geometry.to_numpy())
    assert shapely.distance(shapely.points(ends[inside]), places).max() < 0.01


def test_markers_stand_evenly():
    line = LineString([(0, 0), (1000, 0)])
    assert borders.marker_places(line, spacing_m=300).tolist() == pytest.approx([166.67, 500, 833.33], abs=0.01)
    assert borders.marker_places(line, spacing_m=5000).tolist() == [500]
    left, right = borders.stakes_beside(line, 500, offset_m=10)
    assert (left.y, right.y) == (10, -10)
    lands = [box(-50, 0, 0, 50), box(0, 0, 50, 50), box(-50, -50, 50, 0)]
    stakes = borders.stakes_around(Point(0, 0), lands, offset_m=5)
    assert all(land.contains(stake) for land, stake in zip(lands, stakes, strict=True))
    assert all(stake.distance(Point(0, 0)) <= 5 for stake in stakes)


def test_marker_numbers_are_line_serial_and_letter():
    assert numbers.marker_number(numbers.line_number(12), 3, "Q") == "0012003Q"
    assert numbers.read_marker_number("0012003Q") == ("0012", 3, "Q")
    for wrong in ("", "0012003F", "12003Q", "0012003Q\n", "００12003Q"):
        with pytest.raises(InputError):
            numbers.read_marker_number(wrong)
    with pytest.raises(LimitError):
        numbers.line_number(10_000)
    with pytest.raises(LimitError):
        numbers.marker_number("0001", 1000, "Q")


def numbered(found, given):
    return found.lines.assign(number=given)


def test_numbers_stay_with_lines_that_persist_and_are_never_given_again():
    first = borders.find_borders(grid())
    empty = numbered(first, range(7)).iloc[:0]
    given = numbers.keep_numbers(first.lines, empty, [])
    assert given == [1, 2, 3, 4, 5, 6, 7]
    # v02 and v12 become one area: their line goes, what was v01|v02 is v01|v02 still, v11|v12 lies where it lay.
    areas = grid()
    merged = areas.drop("v12")
    merged.loc["v02", "geometry"] = box(200, 0, 300, 200)
    second = borders.find_borders(merged)
    kept = numbers.keep_numbers(second.lines, numbered(first, given), given)
    by_pair = dict(zip(second.lines["codes"], kept, strict=True))
    assert by_pair == {("v00", "v01"): 1, ("v00", "v10"): 2, ("v01", "v02"): 3, ("v01", "v11"): 4, ("v02", "v11"): 7, ("v10", "v11"): 6}  # fmt: skip
    # Split again under a new code: a new line gets a new number, not the 5 that went.
    again = areas.rename(index={"v12": "w12"})
    third = borders.find_borders(again)
    last = numbers.keep_numbers(third.lines, numbered(second, kept), given)
    by_pair = dict(zip(third.lines["codes"], last, strict=True))
    assert by_pair["v02", "w12"] == 8 and by_pair["v11", "w12"] == 7 and by_pair["v01", "v02"] == 3


def test_line_that_moves_or_whose_areas_are_renamed_keeps_its_number():
    before = borders.find_borders(layer(a=box(0, 0, 100, 100), b=box(100, 0, 200, 100)))
    pushed = borders.find_borders(layer(a=box(0, 0, 130, 100), b=box(130, 0, 200, 100)))
    renamed = borders.find_borders(layer(a=box(0, 0, 100, 100), c=box(100, 0, 200, 100)))
    for after in (pushed, renamed):
        assert numbers.keep_numbers(after.lines, numbered(before, [41]), [41, 77]) == [41]
    elsewhere = borders.find_borders(layer(c=box(0, 500, 100, 600), d=box(100, 500, 200, 600)))
    assert numbers.keep_numbers(elsewhere.lines, numbered(before, [41]), [1, 2, 41]) == [3]
