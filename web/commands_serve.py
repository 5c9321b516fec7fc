"""`wangge serve`: the pages of one store."""

from argparse import Namespace
from typing import Any

from geo.errors import InputError
from geo.words import Text

from .commands_store import open_store
from .terminal import answer, say


def run(arguments: Namespace) -> int:
    """Serve until interrupted."""
    from . import serve

    config: dict[str, Any] = {name: read_setting(name, value) for name, value in arguments.set}
    with open_store(arguments.store) as store:
        if store.readonly:
            say(Text("数据文件只读。", "The store is read-only."))
        serve.serve(config | {"HOST": arguments.host, "PORT": arguments.port}, store, say=answer)
    say(Text("服务已停止。", "The server has stopped."))
    return 0


def read_setting(name: str, value: str) -> Any:
    """A setting from the command line in the type it has; InputError for an unknown name or a wrong value."""
    from .config import NAMES

    setting = NAMES.get(name.upper())
    if setting is None:
        raise InputError(
            Text(f"没有设置“{name[:40]}”。", f"There is no setting '{name[:40]}'."),
            where="--set",
            mend=Text(f"可用：{'、'.join(sorted(NAMES))}", f"There are: {', '.join(sorted(NAMES))}"),
        )
    default = setting.default
    if isinstance(default, bool):
        if value.lower() in ("true", "1", "yes", "false", "0", "no"):
            return value.lower() in ("true", "1", "yes")
    elif isinstance(default, int):
        if value.isascii() and value.isdigit():
            return int(value)
    elif isinstance(default, tuple):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    else:
        return value
    raise InputError(
        Text(f"设置 {setting.name} 不能是“{value[:40]}”。", f"Setting {setting.name} cannot be '{value[:40]}'."),
        where="--set",
        mend=setting.help,
    )
