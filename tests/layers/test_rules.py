"""Rule sets: what ships, what a planner may change, and what is refused."""

import copy
import json
from importlib.resources import files

import pytest
import squares
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import ConflictError, InputError, NotFoundError, RightsError, WanggeError
from layers.figures import rules
from layers.figures.derived import coverage
from layers.figures.rule_body import STATISTICS
from layers.figures.rule_check import parse
from layers.kinds import KINDS
from layers.rights import OWNER, ROLES, Viewer
from layers.storage import audit

PLANNER = Viewer("planner", "planner")
BODY = rules.shipped()["sample-2025"].body


def changed(**values):
    """The shipped body with other values."""
    return {**copy.deepcopy(BODY), **values}


def with_rule(identity, **values):
    """The shipped body with one rule changed."""
    return changed(rules=[{**each, **values} if each["id"] == identity else each for each in BODY["rules"]])


def test_every_rule_of_the_guide_that_the_layers_allow_is_shipped():
    expected = """cam_admin cam_natural cam_deficit connected working_public working_sector registered sign_share
        filed_share retention_ok grid_staff patrol vol_urban vol_rural social_workers aux_police legal_adviser
        community_size area_village"""
    assert [each.id for each in rules.shipped()["sample-2025"].rules] == expected.split()


@pytest.mark.parametrize(
    ("identity", "threshold", "comparison"),
    [
        ("cam_admin", 5, ">="),
        ("cam_natural", 2, ">="),
        ("cam_deficit", 0, "<="),
        ("connected", 1.0, ">="),
        ("working_public", 0.98, ">="),
        ("working_sector", 0.95, ">="),
        ("grid_staff", 1, ">="),
        ("patrol", 0.001, ">="),
        ("vol_urban", 0.13, ">="),
        ("vol_rural", 0.08, ">="),
        ("social_workers", 0.0018, ">="),
        ("community_size", 3000, "<="),
    ],
)
def test_shipped_thresholds_are_those_of_the_guide(identity, threshold, comparison):
    rule = rules.rule(rules.shipped()["sample-2025"], identity)
    assert (rule.threshold, rule.comparison) == (threshold, comparison)


def test_every_shipped_rule_has_words_source_and_dates_in_both_languages():
    for entry in files("data").joinpath("rules").iterdir():
        if not entry.name.endswith(".json"):
            continue
        body = json.loads(entry.read_text(encoding="utf-8"))
        assert entry.name == f"{body['name']}.json"
        for rule in rules.shipped()[body["name"]].rules:
            for words in (rule.label, rule.formula, rule.source, rule.amount):
                assert words.zh and words.en
                assert words.zh != words.en
            assert rule.source_date and rule.valid_from
        assert set(rules.shipped()[body["name"]].statistics) == set(STATISTICS)


def test_the_default_set_is_that_of_the_store(store):
    assert rules.read_rule_set(store).name == "sample-2025"
    rules.save_rule_set(store, PLANNER, "本县2026", changed())
    store.settings.set("rule_set", "本县2026")
    assert rules.read_rule_set(store).name == "本县2026"


def test_a_copy_is_kept_with_its_origin_and_its_changes_are_audited(store):
    saved = rules.save_rule_set(store, PLANNER, "本县2026", with_rule("cam_admin", threshold=8), based_on="sample-2025")
    assert (saved.rule("cam_admin").threshold, saved.version, saved.based_on) == (8, 1, "sample-2025")
    assert (saved.changed_by, saved.shipped, saved.name) == ("planner", False, "本县2026")
    again = rules.save_rule_set(store, PLANNER, "本县2026", with_rule("cam_admin", threshold=9), version=1)
    assert (again.version, again.rule("cam_admin").threshold) == (2, 9)
    assert [each.name for each in rules.list_rule_sets(store)] == ["sample-2025", "本县2026"]
    assert [row["action"] for row in audit.read_audit(store)][:2] == ["save_rule_set"] * 2
    rules.delete_rule_set(store, PLANNER, "本县2026")
    assert [each.name for each in rules.list_rule_sets(store)] == ["sample-2025"]


def test_who_saves_second_is_told_and_changes_nothing(store):
    rules.save_rule_set(store, PLANNER, "本县", changed(), version=0)
    rules.save_rule_set(store, PLANNER, "本县", with_rule("cam_admin", threshold=6), version=1)
    with pytest.raises(ConflictError):
        rules.save_rule_set(store, PLANNER, "本县", with_rule("cam_admin", threshold=7), version=1)
    assert rules.read_rule_set(store, "本县").rule("cam_admin").threshold == 6


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"planner", "administrator"}))
def test_other_roles_may_not_change_rules(gpkg_store, role):
    with pytest.raises(RightsError):
        rules.save_rule_set(gpkg_store, Viewer("somebody", role), "x", changed())
    with pytest.raises(RightsError):
        rules.delete_rule_set(gpkg_store, Viewer("somebody", role), "x")


def test_a_shipped_set_is_never_changed(gpkg_store):
    with pytest.raises(InputError):
        rules.save_rule_set(gpkg_store, PLANNER, "sample-2025", changed())
    with pytest.raises(InputError):
        rules.delete_rule_set(gpkg_store, PLANNER, "sample-2025")


def test_what_is_not_there_is_not_found(gpkg_store):
    with pytest.raises(NotFoundError):
        rules.read_rule_set(gpkg_store, "no such set")
    with pytest.raises(NotFoundError):
        rules.delete_rule_set(gpkg_store, PLANNER, "no such set")
    with pytest.raises(NotFoundError):
        rules.rule(rules.read_rule_set(gpkg_store), "no_such_rule")


@pytest.mark.parametrize("name", ["", " ", "../x", "a\nb", "<b>", "x" * 65, "a/b", "=1"])
def test_names_that_could_be_paths_or_markup_are_refused(gpkg_store, name):
    with pytest.raises(InputError):
        rules.save_rule_set(gpkg_store, PLANNER, name, changed())


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        changed(rules=[]),
        changed(rules=BODY["rules"] * 2),
        changed(statistics={}),
        changed(statistics={**BODY["statistics"], "level": 0}),
        changed(statistics={**BODY["statistics"], "level": True}),
        changed(statistics={**BODY["statistics"], "workload_household_norm": 0}),
        changed(statistics=BODY["statistics"] | dict.fromkeys(("workload_households", "workload_incidents", "workload_area", "workload_key_places"), 0)),
        changed(workload=[]),
        changed(workload={**BODY["workload"], "source_date": "soon"}),
        changed(workload={**BODY["workload"], "key_areas": "yes"}),
        changed(workload={**BODY["workload"], "barriers": [""]}),
        changed(workload={**BODY["workload"], "barrier_share": 1.5}),
        changed(workload={**BODY["workload"], "cells_per_grid": 1}),
        changed(label="only one language"),
        changed(source_date="soon"),
        changed(source={"zh": "x" * 2000, "en": ""}),
        with_rule("connected", threshold=1.5),
        with_rule("cam_admin", threshold="5"),
        with_rule("cam_admin", threshold=-1),
        with_rule("cam_admin", threshold=float("nan")),
        with_rule("cam_admin", units=["planet"]),
        with_rule("cam_admin", units="village"),
        with_rule("cam_admin", form="guess"),
        with_rule("cam_admin", numerator={"layer": "camera", "test": "friendly"}),
        with_rule("cam_admin", numerator={"layer": "camera", "test": "working", "class": 3}),
        with_rule("patrol", numerator={"layer": "staffing", "fields": ["wages"]}),
        with_rule("patrol", numerator={"layer": "camera", "test": "working"}),
        with_rule("connected", denominator={"layer": "unit", "fields": ["population"]}),
        with_rule("cam_deficit", parts={"per_village": "cam_admin"}),
        with_rule("area_village", parts={}),
        with_rule("community_size", applies={"committee_digits": "all"}),
        with_rule("cam_admin", colour_limits=[5, 1]),
        with_rule("cam_admin", colour_limits=[]),
    ],
)  # fmt: skip
def test_a_body_that_is_no_rule_set_is_refused_with_the_place_of_the_fault(body):
    with pytest.raises(InputError) as refused:
        parse(body, shipped=False)
    assert refused.value.where


def test_a_copy_made_before_there_was_a_workload_section_is_still_read(gpkg_store):
    older = {name: value for name, value in changed().items() if name != "workload"}
    saved = rules.save_rule_set(gpkg_store, PLANNER, "旧版", older)
    assert saved.workload is None
    assert rules.workload_of(saved) == rules.shipped()[rules.DEFAULT].workload
    own = rules.save_rule_set(gpkg_store, PLANNER, "新版", changed(workload={**BODY["workload"], "cells_per_grid": 20}))
    assert rules.workload_of(own).cells_per_grid == 20


def leaves(value, path=()):
    """Paths to all values inside a body."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(inner, (*path, key))


PATHS = [path for path in leaves(BODY) if path]
JUNK = [None, True, -1, 10**30, float("inf"), "", "x", "<script>", [], [[]], {}, {"zh": 1}, ["camera"], "2025-13-45"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A store to try rules on."""
    from layers.storage.store import Store

    with Store.create(str(tmp_path_factory.mktemp("rules") / "store.gpkg")) as store:
        yield squares.fill(store)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), junk=st.sampled_from(JUNK))
def test_a_damaged_body_is_refused_or_works(place, path, junk):
    body = copy.deepcopy(BODY)
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = junk
    name = f"try {abs(hash((path, str(junk)))) % 10**9}"
    try:
        saved = rules.save_rule_set(place, PLANNER, name, body)
    except InputError:
        return
    # What was taken can be used, or says in words why not.
    touched = path[1] if path[0] == "rules" and len(path) > 1 else 0
    rule = saved.rules[touched]
    try:
        coverage(place, OWNER, rule_set=name, rule_id=rule.id)
    except WanggeError as refused:
        assert refused.what.zh
    assert set(rule.units) <= set(KINDS)
