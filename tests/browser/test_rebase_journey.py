"""Land that changed below a draft: who was faster, drawing again on the boundaries as they are, and what is lost by it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import decided
import pytest
from draughtsman import Draughtsman
from office import PASSWORD
from visitor import Visit, serving

from layers.storage import accounts
from layers.storage.store import Store
from web.app import create_app

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@dataclass(frozen=True)
class Ground:
    """A township at a server, and its store, so that something can be decided while somebody has a page open."""

    store: Store
    address: str
    pairs: list[tuple[str, str]]  # neighbours, no grid twice


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """Thirty grids, and a planner who draws."""
    with Store.create(str(tmp_path / "ground.gpkg")) as store:
        decided.fill(store)
        accounts.create(store, "planner", "planner", password=PASSWORD, must_change=False)
        pairs: list[tuple[str, str]] = []
        for pair in decided.neighbours(store):
            if not {code for each in pairs for code in each} & set(pair):
                pairs.append(pair)
        with serving(create_app({"WORK_FOLDER": str(tmp_path / "work"), "JOB_WORKER": False}, store)) as address:
            yield Ground(store, address, pairs)


@pytest.fixture
def ground_address(ground: Ground) -> str:
    """Where it is served."""
    return ground.address


def test_what_was_decided_below_a_draft_is_told_and_the_draft_is_drawn_again(visit: Visit, ground: Ground) -> None:
    store, (first, second, third, *_) = ground.store, ground.pairs
    mine, later = (decided.drawn(store, [decided.merge(*pair) for pair in (first, second)]).id for _ in range(2))
    visitor = visit(at="ground_address")
    visitor.expected.append("409")
    someone = Draughtsman(visitor, mine)
    page = someone.open()
    assert page.locator("#act-rebase").count() == 0, "nothing has changed yet"

    # Somebody else's decision comes into force; the next drawing meets it.
    decided.approved(store, decided.drawn(store, [decided.split(store, first[0])]))
    before = set(decided.grids(store).index)
    someone.select(third[0])
    someone.tool("dissolve")
    page.keyboard.press("Enter")
    page.wait_for_selector(".conflict")
    told = page.locator(".conflict li").all_inner_texts()
    assert len(told) == 1 and "boss" in told[0], "which area and by whom"
    assert len(someone.facts()["operations"]) == 2, "nothing was kept of the drawing, nothing lost of the draft"
    visitor.shot("rebase-conflict")
    page.click(".conflict .btn:has-text('按最新边界重做')")
    page.wait_for_selector(".conflict", state="detached")
    page.get_by_text("1 步无法重做").wait_for()
    again(someone, first, second, before)

    # A draft that is opened afterwards says so at once.
    someone = Draughtsman(visitor, later)
    someone.open()
    page.click("#tab-problems")
    assert "按最新边界重做" in visitor.text(".problem-list")
    assert page.locator("#act-submit").is_visible()
    page.click("#act-rebase")
    page.wait_for_selector("#act-rebase", state="detached")
    again(someone, first, second, before)
    page.click("#act-submit")
    page.locator("dialog[open] .dialog-foot .btn-primary").click()
    page.wait_for_selector("#act-withdraw")
    assert someone.facts()["state"] == "proposed"


def again(someone: Draughtsman, lost: tuple[str, str], kept: tuple[str, str], before: set[str]) -> None:
    """The draft is drawn on the new ground: one merger is there, the other is listed with the reason."""
    page = someone.page
    someone.visitor.settle()
    facts = someone.facts()
    assert [operation["grids"] for operation in facts["operations"]] == [list(kept)]
    assert [each["operation"]["grids"] for each in facts["lost"]] == [list(lost)]
    page.click("#tab-changes")
    listed = page.locator(".notice-warn li").all_inner_texts()
    assert len(listed) == 1 and facts["lost"][0]["what"] in listed[0]
    assert page.locator(".change-list li").count() == 1
    codes = set(someone.shapes())
    assert lost[0] not in codes and lost[1] in codes and len(codes) == len(before) - 1
    assert someone.whole()
    someone.visitor.shot("rebase-lost")
