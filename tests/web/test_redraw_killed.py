"""The server killed at random moments while a draft is drawn, decided and withdrawn: the store is whole, the draft
still there, and the request whose answer was lost is answered when it is sent again, done once.

`WANGGE_KILLS` sets how often; a few times without it.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import chessboard
import pytest
from flask import Flask, Response, request
from office import PASSWORD, Person, open_office
from sqlalchemy import select

from layers.redrawing import drafts
from layers.redrawing.draft import Draft
from layers.rights import OWNER
from layers.storage import accounts, audit, schema
from layers.storage.history import today
from layers.storage.store import Store
from web import sessions

KILLS = int(os.environ.get("WANGGE_KILLS", "4"))
LATER = (today() + timedelta(days=30)).isoformat()
DRAWING = ("draw", "draw", "undo", "redo", "draw", "title", "submit")
DECIDING = {"proposed": "review", "reviewed": "approve", "approved": "withdraw"}
ACTORS = {"review": "reviewer", "approve": "chief", "withdraw": "chief"}

# Starting Python costs more than the work, so one process loads everything and forks a server per line it reads.
SERVER = """
import json, os, signal, sys
import test_redraw_killed as here
from layers.storage.store import Store
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
url, path = sys.argv[1:]
while line := sys.stdin.readline():
    begin, last, diary = json.loads(line)
    if os.fork():
        continue
    os.write(1, f"{os.getpid()}\\n".encode())
    note = here.Diary(diary)
    try:
        here.work(here.people(Store.open(url), dies=True), path, begin, last, note)
    except BaseException as error:
        note.write(fault=repr(error)[:500])
    os._exit(1)
"""


class Diary:
    """What a server does, one line each, on disk before it goes on."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **facts: Any) -> None:
        os.write(self._file, json.dumps(facts).encode() + b"\n")


def people(store: Store, *, dies: bool = False) -> dict[str, Person]:
    """Everybody signed in, without checking passwords; on a server that `dies` when it is told to."""
    app = open_office(store)
    if dies:
        app.after_request(_die_if_told)
    return {name: enter(app, store, name) for name in ("author", "reviewer", "chief")}


def _die_if_told(response: Response) -> Response:
    """Die between what was done and its answer."""
    if request.headers.get("X-Last"):
        os.kill(os.getpid(), signal.SIGKILL)
    return response


def enter(app: Flask, store: Store, name: str) -> Person:
    one = Person(app)
    with app.test_request_context("/"):
        sessions.begin(name, accounts.read(store, name).session_version)
        begun = dict(sessions.session)
    with one.client.session_transaction() as kept:
        kept.update(begun)
    one.refresh()
    return one


def request_of(path: str, act: str, facts: dict[str, Any], number: int) -> tuple[str, str, dict[str, Any]]:
    """Method, address and body of the next act."""
    version = facts["version"]
    if act == "draw":
        pair = chessboard.PAIRS[number % len(chessboard.PAIRS)]
        operation = chessboard.transfer(pair, number // len(chessboard.PAIRS), 100)
        return "POST", f"{path}/operations", {"version": version, "operations": [operation]}
    if act == "title":
        return "PATCH", path, {"version": version, "title": f"第 {number} 次"}
    more = {"review": {"verdict": "agree"}, "submit": {"note": "请审"}}.get(act, {})
    return "POST", f"{path}/{act}", {"version": version, **more}


def next_act(facts: dict[str, Any], number: int) -> str:
    """What comes next for a draft that an earlier server may have left in any state."""
    if facts["state"] != "draft":
        return DECIDING[facts["state"]]
    act = DRAWING[number % len(DRAWING)]
    return "draw" if act == "redo" and not facts["redone"] else act


def work(signed_in: dict[str, Person], path: str, begin: int, last: int, diary: Diary) -> None:
    """Draw and decide until killed (at request `last` by itself), and write down before and after each request what is asked and what came."""
    for number in range(begin, begin + 10_000):
        facts = signed_in["author"].get(path).json
        act = next_act(facts, number)
        method, address, body = request_of(path, act, facts, number)
        who = ACTORS.get(act, "author")
        key = f"kill-{number}-{facts['version']}"
        diary.write(asked={"who": who, "method": method, "path": address, "body": body, "key": key, "number": number})
        answer = signed_in[who].send(
            method, address, body, headers={"Idempotency-Key": key} | ({"X-Last": "1"} if number == last else {})
        )
        diary.write(status=answer.status_code, version=answer.json.get("version"), said=answer.json.get("what"))


@pytest.fixture
def draft_path(store: Store) -> str:
    """A village, three accounts and a draft with a first operation."""
    chessboard.fill(store)
    for name, role in (("author", "planner"), ("reviewer", "planner"), ("chief", "administrator")):
        accounts.create(store, name, role, password=PASSWORD, must_change=False)
    author = people(store)["author"]
    body = {"title": "试划", "parent_code": chessboard.VILLAGE, "reason": "调整", "effective_from": LATER}
    path = f"/api/v1/drafts/{author.send('POST', '/api/v1/drafts', body).json['id']}"
    first = {"version": 1, "operations": [chessboard.transfer(chessboard.PAIRS[0], 99, 100)]}
    assert author.send("POST", f"{path}/operations", first).json["results"][0]["ok"]
    return path


@pytest.fixture
def servers(store: Store, draft_path: str) -> Iterator[subprocess.Popen]:
    """The process that starts a server for each line it is given."""
    folder = str(Path(__file__).parent)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(folder).parent), folder])}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, store.url, draft_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(folder).parents[1],
    ) as parent:
        yield parent
        assert parent.stdin is not None
        parent.stdin.close()


def require_sound(store: Store, number: int) -> Draft:
    """The store's own checks, and the draft and the layer as they must be whatever happened."""
    assert store.quick_check()
    assert audit.verify_chain(store) == []
    with store.read() as connection:
        assert connection.execute(select(schema.change.c.id).where(schema.change.c.state == "pending")).all() == []
    draft = drafts.read(store, OWNER, number)
    chessboard.require_layer_whole(store, today().isoformat())
    decided = chessboard.require_layer_whole(store, LATER)
    if draft.change_id is None:
        chessboard.require_whole(store, draft)
        assert all(shape.equals(chessboard.square_of(code)) for code, shape in decided.items())
    else:
        assert draft.state == "approved"
        given = sum(not shape.equals(chessboard.square_of(code)) for code, shape in decided.items())
        assert given >= 2
    return draft


@pytest.mark.slow
def test_a_server_killed_at_random_moments_leaves_whole_drafts_and_answers_again(
    store: Store, draft_path: str, servers: subprocess.Popen, tmp_path: Path
) -> None:
    chance, number = random.Random(11), int(draft_path.rsplit("/", 1)[1])
    answered = repeated = done_before = begin = 0
    for turn in range(KILLS):
        diary = kill_one(servers, tmp_path / f"server{turn}.jsonl", begin, chance)
        assert not [line for line in diary if "fault" in line], diary[-1]
        said = [line for line in diary if "status" in line]
        assert [line for line in said if line["status"] != 200] == []
        answered += len(said)
        lost = diary[-1].get("asked")
        begin = [line["asked"] for line in diary if "asked" in line][-1]["number"] + 1
        with Store.open(store.url) as fresh:
            draft = require_sound(fresh, number)
            if said:
                assert draft.version >= said[-1]["version"]
            if lost is None:
                continue
            happened = draft.version > lost["body"]["version"]
            done_before += happened
            one = people(fresh)[lost["who"]]
            first, again = (
                one.send(lost["method"], lost["path"], lost["body"], headers={"Idempotency-Key": lost["key"]})
                for _ in range(2)
            )
            assert first.status_code == 200, (happened, lost, first.json)
            assert (again.status_code, again.json) == (200, first.json)
            assert require_sound(fresh, number).version == lost["body"]["version"] + 1
            repeated += 1
    print("answered", answered, "lost and sent again", repeated, "of which done before", done_before)
    assert answered + repeated >= KILLS // 2


def kill_one(servers: subprocess.Popen, diary: Path, begin: int, chance: random.Random) -> list[dict[str, Any]]:
    """Start a server, kill it at some moment of one of its first requests, and give what it wrote down.

    About every other one dies by itself when all is done and nothing is answered yet.
    """
    assert servers.stdin is not None and servers.stdout is not None
    alone = chance.random() < 0.5
    last = begin + chance.randrange(12) if alone else -1
    servers.stdin.write(json.dumps([begin, last, str(diary)]) + "\n")
    servers.stdin.flush()
    pid = int(servers.stdout.readline())
    pause = threading.Event()
    if not alone:
        # Counted in lines, not in seconds: a busy machine must not keep it from coming to the interesting moments.
        lines = chance.randrange(1, 24)
        while not diary.exists() or diary.read_bytes().count(b"\n") < lines:
            pause.wait(0.002)
        pause.wait(chance.uniform(0.0, 0.06))
        os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}").exists():
        pause.wait(0.002)
    return [json.loads(line) for line in diary.read_text().splitlines()]
