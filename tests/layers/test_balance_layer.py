"""Workload of a store's grids, and suggestions as operations that a draft takes over, on both engines.

Six square villages of 2 km in a row of three by two; each of the first row divided into four grids.
"""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.errors import ConflictError, InputError, RightsError
from geo.workload import spread
from layers.balancing import balance, balance_figures, balance_plans
from layers.balancing.balance import Asked
from layers.figures import rules, workload
from layers.redrawing import drafts
from layers.redrawing.draft_operations import undo
from layers.redrawing.redraw_ground import ground
from layers.rights import OWNER, Viewer
from layers.storage import references
from layers.storage.rows import insert_rows

DAY = "2026-06-30"
PLANNER = Viewer("plan", "planner")
LON, LAT, STEP = 111.0, 27.6, 0.02
TOWN, OTHER = "990101001201", "990101001202"


def box(x, y, width=1.0, height=1.0):
    corners = [LON + x * STEP, LAT + y * STEP, LON + (x + width) * STEP, LAT + (y + height) * STEP]
    return shapely.box(*(round(value, 8) for value in corners))


def put(store, kind, rows):
    change = store.open_change("owner", "import", kinds=[kind], source="made up")
    count = insert_rows(store, change, kind, gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4490"))
    store.finish_change(change, [kind], count)


def grids(*, households=((700, 200, 200, 100), (300, 300, 300, 300))):
    """Four grids in each of two villages, their borders on the same lines."""
    return [
        {
            "grid_code": f"{village}00{number + 1}",
            "name": f"第{number + 1}网格",
            "village_code": village,
            "kind": "base",
            "households": count,
            "geometry": box(2 * place + number % 2, number // 2),
        }
        for place, village in enumerate((TOWN, OTHER))
        for number, count in enumerate(households[place])
    ]


@pytest.fixture
def town(store):
    """Two villages with households, incidents and a school; the first is uneven."""
    fill(store)
    return store


def fill(store, **made):
    put(store, "county", [{"code": "990101000000", "name": "望川县", "geometry": box(0, 0, 4, 2)}])
    put(
        store,
        "township",
        [{"code": "990101001000", "name": "西岭镇", "parent_code": "990101000000", "geometry": box(0, 0, 4, 2)}],
    )
    put(store, "village", [
        {"code": code, "name": f"{code[-1]}村", "parent_code": "990101001000", "households": 1200, "geometry": box(2 * place, 0, 2, 2)}
        for place, code in enumerate((TOWN, OTHER))
    ])  # fmt: skip
    put(store, "grid", grids(**made))
    rng = np.random.default_rng(5)
    put(store, "incident", [
        {
            "incident_no": f"W{number:04d}",
            "occurred_on": "2026-06-01" if number < 30 else "2026-03-01",
            "geometry": shapely.Point(LON + rng.uniform(0, 1) * STEP, LAT + rng.uniform(0, 1) * STEP),
        }
        for number in range(40)
    ])  # fmt: skip
    put(store, "facility", [{"name": "小学", "type": "小学", "geometry": box(2, 0).centroid}])


def test_the_index_of_each_grid_is_made_of_what_lies_in_it(town):
    found = workload.loads(town, DAY, rules.read_rule_set(town))
    frame = found.frame
    # 30 of the 40 incidents lie within 90 days; all in the first grid: the mean of eight grids is 3.75.
    assert frame["incidents"].tolist() == [30, 0, 0, 0, 0, 0, 0, 0]
    assert frame["key_places"].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    area = frame["area_m2"] / frame["area_m2"].mean()
    assert frame["index"].iloc[0] == pytest.approx(0.4 * 700 / 400 + 0.3 * 30 / 3.75 + 0.1 * area.iloc[0])
    assert frame["index"].iloc[4] == pytest.approx(0.4 * 300 / 400 + 0.1 * area.iloc[4] + 0.2 * 1 / 0.125)
    assert (found.places.first_day, found.places.last_day) == ("2026-04-02", DAY)


def test_a_day_before_the_incidents_has_none_and_says_so(town):
    found = workload.loads(town, "2026-01-31", rules.read_rule_set(town))
    assert found.frame["incidents"].sum() == 0
    assert any("事件" in note.zh for note in found.notes)


def test_figures_of_a_village_and_of_everything_agree_grid_by_grid(town):
    whole = balance_figures.figures(town, PLANNER, as_of=DAY)
    village = balance_figures.figures(town, PLANNER, parent_code=TOWN, as_of=DAY)
    assert [row["code"] for row in village["rows"]] == [f"{TOWN}00{n}" for n in (1, 2, 3, 4)]
    by_code = {row["code"]: row for row in whole["rows"]}
    assert all(by_code[row["code"]] == row for row in village["rows"])
    assert village["spread"]["gini"] == pytest.approx(spread([row["index"] for row in village["rows"]]).gini, abs=1e-4)


def test_the_crowded_grid_is_proposed_for_a_split_first(town):
    found = balance_figures.figures(town, PLANNER, as_of=DAY)
    assert found["splits"][0]["code"] == f"{TOWN}001"
    assert len(found["splits"][0]["reasons"]) == 2
    assert found["merges"] == []


def test_idle_neighbours_of_one_village_are_proposed_for_a_merge(gpkg_store):
    fill(gpkg_store, households=((700, 400, 40, 30), (20, 400, 400, 400)))
    found = balance_figures.figures(gpkg_store, PLANNER, as_of=DAY)
    # The grid of 20 households across the village border stays out of it.
    assert [each["codes"] for each in found["merges"]] == [[f"{TOWN}003", f"{TOWN}004"]]
    assert found["merges"][0]["households"] == 70


def test_a_suggestion_is_drawn_into_a_draft_and_taken_back(town):
    draft = drafts.create(town, PLANNER, title="均衡", parent_code=TOWN, effective_from=DAY)
    work = balance.prepare(town, PLANNER, Asked(draft_id=draft.id))
    made = balance_plans.suggestion(town, work)
    curve = made["curve"]
    assert curve[-1]["worst"] < 0.5 * curve[0]["worst"]
    assert all(a["moved"] < b["moved"] for a, b in pairwise(curve))
    before = ground(town, "grid", "village", TOWN, DAY).shapes
    answer = balance.put(town, PLANNER, draft.id, draft.version, made, len(curve) - 1)
    told = answer.as_dict("zh")
    assert all(result["ok"] for result in told["results"])
    assert told["valid"] and told["area_change_m2"] == 0
    # What the grids carry now is what the point promised: the end of a border lies on a corner of the village.
    again = balance.prepare(town, PLANNER, Asked(draft_id=draft.id))
    index = work.loads.scale.index(
        again.households, again.incidents, shapely.area(again.blocks.shapes), again.key_places
    )
    load = np.bincount(again.blocks.grid, weights=index)
    assert len(load) == 4
    assert load.max() / load.mean() == pytest.approx(curve[-1]["max_over_mean"], abs=0.02)
    version = told["version"]
    for _ in curve[-1]["operations"]:
        version = undo(town, PLANNER, draft.id, version).as_dict("zh")["version"]
    after = ground(town, "grid", "village", TOWN, DAY).shapes
    assert {code: shape.wkb for code, shape in before.items()} == {code: shape.wkb for code, shape in after.items()}


def test_a_township_is_balanced_village_by_village(gpkg_store):
    fill(gpkg_store)
    work = balance.prepare(gpkg_store, PLANNER, Asked(parent_code="990101001000", as_of=DAY))
    made = balance_plans.suggestion(gpkg_store, work)
    assert made["grids"] == 8
    ways = [(each["from"][:12], each["to"][:12]) for point in made["curve"] for each in point["operations"]]
    assert ways and all(source == target for source, target in ways)


def test_locked_grids_of_the_draft_and_of_the_question_stay_out(gpkg_store):
    fill(gpkg_store)
    draft = drafts.create(gpkg_store, PLANNER, title="均衡", parent_code=TOWN, effective_from=DAY)
    drafts.edit(gpkg_store, PLANNER, draft.id, draft.version, locked=[f"{TOWN}002"])
    asked = Asked(draft_id=draft.id, locked=(f"{TOWN}004",))
    made = balance_plans.suggestion(gpkg_store, balance.prepare(gpkg_store, PLANNER, asked))
    assert made["locked"] == [f"{TOWN}002", f"{TOWN}004"]
    moved = {code for point in made["curve"] for each in point["operations"] for code in (each["from"], each["to"])}
    assert moved == {f"{TOWN}001", f"{TOWN}003"}


def test_blocks_divide_every_grid_and_carry_what_it_records(gpkg_store):
    fill(gpkg_store)
    work = balance.prepare(gpkg_store, PLANNER, Asked(parent_code=TOWN, as_of=DAY))
    area = np.bincount(work.blocks.grid, weights=shapely.area(work.blocks.shapes))
    assert area == pytest.approx([work.land.shapes[code].area for code in work.land.codes], rel=1e-6)
    assert np.bincount(work.blocks.grid, weights=work.households) == pytest.approx([700, 200, 200, 100])
    assert work.incidents.sum() == 30
    assert work.estimated
    assert shapely.coverage_is_valid(work.blocks.shapes)


def test_blocks_of_a_layer_bring_their_own_households(gpkg_store):
    fill(gpkg_store)
    quarter = [box(x / 2, y / 2, 0.5, 0.5) for y in range(4) for x in range(4)]
    households = [90, 10, 5, 5, *[20] * 12]
    frame = gpd.GeoDataFrame({"households": households}, geometry=quarter, crs="EPSG:4490")
    references.replace(gpkg_store, "blocks", frame)
    work = balance.prepare(gpkg_store, PLANNER, Asked(parent_code=TOWN, as_of=DAY, blocks="reference:blocks"))
    assert len(work) == 16 and not work.estimated
    first = work.households[work.blocks.grid == 0]
    # 700 households as 90 : 10 : 20 : 20.
    assert sorted(first.round(6)) == pytest.approx([50, 100, 100, 450], rel=1e-4)


def test_lines_cut_blocks_and_borders_come_to_lie_along_them(gpkg_store):
    fill(gpkg_store)
    road = shapely.LineString([(LON, LAT + 0.3 * STEP), (LON + 2 * STEP, LAT + 0.3 * STEP)])
    references.replace(gpkg_store, "roads", gpd.GeoDataFrame(geometry=[road], crs="EPSG:4490"))
    work = balance.prepare(gpkg_store, PLANNER, Asked(parent_code=TOWN, as_of=DAY))
    road_m, shapes = work.blocks.barriers, work.blocks.shapes
    assert road_m.length == pytest.approx(3950, rel=0.02)
    # It runs along blocks all the way and through none of them.
    assert shapely.length(shapely.intersection(shapely.buffer(shapes, -0.05), road_m)).max() < 0.01
    along = shapely.length(shapely.intersection(shapely.buffer(shapes, 0.05), road_m)).sum()
    assert along == pytest.approx(2 * road_m.length, rel=0.01)


def test_a_suggestion_does_not_fit_a_draft_that_was_drawn_in_since(gpkg_store):
    fill(gpkg_store)
    draft = drafts.create(gpkg_store, PLANNER, title="均衡", parent_code=TOWN, effective_from=DAY)
    made = balance_plans.suggestion(gpkg_store, balance.prepare(gpkg_store, PLANNER, Asked(draft_id=draft.id)))
    told = balance.put(gpkg_store, PLANNER, draft.id, draft.version, made, 1).as_dict("zh")
    with pytest.raises(ConflictError):
        balance.put(gpkg_store, PLANNER, draft.id, told["version"], made, 1)


def test_the_same_question_has_the_same_answer(gpkg_store):
    fill(gpkg_store)
    one, two = (
        balance_plans.suggestion(gpkg_store, balance.prepare(gpkg_store, PLANNER, Asked(parent_code=TOWN, as_of=DAY)))
        for _ in range(2)
    )
    assert one["curve"] == two["curve"]


def test_grids_without_households_are_named(gpkg_store):
    fill(gpkg_store, households=((700, None, 200, 100), (300, 300, 300, 300)))
    with pytest.raises(InputError) as refused:
        balance.prepare(gpkg_store, PLANNER, Asked(parent_code=TOWN, as_of=DAY))
    assert f"{TOWN}002" in refused.value.what.zh


def test_who_may_not_redraw_sees_no_workload(gpkg_store):
    fill(gpkg_store)
    for role in ("viewer", "reporter", "dispatcher"):
        with pytest.raises(RightsError):
            balance_figures.figures(gpkg_store, Viewer("x", role), as_of=DAY)
        with pytest.raises(RightsError):
            balance.prepare(gpkg_store, Viewer("x", role), Asked(parent_code=TOWN, as_of=DAY))
    own = Viewer("x", "grid_manager", areas=(TOWN,))
    assert len(balance_figures.figures(gpkg_store, own, as_of=DAY)["rows"]) == 4
    with pytest.raises(RightsError):
        balance.prepare(gpkg_store, own, Asked(parent_code=OTHER, as_of=DAY))


def test_a_store_without_villages_balances_all_its_grids(gpkg_store):
    put(gpkg_store, "grid", [{**row, "village_code": None} for row in grids()])
    made = balance_plans.suggestion(gpkg_store, balance.prepare(gpkg_store, OWNER, Asked(as_of=DAY)))
    assert made["parent_code"] is None
    assert made["curve"][-1]["worst"] < made["curve"][0]["worst"]
