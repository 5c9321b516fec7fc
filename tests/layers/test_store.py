"""The store on both engines: what is written comes back, as a whole and only when it counts."""

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import ConflictError, InputError, NotFoundError, RightsError, StoreError
from layers.imports.undoing import undo_change
from layers.kinds import KINDS
from layers.rights import OWNER, Viewer
from layers.selection import frames
from layers.storage import audit, changes, pending_changes, rows
from layers.storage.history import today
from layers.storage.store import Store

VILLAGES = ("990983102201", "990983102202", "990983103201")


def villages(**columns: object) -> gpd.GeoDataFrame:
    """Three villages side by side, 0.1 degrees wide; the third belongs to another township."""
    data = {
        "code": VILLAGES,
        "name": ["桥头村", "河西村", "运誠乗村"],
        "parent_code": ["990983102000", "990983102000", "990983103000"],
        "households": pd.array([300, None, 120], dtype="Int64"),
        "central_village": pd.array([True, False, None], dtype="boolean"),
        **columns,
    }
    boxes = [shapely.box(111 + 0.1 * i, 22, 111.1 + 0.1 * i, 22.1) for i in range(3)]
    return gpd.GeoDataFrame(data, geometry=boxes, crs=4490)


def incidents(count: int = 200, seed: int = 1) -> gpd.GeoDataFrame:
    """Points over the first two villages with a moment, a day and the village they fell in; the last has no place."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(111, 111.2, count), rng.uniform(22, 22.1, count)
    points = gpd.points_from_xy(x, y)
    points[-1] = None
    data = {
        "incident_no": [f"E{i:05d}" for i in range(count)],
        "category": np.where(x < 111.1, "噪声", "占道"),
        "occurred_at": pd.Timestamp("2026-03-01 08:30") + pd.to_timedelta(np.arange(count), unit="h"),
        "occurred_on": pd.Timestamp("2026-03-01"),
        "occurred_hour": np.arange(count) % 24,
        "village_code": np.where(x < 111.1, VILLAGES[0], VILLAGES[1]),
    }
    return gpd.GeoDataFrame(data, geometry=points, crs=4490)


def put(store: Store, kind: str, frame: gpd.GeoDataFrame, **options: object) -> int:
    """Import a frame as one finished change; returns its id."""
    change_id = store.open_change("planner", "import", kinds=[kind], source="file.csv")
    rows.insert_rows(store, change_id, kind, frame, **options)
    store.finish_change(change_id, [kind], len(frame))
    return change_id


def test_rows_come_back_with_types_geometry_and_missing_values(store: Store) -> None:
    put(store, "village", villages())
    back = frames.read_layer(store, "village", OWNER)
    assert list(back.index) == list(VILLAGES)
    assert back.crs.to_epsg() == 4490
    assert list(back["name"]) == ["桥头村", "河西村", "运誠乗村"]
    assert back["households"].dtype == "Int64"
    assert back["households"].isna().tolist() == [False, True, False]
    assert back["central_village"].tolist()[:2] == [True, False]
    assert back["urban_rural"].tolist() == [None, None, None]
    assert shapely.equals(back.geometry.array, villages().geometry.array).all()


def test_moments_are_wall_time_of_the_place_and_come_back_unchanged(store: Store) -> None:
    sent = incidents()
    put(store, "incident", sent)
    back = frames.read_layer(store, "incident", OWNER)
    assert (back["occurred_at"].to_numpy() == sent["occurred_at"].to_numpy().astype("datetime64[us]")).all()
    assert (back["occurred_on"] == pd.Timestamp("2026-03-01")).all()
    picked = frames.count_layer(store, "incident", OWNER, where="occurred_at < '2026-03-01T10:00'")
    assert picked == 2


def test_pending_rows_are_seen_by_nobody_until_the_change_is_finished(store: Store) -> None:
    change_id = store.open_change("planner", "import")
    rows.insert_rows(store, change_id, "village", villages())
    assert frames.count_layer(store, "village", OWNER) == 0
    assert store.versions(["village"]) == {"village": 0}
    store.finish_change(change_id, ["village"], 3)
    assert frames.count_layer(store, "village", OWNER) == 3
    assert store.versions(["village"]) == {"village": 1}


def test_an_abandoned_change_leaves_nothing_behind(store: Store) -> None:
    first = put(store, "village", villages())
    change_id = store.open_change("planner", "import", kinds=["village"])
    fids = frames.read_layer(store, "village", OWNER)["fid"]
    rows.close_rows(store, change_id, "village", fids, date(2026, 1, 1))
    rows.insert_rows(store, change_id, "village", villages(name="新名"))
    store.abandon_change(change_id)
    back = frames.read_layer(store, "village", OWNER)
    assert list(back["name"]) == list(villages()["name"])
    assert first < change_id
    with store.read() as connection:
        from sqlalchemy import text

        assert connection.scalar(text("SELECT count(*) FROM village_row")) == 3
        assert connection.scalar(text("SELECT count(*) FROM village_row WHERE valid_to IS NOT NULL")) == 0
    assert audit.verify_chain(store) == []
    with pytest.raises(ConflictError):
        rows.insert_rows(store, change_id, "village", villages())


def test_a_closed_row_counts_before_its_last_day_and_not_after(store: Store) -> None:
    put(store, "village", villages())
    old = frames.read_layer(store, "village", OWNER)
    change_id = store.open_change("planner", "import")
    rows.close_rows(store, change_id, "village", old["fid"].iloc[:1], date(2026, 7, 1))
    rows.insert_rows(store, change_id, "village", villages(name="改名村").iloc[:1], valid_from=date(2026, 7, 1))
    store.finish_change(change_id, ["village"], 1)
    before = frames.read_layer(store, "village", OWNER, as_of="2026-06-30")
    after = frames.read_layer(store, "village", OWNER, as_of=date(2026, 7, 1))
    assert before.loc[VILLAGES[0], "name"] == "桥头村"
    assert after.loc[VILLAGES[0], "name"] == "改名村"
    assert len(before) == len(after) == 3


def test_a_retired_row_never_counted(store: Store) -> None:
    put(store, "village", villages())
    fids = frames.read_layer(store, "village", OWNER)["fid"].iloc[:2]
    change_id = store.open_change("planner", "correct")
    rows.retire_rows(store, change_id, "village", fids)
    assert frames.count_layer(store, "village", OWNER) == 3
    store.finish_change(change_id, ["village"], 2)
    assert frames.count_layer(store, "village", OWNER) == 1
    assert frames.count_layer(store, "village", OWNER, as_of="1999-01-01") == 1


def test_undo_restores_what_the_import_replaced(store: Store) -> None:
    put(store, "village", villages())
    old = frames.read_layer(store, "village", OWNER)
    change_id = store.open_change("planner", "import", kinds=["village"])
    rows.close_rows(store, change_id, "village", old["fid"], date(2026, 1, 1))
    rows.insert_rows(store, change_id, "village", villages(name="错").iloc[:2], valid_from="2026-01-01")
    store.finish_change(change_id, ["village"], 2)
    assert frames.count_layer(store, "village", OWNER, as_of="2026-02-01") == 2
    undo_change(store, change_id, "admin")
    assert list(frames.read_layer(store, "village", OWNER, as_of="2026-02-01")["name"]) == list(old["name"])
    assert store.versions(["village"]) == {"village": 3}
    assert audit.verify_chain(store) == []


def test_undo_of_an_import_under_a_newer_one_is_refused(store: Store) -> None:
    first = put(store, "village", villages().iloc[:2])
    second = put(store, "village", villages().iloc[2:])
    with pytest.raises(ConflictError):
        undo_change(store, first, "admin")
    undo_change(store, second, "admin")
    undo_change(store, first, "admin")
    assert frames.count_layer(store, "village", OWNER) == 0
    with pytest.raises(NotFoundError):
        undo_change(store, first, "admin")


def test_two_imports_on_one_layer_at_once_are_refused(store: Store) -> None:
    store.open_change("planner", "import", kinds=["village", "grid"])
    with pytest.raises(ConflictError):
        store.open_change("planner", "import", kinds=["grid"])
    assert store.open_change("planner", "import", kinds=["camera"]) > 0


def test_a_dead_import_is_cleaned_up_at_the_next_opening(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    change_id = store.open_change("planner", "import", kinds=["village"])
    rows.insert_rows(store, change_id, "village", villages())
    assert pending_changes.sweep(store) == []
    monkeypatch.setattr(pending_changes, "STALE_S", -1.0)
    with Store.open(store.url) as again:
        with pytest.raises(ConflictError):
            again.finish_change(change_id, ["village"], 3)
        assert frames.count_layer(again, "village", OWNER) == 0


def test_camera_counts_from_the_day_it_is_in_use(store: Store) -> None:
    cameras = gpd.GeoDataFrame(
        {"device_id": ["a", "b"], "in_use_on": [pd.Timestamp("2026-05-01"), pd.NaT], "camera_count": [1, 2]},
        geometry=gpd.points_from_xy([111.05, 111.06], [22.05, 22.06]),
        crs=4490,
    )
    put(store, "camera", cameras)
    assert frames.count_layer(store, "camera", OWNER, as_of="2026-04-30") == 1
    assert frames.count_layer(store, "camera", OWNER, as_of="2026-05-01") == 2


def test_window_gives_the_rows_that_meet_it(store: Store) -> None:
    sent = incidents(500)
    put(store, "incident", sent)
    window = (111.02, 22.01, 111.05, 22.09)
    back = frames.read_layer(store, "incident", OWNER, bbox=window)
    inside = sent[sent.geometry.intersects(shapely.box(*window))]
    assert sorted(back["incident_no"]) == sorted(inside["incident_no"])
    assert 0 < len(back) < 500
    with pytest.raises(InputError):
        frames.read_layer(store, "incident", OWNER, bbox=(1.0, 2.0, 0.0, 3.0))


def test_points_are_the_same_as_the_layer(store: Store) -> None:
    put(store, "incident", incidents())
    points = frames.read_points(store, "incident", OWNER, columns=["category", "occurred_hour", "occurred_at"])
    layer = frames.read_layer(store, "incident", OWNER)
    np.testing.assert_array_equal(points.fid, layer["fid"])
    np.testing.assert_array_equal(points.lon, layer.geometry.x)
    np.testing.assert_array_equal(points.lat, layer.geometry.y)
    assert np.isnan(points.lon[-1])
    assert points.columns["category"].tolist() == layer["category"].tolist()
    assert points.columns["occurred_hour"].tolist() == layer["occurred_hour"].tolist()
    np.testing.assert_array_equal(points.columns["occurred_at"], layer["occurred_at"].to_numpy())


def test_page_has_order_limit_and_total(store: Store) -> None:
    put(store, "incident", incidents(100))
    page, total = frames.read_page(
        store, "incident", OWNER, limit=10, offset=5, order=["-incident_no"], where="category in ('噪声', '占道')"
    )
    assert total == 100
    assert list(page["incident_no"]) == [f"E{i:05d}" for i in range(94, 84, -1)]


def test_layer_list_tells_rows_bounds_version_and_source(store: Store) -> None:
    put(store, "village", villages())
    put(store, "incident", incidents())
    listed = {entry["kind"]: entry for entry in frames.list_layers(store, OWNER)}
    assert list(listed) == ["village", "incident"]
    assert listed["village"]["rows"] == 3
    assert listed["village"]["crs"] == "EPSG:4490"
    assert listed["village"]["bounds"] == pytest.approx((111, 22, 111.3, 22.1), abs=1e-4)
    assert listed["incident"]["with_geometry"] == 199
    assert listed["incident"]["source"] == "file.csv"
    assert listed["incident"]["imported_at"].endswith("Z")
    assert {column["name"] for column in listed["incident"]["columns"]} >= {"category", "village_code"}


@pytest.mark.parametrize("role", ["viewer", "reporter"])
def test_internal_layers_do_not_exist_for_outside_roles(store: Store, role: str) -> None:
    put(store, "incident", incidents())
    someone = Viewer("who", role)
    assert frames.list_layers(store, someone) == []
    for read in (frames.read_layer, frames.read_points, frames.count_layer, frames.read_page):
        with pytest.raises(RightsError):
            read(store, "incident", someone)


@pytest.mark.parametrize("area", ["990983102000", VILLAGES[0]])
def test_an_account_of_an_area_never_reads_a_row_outside(store: Store, area: str) -> None:
    put(store, "village", villages())
    put(store, "incident", incidents())
    manager = Viewer("m", "grid_manager", (area,))
    codes = {VILLAGES[0], VILLAGES[1]} if area.endswith("000") else {VILLAGES[0]}
    assert set(frames.read_layer(store, "village", manager).index) == codes
    assert frames.scope(store, manager).village_codes == codes
    seen = frames.read_layer(store, "incident", manager)
    assert len(seen) > 0
    assert set(seen["village_code"]) == codes
    assert len(frames.read_points(store, "incident", manager).fid) == len(seen)
    assert frames.count_layer(store, "incident", manager) == len(seen)
    assert frames.read_page(store, "incident", manager)[1] == len(seen)
    whole = frames.read_layer(store, "incident", manager, bbox=(110, 20, 113, 24))
    assert len(whole) == (whole["village_code"].isin(codes)).sum()
    listed = {entry["kind"]: entry for entry in frames.list_layers(store, manager)}
    assert listed["incident"]["rows"] == len(seen)
    assert frames.outline(store, manager).bounds[2] <= (111.2 if len(codes) == 2 else 111.1) + 1e-9


def test_zones_without_a_code_are_in_scope_when_they_touch_the_area(store: Store) -> None:
    put(store, "village", villages())
    zones = gpd.GeoDataFrame(
        {"name": ["近", "远"]},
        geometry=[shapely.box(111.01, 22.01, 111.02, 22.02), shapely.box(120, 30, 121, 31)],
        crs=4490,
    )
    put(store, "no_camera_zone", zones)
    manager = Viewer("m", "grid_manager", (VILLAGES[0],))
    assert list(frames.read_layer(store, "no_camera_zone", manager)["name"]) == ["近"]
    assert frames.count_layer(store, "no_camera_zone", OWNER) == 2


def test_an_unknown_area_sees_nothing(store: Store) -> None:
    put(store, "village", villages())
    put(store, "incident", incidents())
    nobody = Viewer("m", "planner", ("000000000000",))
    assert frames.count_layer(store, "village", nobody) == 0
    assert frames.count_layer(store, "incident", nobody) == 0


def test_a_key_used_twice_gives_one_act_and_the_same_answer(store: Store) -> None:
    done = []

    def body(change: changes.Change) -> dict:
        store.settings.put(change.connection, "title", f"第{len(done) + 1}次")
        done.append(1)
        return {"made": len(done)}

    first = store.act("planner", "setting", body, key="k1")
    second = store.act("planner", "setting", body, key="k1")
    assert first == second == {"made": 1}
    assert store.settings.get("title") == "第1次"
    assert len(audit.read_audit(store)) == 2


def test_what_a_repeated_act_writes_is_rolled_back(store: Store) -> None:
    for value in (1, 2):
        with store.change("planner", "setting", key="same") as change:
            assert change.repeated == (value == 2)
            store.settings.put(change.connection, "number", value)
    assert store.settings.get("number") == 1


def test_an_act_that_fails_changes_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.change("planner", "setting") as change:
        store.settings.put(change.connection, "title", "x")
        change.touch("village")
        raise RuntimeError
    assert store.settings.get("title") is None
    assert store.versions() == {}
    assert len(audit.read_audit(store)) == 1


def test_unknown_columns_kinds_and_dates_are_refused(store: Store) -> None:
    change_id = store.open_change("planner", "import")
    with pytest.raises(InputError):
        rows.insert_rows(store, change_id, "village", villages(phone="1"))
    with pytest.raises(NotFoundError):
        frames.read_layer(store, 'x"; drop table account', OWNER)
    with pytest.raises(InputError):
        frames.read_layer(store, "village", OWNER, as_of="tomorrow")
    with pytest.raises(InputError):
        frames.read_layer(store, "village", OWNER, columns=["password_hash"])


def test_tables_without_geometry_work(store: Store) -> None:
    staff = pd.DataFrame({"area_code": list(VILLAGES), "patrol": [1, 2, 3]})
    put(store, "staffing", staff)
    back = frames.read_layer(store, "staffing", OWNER)
    assert back["patrol"].tolist() == [1, 2, 3]
    assert back.geometry.isna().all()
    put(store, "village", villages())
    manager = Viewer("m", "grid_manager", (VILLAGES[0],))
    assert frames.read_layer(store, "staffing", manager)["patrol"].tolist() == [1]


def test_every_kind_can_be_stored_and_read(store: Store) -> None:
    shapes = {"line": shapely.LineString([(111, 22), (111.1, 22.1)]), "point": shapely.Point(111, 22)}
    for kind in KINDS.values():
        shape = shapes.get(kind.geometry, shapely.box(111, 22, 111.1, 22.1))
        field = kind.fields[0].name
        put(store, kind.name, gpd.GeoDataFrame({field: ["1"]}, geometry=[shape], crs=4490))
        back = frames.read_layer(store, kind.name, OWNER, as_of=today() + timedelta(days=1))
        assert back[field].tolist() == ["1"]
    assert len(frames.list_layers(store, OWNER)) == len(KINDS)


def test_audit_chain_shows_a_changed_row(store: Store) -> None:
    put(store, "village", villages())
    assert audit.verify_chain(store) == []
    with store.write() as connection:
        from sqlalchemy import update

        from layers.storage.schema import audit as table

        connection.execute(update(table).where(table.c.id == 1).values(actor="nobody"))
    findings = audit.verify_chain(store)
    assert [finding.row for finding in findings] == [1]


def test_audit_totals_show_rows_that_were_lost(store: Store) -> None:
    put(store, "village", villages())
    with store.write() as connection:
        from sqlalchemy import delete

        from layers.storage.schema import ROWS

        connection.execute(delete(ROWS["village"]).where(ROWS["village"].c.fid == 1))
    assert [finding.kind for finding in audit.verify_chain(store)] == ["audit_totals"]


def test_store_of_a_newer_version_is_refused(store: Store) -> None:
    from sqlalchemy import insert

    from layers.storage.schema import LATEST, migration, now

    with store.write() as connection:
        connection.execute(insert(migration).values(number=LATEST + 1, applied_at=now()))
    with pytest.raises(StoreError):
        Store.open(store.url)


def test_store_is_created_with_its_settings(tmp_path, postgis_url: str) -> None:
    for url in (str(tmp_path / "new.gpkg"), postgis_url):
        with Store.create(url, codes="free", rules="local") as store:
            assert store.settings.all() == {"codes": "free", "rule_set": "local", "time_offset_h": 0}
        with Store.open(url) as store:
            assert store.codes == "free"
        with pytest.raises(StoreError):
            Store.create(url)


def test_twenty_posts_with_one_key_at_once_make_one_act(store: Store) -> None:
    import threading

    answers = []

    def post() -> None:
        def body(change: changes.Change) -> dict:
            store.settings.put(change.connection, "posted", True)
            return {"change": change.id}

        answers.append(store.act("li", "setting", body, key="once")["change"])

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert len(set(answers)) == 1
    assert [row["action"] for row in audit.read_audit(store)] == ["setting", "create_store"]


def test_rows_put_in_within_a_short_change_are_found_by_window(store: Store) -> None:
    with store.change("li", "add") as change:
        rows.insert_in(change, "village", villages())
    assert len(frames.read_layer(store, "village", OWNER, bbox=(111.05, 22.01, 111.06, 22.02))) == 1
    with store.change("li", "end") as change:
        rows.close_rows(store, change.id, "village", [1], today(), within=change)
        rows.retire_rows(store, change.id, "village", [2], within=change)
    assert frames.count_layer(store, "village", OWNER) == 1
    assert store.versions(["village"]) == {"village": 2}
    assert audit.verify_chain(store) == []


def test_homes_are_set_in_place(store: Store) -> None:
    put(store, "incident", incidents(10))
    fids = frames.read_layer(store, "incident", OWNER)["fid"].to_numpy()
    with store.change("li", "homes") as change:
        rows.set_homes(change.connection, "incident", fids, ["v"] * 9 + [None], ["g"] * 10)
        change.touch("incident")
    back = frames.read_layer(store, "incident", OWNER)
    assert back["village_code"].tolist() == ["v"] * 9 + [None]
    assert set(back["grid_code"]) == {"g"}


def test_bounds_are_those_of_the_rows_that_count(store: Store) -> None:
    put(store, "village", villages())
    far = villages().iloc[:1].set_geometry([shapely.box(0, 0, 1, 1)])
    wrong = put(store, "village", far)
    assert frames.list_layers(store, OWNER)[0]["bounds"][0] == pytest.approx(0, abs=1e-4)
    undo_change(store, wrong, "admin")
    bounds = frames.list_layers(store, OWNER)[0]["bounds"]
    assert bounds == pytest.approx((111, 22, 111.3, 22.1), abs=1e-4)
    assert frames.outline(store, OWNER).bounds == pytest.approx((111, 22, 111.3, 22.1))


_BORDER_COLUMNS = ("level", "area_codes", "origin")
ADDED_COLUMNS = {
    "boundary_line": (*_BORDER_COLUMNS, "length_m"),
    "tri_junction": _BORDER_COLUMNS,
    "boundary_marker": (*_BORDER_COLUMNS, "line_number"),
}


def _as_first_version(store: Store) -> None:
    """Take from a store what later versions added."""
    from sqlalchemy import delete, insert

    from layers.storage import schema

    with store.write() as connection:
        for table in (schema.draft, schema.lineage):
            table.drop(connection)
        for kind, columns in ADDED_COLUMNS.items():
            connection.exec_driver_sql(f"DROP VIEW {kind}")
            for column in columns:
                connection.exec_driver_sql(f"ALTER TABLE {kind}_row DROP COLUMN {column}")
            left = [column.name for column in schema.ROWS[kind].c if column.name not in columns]
            connection.exec_driver_sql(f"CREATE VIEW {kind} AS SELECT {', '.join(left)} FROM {kind}_row")
        connection.exec_driver_sql("DROP VIEW inspection")
        schema.ROWS["inspection"].drop(connection)
        if store.dialect == "gpkg":
            connection.exec_driver_sql("DELETE FROM gpkg_contents WHERE table_name = 'inspection'")
        connection.execute(delete(schema.migration))
        connection.execute(insert(schema.migration).values(number=1, applied_at=schema.now()))


def test_a_store_of_the_first_version_is_brought_up_with_what_it_holds(store: Store) -> None:
    from sqlalchemy import func, inspect, select

    from layers.storage import schema

    put(store, "village", villages())
    _as_first_version(store)
    with Store.open(store.url) as again:
        assert frames.count_layer(again, "village", OWNER) == 3
        with again.read() as connection:
            assert {"draft", "lineage"} <= set(inspect(connection).get_table_names())
            assert connection.scalar(select(func.max(schema.migration.c.number))) == schema.LATEST
            indexes = {index["name"] for index in inspect(connection).get_indexes("lineage")}
        assert {"lineage_by_old", "lineage_by_new"} <= indexes
        assert audit.verify_chain(again) == []


def test_an_older_store_keeps_its_border_lines_and_learns_what_lies_on_either_side(store: Store) -> None:
    line = gpd.GeoDataFrame({"number": ["0001"]}, geometry=[shapely.LineString([(111, 22), (111.1, 22)])], crs=4490)
    put(store, "boundary_line", line)
    _as_first_version(store)
    with Store.open(store.url) as again:
        kept = frames.read_layer(again, "boundary_line", OWNER)
        assert kept["number"].tolist() == ["0001"] and kept["area_codes"].tolist() == [None]
        put(again, "boundary_line", line.assign(area_codes="a,b", length_m=10.5, level="village"))
        after = frames.read_layer(again, "boundary_line", OWNER)
        assert after["length_m"].dropna().tolist() == [10.5]
        put(
            again, "inspection", pd.DataFrame({"line_number": ["0001"], "inspected_on": pd.to_datetime(["2026-05-01"])})
        )
        assert frames.count_layer(again, "inspection", OWNER) == 1
        with again.read() as connection:
            columns = connection.exec_driver_sql("SELECT * FROM boundary_line").keys()
        assert {"area_codes", "level", "origin", "length_m"} <= set(columns)
        assert audit.verify_chain(again) == []


def test_an_older_store_is_brought_up_step_by_step(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from layers.storage import migrate, schema

    steps = []
    first, second = schema.LATEST + 1, schema.LATEST + 2
    monkeypatch.setattr(schema, "LATEST", second)
    monkeypatch.setitem(migrate.STEPS, first, lambda connection: steps.append(first))
    monkeypatch.setitem(migrate.STEPS, second, lambda connection: steps.append(second))
    for _ in range(2):
        Store.open(store.url).close()
    assert steps == [first, second]


def test_a_migration_that_fails_leaves_the_version_it_had(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from layers.storage import migrate

    def fail(_connection) -> None:
        raise RuntimeError

    _as_first_version(store)
    monkeypatch.setitem(migrate.STEPS, 2, fail)
    with pytest.raises(RuntimeError):
        Store.open(store.url)
    monkeypatch.undo()
    assert migrate.STEPS[2] is not fail
    with Store.open(store.url) as again:
        assert again.settings.get("codes") == "cn12"
