"""Drafts as records: who may make, see and change one, and what happens when two do so at once."""

import threading

import pytest
from squares import NORTH, SOUTH, V1, V4, at, frame, put

from geo.errors import ConflictError, InputError, NotFoundError, RightsError
from layers.redrawing import draft_rights, drafts
from layers.rights import OWNER, Viewer
from layers.storage import audit
from layers.storage.history import clock, today
from layers.storage.store import Store

PLANNER = Viewer("li", "planner")
MANAGER = Viewer("wang", "grid_manager", (V1,))
SOUTHERN = Viewer("zhao", "grid_manager", (SOUTH,))


@pytest.fixture
def filled(gridded_store: Store) -> Store:
    """Two townships with villages, some with grids."""
    return gridded_store


def test_a_draft_comes_back_as_it_was_made(filled: Store) -> None:
    made = drafts.create(
        filled, MANAGER, title=" 调整桥头村网格 ", parent_code=V1, reason="户数过多", effective_from="2027-03-01"
    )
    assert drafts.read(filled, PLANNER, made.id) == made
    assert (made.title, made.level, made.parent_kind, made.parent_code) == ("调整桥头村网格", "grid", "village", V1)
    assert (made.version, made.state, made.author, made.editors) == (1, "draft", "wang", ("wang",))
    shown = made.as_dict("en")
    assert (shown["state_label"], shown["level_label"], shown["effective_from"]) == ("draft", "grid", "2027-03-01")
    newest = audit.read_audit(filled)[0]
    assert (newest["action"], newest["actor"], newest["details"]["draft"]) == ("draft_create", "wang", made.id)


def test_without_a_day_a_draft_is_about_today(filled: Store) -> None:
    assert drafts.create(filled, PLANNER, title="a", parent_code=SOUTH).effective_from == today().isoformat()


def test_the_same_key_makes_one_draft(filled: Store) -> None:
    first, second = (drafts.create(filled, PLANNER, title="a", parent_code=V1, key="once") for _ in range(2))
    assert first.id == second.id
    assert len(drafts.list_drafts(filled, PLANNER)) == 1


@pytest.mark.parametrize("role", ["viewer", "reporter", "dispatcher"])
def test_roles_without_the_right_neither_make_nor_see_drafts(filled: Store, role: str) -> None:
    made = drafts.create(filled, PLANNER, title="a", parent_code=V1)
    other = Viewer("sun", role)
    for act in (
        lambda: drafts.create(filled, other, title="a", parent_code=V1),
        lambda: drafts.read(filled, other, made.id),
        lambda: drafts.list_drafts(filled, other),
    ):
        with pytest.raises(RightsError):
            act()


def test_an_account_named_as_approver_sees_drafts(filled: Store) -> None:
    made = drafts.create(filled, PLANNER, title="a", parent_code=V1)
    head = Viewer("head", "viewer")
    assert not draft_rights.may_approve(filled, head)
    filled.settings.set(draft_rights.APPROVERS, ["head"])
    assert draft_rights.may_approve(filled, head)
    assert drafts.read(filled, head, made.id) == made
    with pytest.raises(RightsError):
        drafts.discard(filled, head, made.id, 1)


def test_an_account_sees_drafts_of_its_own_areas_only(filled: Store) -> None:
    own = drafts.create(filled, PLANNER, title="a", parent_code=V1)
    around = drafts.create(filled, PLANNER, title="b", parent_code=SOUTH)
    far = drafts.create(filled, PLANNER, title="c", level="village", parent_code=NORTH)
    listed = {who.name: {d.id for d in drafts.list_drafts(filled, who)} for who in (PLANNER, SOUTHERN, MANAGER)}
    assert listed == {"li": {own.id, around.id, far.id}, "zhao": {own.id, around.id}, "wang": {own.id}}
    with pytest.raises(NotFoundError):
        drafts.read(filled, MANAGER, around.id)
    with pytest.raises(NotFoundError):
        drafts.edit(filled, MANAGER, far.id, 1, title="x")
    with pytest.raises(RightsError):
        drafts.create(filled, MANAGER, title="d", parent_code=V4)


def test_nothing_is_drafted_where_there_is_nothing_to_redraw(filled: Store) -> None:
    for asked in (
        {"parent_code": V4},  # no grids
        {"parent_code": V1, "effective_from": "1850-01-01"},  # no village yet
        {"effective_from": "1850-01-01"},  # nor anything else
    ):
        with pytest.raises(NotFoundError):
            drafts.create(filled, PLANNER, title="a", **asked)
    for day in ("0897-04-09", "9999-12-31", "2026-02-30"):
        with pytest.raises(InputError) as told:
            drafts.create(filled, PLANNER, title="a", parent_code=V1, effective_from=day)
        assert told.value.where == "effective_from"
    made = drafts.create(filled, PLANNER, title="a", parent_code=V1)
    with pytest.raises(NotFoundError):
        drafts.edit(filled, PLANNER, made.id, 1, effective_from="1850-01-01")
    assert drafts.read(filled, PLANNER, made.id) == made


def test_only_the_author_and_reviewers_change_a_draft(filled: Store) -> None:
    made = drafts.create(filled, MANAGER, title="a", parent_code=V1)
    with pytest.raises(RightsError):
        drafts.edit(filled, SOUTHERN, made.id, 1, title="b")
    assert drafts.edit(filled, PLANNER, made.id, 1, title="b").title == "b"
    assert drafts.edit(filled, MANAGER, made.id, 2, title="c").version == 3


def test_the_second_of_two_browsers_is_told_who_was_first_and_when(filled: Store) -> None:
    made = drafts.create(filled, PLANNER, title="a", parent_code=V1)
    first = drafts.edit(filled, OWNER, made.id, 1, title="b")
    with pytest.raises(ConflictError) as told:
        drafts.edit(filled, PLANNER, made.id, 1, title="c")
    assert "owner" in told.value.what.en
    assert clock(first.updated_at) in told.value.what.zh
    assert drafts.read(filled, PLANNER, made.id) == first


def test_of_ten_edits_at_once_one_is_done(filled: Store) -> None:
    made = drafts.create(filled, PLANNER, title="a", parent_code=V1)
    outcomes: list[str] = []

    def change(number: int) -> None:
        try:
            drafts.edit(filled, PLANNER, made.id, 1, title=f"t{number}")
            outcomes.append("done")
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=change, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 9 + ["done"]
    assert drafts.read(filled, PLANNER, made.id).version == 2


def test_a_draft_that_is_not_being_drafted_cannot_change(filled: Store) -> None:
    made = drafts.create(filled, PLANNER, title="a", parent_code=V1)
    gone = drafts.discard(filled, PLANNER, made.id, 1)
    assert (gone.state, gone.version) == ("discarded", 2)
    for act in (drafts.edit, drafts.discard):
        with pytest.raises(ConflictError):
            act(filled, PLANNER, made.id, 2)
    assert drafts.list_drafts(filled, PLANNER, state="draft") == []
    assert [d.id for d in drafts.list_drafts(filled, PLANNER, state="discarded")] == [made.id]


def test_what_is_said_about_a_draft_is_checked(filled: Store) -> None:
    made = drafts.create(filled, PLANNER, title="a", parent_code=V1)
    for wrong in (
        {"title": " "},
        {"title": "长" * 201},
        {"title": "a\x00"},
        {"reason": "\udcff"},
        {"reason": None},
        {"effective_from": "2026-02-30"},
        {"attachments": "plan.pdf"},
        {"attachments": ["x"] * 51},
        {"locked": [1]},
        {"state": "approved"},
    ):
        with pytest.raises(InputError):
            drafts.edit(filled, PLANNER, made.id, 1, **wrong)
    now = drafts.edit(filled, PLANNER, made.id, 1, attachments=["批复.pdf", "批复.pdf"], locked=[f"{V1}001"])
    assert (now.attachments, now.locked) == (("批复.pdf",), (f"{V1}001",))


def test_a_correction_needs_the_right_to_mend(filled: Store) -> None:
    with pytest.raises(RightsError):
        drafts.create(filled, MANAGER, title="a", parent_code=V1, correction=True)
    made = drafts.create(filled, MANAGER, title="a", parent_code=V1)
    with pytest.raises(RightsError):
        drafts.edit(filled, MANAGER, made.id, 1, correction=True)
    assert drafts.edit(filled, PLANNER, made.id, 1, correction=True).correction


@pytest.mark.parametrize(
    ("level", "code", "error"),
    [
        ("grid", None, InputError),
        ("grid", "990983102999", NotFoundError),
        ("grid", "990983000000", NotFoundError),
        ("village", V1, NotFoundError),
        ("county", None, InputError),
    ],
)
def test_a_draft_belongs_to_an_area_of_the_right_level(filled: Store, level: str, code: str, error: type) -> None:
    with pytest.raises(error):
        drafts.create(filled, PLANNER, title="a", level=level, parent_code=code)


def test_villages_are_redrawn_within_a_township_or_the_county(filled: Store) -> None:
    made = [drafts.create(filled, PLANNER, title="a", level="village", parent_code=c) for c in (NORTH, "990983000000")]
    assert [draft.parent_kind for draft in made] == ["township", "county"]


def test_in_a_store_without_villages_a_draft_has_no_parent(store: Store) -> None:
    put(store, "grid", frame([at(0, 0).buffer(0.01)], grid_code=["a"]))
    made = drafts.create(store, PLANNER, title="a")
    assert (made.parent_kind, made.parent_code) == (None, None)
    limited = Viewer("wang", "grid_manager", ("a",))
    with pytest.raises(RightsError):
        drafts.create(store, limited, title="b")
    with pytest.raises(NotFoundError):
        drafts.read(store, limited, made.id)
