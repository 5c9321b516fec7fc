"""A small made-up office: a county of two townships with everything in it, one account per role, and people who click.

West township 990101001 and east township 990101002 have two villages each, a village two grids. Cameras and incidents
lie in known places, so that every test can say which of them a person may see.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from layers.rights import ROLES
from layers.storage import accounts
from layers.storage.rows import insert_rows
from layers.storage.store import Store
from web.app import create_app

COUNTY, WEST, EAST = "990101000000", "990101001000", "990101002000"
ORIGIN, SIDE_DEG = (111.0, 27.6), 0.04
PASSWORD = "correct-horse-7"
HOSTILE = "</script><img src=x onerror=alert(1)>'\"&"


def _square(column: int, row: int, columns: int = 1, rows: int = 1) -> shapely.Geometry:
    x, y = ORIGIN[0] + column * SIDE_DEG, ORIGIN[1] + row * SIDE_DEG
    return shapely.box(round(x, 8), round(y, 8), round(x + columns * SIDE_DEG, 8), round(y + rows * SIDE_DEG, 8))


def _frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4490")


def village_code(number: int) -> str:
    """Villages 0 and 1 lie in the west, 2 and 3 in the east."""
    return f"99010100{1 + number // 2}{201 + number % 2}"


def frames(*, name: str = "") -> dict[str, gpd.GeoDataFrame]:
    """Every layer of the county; `name` replaces all names (for hostile ones)."""
    rng = np.random.default_rng(11)
    villages = [(number, _square(number, 0, 1, 2)) for number in range(4)]
    grids = [(number, half, _square(number, half)) for number in range(4) for half in range(2)]
    cameras, incidents = [], []
    for number, count in enumerate((6, 2, 3, 0)):
        for site in range(count):
            # 7 decimals that occur nowhere else: a leak shows in the bytes of an answer.
            lon = round(ORIGIN[0] + (number + rng.uniform(0.1, 0.9)) * SIDE_DEG, 7)
            lat = round(ORIGIN[1] + rng.uniform(0.1, 1.9) * SIDE_DEG, 7)
            half = int((lat - ORIGIN[1]) / SIDE_DEG)
            cameras.append(
                {
                    "device_id": f"9901010013200000{number}{site:03d}",
                    "name": name or f"点位{number}-{site}",
                    "camera_count": 1,
                    "video_class": "1",
                    "status": ("online", "offline", "planned")[site % 3],
                    "village_code": village_code(number),
                    "grid_code": f"{village_code(number)}00{half + 1}",
                    "geometry": shapely.Point(lon, lat),
                }
            )
    for number in range(4):
        for at in range(15 if number == 0 else 4):
            lon = round(ORIGIN[0] + (number + rng.uniform(0.1, 0.9)) * SIDE_DEG, 7)
            lat = round(ORIGIN[1] + rng.uniform(0.1, 1.9) * SIDE_DEG, 7)
            half = int((lat - ORIGIN[1]) / SIDE_DEG)
            incidents.append(
                {
                    "incident_no": f"W{number}{at:04d}",
                    "category": name or ("盗窃", "纠纷")[at % 2],
                    "occurred_on": f"2026-03-{1 + at:02d}",
                    "occurred_hour": at % 24,
                    "village_code": village_code(number),
                    "grid_code": f"{village_code(number)}00{half + 1}",
                    "geometry": shapely.Point(lon, lat),
                }
            )
    area = {"households": 300, "population": 1000}
    return {
        "county": _frame([{"code": COUNTY, "name": name or "望川县", "geometry": _square(0, 0, 4, 2)}]),
        "township": _frame(
            [
                {"code": WEST, "name": name or "西岭镇", "parent_code": COUNTY, "geometry": _square(0, 0, 2, 2)},
                {"code": EAST, "name": name or "东溪乡", "parent_code": COUNTY, "geometry": _square(2, 0, 2, 2)},
            ]
        ),
        "village": _frame(
            [
                {
                    "code": village_code(number),
                    "name": name or f"{'石桥松竹'[number]}门村",
                    "parent_code": (WEST, EAST)[number // 2],
                    **area,
                    "geometry": shape,
                }
                for number, shape in villages
            ]
        ),
        "grid": _frame(
            [
                {
                    "grid_code": f"{village_code(number)}00{half + 1}",
                    "name": name or f"第{number * 2 + half + 1}网格",
                    "village_code": village_code(number),
                    "kind": "base",
                    **area,
                    "geometry": shape,
                }
                for number, half, shape in grids
            ]
        ),
        "camera": _frame(cameras),
        "incident": _frame(incidents),
        "facility": _frame(
            [
                {
                    "name": name or "石门村服务中心",
                    "type": "village_centre",
                    "village_code": village_code(0),
                    "geometry": shapely.Point(111.013, 27.621),
                }
            ]
        ),
    }


def fill(store: Store, *, name: str = "") -> None:
    """Put the county into a store."""
    for kind, frame in frames(name=name).items():
        change = store.open_change("owner", "import", kinds=[kind], source="made up")
        rows = insert_rows(store, change, kind, frame)
        store.finish_change(change, [kind], rows)


def account_name(role: str, area: str = "") -> str:
    """Name of the account for a role, everywhere or in one township."""
    return f"{role}-{area}" if area else role


def add_accounts(store: Store) -> None:
    """Accounts of every role: everywhere, and limited to the west township."""
    for role in ROLES:
        for area, codes in (("", ()), ("west", (WEST,))):
            accounts.create(store, account_name(role, area), role, password=PASSWORD, areas=codes, must_change=False)


def make_store_file(path: Path, *, name: str = "") -> Path:
    """A closed store file that can be copied."""
    with Store.create(str(path)) as store:
        fill(store, name=name)
        add_accounts(store)
    return path


@dataclass
class Person:
    """Somebody at a browser: keeps cookies, sends the token."""

    app: Flask
    name: str = ""
    client: FlaskClient = field(init=False)
    token: str = ""

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        if self.name:
            response = self.sign_in(self.name)
            assert response.status_code == 303, response.get_data(as_text=True)

    def sign_in(self, name: str, password: str = PASSWORD, **more: Any) -> TestResponse:
        """Through the page, as a browser does; afterwards the new session's token is known."""
        page = self.client.get("/sign-in", **more)
        answer = self.client.post("/sign-in", data={"name": name, "password": password, "csrf_token": token_in(page)})
        self.name = name
        if answer.status_code == 303:
            self.refresh()
        return answer

    def refresh(self) -> None:
        """Read the token of the session."""
        response = self.client.get("/api/v1/session")
        self.token = response.json["csrf"] if response.status_code == 200 else ""

    def get(self, path: str, **more: Any) -> TestResponse:
        """A GET."""
        return self.client.get(path, buffered=True, **more)

    def send(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> TestResponse:
        """A write with token and JSON body."""
        given = {"X-CSRFToken": self.token, **(headers or {})}
        if body is not None:
            more = {"data": json.dumps(body), "content_type": "application/json", **more}
        return self.client.open(path, method=method, headers=given, buffered=True, **more)


def token_in(page: TestResponse) -> str:
    """The token in a page's form."""
    text = page.get_data(as_text=True)
    before = 'name="csrf_token" value="'
    start = text.index(before) + len(before)
    return text[start : text.index('"', start)]


def open_office(store: Store, **settings: Any) -> Flask:
    """The application on a store, without the job thread."""
    return create_app({"TESTING": False, "JOB_WORKER": False, **settings}, store)
