"""GDAL and plain SQLite as other programs on the live file, always in a process of their own."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.rights import OWNER
from layers.selection import frames
from layers.storage import references, rows
from layers.storage.history import today
from layers.storage.store import Store


def gdal(body: str, store: Store) -> Any:
    """Run lines with pyogrio in a child process; they leave their answer in `answer`."""
    program = f"import json, pyogrio, geopandas, shapely\npath = {str(store.path)!r}\n{body}\nprint(json.dumps(answer))"
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def filled(gpkg_store: Store) -> Store:
    """A store with villages of yesterday, today and tomorrow, points, a pending import and a reference layer."""
    boxes = [shapely.box(111 + 0.1 * i, 22, 111.1 + 0.1 * i, 22.1) for i in range(3)]
    frame = gpd.GeoDataFrame({"code": ["a", "b", "c"], "name": ["过去", "现在", "将来"]}, geometry=boxes, crs=4490)
    change_id = gpkg_store.open_change("li", "import")
    rows.insert_rows(gpkg_store, change_id, "village", frame.iloc[:2])
    rows.insert_rows(gpkg_store, change_id, "village", frame.iloc[2:], valid_from=today() + timedelta(days=1))
    rng = np.random.default_rng(1)
    points = gpd.GeoDataFrame(
        {"incident_no": [str(i) for i in range(400)]},
        geometry=gpd.points_from_xy(rng.uniform(111, 111.3, 400), rng.uniform(22, 22.1, 400)),
        crs=4490,
    )
    rows.insert_rows(gpkg_store, change_id, "incident", points)
    gpkg_store.finish_change(change_id, ["village", "incident"], 403)
    ending = gpkg_store.open_change("li", "import")
    rows.close_rows(gpkg_store, ending, "village", [1], today())
    gpkg_store.finish_change(ending, ["village"], 1)
    pending = gpkg_store.open_change("li", "import", kinds=["village"])
    rows.insert_rows(gpkg_store, pending, "village", frame)
    schools = gpd.GeoDataFrame(
        {"name": ["甲", "乙"]}, geometry=gpd.points_from_xy([111.05, 111.15], [22.05, 22.05]), crs=4490
    )
    references.replace(gpkg_store, "schools", schools, title="学校")
    return gpkg_store


def test_gdal_lists_layers_with_crs_extent_and_index_and_nothing_else(filled: Store) -> None:
    answer = gdal(
        """
answer = {}
for name, kind in pyogrio.list_layers(path):
    info = pyogrio.read_info(path, layer=name, force_total_bounds=True)
    answer[name] = [info["crs"], info["fid_column"], info["capabilities"]["fast_spatial_filter"], info["total_bounds"]]
""",
        filled,
    )
    assert answer["village"][:3] == ["EPSG:4490", "fid", True]
    assert answer["incident"][:3] == ["EPSG:4490", "fid", True]
    assert answer["ref_schools"][:3] == ["EPSG:4490", "fid", True]
    assert answer["incident"][3] == pytest.approx([111, 22, 111.3, 22.1], abs=0.01)
    assert answer["staffing"][0] is None
    hidden = {"account", "audit", "job", "change", "setting", "village_row", "incident_row"}
    assert not hidden & set(answer)


def test_gdal_sees_the_rows_of_today_only(filled: Store) -> None:
    answer = gdal("answer = pyogrio.read_dataframe(path, layer='village')['name'].tolist()", filled)
    assert answer == ["现在"]


def test_gdal_filters_a_view_by_window(filled: Store) -> None:
    window = (111.05, 22.02, 111.1, 22.08)
    answer = gdal(
        f"answer = sorted(pyogrio.read_dataframe(path, layer='incident', bbox={window})['incident_no'])", filled
    )
    ours = frames.read_layer(filled, "incident", OWNER, bbox=window)
    assert answer == sorted(ours["incident_no"])
    assert 0 < len(answer) < 400


def test_the_view_is_filtered_through_the_rtree(filled: Store) -> None:
    query = (
        "EXPLAIN QUERY PLAN SELECT * FROM incident m JOIN rtree_incident_geom r ON m.fid = r.id "
        "WHERE r.maxx >= 111 AND r.minx <= 111.1"
    )
    with filled.read() as connection:
        plan = " ".join(str(row) for row in connection.exec_driver_sql(query))
    assert "VIRTUAL TABLE INDEX 2:" in plan
    assert "SEARCH incident_row USING INTEGER PRIMARY KEY" in plan


def test_a_reference_layer_edited_by_gdal_keeps_working(filled: Store) -> None:
    before = filled.versions()["reference:schools"]
    gdal(
        """
frame = geopandas.GeoDataFrame({"name": ["丙"]}, geometry=[shapely.Point(111.25, 22.05)], crs=4490)
pyogrio.write_dataframe(frame, path, layer="ref_schools", append=True)
answer = 1
""",
        filled,
    )
    back = frames.read_layer(filled, "reference:schools", OWNER, bbox=(111.2, 22, 111.3, 22.1))
    assert back["name"].tolist() == ["丙"]
    assert filled.versions()["reference:schools"] > before
    with filled.read() as connection:
        assert connection.exec_driver_sql("SELECT rtreecheck('rtree_ref_schools_geom')").scalar_one() == "ok"
    # The file is set back to WAL when it is opened, whatever the other program left.
    with Store.open(filled.url) as again, again.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_edits_of_reference_rows_here_keep_the_rtree_in_step(filled: Store) -> None:
    far, near = (shapely.Point(x, 22.05) for x in (111.29, 111.01))
    from layers.storage.geometry import to_blobs

    blobs = to_blobs(np.array([far, near]))
    with filled.write() as connection:
        run = connection.exec_driver_sql
        run("UPDATE ref_schools SET geom = ? WHERE fid = 1", (blobs[0],))
        run("UPDATE ref_schools SET geom = NULL WHERE fid = 2")
        run("UPDATE ref_schools SET geom = ? WHERE fid = 2", (blobs[1],))
        run("UPDATE ref_schools SET fid = 9 WHERE fid = 2")
        run("INSERT INTO ref_schools (geom, name) VALUES (?, 'x')", (blobs[0],))
        run("DELETE FROM ref_schools WHERE fid = 1")
        ids = [row[0] for row in run("SELECT id FROM rtree_ref_schools_geom ORDER BY id")]
        assert ids == [row[0] for row in run("SELECT fid FROM ref_schools ORDER BY fid")]
        assert run("SELECT minx FROM rtree_ref_schools_geom WHERE id = 9").scalar_one() == pytest.approx(111.01)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE village_row SET name = 'x'",
        "DELETE FROM incident_row",
        "INSERT INTO audit VALUES (99, 'x', 1, 'x', 'x', '{}', 'x', 'x')",
        "DELETE FROM audit",
        "UPDATE account SET role = 'administrator'",
        "INSERT INTO account (name, role, areas, language, password_hash, must_change, disabled, session_version, "
        "created_at) VALUES ('x', 'administrator', '[]', 'zh', 'x', 0, 0, 1, 'x')",
        "UPDATE change SET state = 'undone'",
        "UPDATE draft SET state = 'approved'",
        "DELETE FROM lineage",
        "UPDATE setting SET value = '1'",
        "UPDATE village SET name = 'x'",
    ],
)
def test_a_foreign_program_cannot_change_what_is_guarded(filled: Store, statement: str) -> None:
    with closing(sqlite3.connect(filled.path)) as foreign, pytest.raises(sqlite3.OperationalError):
        foreign.execute(statement)
    assert frames.read_layer(filled, "village", OWNER)["name"].tolist() == ["现在"]


def test_gdal_cannot_append_to_a_guarded_layer(filled: Store) -> None:
    answer = gdal(
        """
frame = geopandas.GeoDataFrame({"name": ["x"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4490)
try:
    pyogrio.write_dataframe(frame, path, layer="village", append=True)
    answer = "written"
except Exception as error:
    answer = "refused"
""",
        filled,
    )
    assert answer == "refused"
    assert frames.count_layer(filled, "village", OWNER) == 1


def test_file_is_a_geopackage_of_the_right_version_and_private(gpkg_store: Store) -> None:
    head = Path(gpkg_store.path).read_bytes()[:100]
    assert head[68:72] == b"GPKG"
    assert int.from_bytes(head[60:64], "big") == 10300
    assert gpkg_store.path.stat().st_mode & 0o777 == 0o600
