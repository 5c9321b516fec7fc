"""Two drafts at once: on disjoint grids they do not disturb each other, on the same ones the second is told."""

import threading
from datetime import timedelta

import decided
import pytest
import shapely
from decided import BOSS, PLANNER, approved, drawn, grids, merge, neighbours, reviewed, split

from geo.errors import ConflictError
from layers.deciding import decisions
from layers.redrawing import drafts, redraw_session
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage import audit
from layers.storage.history import today

LATER = (today() + timedelta(days=40)).isoformat()


def disjoint(store):
    """Operations on two pairs of grids that do not touch."""
    first = neighbours(store)[0]
    shapes = grids(store).geometry
    near = shapely.union_all(shapes[list(first)].to_numpy()).buffer(1)
    second = next(pair for pair in neighbours(store) if not shapes[list(pair)].intersects(near).any())
    return first, second


def bytes_of(store, on=None):
    found = read_layer(store, "grid", OWNER, as_of=on)
    fields = found.drop(columns=["fid", "geometry"]).astype(str).to_dict("index")
    return {code: (fields[code], shapely.to_wkb(found.geometry[code])) for code in found.index}


def test_drafts_on_disjoint_grids_give_the_same_in_either_order(store):
    decided.fill(store)
    one, two = disjoint(store)
    start = bytes_of(store, LATER)
    made = [drawn(store, [split(store, one[0], on=LATER)], on=LATER), drawn(store, [merge(*two)], on=LATER)]
    results = []
    for order in ((0, 1), (1, 0)):
        done = []
        for number in order:
            made[number] = approved(store, made[number])
            done.append(number)
        results.append(bytes_of(store, LATER))
        for number in reversed(done):
            made[number] = decisions.withdraw(store, BOSS, made[number].id, made[number].version)
        assert bytes_of(store, LATER) == start
    assert results[0] == results[1] != start


def touched(store, draft):
    with redraw_session.held(store, draft) as session:
        return session.touched()


def sharing_a_bystander(store):
    """Two grids that do not touch, whose splitting puts a vertex on the border of the same third one, and that one."""
    shapes = grids(store).geometry
    seen: list[tuple[str, set[str]]] = []
    for code in shapes.index:
        draft = drawn(store, [split(store, code)])
        around = touched(store, draft) & set(shapes.index) - {code}
        drafts.discard(store, PLANNER, draft.id, draft.version)
        for other, others in seen:
            if around & others and not shapes[code].dwithin(shapes[other], 1):
                return other, code, min(around & others)
        seen.append((code, around))
    raise AssertionError("no such grids")


@pytest.mark.parametrize("turned", [False, True])
def test_vertex_on_the_border_of_a_neighbour_is_no_conflict(store, turned):
    decided.fill(store)
    *pair, third = sharing_a_bystander(store)
    area = decided.doubled_area(grids(store).geometry)
    order = [*pair, third] if not turned else [third, *reversed(pair)]
    ready = [reviewed(store, drawn(store, [split(store, code)])) for code in order]
    for draft in ready:
        assert decisions.approve(store, BOSS, draft.id, draft.version).state == "effective"
    found = grids(store)
    assert not set(order) & set(found.index)
    assert shapely.coverage_is_valid(found.geometry.to_numpy())
    assert decided.doubled_area(found.geometry) == area


def test_land_that_changed_hands_is_a_conflict(store):
    decided.fill(store)
    one, two = neighbours(store)[0]
    waiting = reviewed(store, drawn(store, [split(store, one)]))
    shapes = grids(store).geometry
    border = shapely.intersection(shapes[one], shapes[two])
    bite = shapely.intersection(shapely.centroid(border).buffer(30), shapes[one])
    assert bite.area < shapes[one].area / 4
    approved(store, drawn(store, [{"op": "transfer", "from": one, "to": two, "piece": decided.body_of(bite)}]))
    with pytest.raises(ConflictError) as caught:
        decisions.approve(store, BOSS, waiting.id, waiting.version)
    assert one in caught.value.where


def test_draft_on_a_grid_that_changed_is_told_what_changed_and_by_whom(store):
    decided.fill(store)
    one, two = neighbours(store)[0]
    loser = reviewed(store, drawn(store, [split(store, one)], title="拆分"))
    approved(store, drawn(store, [merge(one, two, into=two)], title="合并"))
    with pytest.raises(ConflictError) as caught:
        decisions.approve(store, BOSS, loser.id, loser.version)
    assert one in caught.value.what.zh and "boss" in caught.value.what.zh
    assert caught.value.mend.zh
    kept = drafts.read(store, PLANNER, loser.id)
    assert (kept.state, kept.version, kept.operations) == ("reviewed", loser.version, loser.operations)


def test_rebased_draft_keeps_what_can_be_drawn_and_lists_the_rest(store):
    decided.fill(store)
    one, two = disjoint(store)
    draft = drawn(store, [split(store, one[0]), split(store, two[0])])
    waiting = reviewed(store, draft)
    approved(store, drawn(store, [merge(*two, into=two[1])], title="合并"))
    with pytest.raises(ConflictError):
        decisions.approve(store, BOSS, waiting.id, waiting.version)
    rebased = decisions.rebase(store, PLANNER, waiting.id, waiting.version)
    assert rebased.state == "draft"
    assert [operation["grid"] for operation in rebased.operations] == [one[0]]
    assert rebased.operations[0]["codes"] == draft.operations[0]["codes"]
    lost = rebased.lost
    assert [each["operation"]["grid"] for each in lost] == [two[0]]
    assert lost[0]["reason"] in ("unknown_grid", "ended") and lost[0]["what"]["zh"] and lost[0]["mend"]["en"]
    assert [review["verdict"] for review in rebased.reviews] == ["submit", "agree", "rebase"]
    done = approved(store, rebased)
    assert done.state == "effective"
    found = grids(store)
    assert shapely.coverage_is_valid(found.geometry.to_numpy())
    assert set(done.operations[0]["codes"]) <= set(found.index)
    assert audit.verify_chain(store) == []


def test_rebase_without_loss_only_asks_for_a_new_review(gpkg_store):
    store = decided.fill(gpkg_store)
    one, two = neighbours(store)[0]
    waiting = reviewed(store, drawn(store, [split(store, one)]))
    shapes = grids(store).geometry
    border = shapely.intersection(shapes[one], shapes[two])
    piece = decided.body_of(shapely.centroid(border).buffer(20, quad_segs=2))
    approved(store, drawn(store, [{"op": "transfer", "from": one, "to": two, "piece": piece}]))
    with pytest.raises(ConflictError):
        decisions.approve(store, BOSS, waiting.id, waiting.version)
    rebased = decisions.rebase(store, PLANNER, waiting.id, waiting.version)
    assert rebased.state == "proposed" and rebased.lost == ()
    with pytest.raises(ConflictError):
        decisions.approve(store, BOSS, rebased.id, rebased.version)
    agreed = decisions.review(store, decided.OTHER, rebased.id, rebased.version, verdict="agree")
    assert decisions.approve(store, BOSS, agreed.id, agreed.version).state == "effective"


def test_decided_draft_is_not_rebased(gpkg_store):
    store = decided.fill(gpkg_store)
    done = approved(store, drawn(store, [split(store, grids(store).index[0])]))
    with pytest.raises(ConflictError):
        decisions.rebase(store, PLANNER, done.id, done.version)
    with pytest.raises(ConflictError, match="boss"):
        decisions.rebase(store, PLANNER, done.id, done.version - 1)


def test_of_many_decided_at_the_same_moment_none_is_lost_and_none_overlaps(store):
    decided.fill(store)
    shapes = grids(store).geometry
    apart: list[str] = []
    for code in shapes.index:
        if not any(shapes[code].dwithin(shapes[other], 1) for other in apart):
            apart.append(code)
    wanted = [apart[0]] * 3 + apart[1:4]
    angles = [0.0, 0.7, 1.4, 0.0, 0.0, 0.0]
    ready = [
        reviewed(store, drawn(store, [split(store, code, angle=angle)]))
        for code, angle in zip(wanted, angles, strict=True)
    ]
    area, gate = decided.doubled_area(shapes), threading.Barrier(len(ready))
    answers: list[str] = []

    def decide(draft):
        gate.wait()
        try:
            answers.append(decisions.approve(store, BOSS, draft.id, draft.version).state)
        except ConflictError:
            answers.append("conflict")

    threads = [threading.Thread(target=decide, args=(draft,)) for draft in ready]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["conflict"] * 2 + ["effective"] * 4
    found = grids(store)
    assert len(found) == len(shapes) + 4
    assert shapely.coverage_is_valid(found.geometry.to_numpy())
    assert decided.doubled_area(found.geometry) == area
    assert audit.verify_chain(store) == []
