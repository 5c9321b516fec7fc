"""Villages and townships are redrawn one level up, and their grids follow; a village becomes a community."""

import json
from copy import deepcopy
from datetime import timedelta

import decided
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from decided import BOSS, OTHER, PLANNER, TOWN, VILLAGES, approved, drawn, grids
from sqlalchemy import select
from squares import put

from geo.errors import ConflictError, InputError
from layers.deciding import decisions
from layers.deciding.village_decisions import OFFICES
from layers.figures import rules
from layers.places import grid_codes, homes, lineage
from layers.redrawing import communities, redraw_figures, redraw_session
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage import schema
from layers.storage.history import today

EAST, MIDDLE, WEST = VILLAGES
LATER = (today() + timedelta(days=40)).isoformat()


@pytest.fixture
def town(store):
    return with_natural_villages(decided.fill(store))


@pytest.fixture
def small(gpkg_store):
    return with_natural_villages(decided.fill(gpkg_store))


def with_natural_villages(store):
    """One natural village, a point, in the middle of every second grid."""
    found = read_layer(store, "grid", OWNER).iloc[::2]
    points = shapely.point_on_surface(found.geometry.to_numpy())
    put(store, "natural_village", gpd.GeoDataFrame(
        {"code": [f"{code[:12]}{row:02d}" for row, code in enumerate(found.index)], "parent_code": found["village_code"].to_numpy()},
        geometry=points, crs=4490,
    ))  # fmt: skip
    return store


def villages(store, on=None):
    found = read_layer(store, "village", OWNER, as_of=on).to_crs(decided.CRS)
    return found.set_geometry(shapely.transform(found.geometry.to_numpy(), lambda xy: np.round(xy, 2)), crs=decided.CRS)


def require_nested(store, on=None, *, slack_m2=1.0):
    """Every grid belongs to a village of the day, and the grids of a village are the village."""
    now, above = grids(store, on), villages(store, on)
    assert now.index.is_unique
    assert set(now["village_code"]) == set(above.index)
    assert shapely.coverage_is_valid(now.geometry.to_numpy())
    for village, shape in above.geometry.items():
        own = now[now["village_code"] == village]
        together = shapely.coverage_union_all(own.geometry.to_numpy())
        assert shapely.symmetric_difference(together, shape).area <= slack_m2, village
        assert all(code.startswith(village) for code in own.index)
    natural = read_layer(store, "natural_village", OWNER, as_of=on).to_crs(decided.CRS)
    for code, row in natural.iterrows():
        assert shapely.within(row.geometry, above.geometry[row["parent_code"]]), code


def village_draft(store, operations, **said):
    return drawn(store, operations, level="village", parent=TOWN, **said)


def test_merged_villages_keep_every_grid_under_the_code_that_stays(town):
    before = grids(town)
    approved(town, village_draft(town, [decided.merge(EAST, MIDDLE, into=EAST)], on=LATER))
    assert sorted(villages(town).index) == list(VILLAGES)
    require_nested(town)
    assert sorted(villages(town, LATER).index) == [EAST, WEST]
    require_nested(town, LATER)
    after = grids(town, LATER)
    stays = before[before["village_code"] != MIDDLE]
    assert set(stays.index) <= set(after.index)
    moved = before[before["village_code"] == MIDDLE]
    assert len(after) == len(before) and not set(moved.index) & set(after.index)
    assert after["households"].sum() == before["households"].sum()
    assert villages(town, LATER)["households"].sum() == 3000
    code = moved.index[0]
    (link,) = lineage.successors(town, "grid", code)
    assert (link.kind, link.share_of_area, link.share_of_households, link.on) == ("recode", 1.0, 1.0, LATER)
    assert shapely.equals(after.geometry[link.new_code], before.geometry[code])
    assert after.loc[link.new_code, "name"] == before.loc[code, "name"]
    assert after.loc[link.new_code, "workers_full"] == before.loc[code, "workers_full"]


def test_moved_village_border_cuts_grids_and_the_pieces_go_across(town):
    before, above = grids(town), villages(town)
    border = shapely.intersection(above.geometry[EAST], above.geometry[MIDDLE])
    middle = shapely.line_interpolate_point(shapely.line_merge(border), 0.5, normalized=True)
    piece = decided.body_of(middle.buffer(450, quad_segs=4))
    approved(town, village_draft(town, [{"op": "transfer", "from": MIDDLE, "to": EAST, "piece": piece}]))
    require_nested(town)
    after, now = grids(town), villages(town)
    assert now.geometry[EAST].area > above.geometry[EAST].area + 100_000
    assert decided.doubled_area(after.geometry) == decided.doubled_area(before.geometry)
    for field in ("households", "population", "workers_full"):
        assert after[field].sum() == before[field].sum(), field
    assert shapely.equals_identical(now.geometry[WEST], above.geometry[WEST])
    require_nested(town, "2000-01-01")


def test_village_becomes_a_community_when_five_offices_agree(town):
    before = grids(town)
    draft = village_draft(town, [{"op": "recode", "grid": MIDDLE}])
    assert draft.operations[0]["codes"] == [f"{TOWN[:9]}001"]
    now = decisions.submit(town, PLANNER, draft.id, draft.version)
    with pytest.raises(InputError):
        decisions.review(town, OTHER, now.id, now.version, verdict="agree")
    for office in OFFICES:
        assert now.state == "proposed"
        with pytest.raises(ConflictError):
            decisions.approve(town, BOSS, now.id, now.version)
        now = decisions.review(town, OTHER, now.id, now.version, verdict="agree", role=office)
    assert now.state == "reviewed" and decisions.offices_missing(now) == ()
    doubt = decisions.review(town, OTHER, now.id, now.version, verdict="disagree", role="finance")
    assert doubt.state == "proposed" and decisions.offices_missing(doubt) == ("finance",)
    agreed = decisions.review(town, OTHER, now.id, doubt.version, verdict="agree", role="finance")
    heard = decisions.review(town, OTHER, now.id, agreed.version, verdict="agree", role="assembly")
    done = decisions.approve(town, BOSS, heard.id, heard.version)
    assert done.state == "effective"
    community = f"{TOWN[:9]}001"
    require_nested(town)
    now_villages = villages(town)
    assert sorted(now_villages.index) == sorted([EAST, community, WEST])
    assert now_villages.loc[community, "name"] == "中村"
    (link,) = lineage.predecessors(town, "village", community)
    assert (link.old_code, link.kind, link.share_of_area) == (MIDDLE, "recode", 1.0)
    after = grids(town)
    assert (after["village_code"] == community).sum() == (before["village_code"] == MIDDLE).sum()
    assert after["households"].sum() == before["households"].sum()


def test_community_goes_back_to_being_a_village_before_its_day(small):
    draft = village_draft(small, [{"op": "recode", "grid": MIDDLE}], on=LATER)
    now = decisions.submit(small, PLANNER, draft.id, draft.version)
    for office in OFFICES:
        now = decisions.review(small, OTHER, now.id, now.version, verdict="agree", role=office)
    done = decisions.approve(small, BOSS, now.id, now.version)
    assert MIDDLE not in villages(small, LATER).index
    decisions.withdraw(small, BOSS, done.id, done.version)
    require_nested(small, LATER)
    assert sorted(villages(small, LATER).index) == list(VILLAGES)


def test_new_grid_codes_of_a_merged_village_are_in_reading_order(small):
    approved(small, village_draft(small, [decided.merge(EAST, MIDDLE, into=EAST)]))
    count = int((grids(small, "2000-01-01")["village_code"] == EAST).sum())
    after = grids(small)
    after = after[after["village_code"] == EAST]
    fresh = after[after.index.str[12:].astype(int) > count]
    assert len(fresh) == 10
    assert grid_codes.numbered(fresh.geometry.to_numpy()) == list(range(10))


def test_decision_on_villages_waits_for_nobody_but_the_same_grids(small):
    one = grids(small)[grids(small)["village_code"] == MIDDLE].index[0]
    waiting = decided.reviewed(small, drawn(small, [decided.split(small, one)]))
    approved(small, village_draft(small, [decided.merge(EAST, MIDDLE, into=EAST)]))
    with pytest.raises(ConflictError):
        decisions.approve(small, BOSS, waiting.id, waiting.version)


def test_homes_of_cameras_follow_a_merged_village(small):
    spots = grids(small)
    at = gpd.GeoSeries(shapely.point_on_surface(spots.geometry.to_numpy()), crs=decided.CRS).to_crs(4490)
    put(small, "camera", gpd.GeoDataFrame({"device_id": [f"c{row}" for row in range(len(at))]}, geometry=at, crs=4490))
    homes.keep_up(small)
    approved(small, village_draft(small, [decided.merge(EAST, MIDDLE, into=EAST)]))
    found = read_layer(small, "camera", OWNER)
    assert set(found["village_code"]) == {EAST, WEST}
    assert set(found["grid_code"]) == set(grids(small).index)
    assert pd.Series(found["grid_code"]).is_unique


def test_township_under_a_new_code_takes_villages_and_grids_along(small):
    far = "990101002000"
    shapes = decided.land()[2]
    moved = shapely.transform(shapes, lambda xy: xy + np.array([20_000, 0]))
    whole = shapely.coverage_union_all(moved)
    codes = [f"{far[:9]}201{row + 1:03d}" for row in range(len(moved))]
    put(small, "township", decided.frame([whole], code=[far], name=["北岭乡"], parent_code=[decided.COUNTY]))
    put(small, "village", decided.frame([whole], code=[f"{far[:9]}201"], name=["远村"], parent_code=[far]))
    put(
        small,
        "grid",
        decided.frame(moved, grid_code=codes, village_code=[f"{far[:9]}201"] * len(moved), kind=["base"] * len(moved)),
    )
    above = read_layer(small, "township", OWNER)
    assert len(above) == 2
    new = "990101003000"
    draft = drawn(
        small, [{"op": "recode", "grid": TOWN, "into": new}], level="township", parent=decided.COUNTY, on=LATER,
    )  # fmt: skip
    done = approved(small, draft)
    after = read_layer(small, "township", OWNER, as_of=LATER)
    assert sorted(after.index) == [far, new] and after.loc[new, "name"] == "南桥镇"
    found = villages(small, LATER)
    assert sorted(found.index) == [f"{far[:9]}201", *(f"{new[:9]}{number}" for number in (201, 202, 203))]
    assert (found["parent_code"] == [far, new, new, new]).all()
    require_nested(small, LATER)
    require_nested(small)
    moved_grids = grids(small, LATER)
    assert moved_grids["households"].sum() == grids(small)["households"].sum()
    (link,) = lineage.successors(small, "village", EAST)
    assert link.new_code.startswith(new[:9]) and link.share_of_area == 1.0
    decisions.withdraw(small, BOSS, done.id, done.version)
    require_nested(small, LATER)


def conversion(store, **said):
    draft = village_draft(store, [{"op": "recode", "grid": MIDDLE}], **said)
    now = decisions.submit(store, PLANNER, draft.id, draft.version)
    for office in OFFICES:
        now = decisions.review(store, OTHER, now.id, now.version, verdict="agree", role=office)
    return draft, decisions.approve(store, BOSS, now.id, now.version)


def warned(draft, verdict):
    return [review.get("warnings", []) for review in draft.reviews if review["verdict"] == verdict][-1]


def breaks_of(store, draft):
    with redraw_session.held(store, draft) as session:
        listed = sorted(session.codes())
        return dict(
            zip(listed, (row["breaks"] for row in redraw_figures.figures(session, PLANNER, listed)), strict=True)
        )


@pytest.fixture
def strict(town):
    """The sample rules, but a community has at most 900 households; the village in the middle has 1000."""
    return with_largest_community(town, 900)


def with_largest_community(store, most):
    body = deepcopy(rules.shipped()["sample-2025"].body)
    next(rule for rule in body["rules"] if rule["id"] == "community_size")["threshold"] = most
    rules.save_rule_set(store, PLANNER, "own", body)
    with store.change("boss", "set_rules") as change:
        store.settings.put(change.connection, "rule_set", "own")
    return store


def test_too_large_a_community_is_told_on_the_draft_and_in_the_record_but_not_refused(strict):
    community = f"{TOWN[:9]}001"
    draft, done = conversion(strict)
    (told,) = warned(done, "approve")
    assert (told["code"], told["name"], told["rule"]) == (community, "中村", "community_size")
    assert told["text"]["zh"] == "城市社区规模：1000 户，标准为不超过 900 户，超出 100 户"
    assert told["text"]["en"] == "size of urban communities: 1000 households, at most 900 are asked for, 100 too many"
    assert warned(done, "submit") == [told]
    assert done.state == "effective"
    with strict.read() as connection:
        acted = connection.execute(
            select(schema.audit.c.details).where(schema.audit.c.change_id == done.change_id)
        ).scalar_one()
    assert json.loads(acted)["warnings"] == [told]
    assert draft.operations[0]["codes"] == [community]


def test_community_within_the_threshold_of_the_rule_set_is_not_warned_of(small):
    _, done = conversion(with_largest_community(small, 1000))
    assert not any("warnings" in review for review in done.reviews)


def test_class_recorded_for_the_village_says_nothing_of_the_community_it_becomes(small):
    rule_set = rules.read_rule_set(with_largest_community(small, 900), "own")
    community, other = f"{TOWN[:9]}001", f"{TOWN[:9]}002"
    rural = {"urban_rural": "220", "village_type": None, "households": 1000}
    told = communities.broken(small, rule_set, {community: rural, other: rural}, begun={community}, made={community})
    assert list(told) == [community]
    unknown = {**rural, "households": None}
    (missing,) = communities.broken(small, rule_set, {community: unknown}, begun={community}, made={community})[
        community
    ]
    assert missing["text"]["zh"].endswith("未登记，无法核对")
    assert not communities.broken(
        small, rule_set, {other: {**rural, "urban_rural": None} | {"households": None}}, begun=(), made=()
    )


def test_draft_shows_the_broken_rule_while_it_is_drawn(strict):
    draft = village_draft(strict, [{"op": "recode", "grid": MIDDLE}])
    found = breaks_of(strict, draft)
    assert [each["rule"] for each in found[f"{TOWN[:9]}001"]] == ["community_size"]
    assert found[EAST] == found[WEST] == []  # villagers' committees, however large
