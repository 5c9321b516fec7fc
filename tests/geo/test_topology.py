"""Gaps, overlaps, slivers and land outside its parent, each found where it was put and nowhere else."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
import specimens
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from geo import topology
from geo.errors import CrsError

PARENT = box(0, 0, 100, 100)


def layer(**shapes):
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=4546)


def divided(count=30, seed=1):
    shapes = shapely.set_precision(specimens.voronoi(count, seed=seed), 0.01)
    clean = shapely.get_parts(shapely.polygonize([shapely.union_all(shapely.boundary(shapes), grid_size=0.01)]))
    return gpd.GeoDataFrame(geometry=clean, index=[f"{row:03d}" for row in range(len(clean))], crs=4546)


def test_clean_layer_has_no_findings():
    areas = divided()
    assert topology.find_gaps(areas, PARENT).empty
    assert topology.find_overlaps(areas).empty
    assert topology.find_slivers(areas, width_m=0.5).empty
    parents = layer(p=PARENT)
    assert topology.find_outside(areas.assign(parent_code="p"), parents).empty


def test_gap_is_found_with_its_area_and_its_neighbours():
    areas = layer(a=box(0, 0, 50, 100), b=box(52, 0, 100, 100))
    gaps = topology.find_gaps(areas, PARENT)
    assert gaps["codes"].tolist() == [("a", "b")]
    assert gaps["area_m2"].tolist() == [200.0]
    assert gaps.geometry.iloc[0].equals(box(50, 0, 52, 100))
    assert topology.find_gaps(areas, PARENT, min_area_m2=201).empty


def test_hole_within_one_area_is_a_gap():
    gaps = topology.find_gaps(layer(r=specimens.RING), box(0, 0, 10, 10))
    assert gaps["area_m2"].tolist() == [16.0] and gaps["codes"].tolist() == [("r",)]


def test_layer_without_areas_is_one_gap():
    gaps = topology.find_gaps(layer(a=None, b=Polygon()), PARENT)
    assert gaps["area_m2"].tolist() == [10_000.0] and gaps["codes"].tolist() == [()]
    assert topology.find_overlaps(layer(a=None)).empty


def test_extra_vertex_on_one_side_is_no_finding():
    bent = Polygon([(50, 0), (100, 0), (100, 100), (50, 100), (50.004, 50)])
    areas = layer(a=box(0, 0, 50, 100), b=bent)
    assert topology.find_gaps(areas, PARENT).empty and topology.find_overlaps(areas).empty


def test_overlap_is_found_once_per_pair_lower_code_first():
    areas = layer(b=specimens.OVERLAP, a=specimens.SQUARE, c=box(90, 90, 95, 95))
    found = topology.find_overlaps(areas)
    assert found["codes"].tolist() == [("a", "b")] and found["area_m2"].tolist() == [25.0]
    three = topology.find_overlaps(layer(a=specimens.SQUARE, b=specimens.SQUARE, c=specimens.SQUARE))
    assert three["codes"].tolist() == [("a", "b"), ("a", "c"), ("b", "c")]


def test_corner_touch_and_shared_edge_are_no_overlap():
    areas = layer(a=specimens.SQUARE, b=specimens.NEIGHBOUR, c=specimens.CORNER)
    assert topology.find_overlaps(areas).empty


def test_island_wholly_inside_another_area_is_an_overlap():
    found = topology.find_overlaps(layer(a=PARENT, b=box(40, 40, 50, 50)))
    assert found["area_m2"].tolist() == [100.0]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 5), st.integers(1, 5)), max_size=8))
def test_overlaps_and_gaps_like_the_slow_twin(boxes):
    areas = layer(**{f"{row}": box(x, y, x + w, y + h) for row, (x, y, w, h) in enumerate(boxes)})
    expected = {
        (i, j): areas.geometry[i].intersection(areas.geometry[j]).area
        for i in areas.index for j in areas.index if i < j and areas.geometry[i].intersection(areas.geometry[j]).area > 0
    }  # fmt: skip
    found = topology.find_overlaps(areas)
    assert dict(zip(found["codes"], found["area_m2"], strict=True)) == expected
    land = box(0, 0, 12, 12)
    missing = land.area - shapely.union_all([shape.intersection(land) for shape in areas.geometry]).area
    assert topology.find_gaps(areas, land)["area_m2"].sum() == pytest.approx(missing)


def test_invalid_area_is_compared_by_the_land_it_means():
    found = topology.find_overlaps(layer(a=specimens.BOW_TIE, b=box(0, 0, 10, 10)))
    assert found["area_m2"].tolist() == [50.0]


def test_sliver_part_is_found_and_a_wide_area_with_an_arm_is_not():
    strip, wide = box(0, 0, 100, 0.3), box(0, 10, 50, 60).union(box(50, 30, 90, 30.2))
    found = topology.find_slivers(layer(strip=strip, wide=wide), width_m=0.5)
    assert found["codes"].tolist() == [("strip",)] and found["area_m2"].tolist() == [pytest.approx(30.0)]
    assert topology.find_slivers(layer(strip=strip), width_m=0.29).empty
    parts = shapely.union_all([box(0, 0, 10, 10), box(20, 0, 20.1, 10)])
    assert topology.find_slivers(layer(two=parts), width_m=0.5)["area_m2"].tolist() == [pytest.approx(1.0)]


def test_land_outside_the_named_parent_is_found():
    areas = layer(a=box(0, 0, 12, 10), b=box(0, 0, 5, 5), c=box(50, 50, 60, 60), d=box(90, 0, 91, 1))
    areas["village_code"] = ["p", "p", "q", None]
    parents = layer(p=box(0, 0, 10, 10), q=box(0, 0, 10, 10), r=None)
    found = topology.find_outside(areas, parents, parent_column="village_code")
    assert found["codes"].tolist() == [("c", "q"), ("a", "p")]
    assert found["area_m2"].tolist() == [100.0, 20.0]


def test_degrees_are_refused():
    frame = gpd.GeoDataFrame(geometry=[box(110, 29, 111, 30)], index=["a"], crs=4490)
    for find in (lambda: topology.find_gaps(frame, box(0, 0, 1, 1)), lambda: topology.find_overlaps(frame)):
        with pytest.raises(CrsError):
            find()


def test_moved_vertex_opens_a_gap_and_an_overlap_of_equal_size():
    areas = layer(
        a=box(0, 0, 50, 100), b=Polygon([(50, 0), (100, 0), (100, 100), (50, 100), (51, 75), (50, 50), (49, 25)])
    )
    gap, overlap = topology.find_gaps(areas, PARENT), topology.find_overlaps(areas)
    assert len(gap) == len(overlap) == 1
    assert gap["area_m2"].iloc[0] == pytest.approx(overlap["area_m2"].iloc[0], abs=0.5) == pytest.approx(25, abs=1)
    assert np.isclose(gap.geometry.iloc[0].centroid.x, 50.33, atol=0.1)
