"""Serving: one server per store, waitress in front, the job thread behind."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask
from waitress.server import create_server

from geo.words import Text
from layers.storage import accounts

from . import jobs, logs, memory
from .app import create_app

if TYPE_CHECKING:
    from layers.storage.store import Store

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def warnings(app: Flask) -> list[Text]:
    """What the person who starts the server should know."""
    found = []
    if app.config["HOST"] not in LOOPBACK and not app.config["TLS"]:
        found.append(
            Text(
                "服务对网络开放且未启用 TLS：密码和数据将明文传输。请在前面放置启用 TLS 的反向代理。",
                "The server is open to the network without TLS: passwords and data travel in the clear. "
                "Put a reverse proxy with TLS in front of it.",
            )
        )
    if app.extensions["wangge_store"].readonly:
        found.append(Text("数据文件只读：不能更改。", "The store is read-only: nothing can be changed."))
    return found


@contextlib.contextmanager
def running(app: Flask) -> Iterator[None]:
    """Hold the store's server lock and run the job thread.

    Raises
    ------
    ConflictError
        When another server runs on this store.
    """
    store = app.extensions["wangge_store"]
    with store.serve_lock():
        worker = jobs.start_worker(app) if app.config["JOB_WORKER"] and not store.readonly else None
        try:
            yield
        finally:
            if worker is not None:
                worker.stop()


def serve(config: dict[str, Any], store: "Store | None" = None, *, say: Callable[[Text], None] | None = None) -> None:
    """Serve until interrupted. `say` gets what is to be printed for the person at the terminal.

    The first administrator's password goes to `say` and nowhere else: never to the log.

    Raises
    ------
    ConflictError
        When another server runs on this store.
    StoreError
        When the store cannot be opened.
    """
    tell = say or (lambda words: print(words.zh, words.en, sep="\n", file=sys.stderr))
    logs.open_log()
    memory.be_frugal()
    app = create_app(config, store)
    with running(app):
        server = create_server(
            app,
            host=app.config["HOST"],
            port=app.config["PORT"],
            threads=app.config["THREADS"],
            connection_limit=app.config["CONNECTION_LIMIT"],
            channel_timeout=app.config["CHANNEL_TIMEOUT_S"],
            max_request_header_size=app.config["HEADER_MAX_BYTES"],
            max_request_body_size=app.config["UPLOAD_MAX_BYTES"] + (1 << 20),
            ident="wangge",
        )
        made = accounts.ensure_administrator(app.extensions["wangge_store"])
        address = f"http://{app.config['HOST']}:{server.effective_port}/"
        tell(Text(f"地址：{address}", f"Address: {address}"))
        if made:
            name, word = made
            tell(
                Text(
                    f"首个管理员：{name}  一次性密码：{word}", f"First administrator: {name}  one-time password: {word}"
                )
            )
        for warning in warnings(app):
            tell(warning)
        try:
            server.run()
        finally:
            server.close()
