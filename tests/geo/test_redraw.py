"""Hundreds of random edits: the land stays fully divided, exactly, and everything can be taken back.

`WANGGE_EDITS=full` runs the whole matrix (500 edits on 2,000 and 20,000 grids with every hand, 5,000 in one run, a look
at the whole land after every edit at 2,000 grids, 200,000 points); without it a sample of each.
"""

import os

import numpy as np
import pytest
import redrawing
from redrawing import Hand, Session

FULL = os.environ.get("WANGGE_EDITS") == "full"
POINTS = 200_000 if FULL else 10_000


def hold(session, hand, edits, *, check_every):
    """Edit, look at every promise, undo, look again."""
    land = session.land
    before, area, outline = redrawing.wkb(land), land.doubled_area(), land.outline
    session.edit(hand, edits, check_every=check_every)
    print(session.timing())
    assert land.is_valid() and land.doubled_area() == area and land.outline is outline
    assert (redrawing.homes(land, POINTS, seed=3) == 1).all()
    assert redrawing.wkb(land) != before
    session.undo_all()
    assert redrawing.wkb(land) == before
    assert land.is_valid()


@pytest.mark.parametrize("kind", redrawing.HANDS)
def test_random_edits_on_2000_grids(kind):
    edits, check_every = (500, 1) if FULL else (100, 50)
    hold(Session(redrawing.plain(2_000)), Hand.of(kind, seed=7), edits, check_every=check_every)


@pytest.mark.parametrize("kind", redrawing.HANDS if FULL else ["sloppy"])
def test_random_edits_on_20000_grids(kind):
    edits, check_every = (500, 10) if FULL else (40, 40)
    hold(Session(redrawing.plain(20_000)), Hand.of(kind, seed=8), edits, check_every=check_every)


@pytest.mark.parametrize("kind", redrawing.HANDS)
def test_random_edits_with_lakes_islands_enclaves_and_grids_in_parts(kind):
    edits, check_every = (500, 1) if FULL else (100, 25)
    land = redrawing.hard(600)
    parts = [len(getattr(shape, "geoms", [shape])) for shape in land.shapes.values()]
    assert max(parts) > 1 and len(land.outline.geoms) == 3
    assert sum(len(part.interiors) for part in land.outline.geoms) == 2
    hold(Session(land), Hand.of(kind, seed=9), edits, check_every=check_every)


@pytest.mark.parametrize("kind", redrawing.HANDS if FULL else ["exact", "from afar"])
def test_random_edits_of_winding_borders(kind):
    edits, check_every = (500, 1) if FULL else (80, 20)
    hold(Session(redrawing.plain(300, winding_m=8.0)), Hand.of(kind, seed=10), edits, check_every=check_every)


@pytest.mark.parametrize("winding_m", [0.0, 0.08])
def test_random_edits_of_grids_of_a_few_metres(winding_m):
    """So small that the half centimetre by which a border gives way at a new node meets other vertices."""
    land = redrawing.partition(redrawing.divide(redrawing.disc(60), 150, seed=4, winding_m=winding_m))
    hand = Hand(np.random.default_rng(14), off_m=0.03)
    hold(Session(land), hand, 400 if FULL else 60, check_every=1 if FULL else 10)


@pytest.mark.parametrize("made", [redrawing.plain, redrawing.hard])
def test_one_long_run(made):
    edits = 5_000 if FULL else 60
    hold(Session(made(2_000, seed=2)), Hand.of("sloppy", seed=11), edits, check_every=25 if FULL else 60)


def test_locked_grids_keep_every_byte_and_no_edit_leaves_a_grid_in_more_parts():
    session = Session(redrawing.hard(300, seed=4))
    land = session.land
    hand = Hand.of("sloppy", seed=13)
    locked = sorted(land.shapes)[::9]
    land.locked = set(locked)
    before = {code: land.shapes[code].wkb for code in locked}
    most = max(len(getattr(shape, "geoms", [shape])) for shape in land.shapes.values())
    session.edit(hand, 150, check_every=50)
    assert {code: land.shapes[code].wkb for code in locked} == before
    assert {reason for (_, reason) in session.refused} >= {"locked"}
    # Only a merge adds parts up: what was merged had them before.
    kept = [code for code in land.shapes if code.startswith("g")]
    assert (
        max(len(getattr(land.shapes[code], "geoms", [0])) for code in kept)
        <= most + session.done["merge"] + (session.done["dissolve"])
    )
