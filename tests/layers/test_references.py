"""Reference layers: free columns, replaced as a whole."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.errors import InputError, NotFoundError
from layers.rights import OWNER, Viewer
from layers.selection import frames
from layers.storage import audit, references, rows
from layers.storage.store import Store


def schools(count: int = 5) -> gpd.GeoDataFrame:
    """Points with awkward column names."""
    return gpd.GeoDataFrame(
        {
            "学校 名称": [f"第{i}小学" for i in range(count)],
            'a"; drop table account; --': range(count),
            "Fid": [0.5] * count,
            "open%": [True] * count,
            "built": pd.Timestamp("2001-09-01"),
        },
        geometry=gpd.points_from_xy([111 + i / 100 for i in range(count)], [22.0] * count),
        crs=4490,
    )


def test_a_reference_layer_keeps_its_own_columns(store: Store) -> None:
    references.replace(store, "schools", schools(), title="学校", source="schools.shp")
    back = frames.read_layer(store, "reference:schools", OWNER)
    assert list(back["学校 名称"]) == list(schools()["学校 名称"])
    names = [name for name in back.columns if name not in ("fid", "geometry")]
    assert len(names) == 5
    assert back[names[1]].tolist() == list(range(5))
    assert back[names[2]].tolist() == [0.5] * 5
    assert back[names[3]].tolist() == [True] * 5
    assert (back["built"] == pd.Timestamp("2001-09-01")).all()
    assert shapely.equals(back.geometry.array, schools().geometry.array).all()
    listed = frames.list_layers(store, OWNER)
    assert [(entry["kind"], entry["rows"], entry["label"]["zh"]) for entry in listed] == [
        ("reference:schools", 5, "学校")
    ]


def test_window_filter_and_points_work_on_any_column(store: Store) -> None:
    references.replace(store, "schools", schools())
    assert len(frames.read_layer(store, "reference:schools", OWNER, bbox=(110.9, 21.9, 111.015, 22.1))) == 2
    assert (
        frames.count_layer(store, "reference:schools", OWNER, where='"学校 名称" = \'第3小学\' and "open%" = true') == 1
    )
    points = frames.read_points(store, "reference:schools", OWNER, columns=["学校 名称"])
    assert points.columns["学校 名称"][4] == "第4小学"


def test_an_import_replaces_the_layer_when_it_is_finished_and_not_before(store: Store) -> None:
    references.replace(store, "schools", schools())
    change_id = store.open_change("li", "import", kinds=["reference:schools"])
    rows.insert_rows(store, change_id, "reference:schools", [schools(2), schools(1)])
    assert frames.count_layer(store, "reference:schools", OWNER) == 5
    assert store.versions()["reference:schools"] == 1
    store.finish_change(change_id, ["reference:schools"], 3)
    assert frames.count_layer(store, "reference:schools", OWNER) == 3
    assert store.versions()["reference:schools"] == 2
    assert audit.verify_chain(store) == []


def test_an_abandoned_import_leaves_the_old_layer(store: Store) -> None:
    references.replace(store, "schools", schools())
    change_id = store.open_change("li", "import", kinds=["reference:schools"])
    rows.insert_rows(store, change_id, "reference:schools", schools(2))
    store.abandon_change(change_id)
    assert frames.count_layer(store, "reference:schools", OWNER) == 5
    with store.read() as connection:
        from sqlalchemy import inspect

        assert not [name for name in inspect(connection).get_table_names() if "stage" in name]


def test_tables_without_geometry_and_empty_layers_are_kept(store: Store) -> None:
    references.replace(store, "prices", pd.DataFrame({"item": ["a"], "price": [1.5]}))
    assert frames.read_layer(store, "reference:prices", OWNER)["price"].tolist() == [1.5]
    references.replace(store, "empty", schools(0))
    assert len(frames.read_layer(store, "reference:empty", OWNER)) == 0


def test_a_reference_layer_can_be_removed(store: Store) -> None:
    references.replace(store, "学校", schools())
    references.remove(store, "reference:学校", "li")
    assert frames.list_layers(store, OWNER) == []
    with pytest.raises(NotFoundError):
        frames.read_layer(store, "reference:学校", OWNER)
    references.replace(store, "学校", schools(1))
    assert frames.count_layer(store, "reference:学校", OWNER) == 1


@pytest.mark.parametrize("name", ["", 'x"', "a b", "a" * 41, "../x", "x;y"])
def test_names_that_could_be_anything_else_are_refused(gpkg_store: Store, name: str) -> None:
    with pytest.raises(InputError):
        references.replace(gpkg_store, name, schools())


def test_an_account_of_an_area_sees_what_touches_it(store: Store) -> None:
    box = gpd.GeoDataFrame({"code": ["990983102201"]}, geometry=[shapely.box(110.99, 21.9, 111.015, 22.1)], crs=4490)
    change_id = store.open_change("li", "import")
    rows.insert_rows(store, change_id, "village", box)
    store.finish_change(change_id, ["village"], 1)
    references.replace(store, "schools", schools())
    references.replace(store, "prices", pd.DataFrame({"item": ["a"]}))
    manager = Viewer("m", "grid_manager", ("990983102201",))
    assert frames.count_layer(store, "reference:schools", manager) == 2
    assert frames.count_layer(store, "reference:prices", manager) == 0


def test_column_names_are_unique_short_and_printable() -> None:
    names = references.column_names(["a", "A", "a", "geom", "\x00\n", "", "长" * 50, "长" * 50])
    assert len({name.lower() for name in names}) == len(names)
    assert all(len(name.encode()) <= 60 for name in names)
    assert "geom" not in names
    assert all(name.isprintable() and name for name in names)
