"""Border lines as layers of a day: derived, numbered for good, inspected; on both stores."""

import numpy as np
import pandas as pd
import pytest
import shapely
from small_county import make_small_store
from squares import NORTH, SOUTH, V1, V2, V3, V4, V5, V6, county, frame, put, square, townships, villages

from geo.border_numbers import read_marker_number
from geo.errors import InputError, NotFoundError, RightsError
from layers.imports.undoing import undo_change
from layers.places import borders, inspections
from layers.rights import OWNER, Viewer
from layers.selection import frames
from layers.storage import references
from layers.storage.history import today
from layers.storage.store import Store

PLANNER, MANAGER = Viewer("planner", "planner"), Viewer("li", "grid_manager", areas=(V1,))


@pytest.fixture
def filled(store):
    for kind, given in (("county", county()), ("township", townships()), ("village", villages())):
        put(store, kind, given)
    return store


def lines_on(store, on=None):
    rows = frames.read_layer(store, "boundary_line", OWNER, as_of=on)
    return {row.number: (row.level, tuple(row.area_codes.split(","))) for row in rows.itertuples()}


def test_lines_junctions_and_markers_of_six_squares(filled):
    answer = borders.derive(filled, PLANNER, on="2020-01-01")
    # One line between the townships; between the villages two upright ones per row and three level ones.
    assert answer["boundary_line"] == {"kept": 0, "new": 8, "ended": 0}
    assert answer["tri_junction"] == {"kept": 0, "new": 2, "ended": 0}
    lines = lines_on(filled)
    assert lines["0001"] == ("township", (SOUTH, NORTH))
    assert sorted(pair for level, pair in lines.values() if level == "village") == sorted(
        [(V1, V2), (V2, V3), (V4, V5), (V5, V6), (V1, V4), (V2, V5), (V3, V6)]
    )
    assert sorted(lines) == [f"{number:04d}" for number in range(1, 9)]
    row = frames.read_layer(filled, "boundary_line", OWNER, where="number = '0001'").iloc[0]
    assert row["origin"] == "derived" and row["length_m"] == pytest.approx(28_900, rel=0.01)
    assert shapely.hausdorff_distance(row.geometry, shapely.LineString([(111, 30.1), (111.3, 30.1)])) < 1e-6
    junctions = frames.read_layer(filled, "tri_junction", OWNER)
    assert {len(codes.split(",")) for codes in junctions["area_codes"]} == {4}
    markers = frames.read_layer(filled, "boundary_marker", OWNER)
    assert markers["number"].is_unique and len(markers) == answer["boundary_marker"]["new"]
    for number, line in zip(markers["number"], markers["line_number"], strict=True):
        assert read_marker_number(number)[0] == line and line in lines
    # A thousand metres between markers of townships: 29 on the line of 28.9 km.
    assert (markers["line_number"] == "0001").sum() == 29
    assert frames.count_layer(filled, "boundary_line", OWNER, as_of="2019-12-31") == 0


def test_deriving_again_changes_nothing(filled):
    borders.derive(filled, PLANNER, on="2020-01-01")
    versions = filled.versions()
    again = borders.derive(filled, PLANNER, on="2021-01-01")
    assert again["change"] is None and again["boundary_line"] == {"kept": 8, "new": 0, "ended": 0}
    assert filled.versions() == versions


def test_numbers_stay_when_villages_change_and_the_earlier_day_keeps_its_lines(filled):
    borders.derive(filled, PLANNER, on="2020-01-01")
    before = lines_on(filled)
    inspections.record(
        filled,
        PLANNER,
        line_number=next(n for n, line in before.items() if line[1] == (V1, V4)),
        inspected_on="2021-05-05",
        state="marker_moved",
    )
    # V2 and V3 become one village with the code of V2 from 2024 on.
    change = filled.open_change("planner", "import", kinds=["village"])
    old = frames.read_layer(filled, "village", OWNER)
    from layers.storage.rows import close_rows, insert_rows

    close_rows(filled, change, "village", old.loc[[V2, V3], "fid"].to_numpy(), "2024-01-01")
    merged = frame([square(1, 0, 2)], code=[V2], name=["河西村"], parent_code=[SOUTH])
    insert_rows(filled, change, "village", merged, valid_from="2024-01-01")
    filled.finish_change(change, ["village"], 1)
    answer = borders.derive(filled, PLANNER, on="2024-01-01")
    assert lines_on(filled, "2023-12-31") == before
    after = lines_on(filled, "2024-01-01")
    gone = next(n for n, line in before.items() if line[1] == (V2, V3))
    moved = next(n for n, line in before.items() if line[1] == (V3, V6))
    assert gone not in after and after[moved] == ("village", (V2, V6))
    assert {n: line for n, line in after.items() if n != moved} == {
        n: line for n, line in before.items() if n not in (gone, moved)
    }
    assert answer["boundary_line"]["new"] == 1 and answer["boundary_line"]["ended"] == 2
    kept = frames.read_layer(filled, "boundary_line", OWNER, as_of="2024-06-01").set_index("number")
    assert kept["state"].dropna().tolist() == ["marker_moved"]
    with pytest.raises(InputError):
        borders.derive(filled, PLANNER, on="2022-01-01")
    undo_change(filled, answer["change"], "administrator")
    assert lines_on(filled, "2024-01-01") == before


def test_surveyed_lines_are_left_alone_and_their_numbers_not_given_again(filled):
    surveyed = frame([shapely.LineString([(111, 30), (111.1, 30.05)])], number=["0003"], origin=["surveyed"])
    put(filled, "boundary_line", surveyed)
    borders.derive(filled, PLANNER)
    rows = frames.read_layer(filled, "boundary_line", OWNER)
    assert rows[rows["number"] == "0003"]["origin"].tolist() == ["surveyed"]
    assert sorted(rows["number"]) == [f"{number:04d}" for number in range(1, 10)]


def test_lines_due_this_year_come_once_in_the_period(filled):
    borders.derive(filled, PLANNER, on="2020-01-01")
    turns = [
        {line["number"] for line in inspections.inspection_list(filled, PLANNER, year).lines}
        for year in range(2025, 2030)
    ]
    assert set.union(*turns) == set(lines_on(filled)) and sum(map(len, turns)) == 8
    year = today().year
    inspections.record(
        filled,
        PLANNER,
        line_number="0001",
        inspected_on=f"{year - 1}-06-01",
        units="南桥镇、北岭乡",
        photo="0001-1.jpg",
    )
    listed = inspections.inspection_list(filled, PLANNER, year + 4)
    row = next(line for line in listed.lines if line["number"] == "0001")
    assert row["reason"] == "period" and row["last_inspection"] == f"{year - 1}-06-01"
    assert row["areas"] == ["南桥镇", "北岭乡"] and row["done_on"] is None
    assert "0001" not in {line["number"] for line in inspections.inspection_list(filled, PLANNER, year + 3).lines}
    told = inspections.inspection_list(filled, PLANNER, year - 1).as_dict("en")
    row = next(line for line in told["lines"] if line["number"] == "0001")
    assert row["done_on"] == f"{year - 1}-06-01" and row["state_label"] == "sound" and told["done"] == 1
    line = frames.read_layer(filled, "boundary_line", OWNER, where="number = '0001'").iloc[0]
    assert line["last_inspection"] == pd.Timestamp(f"{year - 1}-06-01") and line["state"] == "sound"
    filled.settings.set("borders", {"inspection_years": 1})
    assert len(inspections.inspection_list(filled, PLANNER, year).lines) == 8


def test_older_record_does_not_overwrite_a_newer_one_on_the_line(filled):
    borders.derive(filled, PLANNER, on="2020-01-01")
    for on, state in (("2024-03-01", "disputed"), ("2022-03-01", "sound"), ("2018-03-01", "sound")):
        inspections.record(filled, PLANNER, line_number="0002", inspected_on=on, state=state)
    line = frames.read_layer(filled, "boundary_line", OWNER, where="number = '0002'")
    assert line["state"].tolist() == ["disputed"]
    assert frames.count_layer(filled, "inspection", OWNER) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"inspected_on": "2999-01-01"},
        {"inspected_on": "yesterday"},
        {"state": "fine"},
        {"photo": "../0001.jpg"},
        {"photo": "C:\\0001.jpg"},
        {"note": "联系人 13800138000"},
        {"note": "x" * 501},
        {"units": "a\nb"},
    ],
)
def test_record_that_cannot_be_kept_is_refused(gpkg_store, wrong):
    put(gpkg_store, "village", villages())
    borders.derive(gpkg_store, PLANNER, on="2020-01-01")
    good = {"line_number": "0001", "inspected_on": "2024-01-01"}
    with pytest.raises(InputError):
        inspections.record(gpkg_store, PLANNER, **{**good, **wrong})
    with pytest.raises(NotFoundError):
        inspections.record(gpkg_store, PLANNER, **{**good, "line_number": "0999"})
    assert frames.count_layer(gpkg_store, "inspection", OWNER) == 0


def test_rights_and_areas(filled):
    for role in ("viewer", "reporter", "dispatcher", "grid_manager"):
        with pytest.raises(RightsError):
            borders.derive(filled, Viewer("somebody", role))
    with pytest.raises(InputError):
        borders.derive(filled, Viewer("planner", "planner", areas=(SOUTH,)))
    borders.derive(filled, PLANNER, on="2020-01-01")
    lines = lines_on(filled)
    far = next(number for number, line in lines.items() if line[1] == (V5, V6))
    near = next(number for number, line in lines.items() if line[1] == (V1, V2))
    inspections.record(filled, MANAGER, line_number=near, inspected_on="2024-01-01")
    with pytest.raises(NotFoundError):
        inspections.record(filled, MANAGER, line_number=far, inspected_on="2024-01-01")
    with pytest.raises(RightsError):
        inspections.record(filled, Viewer("somebody", "viewer"), line_number=near, inspected_on="2024-01-01")
    seen = set().union(
        *(
            {line["number"] for line in inspections.inspection_list(filled, MANAGER, year).lines}
            for year in range(2025, 2031)
        )
    )
    assert near in seen and far not in seen


def test_markers_of_a_border_in_a_river_stand_on_both_banks(gpkg_store):
    put(gpkg_store, "village", villages())
    river = frame([shapely.LineString([(111.1, 30.0), (111.1, 30.1)])], name=["清溪"])
    references.replace(gpkg_store, "rivers", river, title="河流", source="made_up.geojson")
    borders.derive(gpkg_store, PLANNER)
    lines = lines_on(gpkg_store)
    wet = next(number for number, line in lines.items() if line[1] == (V1, V2))
    markers = frames.read_layer(gpkg_store, "boundary_marker", OWNER)
    mine = markers[(markers["line_number"] == wet)]
    along = mine[mine["side_type"].isin(["A", "B"])]
    assert (along["side_type"] == "A").sum() == (along["side_type"] == "B").sum() == 22
    for kind, village in (("A", square(0, 0)), ("B", square(1, 0))):
        places = along[along["side_type"] == kind].geometry
        assert places.within(village).all()
        assert shapely.distance(places.to_numpy(), river.geometry.iloc[0]).max() < 0.0002
    assert set(markers[markers["line_number"] != wet]["side_type"]) == {"Q"}


def test_places_without_polygons_have_no_lines(gpkg_store):
    put(gpkg_store, "county", county())
    put(gpkg_store, "village", villages(as_points=True))
    with pytest.raises(NotFoundError):
        borders.derive(gpkg_store, PLANNER)


def test_made_up_county_has_a_line_for_every_pair_of_neighbours(tmp_path):
    path = tmp_path / "county.gpkg"
    made = make_small_store(path)
    shapes = made.frames["village"].geometry.to_numpy()
    codes = made.frames["village"]["code"].to_numpy()
    pairs = {
        tuple(sorted((codes[i], codes[j])))
        for i, j in zip(*shapely.STRtree(shapes).query(shapes, predicate="intersects"), strict=True)
        if i < j and shapely.intersection(shapes[i].boundary, shapes[j].boundary).length > 0
    }
    with Store.open(str(path)) as store:
        answer = borders.derive(store, PLANNER)
        rows = frames.read_layer(store, "boundary_line", OWNER)
        villages_only = rows[rows["level"] == "village"]
        assert {tuple(codes.split(",")) for codes in villages_only["area_codes"]} == pairs
        assert rows["number"].is_unique and answer["tri_junction"]["new"] > 20
        markers = frames.read_layer(store, "boundary_marker", OWNER)
        sorts = markers["side_type"].value_counts()
        assert sorts["C"] == sorts["D"] == sorts["E"] > 0 and sorts["Q"] > 0
        triples = markers[markers["side_type"].isin(["C", "D", "E"]) & (markers["level"] == "village")]
        home = dict(zip(codes, shapes, strict=True))
        inside = [
            home[code].buffer(1e-7).contains(place)
            for code, place in zip(triples["area_codes"], triples.geometry, strict=True)
        ]
        assert np.mean(inside) == 1
        assert borders.derive(store, PLANNER)["change"] is None
