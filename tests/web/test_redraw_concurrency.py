"""Many people who redraw at once, through a real server, on both stores: no save is lost, every conflict is told.

`WANGGE_EDITORS=full` has twenty of them save fifty times each; without it ten of them twice.
"""

import copy
import http.client
import json
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chessboard
import pytest
import shapely
from office import PASSWORD, Person, open_office
from sqlalchemy import insert, select
from visitor import serving

from layers.redrawing import drafts, redraw_session
from layers.redrawing.draft import Draft
from layers.rights import OWNER
from layers.storage import accounts, schema
from layers.storage.history import today
from layers.storage.store import Store

FULL = os.environ.get("WANGGE_EDITORS") == "full"
EDITORS = 20 if FULL else 10
SAVES = 50 if FULL else 2
PATIENCE = 100_000
LATER = (today() + timedelta(days=30)).isoformat()


class Editor:
    """One account at a browser of its own, over HTTP."""

    def __init__(self, first: Person, address: str, name: str) -> None:
        """Signed in as the first one was, so that twenty passwords need not be checked slowly."""
        client = first.app.test_client()
        with first.client.session_transaction() as theirs, client.session_transaction() as mine:
            mine.update({**theirs, "account": name, "id": secrets.token_hex(16)})
        cookie = client.get_cookie("wangge_session")
        assert cookie is not None
        self.name = name
        self._host = urlsplit(address).netloc
        self._headers = {"Cookie": f"wangge_session={cookie.value}", "X-CSRFToken": first.token}
        self._line: http.client.HTTPConnection | None = None
        self.answers: Counter[int] = Counter()

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one request."""
        headers, data = dict(self._headers), None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body)
        for attempt in (1, 2):
            line = self._line or http.client.HTTPConnection(self._host, timeout=120)
            try:
                line.request(method, path, data, headers)
                answer = line.getresponse()
                said = json.loads(answer.read())
                break
            except (http.client.RemoteDisconnected, ConnectionResetError):
                # An idle line was closed by the server before this request reached it.
                line.close()
                self._line = None
                if attempt == 2:
                    raise
        self._line = line
        self.answers[answer.status] += 1
        return answer.status, said

    def insist(self, path: str, step: str, **more: Any) -> Any:
        """Take a step on the newest version, again and again while others are faster."""
        for _ in range(PATIENCE):
            _, facts = self.call("GET", path)
            status, said = self.call("POST", f"{path}/{step}", {"version": facts["version"], **more})
            if status != 409:
                assert status == 200, (status, said)
                return said
            assert said["code"] == "conflict" and said["what"] and said["mend"]
        raise AssertionError(f"{step} never got through")

    def window(self) -> "Editor":
        """The same account at another window of the same browser."""
        other = copy.copy(self)
        other._line, other.answers = None, Counter()
        return other

    def close(self) -> None:
        """Let go of the connection."""
        if self._line is not None:
            self._line.close()


def add_accounts(store: Store) -> None:
    """Planners and an administrator with one password, hashed once."""
    accounts.create(store, "chief", "administrator", password=PASSWORD, must_change=False)
    accounts.create(store, "editor0", "planner", password=PASSWORD, must_change=False)
    with store.write() as connection:
        row = dict(
            connection.execute(select(schema.account).where(schema.account.c.name == "editor0")).mappings().one()
        )
        connection.execute(insert(schema.account), [row | {"name": f"editor{n}"} for n in range(1, EDITORS)])


@pytest.fixture
def board(store: Store, tmp_path: Path):
    """The village on a served store, its editors and the chief, all signed in."""
    chessboard.fill(store)
    add_accounts(store)
    app = open_office(store, WORK_FOLDER=str(tmp_path / "work"))
    with serving(app) as address:
        first = Person(app, "chief")
        editors = [Editor(first, address, f"editor{n}") for n in range(EDITORS)]
        chief = Editor(first, address, "chief")
        yield store, editors, chief
        for one in [*editors, chief]:
            one.close()


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Do everything at the same time; what each gave."""
    gate, gave = threading.Barrier(len(acts)), [None] * len(acts)
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            gate.wait()
            gave[number] = acts[number]()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return gave


def begin(one: Editor, title: str) -> str:
    body = {"title": title, "parent_code": chessboard.VILLAGE, "reason": "调整", "effective_from": LATER}
    status, made = one.call("POST", "/api/v1/drafts", body)
    assert status == 201, made
    return f"/api/v1/drafts/{made['id']}"


def save(one: Editor, path: str, operation: dict[str, Any]) -> None:
    (result,) = one.insist(path, "operations", operations=[operation])["results"]
    assert result["ok"], result


def require_only(editors: list[Editor], *statuses: int) -> Counter[int]:
    told: Counter[int] = Counter()
    for one in editors:
        told += one.answers
    assert set(told) <= set(statuses), told
    return told


def number_of(path: str) -> int:
    return int(path.rsplit("/", 1)[1])


def same_in_a_fresh_process(store: Store, draft: Draft) -> bool:
    """Whether somebody who only has what is stored comes to the same bytes."""
    there = redraw_session.session(store, OWNER, draft)
    with Store.open(store.url) as other:
        anew = redraw_session.session(other, OWNER, draft)
        return there.codes() == anew.codes() and all(
            shapely.to_wkb(there.shape(code)) == shapely.to_wkb(anew.shape(code)) for code in there.codes()
        )


def test_in_one_draft_on_the_same_grids_every_save_is_kept_and_every_loser_told(board):
    store, editors, _ = board
    path = begin(editors[0], "同一草案")
    # Four people at each of five borders.
    of = 4 * SAVES

    def work(number: int) -> Callable[[], None]:
        pair, first = chessboard.PAIRS[number // 4], (number % 4) * SAVES
        return lambda: [save(editors[number], path, chessboard.transfer(pair, first + n, of)) for n in range(SAVES)]

    at_once([work(number) for number in range(EDITORS)])
    told = require_only(editors, 200, 201, 409)
    draft = drafts.read(store, OWNER, number_of(path))
    wanted = [
        chessboard.transfer(chessboard.PAIRS[n // 4], (n % 4) * SAVES + k, of)
        for n in range(EDITORS)
        for k in range(SAVES)
    ]
    kept = sorted(json.dumps(operation["piece"]) for operation in draft.operations)
    assert kept == sorted(json.dumps(operation["piece"]) for operation in wanted)
    assert draft.version == 1 + EDITORS * SAVES
    assert told[409] > 0, "nobody met anybody: nothing was tested"
    assert set(draft.editors) == {one.name for one in editors}
    chessboard.require_whole(store, draft)
    assert same_in_a_fresh_process(store, draft)
    print("saves", EDITORS * SAVES, "told", dict(told))


def test_drafts_on_different_grids_never_disturb_each_other_on_the_way_to_a_decision(board):
    store, editors, chief = board
    before = chessboard.require_layer_whole(store, LATER)
    paths = at_once([lambda one=one: begin(one, one.name) for one in editors])

    def work(number: int) -> Callable[[], None]:
        one, path, pair = editors[number], paths[number], chessboard.PAIRS[number]
        return lambda: [save(one, path, chessboard.transfer(pair, n, SAVES)) for n in range(SAVES)]

    at_once([work(number) for number in range(EDITORS)])
    require_only(editors, 200, 201)
    at_once([lambda one=one, path=path: one.insist(path, "submit") for one, path in zip(editors, paths, strict=True)])
    reviewers = [*editors[1:], editors[0]]
    at_once(
        [
            lambda one=one, path=path: one.insist(path, "review", verdict="agree")
            for one, path in zip(reviewers, paths, strict=True)
        ]
    )
    for path in paths:
        assert chief.insist(path, "approve")["state"] == "approved"
    after = chessboard.require_layer_whole(store, LATER)
    assert set(after) == set(before)
    for row, column in chessboard.PAIRS[:EDITORS]:
        given = sum(chessboard.piece((row, column), n, SAVES).area for n in range(SAVES))
        west, east = chessboard.code(row, column), chessboard.code(row, column + 1)
        assert before[west].area - after[west].area == pytest.approx(given, abs=1e-6)
        assert after[east].area - before[east].area == pytest.approx(given, abs=1e-6)
    chessboard.require_layer_whole(store, today().isoformat())


def test_of_decisions_on_the_same_grid_one_is_made_and_the_others_are_told_by_whom(board):
    store, editors, chief = board
    rivals = editors[: 20 if FULL else 5]
    paths = [begin(one, one.name) for one in rivals]
    for number, (one, path) in enumerate(zip(rivals, paths, strict=True)):
        save(one, path, chessboard.transfer(chessboard.PAIRS[0], number, len(rivals)))
        one.insist(path, "submit")
        editors[(number + 1) % EDITORS].insist(path, "review", verdict="agree")
    versions = [chief.call("GET", path)[1]["version"] for path in paths]
    chiefs = [chief.window() for _ in rivals]
    answers = at_once(
        [
            lambda boss=boss, path=path, version=version: boss.call("POST", f"{path}/approve", {"version": version})
            for boss, path, version in zip(chiefs, paths, versions, strict=True)
        ]
    )
    for boss in chiefs:
        boss.close()
    assert Counter(status for status, _ in answers) == {200: 1, 409: len(rivals) - 1}
    lost = [said for status, said in answers if status == 409]
    assert all("chief" in said["what"] for said in lost), lost
    chessboard.require_layer_whole(store, LATER)
    winner = next(path for path, (status, _) in zip(paths, answers, strict=True) if status == 200)
    for path in paths:
        state = drafts.read(store, OWNER, number_of(path)).state
        assert state == ("approved" if path == winner else "reviewed")
    # Drawn again on the new boundaries, the others are decided as well.
    one, path = next((one, path) for one, path in zip(rivals, paths, strict=True) if path != winner)
    facts = one.insist(path, "rebase")
    assert (facts["state"], facts["lost"]) == ("proposed", [])
    editors[-1].insist(path, "review", verdict="agree")
    assert chief.insist(path, "approve")["state"] == "approved"
    chessboard.require_layer_whole(store, LATER)
