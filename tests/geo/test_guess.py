"""Coordinates without a system: what they may be, with and without knowing the county."""

import numpy as np
import pytest

from geo.crs import LONLAT, transform_xy
from geo.guess import guess_crs

COUNTY = (109.98, 28.84, 110.63, 29.36)  # crosses the border between the zones of 108 E and 111 E


def bounds_in(epsg, lonlat=COUNTY):
    west, south, east, north = lonlat
    x, y = transform_xy([west, east, west, east], [south, south, north, north], LONLAT, epsg)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def swap(bounds):
    return bounds[1], bounds[0], bounds[3], bounds[2]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("near", [None, COUNTY])
@pytest.mark.parametrize("epsg", [4490, 4525, 4497, 3857])
def test_self_evident_numbers_are_known_with_and_without_the_county(epsg, near, swapped):
    bounds = bounds_in(epsg)
    best = guess_crs(*(swap(bounds) if swapped else bounds), near=near)[0]
    assert (best.crs, best.swapped, best.sure) == (f"EPSG:{epsg}", swapped, True)
    np.testing.assert_allclose(best.bounds, COUNTY, atol=0.01)
    assert ("互换" in best.reason.zh) is swapped


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("epsg", [4546, 4545])
def test_eastings_without_zone_need_the_county(epsg, swapped):
    bounds = swap(bounds_in(epsg)) if swapped else bounds_in(epsg)
    alone = guess_crs(*bounds)
    assert alone and not any(guess.sure for guess in alone)
    known = guess_crs(*bounds, near=COUNTY)
    assert (known[0].crs, known[0].swapped, known[0].sure) == (f"EPSG:{epsg}", swapped, True)


def test_eastings_of_a_six_degree_zone_beyond_the_three_degree_belt():
    county = (108.8, 28.8, 109.3, 29.2)  # 2 degrees west of 111 E: nobody uses the 3-degree zone of 111 E there
    best = guess_crs(*bounds_in(4508, county), near=county)[0]
    assert best.crs == "EPSG:4508" and best.sure and "6 度" in best.reason.zh


def test_part_of_the_county_is_enough():
    village = (110.2, 29.0, 110.22, 29.02)
    assert guess_crs(*bounds_in(4546, village), near=COUNTY)[0].crs == "EPSG:4546"
    point = (110.2, 29.0, 110.2, 29.0)
    assert guess_crs(*point, near=COUNTY)[0].sure


@pytest.mark.parametrize("swapped", [False, True])
def test_swapped_degrees_outside_china_need_the_place(swapped):
    borough = (-74.05, 40.55, -73.83, 40.74)
    bounds = swap(borough) if swapped else borough
    best = guess_crs(*bounds, near=(-74.1, 40.5, -73.8, 40.8))[0]
    assert (best.crs, best.swapped, best.sure) == (LONLAT, swapped, True)
    assert guess_crs(*bounds)[0].swapped is False, "without a place the order of the file is believed"


def test_utm_is_found_outside_china():
    borough = (-74.05, 40.55, -73.83, 40.74)
    assert guess_crs(*bounds_in(32618, borough), near=borough)[0].crs == "EPSG:32618"


def test_six_degree_zone_numbers_of_the_far_west_are_not_taken_for_web_mercator_unasked():
    west = (79.0, 31.0, 80.0, 32.0)
    guesses = guess_crs(*bounds_in(4492, west))
    assert {"EPSG:4492", "EPSG:3857"} <= {guess.crs for guess in guesses} and not guesses[0].sure
    assert guess_crs(*bounds_in(4492, west), near=west)[0].crs == "EPSG:4492"


def test_degrees_of_another_county_are_still_degrees():
    best = guess_crs(114.0, 22.0, 114.5, 22.5, near=COUNTY)[0]
    assert (best.crs, best.swapped, best.sure) == (LONLAT, False, True)


@pytest.mark.parametrize("bounds", [(0, 0, 1000, 1000), (np.nan, 0, 1, 1), (0, 0, np.inf, 1), (1e12, 1e12, 2e12, 2e12)])
def test_numbers_that_lie_nowhere_give_no_guess(bounds):
    assert guess_crs(*bounds, near=COUNTY) == []
