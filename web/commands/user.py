"""`wangge user`: accounts, from the terminal of whoever holds the store."""

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from geo.words import Text

from .store import open_store
from .terminal import answer, answer_json, language, say, table

if TYPE_CHECKING:
    from layers.storage.store import Store


def run(arguments: Namespace) -> int:
    """Do one action on accounts."""
    with open_store(arguments.store) as store:
        return {"add": _add, "list": _list, "role": _role, "password": _password, "disable": _disable}[
            arguments.action
        ](store, arguments)


def _given_password(arguments: Namespace) -> str | None:
    """The password from standard input, never from the command line, where others could read it."""
    return sys.stdin.readline().rstrip("\r\n") if arguments.password_stdin else None


def _tell_password(name: str, password: str, *, given: bool) -> None:
    if given:
        say(Text(f"账号 {name} 的密码已设定。", f"The password of {name} is set."))
        return
    answer(
        Text(
            f"账号 {name}，一次性密码 {password}（首次登录时须更改）",
            f"Account {name}, one-time password {password} (to be changed at the first sign-in)",
        )
    )


def _add(store: "Store", arguments: Namespace) -> int:
    from layers.storage import accounts

    given = _given_password(arguments)
    password = accounts.create(
        store,
        arguments.name,
        arguments.role,
        password=given,
        areas=arguments.area or (),
        language=language(),
        must_change=given is None,
    )
    _tell_password(arguments.name, password, given=given is not None)
    return 0


def _list(store: "Store", arguments: Namespace) -> int:
    from layers.rights import ROLES
    from layers.storage import accounts

    known = accounts.list_accounts(store)
    if arguments.json:
        names = ("name", "role", "areas", "language", "disabled", "created_at", "last_sign_in_at")
        answer_json([{name: getattr(account, name) for name in names} for account in known])
        return 0
    heads = (
        Text("账号", "account"),
        Text("角色", "role"),
        Text("区域", "areas"),
        Text("状态", "state"),
        Text("上次登录", "last sign-in"),
    )
    state = {True: Text("停用", "closed").to(language()), False: Text("启用", "open").to(language())}
    rows = [
        (
            account.name,
            ROLES[account.role].to(language()),
            " ".join(account.areas) or "-",
            state[account.disabled],
            account.last_sign_in_at or "-",
        )
        for account in known
    ]
    for line in table(heads, rows):
        answer(line)
    return 0


def _role(store: "Store", arguments: Namespace) -> int:
    from layers.rights import ROLES
    from layers.storage import accounts

    accounts.set_role(store, arguments.name, arguments.role, areas=arguments.area)
    label = ROLES[arguments.role]
    say(Text(f"账号 {arguments.name} 的角色：{label.zh}。", f"The role of {arguments.name}: {label.en}."))
    return 0


def _password(store: "Store", arguments: Namespace) -> int:
    from layers.storage import accounts

    given = _given_password(arguments)
    password = accounts.set_password(store, arguments.name, given, must_change=given is None)
    _tell_password(arguments.name, password, given=given is not None)
    return 0


def _disable(store: "Store", arguments: Namespace) -> int:
    from layers.storage import accounts

    accounts.disable(store, arguments.name, disabled=not arguments.enable)
    done = Text("已重新启用", "is open again") if arguments.enable else Text("已停用", "is closed")
    say(Text(f"账号 {arguments.name} {done.zh}。", f"The account {arguments.name} {done.en}."))
    return 0
