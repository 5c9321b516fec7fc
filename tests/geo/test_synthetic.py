"""The made-up county keeps its promises: exact sizes, exact division, known shortage, known hotspots."""

import json
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import shapely

from geo import crs
from geo.synthetic import make_county
from geo.synthetic_incidents import FIRST_DAY, LAST_DAY

SMALL = {"villages": 60, "grids": 260, "cameras": 1800, "incidents": 12_000, "natural_villages": 260}
PARENT_DIGITS = {"township": 6, "village": 9}


@pytest.fixture(scope="module")
def syllables():
    return json.loads(files("data").joinpath("sample/names.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def county(syllables):
    return make_county(seed=7, syllables=syllables, **SMALL)


@pytest.fixture(scope="module")
def metric(county):
    return {kind: crs.to_metric(county[kind]) for kind in ("county", "township", "village", "grid")}


def home_of(points, areas):
    """Row number of the area of each point, -1 outside: the slow way."""
    tree = shapely.STRtree(areas.geometry.to_numpy())
    point, area = tree.query(points.to_numpy(), predicate="intersects")
    result = np.full(len(points), -1)
    result[point[::-1]] = area[::-1]
    return result


def test_layers_have_exactly_the_rows_that_were_asked_for(county):
    assert len(county["village"]) == 60
    assert len(county["grid"]) == 260
    assert len(county["natural_village"]) == 260
    assert len(county["incident"]) == 12_000
    assert county["camera"]["camera_count"].sum() == 1800
    assert len(county["county"]) == 1
    assert county["camera"]["camera_count"].max() > 1


def test_same_seed_gives_the_same_county_and_another_seed_another(county, syllables):
    again = make_county(seed=7, syllables=syllables, **SMALL)
    other = make_county(seed=8, syllables=syllables, **SMALL)
    for kind, frame in county.frames.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(again[kind]))
    assert not county["village"].geometry.geom_equals_exact(other["village"].geometry, 1e-6).all()


@pytest.mark.parametrize("kind", ["township", "village", "grid"])
def test_areas_cover_the_county_without_gap_or_overlap(metric, kind):
    shapes = metric[kind].geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(metric["county"].area.sum(), abs=1e-3)
    assert shapely.union_all(shapes).symmetric_difference(metric["county"].geometry.iloc[0]).area < 1e-3


def test_grids_divide_their_own_village(metric):
    villages = metric["village"].set_index("code").geometry
    dissolved = metric["grid"].dissolve("village_code").geometry.reindex(villages.index)
    assert shapely.area(shapely.symmetric_difference(villages.to_numpy(), dissolved.to_numpy())).max() < 1e-3


def test_areas_lie_on_the_centimetre_grid_and_survive_snapping(county):
    shapes = county["grid"].geometry
    snapped = crs.snap_centimetre(shapes, crs.metric_crs(shapes.total_bounds))
    assert np.array_equal(shapely.get_coordinates(snapped), shapely.get_coordinates(shapes))


def test_every_area_is_one_valid_polygon(county):
    for kind in ("county", "township", "village", "grid"):
        shapes = county[kind].geometry
        assert shapes.is_valid.all()
        assert set(shapes.geom_type) == {"Polygon"}


def test_village_borders_wind_like_drawn_ones(metric):
    villages = metric["village"]
    straight = shapely.length(shapely.convex_hull(villages.geometry.to_numpy()))
    assert np.median(villages.length / straight) > 1.08
    assert shapely.get_num_coordinates(villages.geometry.to_numpy()).min() > 15


def test_codes_follow_the_structure_and_name_their_parents(county):
    for kind, digits in PARENT_DIGITS.items():
        frame = county[kind]
        assert frame["code"].is_unique
        assert frame["code"].str.fullmatch(r"4320\d{8}").all()
        assert (frame["parent_code"].str[:digits] == frame["code"].str[:digits]).all()
    committee = county["village"]["code"].str[9:].astype(int)
    assert (committee.between(1, 199) | committee.between(200, 399)).all()
    town = county["township"]["code"].str[6:9].astype(int)
    assert (town.between(1, 99) | town.between(100, 199) | town.between(200, 399)).all()
    grid = county["grid"]
    assert grid["grid_code"].is_unique
    assert (grid["grid_code"].str[:12] == grid["village_code"]).all()
    serial = grid["grid_code"].str[12:].astype(int)
    assert (serial[grid["kind"] == "dedicated"] >= 900).all()
    assert serial[grid["kind"] == "base"].between(1, 899).all()
    assert county["camera"]["device_id"].is_unique
    assert county["camera"]["device_id"].str.fullmatch(r"4320\d{6}13[12]\d{7}").all()
    assert county["incident"]["incident_no"].is_unique


def test_names_of_villages_are_unique_and_fit_their_kind(county):
    village = county["village"]
    assert village["name"].is_unique
    committee = village["code"].str[9:].astype(int)
    assert village.loc[committee < 200, "name"].str.endswith("社区").all()
    assert village.loc[committee >= 200, "name"].str.endswith("村").all()


def test_places_are_numbered_when_no_syllables_are_brought():
    county = make_county(seed=1, villages=14, grids=30, cameras=100, incidents=50, natural_villages=20)
    assert county["village"]["name"].is_unique
    assert county.name == "County 1"


def test_households_of_grids_sum_up_to_village_township_and_county(county):
    grids = county["grid"].groupby("village_code")[["households", "population"]].sum()
    villages = county["village"].set_index("code")
    assert (grids == villages[["households", "population"]].reindex(grids.index)).all(axis=None)
    assert villages["households"].sum() == county["county"]["households"].iloc[0]
    assert (villages["pop_urban"] + villages["pop_rural"] == villages["population"]).all()


def test_a_quarter_of_the_villages_has_fewer_than_five_working_cameras(county):
    cameras = county["camera"]
    village = home_of(cameras.geometry, county["village"])
    works = (cameras["status"].isna() | (cameras["status"] == "online")).to_numpy() & (village >= 0)
    units = np.bincount(village[works], cameras["camera_count"].to_numpy()[works], len(county["village"]))
    assert 0.22 <= (units < 5).mean() <= 0.28
    assert (units == 0).any()


def test_cameras_are_dense_in_town_and_lists_have_their_usual_faults(county, metric):
    cameras = county["camera"]
    village = home_of(cameras.geometry, county["village"])
    urban = county["village"]["name"].str.endswith("社区").to_numpy()
    count = np.bincount(village[village >= 0], minlength=len(urban))
    area = metric["village"].area.to_numpy()
    assert count[urban].sum() / area[urban].sum() > 5 * count[~urban].sum() / area[~urban].sum()
    assert 0 < cameras.geometry.isna().mean() < 0.03
    assert 0 < (village[~cameras.geometry.isna()] < 0).sum() <= 6
    assert cameras.loc[cameras["status"] == "planned", "in_use_on"].isna().all()
    assert cameras["in_use_on"].min().year == 2015
    assert cameras["in_use_on"].max() < pd.Timestamp("2026-11-01")


def test_planted_hotspots_have_the_promised_surplus(county):
    incidents = county["incident"]
    place = crs.to_metric(
        incidents.drop(columns=[c for c in incidents if c not in ("geometry", "category", "occurred_at")])
    )
    points = place.geometry
    for spot in county.hotspots:
        x, y = crs.transform_xy(np.array([spot.lon]), np.array([spot.lat]), crs.LONLAT, place.crs)
        near = (np.hypot(points.x - x[0], points.y - y[0]) <= spot.radius_m).to_numpy()
        fits = near if spot.category is None else near & (place["category"] == spot.category).to_numpy()
        during = place["occurred_at"].dt.date.between(spot.first_day, spot.last_day).to_numpy()
        observed = int((fits & during).sum())
        usual = spot.planted_count / (spot.factor - 1)
        # Lost, stacked and moved places take a few; neighbouring hotspots and doubles add a few.
        assert observed > 0.8 * (spot.planted_count + usual)
        if (spot.first_day, spot.last_day) != (FIRST_DAY, LAST_DAY):
            days = (spot.last_day - spot.first_day).days + 1
            before = int((fits & ~during).sum()) / ((LAST_DAY - FIRST_DAY).days + 1 - days)
            assert observed / days > 3 * before


def test_incidents_follow_season_week_and_hour(county):
    moments = county["incident"]["occurred_at"]
    category = county["incident"]["category"]
    assert moments.min().date() >= FIRST_DAY
    assert moments.max().date() <= LAST_DAY
    by_hour = moments.dt.hour.value_counts()
    assert by_hour[9] > 3 * by_hour[3]
    office = moments[category == "0901"]
    assert (office.dt.day_of_week < 5).mean() > 0.74
    noise = moments[category == "0299"]
    assert (noise.dt.month.isin([6, 7, 8])).sum() > 1.3 * (noise.dt.month.isin([12, 1, 2])).sum()


def test_doubles_stacked_and_lost_places_are_a_few_percent(county):
    incidents = county["incident"]
    assert 0.02 < incidents.geometry.isna().mean() < 0.04
    assert (incidents.geometry.isna() == (incidents["location_quality"] == "none")).all()
    known = incidents[~incidents.geometry.isna()]
    on_one_spot = known.geometry.to_wkb().value_counts()
    assert 0.02 < on_one_spot[on_one_spot > 1].sum() / len(incidents) < 0.06


def test_reference_layers_are_clipped_to_the_county(county):
    assert set(county.references) == {"roads", "rivers", "buildings"}
    outline = county["county"].geometry.iloc[0].buffer(0.001)
    assert county.references["rivers"].within(outline).all()
    assert len(county.references["roads"]) > 30
    assert county.references["buildings"].is_valid.all()


def test_several_counties_share_one_city(syllables):
    city = make_county(
        seed=3,
        villages=120,
        grids=400,
        cameras=2400,
        incidents=3000,
        natural_villages=300,
        counties=3,
        syllables=syllables,
    )
    assert city.name == "云川市"
    assert len(city["county"]) == 3
    shapes = crs.to_metric(city["county"]).geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert set(city["village"]["code"].str[:6]) == set(city["county"]["code"].str[:6])
    assert city["village"]["code"].is_unique
    assert set(city["township"]["parent_code"]) == set(city["county"]["code"])
