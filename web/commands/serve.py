"""`wangge serve`: the pages of one store."""

import contextlib
import signal
import socket
import threading
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import Text

from .store import open_store
from .terminal import answer, say

if TYPE_CHECKING:
    from layers.storage.store import Store


def run(arguments: Namespace) -> int:
    """Serve until interrupted."""
    config: dict[str, Any] = {name: read_setting(name, value) for name, value in arguments.set}
    with open_store(arguments.store) as store:
        serve_until_stopped(config | {"HOST": arguments.host, "PORT": arguments.port}, store)
    return 0


def serve_until_stopped(config: dict[str, Any], store: "Store") -> None:
    """Serve until Ctrl-C or a polite kill; InputError when the address cannot be listened on."""
    from .. import serve

    _require_address(config["HOST"], config["PORT"])
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    with contextlib.suppress(KeyboardInterrupt):
        serve.serve(config, store, say=answer)
    say(Text("服务已停止。", "The server has stopped."))


def _require_address(host: str, port: int) -> None:
    """Try the address before anything else starts, so that a taken port is told in one line."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(
            Text(
                f"不能在 {host}:{port} 上提供服务：{error.strerror}。",
                f"Cannot listen on {host}:{port}: {error.strerror}.",
            ),
            where="--port",
            mend=Text("请用 --port 换一个端口（0 为自动选择）。", "Choose another --port (0 takes a free one)."),
        ) from None


def _stop(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def read_setting(name: str, value: str) -> Any:
    """A setting from the command line in the type it has; InputError for an unknown name or a wrong value."""
    from ..config import NAMES

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
