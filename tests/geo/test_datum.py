"""Map datums by published vectors, and the suspicion that a layer is in one: when it must speak and when be silent."""

import numpy as np
import pytest
import shapely
import specimens
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import datum
from geo.lookup import Lookup

# wgs84, gcj02, bd09. The first four gcj02 columns are those of wandergis/coordtransform and googollee/eviltransform,
# the rest is computed independently from the published formulas.
VECTORS = [
    ((116.404, 39.915), (116.4102444992, 39.9164042815), (116.4166272438, 39.9226995522)),
    ((121.5272106, 31.1774276), (121.5315418592, 31.1753039836), (121.5380156864, 31.1813286069)),
    ((113.912316, 22.543847), (113.9171764808, 22.5407961317), (113.9236847293, 22.5466674378)),
    ((116.377817, 39.911954), (116.3840472246, 39.9133454554), (116.3904547131, 39.9195755510)),
    ((104.0657, 30.6595), (104.0682074000, 30.6570791447), (104.0747017028, 30.6631092663)),
    ((87.6168, 43.8256), (87.6196499495, 43.8268053931), (87.6260997708, 43.8329497948)),
    ((126.6424, 45.7567), (126.6483698163, 45.7586511019), (126.6549993290, 45.7643455639)),
    ((109.5112, 18.2528), (109.5152862890, 18.2510968697), (109.5218352489, 18.2568698657)),
    ((91.1322, 29.6604), (91.1337433249, 29.6576795899), (91.1403427622, 29.6634256740)),
    ((116.35, 27.95), (116.3549915690, 27.9468521860), (116.3615385242, 27.9526022834)),
]
WGS84, GCJ02, BD09 = (np.array([row[column] for row in VECTORS]).T for column in range(3))


@pytest.mark.parametrize(
    ("convert", "given_", "expected"),
    [
        (datum.wgs84_to_gcj02, WGS84, GCJ02),
        (datum.gcj02_to_bd09, GCJ02, BD09),
        (datum.wgs84_to_bd09, WGS84, BD09),
        (datum.gcj02_to_wgs84, GCJ02, WGS84),
        (datum.bd09_to_gcj02, BD09, GCJ02),
        (datum.bd09_to_wgs84, BD09, WGS84),
    ],
)
def test_published_vectors(convert, given_, expected):
    np.testing.assert_allclose(convert(*given_), expected, rtol=0, atol=1e-9)


def test_published_vector_of_bd09():
    np.testing.assert_allclose(
        datum.gcj02_to_bd09(116.404, 39.915), (116.41036949371, 39.92133699351), rtol=0, atol=1e-9
    )


@settings(max_examples=200, deadline=None)
@given(st.floats(74, 135), st.floats(4, 53))
def test_there_and_back_is_the_same_place(lon, lat):
    for there, back in (
        (datum.wgs84_to_gcj02, datum.gcj02_to_wgs84),
        (datum.gcj02_to_bd09, datum.bd09_to_gcj02),
        (datum.wgs84_to_bd09, datum.bd09_to_wgs84),
    ):
        again = back(*there(lon, lat))
        assert datum.distance_m(lon, lat, *again) < 1e-4


def test_outside_china_nothing_moves():
    lon, lat = np.array([-73.95, 151.2, 100.0, np.nan, np.inf]), np.array([40.65, -33.9, 60.0, 30.0, 30.0])
    for convert in (datum.wgs84_to_gcj02, datum.bd09_to_wgs84, datum.gcj02_to_wgs84):
        moved_lon, moved_lat = convert(lon, lat)
        np.testing.assert_array_equal(moved_lon, lon)
        np.testing.assert_array_equal(moved_lat, lat)
    assert datum.outside_china(lon, lat).all() and not datum.outside_china(110, 29)


def test_shapes_of_arrays_are_kept():
    lon, lat = np.full((2, 3), 110.0), np.full((2, 3), 29.0)
    assert datum.wgs84_to_gcj02(lon, lat)[0].shape == (2, 3)
    assert datum.wgs84_to_gcj02(110.0, 29.0)[0].shape == ()


def test_distance_by_hand():
    # One degree of latitude on a sphere of 6371008.8 m: pi / 180 * 6371008.8 = 111195.08
    assert datum.distance_m(110, 29, 110, 30) == pytest.approx(111_195.08, abs=0.01)
    assert datum.distance_m(110, 29, 110, 29) == 0


COUNTY = specimens.COUNTY_LONLAT
SHIFTS = {"gcj02": datum.wgs84_to_gcj02, "bd09": datum.wgs84_to_bd09}


def points(count=3_000, seed=1):
    return specimens.points_inside(COUNTY, count, seed=seed)


def shifted(shapes, convert):
    return shapely.transform(shapes, lambda xy: np.column_stack(convert(xy[:, 0], xy[:, 1])))


@pytest.mark.parametrize("name", ["gcj02", "bd09"])
def test_shifted_points_are_suspected_with_the_evidence(name):
    found = datum.suspect_datum(*SHIFTS[name](*points()), COUNTY)
    assert (found.datum, found.side) == (name, "layer")
    assert found.before < found.after > 0.999
    assert 300 < found.offset_m < 2_000
    assert ("GCJ-02" if name == "gcj02" else "BD-09") in found.evidence.zh and "%" in found.evidence.en


def test_outline_that_is_off_is_named_instead_of_the_layer():
    found = datum.suspect_datum(*points(), shifted(COUNTY, datum.wgs84_to_gcj02))
    assert (found.datum, found.side) == ("gcj02", "outline")


@pytest.mark.parametrize("seed", range(12))
def test_correct_points_are_not_suspected(seed):
    lon, lat = points(seed=seed)
    assert datum.suspect_datum(lon, lat, COUNTY) is None
    rng = np.random.default_rng(seed)
    # Positions off by some 300 m at random, so that many near the border fall outside.
    assert datum.suspect_datum(lon + rng.normal(0, 3e-3, len(lon)), lat + rng.normal(0, 3e-3, len(lat)), COUNTY) is None


def test_points_of_the_neighbours_are_not_suspected():
    west, south, east, north = COUNTY.bounds
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(west - 0.1, east + 0.1, 4_000), rng.uniform(south - 0.1, north + 0.1, 4_000)
    assert datum.suspect_datum(lon, lat, COUNTY) is None


def test_a_hundred_incidents_at_one_corner_are_one_piece_of_evidence():
    lon, lat = points(50)
    stray = datum.wgs84_to_gcj02(*(np.array(v) for v in ([110.6299] * 100, [29.2095] * 100)))
    assert datum.suspect_datum(np.r_[lon, stray[0]], np.r_[lat, stray[1]], COUNTY) is None


def test_points_deep_inside_give_no_evidence():
    lon, lat = points(2_000)
    deep = shapely.contains_xy(COUNTY.buffer(-0.05), lon, lat)
    assert datum.suspect_datum(*datum.wgs84_to_gcj02(lon[deep], lat[deep]), COUNTY) is None


def test_nothing_to_compare_is_no_suspicion():
    assert datum.suspect_datum([], [], COUNTY) is None
    assert datum.suspect_datum([np.nan], [29.0], COUNTY) is None
    assert datum.suspect_datum([110.0], [29.0], None) is None
    assert datum.suspect_datum_areas([None], COUNTY) is None
    assert datum.suspect_offset([110.0], [29.0], [110.0], [29.0]) is None


@pytest.mark.parametrize("name", ["gcj02", "bd09"])
def test_shifted_areas_are_suspected_by_their_outer_border(name):
    areas = specimens.villages_lonlat(30).geometry.to_numpy()
    found = datum.suspect_datum_areas(shifted(areas, SHIFTS[name]), COUNTY)
    assert (found.datum, found.side) == (name, "layer")
    assert found.after < 10 < 100 < found.before
    part = shifted(areas[:9], SHIFTS[name])
    assert datum.suspect_datum_areas(part, COUNTY).datum == name


@pytest.mark.parametrize("seed", range(5))
def test_correct_areas_are_not_suspected(seed):
    areas = specimens.villages_lonlat(30, seed=seed).geometry.to_numpy()
    assert datum.suspect_datum_areas(areas, COUNTY) is None
    coarse = COUNTY.buffer(0.004).simplify(0.005)  # an outline drawn 400 m too wide
    assert datum.suspect_datum_areas(areas, coarse) is None


def test_areas_that_do_not_touch_the_border_give_no_evidence():
    inner = shapely.box(110.2, 29.0, 110.4, 29.2)
    assert datum.suspect_datum_areas(shifted(np.array([inner]), datum.wgs84_to_gcj02), COUNTY) is None


@pytest.mark.parametrize("name", ["gcj02", "bd09"])
def test_known_positions_of_the_same_codes_settle_it(name):
    lon, lat = points(20)
    found = datum.suspect_offset(*SHIFTS[name](lon, lat), lon, lat)
    assert (found.datum, found.side) == (name, "layer") and found.after < 1
    assert datum.suspect_offset(lon, lat, *datum.wgs84_to_gcj02(lon, lat)).side == "outline"


def test_positions_that_moved_for_other_reasons_are_not_suspected():
    lon, lat = points(200)
    rng = np.random.default_rng(1)
    assert datum.suspect_offset(lon, lat, lon, lat) is None
    moved = lon + rng.normal(0, 5e-3, 200), lat + rng.normal(0, 5e-3, 200)
    assert datum.suspect_offset(*moved, lon, lat) is None
    assert datum.suspect_offset(lon - 0.006, lat - 0.004, lon, lat) is None, "a shift, but not that of a datum"


def test_points_that_claim_their_village_settle_it():
    villages = specimens.villages_lonlat(60)
    lookup = Lookup.build(villages.index, villages.geometry)
    lon, lat = points(800)
    claimed = lookup.code_of(lon, lat)
    assert datum.suspect_homes(lon, lat, claimed, lookup) is None
    found = datum.suspect_homes(*datum.wgs84_to_gcj02(lon, lat), claimed, lookup)
    assert found.datum == "gcj02" and found.before < 0.97 and found.after == 1.0
    assert datum.suspect_homes(lon, lat, ["nowhere"] * len(lon), lookup) is None
