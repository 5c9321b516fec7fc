"""Hotspots and density from the store: a planted cluster is found, counts add up, roles see what they may."""

import numpy as np
import pandas as pd
import pytest
import squares
from squares import NORTH, SOUTH, V1, V2, V3, V4, V5, V6, at, frame, put

from geo.errors import InputError, RightsError
from layers.figures.derived import density, hotspots
from layers.figures.incidents import IncidentFilter, choose, read_incidents
from layers.rights import OWNER, Viewer

ROW = ["lon", "lat", "count", "expected", "ratio", "gi_z", "p", "q", "hot", "cold"]


def fill(store):
    """The county of squares with incidents."""
    squares.fill(store)
    put(store, "incident", squares.incidents())
    return store


@pytest.fixture
def county(store):
    """On each engine."""
    return fill(store)


@pytest.fixture
def place(gpkg_store):
    """In a GeoPackage."""
    return fill(gpkg_store)


@pytest.fixture
def eastern(gpkg_store):
    """With a strong cluster in V3."""
    squares.fill(gpkg_store)
    put(gpkg_store, "incident", squares.incidents(planted=300, centre=(2.5, 0.5)))
    return gpkg_store


def test_a_planted_cluster_is_the_hotspot(county):
    result = hotspots(county, OWNER, cell_m=2000, exposure="area")
    hot = result.rows[result.rows["hot"]]
    assert 1 <= len(hot) <= 9
    assert (np.hypot(hot["lon"] - 111.15, hot["lat"] - 30.05) < 0.05).all()
    assert not result.rows["cold"].any()
    assert list(result.rows.columns[:1]) == ["cell"]
    assert set(ROW) <= set(result.rows.columns)


def test_counts_and_expected_counts_add_up_to_all_incidents(place):
    for unit in ("cell", "village"):
        result = hotspots(place, OWNER, unit=unit, cell_m=1000, exposure="area")
        assert result.rows["count"].sum() == 660
        assert result.rows["expected"].sum() == pytest.approx(660, rel=1e-5)
        told = result.rows.dropna(subset=["ratio"])
        np.testing.assert_allclose(told["ratio"], told["count"] / told["expected"], rtol=1e-4, atol=1e-9)


def test_cells_have_shapes_and_areas_have_names(place):
    cells = hotspots(place, OWNER, cell_m=2000)
    assert cells.cells.index.tolist() == sorted(cells.rows["cell"], key=cells.cells.index.get_loc)
    assert cells.cells.crs.to_epsg() == 4490
    assert cells.cells.geometry.is_valid.all()
    villages = hotspots(place, OWNER, unit="village")
    assert villages.cells is None
    assert villages.rows.set_index("code").loc[V2, "name"] == "河西村"


def test_villages_are_tested_with_their_neighbours(eastern):
    # 900 incidents, 300 of them planted in V3. V3 and V6 share the neighbourhood V2 V3 V5 V6, V1 and V4 that of V1 V2
    # V4 V5; the neighbourhood of V2 and V5 is the whole county.
    rows = hotspots(eastern, OWNER, unit="village", exposure="area").rows.set_index("code")
    assert rows["hot"].to_dict() == {V1: False, V2: False, V3: True, V4: False, V5: False, V6: True}
    assert rows["cold"].to_dict() == {V1: True, V2: False, V3: False, V4: True, V5: False, V6: False}
    assert rows.loc[V2, "p"] == 1


def test_every_hot_unit_has_a_sentence_in_both_languages(place):
    result = hotspots(place, OWNER, cell_m=2000, exposure="area")
    assert len(result.sentences) == result.rows["hot"].sum()
    first = result.sentences[0]
    assert first.zh.startswith("河西村")
    assert "一带（含相邻" in first.zh
    for word in ("共报告事件", "按面积推算", "是预期的", "几乎可以排除偶然", "2025-", "最多的是“城市管理”"):
        assert word in first.zh
    for word in ("河西村 (with", "reported incidents", "by area", "times as many", "q < 0.001", "Most frequent"):
        assert word in first.en


def test_the_json_has_the_promised_shape(eastern):
    shape = hotspots(eastern, OWNER, unit="village").as_json("en")
    assert list(shape)[:4] == ["unit", "as_of", "provenance", "summary"]
    assert {"code", *ROW} <= set(shape["rows"][0])
    assert {"units", "outside", "no_location", "hot", "cold", "total", "duplicates", "stacked_share"} <= set(
        shape["summary"]
    )
    assert shape["rows"][0]["hot"] is True
    assert isinstance(shape["rows"][0]["count"], int)
    assert {one["value"] for one in shape["categories"]} == {"0201", "0401", "1301"}


def test_figures_have_at_most_six_digits_everywhere(place):
    rows = hotspots(place, OWNER, cell_m=2000).rows
    for name in ("expected", "ratio", "gi_z", "p", "q"):
        for value in rows[name].dropna():
            assert float(f"{value:.6g}") == pytest.approx(value, rel=1e-12)


def test_rows_outside_and_without_position_are_told(place):
    put(place, "incident", frame([at(9, 9), None, None], incident_no=["x", "y", "z"], category=["0201"] * 3))
    summary = hotspots(place, OWNER, unit="village").summary
    assert (summary["total"], summary["outside"], summary["no_location"]) == (663, 1, 2)


def test_the_same_event_told_twice_counts_once_in_the_test_and_twice_in_the_count(gpkg_store):
    squares.fill(gpkg_store)
    twice = frame(
        [at(0.5, 0.5)] * 3 + [at(2.5, 0.5)],
        incident_no=list("abcd"),
        category=["0201"] * 4,
        occurred_on=pd.to_datetime(["2025-05-01"] * 4),
        occurred_hour=pd.array([9, 9, 15, 9], dtype="Int64"),
    )
    put(gpkg_store, "incident", twice)
    result = hotspots(gpkg_store, OWNER, unit="village")
    assert result.summary["duplicates"] == 1
    assert result.summary["stacked"] == 3
    rows = result.rows.set_index("code")
    assert rows.loc[V1, "count"] == 3
    assert rows.loc[V3, "neighbourhood_count"] == 1


def test_filters_choose_period_weekday_hour_and_category(place):
    everything = read_incidents(place, OWNER)
    for options, keep in (
        ({"date_from": "2025-03-01", "date_to": "2025-03-31"}, lambda on, hour: on.dt.month == 3),
        ({"weekdays": (6, 7)}, lambda on, hour: on.dt.day_of_week >= 5),
        ({"hours": (22, 23)}, lambda on, hour: hour >= 22),
    ):
        chosen = choose(
            everything,
            IncidentFilter.of(
                *(options.get(name) for name in ("date_from", "date_to", "category", "weekdays", "hours"))
            ),
        )
        expected = keep(pd.Series(everything.on.astype("datetime64[ns]")), everything.hour).sum()
        assert len(chosen.incidents) == expected > 0
        assert hotspots(place, OWNER, unit="village", **options).summary["total"] == expected
    assert hotspots(place, OWNER, unit="village", category="13").summary["total"] == 60
    assert hotspots(place, OWNER, unit="village", category=["1301", "0201"]).summary["total"] > 60
    assert hotspots(place, OWNER, unit="village", where="category = '1301'").summary["total"] == 60


def test_rows_without_an_hour_are_left_out_only_when_an_hour_is_asked_for(gpkg_store):
    squares.fill(gpkg_store)
    given = frame(
        [at(0.5, 0.5)] * 3,
        incident_no=list("abc"),
        category=["0201"] * 3,
        occurred_on=pd.to_datetime(["2025-05-01", "2025-05-02", None]),
        occurred_hour=pd.array([9, None, None], dtype="Int64"),
    )
    put(gpkg_store, "incident", given)
    assert hotspots(gpkg_store, OWNER, unit="village").summary["total"] == 3
    by_hour = hotspots(gpkg_store, OWNER, unit="village", hours=[9])
    assert (by_hour.summary["total"], by_hour.summary["without_hour"]) == (1, 2)
    by_day = hotspots(gpkg_store, OWNER, unit="village", date_from="2025-05-02")
    assert (by_day.summary["total"], by_day.summary["without_day"]) == (1, 1)
    assert any("without a day" in note["en"] for note in by_day.provenance["notes"])


def test_a_moment_gives_day_and_hour_where_they_are_not_recorded(gpkg_store):
    squares.fill(gpkg_store)
    given = frame([at(0.5, 0.5)], incident_no=["a"], occurred_at=pd.to_datetime(["2025-05-01 23:30"]))
    put(gpkg_store, "incident", given)
    read = read_incidents(gpkg_store, OWNER)
    assert str(read.on[0]) == "2025-05-01"
    assert read.hour[0] == 23
    assert read.when_hours[0] % 24 == 23.5


def test_expected_counts_follow_the_chosen_exposure(place):
    by_households = hotspots(place, OWNER, unit="village", exposure="households")
    rows = by_households.rows.set_index("code")
    # V5 records no households: its incidents take no part. 300 of 4500 households are in V1.
    part = rows.drop(index=V5)
    assert rows.loc[V1, "expected"] == pytest.approx(part["count"].sum() * 300 / 4500, rel=1e-5)
    assert rows.loc[V5, "expected"] == 0
    assert not rows.loc[V5, "hot"]
    assert by_households.summary["no_exposure"] == rows.loc[V5, "count"]
    assert any("do not record" in note["en"] for note in by_households.provenance["notes"])


def test_households_are_shared_out_to_cells_by_area(place):
    result = hotspots(place, OWNER, cell_m=1000, exposure="households")
    rows = result.rows
    tested = rows[rows["expected"] > 0]
    south_west = tested[(tested["lon"] < 111.09) & (tested["lat"] < 30.09)]
    # All of V1 has the same density of households.
    per_area = south_west["expected"].iloc[5:].max() / south_west["expected"].iloc[5:].median()
    assert per_area == pytest.approx(1.0, abs=0.05)
    assert "village" in [each["kind"] for each in result.provenance["layers"]]
    with pytest.raises(InputError):
        hotspots(place, OWNER, exposure="moonlight")


def test_an_exposure_nobody_recorded_is_refused(gpkg_store):
    put(gpkg_store, "village", squares.villages().drop(columns=["households"]))
    put(gpkg_store, "incident", squares.incidents())
    with pytest.raises(InputError):
        hotspots(gpkg_store, OWNER, unit="village", exposure="households")


@pytest.mark.parametrize("role", ["viewer", "reporter"])
def test_roles_without_incidents_see_flags_of_villages_and_no_number(eastern, role):
    reader = Viewer("reader", role)
    result = hotspots(eastern, reader)
    truth = hotspots(eastern, OWNER, unit="village").rows.set_index("code")
    rows = result.rows.set_index("code")
    assert rows["hot"].to_dict() == truth["hot"].reindex(rows.index).to_dict()
    for name in (
        "count",
        "expected",
        "ratio",
        "gi_z",
        "p",
        "q",
        "neighbourhood_count",
        "neighbourhood_expected",
        "few",
    ):
        assert rows[name].isna().all()
    shape = result.as_json("zh")
    assert all(shape["summary"][name] is None for name in ("total", "duplicates", "stacked", "counted", "dispersion"))
    assert "起" not in "".join(shape["sentences"]).replace("一起", "")
    assert shape["categories"] == []
    assert all(each["rows"] is None for each in shape["provenance"]["layers"] if each["kind"] == "incident")


@pytest.mark.parametrize(
    "asked",
    [
        {"unit": "cell"},
        {"unit": "grid"},
        {"category": "1301"},
        {"date_from": "2025-01-02"},
        {"hours": [3]},
        {"weekdays": [1]},
        {"where": "category = '1301'"},
        {"exposure": "households"},
    ],
)
def test_roles_without_incidents_may_not_filter(place, asked):
    with pytest.raises(RightsError):
        hotspots(place, Viewer("reader", "viewer"), **asked)


def test_a_scoped_planner_looks_at_his_own_area_only(place):
    given = squares.incidents(seed=3)
    given["village_code"] = [V6 if y > 30.1 else V1 for y in given.geometry.y]
    put(place, "incident", given)
    north = Viewer("north", "planner", areas=(NORTH,))
    result = hotspots(place, north, unit="village")
    assert sorted(result.rows["code"]) == sorted(squares.VILLAGES[3:])
    cells = hotspots(place, north, cell_m=2000)
    assert cells.rows["lat"].min() > 30.099
    assert SOUTH not in str(result.as_json("zh"))


def test_wrong_options_are_refused(place):
    for asked in (
        {"unit": "moon"},
        {"cell_m": -5},
        {"cell_m": 0.001},
        {"hours": [24]},
        {"weekdays": [0]},
        {"date_from": "2025-02-30"},
        {"date_from": "2025-03-01", "date_to": "2025-02-01"},
    ):
        with pytest.raises(InputError):
            hotspots(place, OWNER, **asked)


def test_without_incidents_nothing_is_hot(gpkg_store):
    squares.fill(gpkg_store)
    result = hotspots(gpkg_store, OWNER, cell_m=2000)
    assert result.rows["count"].sum() == 0
    assert not result.rows["hot"].any()
    assert result.sentences == []
    with pytest.raises(InputError):
        hotspots(gpkg_store, OWNER, unit="grid")


def test_without_any_area_there_is_nothing_to_divide(gpkg_store):
    put(gpkg_store, "incident", squares.incidents())
    with pytest.raises(InputError):
        hotspots(gpkg_store, OWNER)


def test_results_are_kept_per_role_and_until_incidents_change(place):
    first = hotspots(place, OWNER, unit="village")
    assert hotspots(place, OWNER, unit="village") is first
    assert hotspots(place, Viewer("v", "viewer")) is not first
    put(place, "incident", frame([at(0.5, 0.5)], incident_no=["new"]))
    assert hotspots(place, OWNER, unit="village").summary["total"] == 661


def test_density_peaks_at_the_cluster_and_is_blank_outside(place):
    result = density(place, OWNER, bandwidth_m=1500, cell_m=300)
    rows, columns = result.array.shape
    row, column = np.unravel_index(np.nanargmax(result.array), result.array.shape)
    west, south, east, north = result.bounds
    assert west + (column + 0.5) * (east - west) / columns == pytest.approx(111.15, abs=0.003)
    assert north - (row + 0.5) * (north - south) / rows == pytest.approx(30.05, abs=0.003)
    # 60 of 660 incidents in a Gaussian of 1.5 km on a background of 600 over 639 km2.
    assert np.nanmax(result.array) == pytest.approx(60 / (2 * np.pi * (1.5**2 + 0.1**2)) + 600 / 639, rel=0.15)
    assert result.provenance["parameters"]["bandwidth_m"] == 1500


def test_density_is_blank_where_few_reports_carry_it(place):
    thin = density(place, OWNER, bandwidth_m=300)
    # 0.94 incidents per km2 and 0.57 km2 in the kernel: far below five.
    assert np.isnan(thin.array).mean() > 0.9
    assert np.isfinite(thin.array).any()


def test_density_keeps_the_smallest_bandwidth_and_the_rights(place):
    with pytest.raises(InputError):
        density(place, OWNER, bandwidth_m=100)
    with pytest.raises(RightsError):
        density(place, Viewer("reader", "viewer"))


def test_expected_counts_follow_the_people_where_they_are_recorded_and_the_land_elsewhere(place, gpkg_store):
    result = hotspots(place, OWNER, unit="village")
    assert result.provenance["parameters"]["exposure"] == "population"
    named = hotspots(place, OWNER, unit="village", exposure="population")
    assert result.rows.equals(named.rows)
