"""Figures as they were known at a moment: what was printed then can be made again, whatever was done since."""

import json
from copy import deepcopy
from datetime import timedelta

import decided
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from decided import BOSS, PLANNER, VILLAGES, approved, drawn, grids, merge, neighbours, split
from squares import V1, V2, cameras, fill, frame, incidents, put, square

from geo.errors import InputError, RightsError, StoreError
from layers.deciding import decisions
from layers.exports.exporting import export
from layers.figures import density, rules
from layers.figures.coverage import coverage
from layers.figures.hotspots import hotspots
from layers.places import homes
from layers.prints.printing import print_map
from layers.rights import OWNER, Viewer
from layers.selection.frames import read_layer
from layers.storage import audit, changes, schema
from layers.storage.history import today
from layers.storage.known import as_known
from layers.storage.rows import close_rows, insert_rows, retire_rows

DAY = "2026-01-15"


@pytest.fixture
def place(store):
    fill(store)
    put(store, "incident", incidents())
    put(store, "staffing", frame([None] * 2, area_code=[V1, V2], patrol=pd.array([3, 1], dtype="Int64")))
    return store


def told(result):
    """What a reader gets of a figure, byte for byte; where it comes from says besides when it was made."""
    shape = result.as_json("zh")
    made = shape.pop("provenance")
    shape.pop("known_on")
    shape["layers"] = [(layer["kind"], layer["version"], layer["rows"], layer["source"]) for layer in made["layers"]]
    return json.dumps(shape, ensure_ascii=False, sort_keys=True).encode()


def report(store, known_on=None, viewer=OWNER):
    """Everything a report of that day says."""
    asked = {"known_on": known_on, "as_of": DAY}
    found = [
        coverage(store, viewer, **asked),
        coverage(store, viewer, against="2025-06-01", **asked),
        coverage(store, viewer, rule_id="patrol", **asked),
        coverage(store, viewer, unit="township", **asked),
        *(hotspots(store, viewer, unit=unit, cell_m=3000, **asked) for unit in ("cell", "village")),
        hotspots(store, viewer, unit="village", boundaries="then", **asked),
    ]
    surface = density.density(store, viewer, bandwidth_m=3000, cell_m=1000, **asked)
    return [told(each) for each in found] + [surface.array.tobytes(), surface.bounds]


def moment():
    """This moment, over when it is given: what is done next may not fall into the same millisecond."""
    found = schema.now()
    while schema.now() == found:
        pass
    return found


def fids(store, kind):
    with store.read() as connection:
        return list(connection.scalars(schema.ROWS[kind].select().with_only_columns(schema.ROWS[kind].c.fid)))


def spoil(store):
    """Import, retire, close and undo, in every layer a figure is made of."""
    extra = put(store, "camera", cameras())
    put(store, "incident", incidents(7, background=50, planted=10, centre=(0.5, 1.5)))
    gone = fids(store, "incident")[:40]
    with store.change("planner", "correct") as change:
        retire_rows(store, change.id, "incident", gone, within=change)
        retire_rows(store, change.id, "camera", fids(store, "camera")[:2], within=change)
        close_rows(store, change.id, "village", fids(store, "village")[:1], "2026-01-01", within=change)
        close_rows(store, change.id, "staffing", fids(store, "staffing")[:1], "2020-01-01", within=change)
    put(
        store,
        "village",
        frame([square(0, 0, 0.5)], code=[V1], name=["改村"], parent_code=["990983102000"]),
        valid_from="2026-01-01",
    )
    return extra


def test_figures_come_back_byte_for_byte_after_imports_and_corrections(place):
    before, at_that_time = report(place), moment()
    spoil(place)
    after = report(place)
    assert all(new != old for new, old in zip(after[:-1], before[:-1], strict=True))
    assert report(place, at_that_time) == before
    assert report(place) == after  # neither disturbs the other in the cache
    assert report(place, moment()) == after


def swap(store, given, on="2026-01-01"):
    """An import that ends the villages there are on a day, and begins others; its id."""
    change_id = store.open_change("planner", "import", kinds=["village"], source="again.geojson")
    old = read_layer(store, "village", OWNER, as_of=on)["fid"].to_numpy()
    insert_rows(store, change_id, "village", given, valid_from=on)
    close_rows(store, change_id, "village", old, on)
    store.finish_change(change_id, ["village"], len(given))
    return change_id


def few(store, known_on=None):
    """The villages with their cameras, on a day before and one after the import."""
    return [told(coverage(store, OWNER, as_of=day, known_on=known_on)) for day in ("2025-06-01", DAY)]


def test_moments_between_an_import_its_undoing_and_the_next_import_are_told_apart(store):
    fill(store)
    wrong, right = (frame([square(0, 0, 3, high)], code=[V1], name=["并村"]) for high in (1, 2))
    seen = []

    def look():
        seen.append((few(store), moment()))

    look()
    for given in (wrong, right, wrong):
        done = swap(store, given)
        look()
        changes.undo(store, done, "boss")
        look()
    units = [json.loads(now[1])["summary"]["units"] for now, _ in seen]
    assert units == [6, 1, 6, 1, 6, 1, 6]
    assert [json.loads(now[0])["summary"]["units"] for now, _ in seen] == [6] * 7
    for then, known_on in seen:
        assert few(store, known_on) == then
    assert audit.verify_chain(store) == []


def test_rows_taken_back_undone_and_taken_back_again_are_told_apart(store):
    fill(store)
    put(store, "incident", incidents(background=60, planted=20))
    chosen = {kind: fids(store, kind)[:3] for kind in ("camera", "incident")}
    seen = []

    def look(known_on=None):
        return [*few(store, known_on), told(hotspots(store, OWNER, unit="village", as_of=DAY, known_on=known_on))]

    for _ in range(3):
        seen.append((look(), moment()))
        change_id = store.open_change("planner", "import", kinds=list(chosen))
        for kind, rows in chosen.items():
            retire_rows(store, change_id, kind, rows)
        store.finish_change(change_id, list(chosen), 0)
        seen.append((look(), moment()))
        changes.undo(store, change_id, "boss")
    seen.append((look(), moment()))
    assert [json.loads(now[2])["summary"]["total"] for now, _ in seen] == [80, 77, 80, 77, 80, 77, 80]
    for then, known_on in seen:
        assert look(known_on) == then


@pytest.fixture
def town(store):
    """Three villages with thirty grids, a camera and some incidents in each."""
    decided.fill(store)
    spots = grids(store)
    points = gpd.GeoSeries(shapely.point_on_surface(spots.geometry.to_numpy()), crs=decided.CRS).to_crs(4490)
    codes = [f"c{row}" for row in range(len(points))]
    put(store, "camera", gpd.GeoDataFrame({"device_id": codes}, geometry=points, crs=4490))
    rng = np.random.default_rng(3)
    often = np.repeat(np.arange(len(points)), rng.integers(0, 9, len(points)))
    given = {"incident_no": [f"E{row}" for row in range(len(often))], "occurred_on": pd.Timestamp(DAY)}
    put(store, "incident", gpd.GeoDataFrame(given, geometry=points.iloc[often].to_numpy(), crs=4490))
    homes.refresh(store)
    return store


def of_grids(store, known_on=None, viewer=PLANNER):
    asked = {"unit": "grid", "known_on": known_on, "as_of": DAY}
    found = [coverage(store, viewer, rule_id="grid_staff", **asked), hotspots(store, viewer, **asked)]
    return [told(each) for each in found]


def test_report_of_before_a_decision_and_its_withdrawal_can_be_made_again(town):
    watcher = Viewer("watcher", "planner", (VILLAGES[0],))
    seen = []

    def look():
        seen.append(([of_grids(town), of_grids(town, viewer=watcher)], moment()))

    look()
    one, other = next(pair for pair in neighbours(town) if pair[0].startswith(VILLAGES[0]))
    approved(town, drawn(town, [merge(one, other, into=one)], on=DAY))
    look()
    approved(town, drawn(town, [split(town, one)], on=DAY, correction=False))
    look()
    later = (today() + timedelta(days=30)).isoformat()
    done = approved(town, drawn(town, [split(town, sorted(grids(town).index)[-1], on=later)], on=later))
    decisions.withdraw(town, BOSS, done.id, done.version)
    look()
    rows = [[len(json.loads(figure)["rows"]) for figure in mine] for (mine, _), _ in seen]
    assert rows == [[30, 30], [29, 29], [30, 30], [30, 30]]
    for (all_, own), known_on in seen:
        assert of_grids(town, known_on) == all_
        assert of_grids(town, known_on, viewer=watcher) == own


def test_day_and_today_are_those_of_the_moment(place):
    result = coverage(place, OWNER, known_on=moment(), boundaries="today")
    assert result.as_of == result.boundaries.on == today().isoformat()
    past = coverage(place, OWNER, known_on="2020-02-03", boundaries="today")
    assert (past.as_of, past.boundaries.on, past.boundaries.mode) == ("2020-02-03", "2020-02-03", "today")
    assert past.summary["units"] == 0  # nothing was known yet
    assert past.provenance["known_on"] == "2020-02-03T15:59:59.999Z"
    assert past.as_json("zh")["known_on"] == past.provenance["known_on"]
    assert "按 2020-02-03 23:59 所知" in past.provenance["notes"][0]["zh"]
    assert coverage(place, OWNER).provenance["known_on"] is None


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01", "20260101", "2026-01-01T25:00", "9999-01-01", ""])
def test_what_is_no_moment_that_has_been_is_refused(gpkg_store, wrong):
    with pytest.raises(InputError) as refused:
        coverage(gpkg_store, OWNER, known_on=wrong)
    assert refused.value.where == "known_on" and refused.value.mend.zh


def test_nobody_writes_into_the_past(gpkg_store):
    then = as_known(gpkg_store, moment())
    with pytest.raises(StoreError), then.change("planner", "edit"):
        pass
    assert as_known(gpkg_store, None) is gpkg_store


def test_roles_without_incidents_cannot_play_moments_against_each_other(place):
    outside = Viewer("reader", "auditor")
    with pytest.raises(RightsError):
        hotspots(place, outside, unit="village", known_on=moment())


def test_rule_set_changed_since_is_told(place):
    at_that_time = moment()
    rules.save_rule_set(place, PLANNER, "own", deepcopy(rules.shipped()["sample-2025"].body))
    made = coverage(place, OWNER, rule_set="own", known_on=at_that_time).provenance
    assert any("规则集在" in note["zh"] for note in made["notes"])
    assert not any(
        "规则集在" in note["zh"] for note in coverage(place, OWNER, known_on=at_that_time).provenance["notes"]
    )


def test_files_and_prints_are_of_the_moment_too(place, tmp_path):
    before, at_that_time = tmp_path / "before.csv", moment()
    export(place, OWNER, "coverage", before, as_of=DAY)
    export(place, OWNER, "village", tmp_path / "villages.csv", as_of=DAY)
    spoil(place)
    again = tmp_path / "again.csv"
    export(place, OWNER, "coverage", again, as_of=DAY, known_on=at_that_time)
    assert again.read_bytes() == before.read_bytes()
    told_of = json.loads((tmp_path / "again.csv.provenance.json").read_text("utf-8"))
    assert told_of["known_on"] == at_that_time
    export(place, OWNER, "village", again, as_of=DAY, known_on=at_that_time)
    assert again.read_bytes() == (tmp_path / "villages.csv").read_bytes()
    print_map(place, OWNER, "coverage", tmp_path / "map.png", as_of=DAY, known_on=at_that_time)
    with pytest.raises(InputError):
        export(place, OWNER, "reference:roads", again, known_on=at_that_time)
