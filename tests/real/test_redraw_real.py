"""Real nets redrawn at random: the blocks of a county and the villages of a mountain county.

`WANGGE_EDITS=full` does 500 edits with every hand and looks at the whole after each; without it a sample.
"""

import os

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import redrawing
import shapely
from redrawing import Hand, Session

from geo import crs
from geo.partition import Partition

pytestmark = pytest.mark.real
FULL = os.environ.get("WANGGE_EDITS") == "full"
HANDS = list(redrawing.HANDS) if FULL else ["sloppy"]
EDITS = 500 if FULL else 60


@pytest.fixture(scope="module")
def ellis(real_data):
    """2,296 blocks, put on the centimetre of their own system."""
    blocks = gpd.read_file(real_data / "ellis" / "ellis_blocks.gpkg").set_index("geoid")
    return blocks.set_geometry(crs.round_centimetre(blocks.geometry.to_numpy()), crs=blocks.crs)


def divided(frame):
    return Partition(frame.index, frame.geometry.to_numpy())


def hold(land, zone, hand):
    """Edit at random, look at every promise, undo."""
    session = Session(land, crs=zone)
    before, area, outline = redrawing.wkb(land), land.doubled_area(), redrawing.vertices(land.outline)
    session.edit(hand, EDITS, check_every=1 if FULL else 30)
    print(session.timing())
    assert land.is_valid() and land.doubled_area() == area
    assert redrawing.vertices(shapely.coverage_union_all(list(land.shapes.values()))) == outline
    assert (redrawing.homes(land, 200_000 if FULL else 20_000, seed=1) == 1).all()
    session.undo_all()
    assert redrawing.wkb(land) == before


def test_the_listed_pairs_of_blocks_are_the_neighbours(ellis, real_data):
    listed = pd.read_csv(real_data / "ellis" / "ellis_adjacency.csv.gz", dtype=str)
    expected = {tuple(sorted(pair)) for pair in listed.itertuples(index=False)}
    assert len(expected) == 5_439
    land = divided(ellis)
    found = {tuple(sorted((code, other))) for code in land.shapes for other in land.neighbours(code)}
    assert found == expected


@pytest.mark.parametrize("kind", HANDS)
def test_random_edits_of_real_blocks(ellis, kind):
    hold(divided(ellis), ellis.crs, Hand.of(kind, seed=21, crs=ellis.crs))


def test_people_are_counted_once_through_splits_and_merges(ellis):
    """Shares of area of a split sum to exactly one, and merges hand on everybody, so the sum is kept."""
    land = divided(ellis)
    people = {code: float(count) for code, count in ellis["total_pop"].items()}
    total = sum(people.values())
    session = Session(land, crs=ellis.crs)
    hand = Hand.of("exact", seed=22, crs=ellis.crs)
    for _ in range(150 if FULL else 60):
        body = hand.operation(land)
        outcome = session.outcome(body) if body is not None and body["op"] in ("split", "merge", "dissolve") else None
        if outcome is None:
            continue
        land.replace(outcome.shapes)
        for code, shape in outcome.shapes.items():
            if shape is None:
                ended = people.pop(code)
                heirs = [(new, share) for old, new, share in outcome.lineage if old == code]
                assert sum(share for _, share in heirs) == pytest.approx(1.0, abs=1e-12)
                for new, share in heirs:
                    people[new] = people.get(new, 0.0) + ended * share
    assert set(people) == set(land.shapes)
    assert sum(people.values()) == pytest.approx(total, abs=1e-6) and round(sum(people.values())) == round(total)


@pytest.mark.parametrize("kind", HANDS)
def test_random_edits_of_villages_in_the_mountains(real_data, kind):
    villages = gpd.read_file(real_data / "cn_tw" / "nantou_villages.gpkg")
    zone = crs.metric_crs(villages.total_bounds)
    kept = crs.snap_centimetre(villages.geometry.to_numpy(), zone)
    shapes = crs.round_centimetre(crs.transform_geometries(kept, crs.LONLAT, zone))
    land = Partition([f"v{row:03d}" for row in range(len(shapes))], shapes)
    assert np.isin(shapely.get_type_id(shapes), (3, 6)).all() and len(land) == 262
    hold(land, zone, Hand.of(kind, seed=23, crs=zone))
