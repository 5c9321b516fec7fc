"""Features, points, tiles, details, search and tables of the small county."""

import json

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from office import COUNTY, EAST, WEST, frames, village_code
from redrawn import halves
from shapely.geometry import shape

from geo.errors import InputError
from geo.tilegeom import tile_bounds, to_mercator
from web import figures
from web.points import NONE, pack


def read_points(data: bytes) -> dict:
    """The reverse of `web.points.pack`, as the browser does it."""
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    n, at = header["n"], 4 + length
    at += -at % 4
    assert not any(data[4 + length : at])
    numbers = []
    for _ in range(3):
        planes = np.frombuffer(data, np.uint8, 4 * n, at).reshape(4, n)
        numbers.append(np.ascontiguousarray(planes.T).view("<i4").ravel())
        at += 4 * n
    columns = {}
    for column in header["columns"]:
        index = np.frombuffer(data, np.uint8, n, at)
        columns[column["name"]] = [None if i == NONE else column["choices"][i] for i in index]
        at += n
    assert at == len(data)
    lon, lat = (o + v * header["scale"] for o, v in zip(header["origin"], numbers[:2], strict=True))
    return {"header": header, "lon": lon, "lat": lat, "fid": np.cumsum(numbers[2]), **columns}


def test_features_of_areas_are_named_by_code_and_those_of_objects_by_row(person):
    one = person("planner")
    villages = one.get("/features/village").json["features"]
    assert [feature["id"] for feature in villages] == [village_code(number) for number in range(4)]
    assert villages[0]["properties"]["name"] == "石门村"
    assert villages[0]["properties"]["households"] == 300
    cameras = one.get("/features/camera").json["features"]
    assert [feature["id"] for feature in cameras] == [
        feature["properties"].get("fid", feature["id"]) for feature in cameras
    ]
    assert len(cameras) == 11


def test_a_window_holds_what_meets_it_and_nothing_else(person):
    one = person("planner")
    found = one.get("/features/village?bbox=111.01,27.61,111.03,27.62").json["features"]
    assert [feature["id"] for feature in found] == [village_code(0)]
    assert one.get("/features/village?bbox=120,30,121,31").json["features"] == []


def test_columns_filter_and_parent_narrow_the_answer(person):
    one = person("planner")
    assert one.get("/features/village?columns=name").json["features"][0]["properties"].keys() <= {"name", "derived"}
    west = one.get(f"/features/grid?parent={WEST}").json["features"]
    assert len(west) == 4 and {feature["properties"]["village_code"] for feature in west} == {
        village_code(0),
        village_code(1),
    }
    assert len(one.get(f"/features/grid?parent={COUNTY}").json["features"]) == 8
    assert len(one.get(f"/features/camera?parent={village_code(2)}").json["features"]) == 3
    assert len(one.get("/features/camera?where=status='offline'").json["features"]) == 4
    assert one.get("/features/village?parent=nowhere").status_code == 404
    assert one.get("/features/village?columns=password").status_code == 400


def test_coordinates_have_six_decimals_unless_full_precision_is_asked_for(person):
    one = person("planner")
    true = frames()["camera"].geometry
    plain = [shape(f["geometry"]) for f in one.get("/features/camera").json["features"]]
    full = [shape(f["geometry"]) for f in one.get("/features/camera?precision=full").json["features"]]
    assert [point.x for point in full] == [point.x for point in true]
    np.testing.assert_allclose([point.x for point in plain], true.x, atol=5.1e-7)
    assert all(len(repr(point.x).split(".")[1]) <= 6 for point in plain)


def test_simplified_neighbours_still_share_their_border(app, person):
    for tolerance in (0, 5, 20, 60, 500):
        found = person("planner").get(f"/features/village?tolerance_m={tolerance}").json["features"]
        shapes = [shape(feature["geometry"]) for feature in found]
        union = shapely.union_all(shapes)
        assert union.geom_type == "Polygon" and not union.interiors
        assert union.area == pytest.approx(sum(s.area for s in shapes))


def test_a_village_that_came_as_a_point_is_drawn_as_the_area_derived_for_it(app, person):
    from office import _frame

    from layers.storage.rows import close_rows, insert_rows

    store = app.extensions["wangge_store"]
    one = person("planner")
    before = {f["id"]: shape(f["geometry"]) for f in one.get("/features/village").json["features"]}
    change = store.open_change("owner", "import", kinds=["village"])
    rows = [
        {"code": village_code(n), "name": "点村", "parent_code": EAST, "geometry": before[village_code(n)].centroid}
        for n in (2, 3)
    ]
    fids = [row["properties"]["fid"] for row in one.get("/features/village?columns=fid").json["features"]][2:]
    close_rows(store, change, "village", fids, "2026-01-01")
    insert_rows(store, change, "village", _frame(rows), valid_from="2026-01-01")
    store.finish_change(change, ["village"], 2)
    found = one.get("/features/village").json["features"]
    assert [f["properties"]["derived"] for f in found] == [False, False, True, True]
    for f in found[2:]:
        assert shape(f["geometry"]).area == pytest.approx(before[f["id"]].area, rel=1e-3)
    window = one.get("/features/village?bbox=111.081,27.601,111.082,27.602").json["features"]
    assert [f["id"] for f in window] == [village_code(2)]
    earlier = one.get("/features/village?as_of=2025-06-01").json["features"]
    assert not any(f["properties"]["derived"] for f in earlier)
    tile = one.get("/tiles/village/12/3311/1721.mvt").get_data()
    drawn = mapbox_vector_tile.decode(tile)["village"]["features"]
    assert {f["properties"]["derived"] for f in drawn} <= {True, False} and drawn


def test_points_come_back_where_they_are(person):
    found = read_points(person("planner").get("/points/camera?columns=status,village_code").get_data())
    true = frames()["camera"]
    np.testing.assert_allclose(found["lon"], true.geometry.x, atol=6e-7)
    np.testing.assert_allclose(found["lat"], true.geometry.y, atol=6e-7)
    assert found["status"] == list(true["status"])
    assert found["village_code"] == list(true["village_code"])
    status = found["header"]["columns"][0]
    assert status["labels"][status["choices"].index("online")] == "在线"


def test_points_without_a_place_or_a_value_are_told(app):
    status = np.array(["offline", "online", None], dtype=object)
    with app.test_request_context("/"):
        lon, lat = np.array([111.0, np.nan, -70.5]), np.array([27.0, 27.0, -33.0])
        data = pack(lon, lat, np.array([5, 6, 2**31 - 1]), {"status": status}, "camera")
    found = read_points(data)
    assert found["header"]["without_position"] == 1
    np.testing.assert_allclose(found["lon"], [111.0, -70.5], atol=6e-7)
    assert found["fid"].tolist() == [5, 2**31 - 1]
    assert found["status"] == ["offline", None]


def test_no_points_are_an_empty_answer_and_not_an_error(person):
    found = read_points(
        person("planner").get("/points/camera?where=status='planned'+and+name='nothing'&columns=status").get_data()
    )
    assert found["header"]["n"] == 0 and found["status"] == []


def test_a_column_of_too_many_values_cannot_go_with_points(app):
    n = 300
    with app.test_request_context("/"), pytest.raises(InputError):
        pack(
            np.full(n, 111.0),
            np.full(n, 27.0),
            np.arange(n),
            {"name": np.array([str(i) for i in range(n)], dtype=object)},
            "camera",
        )


def test_a_tile_shows_what_lies_in_it_with_its_values(person):
    one, z, x, y = person("planner"), 12, 3311, 1721
    tile = one.get(f"/tiles/grid/{z}/{x}/{y}.mvt")
    assert tile.mimetype == "application/vnd.mapbox-vector-tile"
    drawn = mapbox_vector_tile.decode(tile.get_data(), default_options={"y_coord_down": True})["grid"]["features"]
    window = shapely.box(*tile_bounds(z, x, y))
    to_metres = lambda s: shapely.transform(s, lambda xy: np.column_stack(to_mercator(xy[:, 0], xy[:, 1])))  # noqa: E731
    inside = {
        row["grid_code"]: to_metres(row.geometry).intersection(window)
        for _, row in frames()["grid"].iterrows()
        if to_metres(row.geometry).intersects(window)
    }
    assert {f["properties"]["grid_code"] for f in drawn} == set(inside)
    scale = 4096 / (window.bounds[2] - window.bounds[0])
    for f in drawn:
        drawn_area = shape(f["geometry"]).intersection(shapely.box(0, 0, 4096, 4096)).area
        assert drawn_area == pytest.approx(inside[f["properties"]["grid_code"]].area * scale**2, rel=0.01, abs=5000)


def test_the_tile_of_a_day_shows_the_outlines_of_that_day(app, person):
    old = f"{village_code(0)}001"
    parts = (f"{village_code(0)}801", f"{village_code(0)}802")
    one, path = person("planner"), "/tiles/grid/12/3311/1721.mvt?columns=grid_code"
    decided, eve = "2031-01-01", "2030-12-31"
    before = one.get(path).get_data()
    halves(app.extensions["wangge_store"], old, decided, parts)
    tile_of = lambda day: one.get(path + (f"&as_of={day}" if day else ""))  # noqa: E731
    drawn = {
        day: {
            f["properties"]["grid_code"]: shape(f["geometry"])
            for f in mapbox_vector_tile.decode(tile_of(day).get_data())["grid"]["features"]
        }
        for day in ("", eve, decided, "2040-01-01")
    }
    assert tile_of("").get_data() == before and old in drawn[""]
    assert drawn[eve] == drawn[""] and drawn[decided] == drawn["2040-01-01"]
    assert set(drawn[decided]) == set(drawn[""]) - {old} | set(parts)
    whole = shapely.union_all([drawn[decided][part] for part in parts])
    assert whole.symmetric_difference(drawn[""][old]).area == pytest.approx(0, abs=0.001 * whole.area)
    assert all(drawn[decided][code] == drawn[""][code] for code in drawn[""] if code != old)
    assert tile_of("").get_etag() != tile_of(decided).get_etag()


def test_an_empty_tile_is_no_content(person):
    assert person("planner").get("/tiles/grid/12/0/0.mvt").status_code == 204


def test_many_points_on_one_pixel_become_one_with_their_number(app, person, monkeypatch):
    from web import tiles

    monkeypatch.setattr(tiles, "POINTS_APART", 5)
    tile = person("planner").get("/tiles/incident/6/51/26.mvt").get_data()
    drawn = mapbox_vector_tile.decode(tile)["incident"]["features"]
    assert len(drawn) < 27
    assert sum(f["properties"]["point_count"] for f in drawn) == 27


def test_a_large_layer_is_read_by_the_window_of_the_tile(app, person):
    one = person("planner")
    whole = one.get("/tiles/grid/12/3311/1721.mvt").get_data()
    app.config["TILE_LAYER_ROWS"] = 7
    windowed = person("administrator").get("/tiles/grid/12/3311/1721.mvt").get_data()
    as_set = lambda data: {f["properties"]["grid_code"] for f in mapbox_vector_tile.decode(data)["grid"]["features"]}  # noqa: E731
    assert as_set(whole) == as_set(windowed)


def test_details_name_the_areas_above_and_count_what_lies_below(person):
    found = person("planner").get(f"/api/v1/features/village/{village_code(0)}").json
    assert found["title"] == "石门村"
    assert [(above["kind"], above["code"]) for above in found["parents"]] == [("township", WEST), ("county", COUNTY)]
    assert found["children"] == {"grid": 2, "camera": 6, "incident": 15, "facility": 1}
    assert {row["name"]: row["value"] for row in found["rows"]}["households"] == 300
    assert found["bounds"] == pytest.approx([111.0, 27.6, 111.04, 27.68])
    viewer = person("viewer").get(f"/api/v1/features/village/{village_code(0)}").json
    assert viewer["children"] == {"grid": 2, "facility": 1}


def test_details_of_a_camera_use_words_for_stored_values(person):
    one = person("planner")
    fid = one.get("/features/camera?where=status='offline'").json["features"][0]["id"]
    found = one.get(f"/api/v1/features/camera/{fid}").json
    assert {row["label"]: row["value"] for row in found["rows"]}["状态"] == "离线"
    assert found["parents"][0]["kind"] == "village"
    english = one.get(f"/api/v1/features/camera/{fid}?lang=en").json
    assert {row["label"]: row["value"] for row in english["rows"]}["status"] == "offline"


@pytest.mark.parametrize(
    "path", ["village/none", "camera/0", "camera/99999", "camera/x", "camera/-1", "camera/9" + "9" * 30, "grid/%00"]
)
def test_details_of_what_does_not_exist_are_not_found(person, path):
    assert person("planner").get(f"/api/v1/features/{path}").status_code == 404


def test_search_puts_the_very_name_first_then_beginnings(person):
    one = person("planner")
    assert one.get("/api/v1/search?q=石门村").json[0]["code"] == village_code(0)
    by_code = one.get(f"/api/v1/search?q={village_code(1)}&limit=3").json
    assert by_code[0]["kind"] == "village" and by_code[0]["parent"] == WEST
    assert by_code[0]["bounds"] == pytest.approx([111.04, 27.6, 111.08, 27.68])
    assert {hit["kind"] for hit in one.get("/api/v1/search?q=点位&limit=50").json} == {"camera"}
    assert person("viewer").get("/api/v1/search?q=点位").json == []
    assert one.get("/api/v1/search?q=").json == []
    assert len(one.get("/api/v1/search?q=门&limit=2").json) == 2


def test_tables_page_sort_search_and_count(person):
    one = person("planner")
    first = one.get("/api/v1/table/village?size=2&sort=code:desc").json
    assert [row["code"] for row in first["rows"]] == [village_code(3), village_code(2)]
    assert (first["total"], first["page"], first["size"]) == (4, 1, 2)
    second = one.get("/api/v1/table/village?size=2&sort=code:desc&page=2").json
    assert [row["id"] for row in second["rows"]] == [village_code(1), village_code(0)]
    assert one.get("/api/v1/table/camera?where=status='online'&q=点位0").json["total"] == 2
    assert one.get("/api/v1/table/camera?bbox=111,27.6,111.04,27.68").json["total"] == 6
    assert one.get(f"/api/v1/table/incident?parent={EAST}").json["total"] == 8
    assert one.get("/api/v1/table/village?sort=nothing:asc").status_code == 400
    assert one.get("/api/v1/table/village?size=501").status_code == 400
    names = [column["name"] for column in first["columns"]]
    assert names[:3] == ["code", "name", "parent_code"]


@pytest.mark.parametrize(
    "of", ["coverage", "coverage?against=2026-01-01", "hotspots?unit=village", "hotspots?unit=cell&cell_m=500"]
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_column_of_figures_has_a_heading_in_words(person, of, language):
    there = person("planner").get(f"/api/v1/table/{of}{'&' if '?' in of else '?'}lang={language}").json
    assert there["columns"]
    assert [column["name"] for column in there["columns"] if column["label"].startswith("api.")] == []


def test_tables_of_figures_agree_with_the_figures(person):
    one = person("planner")
    figures = one.get("/api/v1/coverage").json
    table = one.get("/api/v1/table/coverage?sort=code:asc").json
    assert table["total"] == len(figures["rows"]) == 4
    by_code = {row["code"]: row for row in figures["rows"]}
    assert [row["shortfall"] for row in table["rows"]] == [by_code[row["code"]]["shortfall"] for row in table["rows"]]
    assert one.get("/api/v1/table/hotspots?unit=village&size=3").json["total"] == 4
    assert one.get("/api/v1/table/coverage?q=石").json["total"] == 1


def test_tables_of_figures_can_be_limited_to_what_is_in_view(person):
    one = person("planner")
    whole = one.get("/api/v1/table/coverage").json["total"]
    west, south, east, north = one.get(f"/api/v1/features/village/{village_code(0)}").json["bounds"]
    window = f"{west + 0.001},{south + 0.001},{east - 0.001},{north - 0.001}"
    seen = one.get(f"/api/v1/table/coverage?bbox={window}").json
    assert [row["code"] for row in seen["rows"]] == [village_code(0)] and seen["total"] == 1 < whole
    cells = one.get(f"/api/v1/table/hotspots?unit=cell&cell_m=500&bbox={window}&size=500").json["rows"]
    assert cells and all(west <= row["lon"] <= east and south <= row["lat"] <= north for row in cells)


def test_coverage_counts_working_cameras_and_change_of_threshold(person):
    one = person("planner")
    # Of 6, 2, 3 and 0 sites every third is offline and every third planned.
    values = {row["code"]: (row["value"], row["shortfall"]) for row in one.get("/api/v1/coverage").json["rows"]}
    assert {code: value for code, (value, _) in values.items()} == dict(
        zip(map(village_code, range(4)), (2, 1, 1, 0), strict=True)
    )
    lower = one.get("/api/v1/coverage?threshold=1").json["summary"]
    assert (lower["short"], lower["units"]) == (1, 4)
    inside = one.get(f"/api/v1/coverage?parent={WEST}").json["rows"]
    assert {row["parent_code"] for row in inside} == {WEST}


def test_hotspots_bring_cells_and_density_a_picture(person):
    one = person("planner")
    body = one.get("/api/v1/hotspots?cell_m=1000").json
    assert len(body["geometry"]["features"]) == len(body["rows"])
    assert {f["id"] for f in body["geometry"]["features"]} == {row["cell"] for row in body["rows"]}
    assert person("viewer").get("/api/v1/hotspots").json["unit"] == "village"
    density = one.get("/api/v1/density").json
    picture = one.get("/api/v1/density.png")
    assert picture.mimetype == "image/png" and picture.get_data()[:8] == b"\x89PNG\r\n\x1a\n"
    assert density["width"] > 10 and density["bounds"][0] < 111.01 < density["bounds"][2]
    limits = [level["from"] for level in density["levels"]]
    assert limits == sorted(limits)
    assert [level["to"] for level in density["levels"]][:-1] == limits[1:]
    assert len({level["color"] for level in density["levels"]}) == len(limits)


def test_density_classes_rise_in_round_steps_so_that_hills_show_beside_a_town():
    surface = np.array([[0.0, 3.0], [40.0, 480.0]])
    assert figures.levels(surface) == [3, 10, 30, 100, 300]
    assert figures.levels(np.zeros((2, 2))) == []
    assert figures.levels(np.array([[np.nan, 0.2]])) == [0.001, 0.003, 0.01, 0.03, 0.1]
