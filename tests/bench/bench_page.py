"""How soon a browser shows the county and the city, and what travels for it, against pages that embed their data."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from playwright.sync_api import Browser, Page, sync_playwright
from rows import Row

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import peer_pages  # noqa: E402
from visitor import ARGUMENTS, CHROMIUM  # noqa: E402

from layers.imports import sample  # noqa: E402
from layers.rights import OWNER  # noqa: E402
from layers.selection import frames  # noqa: E402
from layers.storage import accounts  # noqa: E402
from layers.storage.rows import insert_rows  # noqa: E402
from layers.storage.store import Store  # noqa: E402

RUNS = 3
CITY_CAMERAS = 100_000
ACCOUNT, PASSWORD = "planner", "lamp river 47 stone"
KINDS = {"village": ["name"], "grid": ["name"], "camera": ["status"], "incident": ["category"]}

# The server has a process of its own, as in an office: the browser must not wait for this one.
_SERVER = """
import sys
from pathlib import Path
from flask import Flask, send_from_directory
from flask_compress import Compress
from waitress.server import create_server
from layers.storage.store import Store
from web.app import create_app

store, pages, libraries, static = sys.argv[1:]
ours = create_app({"JOB_WORKER": False}, Store.open(store))
peers = Flask("peers", static_folder=static)
Compress(peers)
peers.add_url_rule("/peer/<path:name>", "peer", lambda name: send_from_directory(pages, name))
peers.add_url_rule("/cluster/<path:name>", "cluster", lambda name: send_from_directory(libraries, name))
import threading
servers = [create_server(app, host="127.0.0.1", port=0, threads=8) for app in (ours, peers)]
threading.Thread(target=servers[1].run, daemon=True).start()
print(servers[0].effective_port, servers[1].effective_port, flush=True)
servers[0].run()
"""

# Milliseconds from navigation to the first frame after everything is drawn: our pages say when, a folium page is
# drawn by the scripts it carries, so its load event says it.
_CLOCK = """
(() => {
  const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => { window.paintedAt = performance.now(); }));
  if (location.pathname.startsWith("/peer/")) window.addEventListener("load", painted);
  else new MutationObserver((_changes, watcher) => {
    if (document.documentElement && document.documentElement.dataset.drawn) { watcher.disconnect(); painted(); }
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-drawn"] });
})();
"""
_PAN = """
() => new Promise((done) => {
  const from = performance.now();
  map_main.panBy([300, 0], { animate: false });
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from)));
})
"""


def _visit(
    browser: Browser, address: str, path: str, cookies: list[Any], *, again: bool = False
) -> tuple[float, float, float]:
    """Milliseconds to the first complete map, kB that travelled, milliseconds of a pan.

    The browser's cache is empty, or, with `again`, holds what a visit before left there.
    """
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    try:
        if cookies:
            context.add_cookies(cookies)
        if again:
            before = context.new_page()
            before.goto(address + path)
            before.wait_for_selector("html[data-ready=yes]", state="attached", timeout=180_000)
            before.close()
        page = context.new_page()
        page.add_init_script(_CLOCK)
        travelled = _count_bytes(page)
        page.goto(address + path, timeout=180_000, wait_until="commit")
        page.wait_for_function("() => window.paintedAt", timeout=180_000)
        first = page.evaluate("() => window.paintedAt")
        page.wait_for_load_state("networkidle")
        kilobytes = travelled() / 1000
        return first, kilobytes, min(page.evaluate(_PAN) for _ in range(3))
    finally:
        context.close()


def _count_bytes(page: Page) -> Callable[[], float]:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    return lambda: sum(sizes)


def _median(browser: Browser, address: str, path: str, cookies: list[Any]) -> tuple[float, ...]:
    return tuple(
        statistics.median(column)
        for column in zip(*(_visit(browser, address, path, cookies) for _ in range(RUNS)), strict=True)
    )


def _sign_in(browser: Browser, address: str) -> list[Any]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address + "/sign-in")
    page.fill("[name=name]", ACCOUNT)
    page.fill("[name=password]", PASSWORD)
    page.click("form button")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    cookies = context.cookies()
    context.close()
    return cookies


def _measure(store: Path, folder: Path, path: str, peers: list[str]) -> dict[str, tuple[float, ...]]:
    static = HERE.parents[1] / "web" / "static"
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(store), str(folder), str(peer_pages.CLUSTER_FOLDER), str(static)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        ours, others = (f"http://127.0.0.1:{port}" for port in server.stdout.readline().split())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
            cookies = _sign_in(browser, ours)
            cold = _visit(browser, ours, path, cookies)
            found = {"cold": cold, "ours": _median(browser, ours, path, cookies)}
            found["again"] = _visit(browser, ours, path, cookies, again=True)
            for name in peers:
                found[name] = _median(browser, others, f"/peer/{name}.html", [])
            browser.close()
        return found
    finally:
        server.terminate()
        server.wait(20)


def _county(folder: Path) -> dict[str, tuple[float, ...]]:
    path = folder / "county.gpkg"
    with Store.create(str(path)) as store:
        sample.make_sample(store)
        accounts.create(store, ACCOUNT, "planner", password=PASSWORD, must_change=False)
        layers = {kind: (frames.read_layer(store, kind, OWNER), columns) for kind, columns in KINDS.items()}
    peer_pages.embedded(layers, folder / "county.html")
    return _measure(path, folder, f"/?layers=county,township,{','.join(KINDS)}", ["county"])


def _city(folder: Path) -> dict[str, tuple[float, ...]]:
    rng = np.random.default_rng(5)
    centres = rng.uniform((110.6, 27.2), (111.6, 28.0), (200, 2))
    places = centres[rng.integers(0, 200, CITY_CAMERAS)] + rng.normal(0, 0.02, (CITY_CAMERAS, 2))
    cameras = gpd.GeoDataFrame(
        {"status": rng.choice(["online", "offline", "planned"], CITY_CAMERAS, p=[0.8, 0.15, 0.05])},
        geometry=shapely.points(places),
        crs="EPSG:4490",
    )
    outline = gpd.GeoDataFrame(
        {"code": ["990101000000"], "name": ["望川市"]},
        geometry=[shapely.box(110.4, 27.0, 111.8, 28.2)],
        crs="EPSG:4490",
    )
    path = folder / "city.gpkg"
    with Store.create(str(path)) as store:
        for kind, frame in (("county", outline), ("camera", cameras)):
            change = store.open_change("owner", "import", kinds=[kind], source="made up")
            store.finish_change(change, [kind], insert_rows(store, change, kind, frame))
        accounts.create(store, ACCOUNT, "planner", password=PASSWORD, must_change=False)
    peer_pages.embedded({"camera": (cameras, ["status"])}, folder / "geojson.html")
    peer_pages.clustered(cameras, folder / "cluster.html")
    return _measure(path, folder, "/?layers=county,camera", ["geojson", "cluster"])


def run() -> list[Row]:
    """First map, transfer and pan of the county and the city page."""
    if not CHROMIUM.exists():
        return []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        county, city = _county(folder), _city(folder)
    note = f"median of {RUNS}, empty browser cache, first ever call {{:.0f}} ms"
    ours, peer = county["ours"], county["county"]
    rows = [
        Row("county page, transfer", ours[1], None, "kB gzip", 700, f"plain folium {peer[1]:.0f} kB"),
        Row(
            "county page, first complete map",
            ours[0],
            peer[0],
            "ms",
            4,
            note.format(county["cold"][0]) + "; peer: folium GeoJson on canvas",
        ),
        Row("county page, second visit", county["again"][0], None, "ms", None, f"{county['again'][1]:.0f} kB travel"),
        Row("county page, pan", ours[2], peer[2], "ms", None, "peer: folium GeoJson on canvas"),
    ]
    ours = city["ours"]
    for name, words, bar in (("geojson", "folium GeoJson on canvas", 15), ("cluster", "folium FastMarkerCluster", 4)):
        rows.append(
            Row(
                f"city page, first map, against {name}",
                ours[0],
                city[name][0],
                "ms",
                bar,
                note.format(city["cold"][0]) + f"; peer: {words}",
            )
        )
    rows.append(Row("city page, pan", ours[2], city["geojson"][2], "ms", 4, "peer: folium GeoJson on canvas"))
    rows.append(
        Row(
            "city page, transfer",
            ours[1],
            city["geojson"][1],
            "kB gzip",
            None,
            f"FastMarkerCluster {city['cluster'][1]:.0f} kB",
        )
    )
    return rows


if __name__ == "__main__":
    print(json.dumps([row.as_dict() for row in run()], indent=1, ensure_ascii=False))
