"""Figures as of then, restated to today's boundaries, and in those of a fixed day: the sums add up in every mode.

In village V1 grid A (west half) is split into C and D in July, and in October D gives a strip to B (east half).
"""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import squares
from redrawn import decide
from squares import V1, V2, V3, frame, put, square

from geo.errors import InputError, RightsError
from layers.exports.exporting import export
from layers.figures.boundary_modes import as_of_then, boundaries_of
from layers.figures.derived import coverage, hotspots
from layers.imports.undoing import undo_change
from layers.places.areas import area_set
from layers.places.carried import carried, restated
from layers.rights import OWNER, Viewer
from layers.storage import history

TODAY, START, SPLIT, PUSH = "2026-06-01", "2025-01-01", "2025-07-01", "2025-10-01"
A, B, C, D, E = (f"{V1}00{n}" for n in (1, 2, 3, 4, 5))
F = f"{V2}001"


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch):
    monkeypatch.setattr(history, "today", lambda: date.fromisoformat(TODAY))


def grids(codes, shapes, households, workers=(1,)):
    return frame(
        list(shapes),
        grid_code=list(codes),
        name=[f"网格{code[-3:]}" for code in codes],
        village_code=[code[:12] for code in codes],
        households=pd.array(households, dtype="Int64"),
        workers_full=pd.array(list(workers) * (len(codes) // len(workers)), dtype="Int64"),
    )


@pytest.fixture
def redrawn(store):
    """The redrawn county on each engine."""
    return draw(store)


@pytest.fixture
def place(gpkg_store):
    """The redrawn county in a GeoPackage."""
    return draw(gpkg_store)


def draw(store):
    """The county of squares with two decisions about the grids of V1, and 660 incidents of 2025."""
    squares.fill(store)
    put(store, "grid", grids([A, B, F], [square(0, 0, 0.5), square(0.5, 0, 0.5), square(1, 0)], [101, 200, 50], [2]))
    decide(
        store, "grid", SPLIT, ends=[A],
        begins=grids([C, D], [square(0, 0, 0.2), square(0.2, 0, 0.3)], [41, 60]),
        links=[(A, C, "split", 0.4, 0.41), (A, D, "split", 0.6, 0.59)],
    )  # fmt: skip
    decide(
        store, "grid", PUSH, ends=[D, B],
        begins=grids([D, B], [square(0.2, 0, 0.2), square(0.4, 0, 0.6)], [40, 220]),
        links=[(D, D, "stay", 2 / 3, 2 / 3), (D, B, "transfer", 1 / 3, 1 / 3)],
    )  # fmt: skip
    put(store, "incident", squares.incidents(seed=3, centre=(0.3, 0.5)))
    return store


def by_hand(store, moments):
    """Code of the grid of each incident on the day in `moments`, point by point, lowest code first."""
    found = []
    for lon, lat, on in moments:
        areas = area_set(store, "grid", on).frame
        hit = [code for code, shape in areas.geometry.items() if shapely.intersects_xy(shape, lon, lat)]
        found.append(min(hit) if hit else None)
    return pd.Series(found, dtype=object).value_counts().to_dict()


def given(on=None):
    """Positions and days of the incidents; `on` in place of their own."""
    table = squares.incidents(seed=3, centre=(0.3, 0.5))
    return [
        (point.x, point.y, on or str(day)[:10]) for point, day in zip(table.geometry, table["occurred_on"], strict=True)
    ]


def counts(result):
    return {row["code"]: int(row["count"]) for _, row in result.rows.iterrows() if row["count"]}


def adds_up(summary):
    return summary["counted"] + summary["ended"] + summary["outside"] + summary["no_location"] == summary["total"]


def test_as_of_then_each_incident_is_counted_in_the_grid_of_its_own_day(redrawn):
    result = hotspots(redrawn, OWNER, unit="grid", boundaries="then")
    expected = by_hand(redrawn, given())
    ended = {row["code"]: int(row["count"]) for _, row in result.ended.iterrows()}
    assert counts(result) | ended == expected
    assert set(ended) == {A}
    assert result.ended.loc[0, ["name", "parent_code", "ended_on"]].tolist() == ["网格001", V1, SPLIT]
    assert expected[A] > 20 and expected[C] > 0 and expected[D] > 0
    assert result.summary["ended"] == expected[A] and adds_up(result.summary)


@pytest.mark.parametrize(
    ("mode", "on", "codes"),
    [("today", TODAY, {B, C, D, F}), ("2025-08-01", "2025-08-01", {B, C, D, F}), (START, START, {A, B, F})],
)
def test_in_fixed_boundaries_all_incidents_are_counted_anew(redrawn, mode, on, codes):
    result = hotspots(redrawn, OWNER, unit="grid", boundaries=mode)
    assert counts(result) == by_hand(redrawn, given(on))
    assert set(result.rows["code"]) == codes
    assert result.summary["ended"] == 0 and not len(result.ended) and adds_up(result.summary)


def test_the_three_modes_hold_the_same_incidents(place):
    sums = set()
    for mode in ("then", "today", START, "2025-08-01"):
        result = hotspots(place, OWNER, unit="grid", boundaries=mode)
        sums.add(int(result.rows["count"].sum()) + int(result.ended["count"].sum()))
        assert adds_up(result.summary)
    assert len(sums) == 1


def test_the_mode_is_named_in_answer_and_provenance(place):
    for mode, word in (("then", "当时边界"), ("today", f"现行边界（{TODAY}）"), (START, START), (None, "现行边界")):
        result = hotspots(place, OWNER, unit="grid", boundaries=mode)
        assert word in result.as_json("zh")["boundaries"]["label"]
        assert word in result.provenance["notes"][0]["zh"]
        assert result.provenance["parameters"]["boundaries"] == (mode or "today")
        assert word in coverage(place, OWNER, unit="grid", boundaries=mode or "today").provenance["notes"][0]["zh"]
    assert coverage(place, OWNER, as_of=START).boundaries.mode == "then"
    assert hotspots(place, OWNER, unit="grid", as_of=START).boundaries.given == START


def test_what_names_no_boundaries_is_refused(place):
    for wrong in ("gestern", "2026-13-01"):
        with pytest.raises(InputError):
            boundaries_of(wrong, TODAY, default=as_of_then(TODAY), today=TODAY)
    with pytest.raises(RightsError):
        hotspots(place, Viewer("reader", "viewer"), boundaries="today")


def test_a_grid_is_held_against_the_days_it_stood(place):
    spans = {"date_from": "2025-01-01", "date_to": "2025-12-31"}
    then = hotspots(place, OWNER, unit="grid", boundaries="then", exposure="area", **spans).rows.set_index("code")
    shapes = area_set(place, "grid", TODAY).frame.geometry
    whole = pd.Series(shapely.area(shapes.to_numpy()), index=shapes.index)
    days = {B: 365, C: 184, D: 184, F: 365}
    weight = pd.Series({code: whole[code] * part / 365 for code, part in days.items()})
    expected = then["count"].sum() * weight / weight.sum()
    assert then["expected"].to_numpy() == pytest.approx(expected.reindex(then.index).to_numpy(), rel=1e-3)


def test_a_decision_that_was_taken_back_or_is_to_come_changes_no_figure(redrawn):
    before = hotspots(redrawn, OWNER, unit="grid", boundaries="then").as_json("zh")
    later = decide(redrawn, "grid", "2027-01-01", ends=[C], begins=grids([E], [square(0, 0, 0.2)], [41]))
    for mode in ("then", "today", START):
        assert adds_up(hotspots(redrawn, OWNER, unit="grid", boundaries=mode).summary)
    assert hotspots(redrawn, OWNER, unit="grid", boundaries="then").as_json("zh")["rows"] == before["rows"]
    assert E in set(hotspots(redrawn, OWNER, unit="grid", boundaries="2027-01-01").rows["code"])
    undo_change(redrawn, later, "administrator")
    assert E not in set(hotspots(redrawn, OWNER, unit="grid", boundaries="2027-01-01").rows["code"])


def test_cameras_add_up_in_every_mode(redrawn):
    cameras = None
    for mode in ("then", "today", START, "2025-08-01"):
        result = coverage(redrawn, OWNER, unit="grid", rule_id="cam_admin", boundaries=mode)
        summary = result.summary
        placed = result.rows["value"].sum() + summary["outside_cameras"] + summary["no_location_cameras"]
        assert placed == summary["cameras"]
        assert cameras in (None, summary["cameras"])
        cameras = summary["cameras"]
        village = result.totals[result.totals["level"] == "village"].set_index("code")["value"]
        assert village.sum() == result.rows["value"].sum()
        assert not result.rows["estimated"].any()


def test_a_comparison_restated_has_the_same_units_on_both_days(place):
    then = coverage(place, OWNER, unit="grid", against=START)
    assert then.change["gone_units"] == 1 and then.change["gone"][0]["code"] == A
    assert then.change["new_units"] == 2
    today = coverage(place, OWNER, unit="grid", against=START, boundaries="today")
    assert (today.change["gone_units"], today.change["new_units"]) == (0, 0)
    both = [(then.rows["value"].sum(), then.rows["value_then"].sum() + then.change["gone"][0]["value"])]
    both.append((today.rows["value"].sum(), today.rows["value_then"].sum()))
    assert both[0] == both[1]


def test_households_are_carried_by_lineage_whole_and_marked(redrawn):
    frame_ = restated(redrawn, "grid", START, TODAY).frame
    # 101 households of A go 41 : 60 to C and D by the decision, and a third of those 60 on to B.
    assert frame_["households"].to_dict() == {B: 220.0, C: 41.0, D: 40.0, F: 50.0}
    assert frame_["households"].sum() == 351
    assert frame_["estimated"].to_dict() == {B: True, C: True, D: True, F: False}
    back = restated(redrawn, "grid", TODAY, START)
    assert back.frame["households"].sum() == 41 + 40 + 220 + 50
    assert back.frame["households"].map(float.is_integer).all()
    assert any("估计" in note.zh for note in back.notes)
    staff = coverage(redrawn, OWNER, unit="grid", rule_id="grid_staff", as_of=START, boundaries="today")
    assert staff.rows.set_index("code")["estimated"].to_dict() == {B: True, C: True, D: True, F: False}
    assert staff.rows["value"].sum() == 6


def test_without_lineage_the_land_decides_and_a_merger_is_no_estimate(place):
    decide(place, "grid", "2026-01-01", ends=[C, D], begins=grids([E], [square(0, 0, 0.4)], [81]))
    over = carried(place, "grid", "2025-12-31", TODAY)
    assert over.shares[C] == {E: 1.0} and over.shares[D] == {E: 1.0}
    merged = restated(place, "grid", "2025-12-31", TODAY).frame
    assert merged.loc[E, "households"] == 81
    assert not merged["estimated"].any()
    apart = restated(place, "grid", TODAY, "2025-12-31").frame
    assert sorted(apart.loc[[C, D], "households"]) == [40.0, 41.0]
    assert apart.loc[[C, D], "estimated"].all()


def test_land_that_loses_its_grid_is_told_not_lost_silently(place):
    decide(place, "grid", "2026-01-01", ends=[F])
    result = restated(place, "grid", START, TODAY)
    assert result.frame["households"].sum() == 301
    assert any("户数 50" in note.zh for note in result.notes)


def test_whole_numbers_stay_whole_whatever_the_shares(place):
    rng = np.random.default_rng(5)
    over = carried(place, "grid", START, TODAY)
    for _ in range(50):
        figures = pd.Series({code: float(rng.integers(0, 50)) for code in (A, B, F)})
        found, _ = over.apply(figures)
        assert found.sum() == figures.sum()
        assert found.map(float.is_integer).all()
        assert (found >= 0).all()


def test_exports_name_the_mode_and_list_what_has_ended(place, tmp_path):
    path = tmp_path / "hot.geojson"
    report = export(place, OWNER, "hotspots", path, unit="grid", boundaries="then")
    table = gpd.read_file(path)
    assert report.rows == 5
    assert str(table.set_index("code").loc[A, "ended_on"])[:10] == SPLIT
    assert table["count"].sum() == sum(by_hand(place, given()).get(code, 0) for code in (A, B, C, D, F))
    beside = (tmp_path / "hot.geojson.provenance.json").read_text("utf-8")
    assert "按当时边界" in beside


def test_villages_have_modes_too(place):
    shifted = squares.villages().iloc[[1, 2]].drop(columns=["urban_rural"])
    shifted.geometry = [square(1, 0, 1.2), square(2.2, 0, 0.8)]
    decide(place, "village", "2026-01-01", ends=[V2, V3], begins=shifted)
    then = counts(hotspots(place, OWNER, unit="village", boundaries="then"))
    old = counts(hotspots(place, OWNER, unit="village", boundaries="2025-12-31"))
    new = counts(hotspots(place, OWNER, unit="village", boundaries="today"))
    assert then == old  # all incidents are of 2025
    assert new[V2] > old[V2] and new[V2] + new[V3] == old[V2] + old[V3]
