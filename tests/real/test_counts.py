"""Points per area on real cities, against an independent ray-casting program, through the same code as coverage."""

import json

import geopandas
import numpy as np
import pandas as pd
import pytest

from geo.coverage import cameras_per_area, coverage
from geo.lookup import Lookup

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def expected(real_data):
    return json.loads((real_data / "expected_counts.json").read_text())


def layer(real_data, file, name):
    return geopandas.read_file(real_data / file, layer=name)


def points(real_data, which):
    """Longitude, latitude and weight of a point layer."""
    if which == "toronto_incidents":
        table = pd.read_csv(real_data / "toronto" / "incidents.csv.gz")
        return table["lon"].to_numpy(), table["lat"].to_numpy(), np.full(len(table), np.nan)
    file, name, weight = {
        "toronto_rlc": ("toronto/areas.gpkg", "red_light_cameras", None),
        "brooklyn_cameras(weighted n_cameras)": ("brooklyn/brooklyn.gpkg", "camera_intersections", "n_cameras"),
        "brooklyn_intersections": ("brooklyn/brooklyn.gpkg", "camera_intersections", None),
        "brooklyn_shootings": ("brooklyn/brooklyn.gpkg", "shootings", None),
    }[which]
    frame = layer(real_data, file, name)
    weights = frame[weight].to_numpy(dtype=float) if weight else np.full(len(frame), np.nan)
    return frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy(), weights


def areas(real_data, which):
    """Codes and shapes of an area layer."""
    file, name, key = {
        "toronto_tracts": ("toronto/areas.gpkg", "census_tracts_2011", "ctuid"),
        "toronto_neighbourhoods": ("toronto/areas.gpkg", "neighbourhoods_158", "AREA_NAME"),
        "brooklyn_tracts": ("brooklyn/brooklyn.gpkg", "census_tracts_2020", "GEOID"),
        "brooklyn_blocks": ("brooklyn/brooklyn.gpkg", "census_blocks_2020", "GEOID"),
    }[which]
    frame = layer(real_data, file, name)
    return frame[key].astype(str).to_numpy(), frame.geometry.to_numpy()


@pytest.mark.parametrize(
    "figure",
    [
        "toronto_incidents_x_tracts",
        "toronto_incidents_x_neighbourhoods",
        "toronto_rlc_x_tracts",
        "brooklyn_cameras(weighted n_cameras)_x_tracts",
        "brooklyn_intersections_x_blocks",
        "brooklyn_shootings_x_tracts",
    ],
)
def test_counts_agree_with_the_independent_program(real_data, expected, figure):
    which, _, where = figure.rpartition("_x_")
    wanted = expected[figure]
    lon, lat, weight = points(real_data, which)
    codes, shapes = areas(real_data, f"{which.split('_')[0]}_{where}")
    lookup = Lookup.build(codes, shapes)
    home = lookup.home(lon, lat)
    count = pd.Series(cameras_per_area(home, weight, len(codes)), index=lookup.codes)
    assert len(lon) == wanted["points"]
    assert (home < 0).sum() == wanted["outside"]
    assert len(count) == wanted["areas"]
    assert (count == 0).sum() == wanted["areas_with_zero"]
    assert count.max() == wanted["max"]
    assert count[list(wanted["top5"])].to_dict() == wanted["top5"]
    result = coverage(count, 5)
    assert (result.state == "short").sum() == wanted["areas_below_5"]


def test_192_of_804_brooklyn_tracts_have_fewer_than_five_cameras(real_data):
    lon, lat, weight = points(real_data, "brooklyn_cameras(weighted n_cameras)")
    lookup = Lookup.build(*areas(real_data, "brooklyn_tracts"))
    count = pd.Series(cameras_per_area(lookup.home(lon, lat), weight, len(lookup.codes)), index=lookup.codes)
    result = coverage(count, 5)
    assert (result.state.value_counts()["short"], len(result.state)) == (192, 804)
    assert result.shortfall.sum() == (5 - count[count < 5]).sum()
    assert count.sum() == np.nansum(weight) == 10448
