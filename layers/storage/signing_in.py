"""Signing in: a name and a password are verified, and wrong tries make the next one wait.

Wrong tries are counted in the store, per account and per address, and make the next try wait longer, never for ever: a
restart does not reset them and nobody is locked out for good. A name that does not exist costs the same time and gives
the same answer as a wrong password.
"""

import contextlib
import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update

from geo.errors import InputError, LimitError, RightsError
from geo.words import Text

from . import accounts, schema
from .accounts import Account

if TYPE_CHECKING:
    from .store import Store

FREE_TRIES = 4
"""Wrong tries in a row that cost no waiting."""
LONGEST_WAIT_S = 900

# Wrong tries on stores that cannot be written to, by store and subject; a restart forgets them, nothing else can be done.
_readonly_tries: dict[tuple[str, str], list[datetime]] = defaultdict(list)


@lru_cache(maxsize=1)
def _nobody_hash() -> str:
    return accounts.hasher.hash(secrets.token_urlsafe(16))


def wait_s(failures: int) -> float:
    """Seconds to wait after so many wrong tries in a row: none for the first, then doubling up to a quarter hour."""
    if failures <= FREE_TRIES:
        return 0.0
    return float(min(2 ** min(failures - FREE_TRIES - 1, 20), LONGEST_WAIT_S))


def _left(connection: Connection, subjects: Sequence[str], moment: datetime) -> float:
    rows = connection.execute(select(schema.sign_in_try).where(schema.sign_in_try.c.subject.in_(subjects)))
    left = 0.0
    for row in rows:
        allowance = 5 if row.subject.startswith("address:") else 0  # an office shares one address
        since = (moment - datetime.fromisoformat(row.last_at)).total_seconds()
        # A clock that went back must not lengthen the wait.
        left = max(left, min(wait_s(row.failures - allowance), wait_s(row.failures - allowance) - since))
    return left


def _count_failure(connection: Connection, subjects: Sequence[str], moment: datetime) -> None:
    table = schema.sign_in_try
    for subject in subjects:
        row = connection.execute(select(table).where(table.c.subject == subject)).one_or_none()
        if row is None:
            connection.execute(insert(table).values(subject=subject, failures=1, last_at=schema.moment_text(moment)))
        else:
            connection.execute(
                update(table)
                .where(table.c.subject == subject)
                .values(failures=row.failures + 1, last_at=schema.moment_text(moment))
            )
    day_ago = schema.moment_text(moment - timedelta(days=1))
    connection.execute(delete(table).where(table.c.last_at < day_ago))


def _readonly_left(store: "Store", subjects: Sequence[str], moment: datetime) -> float:
    """The wait for a store that cannot be written to: wrong tries are counted in this process."""
    tries = _readonly_tries[(store.url, subjects[0])]
    return wait_s(len(tries)) - (moment - tries[-1]).total_seconds() if tries else 0.0


def verify(store: "Store", name: str, password: str, address: str) -> Account:
    """The account, when name and password are right.

    Raises LimitError when it is too soon after wrong tries, RightsError with one and the same text when the name is
    unknown, the password wrong or the account closed.
    """
    moment = datetime.now(UTC)
    # A made-up name must not fill the table with long texts.
    subjects = (f"name:{name[:64]}", f"address:{address[:64]}")
    with store.read() as connection:
        left = _left(connection, subjects, moment) if not store.readonly else _readonly_left(store, subjects, moment)
        row = connection.execute(select(schema.account).where(schema.account.c.name == name)).one_or_none()
    if left > 0:
        seconds = int(left) + 1
        raise LimitError(
            Text(
                f"密码多次输入错误，请 {seconds} 秒后再试。", f"Too many wrong tries. Try again in {seconds} seconds."
            ),
            where=str(seconds),
            retry_after_s=seconds,
        )
    right = False
    with contextlib.suppress(VerificationError, InvalidHashError):
        right = accounts.hasher.verify(
            row.password_hash if row is not None else _nobody_hash(), password[: accounts.MAX_PASSWORD]
        )
    if row is None or not right or row.disabled:
        if store.readonly:
            _readonly_tries[(store.url, subjects[0])].append(moment)
        else:
            with store.write() as connection:
                _count_failure(connection, subjects, moment)
        raise RightsError(
            Text("账号或密码不正确。", "The account or the password is wrong."),
            mend=Text("请核对后重试。", "Check both."),
        )
    if store.readonly:
        _readonly_tries.pop((store.url, subjects[0]), None)
        return accounts.of_row(row)
    with store.change(name, "sign_in", details={"address": address[:64]}) as change:
        connection = change.connection
        connection.execute(delete(schema.sign_in_try).where(schema.sign_in_try.c.subject.in_(subjects)))
        connection.execute(
            update(schema.account).where(schema.account.c.name == name).values(last_sign_in_at=schema.now())
        )
        if accounts.hasher.check_needs_rehash(row.password_hash):
            connection.execute(
                update(schema.account)
                .where(schema.account.c.name == name)
                .values(password_hash=accounts.hasher.hash(password))
            )
    return accounts.of_row(row)


def change_password(store: "Store", name: str, old: str, new: str, address: str) -> Account:
    """A person's own change: the old password is verified first, and the new one must differ."""
    verify(store, name, old, address)
    if old == new:
        raise InputError(Text("新密码与旧密码相同。", "The new password is the old one."), where="password")
    accounts.set_password(store, name, new, actor=name, must_change=False)
    return accounts.read(store, name)
