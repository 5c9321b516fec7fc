"""Somebody at a real browser: opens pages, and afterwards tells of everything that should not have happened."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, Request
from waitress import wasyncore
from waitress.server import create_server

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"desk": (1366, 768), "phone": (390, 844)}
SCREENSHOTS = Path(__file__).resolve().parents[1] / ".screenshots"
READY = "html[data-ready=yes]"


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The application behind waitress on a free port; its address."""
    server = create_server(app, host="127.0.0.1", port=0, threads=6)
    stopping = threading.Event()

    def run() -> None:
        # One thread opens, serves and closes: `server.run` waits for browsers to let go of their connections.
        while not stopping.is_set():
            wasyncore.loop(timeout=0.2, map=server._map, count=1)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(server._map)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        stopping.set()
        thread.join(10)


class Visitor:
    """A browser window of its own with one account, a language and a size."""

    def __init__(self, browser: Browser, address: str, language: str, size: str) -> None:
        width, height = SIZES[size]
        phone = size == "phone"
        self.address, self.language, self.size = address, language, size
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=phone, is_mobile=phone, accept_downloads=True
        )
        self.context.add_cookies([{"name": "wangge_lang", "value": language, "url": address}])
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.asked: list[str] = []
        self.expected: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # A violated content policy is reported here as well.
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _dialog(self, dialog: Any) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.problems.append(f"outside request: {request.url}")

    def sign_in(self, account: str, password: str) -> None:
        """Through the page, as people do."""
        # The help page asks for no data: what a test counts is its own.
        self.page.goto(f"{self.address}/sign-in?next=/help")
        self.page.fill("[name=name]", account)
        self.page.fill("[name=password]", password)
        self.page.click("form button")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def open(self, path: str) -> Page:
        """Open a page and wait until it is complete."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector(READY, state="attached", timeout=60_000)
        return self.page

    def settle(self) -> None:
        """Until nothing is being fetched and two frames have been painted."""
        self.page.wait_for_load_state("networkidle")
        self.frames()

    def frames(self) -> None:
        """Until two frames have been painted: what the page puts off to the next frame has begun."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def still(self) -> None:
        """Until the map stands still: a movement begins with the next frame, and a view set while it lasts is lost."""
        self.frames()
        self.page.wait_for_function("() => !map_main._animatingZoom && !map_main._panAnim?._inProgress")
        self.settle()

    def text(self, selector: str) -> str:
        """What a person reads there."""
        return self.page.locator(selector).first.inner_text().strip()

    def numbers(self, selector: str) -> list[int]:
        """The whole numbers a person reads there."""
        return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", self.text(selector))]

    def get(self, path: str) -> Any:
        """What the server says, asked by the signed-in page itself."""
        return self.page.evaluate("(path) => fetch(path).then((answer) => answer.json())", path)

    def shot(self, name: str) -> None:
        """Keep a picture of the window to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}-{self.size}-{self.language}.png")

    def close(self) -> list[str]:
        """Close the window; whatever should not have happened and was not expected."""
        self.context.close()
        return [problem for problem in self.problems if not any(word in problem for word in self.expected)]


Visit = Callable[..., Visitor]
"""The fixture `visit`: role, language, size, server -> a signed-in Visitor."""
