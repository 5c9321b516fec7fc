"""Looking, planning and mending as jobs: done and applied, cancelled without a trace, refused when layers changed."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from squares import V1, V2, county, frame, put, square, townships, villages

from geo.errors import ConflictError, InputError, LimitError, NotFoundError, RightsError
from layers import work
from layers.checking import mend_jobs, mend_places, mending
from layers.imports.undoing import undo_change
from layers.rights import OWNER, Viewer
from layers.selection import frames
from layers.storage import accounts, jobs
from layers.telling import Stopped


def grids(village, column, shift_m):
    """Two halves of a village; the right one moved east, so that there is a gap, and land outside."""
    off = shift_m / 100_000
    shapes = [
        square(column, 0, 0.5, 1),
        shapely.transform(square(column + 0.5, 0, 0.5, 1), lambda xy: xy + np.array([off, 0])),
    ]
    codes = [f"{village}00{number}" for number in (1, 2)]
    return frame(shapes, grid_code=codes, village_code=[village] * 2, households=[10, 20])


@pytest.fixture
def dirty(store):
    """Two villages whose grids do not fit, and a planner with an account."""
    for kind, given in (("county", county()), ("township", townships()), ("village", villages())):
        put(store, kind, given)
    put(store, "grid", gpd.pd.concat([grids(V1, 0, 0.6), grids(V2, 1, 0.8)], ignore_index=True))
    accounts.create(store, "li", "planner", password="three loose words")
    return store


LI = Viewer("li", "planner")


def shapes_now(store):
    return {code: shape.wkb for code, shape in frames.read_layer(store, "grid", OWNER).geometry.items()}


def done(store, job):
    """The result of a job that is run here and now and ends well."""
    work.run(store, job)
    found = jobs.read_job(store, job)
    assert found["state"] == "done", found["message"]
    return found


def test_a_county_is_looked_at_planned_for_and_mended_by_jobs(dirty):
    looked = done(dirty, mend_jobs.look(dirty, LI))["result"]["answer"]
    assert looked["villages"] == 2 and looked["clean"] == 0 and looked["total"] == len(looked["places"]) > 0
    before, versions = shapes_now(dirty), dirty.versions()
    planned = done(dirty, mend_jobs.plan(dirty, LI))
    answer = planned["result"]["answer"]
    assert answer["totals"]["villages"] == 2 and len(answer["grids"]) == answer["totals"]["grids"] == 2
    assert shapes_now(dirty) == before and dirty.versions() == versions
    mended = done(dirty, mend_jobs.apply(dirty, LI, planned))["result"]["answer"]
    assert mended["grids"] == 2 and mended["moved_m2"] == answer["totals"]["moved_m2"]
    assert not mend_places.find(dirty, OWNER).places
    undo_change(dirty, mended["change"], "administrator")
    assert shapes_now(dirty) == before


def test_progress_counts_villages_and_never_goes_back(dirty):
    told = []
    payload = jobs.read_job(dirty, mend_jobs.plan(dirty, LI))["payload"]
    mend_jobs.run(dirty, LI, payload, "x", lambda share, words: told.append((share, words.en)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] < 1
    assert [words for _, words in told][-2:] == [
        "Working out what would move: 0 of 2 villages",
        "Working out what would move: 1 of 2 villages",
    ]


def test_the_same_question_is_not_worked_out_twice(dirty):
    first = mend_jobs.look(dirty, LI)
    assert mend_jobs.look(dirty, LI) == first
    assert mend_jobs.look(dirty, LI, V1) != first
    done(dirty, first)
    assert mend_jobs.look(dirty, LI) == first
    put(dirty, "grid", grids(V1, 0, 0.7).iloc[:1].assign(grid_code=f"{V1}009"))
    assert mend_jobs.look(dirty, LI) != first


def test_a_look_is_of_the_area_of_its_asker(dirty):
    """The same account with another area is told something else."""
    first = mend_jobs.look(dirty, LI)
    done(dirty, first)
    second = mend_jobs.look(dirty, Viewer("li", "planner", areas=(V2,)))
    assert second != first
    assert jobs.read_job(dirty, second)["payload"]["grids"] == 2


def test_consent_is_refused_when_the_layers_changed(dirty):
    planned = done(dirty, mend_jobs.plan(dirty, LI))
    put(dirty, "grid", grids(V1, 0, 0.7).iloc[:1].assign(grid_code=f"{V1}009"))
    before = shapes_now(dirty)
    with pytest.raises(ConflictError):
        mend_jobs.apply(dirty, LI, planned)
    assert shapes_now(dirty) == before and len(jobs.list_jobs(dirty)) == 1


def test_a_change_between_consent_and_repair_ends_the_job_with_the_reason(dirty):
    planned = done(dirty, mend_jobs.plan(dirty, LI))
    job = mend_jobs.apply(dirty, LI, planned)
    put(dirty, "grid", grids(V1, 0, 0.7).iloc[:1].assign(grid_code=f"{V1}009"))
    before = shapes_now(dirty)
    work.run(dirty, job)
    found = jobs.read_job(dirty, job)
    assert found["state"] == "failed" and "Nothing was changed" in found["message"]["en"]
    assert shapes_now(dirty) == before


def test_cancelled_leaves_nothing_changed(dirty):
    planned = done(dirty, mend_jobs.plan(dirty, LI))
    job = mend_jobs.apply(dirty, LI, planned)
    before, versions = shapes_now(dirty), dirty.versions()
    jobs.claim(dirty, job)
    jobs.cancel(dirty, job, "li")
    work.run(dirty, job)
    assert jobs.read_job(dirty, job)["state"] == "cancelled"
    assert shapes_now(dirty) == before and dirty.versions() == versions
    # Cancelled is not refused: the plan that was seen still holds.
    again = mend_jobs.apply(dirty, LI, planned)
    assert again != job
    assert done(dirty, again)["result"]["answer"]["grids"] == 2


def test_stopped_at_the_last_moment_leaves_nothing_changed(dirty):
    """The last thing heard is that writing begins; whoever stops then has stopped it."""
    found = mending.plan(dirty, LI)
    before, versions, told = shapes_now(dirty), dirty.versions(), []

    def stop_before_writing(share, words):
        told.append(words.en)
        if words.en == "Writing":
            raise Stopped

    with pytest.raises(Stopped):
        mending.apply(dirty, LI, "", found.hash, tell=stop_before_writing)
    assert told[-1] == "Writing" and shapes_now(dirty) == before and dirty.versions() == versions


def test_a_repair_that_is_run_again_after_its_process_was_lost_is_done_once(dirty):
    planned = done(dirty, mend_jobs.plan(dirty, LI))
    job = mend_jobs.apply(dirty, LI, planned)
    payload = jobs.read_job(dirty, job)["payload"]
    first = mend_jobs.run(dirty, LI, payload, job)
    versions = dirty.versions(["grid"])
    assert mend_jobs.run(dirty, LI, payload, job) == first and dirty.versions(["grid"]) == versions
    # And whoever agrees twice has agreed once.
    done(dirty, job)
    assert mend_jobs.apply(dirty, LI, planned) == job


def test_only_a_finished_plan_with_something_to_do_can_be_agreed_to(gpkg_store):
    put(gpkg_store, "village", villages())
    put(gpkg_store, "grid", grids(V1, 0, 0))
    job = mend_jobs.plan(gpkg_store, OWNER)
    with pytest.raises(InputError):
        mend_jobs.apply(gpkg_store, OWNER, jobs.read_job(gpkg_store, job))
    planned = done(gpkg_store, job)
    with pytest.raises(InputError):
        mend_jobs.apply(gpkg_store, OWNER, planned)
    looked = done(gpkg_store, mend_jobs.look(gpkg_store, OWNER))
    with pytest.raises(InputError):
        mend_jobs.apply(gpkg_store, OWNER, looked)


def test_rights_and_areas_are_asked_before_anything_is_queued(gpkg_store):
    put(gpkg_store, "village", villages())
    put(gpkg_store, "grid", grids(V1, 0, 0.6))
    for role in ("viewer", "grid_manager", "dispatcher", "reporter"):
        for queue in (mend_jobs.look, mend_jobs.plan):
            with pytest.raises(RightsError):
                queue(gpkg_store, Viewer("somebody", role))
    with pytest.raises(NotFoundError):
        mend_jobs.look(gpkg_store, Viewer("li", "planner", areas=(V2,)), V1)
    with pytest.raises(InputError):
        mend_jobs.plan(gpkg_store, LI, V1, snapping_m=50)
    assert jobs.list_jobs(gpkg_store) == []
    for number in range(jobs.OPEN_PER_ACTOR):
        mend_jobs.plan(gpkg_store, LI, V1, snapping_m=0.1 + number)
    with pytest.raises(LimitError):
        mend_jobs.look(gpkg_store, LI, V1)


def test_quick_is_what_has_few_grids(gpkg_store):
    put(gpkg_store, "grid", grids(V1, 0, 0.6))
    payload = jobs.read_job(gpkg_store, mend_jobs.look(gpkg_store, OWNER))["payload"]
    assert payload["grids"] == 2 and mend_jobs.is_quick(payload)
    assert not mend_jobs.is_quick(payload | {"grids": np.int64(mend_jobs.QUICK_GRIDS + 1)})


def test_lists_of_jobs_go_without_long_answers(gpkg_store):
    put(gpkg_store, "village", villages())
    put(gpkg_store, "grid", grids(V1, 0, 0.6))
    job = mend_jobs.plan(gpkg_store, OWNER)
    assert done(gpkg_store, job)["result"]["answer"]["grids"]
    assert [one["result"] for one in jobs.list_jobs(gpkg_store)] == [None]
