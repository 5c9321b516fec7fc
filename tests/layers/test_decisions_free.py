"""Decisions in a store without villages, whose codes are free text and whose shapes came off the centimetre grid."""

from datetime import timedelta

import decided
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from decided import BOSS, drawn, merge, reviewed
from squares import put

from geo import crs
from layers.deciding import decisions
from layers.redrawing import drafts, redraw_session
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage.history import today
from layers.storage.store import Store

LATER = (today() + timedelta(days=40)).isoformat()


@pytest.fixture
def blocks(tmp_path):
    """Thirty blocks whose vertices lie anywhere between the centimetres."""
    shapes = decided.land()[2]
    beside = shapely.transform(shapes, lambda xy: xy + np.array([0.0031, -0.0042]))
    lonlat = crs.transform_geometries(beside, decided.CRS, crs.LONLAT)
    with Store.create(str(tmp_path / "blocks.gpkg"), codes="free") as store:
        put(
            store,
            "grid",
            gpd.GeoDataFrame(
                {
                    "grid_code": [f"B{row:02d}" for row in range(len(shapes))],
                    "households": pd.array(range(100, 100 + len(shapes)), dtype="Int64"),
                },
                geometry=list(lonlat),
                crs=4490,
            ),
        )
        yield store


def metric(store, on=None):
    found = read_layer(store, "grid", OWNER, as_of=on)
    draft = drafts.create(store, decided.OTHER, title="看", effective_from=on)
    with redraw_session.held(store, draft) as session:
        system = session.crs
    return dict(zip(found.index, crs.transform_geometries(found.geometry.to_numpy(), crs.LONLAT, system), strict=True))


def touching(store):
    shapes = metric(store)
    codes = sorted(shapes)
    for other in codes[1:]:
        if shapely.intersection(shapes[codes[0]].buffer(0.01), shapes[other]).length > 100:
            return codes[0], other
    raise AssertionError


def off_grid_m(shapes):
    coordinates = shapely.get_coordinates(list(shapes))
    return float(np.abs(coordinates - np.round(coordinates, 2)).max())


def test_approval_writes_the_whole_land_on_the_centimetre_grid(blocks):
    one, two = touching(blocks)
    before = read_layer(blocks, "grid", OWNER)
    assert off_grid_m(metric(blocks).values()) > 0.002
    ready = reviewed(blocks, drawn(blocks, [merge(one, two)], parent=None, on=LATER))
    done = decisions.approve(blocks, BOSS, ready.id, ready.version)
    after = read_layer(blocks, "grid", OWNER, as_of=LATER)
    shapes = metric(blocks, LATER)
    assert off_grid_m(shapes.values()) < 0.0002
    assert shapely.coverage_is_valid(
        [shapely.transform(shape, lambda xy: np.round(xy, 2)) for shape in shapes.values()]
    )
    assert shapely.coverage_is_valid(after.geometry.to_numpy())
    assert len(after) == len(before) - 1 and after["households"].sum() == before["households"].sum()
    assert done.operations[0]["codes"] == [f"{one}-1"]
    untouched = read_layer(blocks, "grid", OWNER)
    assert (shapely.to_wkb(untouched.geometry) == shapely.to_wkb(before.geometry)).all()
    back = decisions.withdraw(blocks, BOSS, done.id, done.version)
    assert len(read_layer(blocks, "grid", OWNER, as_of=LATER)) == len(before) and back.state == "draft"


def test_second_decision_finds_the_land_on_the_grid_and_leaves_the_rest_alone(blocks):
    one, two = touching(blocks)
    ready = reviewed(blocks, drawn(blocks, [merge(one, two, into=two)], parent=None))
    decisions.approve(blocks, BOSS, ready.id, ready.version)
    codes = sorted(read_layer(blocks, "grid", OWNER).index)
    far = codes[-1]
    before = read_layer(blocks, "grid", OWNER)
    ready = reviewed(blocks, drawn(blocks, [decided.split(blocks, far)], parent=None))
    done = decisions.approve(blocks, BOSS, ready.id, ready.version)
    after = read_layer(blocks, "grid", OWNER)
    same = [code for code in after.index if code in before.index and after.loc[code, "fid"] == before.loc[code, "fid"]]
    assert len(same) >= len(before) - 4
    assert set(done.operations[0]["codes"]) == {f"{far}-1", f"{far}-2"}
