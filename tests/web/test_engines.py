"""The same answers from a GeoPackage and from PostGIS."""

import pytest
from flask import Flask
from office import Person, add_accounts, fill, open_office, village_code
from routes import all_routes, path_of

from geo.errors import NotFoundError, RightsError
from layers.rights import OWNER, Viewer
from layers.selection import features
from layers.storage.store import Store

PATHS = (
    "/api/v1/layers",
    "/features/village",
    "/features/grid?parent=990101001000",
    "/features/camera?where=status='online'+and+name+like+'点位0%25'",
    "/features/incident?bbox=111,27.6,111.03,27.7",
    "/api/v1/search?q=石",
    "/api/v1/search?q=99010100120",
    "/api/v1/table/camera?sort=name:desc&q=点",
    "/api/v1/table/village?size=2&page=2&sort=code:asc",
    "/api/v1/features/village/" + village_code(0),
    "/api/v1/coverage",
    "/api/v1/hotspots?unit=village",
)


def plain(body):
    """An answer without row numbers, versions and times, which each engine counts for itself.

    The bounds of a layer come from an index that keeps single precision on one of them.
    """
    if isinstance(body, dict):
        dropped = {"fid", "version", "imported_at", "changed_at", "made_at", "provenance", "bounds"}
        return {key: plain(value) for key, value in body.items() if key not in dropped}
    if isinstance(body, list):
        return [plain(value) for value in body]
    return round(body, 9) if isinstance(body, float) else body


@pytest.mark.postgis
def test_both_engines_answer_alike(app: Flask, postgis_store: Store, tmp_path):
    fill(postgis_store)
    add_accounts(postgis_store)
    other = open_office(postgis_store, WORK_FOLDER=str(tmp_path / "other"))
    for name in ("planner", "planner-west", "viewer"):
        here, there = Person(app, name), Person(other, name)
        for path in PATHS:
            ours, theirs = here.get(path), there.get(path)
            assert ours.status_code == theirs.status_code, (name, path)
            assert plain(ours.get_json()) == plain(theirs.get_json()), (name, path)
    boss = Person(other, "administrator")
    for method, rule in all_routes(other):
        if method == "GET" and rule != "/sign-out":
            assert boss.get(path_of(rule)).status_code < 500, rule
    account = boss.send(
        "POST", "/api/v1/accounts", {"name": "new", "role": "viewer"}, headers={"Idempotency-Key": "key-000001"}
    )
    assert account.status_code == 201


def test_one_feature_is_read_with_what_is_above_and_below(store: Store):
    fill(store)
    row = features.read_feature(store, "village", OWNER, village_code(0)).iloc[0]
    assert row["name"] == "石门村"
    assert [above["kind"] for above in features.parents(store, "village", row, OWNER)] == ["township", "county"]
    assert features.count_below(store, "village", village_code(0), OWNER) == {
        "grid": 2, "camera": 6, "incident": 15, "facility": 1,
    }  # fmt: skip
    viewer = Viewer("v", "viewer", ("990101002000",))
    assert features.count_below(store, "village", village_code(2), viewer) == {"grid": 2}
    with pytest.raises(NotFoundError):
        features.read_feature(store, "village", viewer, village_code(0))
    with pytest.raises(RightsError):
        features.read_feature(store, "camera", viewer, "1")
    for key in ("0", "x", "-1", "1.5", "9" * 40, "", "１"):
        with pytest.raises(NotFoundError):
            features.read_feature(store, "camera", OWNER, key)
