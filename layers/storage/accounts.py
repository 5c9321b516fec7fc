"""Accounts: who may sign in, with which role, for which areas.

Passwords are kept as argon2id hashes; `signing_in` verifies them. `session_version` goes up with every change of password,
role, areas or state, so that older sessions end.
"""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher
from sqlalchemy import Connection, delete, func, insert, select, update

from geo.errors import ConflictError, InputError, NotFoundError
from geo.words import LANGUAGES, Text

from ..rights import ROLES, Viewer
from . import schema

if TYPE_CHECKING:
    from .store import Store

MIN_PASSWORD = 10
MAX_PASSWORD = 200
FIRST_ADMINISTRATOR = "admin"

hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Hashes and verifies every password; the costs are OWASP's second choice for argon2id."""
_NAME = re.compile(r"[\w.@-]{1,64}")


@dataclass(frozen=True, slots=True)
class Account:
    """One account, without its password."""

    name: str
    role: str
    areas: tuple[str, ...]
    language: str
    must_change: bool
    disabled: bool
    session_version: int
    created_at: str
    last_sign_in_at: str | None

    @property
    def viewer(self) -> Viewer:
        """The account as whoever asks for data."""
        return Viewer(self.name, self.role, self.areas, self.language)


def of_row(row: Any) -> Account:
    """The account in a row of the table of accounts."""
    return Account(
        row.name,
        row.role,
        tuple(json.loads(row.areas)),
        row.language,
        bool(row.must_change),
        bool(row.disabled),
        row.session_version,
        row.created_at,
        row.last_sign_in_at,
    )


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    lines = files("data").joinpath("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip().lower() for line in lines if line and not line.startswith("#"))


def require_good_password(password: str, name: str) -> None:
    """Raise InputError when a password is short, common or the account's own name."""
    bare = password.lower()
    if len(password) < MIN_PASSWORD:
        what = Text(f"密码至少 {MIN_PASSWORD} 个字符。", f"A password has at least {MIN_PASSWORD} characters.")
    elif len(password) > MAX_PASSWORD:
        what = Text(f"密码最多 {MAX_PASSWORD} 个字符。", f"A password has at most {MAX_PASSWORD} characters.")
    elif bare in _common() or len(set(bare)) < 4 or bare in (name.lower() * 3, name.lower() * 2, name.lower()):
        what = Text("这个密码太常见。", "This password is too common.")
    else:
        return
    raise InputError(
        what, where="password", mend=Text("可用几个不相干的词连成一句。", "Several unrelated words make a good one.")
    )


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise InputError(
            Text(f"没有角色“{role[:40]}”。", f"There is no role '{role[:40]}'."),
            where="role",
            mend=Text("可选：" + "、".join(ROLES), "Choose one of: " + ", ".join(ROLES)),
        )


def create(
    store: "Store",
    name: str,
    role: str,
    *,
    password: str | None = None,
    areas: Sequence[str] = (),
    language: str = "zh",
    actor: str = "owner",
    must_change: bool = True,
) -> str:
    """Make an account and return its password (a random one when none is given). InputError, ConflictError."""
    if not _NAME.fullmatch(name):
        raise InputError(
            Text(
                "账号名只能用文字、数字和 . _ @ -，最多 64 个字符。",
                "An account name is letters, digits and . _ @ -, up to 64.",
            ),
            where="name",
        )
    _require_role(role)
    if language not in LANGUAGES:
        raise InputError(Text("语言应为 zh 或 en。", "The language is zh or en."), where="language")
    given = password if password is not None else secrets.token_urlsafe(12)
    require_good_password(given, name)
    hashed = hasher.hash(given)
    with store.change(actor, "create_account", details={"name": name, "role": role, "areas": list(areas)}) as change:
        taken = change.connection.scalar(
            select(func.count()).select_from(schema.account).where(func.lower(schema.account.c.name) == name.lower())
        )
        if taken:
            raise ConflictError(Text(f"账号“{name}”已存在。", f"The account '{name}' exists already."), where="name")
        change.connection.execute(
            insert(schema.account).values(
                name=name,
                role=role,
                areas=json.dumps(list(areas)),
                language=language,
                password_hash=hashed,
                must_change=must_change,
                disabled=False,
                session_version=1,
                created_at=schema.now(),
            )
        )
    return given


def ensure_administrator(store: "Store") -> tuple[str, str] | None:
    """On the first start: an administrator with a random password to be changed; (name, password), or None later."""
    if list_accounts(store):
        return None
    return FIRST_ADMINISTRATOR, create(store, FIRST_ADMINISTRATOR, "administrator")


def list_accounts(store: "Store") -> list[Account]:
    """All accounts by name."""
    with store.read() as connection:
        return [of_row(row) for row in connection.execute(select(schema.account).order_by(schema.account.c.name))]


def read(store: "Store", name: str) -> Account:
    """One account; NotFoundError."""
    with store.read() as connection:
        return of_row(_row(connection, name))


def _row(connection: Connection, name: str) -> Any:
    row = connection.execute(select(schema.account).where(schema.account.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(Text(f"没有账号“{name[:64]}”。", f"There is no account '{name[:64]}'."), where="name")
    return row


def _require_an_administrator(connection: Connection) -> None:
    """Refuse to be left without anybody who can manage accounts."""
    table = schema.account
    left = connection.scalar(
        select(func.count()).select_from(table).where(table.c.role == "administrator", table.c.disabled.is_(False))
    )
    if not left:
        raise ConflictError(
            Text("至少要保留一个可用的管理员。", "At least one administrator must remain."),
            where="role",
            mend=Text("请先指定另一个管理员。", "Appoint another administrator first."),
        )


def _alter(store: "Store", name: str, action: str, actor: str, said: dict[str, Any], values: dict[str, Any]) -> None:
    with store.change(actor, action, details={"name": name, **said}) as change:
        row = _row(change.connection, name)
        change.connection.execute(
            update(schema.account)
            .where(schema.account.c.name == name)
            .values(session_version=row.session_version + 1, **values)
        )
        if row.role == "administrator":
            _require_an_administrator(change.connection)


def set_role(store: "Store", name: str, role: str, *, areas: Sequence[str] | None = None, actor: str = "owner") -> None:
    """Give another role, and areas when named (an empty list lifts the limit); open sessions end."""
    _require_role(role)
    values: dict[str, Any] = {"role": role}
    if areas is not None:
        values["areas"] = json.dumps(list(areas))
    said = {"role": role} | ({} if areas is None else {"areas": list(areas)})
    _alter(store, name, "set_role", actor, said, values)


def set_password(
    store: "Store", name: str, password: str | None = None, *, actor: str = "owner", must_change: bool = True
) -> str:
    """Set a password (random when none is given) and return it; open sessions end. Own choice: must_change=False."""
    given = password if password is not None else secrets.token_urlsafe(12)
    require_good_password(given, name)
    values = {"password_hash": hasher.hash(given), "must_change": must_change}
    _alter(store, name, "set_password", actor, {}, values)
    with store.write() as connection:
        connection.execute(delete(schema.sign_in_try).where(schema.sign_in_try.c.subject == f"name:{name}"))
    return given


def set_language(store: "Store", name: str, language: str) -> None:
    """Remember the language of an account."""
    if language not in LANGUAGES:
        raise InputError(Text("语言应为 zh 或 en。", "The language is zh or en."), where="language")
    with store.write() as connection:
        _row(connection, name)
        connection.execute(update(schema.account).where(schema.account.c.name == name).values(language=language))


def disable(store: "Store", name: str, *, disabled: bool = True, actor: str = "owner") -> None:
    """Close an account, or open it again; open sessions end."""
    action = "disable_account" if disabled else "enable_account"
    _alter(store, name, action, actor, {}, {"disabled": disabled})
