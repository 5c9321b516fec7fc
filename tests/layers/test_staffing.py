"""Head counts recorded per village or grid stay right when a decision ends the code they were recorded for."""

from copy import deepcopy
from datetime import timedelta

import decided
import numpy as np
import pandas as pd
import pytest
from decided import BOSS, OTHER, PLANNER, TOWN, VILLAGES, approved, drawn, grids
from squares import put

from layers.deciding import decisions
from layers.deciding.village_decisions import OFFICES
from layers.figures import rules, staffing
from layers.figures.coverage import coverage
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage.history import today
from layers.storage.rows import close_rows

EAST, MIDDLE, WEST = VILLAGES
COMMUNITY = f"{TOWN[:9]}001"
TODAY = today().isoformat()
YESTERDAY = (today() - timedelta(days=1)).isoformat()
LATER, EVEN_LATER = ((today() + timedelta(days=days)).isoformat() for days in (40, 60))
PEOPLE = "cleaners"


@pytest.fixture
def town(store):
    """Every village and every grid with cleaners of its own; villages have patrol members too."""
    decided.fill(store)
    return recorded(store, {**dict(zip(VILLAGES, (11, 23, 5), strict=True)), **cleaners(store)})


def cleaners(store):
    return {code: 1 + row for row, code in enumerate(sorted(grids(store).index))}


def recorded(store, people, **options):
    codes = list(people)
    put(store, "staffing", decided.frame(
        np.full(len(codes), None), area_code=codes,
        cleaners=pd.array(list(people.values()), dtype="Int64"),
        patrol=pd.array([7 if code in VILLAGES else None for code in codes], dtype="Int64"),
    ), **options)  # fmt: skip
    return store


def counts(store, kind, on=None, name=PEOPLE):
    """What the figures of a day say, by code of the areas of that day."""
    found = staffing.staff(store, kind, on or TODAY).counts[name]
    return found.reindex(read_layer(store, kind, OWNER, as_of=on, geometry=False).index)


def community(store, on=None):
    draft = drawn(store, [{"op": "recode", "grid": MIDDLE}], level="village", parent=TOWN, on=on)
    now = decisions.submit(store, PLANNER, draft.id, draft.version)
    for office in OFFICES:
        now = decisions.review(store, OTHER, now.id, now.version, verdict="agree", role=office)
    return decisions.approve(store, BOSS, now.id, now.version)


def test_community_keeps_the_people_of_its_village_and_of_every_grid(town):
    village, grid = counts(town, "village"), counts(town, "grid")
    by_place = read_layer(town, "grid", OWNER).geometry.representative_point()
    done = community(town, on=LATER)
    assert counts(town, "village").equals(village) and counts(town, "grid").equals(grid)
    after = counts(town, "village", LATER)
    assert after.to_dict() == {EAST: 11, COMMUNITY: 23, WEST: 5}
    assert counts(town, "village", LATER, "patrol").to_dict() == {EAST: 7, COMMUNITY: 7, WEST: 7}
    there = read_layer(town, "grid", OWNER, as_of=LATER)
    followed = counts(town, "grid", LATER)
    assert followed.notna().all() and followed.sum() == grid.sum()
    for code, at in by_place.items():
        (new,) = there.index[there.contains(at)]
        assert followed[new] == grid[code], code
    assert not staffing.staff(town, "grid", LATER).estimated
    decisions.withdraw(town, BOSS, done.id, done.version)
    assert counts(town, "village", LATER).to_dict() == {EAST: 11, MIDDLE: 23, WEST: 5}
    assert counts(town, "grid", LATER).equals(grid)


def test_figures_of_a_rule_do_not_lose_people_with_the_code(town):
    community(town)
    before = coverage(town, OWNER, rule_id="patrol", as_of=YESTERDAY)
    now = coverage(town, OWNER, rule_id="patrol")
    assert set(now.rows["code"]) == {EAST, COMMUNITY, WEST}
    assert now.rows["numerator"].sum() == before.rows["numerator"].sum() == 21
    restated = coverage(town, OWNER, rule_id="patrol", as_of=YESTERDAY, boundaries="today")
    assert restated.rows.set_index("code")["numerator"].to_dict() == {EAST: 7, COMMUNITY: 7, WEST: 7}
    assert coverage(town, OWNER, rule_id="patrol", unit="township").rows["numerator"].tolist() == [21]
    said = [note["zh"] for note in now.provenance["notes"]]
    assert any("已撤销" in note for note in said)
    assert not any("已撤销" in note["zh"] for note in before.provenance["notes"])


def test_split_grid_hands_out_whole_people_and_loses_none(town):
    code = max(counts(town, "grid").items(), key=lambda item: item[1])[0]
    whole = counts(town, "grid")[code]
    approved(town, drawn(town, [decided.split(town, code)], on=LATER))
    after = staffing.staff(town, "grid", LATER)
    parts = sorted(after.estimated)
    assert len(parts) == 2 and code not in after.counts.index
    given = after.counts.loc[parts, PEOPLE]
    assert given.sum() == whole and (given == given.round()).all() and (given > 0).all()
    assert counts(town, "grid", LATER).sum() == counts(town, "grid").sum()
    rows = coverage(
        town, OWNER, rule_id="cleaners", rule_set=with_rule_on_cleaners(town), unit="grid", as_of=LATER
    ).rows.set_index("code")
    assert set(rows.index[rows["estimated"]]) == set(parts)
    assert rows["value"].sum() == counts(town, "grid").sum()


def test_merged_grids_add_their_people_up(town):
    one, other = decided.neighbours(town)[0]
    before = counts(town, "grid")
    approved(town, drawn(town, [decided.merge(one, other, into=one)], on=LATER))
    after = counts(town, "grid", LATER)
    assert after[one] == before[one] + before[other]
    assert after.sum() == before.sum() and not staffing.staff(town, "grid", LATER).estimated


def test_what_is_recorded_since_takes_the_place_of_what_was_handed_on(town):
    one, other = decided.neighbours(town)[0]
    approved(town, drawn(town, [decided.merge(one, other, into=one)], on=LATER))
    again = counts(town, "grid", LATER)[one]
    row = read_layer(town, "staffing", OWNER, where=f"area_code = '{one}'")["fid"].iloc[0]
    # The office reports the merged grid anew: its old row ends on that day.
    with town.change("planner", "edit") as change:
        close_rows(town, change.id, "staffing", [row], EVEN_LATER, within=change)
    recorded(town, {one: 2}, valid_from=EVEN_LATER)
    assert counts(town, "grid", LATER)[one] == again
    assert counts(town, "grid", EVEN_LATER)[one] == 2


def test_people_follow_through_several_decisions(town):
    one, other = decided.neighbours(town)[0]
    total = counts(town, "grid").sum()
    approved(town, drawn(town, [decided.merge(one, other)], on=YESTERDAY))
    (fresh,) = set(counts(town, "grid").index) - set(counts(town, "grid", "2000-01-01").index)
    approved(town, drawn(town, [decided.split(town, fresh)], on=LATER))
    community(town, on=EVEN_LATER)
    for on in (YESTERDAY, TODAY, LATER, EVEN_LATER):
        now = counts(town, "grid", on)
        assert now.notna().all() and now.sum() == total, on


def with_rule_on_cleaners(store):
    """Save a copy of the rule set in which every grid needs a cleaner; its name."""
    body = deepcopy(rules.read_rule_set(store).body)
    one = next(rule for rule in body["rules"] if rule["id"] == "aux_police")
    one |= {"id": "cleaners", "units": ["grid"], "numerator": {"layer": "staffing", "fields": ["cleaners"]}}
    rules.save_rule_set(store, PLANNER, "own", body)
    return "own"
