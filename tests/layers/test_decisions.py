"""Drafts on their way to a decision: who may do what, what is written, and from when it holds."""

from datetime import timedelta

import decided
import numpy as np
import pandas as pd
import pytest
import shapely
from decided import BOSS, OTHER, PLANNER, approved, drawn, grids, merge, neighbours, reviewed, split
from sqlalchemy import select

from geo.errors import ConflictError, InputError, RightsError
from layers.deciding import decisions
from layers.redrawing import draft_rights, drafts
from layers.rights import OWNER, Viewer
from layers.selection.frames import count_layer, read_layer
from layers.storage import audit, schema
from layers.storage.history import today

TODAY = today().isoformat()
LATER = (today() + timedelta(days=40)).isoformat()
LATEST = (today() + timedelta(days=90)).isoformat()


@pytest.fixture
def town(store):
    return decided.fill(store)


@pytest.fixture
def small(gpkg_store):
    return decided.fill(gpkg_store)


def pair(store, number=0):
    return neighbours(store)[number]


def test_decision_of_today_ends_old_rows_and_begins_new_ones(town):
    one, two = pair(town)
    before = grids(town)
    draft = approved(town, drawn(town, [merge(one, two, into=one)]))
    after = grids(town)
    assert draft.state == "effective"
    assert set(after.index) == set(before.index) - {two}
    assert decided.doubled_area(after.geometry) == decided.doubled_area(before.geometry)
    assert shapely.coverage_is_valid(after.geometry.to_numpy())
    assert after.loc[one, "households"] == before.loc[one, "households"] + before.loc[two, "households"]
    old = schema.ROWS["grid"]
    with town.read() as connection:
        rows = connection.execute(
            select(old.c.valid_to, old.c.closed_by, old.c.retired_by).where(old.c.closed_by.is_not(None))
        ).all()
    assert sorted(rows) == [(TODAY, draft.change_id, None)] * 2
    assert read_layer(town, "grid", OWNER, as_of="2020-01-01").loc[two, "households"] == before.loc[two, "households"]


def test_decision_for_a_later_day_changes_nothing_today(town):
    code = grids(town).index[0]
    before = read_layer(town, "grid", OWNER)
    draft = approved(town, drawn(town, [split(town, code)], on=LATER))
    assert draft.state == "approved"
    now = read_layer(town, "grid", OWNER)
    pd.testing.assert_frame_equal(
        pd.DataFrame(now.drop(columns="geometry")), pd.DataFrame(before.drop(columns="geometry"))
    )
    assert (shapely.to_wkb(now.geometry) == shapely.to_wkb(before.geometry)).all()
    the_day_before = (today() + timedelta(days=39)).isoformat()
    assert count_layer(town, "grid", OWNER, as_of=the_day_before) == len(before)
    assert count_layer(town, "grid", OWNER, as_of=LATER) == len(before) + 1
    assert code not in read_layer(town, "grid", OWNER, as_of=LATER).index


def test_whoever_drew_neither_reviews_nor_approves(small):
    draft = drawn(small, [split(small, grids(small).index[0])], viewer=BOSS)
    handed_in = decisions.submit(small, BOSS, draft.id, draft.version)
    with pytest.raises(RightsError):
        decisions.review(small, BOSS, draft.id, handed_in.version, verdict="agree")
    agreed = decisions.review(small, OTHER, draft.id, handed_in.version, verdict="agree")
    with pytest.raises(RightsError):
        decisions.approve(small, BOSS, draft.id, agreed.version)
    with pytest.raises(RightsError):
        decisions.approve(small, PLANNER, draft.id, agreed.version)
    small.settings.set(draft_rights.APPROVERS, ["planner"])
    assert decisions.approve(small, PLANNER, draft.id, agreed.version).state == "effective"


def test_only_a_reviewed_draft_is_approved_and_an_old_version_never(small):
    draft = drawn(small, [split(small, grids(small).index[0])])
    with pytest.raises(ConflictError):
        decisions.approve(small, BOSS, draft.id, draft.version)
    ready = reviewed(small, draft)
    with pytest.raises(ConflictError, match="other"):
        decisions.approve(small, BOSS, draft.id, draft.version)
    assert decisions.approve(small, BOSS, draft.id, ready.version).state == "effective"
    with pytest.raises(ConflictError):
        decisions.approve(small, BOSS, draft.id, ready.version)


def test_a_disagreement_stands_until_a_new_review_or_the_draft_is_sent_back(small):
    draft = drawn(small, [split(small, grids(small).index[0])])
    handed_in = decisions.submit(small, PLANNER, draft.id, draft.version)
    against = decisions.review(small, OTHER, draft.id, handed_in.version, verdict="disagree", note="道路未避开")
    assert against.state == "proposed"
    with pytest.raises(InputError):
        decisions.send_back(small, OTHER, draft.id, against.version)
    back = decisions.send_back(small, OTHER, draft.id, against.version, note="请避开道路")
    assert back.state == "draft"
    assert [review["verdict"] for review in back.reviews] == ["submit", "disagree", "send_back"]
    again = decisions.submit(small, PLANNER, draft.id, back.version)
    assert decisions.round_of(again) == []
    assert decisions.review(small, OTHER, draft.id, again.version, verdict="agree").state == "reviewed"


def test_nothing_is_handed_in_without_a_reason_or_a_change(small):
    empty = drafts.create(small, PLANNER, title="空", parent_code=decided.TOWN, reason="理由")
    with pytest.raises(InputError):
        decisions.submit(small, PLANNER, empty.id, empty.version)
    made = drawn(small, [split(small, grids(small).index[0])])
    silent = drafts.edit(small, PLANNER, made.id, made.version, reason="")
    with pytest.raises(InputError):
        decisions.submit(small, PLANNER, silent.id, silent.version)


def test_households_and_workers_are_shared_out_without_loss(town):
    before = grids(town)
    one, two = pair(town, 3)
    third = next(code for code in before.index if code not in (one, two))
    ring = decided.body_of(before.geometry[third].representative_point().buffer(60, quad_segs=3))
    operations = [split(town, one), {"op": "carve", "ring": ring, "name": "县一中", "kind": "dedicated"}]
    approved(town, drawn(town, operations))
    after = grids(town)
    for field in ("households", "population", "workers_full"):
        assert after[field].sum() == before[field].sum(), field
    halves = sorted(set(after.index) - set(before.index))
    school = after[after["name"] == "县一中"]
    assert len(halves) == 3 and len(school) == 1
    assert school["kind"].tolist() == ["dedicated"]
    assert int(school.index[0][12:]) >= 900
    assert 0 < school["households"].iloc[0] < before.loc[third, "households"]
    assert after.loc[third, "households"] + school["households"].iloc[0] == before.loc[third, "households"]
    names = after.loc[[code for code in halves if code not in school.index], "name"].tolist()
    assert names == [f"{before.loc[one, 'name']}-1", f"{before.loc[one, 'name']}-2"]


def test_decision_is_withdrawn_before_its_day_and_never_counted(town):
    one, two = pair(town)
    before = read_layer(town, "grid", OWNER, as_of=LATEST)
    draft = approved(town, drawn(town, [merge(one, two)], on=LATER))
    assert count_layer(town, "grid", OWNER, as_of=LATEST) == len(before) - 1
    with pytest.raises(RightsError):
        decisions.withdraw(town, PLANNER, draft.id, draft.version)
    back = decisions.withdraw(town, BOSS, draft.id, draft.version, note="计划有变")
    assert back.state == "draft" and back.change_id is None
    after = read_layer(town, "grid", OWNER, as_of=LATEST)
    assert after.index.tolist() == before.index.tolist()
    assert (shapely.to_wkb(after.geometry) == shapely.to_wkb(before.geometry)).all()
    again = approved(town, back)
    assert again.state == "approved"
    assert count_layer(town, "grid", OWNER, as_of=LATEST) == len(before) - 1
    assert audit.verify_chain(town) == []


def test_decision_in_force_or_built_upon_is_not_withdrawn(small):
    one, two = pair(small)
    in_force = approved(small, drawn(small, [merge(one, two, into=one)]))
    with pytest.raises(ConflictError):
        decisions.withdraw(small, BOSS, in_force.id, in_force.version)
    first = approved(small, drawn(small, [split(small, one)], on=LATER))
    half = sorted(set(grids(small, LATER).index) - set(grids(small).index))[0]
    second = approved(small, drawn(small, [split(small, half, on=LATEST)], on=LATEST, title="再次拆分"))
    with pytest.raises(ConflictError, match="再次拆分"):
        decisions.withdraw(small, BOSS, first.id, first.version)
    decisions.withdraw(small, BOSS, second.id, second.version)
    assert decisions.withdraw(small, BOSS, first.id, first.version).state == "draft"


def test_no_decision_slips_in_before_a_later_one_on_the_same_area(small):
    one, two = pair(small)
    approved(small, drawn(small, [merge(one, two, into=one)], on=LATEST, title="年底合并"))
    draft = drawn(small, [split(small, one)], on=LATER)
    with pytest.raises(ConflictError, match="年底合并") as caught:
        decisions.submit(small, PLANNER, draft.id, draft.version)
    assert "boss" in caught.value.what.en


def test_codes_are_never_given_twice(small):
    code = grids(small).index[0]
    first = approved(small, drawn(small, [split(small, code)], on=LATER))
    given = set(read_layer(small, "grid", OWNER, as_of=LATER).index) - set(grids(small).index)
    back = decisions.withdraw(small, BOSS, first.id, first.version)
    drafts.discard(small, PLANNER, back.id, back.version)
    approved(small, drawn(small, [split(small, code)], on=LATER))
    later = set(read_layer(small, "grid", OWNER, as_of=LATER).index) - set(grids(small).index)
    assert len(later) == 2 and not later & given


def test_what_an_interrupted_approval_has_done_is_nothing(small, monkeypatch):
    ready = reviewed(small, drawn(small, [split(small, grids(small).index[0])]))
    before = small.versions()
    with monkeypatch.context() as broken:
        broken.setattr(decisions.drafts, "save", lambda *_, **__: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            decisions.approve(small, BOSS, ready.id, ready.version)
    assert small.versions() == before
    assert drafts.read(small, PLANNER, ready.id).state == "reviewed"
    with small.read() as connection:
        assert connection.execute(select(schema.lineage)).all() == []
    assert decisions.approve(small, BOSS, ready.id, ready.version).state == "effective"


def test_approval_sent_twice_under_one_key_is_done_once(small):
    ready = reviewed(small, drawn(small, [split(small, grids(small).index[0])]))
    first = decisions.approve(small, BOSS, ready.id, ready.version, key="k1")
    versions = small.versions()
    again = decisions.approve(small, BOSS, ready.id, ready.version, key="k1")
    assert (again.change_id, again.version) == (first.change_id, first.version)
    assert small.versions() == versions


def test_every_step_leaves_its_line_in_the_audit_trail(small):
    draft = approved(small, drawn(small, [split(small, grids(small).index[0])]))
    rows = [row for row in audit.read_audit(small) if row["details"].get("draft") == draft.id]
    assert [(row["action"], row["actor"]) for row in rows[:3]] == [
        ("draft_approve", "boss"), ("draft_review", "other"), ("draft_submit", "planner"),
    ]  # fmt: skip
    assert rows[0]["details"]["rows"]["grid"] >= 2
    assert audit.verify_chain(small) == []


def test_account_without_reach_sees_no_draft_of_others(small):
    draft = drawn(small, [split(small, grids(small).index[0])])
    far = Viewer("far", "planner", ("990101009000",))
    with pytest.raises(Exception, match="no draft"):
        decisions.review(small, far, draft.id, draft.version, verdict="agree")


def test_decision_of_a_past_day_changes_the_days_since(small):
    past = (today() - timedelta(days=30)).isoformat()
    one, two = pair(small)
    count = len(grids(small))
    approved(small, drawn(small, [merge(one, two)], on=past))
    before = (today() - timedelta(days=31)).isoformat()
    assert count_layer(small, "grid", OWNER, as_of=before) == count
    assert count_layer(small, "grid", OWNER, as_of=past) == count - 1
    assert np.isin([one, two], read_layer(small, "grid", OWNER).index).sum() == 0


def test_decision_is_superseded_when_the_last_of_its_rows_has_ended(small):
    one, two = pair(small)
    first = approved(small, drawn(small, [merge(one, two, into=one)]))
    third = next(other for each in neighbours(small) if one in each for other in each if other != one)
    second = approved(small, drawn(small, [merge(one, third)], on=LATER))
    assert [draft.id for draft in drafts.list_drafts(small, OWNER, state="effective")] == [first.id]
    assert [draft.id for draft in drafts.list_drafts(small, OWNER, state="approved")] == [second.id]
    decisions.withdraw(small, BOSS, second.id, second.version)
    approved(small, drawn(small, [merge(one, third)]))
    assert drafts.read(small, OWNER, first.id).state == "superseded"
    assert [draft.id for draft in drafts.list_drafts(small, OWNER, state="superseded")] == [first.id]
