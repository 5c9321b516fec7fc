"""What `check` finds in a county of squares where each mistake was put in by hand, and that it is silent otherwise."""

import pytest
import shapely
import squares
from squares import COUNTY, NORTH, SOUTH, V1, V2, V3, V4, at, frame, put, square

from geo.errors import InputError
from layers.checking import checks
from layers.imports.undoing import undo_change
from layers.rights import OWNER, Viewer

DAY = "2026-01-01"


@pytest.fixture
def county(gpkg_store):
    """County, townships and villages without cameras: nothing to find."""
    put(gpkg_store, "county", squares.county())
    put(gpkg_store, "township", squares.townships())
    put(gpkg_store, "village", squares.villages())
    return gpkg_store


def found(store, *sorts, viewer=OWNER):
    """Findings of some sorts; without naming any, all but those about codes: the county's begin with 99 on purpose."""
    listed = checks.run(store, viewer, DAY)
    return [finding for finding in listed if (finding.kind in sorts if sorts else finding.kind != "code")]


def grids(shapes, codes=None, villages=None):
    codes = codes or [f"{V1}{number:03d}" for number in range(1, len(shapes) + 1)]
    return frame(list(shapes), grid_code=codes, village_code=villages or [V1] * len(shapes))


def near(finding, column, row, within=0.5):
    """Whether a finding's place to click lies near a place given in village sides."""
    point = at(column, row)
    return abs(finding.lon - point.x) < within * squares.SIDE and abs(finding.lat - point.y) < within * squares.SIDE


def test_county_in_order_has_no_findings(county):
    assert found(county) == []


def test_same_findings_on_either_engine(store):
    squares.fill(store)
    kinds = sorted({finding.kind for finding in found(store)})
    assert kinds == ["no_location", "outside"]


def test_codes_of_the_wrong_shape_and_level(gpkg_store):
    shapes = [square(0, 0), square(1, 0), square(2, 0)]
    put(
        gpkg_store,
        "village",
        frame(shapes, code=["440983602201", "440983102000", "990000000000"], name=["a", "b", "c"]),
    )
    wrong = found(gpkg_store, "code")
    assert {finding.code for finding in wrong} == {"440983602201", "440983102000", "990000000000"}
    assert all(finding.column == "code" and finding.lon and finding.lat for finding in wrong)
    assert {finding.code for finding in wrong if finding.severity == "error"} >= {"440983602201", "440983102000"}


def test_free_codes_are_not_judged(tmp_path):
    from layers.storage.store import Store

    with Store.create(str(tmp_path / "free.gpkg"), codes="free") as store:
        put(store, "village", frame([square(0, 0), square(1, 0)], code=["Tract 1", "Tract 2"], name=["a", "b"]))
        assert found(store) == []


def test_code_that_stands_twice(county):
    put(county, "township", frame([square(0, 0, 3, 1)], code=[SOUTH], name=["x"], parent_code=[COUNTY]))
    twice = found(county, "duplicate")
    assert [(finding.code, finding.severity) for finding in twice] == [(SOUTH, "error")]


def test_parent_that_is_not_there(county):
    put(county, "village", frame([square(0.2, 0.2, 0.1, 0.1)], code=[f"{SOUTH[:9]}209"], parent_code=["990983105000"]))
    (orphan,) = found(county, "parent")
    assert orphan.code == f"{SOUTH[:9]}209" and "990983105000" in orphan.what.zh and near(orphan, 0.25, 0.25)


def test_village_in_another_township_than_its_code_says(county):
    stray = f"{SOUTH[:9]}209"
    put(county, "village", frame([at(1.5, 1.9)], code=[stray], parent_code=[SOUTH]))
    (wrong,) = found(county, "parent_position")
    assert wrong.code == stray and NORTH in wrong.what.zh and near(wrong, 1.5, 1.9)


def test_position_a_little_outside_is_within_the_tolerance(county):
    # 0.0003 degrees of latitude are 33 m: less than the 50 m of the shipped limits.
    edge = shapely.Point(111.05, 30.1003)
    put(county, "village", frame([edge], code=[f"{SOUTH[:9]}209"], parent_code=[SOUTH]))
    assert found(county, "parent_position") == []
    county.settings.set("checks", {"parent_distance_m": 20})
    assert [finding.code for finding in found(county, "parent_position")] == [f"{SOUTH[:9]}209"]


def test_gap_and_overlap_and_land_outside_have_areas_and_places(county):
    # The village is some 9.6 km x 11.1 km; a tenth of its width is missing, another tenth lies in the next village.
    put(county, "grid", grids([square(0, 0, 0.5, 1), square(0.6, 0, 0.5, 1), square(0, 0, 0.1, 0.1)]))
    (gap,) = found(county, "gap")
    assert gap.severity == "error" and gap.code == V1 and near(gap, 0.55, 0.5) and "平方公里" in gap.what.zh
    (overlap,) = found(county, "overlap")
    assert "001" in overlap.what.en and "003" in overlap.what.en and near(overlap, 0.05, 0.05, 0.05)
    (outside,) = found(county, "outside_parent")
    assert outside.code == f"{V1}002" and near(outside, 1.05, 0.5)


def test_gap_below_a_share_of_the_village_is_a_warning_and_below_a_metre_is_none(county):
    # 107 km2 of village: 0.01 % are 10,700 m2. One degree of latitude is some 110,850 m here, of longitude 96,490 m.
    def hole(side_m):
        lon, lat = side_m / 96_490, side_m / 110_850
        return square(0, 0).difference(shapely.box(111.05, 30.05, 111.05 + lon, 30.05 + lat))

    change = put(county, "grid", grids([hole(20)]))
    (gap,) = found(county, "gap")
    assert gap.severity == "warning" and "399." in gap.what.en
    undo_change(county, change, "planner")
    put(county, "grid", grids([hole(0.9)]))
    assert found(county, "gap") == []
    county.settings.set("checks", {"area_m2": 0.5})
    assert len(found(county, "gap")) == 1


def test_villages_without_any_grid_are_told_once_and_are_no_gaps(county):
    put(county, "grid", grids([square(0, 0)]))
    assert found(county, "gap") == []
    (line,) = found(county, "no_children")
    assert line.severity == "info" and "5" in line.what.zh and V2 in line.what.zh


def test_invalid_border_is_found_where_it_crosses(county):
    west, base = 111.0, 30.0
    bow = shapely.Polygon([(west, base), (west + 0.1, base + 0.1), (west + 0.1, base), (west, base + 0.1)])
    put(county, "grid", grids([bow]))
    (wrong,) = found(county, "invalid")
    assert wrong.severity == "error" and near(wrong, 0.5, 0.5, 0.05)


def test_sliver_is_found(county):
    thin = shapely.box(111.0, 30.0, 111.1, 30.000002)  # 0.2 m high
    put(county, "grid", grids([square(0, 0).difference(thin), thin]))
    (sliver,) = found(county, "sliver")
    assert sliver.code == f"{V1}002"


def test_derived_areas_are_not_held_against_anybody(gpkg_store):
    put(gpkg_store, "county", squares.county())
    put(gpkg_store, "village", squares.villages(as_points=True))
    put(gpkg_store, "grid", grids([square(0.2, 0.2, 0.9, 0.5)]))
    assert found(gpkg_store, "gap", "overlap", "outside_parent", "parent_position") == []


def test_villages_without_position_and_at_one_point(gpkg_store):
    put(gpkg_store, "county", squares.county())
    shapes = [at(0.5, 0.5), at(0.5, 0.5), None, at(1.5, 1.5)]
    put(gpkg_store, "village", frame(shapes, code=[V1, V2, V3, V4], name=list("abcd")))
    assert [finding.code for finding in found(gpkg_store, "shared_point")] == [V1, V2]
    (lost,) = found(gpkg_store, "no_location")
    assert (lost.code, lost.lon) == (V3, None)


def test_cameras_without_position_outside_and_told_twice(county):
    cameras = squares.cameras()
    cameras.loc[1, "device_id"] = cameras.loc[0, "device_id"]
    cameras.loc[2, "device_id"] = "34020000002000000001"  # a server, not a camera
    put(county, "camera", cameras)
    assert "1" in found(county, "no_location")[0].what.zh
    (outside,) = found(county, "outside")
    assert outside.code == "99098300001320000007" and near(outside, 9, 9)
    (twice,) = found(county, "duplicate")
    assert twice.column == "device_id"
    (device,) = found(county, "device")
    assert device.code == "34020000002000000001"


def test_stacked_and_repeated_incidents(county):
    given = squares.incidents(background=100, planted=0)
    given = given.assign(incident_no=[f"n{row}" for row in range(len(given))])
    piled = given.iloc[:40].assign(incident_no=[f"p{row}" for row in range(40)])
    piled = piled.set_geometry([at(0.5, 0.5)] * 40, crs=4490)
    put(county, "incident", given)
    put(county, "incident", piled)
    stacked = found(county, "stacked")
    assert stacked[0].severity == "warning" and "40" in stacked[0].what.zh
    assert any(near(finding, 0.5, 0.5, 0.01) for finding in stacked[1:])
    county.settings.set("checks", {"stacked_share": 0.9})
    (only,) = found(county, "stacked")
    assert only.severity == "info"
    again = given.iloc[:7].assign(incident_no=[f"r{row}" for row in range(7)])
    before = found(county, "repeated")
    put(county, "incident", again)
    after = found(county, "repeated")
    assert len(after) == 1 and (not before or before[0].what != after[0].what)


def test_who_may_not_see_a_layer_hears_nothing_of_it(county):
    put(county, "camera", squares.cameras())
    assert found(county, "outside") and found(county, "outside", viewer=Viewer("v", "viewer")) == []


def test_limited_account_hears_of_its_own_area_only(county):
    put(county, "grid", grids([square(0, 0, 0.5, 1), square(0, 1, 0.5, 1)], [f"{V1}001", f"{V4}001"], [V1, V4]))
    both = found(county, "gap")
    assert {finding.code for finding in both} == {V1, V4}
    south = found(county, "gap", viewer=Viewer("s", "planner", areas=(SOUTH,)))
    assert {finding.code for finding in south} == {V1}


def test_long_lists_are_cut_and_say_so(county):
    county.settings.set("checks", {"listed_per_sort": 3})
    put(county, "camera", frame([at(9, 9)] * 10, device_id=[f"9909830000132000{i:04d}" for i in range(10)]))
    listed = [finding for finding in found(county) if "10" in finding.what.zh or finding.kind == "outside"]
    assert len(found(county, "outside")) in (3, 4) and any("10" in finding.what.zh for finding in listed)


def test_errors_come_first(county):
    put(county, "grid", grids([square(0, 0, 0.5, 1)]))
    put(county, "camera", squares.cameras())
    order = [finding.severity for finding in found(county)]
    assert order == sorted(order, key=("error", "warning", "info").index) and order[0] == "error"


@pytest.mark.parametrize(
    "value", [{"no_such": 1}, {"area_m2": "much"}, {"area_m2": -1}, "text", {"area_m2": float("nan")}]
)
def test_settings_that_make_no_sense_are_refused(county, value):
    county.settings.set("checks", value)
    with pytest.raises(InputError):
        checks.run(county, OWNER, DAY)
