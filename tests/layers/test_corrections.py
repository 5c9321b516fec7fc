"""Errors of digitising are put right without a decision; what was known before can still be read."""

from datetime import timedelta

import decided
import pytest
import shapely
from decided import BOSS, PLANNER, approved, drawn, grids, merge, neighbours, reviewed, split
from sqlalchemy import select

from geo.errors import ConflictError, InputError
from layers.deciding import decisions
from layers.imports.undoing import undo_change
from layers.rights import OWNER, Viewer
from layers.selection.frames import count_layer, read_layer
from layers.storage import schema
from layers.storage.history import today

PAST = (today() - timedelta(days=60)).isoformat()
LATER = (today() + timedelta(days=40)).isoformat()


@pytest.fixture
def town(store):
    return decided.fill(store)


def nudge(store, one, two, on=None):
    """The operation that gives a bit of `one` to `two`."""
    shapes = grids(store, on).geometry
    middle = shapely.centroid(shapely.intersection(shapes[one], shapes[two]))
    return {"op": "transfer", "from": one, "to": two, "piece": decided.body_of(middle.buffer(30, quad_segs=3))}


def moment_of_last_act(store):
    with store.read() as connection:
        return connection.scalar(select(schema.audit.c.at).order_by(schema.audit.c.id.desc()).limit(1))


def test_correction_changes_every_day_its_rows_were_there_and_no_household(town):
    one, two = neighbours(town)[0]
    before = grids(town)
    draft = approved(town, drawn(town, [nudge(town, one, two)], correction=True))
    assert draft.state == "effective"
    for on in (None, "1999-01-01", LATER):
        now = grids(town, on)
        assert now.geometry[two].area > before.geometry[two].area
        assert shapely.coverage_is_valid(now.geometry.to_numpy())
        assert decided.doubled_area(now.geometry) == decided.doubled_area(before.geometry)
        assert now["households"].equals(before["households"])
    table = schema.ROWS["grid"]
    with town.read() as connection:
        made = connection.execute(
            select(table.c.valid_from, table.c.valid_to).where(table.c.created_by == draft.change_id)
        ).all()
        taken_back = connection.execute(select(table.c.valid_to).where(table.c.retired_by == draft.change_id)).all()
    assert set(made) == {("1900-01-01", None)}
    assert set(taken_back) == {(None,)} and len(taken_back) == len(made)


def test_earlier_report_is_made_again_as_known_then(town):
    one, two = neighbours(town)[0]
    before, known = read_layer(town, "grid", OWNER), moment_of_last_act(town)
    approved(town, drawn(town, [nudge(town, one, two)], correction=True))
    after = read_layer(town, "grid", OWNER)
    then = read_layer(town, "grid", OWNER, known_on=known)
    assert (shapely.to_wkb(then.geometry) == shapely.to_wkb(before.geometry)).all()
    assert not shapely.equals(after.geometry[one], before.geometry[one])
    approved(town, drawn(town, [merge(one, two)]))
    assert count_layer(town, "grid", OWNER, known_on=known) == len(before) == count_layer(town, "grid", OWNER) + 1
    assert count_layer(town, "grid", OWNER, known_on="1999-01-01") == 0


def test_correction_of_rows_with_different_beginnings_holds_while_all_were_there(town):
    one, two = neighbours(town)[0]
    third = next(
        other for pair in neighbours(town) if one in pair and two not in pair for other in pair if other != one
    )
    decision = approved(town, drawn(town, [nudge(town, one, two)], on=PAST))
    first = grids(town, "2000-01-01")
    correction = approved(town, drawn(town, [nudge(town, one, third)], correction=True))
    area = decided.doubled_area(first.geometry)
    for on in ("1999-01-01", (today() - timedelta(days=61)).isoformat(), PAST, None, LATER):
        now = grids(town, on)
        assert shapely.coverage_is_valid(now.geometry.to_numpy()), on
        assert decided.doubled_area(now.geometry) == area, on
    assert shapely.equals(grids(town, "1999-01-01").geometry[third], first.geometry[third])
    assert grids(town, PAST).geometry[third].area > first.geometry[third].area
    assert decision.change_id != correction.change_id


def test_correction_of_an_earlier_day_ends_where_a_later_decision_begins(town):
    one, two = neighbours(town)[0]
    third = next(
        other for pair in neighbours(town) if one in pair and two not in pair for other in pair if other != one
    )
    approved(town, drawn(town, [split(town, two)], on=PAST))
    area = decided.doubled_area(grids(town).geometry)
    now_before = grids(town)
    approved(town, drawn(town, [nudge(town, two, one, "2000-01-01")], on="2000-01-01", correction=True))
    for on in ("1999-01-01", "2000-01-01", (today() - timedelta(days=61)).isoformat(), PAST, None):
        now = grids(town, on)
        assert shapely.coverage_is_valid(now.geometry.to_numpy()), on
        assert decided.doubled_area(now.geometry) == area, on
    assert grids(town, "2000-01-01").geometry[one].area > now_before.geometry[one].area
    assert shapely.equals(grids(town).geometry[one], now_before.geometry[one])
    assert shapely.equals(grids(town).geometry[third], now_before.geometry[third])


def test_correction_may_not_begin_or_end_a_code(gpkg_store):
    town = decided.fill(gpkg_store)
    ready = reviewed(town, drawn(town, [split(town, grids(town).index[0])], correction=True))
    with pytest.raises(InputError):
        decisions.approve(town, BOSS, ready.id, ready.version)


def test_correction_is_not_withdrawn_and_keeps_the_decision_below_it(gpkg_store):
    town = decided.fill(gpkg_store)
    one, two = neighbours(town)[0]
    third = next(
        other for pair in neighbours(town) if one in pair and two not in pair for other in pair if other != one
    )
    decision = approved(town, drawn(town, [split(town, two)], on=LATER))
    correction = approved(town, drawn(town, [nudge(town, two, one)], correction=True))
    for draft in (correction, decision):
        with pytest.raises(ConflictError):
            decisions.withdraw(town, BOSS, draft.id, draft.version)
    assert shapely.coverage_is_valid(grids(town, LATER).geometry.to_numpy())
    assert third in grids(town, LATER).index


def test_grid_manager_corrects_nothing(gpkg_store):
    town = decided.fill(gpkg_store)
    manager = Viewer("manager", "grid_manager", (decided.TOWN,))
    with pytest.raises(Exception, match="may not"):
        drawn(town, [split(town, grids(town).index[0])], viewer=manager, correction=True)


def test_import_is_not_undone_under_a_decision_nor_a_decision_as_an_import(gpkg_store):
    town = decided.fill(gpkg_store)
    with town.read() as connection:
        imported = connection.scalar(select(schema.ROWS["grid"].c.created_by).limit(1))
    decision = approved(town, drawn(town, [split(town, grids(town).index[0])], on=LATER))
    with pytest.raises(ConflictError):
        undo_change(town, imported, "admin")
    with pytest.raises(ConflictError, match="decision"):
        undo_change(town, decision.change_id, "admin")
    back = decisions.withdraw(town, BOSS, decision.id, decision.version)
    assert back.author == PLANNER.name
    assert count_layer(town, "grid", OWNER, as_of=LATER) == 30
    undo_change(town, imported, "admin")
    assert count_layer(town, "grid", OWNER, as_of=LATER) == 0
