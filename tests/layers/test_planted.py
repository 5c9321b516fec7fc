"""The made-up county knows where its hotspots are: the search must find every one of them."""

import re

import numpy as np
import pytest

from geo.synthetic import make_county
from layers.figures.derived import coverage, hotspots
from layers.imports import sample
from layers.rights import OWNER, Viewer
from layers.storage.store import Store


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A small county in a store, and the truth about it."""
    county = make_county(seed=2, villages=60, grids=400, cameras=1500, incidents=9000, natural_villages=200)
    with Store.create(str(tmp_path_factory.mktemp("planted") / "store.gpkg")) as store:
        yield store, sample.store_county(store, county)


@pytest.mark.parametrize("number", range(6))
def test_every_planted_hotspot_is_found(place, number):
    store, county = place
    spot = county.hotspots[number]
    found = hotspots(
        store, OWNER, exposure="households", category=spot.category, date_from=spot.first_day, date_to=spot.last_day
    )
    hot = found.rows[found.rows["hot"]]
    metres = np.hypot(
        (hot["lon"] - spot.lon) * 111_320 * np.cos(np.radians(spot.lat)), (hot["lat"] - spot.lat) * 110_600
    )
    # A hot cell counts its neighbours too, so the nearest may lie one cell of 500 m outside.
    assert metres.min() <= spot.radius_m + 500
    assert len(hot) < 0.1 * len(found.rows)
    assert len(found.sentences) == len(hot)


def test_near_duplicates_of_the_made_up_county_are_collapsed_in_part(place):
    store, _ = place
    # 2.5 % repeat another within 240 minutes; the rule set collapses those within two hours.
    summary = hotspots(store, OWNER).summary
    assert 0.005 * summary["total"] < summary["duplicates"] < 0.03 * summary["total"]


def test_no_byte_of_a_viewers_figures_names_a_camera_or_its_place(place):
    store, county = place
    reader = Viewer("reader", "viewer")
    shown = str(coverage(store, reader).as_json("zh")) + str(hotspots(store, reader).as_json("zh"))
    cameras = county.frames["camera"]
    assert not any(code in shown for code in cameras["device_id"].dropna())
    located = cameras.geometry[~cameras.geometry.isna() & ~cameras.geometry.is_empty]
    # Every number that could be a coordinate, against the cameras' at five decimals (a metre): no pair agrees.
    rows = hotspots(store, reader).rows
    told = set(zip(rows["lon"].round(5), rows["lat"].round(5), strict=True))
    assert told.isdisjoint(zip(located.x.round(5), located.y.round(5), strict=True))
    assert not re.search(r"\d+\.\d{5}", str(coverage(store, reader).as_json("zh")["rows"]))


def test_coverage_sums_to_the_cameras_there_are(place):
    store, _ = place
    for unit in ("village", "grid", "township"):
        result = coverage(store, OWNER, unit=unit)
        summary = result.summary
        assert (
            result.rows["value"].sum() + summary["outside_cameras"] + summary["no_location_cameras"]
            == summary["cameras"]
        )
