"""For every day on which anything changes the grids divide the land exactly, whatever was decided in which order."""

from datetime import timedelta

import decided
import numpy as np
import redrawing
import shapely
from decided import BOSS, PLANNER, grids
from redrawing import Hand
from sqlalchemy import select

from geo.errors import ConflictError, InputError
from layers.deciding import decisions
from layers.redrawing import draft_operations, drafts
from layers.redrawing.draft import Draft
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage import schema
from layers.storage.history import today
from layers.storage.store import Store

DAYS = (-400, -30, 0, 0, 0, 5, 40, 40, 90)


def day(offset: int) -> str:
    return (today() + timedelta(days=offset)).isoformat()


def require_whole(store: Store, area: int, people: dict[str, int], **options) -> None:
    """Every day of change: a valid coverage, the same exact area, the same villages, the same people."""
    with store.read() as connection:
        table = schema.ROWS["grid"]
        found = connection.execute(select(table.c.valid_from, table.c.valid_to)).all()
    days = {str(on) for row in found for on in row if on is not None} | {day(0), day(0), "1999-01-01", "2999-01-01"}
    for on in sorted(days):
        now = grids(store, on, **options)
        shapes = now.geometry.to_numpy()
        assert now.index.is_unique, on
        assert shapely.coverage_is_valid(shapes), on
        assert decided.doubled_area(shapes) == area, on
        for field, total in people.items():
            assert now[field].sum() == total, (on, field)
        of = now["village_code"].to_numpy()
        for village, outline in zip(decided.VILLAGES, OUTLINES, strict=True):
            own = shapely.coverage_union_all(shapes[of == village])
            assert decided.doubled_area([own]) == decided.doubled_area([outline]), (on, village)


_, _villages, _shapes = decided.land()
OUTLINES = [
    shapely.coverage_union_all(_shapes[np.array(_villages) == village]) for village in decided.VILLAGES
]  # fmt: skip


def draw(store: Store, hand: Hand, on: str, count: int, *, correction: bool = False) -> Draft | None:
    """A draft with what of `count` random operations was possible; None when nothing was."""
    made = drafts.create(
        store, PLANNER, title="调整", parent_code=decided.TOWN, effective_from=on, reason="理由",
        correction=correction,
    )  # fmt: skip
    land = redrawing.Partition(*zip(*grids(store, on).geometry.items(), strict=True))
    operations = []
    while len(operations) < count:
        body = hand.operation(land)
        if body is not None and not (correction and body["op"] not in ("redraw", "push", "transfer", "corner")):
            operations.append(body)
    draft_operations.apply(store, PLANNER, made.id, made.version, operations)
    made = drafts.read(store, PLANNER, made.id)
    return made if made.operations else None


def test_coverage_is_whole_on_every_day_after_a_random_run_of_decisions(store):
    run(store, 3, acts=12)


def test_coverage_stays_whole_in_a_longer_run(gpkg_store):
    run(gpkg_store, 2, acts=22)


def run(store: Store, seed: int, *, acts: int) -> None:
    """Decisions, corrections and withdrawals at random, days to come and past; then every day is looked at."""
    decided.fill(store)
    rng, hand = np.random.default_rng(seed), Hand.of("exact", seed=seed)
    first = grids(store)
    area, people = decided.doubled_area(first.geometry), {
        field: int(first[field].sum()) for field in ("households", "population", "workers_full")
    }  # fmt: skip
    snapshots: list[tuple[str, dict]] = []
    standing, done = [], {"approved": 0, "withdrawn": 0, "corrected": 0, "conflict": 0}
    for _ in range(acts):
        turn = rng.uniform()
        if standing and turn < 0.2:
            draft = standing.pop(int(rng.integers(len(standing))))
            try:
                decisions.withdraw(store, BOSS, draft.id, draft.version)
                done["withdrawn"] += 1
            except ConflictError:
                done["conflict"] += 1
        else:
            correction = turn > 0.8
            draft = draw(store, hand, day(int(rng.choice(DAYS))), int(rng.integers(1, 4)), correction=correction)
            if draft is None:
                continue
            try:
                draft = decided.approved(store, draft)
            except (ConflictError, InputError):  # a later decision stands in the way, or drawn back and forth
                done["conflict"] += 1
                continue
            done["corrected" if correction else "approved"] += 1
            if draft.effective_from > day(0):
                standing.append(draft)
        snapshots.append((last_moment(store), {on: seen(store, on) for on in (day(-200), day(0), day(60))}))
    assert done["approved"] >= 4 and done["corrected"] >= 1 and done["withdrawn"] >= 1, done
    require_whole(store, area, people)
    for moment, was in snapshots[::2]:
        assert {on: seen(store, on, known_on=moment) for on in was} == was, moment
    require_whole(store, area, people, known_on=snapshots[len(snapshots) // 2][0])


def seen(store: Store, on: str, **options) -> dict[str, tuple[bytes, int]]:
    """What a report of a day would be made of: shape and households by code."""
    found = read_layer(store, "grid", OWNER, as_of=on, **options)
    return dict(zip(found.index, zip(shapely.to_wkb(found.geometry), found["households"], strict=True), strict=True))


def last_moment(store: Store) -> str:
    """When the last act was written down."""
    with store.read() as connection:
        return connection.scalar(select(schema.audit.c.at).order_by(schema.audit.c.id.desc()).limit(1))
