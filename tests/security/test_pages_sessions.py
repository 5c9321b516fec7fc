"""Sessions end when they must, cannot be handed over, and passwords cannot be guessed at speed."""

import time

import pytest
from office import PASSWORD, Person, token_in

from layers.storage import accounts, signing_in
from web import sessions


def cookie_of(one: Person) -> str:
    found = one.client.get_cookie("wangge_session")
    assert found is not None
    return found.value


def copy_of(one: Person) -> Person:
    """Somebody who got hold of the cookie."""
    other = Person(one.app)
    other.client.set_cookie("wangge_session", cookie_of(one))
    return other


def test_the_session_before_the_sign_in_is_not_the_one_after(app, person):
    one = person()
    page = one.client.get("/sign-in")
    before, token = cookie_of(one), token_in(page)
    one.client.post("/sign-in", data={"name": "planner", "password": PASSWORD, "csrf_token": token})
    after = cookie_of(one)
    assert before != after
    planted = Person(app)
    planted.client.set_cookie("wangge_session", before)
    assert planted.get("/api/v1/session").status_code == 401
    # The token that an attacker could know from before is worth nothing afterwards.
    assert one.client.post("/api/v1/backup", json={}, headers={"X-CSRFToken": token}).status_code in (400, 403)
    one.refresh()
    assert one.token != token


def test_a_copied_cookie_ends_with_the_sign_out(person):
    one = person("planner")
    thief = copy_of(one)
    assert thief.get("/api/v1/session").status_code == 200
    assert one.send("POST", "/sign-out").status_code == 303
    assert thief.get("/api/v1/session").status_code == 401


CHANGES = {
    "password": lambda store: accounts.set_password(store, "planner", "another-long-word"),
    "role": lambda store: accounts.set_role(store, "planner", "viewer"),
    "areas": lambda store: accounts.set_role(store, "planner", "planner", areas=["990101001000"]),
    "disabled": lambda store: accounts.disable(store, "planner"),
}


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_every_change_of_an_account_ends_its_sessions_at_once(app, person, what):
    one, other = person("planner"), person("viewer")
    assert one.get("/features/camera?bbox=111,27,112,28").status_code == 200
    CHANGES[what](app.extensions["wangge_store"])
    assert one.get("/features/camera?bbox=111,27,112,28").status_code == 401
    assert one.get("/").status_code == 302
    assert other.get("/api/v1/session").status_code == 200


def test_ones_own_new_password_ends_the_other_sessions_only(person):
    here, there = person("planner"), person("planner")
    page = here.client.get("/password")
    form = {"old": PASSWORD, "new": "four-quiet-boats", "again": "four-quiet-boats", "csrf_token": token_in(page)}
    assert here.client.post("/password", data=form).status_code == 303
    assert here.get("/api/v1/session").status_code == 200
    assert there.get("/api/v1/session").status_code == 401
    assert person().sign_in("planner").status_code == 401
    assert person().sign_in("planner", "four-quiet-boats").status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [("wrong-one-here", "four-quiet-boats", "four-quiet-boats"), (PASSWORD, "four-quiet-boats", "five-quiet-boats"),
     (PASSWORD, PASSWORD, PASSWORD), (PASSWORD, "short", "short"), (PASSWORD, "1234567890", "1234567890"),
     (PASSWORD, "plannerplanner", "plannerplanner")],
)  # fmt: skip
def test_bad_new_passwords_are_refused_and_change_nothing(person, old, new, again):
    one = person("planner")
    token = token_in(one.client.get("/password"))
    answer = one.client.post("/password", data={"old": old, "new": new, "again": again, "csrf_token": token})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert person().sign_in("planner").status_code == 303


class Clock:
    """Both clocks of the machine, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.steady = time.time(), time.monotonic()
        monkeypatch.setattr(sessions.time, "time", lambda: self.wall)
        monkeypatch.setattr(sessions.time, "monotonic", lambda: self.steady)

    def pass_s(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


HOUR_S = 3600


def test_a_session_ends_after_eight_idle_hours(app, person, monkeypatch):
    clock, one = Clock(monkeypatch), person("planner")
    clock.pass_s(8 * HOUR_S - 60)
    assert one.get("/api/v1/session").status_code == 200
    clock.pass_s(8 * HOUR_S - 60)
    assert one.get("/api/v1/session").status_code == 200
    clock.pass_s(8 * HOUR_S + 60)
    assert one.get("/api/v1/session").status_code == 401


def test_a_session_ends_after_seven_days_however_busy(person, monkeypatch):
    clock, one = Clock(monkeypatch), person("planner")
    for _ in range(24):
        clock.pass_s(7 * HOUR_S - 60)
        assert one.get("/api/v1/session").status_code == 200
    clock.pass_s(HOUR_S)
    assert one.get("/api/v1/session").status_code == 401


def test_setting_the_clock_back_does_not_stretch_a_session(person, monkeypatch):
    clock, one = Clock(monkeypatch), person("planner")
    clock.steady += 8 * HOUR_S + 60
    clock.wall -= 24 * HOUR_S
    assert one.get("/api/v1/session").status_code == 401


def test_a_clock_set_back_across_a_restart_ends_the_session(person, monkeypatch):
    clock, one = Clock(monkeypatch), person("planner")
    monkeypatch.setattr(sessions, "_boot", lambda: "another start of the machine")
    clock.steady = 10
    assert one.get("/api/v1/session").status_code == 200
    clock.wall -= HOUR_S
    assert one.get("/api/v1/session").status_code == 401


def test_an_active_session_sets_few_cookies(person, monkeypatch):
    clock, one = Clock(monkeypatch), person("planner")
    assert [bool(one.get("/api/v1/jobs").headers.get("Set-Cookie")) for _ in range(3)] == [False] * 3
    clock.pass_s(600)
    assert [bool(one.get("/api/v1/jobs").headers.get("Set-Cookie")) for _ in range(3)] == [True, False, False]


def test_a_changed_cookie_is_worth_nothing(person):
    one = person("viewer")
    value = cookie_of(one)
    # The last sign of a signature holds two bits that count for nothing, so more than that is changed.
    for changed in (value[:-8] + "xxxxxxxx", value.split(".")[0], "e30." + value.split(".", 1)[1], "x" * 3000):
        one.client.set_cookie("wangge_session", changed)
        assert one.get("/api/v1/session").status_code == 401


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app, person):
    one = person()
    header = one.sign_in("planner").headers["Set-Cookie"]
    assert "HttpOnly" in header and "SameSite=Lax" in header and "Secure" not in header
    app.config.update(TLS=True, SESSION_COOKIE_SECURE=True)
    secure = Person(app)
    answer = secure.client.get("/sign-in", base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"]


def test_many_wrong_tries_have_to_wait_and_the_right_one_too(app, person):
    one = person()
    answers = [one.sign_in("planner", f"wrong-guess-{number}").status_code for number in range(10)]
    assert answers[:4] == [401] * 4
    assert answers[-1] == 429
    waiting = one.sign_in("planner", PASSWORD)
    assert waiting.status_code == 429
    assert int(waiting.headers["Retry-After"]) >= 1


def test_after_the_delay_the_right_password_is_taken(app, person, monkeypatch):
    from datetime import UTC, datetime, timedelta

    one = person()
    for number in range(6):
        one.sign_in("planner", f"wrong-guess-{number}")
    assert one.sign_in("planner").status_code == 429

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(UTC) + timedelta(minutes=16)

    monkeypatch.setattr(signing_in, "datetime", Later)
    assert one.sign_in("planner").status_code == 303


def test_unknown_names_and_wrong_passwords_get_the_same_page(person):
    known, unknown = person().sign_in("viewer", "not-the-password"), person().sign_in("nobody", "not-the-password")
    assert known.status_code == unknown.status_code == 401
    pages = []
    for answer, name in ((known, "viewer"), (unknown, "nobody")):
        page = answer.get_data(as_text=True).replace(name, "NAME")
        for line in page.splitlines():
            if "csrf_token" in line:
                page = page.replace(line, "")
        pages.append(page)
    assert pages[0] == pages[1]


def test_the_page_says_nothing_about_a_closed_account(app, person):
    accounts.disable(app.extensions["wangge_store"], "viewer")
    assert person().sign_in("viewer").status_code == 401
