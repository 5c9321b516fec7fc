"""The sample county in a store: whole or not at all, on either engine, marked as made up."""

import json

import numpy as np
import pandas as pd
import pytest
from small_county import make_small_county

from geo.errors import ConflictError, InputError
from layers.imports import sample
from layers.kinds import HOME_FIELDS, KINDS
from layers.rights import OWNER, ROLES
from layers.selection.frames import count_layer, list_layers, read_layer
from layers.storage import accounts, signing_in
from layers.storage.store import Store


@pytest.fixture(scope="module")
def county():
    return make_small_county()


@pytest.fixture
def filled(store, county):
    sample.store_county(store, county)
    return store


def test_every_layer_of_the_county_is_stored_with_all_its_rows(filled, county):
    for kind, frame in county.frames.items():
        assert count_layer(filled, kind, OWNER) == len(frame), kind
    for name, frame in county.references.items():
        assert count_layer(filled, f"reference:{name}", OWNER) == len(frame), name


def test_layers_without_geometry_are_only_those_that_have_none(filled):
    listed = {layer["kind"]: layer for layer in list_layers(filled, OWNER)}
    for kind, layer in listed.items():
        if kind in KINDS and KINDS[kind].geometry == "none":
            assert layer["with_geometry"] == 0
        elif kind not in ("camera", "incident"):
            assert layer["with_geometry"] == layer["rows"], kind
    assert 0 < listed["incident"]["with_geometry"] < listed["incident"]["rows"]


def test_columns_of_the_county_are_those_of_the_kinds(county):
    for kind, frame in county.frames.items():
        known = {field.name for field in KINDS[kind].fields} | {field.name for field in HOME_FIELDS} | {"geometry"}
        assert set(frame.columns) <= known, kind
        for field in KINDS[kind].fields:
            if field.choices and field.name in frame:
                assert set(frame[field.name].dropna()) <= {value for value, _ in field.choices}, (kind, field.name)


def test_stored_homes_are_the_areas_that_hold_the_point(gpkg_store, county):
    sample.store_county(gpkg_store, county)
    cameras = read_layer(gpkg_store, "camera", OWNER, columns=["village_code", "grid_code"])
    placed = cameras[cameras.geometry.notna()]
    villages = read_layer(gpkg_store, "village", OWNER, columns=["code"]).geometry
    inside = placed[placed["village_code"].notna()]
    assert len(inside) > 0.95 * len(placed)
    assert all(
        villages[code].intersects(point) for code, point in zip(inside["village_code"], inside.geometry, strict=True)
    )
    assert (inside["grid_code"].str[:12] == inside["village_code"]).all()
    assert cameras[cameras.geometry.isna()]["village_code"].isna().all()


def test_moments_come_back_as_the_wall_time_of_the_place(gpkg_store, county):
    sample.store_county(gpkg_store, county)
    stored = read_layer(gpkg_store, "incident", OWNER, columns=["incident_no", "occurred_at"], geometry=False)
    by_number = stored.set_index("incident_no")["occurred_at"]
    made = county["incident"].set_index("incident_no")["occurred_at"]
    assert np.array_equal(
        by_number.reindex(made.index).to_numpy(dtype="datetime64[s]"), made.to_numpy(dtype="datetime64[s]")
    )


def test_a_store_with_layers_is_left_alone(gpkg_store, county):
    sample.store_county(gpkg_store, county)
    before = gpkg_store.versions()
    with pytest.raises(ConflictError):
        sample.make_sample(gpkg_store)
    assert gpkg_store.versions() == before


def test_an_unknown_size_is_refused(gpkg_store):
    with pytest.raises(InputError):
        sample.make_sample(gpkg_store, size="nation")


def test_a_failure_in_the_middle_leaves_no_rows(gpkg_store, county, monkeypatch):
    def fail(*_args, **_kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(gpkg_store, "finish_change", fail)
    with pytest.raises(OSError, match="disk full"):
        sample.store_county(gpkg_store, county)
    assert gpkg_store.versions() == {}
    assert count_layer(gpkg_store, "village", OWNER) == 0
    assert not sample.is_sample(gpkg_store)


def test_progress_counts_every_row_and_never_goes_back(gpkg_store, county):
    seen = []
    sample.store_county(gpkg_store, county, progress=lambda done, total: seen.append((done, total)))
    done = [part for part, _ in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1][1] == sum(map(len, (*county.frames.values(), *county.references.values())))


def test_there_is_a_sign_in_for_every_role_and_it_works(gpkg_store, county):
    sample.store_county(gpkg_store, county)
    known = sample.sign_ins(gpkg_store)
    assert {entry.role for entry in known} == set(ROLES)
    for entry in known:
        account = signing_in.verify(gpkg_store, entry.name, entry.password, "127.0.0.1")
        assert (account.role, account.must_change) == (entry.role, False)
    (manager,) = [entry for entry in known if entry.role == "grid_manager"]
    assert len(manager.areas) == 1
    assert manager.areas[0] in set(county["township"]["code"])


def test_sign_ins_shown_again_have_new_passwords(gpkg_store, county):
    sample.store_county(gpkg_store, county)
    first = {entry.name: entry.password for entry in sample.sign_ins(gpkg_store)}
    again = {entry.name: entry.password for entry in sample.sign_ins(gpkg_store)}
    assert first.keys() == again.keys()
    assert not set(first.values()) & set(again.values())
    with gpkg_store.read() as connection:
        kept = json.dumps([list(map(str, row)) for row in connection.exec_driver_sql("SELECT * FROM setting").all()])
    assert not any(password in kept for password in again.values())


def test_accounts_of_a_real_store_are_never_touched(gpkg_store):
    accounts.create(gpkg_store, "admin", "administrator", password="correct-horse-7")
    with pytest.raises(ConflictError):
        sample.sign_ins(gpkg_store)
    assert signing_in.verify(gpkg_store, "admin", "correct-horse-7", "127.0.0.1").name == "admin"


def test_the_sample_survives_closing_and_opening(tmp_path, county):
    path = str(tmp_path / "sample.gpkg")
    with Store.create(path) as store:
        sample.store_county(store, county)
    with Store.open(path) as store:
        assert sample.is_sample(store)
        villages = read_layer(store, "village", OWNER)
        assert villages.crs == "EPSG:4490"
        made = county["village"].set_index("code")
        pd.testing.assert_series_equal(
            villages["households"].astype("int64"), made["households"].reindex(villages.index), check_names=False
        )
