"""Accounts: passwords, growing delays, sessions that end."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from geo.errors import ConflictError, InputError, LimitError, NotFoundError, RightsError
from layers.storage import accounts, audit, schema, signing_in
from layers.storage.store import Store

GOOD = "three loose words"
REAL_HASHER = accounts.hasher


@pytest.fixture(autouse=True)
def cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost is tested once; elsewhere it would only be waited for."""
    monkeypatch.setattr(accounts, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    signing_in._nobody_hash.cache_clear()


class Clock(datetime):
    """A clock that tests turn."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(signing_in, "datetime", Clock)
    monkeypatch.setattr(Clock, "ahead", timedelta())
    return Clock


def test_first_start_makes_an_administrator_once_with_a_password_to_change(store: Store) -> None:
    name, password = accounts.ensure_administrator(store)
    account = signing_in.verify(store, name, password, "127.0.0.1")
    assert account.role == "administrator"
    assert account.must_change
    assert len(password) >= accounts.MIN_PASSWORD
    assert accounts.ensure_administrator(store) is None
    assert password not in str(audit.read_audit(store))


def test_password_is_kept_as_argon2id_only(store: Store) -> None:
    accounts.create(store, "li", "planner", password=GOOD)
    with store.read() as connection:
        from sqlalchemy import select

        kept = connection.scalar(select(schema.account.c.password_hash))
    assert kept.startswith("$argon2id$")
    assert GOOD not in kept


def test_cost_of_a_hash_is_what_owasp_asks_for() -> None:
    assert REAL_HASHER.type.name == "ID"
    assert REAL_HASHER.memory_cost >= 19_456
    assert REAL_HASHER.time_cost >= 2


@pytest.mark.parametrize(
    "password", ["short", "1234567890", "Password123", "aaaaaaaaaaaa", "abababababab", "lililili12" * 30]
)
def test_weak_passwords_are_refused(gpkg_store: Store, password: str) -> None:
    with pytest.raises(InputError):
        accounts.create(gpkg_store, "li", "planner", password=password)
    assert accounts.list_accounts(gpkg_store) == []


def test_password_of_ten_characters_is_enough_and_nine_are_not() -> None:
    accounts.require_good_password("kq7x-ampel"[:10], "li")
    with pytest.raises(InputError):
        accounts.require_good_password("kq7x-ampe", "li")


def test_account_holds_role_areas_and_language(store: Store) -> None:
    accounts.create(store, "wang", "grid_manager", password=GOOD, areas=["990983102000"], language="en")
    viewer = accounts.read(store, "wang").viewer
    assert (viewer.role, viewer.areas, viewer.language) == ("grid_manager", ("990983102000",), "en")
    with pytest.raises(ConflictError):
        accounts.create(store, "WANG", "planner", password=GOOD)
    with pytest.raises(InputError):
        accounts.create(store, "x", "king", password=GOOD)
    with pytest.raises(InputError):
        accounts.create(store, "a\nb", "planner", password=GOOD)
    with pytest.raises(NotFoundError):
        accounts.read(store, "nobody")


def test_unknown_name_wrong_password_and_closed_account_get_one_answer(store: Store) -> None:
    accounts.create(store, "li", "planner", password=GOOD)
    accounts.create(store, "gone", "planner", password=GOOD)
    accounts.disable(store, "gone")
    texts = set()
    for name, password in (("li", "wrong words here"), ("nobody", GOOD), ("gone", GOOD)):
        with pytest.raises(RightsError) as caught:
            signing_in.verify(store, name, password, f"10.0.0.{len(texts)}")
        texts.add(caught.value.to("zh"))
    assert len(texts) == 1


def test_unknown_name_costs_a_hash_too(gpkg_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    real = accounts.hasher

    class Counting:
        def hash(self, password):
            return real.hash(password)

        def verify(self, kept, password):
            checked.append(kept)
            return real.verify(kept, password)

    monkeypatch.setattr(accounts, "hasher", Counting())
    with pytest.raises(RightsError):
        signing_in.verify(gpkg_store, "nobody", GOOD, "10.0.0.1")
    assert len(checked) == 1


def test_wrong_tries_wait_longer_and_longer_and_the_right_password_works_after_the_wait(store: Store, clock) -> None:
    accounts.create(store, "li", "planner", password=GOOD)
    for _ in range(signing_in.FREE_TRIES + 1):
        with pytest.raises(RightsError):
            signing_in.verify(store, "li", "wrong words here", "10.0.0.1")
    with pytest.raises(LimitError):
        signing_in.verify(store, "li", GOOD, "10.0.0.2")
    clock.ahead = timedelta(seconds=2)
    assert signing_in.verify(store, "li", GOOD, "10.0.0.2").name == "li"
    with pytest.raises(RightsError):  # the count began anew
        signing_in.verify(store, "li", "wrong words here", "10.0.0.2")


def test_delay_survives_a_restart(gpkg_store: Store) -> None:
    accounts.create(gpkg_store, "li", "planner", password=GOOD)
    for _ in range(signing_in.FREE_TRIES + 1):
        with pytest.raises(RightsError):
            signing_in.verify(gpkg_store, "li", "wrong words here", "10.0.0.1")
    with Store.open(gpkg_store.url) as again, pytest.raises(LimitError):
        signing_in.verify(again, "li", GOOD, "10.0.0.1")


def test_many_names_from_one_address_are_slowed_down(gpkg_store: Store) -> None:
    accounts.create(gpkg_store, "li", "planner", password=GOOD)
    for number in range(signing_in.FREE_TRIES + 6):
        with pytest.raises(RightsError):
            signing_in.verify(gpkg_store, f"name{number}", "wrong words here", "10.0.0.1")
    with pytest.raises(LimitError):
        signing_in.verify(gpkg_store, "li", GOOD, "10.0.0.1")
    assert signing_in.verify(gpkg_store, "li", GOOD, "10.0.0.2").name == "li"


def test_a_clock_that_went_back_does_not_lock_anybody_out(gpkg_store: Store, clock) -> None:
    accounts.create(gpkg_store, "li", "planner", password=GOOD)
    clock.ahead = timedelta(days=1)
    for _ in range(signing_in.FREE_TRIES + 1):
        with pytest.raises(RightsError):
            signing_in.verify(gpkg_store, "li", "wrong words here", "10.0.0.1")
    with gpkg_store.read() as connection:
        left = signing_in._left(connection, ["name:li"], datetime.now(UTC))
    assert left <= signing_in.wait_s(signing_in.FREE_TRIES + 1)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 1), (6, 2), (9, 16), (14, 512), (15, 900), (10_000, 900)]
)
def test_wait_grows_to_a_quarter_hour_and_no_further(failures: int, seconds: float) -> None:
    assert signing_in.wait_s(failures) == seconds


def test_sessions_end_with_password_role_areas_and_state(store: Store) -> None:
    accounts.create(store, "li", "planner", password=GOOD)
    accounts.create(store, "admin", "administrator", password=GOOD)
    versions = [accounts.read(store, "li").session_version]
    accounts.set_password(store, "li", "other loose words", actor="admin")
    versions.append(accounts.read(store, "li").session_version)
    accounts.set_role(store, "li", "viewer", areas=["990983000000"], actor="admin")
    versions.append(accounts.read(store, "li").session_version)
    accounts.disable(store, "li", actor="admin")
    versions.append(accounts.read(store, "li").session_version)
    accounts.disable(store, "li", disabled=False, actor="admin")
    versions.append(accounts.read(store, "li").session_version)
    assert versions == [1, 2, 3, 4, 5]


def test_own_change_of_password_needs_the_old_one(store: Store) -> None:
    accounts.create(store, "li", "planner", password=GOOD)
    with pytest.raises(RightsError):
        signing_in.change_password(store, "li", "wrong words here", "new loose words", "10.0.0.1")
    with pytest.raises(InputError):
        signing_in.change_password(store, "li", GOOD, GOOD, "10.0.0.1")
    changed = signing_in.change_password(store, "li", GOOD, "new loose words", "10.0.0.1")
    assert not changed.must_change
    assert signing_in.verify(store, "li", "new loose words", "10.0.0.1").name == "li"


def test_last_administrator_stays(store: Store) -> None:
    accounts.create(store, "admin", "administrator", password=GOOD)
    with pytest.raises(ConflictError):
        accounts.set_role(store, "admin", "viewer")
    with pytest.raises(ConflictError):
        accounts.disable(store, "admin")
    accounts.create(store, "second", "administrator", password=GOOD)
    accounts.set_role(store, "admin", "viewer")
    assert accounts.read(store, "admin").role == "viewer"
