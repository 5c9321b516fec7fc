"""Drawing in a draft: looking writes nothing, saving is one act, figures follow, and nobody overwrites anybody."""

import json
import threading

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from gridded import CARVE, HOUSEHOLDS, MERGE, PUSH, SPLIT, TRANSFER, A, B, C, D, E, F, box, grids, line
from sqlalchemy import func, select
from squares import SOUTH, V1, V2, at, frame, put

from geo.errors import ConflictError, InputError, NotFoundError, RightsError
from layers.figures.coverage import coverage
from layers.redrawing import draft_operations, draft_rights, drafts, redraw_figures, redraw_session
from layers.redrawing.draft import Draft
from layers.redrawing.draft_answers import Answer
from layers.redrawing.draft_operations import apply, redo, undo
from layers.redrawing.redraw_ground import to_lonlat
from layers.rights import OWNER, Viewer
from layers.storage import audit, rows, schema
from layers.storage.history import today
from layers.storage.store import Store

PLANNER = Viewer("li", "planner")
MANAGER = Viewer("wang", "grid_manager", (V1,))
HEAD = Viewer("head", "viewer")
NEW, NEXT = f"{V1}005", f"{V1}006"


@pytest.fixture
def drawn(gridded_store: Store) -> Store:
    """Six grids in two villages."""
    return gridded_store


def begun(store: Store, parent: str = V1, viewer: Viewer = PLANNER) -> Draft:
    """A draft."""
    return drafts.create(store, viewer, title="x", parent_code=parent)


def moves(answer: Answer, *names: str) -> list[tuple]:
    """Where land went, with figures."""
    rows = [row for result in answer.results for row in result.get("changes", ())]
    return [tuple(row[name] for name in ("from", "to", *names)) for row in rows]


def counts(store: Store) -> tuple[int, ...]:
    """Rows of every table a draft could write to."""
    tables = (schema.change, schema.audit, schema.draft, schema.lineage, schema.ROWS["grid"])
    with store.read() as connection:
        return tuple(connection.scalar(select(func.count()).select_from(table)) for table in tables)


def test_a_look_says_what_would_happen_and_writes_nothing(drawn: Store) -> None:
    draft, before = begun(drawn), None
    before = counts(drawn), drawn.versions()
    look = apply(drawn, PLANNER, draft.id, 1, [SPLIT, MERGE], preview=True, key="look-key-1")
    assert (counts(drawn), drawn.versions()) == before
    assert drafts.read(drawn, PLANNER, draft.id) == draft
    assert (look.version, look.valid, look.area_change_m2, set(look.ended)) == (1, True, 0.0, {A, D})
    with redraw_session.held(drawn, draft) as session:
        assert session.codes() == [A, B, C, D]
    done = apply(drawn, PLANNER, draft.id, 1, [SPLIT, MERGE], key="look-key-1")
    assert done.version == 2
    assert moves(done, "area_m2", "households") == moves(look, "area_m2", "households")


def test_what_was_done_is_saved_with_codes_marks_and_audit(drawn: Store) -> None:
    draft = begun(drawn, viewer=MANAGER)
    answer = apply(drawn, PLANNER, draft.id, 1, [SPLIT])
    now = drafts.read(drawn, PLANNER, draft.id)
    assert (now.version, now.updated_by, now.editors) == (2, "li", ("wang", "li"))
    assert now.operations == ({**SPLIT, "codes": [NEW, NEXT]},)
    assert now.codes == (NEW, NEXT)
    assert set(now.base) >= {A}
    assert answer.results[0]["codes"] == [NEW, NEXT]
    newest = audit.read_audit(drawn)[0]
    assert (newest["action"], newest["actor"], newest["details"]["draft"]) == ("draft_apply", "li", draft.id)
    assert [(move["from"], move["to"]) for move in newest["details"]["moves"]] == [(A, NEW), (A, NEXT)]
    assert drawn.versions(["grid"]) == {"grid": 1}
    assert audit.verify_chain(drawn) == []


def test_the_answer_is_in_the_words_of_the_reader_and_plain_json(drawn: Store) -> None:
    draft = begun(drawn)
    answer = apply(drawn, PLANNER, draft.id, 1, [{**SPLIT, "grid": "nothing"}, CARVE], preview=True)
    zh, en = (json.loads(json.dumps(answer.as_dict(language))) for language in ("zh", "en"))
    refused, done = en["results"]
    assert (refused["ok"], refused["reason"], refused["codes"]) == (False, "unknown_grid", ["nothing"])
    assert "没有网格" in zh["results"][0]["what"]
    assert refused["what"] == "There is no grid nothing."
    assert done["ok"]
    assert {row["from"] for row in done["changes"]} == {A, B, C, D}
    assert {row["piece"]["type"] for row in done["changes"]} == {"Polygon"}
    school = next(area for area in en["areas"]["features"] if area["id"] == f"{V1}900")
    assert (school["properties"]["name"], school["properties"]["kind"]) == ("县一中", "dedicated")
    assert (school["properties"]["parent_code"], school["properties"]["changed"]) == (V1, True)
    assert [each["text"] for each in school["properties"]["breaks"]][-1] == "no worker"


def test_a_refused_operation_shows_the_place_and_the_others_stay(drawn: Store) -> None:
    draft = begun(drawn)
    swallow = {"op": "redraw", "grid": A, "ring": box(-0.1, -0.1, 1.15, 0.61)}
    answer = apply(drawn, PLANNER, draft.id, 1, [SPLIT, {"op": "corner"}, swallow, MERGE])
    assert [result["ok"] for result in answer.results] == [True, False, False, True]
    assert [each.get("reason") for each in answer.results] == [None, "malformed", "ended", None]
    assert len(drafts.read(drawn, PLANNER, draft.id).operations) == 2
    nothing = apply(drawn, PLANNER, draft.id, 2, [swallow])
    assert (nothing.version, nothing.areas) == (2, [])
    other = apply(drawn, PLANNER, begun(drawn).id, 1, [swallow])
    assert other.results[0]["reason"] == "swallowed"
    assert shapely.geometry.shape(other.results[0]["piece"]).intersects(at(0.75, 0.25))


def test_steps_go_back_and_forward_until_something_else_is_drawn(drawn: Store) -> None:
    draft = begun(drawn)
    apply(drawn, PLANNER, draft.id, 1, [SPLIT, PUSH := {**TRANSFER, "to": NEXT}])
    back = undo(drawn, PLANNER, draft.id, 2)
    assert moves(back) == [(NEXT, B)]
    assert (back.version, back.area_change_m2, back.valid) == (3, 0.0, True)
    undo(drawn, PLANNER, draft.id, 3)
    now = drafts.read(drawn, PLANNER, draft.id)
    assert (now.operations, [each["op"] for each in now.redone], now.base) == ((), ["transfer", "split"], {})
    with pytest.raises(ConflictError):
        undo(drawn, PLANNER, draft.id, 4)
    redo(drawn, PLANNER, draft.id, 4)
    again = redo(drawn, PLANNER, draft.id, 5)
    assert moves(again) == [(B, NEXT)]
    assert drafts.read(drawn, PLANNER, draft.id).operations[0]["codes"] == [NEW, NEXT]
    assert PUSH["op"] == "transfer"
    undo(drawn, PLANNER, draft.id, 6)
    apply(drawn, PLANNER, draft.id, 7, [MERGE])
    with pytest.raises(ConflictError):
        redo(drawn, PLANNER, draft.id, 8)


def test_undo_gives_back_every_byte_in_this_process_and_in_another(drawn: Store) -> None:
    draft = begun(drawn)
    version = 1

    def bytes_now() -> dict[str, bytes]:
        with redraw_session.held(drawn, drafts.read(drawn, PLANNER, draft.id)) as session:
            return {code: shapely.to_wkb(session.shape(code)) for code in session.codes()}

    seen = [bytes_now()]
    for operation in (PUSH, TRANSFER, MERGE, CARVE):
        version = apply(drawn, PLANNER, draft.id, version, [operation]).version
        seen.append(bytes_now())
    for count in (3, 2, 1, 0):
        if count % 2:
            redraw_session.forget(drawn, draft.id)
        version = undo(drawn, PLANNER, draft.id, version).version
        assert bytes_now() == seen[count]


def test_a_locked_area_is_neither_changed_nor_given_back(drawn: Store) -> None:
    draft = begun(drawn)
    drafts.edit(drawn, PLANNER, draft.id, 1, locked=[B])
    refused = apply(drawn, PLANNER, draft.id, 2, [TRANSFER, MERGE])
    assert [each.get("reason") for each in refused.results] == ["locked", None]
    locked = [area["properties"]["locked"] for area in refused.areas]
    assert (refused.version, any(locked)) == (3, False)
    drafts.edit(drawn, PLANNER, draft.id, 3, locked=[C])
    kept = undo(drawn, PLANNER, draft.id, 4)
    assert (kept.results[0]["reason"], kept.version) == ("locked", 4)
    drafts.edit(drawn, PLANNER, draft.id, 4, locked=[])
    assert undo(drawn, PLANNER, draft.id, 5).results[0]["ok"]


def test_the_second_of_two_browsers_is_told_and_nothing_is_lost(drawn: Store) -> None:
    draft = begun(drawn)
    apply(drawn, OWNER, draft.id, 1, [SPLIT])
    for act in (
        lambda: apply(drawn, PLANNER, draft.id, 1, [MERGE]),
        lambda: apply(drawn, PLANNER, draft.id, 1, [MERGE], preview=True),
        lambda: undo(drawn, PLANNER, draft.id, 1),
    ):
        with pytest.raises(ConflictError) as told:
            act()
        assert "owner" in told.value.what.zh
    assert [each["op"] for each in drafts.read(drawn, PLANNER, draft.id).operations] == ["split"]


def test_an_act_sent_twice_is_done_once(drawn: Store) -> None:
    draft = begun(drawn)
    first, second = (apply(drawn, PLANNER, draft.id, 1, [SPLIT], key="sent-twice-1") for _ in range(2))
    assert json.dumps(first.as_dict("zh")) == json.dumps(second.as_dict("zh"))
    back = [undo(drawn, PLANNER, draft.id, 2, key="sent-twice-2") for _ in range(2)]
    assert [each.version for each in back] == [3, 3]
    with pytest.raises(ConflictError):
        apply(drawn, PLANNER, begun(drawn).id, 1, [SPLIT], key="sent-twice-1")


def test_many_who_draw_at_once_lose_nothing(drawn: Store) -> None:
    shared, own = begun(drawn), [begun(drawn, V2) for _ in range(3)]
    outcomes: list[str] = []

    def draw(draft: Draft, operation: dict) -> None:
        for _ in range(4):
            try:
                version = drafts.read(drawn, PLANNER, draft.id).version
                answer = apply(drawn, PLANNER, draft.id, version, [operation])
                outcomes.append("done" if answer.results[0]["ok"] else "refused")
            except ConflictError:
                outcomes.append("conflict")

    cut = {"op": "split", "grid": E, "line": line((0.99, 0.5), (1.51, 0.5))}
    threads = [threading.Thread(target=draw, args=(shared, each)) for each in (SPLIT, MERGE, CARVE, PUSH)]
    threads += [threading.Thread(target=draw, args=(draft, cut)) for draft in own]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 28
    found = [drafts.read(drawn, PLANNER, draft.id) for draft in (shared, *own)]
    saved = sum(len(draft.operations) for draft in found)
    assert saved == outcomes.count("done") == sum(draft.version - 1 for draft in found)
    # No code was given by two drafts.
    given = [code for draft in found for code in draft.codes]
    assert len(given) == len(set(given))
    for draft in found:
        with redraw_session.held(drawn, draft) as session:
            assert session.is_valid()


def test_two_drafts_of_a_village_give_different_codes_and_a_discarded_one_none(drawn: Store) -> None:
    first, second, third = (begun(drawn) for _ in range(3))
    assert apply(drawn, PLANNER, first.id, 1, [SPLIT]).results[0]["codes"] == [NEW, NEXT]
    assert apply(drawn, PLANNER, second.id, 1, [SPLIT]).results[0]["codes"] == [f"{V1}007", f"{V1}008"]
    undo(drawn, PLANNER, first.id, 2)
    taken = {**SPLIT, "codes": [NEW, NEXT]}
    assert apply(drawn, PLANNER, third.id, 1, [taken]).results[0]["reason"] == "malformed"  # may still be done again
    drafts.discard(drawn, PLANNER, first.id, 3)
    assert apply(drawn, PLANNER, third.id, 1, [taken]).results[0]["codes"] == [NEW, NEXT]
    used = {"op": "merge", "grids": [C, D], "into": A}
    assert not apply(drawn, PLANNER, third.id, 2, [used]).results[0]["ok"]


def test_households_follow_the_land_and_their_sum_stays(drawn: Store) -> None:
    draft = begun(drawn)
    split = apply(drawn, PLANNER, draft.id, 1, [SPLIT])
    halves = {area["id"]: area["properties"] for area in split.areas if area["id"] in (NEW, NEXT)}
    assert [halves[code]["households"] for code in (NEW, NEXT)] == [50, 50]
    assert all(half["households_estimated"] for half in halves.values())
    assert moves(split, "households", "households_estimated") == [(A, NEW, 50, True), (A, NEXT, 50, True)]
    assert sum(half["population"] for half in halves.values()) == 300
    moved = apply(drawn, PLANNER, draft.id, 2, [{**TRANSFER, "to": NEXT}])
    figures = {area["id"]: area["properties"] for area in moved.areas}
    assert figures[NEXT]["households"] + figures[B]["households"] == 50 + HOUSEHOLDS[B]
    assert figures[NEXT]["households"] - 50 == moves(moved, "households")[0][2] > 0
    # A whole grid carries its households as they are: nothing is estimated.
    merged = apply(drawn, PLANNER, begun(drawn).id, 1, [{"op": "merge", "grids": [A, B], "into": A}])
    figure = next(area["properties"] for area in merged.areas if area["id"] == A)
    assert (figure["households"], figure["households_estimated"]) == (301, False)
    assert moves(merged, "households", "households_estimated") == [(B, A, 201, False)]


def test_a_border_put_back_gives_back_the_households(drawn: Store) -> None:
    draft = begun(drawn)
    there = {"op": "transfer", "from": B, "to": A, "piece": box(0.49, 0.1, 0.21, 0.2)}
    back = {"op": "transfer", "from": A, "to": B, "piece": box(0.5, 0.1, 0.2, 0.2)}
    gone = apply(drawn, PLANNER, draft.id, 1, [there])
    assert {area["id"]: area["properties"]["households"] for area in gone.areas}[A] > 100
    answer = apply(drawn, PLANNER, draft.id, 2, [back])
    households = {area["id"]: area["properties"]["households"] for area in answer.areas}
    assert (households[A], households[B]) == (100, 201)


def test_unknown_households_stay_unknown(drawn: Store) -> None:
    cut = {"op": "split", "grid": D, "line": line((0.75, 0.49), (0.75, 1.01))}
    answer = apply(drawn, PLANNER, begun(drawn).id, 1, [cut])
    assert [row[2] for row in moves(answer, "households")] == [None, None]
    halves = [area["properties"] for area in answer.areas if area["id"] not in (A, B, C)]
    assert [half["households"] for half in halves] == [None, None]
    assert all(half["workload"] is None for half in halves)


def _points(store: Store) -> None:
    """Two cameras at the corner of four grids, one on the cut to come, and incidents of last week and of last year."""
    corner = grids().geometry.iloc[0].exterior.coords
    place = max(corner)  # the north-east corner of A, as stored
    lonlat = [shapely.Point(place), shapely.Point(place), at(0.1, 0.1)]
    put(store, "camera", frame(lonlat, device_id=["k1", "k2", "k3"], camera_count=pd.array([4, 2, 3], dtype="Int64")))
    week, year = (pd.Timestamp(today()) - pd.Timedelta(days=days) for days in (7, 365))
    put(
        store,
        "incident",
        gpd.GeoDataFrame(
            {"incident_no": ["a", "b", "c", "d"], "occurred_on": [week, week, year, None],
             "occurred_at": [None, None, None, week + pd.Timedelta(hours=23)]},
            geometry=[at(0.1, 0.2), at(0.4, 0.2), at(0.4, 0.21), shapely.Point(place)], crs=4490,
        ),
    )  # fmt: skip


def test_cameras_and_incidents_are_counted_where_they_lie(drawn: Store) -> None:
    _points(drawn)
    draft = begun(drawn)
    with redraw_session.held(drawn, draft) as session:
        figures = dict(zip(session.codes(), redraw_figures.figures(session, PLANNER, session.codes()), strict=True))
    # The corner of four belongs to the lowest code; besides there are the cameras of the county.
    assert [figures[code]["cameras"] for code in (A, B, C, D)] == [4 + 2 + 3 + 1, 0, 0, 3]
    assert [figures[code]["incidents"] for code in (A, B, C, D)] == [3, 0, 0, 0]
    answer = apply(drawn, PLANNER, draft.id, 1, [SPLIT])
    assert sum(row[2] for row in moves(answer, "cameras")) <= figures[A]["cameras"]
    west, east = ({area["id"]: area["properties"] for area in answer.areas}[code] for code in (NEW, NEXT))
    # New codes are higher than the old one, so the corner now belongs to B, the lowest of those around it.
    assert (west["cameras"], east["cameras"]) == (3 + 1, 0)
    assert (west["incidents"], east["incidents"]) == (1, 1)
    with redraw_session.held(drawn, drafts.read(drawn, PLANNER, draft.id)) as session:
        assert redraw_figures.figures(session, PLANNER, [B])[0]["cameras"] == 4 + 2


def test_figures_are_those_of_the_coverage_page(drawn: Store) -> None:
    _points(drawn)
    result = coverage(drawn, PLANNER, unit="grid").rows.set_index("code")
    with redraw_session.held(drawn, begun(drawn, SOUTH)) as session:
        for code, figure in zip(
            session.codes(), redraw_figures.figures(session, PLANNER, session.codes()), strict=True
        ):
            assert figure["cameras"] == result.at[code, "value"]
            assert figure["camera_shortfall"] == result.at[code, "shortfall"]
            assert figure["camera_state"] == result.at[code, "state"]
            rules = [each["rule"] for each in figure["breaks"]]
            assert ("cam_admin" in rules) == (figure["camera_state"] == "short")
            assert ("workers" in rules) == (code == F)


def test_what_changed_has_the_figures_of_all_worked_out_anew(drawn: Store) -> None:
    _points(drawn)
    draft = begun(drawn, SOUTH)
    operations = [PUSH, {**CARVE, "ring": box(0.1, 0.1, 0.2, 0.1)}, TRANSFER, MERGE]
    answer = apply(drawn, PLANNER, draft.id, 1, operations)
    redraw_session.forget(drawn, draft.id)
    with redraw_session.held(drawn, drafts.read(drawn, PLANNER, draft.id)) as session:
        whole = {each["id"]: each for each in redraw_figures.features(session, PLANNER)}
    assert {area["id"]: area for area in answer.areas} == {area["id"]: whole[area["id"]] for area in answer.areas}


def test_an_approver_who_sees_no_cameras_sees_no_counts_of_them(drawn: Store) -> None:
    drawn.settings.set(draft_rights.APPROVERS, ["head"])
    draft = begun(drawn)
    apply(drawn, PLANNER, draft.id, 1, [SPLIT])
    with redraw_session.held(drawn, drafts.read(drawn, HEAD, draft.id)) as session:
        shown = redraw_figures.features(session, HEAD)[0]["properties"]
        moved = redraw_figures.change_rows(session, HEAD, session.steps[-1])[0]
    hidden = {"cameras", "incidents", "camera_state", "camera_shortfall", "camera_required", "workload"}
    assert hidden.isdisjoint(shown)
    assert {"cameras", "incidents"}.isdisjoint(moved)
    assert shown["area_m2"] > 0
    with pytest.raises(RightsError):
        apply(drawn, HEAD, draft.id, 2, [MERGE], preview=True)


def test_nobody_draws_outside_the_own_area_or_in_a_draft_of_another(drawn: Store) -> None:
    own, other = begun(drawn, V1, MANAGER), begun(drawn, V2)
    assert apply(drawn, MANAGER, own.id, 1, [SPLIT]).version == 2
    with pytest.raises(NotFoundError):
        apply(drawn, MANAGER, other.id, 1, [{"op": "merge", "grids": [E, F]}])
    theirs = begun(drawn, V1)
    with pytest.raises(RightsError):
        apply(drawn, MANAGER, theirs.id, 1, [SPLIT], preview=True)


@pytest.mark.parametrize("wrong", ["split", {"op": "split"}, [float("nan")], [object()], None])
def test_what_is_no_list_of_operations_is_said(gpkg_store: Store, wrong: object) -> None:
    with pytest.raises(InputError):
        apply(gpkg_store, PLANNER, 1, 1, wrong)


def test_an_operation_keeps_only_what_it_needs(drawn: Store) -> None:
    draft = begun(drawn)
    feature = {"type": "Feature", "properties": {"note": "x"}, "geometry": {**SPLIT["line"], "bbox": [1, 2, 3, 4]}}
    apply(drawn, PLANNER, draft.id, 1, [{**SPLIT, "line": feature, "comment": "x" * 1000}])
    assert drafts.read(drawn, PLANNER, draft.id).operations == ({**SPLIT, "codes": [NEW, NEXT]},)


def test_changed_grids_are_where_the_lonlat_says(drawn: Store) -> None:
    answer = apply(drawn, PLANNER, begun(drawn).id, 1, [SPLIT], preview=True)
    with redraw_session.held(drawn, begun(drawn)) as session:
        old = to_lonlat([session.shape(A)], session.crs)[0]
    new = [shapely.geometry.shape(area["geometry"]) for area in answer.areas if area["id"] in (NEW, NEXT)]
    assert shapely.union_all(new).symmetric_difference(old).area < 1e-12


def test_too_many_operations_are_refused(drawn: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from geo.errors import LimitError

    monkeypatch.setattr(draft_operations, "MOST", 1)
    with pytest.raises(LimitError):
        apply(drawn, PLANNER, begun(drawn).id, 1, [SPLIT, MERGE])


def test_villages_have_figures_too(drawn: Store) -> None:
    draft = drafts.create(drawn, PLANNER, title="x", level="village", parent_code=SOUTH)
    answer = apply(drawn, PLANNER, draft.id, 1, [{"op": "merge", "grids": [V1, V2], "into": V1}])
    merged = answer.areas[0]["properties"]
    assert (merged["households"], merged["households_estimated"], answer.ended) == (300 + 400, False, (V2,))
    assert merged["cameras"] == coverage(drawn, PLANNER).rows.set_index("code").loc[[V1, V2], "value"].sum()
    assert "workload" not in merged
    assert "workers" not in [each["rule"] for each in merged["breaks"]]


def test_a_draft_moved_to_another_day_is_drawn_on_the_boundaries_of_that_day(drawn: Store) -> None:
    draft = begun(drawn)
    apply(drawn, PLANNER, draft.id, 1, [SPLIT])
    with redraw_session.held(drawn, drafts.read(drawn, PLANNER, draft.id)) as session:
        fid = int(session.frame.at[A, "fid"])
    with drawn.change("zhao", "decision") as change:
        rows.close_rows(drawn, change.id, "grid", [fid], "2030-01-01", within=change)
    moved = drafts.edit(drawn, PLANNER, draft.id, 2, effective_from="2029-12-31")
    assert apply(drawn, PLANNER, draft.id, moved.version, [MERGE], preview=True).results[0]["ok"]
    late = drafts.edit(drawn, PLANNER, draft.id, 3, effective_from="2030-01-01")
    with pytest.raises(ConflictError) as told:
        apply(drawn, PLANNER, draft.id, late.version, [MERGE], preview=True)
    assert "zhao" in told.value.what.en
