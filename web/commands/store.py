"""`wangge init`, `backup`, `restore`; and how every command opens its store."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import InputError, RightsError
from geo.words import Text

from .terminal import say

if TYPE_CHECKING:
    from layers.rights import Viewer
    from layers.storage.store import Store


def open_store(given: str | None) -> "Store":
    """The store that is meant by --store, $WANGGE_STORE or the current folder."""
    from layers.storage.store import Store, store_url

    return Store.open(store_url(given))


def viewer_of(store: "Store", account: str | None) -> "Viewer":
    """With whose rights a command runs: the owner's, or those of an account that is named."""
    from layers.rights import OWNER
    from layers.storage import accounts

    if account is None:
        return OWNER
    known = accounts.read(store, account)
    if known.disabled:
        raise RightsError(Text(f"账号“{account}”已停用。", f"The account '{account}' is closed."), where="--account")
    return known.viewer


def shown(store: "Store") -> str:
    """The store as a person knows it; never with the password of a database."""
    return str(store.path) if store.path is not None else store.engine.url.render_as_string(hide_password=True)


def run(arguments: Namespace) -> int:
    """Do `init`, `backup` or `restore`."""
    return {"init": _init, "backup": _backup, "restore": _restore}[arguments.command](arguments)


def _init(arguments: Namespace) -> int:
    from layers.figures import rules
    from layers.storage.store import Store, store_url

    known = rules.shipped()
    if arguments.rules is not None and arguments.rules not in known:
        raise InputError(
            Text(f"没有规则集“{arguments.rules[:40]}”。", f"There is no rule set '{arguments.rules[:40]}'."),
            where="--rules",
            mend=Text(f"可用：{'、'.join(known)}", f"There are: {', '.join(known)}"),
        )
    with Store.create(store_url(arguments.store), codes=arguments.codes, rules=arguments.rules) as store:
        say(
            Text(
                f"已建立数据库 {shown(store)}。下一步：wangge import 文件 --layer village",
                f"Made the store {shown(store)}. Next: wangge import FILE --layer village",
            )
        )
    return 0


def _backup(arguments: Namespace) -> int:
    from layers.storage.backup import backup

    with open_store(arguments.store) as store:
        path = backup(store, Path(arguments.file))
    say(Text(f"已备份到 {path}。", f"Backup written to {path}."))
    return 0


def _restore(arguments: Namespace) -> int:
    from layers.storage.backup import restore
    from layers.storage.store import is_postgis, store_url

    target = store_url(arguments.store)
    if is_postgis(target):
        raise InputError(
            Text("只能恢复成 .gpkg 文件。", "A backup can only be restored to a .gpkg file."),
            where="--store",
            mend=Text("PostgreSQL 数据库请用 pg_restore。", "Use pg_restore for a PostgreSQL store."),
        )
    path = restore(Path(arguments.file), Path(target))
    say(Text(f"已由 {arguments.file} 恢复为 {path}。", f"Restored {arguments.file} to {path}."))
    return 0
