"""Dirty grids are shown with their places first, mended on consent only, and can be taken back; on both stores."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from squares import V1, V2, at, county, frame, put, square, townships, villages

from geo import crs
from geo.errors import ConflictError, InputError, NotFoundError, RightsError
from geo.mending import fits
from layers.checking import mend_places, mending
from layers.imports.undoing import undo_change
from layers.places.land import read_lands
from layers.rights import OWNER, Viewer
from layers.selection import frames
from layers.storage.rows import close_rows

PLANNER = Viewer("planner", "planner")


def noisy(shape, seed, metres=0.4):
    """The polygon as somebody traces it: every vertex off by up to `metres`, and a few more vertices."""
    rng = np.random.default_rng(seed)
    path = shapely.get_coordinates(shapely.segmentize(shape, 0.02))[:-1]
    return shapely.Polygon(path + rng.uniform(-metres, metres, path.shape) / 100_000)


def grids(shapes, village=V1, first=1):
    codes = [f"{village}{number:03d}" for number in range(first, first + len(shapes))]
    return frame(
        shapes,
        grid_code=codes,
        village_code=[village] * len(shapes),
        name=[f"第{number}网格" for number in range(len(shapes))],
        households=np.arange(len(shapes)) + 100,
    )


def quarters(column=0, row=0):
    return [square(column + x, row + y, 0.5, 0.5) for x in (0, 0.5) for y in (0, 0.5)]


def outline_of(store, village=V1):
    return read_lands(store, OWNER, village, "2026-01-01").lands[0].outline


@pytest.fixture
def dirty(store):
    """V1 in four noisy quarters, V2 in four clean ones."""
    for kind, given in (("county", county()), ("township", townships()), ("village", villages())):
        put(store, kind, given)
    traced = [noisy(shape, seed) for seed, shape in enumerate(quarters())]
    put(store, "grid", gpd.pd.concat([grids(traced), grids(quarters(1), V2)], ignore_index=True))
    return store


def shapes_now(store):
    return {code: shape.wkb for code, shape in frames.read_layer(store, "grid", OWNER).geometry.items()}


def test_gaps_and_overlaps_are_told_with_places_before_anything_is_changed(dirty):
    before, versions = shapes_now(dirty), dirty.versions()
    found = mend_places.find(dirty, PLANNER)
    kinds = {place.finding.kind for place in found.places}
    assert {"gap", "overlap", "outside_parent"} <= kinds
    assert found.villages == 2 and found.clean == 1 and found.grids == 8
    v1 = square(0, 0)
    for place in found.places:
        assert place.parent_code == V1
        assert v1.buffer(0.0001).contains(shapely.Point(place.finding.lon, place.finding.lat))
        west, south, east, north = place.bounds
        assert west <= place.finding.lon <= east and south <= place.finding.lat <= north
        assert all(code.startswith(V1) for code in place.codes)
    assert [place.finding.severity for place in found.places] == sorted(
        (place.finding.severity for place in found.places), key=["error", "warning"].index
    )
    mending.plan(dirty, PLANNER, V1)
    assert shapes_now(dirty) == before and dirty.versions() == versions


def test_plan_tells_per_grid_what_would_move(dirty):
    told = mending.plan(dirty, PLANNER, V1).as_dict()
    assert told["totals"]["mendable"] == 1 and told["totals"]["grids"] == 4
    assert 0 < told["totals"]["largest_shift_m"] < 2
    stored = frames.read_layer(dirty, "grid", OWNER)
    metric = crs.to_metric(stored, crs.metric_crs(county().total_bounds))
    for row in told["grids"]:
        assert row["before_m2"] == pytest.approx(metric.geometry[row["code"]].area, rel=1e-6)
        assert row["moved_m2"] > 0 and row["parent_code"] == V1 and not row["large"]
    assert told["grids"] == sorted(told["grids"], key=lambda row: -row["moved_m2"])


def test_mended_grids_are_the_village_to_the_centimetre_and_keep_everything_else(dirty):
    before = frames.read_layer(dirty, "grid", OWNER)
    found = mending.plan(dirty, PLANNER, V1)
    answer = mending.apply(dirty, PLANNER, V1, found.hash)
    assert answer["grids"] == 4 and answer["villages"] == 1
    after = frames.read_layer(dirty, "grid", OWNER)
    attributes = [name for name in after.columns if name not in ("fid", "geometry")]
    assert after[attributes].equals(before[attributes])
    changed = [code for code in after.index if after.geometry[code].wkb != before.geometry[code].wkb]
    assert changed == [f"{V1}{number:03d}" for number in range(1, 5)]
    land = read_lands(dirty, OWNER, V1, "2026-01-01").lands[0]
    assert shapely.coverage_is_valid(list(land.kept.values()))
    covered = shapely.coverage_union_all(list(land.kept.values()))
    assert fits(land.kept, covered)
    assert land.fits and shapely.equals(covered, land.outline)
    together = after.geometry[changed].union_all()
    # As the map shows it, the outline is where it was to the centimetre, every corner of it in place.
    assert shapely.hausdorff_distance(together.boundary, square(0, 0).boundary) < 1e-7
    corners = shapely.points(shapely.get_coordinates(square(0, 0)))
    assert shapely.distance(corners, shapely.multipoints(shapely.get_coordinates(together))).max() < 1e-7
    assert len(shapely.get_coordinates(together)) <= 5 + 4
    assert not mend_places.find(dirty, PLANNER).places
    with pytest.raises(InputError):
        mending.apply(dirty, PLANNER, V1, mending.plan(dirty, PLANNER, V1).hash)


def test_mending_is_a_correction_that_can_be_undone(dirty):
    before = shapes_now(dirty)
    answer = mending.apply(dirty, PLANNER, "", mending.plan(dirty, PLANNER).hash)
    assert shapes_now(dirty) != before
    # A correction: the new rows hold from the day the old ones did, also on days long gone.
    assert frames.count_layer(dirty, "grid", OWNER, as_of="1950-01-01") == 8
    undo_change(dirty, answer["change"], "administrator")
    assert shapes_now(dirty) == before


def test_consent_to_an_older_plan_is_refused(dirty):
    old = mending.plan(dirty, PLANNER, V1).hash
    other = mending.plan(dirty, PLANNER, V1, snapping_m=0.5).hash
    assert other != old
    with pytest.raises(ConflictError):
        mending.apply(dirty, PLANNER, V1, old, snapping_m=0.5)
    put(dirty, "grid", grids([at(9, 9).buffer(0.01)], V1, first=9))
    before = shapes_now(dirty)
    with pytest.raises(ConflictError):
        mending.apply(dirty, PLANNER, V1, old)
    assert shapes_now(dirty) == before


def test_same_key_mends_once(dirty):
    consent = mending.plan(dirty, PLANNER, V1).hash
    first = mending.apply(dirty, PLANNER, V1, consent, key="mend-once-1")
    assert mending.apply(dirty, PLANNER, V1, consent, key="mend-once-1") == first


def test_change_between_plan_and_write_is_a_conflict(dirty, monkeypatch):
    consent, real = mending.plan(dirty, PLANNER, V1).hash, mending.plan

    def plan_then_import(*args, **named):
        found = real(*args, **named)
        put(dirty, "grid", grids([at(9, 9).buffer(0.01)], V2, first=77))
        return found

    monkeypatch.setattr(mending, "plan", plan_then_import)
    before = shapes_now(dirty)
    with pytest.raises(ConflictError):
        mending.apply(dirty, PLANNER, V1, consent)
    assert {code: shape for code, shape in shapes_now(dirty).items() if code in before} == before


def test_duplicate_grid_is_refused_and_the_other_village_mended(dirty):
    put(dirty, "grid", grids([noisy(square(0, 0, 0.5, 0.5), 0)], V1, first=9))
    told = mending.plan(dirty, PLANNER).as_dict()
    assert told["totals"]["refused"] == 1 and told["totals"]["grids"] == 0
    village = told["villages"][0]
    assert village["reason"] == "swallowed"
    assert f"{V1}009" in village["what"]["zh"] or f"{V1}001" in village["what"]["zh"]
    west, south, east, north = village["bounds"]
    assert shapely.box(west, south, east, north).intersects(square(0, 0, 0.5, 0.5))


def test_wide_gap_is_refused_until_a_wider_one_is_allowed(gpkg_store):
    for kind, given in (("village", villages()), ("grid", grids([square(0, 0, 0.5), square(0.5003, 0, 0.4997)]))):
        put(gpkg_store, kind, given)
    village = mending.plan(gpkg_store, PLANNER, V1).as_dict()["villages"][0]
    assert village["reason"] == "not_a_coverage" and "wide" in village["what"]["en"]
    found = mending.plan(gpkg_store, PLANNER, V1, gap_width_m=40)
    assert found.villages[0].state == "mendable"
    lost = found.villages[0].moved
    assert sum(one.after_m2 - one.before_m2 for one in lost) == pytest.approx(2.895 * 11_085, rel=0.01)


def test_grid_with_a_decision_ahead_is_not_mended(dirty):
    change = dirty.open_change("planner", "import", kinds=["grid"])
    fid = int(frames.read_layer(dirty, "grid", OWNER).loc[f"{V1}001", "fid"])
    close_rows(dirty, change, "grid", [fid], "2999-01-01")
    dirty.finish_change(change, ["grid"], 1)
    village = mending.plan(dirty, PLANNER, V1).as_dict()["villages"][0]
    assert village["state"] == "refused" and "2999-01-01" in village["what"]["en"]


def test_only_makers_within_their_area_may_mend(dirty):
    for role in ("viewer", "grid_manager", "dispatcher", "reporter"):
        with pytest.raises(RightsError):
            mending.plan(dirty, Viewer("somebody", role))
        with pytest.raises(RightsError):
            mend_places.find(dirty, Viewer("somebody", role))
    elsewhere = Viewer("planner", "planner", areas=(V2,))
    with pytest.raises(NotFoundError):
        mending.plan(dirty, elsewhere, V1)
    assert mending.plan(dirty, elsewhere).as_dict()["totals"] | {"moved_m2": 0} == {
        "villages": 1, "clean": 1, "mendable": 0, "refused": 0, "grids": 0, "large": 0, "moved_m2": 0, "largest_shift_m": 0,
    }  # fmt: skip


def test_store_without_villages_mends_all_grids_as_one_land(gpkg_store):
    put(gpkg_store, "grid", grids([noisy(shape, seed, 0.3) for seed, shape in enumerate(quarters())]))
    answer = mending.apply(gpkg_store, PLANNER, "", mending.plan(gpkg_store, PLANNER).hash)
    assert answer["grids"] in (3, 4)
    land = read_lands(gpkg_store, OWNER, "", "2026-01-01").lands[0]
    assert land.fits and not mend_places.find(gpkg_store, PLANNER).places
    with pytest.raises(RightsError):
        mending.plan(gpkg_store, Viewer("planner", "planner", areas=(V1,)))


def test_store_without_grids_says_so(gpkg_store):
    put(gpkg_store, "village", villages())
    for find in (mending.plan, mend_places.find):
        with pytest.raises(NotFoundError):
            find(gpkg_store, PLANNER)


def test_clean_grids_with_a_corner_on_a_long_edge_only_get_the_corner(gpkg_store):
    # The left half runs along both right quarters in one stretch of ten kilometres.
    put(gpkg_store, "village", villages())
    put(gpkg_store, "grid", grids([square(0, 0, 0.5, 1), square(0.5, 0, 0.5, 0.5), square(0.5, 0.5, 0.5, 0.5)]))
    found = mend_places.find(gpkg_store, PLANNER, V1)
    assert [place.finding.kind for place in found.places] == ["unmatched"]
    planned = mending.plan(gpkg_store, PLANNER, V1)
    assert planned.as_dict()["totals"]["moved_m2"] < 10
    mending.apply(gpkg_store, PLANNER, V1, planned.hash)
    assert not mend_places.find(gpkg_store, PLANNER, V1).places


def test_tolerances_out_of_range_are_refused(gpkg_store):
    put(gpkg_store, "grid", grids(quarters()))
    for bad in ({"snapping_m": 0}, {"snapping_m": 50}, {"gap_width_m": -1}, {"gap_width_m": float("nan")}):
        with pytest.raises(InputError):
            mending.plan(gpkg_store, PLANNER, **bad)
    gpkg_store.settings.set("mending", {"snapping_m": 0.3})
    assert mending.plan(gpkg_store, PLANNER).limits.snapping_m == 0.3
    gpkg_store.settings.set("mending", {"nonsense": 1})
    with pytest.raises(InputError):
        mending.plan(gpkg_store, PLANNER)
