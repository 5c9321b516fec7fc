"""The land of a draft at work: where it starts, forward and back to the last bit, and when what lies below changes."""

import json

import numpy as np
import pytest
import shapely
from gridded import (
    CARVE,
    MERGE,
    PUSH,
    SPLIT,
    TRANSFER,
    ZONE,
    A,
    B,
    C,
    D,
    E,
    F,
    box,
    dense,
    grids,
    line,
    snapped,
)
from squares import COUNTY, NORTH, SOUTH, V1, V2, V3, frame, put, square

from geo import crs
from geo.errors import ConflictError
from geo.refusals import RefusedError
from layers.imports.undoing import undo_change
from layers.redrawing import draft_operations, drafts, redraw_session
from layers.redrawing.draft import Draft
from layers.redrawing.redraw_base import BaseChangedError
from layers.redrawing.redraw_figures import features
from layers.redrawing.redraw_ground import WHOLE, context, ground, to_lonlat
from layers.rights import OWNER, Viewer
from layers.storage import rows
from layers.storage.history import clock
from layers.storage.store import Store

PLANNER = Viewer("li", "planner")
DAY = "2026-11-01"


@pytest.fixture
def drawn(gridded_store: Store) -> Store:
    """Six grids in two villages."""
    return gridded_store


def begun(store: Store, parent: str | None = V1, **fields: object) -> Draft:
    """A draft."""
    return drafts.create(store, PLANNER, title="x", parent_code=parent, effective_from=DAY, **fields)


def bytes_of(session: redraw_session.Session) -> dict[str, bytes]:
    """Every area to the last bit."""
    return {code: shapely.to_wkb(session.shape(code)) for code in session.codes()}


def test_a_township_is_as_many_lands_as_it_has_villages(drawn: Store) -> None:
    with redraw_session.held(drawn, begun(drawn, SOUTH)) as session:
        assert set(session.partitions) == {V1, V2}
        assert session.codes() == [A, B, C, D, E, F]
        assert session.group(E) == V2
        assert session.crs.to_epsg() == ZONE
        assert (session.ground.snapped.grids, session.ground.snapped.max_m) == (0, 0.0)
        assert session.is_valid()
        assert [finding.kind for finding in session.problems] == []
        for operation in (
            {"op": "transfer", "from": B, "to": E, "piece": box(0.9, 0.2, 0.1, 0.2)},
            {"op": "merge", "grids": [B, E]},
        ):
            with pytest.raises(RefusedError) as refused:
                session.perform(operation)
            assert refused.value.reason == "outside_parent"
        assert session.perform({"op": "carve", "ring": box(1.4, 0.4, 0.2, 0.2)}).group == V2
        assert session.perform(SPLIT).group == V1
        with pytest.raises(RefusedError) as refused:
            session.perform(SPLIT)
        assert refused.value.reason == "ended"
        with pytest.raises(RefusedError) as refused:
            session.perform({**SPLIT, "grid": f"{V3}001"})
        assert refused.value.reason == "unknown_grid"


def test_taking_back_every_operation_gives_back_every_byte(drawn: Store) -> None:
    draft = begun(drawn)
    with redraw_session.held(drawn, draft) as session:
        seen = [bytes_of(session)]
        for operation in (PUSH, TRANSFER, MERGE, CARVE, {**SPLIT, "line": line((0.2, -0.01), (0.2, 0.51))}):
            session.perform(operation)
            assert session.is_valid()
            assert session.area_change_of(session.steps) == 0
            seen.append(bytes_of(session))
        assert len({json.dumps({code: wkb.hex() for code, wkb in each.items()}) for each in seen}) == 6
        stored = [step.operation for step in session.steps]
        for count in range(5, -1, -1):
            session.rewind(count)
            assert bytes_of(session) == seen[count]
        # A process that knows nothing comes to the same.
        cold = redraw_session.begin(drawn, draft.id, session.ground)
    for count in (3, 5, 1, 4):
        cold.follow(json.loads(json.dumps(stored[:count])))
        assert bytes_of(cold) == seen[count]


def test_lonlat_with_nine_decimals_is_the_same_centimetre(drawn: Store) -> None:
    stored = grids().set_index("grid_code").geometry
    with redraw_session.held(drawn, begun(drawn)) as session:
        for operation in (PUSH, CARVE, SPLIT):
            session.perform(operation)
        for feature in features(session, OWNER):
            code = feature["id"]
            sent = shapely.geometry.shape(json.loads(json.dumps(feature["geometry"])))
            back = crs.round_centimetre(crs.transform_geometries([sent], crs.LONLAT, session.crs))[0]
            assert shapely.equals_identical(back, session.shape(code))
            numbers = shapely.get_coordinates(sent)
            assert (np.round(numbers, 9) == numbers).all()
            if not feature["properties"]["changed"]:
                assert shapely.equals_identical(sent, stored[code])


def test_the_ground_of_another_draft_is_nobody_elses_business(drawn: Store) -> None:
    first, second = begun(drawn, V1), begun(drawn, V2)
    with redraw_session.held(drawn, first) as session:
        before = bytes_of(session)
    draft_operations.apply(
        drawn, PLANNER, second.id, 1, [{"op": "split", "grid": E, "line": line((0.99, 0.5), (1.51, 0.5))}]
    )
    assert drafts.read(drawn, PLANNER, first.id) == first
    with redraw_session.held(drawn, first) as session:
        assert bytes_of(session) == before


def test_what_lies_below_may_change_where_nothing_was_drawn(drawn: Store) -> None:
    draft = begun(drawn, SOUTH)
    draft_operations.apply(drawn, PLANNER, draft.id, 1, [SPLIT])
    moved = grids().set_index("grid_code").loc[[E, F]].reset_index()
    halves = snapped([square(1, 0, 0.4, 1), square(1.4, 0, 0.6, 1)])
    _replace(drawn, moved.set_geometry(list(halves), crs=4490))
    with redraw_session.held(drawn, drafts.read(drawn, PLANNER, draft.id)) as session:
        assert session.group(A) is None
        lonlat = to_lonlat([session.shape(E)], session.crs)[0]
        assert shapely.equals_identical(lonlat, halves[0])


def test_a_changed_area_below_is_a_conflict_that_tells_who_and_when(drawn: Store) -> None:
    draft = begun(drawn)
    saved = draft_operations.apply(drawn, PLANNER, draft.id, 1, [SPLIT])
    other = grids().set_index("grid_code").loc[[A, B]].reset_index()
    change = _replace(
        drawn, other.set_geometry(list(snapped([square(0, 0, 0.4, 0.5), square(0.4, 0, 0.6, 0.5)])), crs=4490)
    )
    for act in (
        lambda: redraw_session.session(drawn, PLANNER, drafts.read(drawn, PLANNER, draft.id)),
        lambda: draft_operations.apply(drawn, PLANNER, draft.id, saved.version, [MERGE]),
        lambda: draft_operations.undo(drawn, PLANNER, draft.id, saved.version),
    ):
        with pytest.raises(BaseChangedError) as told:
            act()
        assert isinstance(told.value, ConflictError)
        found = {each.code: each for each in told.value.changed}
        assert A in found
        assert (found[A].what, found[A].by, found[A].change_id) == ("border", "zhao", change)
        assert "zhao" in told.value.what.en
        assert clock(found[A].at) in told.value.what.zh
    # What lies below as it was again, the draft is as it was.
    undo_change(drawn, change, "zhao")
    with redraw_session.held(drawn, drafts.read(drawn, PLANNER, draft.id)) as session:
        assert session.group(A) is None


def test_an_area_that_is_gone_is_named(drawn: Store) -> None:
    draft = begun(drawn)
    draft_operations.apply(drawn, PLANNER, draft.id, 1, [SPLIT])
    with drawn.change("zhao", "correction") as change:
        rows.retire_rows(drawn, change.id, "grid", _fids(drawn, [A]), within=change)
    with pytest.raises(BaseChangedError) as told:
        redraw_session.session(drawn, PLANNER, drafts.read(drawn, PLANNER, draft.id))
    assert [(each.code, each.what, each.by) for each in told.value.changed] == [(A, "gone", "zhao")]


def test_the_boundaries_are_those_of_the_day_of_the_draft(drawn: Store) -> None:
    with drawn.change("li", "decision") as change:
        rows.close_rows(drawn, change.id, "grid", _fids(drawn, [C, D]), "2026-12-01", within=change)
    assert len(ground(drawn, "grid", "village", V1, "2026-11-30").shapes) == 4
    assert len(ground(drawn, "grid", "village", V1, "2026-12-01").shapes) == 2


def test_overlapping_grids_are_told_and_only_their_village_cannot_be_drawn(drawn: Store) -> None:
    over = grids().set_index("grid_code").loc[[B]].reset_index()
    _replace(drawn, over.set_geometry(list(snapped([square(0.45, 0, 0.55, 0.5)])), crs=4490))
    with redraw_session.held(drawn, begun(drawn, SOUTH)) as session:
        with pytest.raises(RefusedError) as refused:
            session.perform(MERGE)
        assert refused.value.reason == "not_a_coverage"
        assert {finding.kind for finding in session.problems} == {"not_a_coverage"}
        assert all(111.0 < finding.lon < 111.1 for finding in session.problems)
        listed = {feature["id"]: feature["properties"] for feature in features(session, OWNER)}
        assert [code for code in listed if listed[code]["editable"]] == [E, F]
        session.perform({"op": "merge", "grids": [E, F]})


def test_a_code_in_two_rows_is_told_and_stops_drawing(drawn: Store) -> None:
    put(drawn, "grid", grids().iloc[[0]])
    with redraw_session.held(drawn, begun(drawn)) as session:
        assert {finding.kind for finding in session.problems} >= {"duplicate_code"}
        with pytest.raises(RefusedError):
            session.perform(MERGE)


def test_grids_that_do_not_fill_their_village_are_told_with_places(drawn: Store) -> None:
    part = grids().set_index("grid_code").loc[[E, F]].reset_index()
    _replace(drawn, part.set_geometry(list(snapped([square(1, 0, 0.5, 0.9), square(1.5, 0, 0.6, 1)])), crs=4490))
    with redraw_session.held(drawn, begun(drawn, V2)) as session:
        found = {finding.kind: finding for finding in session.problems}
        assert set(found) == {"gap", "outside_parent"}
        assert (found["gap"].code, found["outside_parent"].code) == (V2, F)
        assert 30.09 < found["gap"].lat < 30.1
        assert all(finding.severity == "warning" for finding in session.problems)
        # Told, not mended: the grids' own outer border holds.
        assert session.perform({"op": "merge", "grids": [E, F], "into": E}).group == V2


def test_grids_around_the_land_are_known(drawn: Store) -> None:
    land = ground(drawn, "grid", "village", V1, DAY)
    assert context(drawn, land).index.tolist() == [E]
    assert context(drawn, ground(drawn, "grid", "township", SOUTH, DAY)).index.tolist() == []


def test_grids_that_name_no_village_belong_where_their_code_says(drawn: Store) -> None:
    _replace(drawn, grids().iloc[[0]].assign(village_code=None))
    assert sorted(ground(drawn, "grid", "village", V1, DAY).shapes) == [A, B, C, D]


def test_without_villages_all_grids_are_one_land(store: Store) -> None:
    shapes = list(dense([square(x, 0) for x in range(3)]))
    put(store, "grid", frame(shapes, grid_code=["a", "b", "c"]))
    draft = drafts.create(store, OWNER, title="x")
    with redraw_session.held(store, draft) as session:
        assert set(session.partitions) == {WHOLE}
        assert session.ground.snapped.grids == 3
        assert 0.001 < session.ground.snapped.max_m < 0.0071
        assert session.problems == []
        outline = session.partition().outline
        session.perform({"op": "split", "grid": "a", "line": line((0.5, -0.1), (0.5, 1.1))})
        assert shapely.equals_exact(session.partition().outline, outline)
        assert session.is_valid()


def test_villages_are_redrawn_one_level_up(drawn: Store) -> None:
    draft = begun(drawn, COUNTY, level="village")
    with redraw_session.held(drawn, draft) as session:
        assert len(session.codes()) == 6
        step = session.perform({"op": "merge", "grids": [V1, V2]})
        assert step.began == (f"{SOUTH[:9]}204",)
        assert session.given() == {f"{SOUTH[:9]}204": {}}
    with redraw_session.held(drawn, begun(drawn, NORTH, level="village")) as session:
        assert len(session.codes()) == 3


def _fids(store: Store, codes: list[str]) -> list[int]:
    from layers.selection.frames import read_layer

    frame = read_layer(store, "grid", OWNER, as_of=DAY, columns=[], geometry=False)
    return frame.loc[codes, "fid"].tolist()


def _replace(store: Store, new: object) -> int:
    """Somebody corrects grids: rows taken back and written anew, in one change."""
    with store.change("zhao", "correction") as change:
        rows.retire_rows(store, change.id, "grid", _fids(store, new["grid_code"].tolist()), within=change)
        rows.insert_in(change, "grid", new)
    return change.id


def test_drafts_of_one_village_share_no_shape(drawn: Store) -> None:
    """A shape that is prepared for one thread must not be asked by another: the process would end."""
    first, second = (redraw_session.session(drawn, PLANNER, begun(drawn)) for _ in range(2))
    assert first.source is second.source
    for code in (A, B, C, D):
        shapes = [first.shape(code), second.shape(code), first.source.shapes[code]]
        assert len({id(shape) for shape in shapes}) == 3
        assert first.ground.mark(code) == second.ground.mark(code) == first.source.mark(code)
