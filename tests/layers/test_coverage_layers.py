"""Coverage from the store: figures counted by hand on the county of squares."""

import numpy as np
import pandas as pd
import pytest
import squares
from squares import NORTH, SOUTH, V1, V2, V3, V4, V5, V6, at, frame, put

from geo.errors import InputError, NotFoundError, RightsError
from layers.figures import rules
from layers.figures.derived import CameraFilter, coverage
from layers.rights import OWNER, Viewer

PLANNER = Viewer("planner", "planner")
DAY = "2026-01-01"


@pytest.fixture
def county(store):
    """The county of squares, on each engine."""
    return squares.fill(store)


@pytest.fixture
def place(gpkg_store):
    """The county of squares in a GeoPackage."""
    return squares.fill(gpkg_store)


def column(result, name):
    """A column of the rows by code."""
    return result.rows.set_index("code")[name].to_dict()


def test_a_store_of_grids_alone_is_judged_by_its_grids(gpkg_store):
    put(gpkg_store, "grid", frame([squares.square(0, 0), squares.square(1, 0)], grid_code=["a", "b"]))
    put(gpkg_store, "camera", frame([at(0.5, 0.5)], device_id=["1"]))
    result = coverage(gpkg_store, OWNER)
    assert result.unit == "grid"
    assert column(result, "value") == {"a": 1, "b": 0}
    put(gpkg_store, "township", frame([squares.square(0, 0, 2, 1)], code=["t"], name=["t"]))
    assert coverage(gpkg_store, Viewer("someone", "viewer")).unit == "township", "what the role may ask for"


def test_cameras_are_counted_by_position_weight_and_status(county):
    # V1: 3 + 1 (no number recorded, no status recorded) + 0 + 1 on the border with V2 (lower code); V3 is offline.
    result = coverage(county, OWNER, as_of=DAY)
    assert column(result, "value") == {V1: 5, V2: 5, V3: 0, V4: 7, V5: 0, V6: 0}
    assert column(result, "state") == {V1: "met", V2: "met", V3: "short", V4: "met", V5: "short", V6: "short"}
    assert result.rows["code"].tolist() == [V3, V5, V6, V1, V2, V4]
    summary = result.summary
    assert (summary["units"], summary["short"], summary["cameras_missing"], summary["no_data"]) == (6, 3, 15, 0)
    assert (summary["outside"], summary["outside_cameras"]) == (1, 2)
    assert (summary["no_location"], summary["no_location_cameras"]) == (1, 6)
    assert summary["cameras"] == result.rows["value"].sum() + 2 + 6


def test_json_has_the_promised_shape(place):
    shape = coverage(place, OWNER, as_of=DAY).as_json("en")
    assert list(shape)[:5] == ["rule", "unit", "as_of", "provenance", "summary"]
    assert list(shape["summary"])[:6] == ["units", "short", "cameras_missing", "no_data", "outside", "no_location"]
    assert list(shape["rows"][0])[:8] == [
        "code",
        "name",
        "parent_code",
        "value",
        "required",
        "shortfall",
        "state",
        "derived",
    ]
    assert (
        shape["rows"][0] | {"code": V3, "value": 0, "required": 5, "shortfall": 5, "state": "short", "derived": False}
        == shape["rows"][0]
    )
    assert shape["rule"]["id"] == "cam_admin"
    assert shape["sentence"] == "3 of 6 units (village) fall short, 15 cameras missing."


def test_figures_say_where_they_come_from(place):
    made = coverage(place, OWNER, as_of=DAY, threshold=4).provenance
    assert made["as_of"] == DAY
    assert made["rule_set"]["name"] == "sample-2025"
    assert made["rule"]["date"] == "2025-01-01"
    assert made["parameters"]["threshold"] == 4
    assert [(each["kind"], each["version"], each["source"]) for each in made["layers"]] == [
        ("village", 1, "made_up.geojson"),
        ("camera", 1, "made_up.geojson"),
    ]
    assert any("working" in note["en"] for note in made["notes"])
    assert made["product"].startswith("wangge ")


def test_totals_per_township_and_county_add_up(place):
    totals = coverage(place, OWNER, as_of=DAY).totals.set_index(["level", "code"])
    assert totals.loc[("township", SOUTH), ["units", "met", "short", "missing", "value"]].tolist() == [3, 2, 1, 5, 10]
    assert totals.loc[("township", NORTH), ["units", "met", "short", "missing", "value"]].tolist() == [3, 1, 2, 10, 7]
    assert totals.loc[("county", squares.COUNTY), ["units", "missing"]].tolist() == [6, 15]
    assert totals.loc[("township", SOUTH), "name"] == "南桥镇"


def test_the_camera_filter_decides_what_counts(place):
    def values(**chosen):
        return column(coverage(place, OWNER, as_of=DAY, camera_filter=CameraFilter(**chosen)), "value")

    assert values(statuses=["offline"]) == {V1: 0, V2: 0, V3: 4, V4: 0, V5: 0, V6: 0}
    assert values(statuses=["planned"])[V6] == 1
    assert values(classes=["1"]) == {V1: 4, V2: 5, V3: 0, V4: 0, V5: 0, V6: 0}
    # In use since 2020-01-01: six years. Cameras without a date stay.
    assert values(older_than_years=5) == {V1: 2, V2: 5, V3: 0, V4: 7, V5: 0, V6: 0}
    for wrong in ({"classes": ["9"]}, {"statuses": ["broken"]}, {"older_than_years": -1}):
        with pytest.raises(InputError):
            CameraFilter(**wrong)


def test_threshold_and_unit_can_be_chosen(place):
    assert column(coverage(place, OWNER, as_of=DAY, threshold=6), "shortfall")[V1] == 1
    by_township = coverage(place, OWNER, as_of=DAY, unit="township")
    assert column(by_township, "value") == {SOUTH: 10, NORTH: 7}
    for wrong in (
        {"unit": "continent"},
        {"threshold": -1},
        {"threshold": np.nan},
        {"rule_id": "grid_staff", "unit": "village"},
    ):
        with pytest.raises(InputError):
            coverage(place, OWNER, as_of=DAY, **wrong)
    with pytest.raises(NotFoundError):
        coverage(place, OWNER, rule_id="nonsense")


def test_a_share_of_nothing_is_no_data(place):
    result = coverage(place, OWNER, rule_id="connected", as_of=DAY)
    # V1: 3 and 1 connected of 5; V2 does not say; V3: 4 of 4 (offline ones exist); V6 has a planned one only.
    assert column(result, "state") == {V1: "short", V2: "no_data", V3: "met", V4: "met", V5: "no_data", V6: "no_data"}
    values = column(result, "value")
    assert values[V1] == pytest.approx(0.8)
    assert column(result, "shortfall")[V1] == 1
    assert result.summary["not_recorded"] == 5
    assert result.as_json("zh")["rows"][-1]["value"] is None


def test_working_share_is_of_existing_cameras_of_the_class(place):
    result = coverage(place, OWNER, rule_id="working_sector", as_of=DAY)
    assert column(result, "state") == {
        V1: "met",
        V2: "no_data",
        V3: "short",
        V4: "no_data",
        V5: "no_data",
        V6: "no_data",
    }
    assert column(result, "shortfall")[V3] == 4


def test_filing_counts_thirty_days_from_first_use(place):
    result = coverage(place, OWNER, rule_id="filed_share", as_of=DAY)
    # V1: 3 on the thirtieth day, 1 after sixty days, 1 the next day; V2: never, overdue.
    assert column(result, "numerator")[V1] == 4
    assert column(result, "denominator")[V1] == 5
    assert column(result, "state")[V2] == "short"
    soon = coverage(place, OWNER, rule_id="filed_share", as_of="2025-01-15")
    assert column(soon, "state")[V2] == "no_data"  # in use for two weeks: not due yet


def test_retention_and_base_data_are_shares_of_what_is_recorded(place):
    kept = coverage(place, OWNER, rule_id="retention_ok", as_of=DAY)
    assert (column(kept, "numerator")[V1], column(kept, "denominator")[V1]) == (4, 5)
    complete = coverage(place, OWNER, rule_id="registered", as_of=DAY)
    assert (column(complete, "numerator")[V1], column(complete, "denominator")[V1]) == (3, 5)


def test_a_camera_counts_from_its_first_day_and_change_is_told(place):
    result = coverage(place, OWNER, as_of=DAY, against="2025-03-01")
    rows = result.rows.set_index("code")
    assert (rows.loc[V1, "value_then"], rows.loc[V1, "value_change"]) == (4, 1)
    assert result.change["became_met"] == 1
    assert result.change["short_then"] == 4
    assert result.as_json("zh")["change"]["against"] == "2025-03-01"


def test_a_filter_speaks_of_units_or_of_cameras(place):
    south = coverage(place, OWNER, as_of=DAY, where=f"parent_code = '{SOUTH}'")
    assert sorted(south.rows["code"]) == [V1, V2, V3]
    assert south.summary["outside"] is None
    offline = coverage(
        place, OWNER, as_of=DAY, where="status = 'offline'", camera_filter=CameraFilter(statuses=["offline"])
    )
    assert column(offline, "value")[V3] == 4
    assert len(offline.rows) == 6
    with pytest.raises(InputError):
        coverage(place, OWNER, as_of=DAY, where="no_such_column = 1")


def test_a_scoped_planner_sees_his_rows_with_the_same_figures(place):
    result = coverage(place, Viewer("north", "planner", areas=(NORTH,)), as_of=DAY)
    assert column(result, "value") == {V4: 7, V5: 0, V6: 0}
    assert result.summary["outside"] is None
    whole = coverage(place, PLANNER, as_of=DAY)
    assert len(whole.rows) == 6


@pytest.mark.parametrize("role", ["viewer", "reporter"])
def test_roles_without_cameras_get_counts_per_village_and_no_free_filter(place, role):
    reader = Viewer("reader", role)
    assert column(coverage(place, reader, as_of=DAY), "value")[V1] == 5
    with pytest.raises(RightsError):
        coverage(place, reader, unit="grid", as_of=DAY)
    with pytest.raises(InputError):
        coverage(place, reader, as_of=DAY, where="device_id = '99098300001320000001'")
    shown = str(coverage(place, reader, as_of=DAY).as_json("zh"))
    assert "99098300001320000" not in shown
    assert "南桥路口" not in shown


def test_villages_that_are_points_get_derived_areas(gpkg_store):
    put(gpkg_store, "county", squares.county())
    put(gpkg_store, "village", squares.villages(as_points=True))
    put(gpkg_store, "camera", squares.cameras())
    result = coverage(gpkg_store, OWNER, as_of=DAY)
    assert result.rows["derived"].all()
    values = column(result, "value")
    assert (values[V3], values[V4], values[V5], values[V6]) == (0, 7, 0, 0)
    assert values[V1] + values[V2] == 10  # one stands on their border, which is rounded to the centimetre
    assert result.summary["outside"] == 1
    assert any("derived" in note["en"] for note in result.provenance["notes"])


def test_without_any_outline_derived_areas_end_at_a_hull_and_a_note_says_so(gpkg_store):
    put(gpkg_store, "village", squares.villages(as_points=True))
    put(gpkg_store, "camera", squares.cameras())
    result = coverage(gpkg_store, OWNER, as_of=DAY)
    assert column(result, "value")[V4] == 7
    assert any("hull" in note["en"] for note in result.provenance["notes"])


def test_villages_at_one_point_and_without_place_have_no_data(gpkg_store):
    given = squares.villages(as_points=True)
    given.loc[1, "geometry"] = given.geometry[0]
    given.loc[2, "geometry"] = None
    put(gpkg_store, "county", squares.county())
    put(gpkg_store, "village", given)
    put(gpkg_store, "camera", squares.cameras())
    result = coverage(gpkg_store, OWNER, as_of=DAY)
    assert column(result, "state") == {V1: "no_data", V2: "no_data", V3: "no_data", V4: "met", V5: "short", V6: "short"}
    assert column(result, "problem")[V2] == "shared_point"
    assert column(result, "problem")[V3] == "no_geometry"
    assert result.summary["no_data"] == 3
    reasons = {row["code"]: row.get("reason") for row in result.as_json("en")["rows"]}
    assert "one point" in reasons[V1]
    assert "no position" in reasons[V3]
    assert reasons[V4] is None


def test_natural_villages_that_are_points_share_their_village_and_make_the_deficit(place):
    put(
        place,
        "natural_village",
        frame(
            [at(0.25, 0.5), at(0.75, 0.5), at(1.5, 0.5)],
            code=["n1", "n2", "n3"],
            name=["一组", "二组", "三组"],
            parent_code=[V1, V1, V2],
        ),
    )
    natural = coverage(place, OWNER, unit="natural_village", as_of=DAY)
    assert natural.rule.id == "cam_natural"
    assert natural.rows["derived"].all()
    # Of V1's five cameras three stand in the middle (border of n1 and n2), one in the west, one on the eastern edge.
    values = column(natural, "value")
    # Derived borders lie on the centimetre grid, so the one on the edge may fall to the neighbour.
    assert values["n1"] + values["n2"] + values["n3"] == 10
    assert values["n3"] in (5, 6)
    deficit = coverage(place, OWNER, rule_id="cam_deficit", as_of=DAY)
    lacking = sum(max(0, 2 - values[code]) for code in ("n1", "n2"))
    assert column(deficit, "value")[V1] == max(lacking, 0)
    assert column(deficit, "value")[V2] == 0
    assert column(deficit, "value")[V3] == 5
    assert column(deficit, "required")[V3] == 0


def test_rules_on_staff_and_people_use_the_recorded_numbers(place):
    put(
        place,
        "staffing",
        frame(
            [None] * 3,
            area_code=[V1, V4, NORTH],
            patrol=pd.array([1, 8, 12], dtype="Int64"),
            auxiliary_police=pd.array([1, 0, None], dtype="Int64"),
            social_workers=pd.array([None, 16, None], dtype="Int64"),
        ),
    )
    patrol = coverage(place, OWNER, rule_id="patrol", as_of=DAY)
    assert column(patrol, "state") == {
        V1: "met",
        V2: "no_data",
        V3: "no_data",
        V4: "short",
        V5: "no_data",
        V6: "no_data",
    }
    assert (column(patrol, "required")[V4], column(patrol, "shortfall")[V4]) == (9, 1)
    police = coverage(place, OWNER, rule_id="aux_police", as_of=DAY)
    assert column(police, "state") == {
        V1: "met",
        V2: "no_data",
        V3: "no_data",
        V4: "short",
        V5: "no_data",
        V6: "no_data",
    }
    social = coverage(place, OWNER, rule_id="social_workers", as_of=DAY)
    assert (column(social, "required")[V4], column(social, "shortfall")[V4]) == (17, 1)
    townships = coverage(place, OWNER, rule_id="patrol", unit="township", as_of=DAY)
    assert column(townships, "numerator") == {SOUTH: 1, NORTH: 12}  # its villages' sum; its own figure


def test_community_size_is_for_urban_communities_only(place):
    result = coverage(place, OWNER, rule_id="community_size", as_of=DAY)
    assert result.rows["code"].tolist() == [V4]
    assert (column(result, "shortfall")[V4], column(result, "state")[V4]) == (200, "short")
    assert result.summary["not_applicable"] == 5
    assert "too many" in result.sentence().en


def test_service_floor_area_follows_type_and_households(place):
    put(
        place,
        "facility",
        frame(
            [at(0.5, 0.5), at(0.6, 0.5), squares.square(1.2, 0.2, 0.1, 0.1), None],
            name=["a", "b", "c", "d"],
            service_area_m2=[300.0, 150.0, 130.0, 900.0],
        ),
    )
    result = coverage(place, OWNER, rule_id="area_village", as_of=DAY)
    # V1: central rural, max(500, 90); V2: other rural, max(100, 120); V3: type not recorded; V4: max(300, 960).
    assert column(result, "required")[V1] == 500
    assert column(result, "value")[V1] == 450
    assert column(result, "state") == {V1: "short", V2: "met", V3: "no_data", V4: "short", V5: "no_data", V6: "short"}
    assert result.summary["no_location"] == 1


def test_grids_need_a_worker(place):
    put(
        place,
        "grid",
        frame(
            [squares.square(0, 0, 0.5), squares.square(0.5, 0, 0.5), squares.square(1, 0)],
            grid_code=[f"{V1}001", f"{V1}002", f"{V2}001"],
            name=["一", "二", "三"],
            village_code=[V1, V1, V2],
            workers_full=pd.array([1, 0, None], dtype="Int64"),
            workers_part=pd.array([None, 0, None], dtype="Int64"),
        ),
    )
    result = coverage(place, OWNER, rule_id="grid_staff", as_of=DAY)
    assert column(result, "state") == {f"{V1}001": "met", f"{V1}002": "short", f"{V2}001": "no_data"}
    assert column(result, "parent_code")[f"{V1}001"] == V1
    levels = result.totals.groupby("level")["units"].sum().to_dict()
    assert levels == {"village": 3, "township": 3, "county": 3}


def test_without_any_camera_record_nothing_is_said(gpkg_store):
    put(gpkg_store, "village", squares.villages())
    result = coverage(gpkg_store, OWNER, as_of=DAY)
    assert (result.rows["state"] == "no_data").all()
    assert result.summary["cameras_missing"] == 0


def test_an_empty_store_gives_an_empty_answer(gpkg_store):
    result = coverage(gpkg_store, OWNER, as_of=DAY)
    assert len(result.rows) == 0
    assert result.as_json("zh")["summary"]["units"] == 0


def test_results_are_kept_until_a_layer_changes(place):
    first = coverage(place, OWNER, as_of=DAY)
    assert coverage(place, OWNER, as_of=DAY) is first
    assert coverage(place, Viewer("v", "viewer"), as_of=DAY) is not first
    put(
        place,
        "camera",
        frame([at(1.5, 1.5)], device_id=["99098300001320000099"], camera_count=pd.array([5], dtype="Int64")),
    )
    assert column(coverage(place, OWNER, as_of=DAY), "value")[V5] == 5


def test_the_same_figures_whatever_the_order_of_rows(tmp_path):
    from layers.storage.store import Store

    answers = []
    for number, order in enumerate((slice(None), slice(None, None, -1))):
        with Store.create(str(tmp_path / f"{number}.gpkg")) as store:
            for kind, given in (("village", squares.villages()), ("camera", squares.cameras())):
                put(store, kind, given.iloc[order].reset_index(drop=True))
            answers.append(coverage(store, OWNER, as_of=DAY).rows)
    pd.testing.assert_frame_equal(*answers)


def test_a_planners_rule_set_makes_the_figures(place):
    body = {**rules.shipped()["sample-2025"].body}
    body["rules"] = [{**each, "threshold": 7} if each["id"] == "cam_admin" else each for each in body["rules"]]
    rules.save_rule_set(place, PLANNER, "望川2026", body, based_on="sample-2025")
    result = coverage(place, OWNER, as_of=DAY, rule_set="望川2026")
    assert column(result, "shortfall")[V1] == 2
    assert result.provenance["rule_set"]["name"] == "望川2026"
    assert result.provenance["rule_set"]["shipped"] is False
