"""Where areas came from and what became of them, with shares of land and of households."""

from datetime import timedelta

import decided
import pytest
from decided import BOSS, TOWN, approved, drawn, grids, merge, neighbours, split
from sqlalchemy import func, select

from geo.errors import NotFoundError
from layers.deciding import decisions
from layers.places import lineage
from layers.rights import OWNER, Viewer
from layers.selection.frames import scope
from layers.storage import schema
from layers.storage.history import today

LATER = (today() + timedelta(days=40)).isoformat()
LATEST = (today() + timedelta(days=90)).isoformat()


@pytest.fixture
def town(store):
    return decided.fill(store)


@pytest.fixture
def small(gpkg_store):
    return decided.fill(gpkg_store)


def test_split_is_told_from_both_sides_with_shares_that_add_up(town):
    code = grids(town).index[0]
    before = grids(town)
    draft = approved(town, drawn(town, [split(town, code)], on=LATER))
    after = grids(town, LATER)
    halves = draft.operations[0]["codes"]
    links = lineage.successors(town, "grid", code)
    assert sorted(link.new_code for link in links) == sorted(halves)
    assert {(link.kind, link.on, link.change_id) for link in links} == {("split", LATER, draft.change_id)}
    assert sum(link.share_of_area for link in links) == pytest.approx(1, abs=1e-12)
    assert sum(link.share_of_households for link in links) == pytest.approx(1, abs=1e-12)
    for link in links:
        area = after.geometry[link.new_code].area / before.geometry[code].area
        assert link.share_of_area == pytest.approx(area, abs=1e-5)  # a neighbour may have got a sliver of a centimetre
        counted = after.loc[link.new_code, "households"] / before.loc[code, "households"]
        assert link.share_of_households == pytest.approx(counted, abs=1e-12)
        (back,) = lineage.predecessors(town, "grid", link.new_code)
        assert back == link
    assert lineage.successors(town, "grid", halves[0]) == []
    assert lineage.predecessors(town, "grid", code) == []


def test_merge_carve_and_dissolve_are_told_apart(small):
    one, two = neighbours(small)[0]
    rest = [code for code in grids(small).index if code not in (one, two)]
    ring = decided.body_of(grids(small).geometry[rest[-1]].representative_point().buffer(60, quad_segs=2))
    operations = [merge(one, two), {"op": "carve", "ring": ring, "name": "医院", "kind": "dedicated"}]
    draft = approved(small, drawn(small, operations))
    (together,), (hospital,) = (operation["codes"] for operation in draft.operations)
    assert [(link.old_code, link.kind) for link in lineage.predecessors(small, "grid", together)] == [
        (code, "merge") for code in sorted([one, two], key=lambda code: code)
    ]
    (link,) = lineage.predecessors(small, "grid", hospital)
    assert link.kind == "carve" and 0 < link.share_of_area < 1
    assert lineage.successors(small, "grid", link.old_code) == []
    shares = [
        each.share_of_area for each in lineage.links(small, "grid", link.old_code) if each.old_code == link.old_code
    ]
    assert sum(shares) == pytest.approx(1, abs=1e-12) and len(shares) == 2
    gone = next(code for code in grids(small).index if code in [pair[0] for pair in neighbours(small)])
    dissolved = approved(small, drawn(small, [{"op": "dissolve", "grid": gone}]))
    (heir,) = lineage.successors(small, "grid", gone)
    assert heir.kind == "merge" and heir.share_of_area == 1.0 and heir.change_id == dissolved.change_id


def test_withdrawn_decision_leaves_no_lineage_behind(town):
    code = grids(town).index[0]
    draft = approved(town, drawn(town, [split(town, code)], on=LATER))
    assert lineage.successors(town, "grid", code)
    decisions.withdraw(town, BOSS, draft.id, draft.version)
    assert lineage.successors(town, "grid", code) == []
    with town.read() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.lineage)) > 0


def test_history_of_a_code_names_its_decisions_to_who_may_see_it(town):
    one, two = neighbours(town)[0]
    first = approved(
        town, drawn(town, [merge(one, two, into=one)], title="一次合并", decision_number="望政发〔2026〕7号")
    )
    approved(town, drawn(town, [split(town, one, on=LATER)], on=LATER, title="再拆分"))
    told = lineage.code_history(town, OWNER, "grid", one, "zh")
    spans = [(row["valid_from"], row["valid_to"], row["retired_at"]) for row in told["versions"]]
    assert spans == [("1900-01-01", today().isoformat(), None), (today().isoformat(), LATER, None)]
    made, ended = told["versions"][1]["made_by"], told["versions"][1]["ended_by"]
    assert (made["title"], made["decision_number"], made["draft"], made["actor"]) == (
        "一次合并", "望政发〔2026〕7号", first.id, "boss",
    )  # fmt: skip
    assert ended["title"] == "再拆分"
    assert told["versions"][0]["made_by"]["action"] == "import"
    assert len(told["successors"]) == 2 and told["successors"][0]["kind_label"] == "拆分"
    inside = lineage.code_history(town, Viewer("m", "grid_manager", (TOWN,)), "grid", one, "en")
    assert len(inside["versions"]) == 2
    for kind, code, viewer in (
        ("grid", one, Viewer("m", "grid_manager", ("990101009000",))), ("grid", "990101001201777", OWNER), ("camera", one, OWNER),
    ):  # fmt: skip
        with pytest.raises(NotFoundError):
            lineage.code_history(town, viewer, kind, code, "en")


def test_days_of_change_carry_the_titles_of_their_decisions(small):
    approved(small, drawn(small, [split(small, grids(small).index[0])], title="今日拆分"))
    future = approved(small, drawn(small, [split(small, grids(small).index[5])], on=LATER, title="日后拆分"))
    days = lineage.change_days(small, OWNER)
    assert [(each["on"], each["future"], [one["title"] for one in each["decisions"]]) for each in days] == [
        (today().isoformat(), False, ["今日拆分"]), (LATER, True, ["日后拆分"]),
    ]  # fmt: skip
    assert all(each["kinds"] == ["grid"] for each in days)
    stranger = lineage.change_days(small, Viewer("m", "planner", ("990101009000",)))
    assert [each["decisions"] for each in stranger] == [[], []]
    decisions.withdraw(small, BOSS, future.id, future.version)
    assert [each["on"] for each in lineage.change_days(small, OWNER)] == [today().isoformat()]


def test_account_keeps_its_land_under_new_codes_and_gets_no_more(small):
    code = grids(small).index[0]
    one, two = next(pair for pair in neighbours(small) if code not in pair)
    viewer = Viewer("m", "grid_manager", (code, one))
    draft = approved(small, drawn(small, [split(small, code), merge(one, two), split_of_last(small, code)], on=LATER))
    halves, (together,), quarters = (operation["codes"] for operation in draft.operations)
    later = scope(small, viewer, LATER).grid_codes
    assert later == {halves[1], *quarters}  # not the merged one: half of its land was never this account's
    assert together not in later
    assert scope(small, viewer).grid_codes == {code, one}
    decisions.withdraw(small, BOSS, draft.id, draft.version)
    assert scope(small, viewer, LATER).grid_codes == {code, one}


def split_of_last(store, code):
    """The first half of a grid is split again, across."""
    half = f"{code[:12]}{1 + int(grids(store).index[grids(store)['village_code'] == code[:12]].max()[12:]):03d}"
    shape = grids(store).geometry[code]
    return {"op": "split", "grid": half, "line": decided.across(shape, angle=1.57)}
