"""The sample county in a store: every layer of it through one change, an account for every role.

Everything in it is made up (`geo.synthetic`). A store made here carries the setting `sample`, so that nobody mistakes
it for a real one and `wangge demo` never touches a real one.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
from geopandas import GeoDataFrame

from geo.errors import ConflictError, InputError
from geo.lookup import Lookup
from geo.synthetic import County, make_county
from geo.words import Text

from ..kinds import KINDS
from ..storage import accounts, references
from ..storage.rows import insert_rows

if TYPE_CHECKING:
    from ..storage.rows import Progress
    from ..storage.store import Store

SEED = 20261121
SIZES: dict[str, dict[str, int]] = {
    "county": {},
    "city": {
        "villages": 3000,
        "grids": 20_000,
        "cameras": 100_000,
        "incidents": 450_000,
        "natural_villages": 15_000,
        "counties": 10,
    },
}
"""Name of a size -> arguments of `make_county`; a county is its default."""

SETTING = "sample"
REFERENCES = {"roads": "道路", "rivers": "河流", "buildings": "建筑物"}
"""Titles of the reference layers."""
_LEVELS = ("county", "township", "village", "natural_village", "grid")


@dataclass(frozen=True, slots=True)
class SignIn:
    """One way to sign in to the sample: told once, kept nowhere."""

    role: str
    name: str
    password: str
    areas: tuple[str, ...] = ()


def read_syllables() -> dict[str, Any]:
    """The word lists that made-up names are put together from."""
    return json.loads(files("data").joinpath("sample/names.json").read_text(encoding="utf-8"))


def make_sample(
    store: "Store", *, size: str = "county", seed: int = SEED, progress: "Progress | None" = None
) -> County:
    """Fill an empty store with a made-up county or city and say so in its settings.

    All layers become visible in one moment, roads, rivers and buildings after them; a crash before that leaves an
    empty store. `progress(done, total)` counts rows. Returns the county, with the truth about its planted hotspots.

    Raises
    ------
    InputError
        When there is no such size.
    ConflictError
        When the store holds layers already.
    """
    if size not in SIZES:
        raise InputError(
            Text(f"没有“{size[:20]}”这种规模。", f"There is no size '{size[:20]}'."),
            where="size",
            mend=Text("可用 county 或 city。", "Use county or city."),
        )
    if store.versions():
        raise ConflictError(
            Text(
                "数据库里已有图层，不能再放入示例县。", "The store holds layers already: the sample needs an empty one."
            ),
            where=str(store.path or ""),
            mend=Text("请换一个文件名。", "Choose another file name."),
        )
    return store_county(store, make_county(seed=seed, syllables=read_syllables(), **SIZES[size]), progress=progress)


def store_county(store: "Store", county: County, *, progress: "Progress | None" = None) -> County:
    """Write a made-up county into a store as one change. Returns it."""
    homes = {
        "village_code": Lookup.build(county["village"]["code"].to_numpy(), county["village"].geometry.to_numpy()),
        "grid_code": Lookup.build(county["grid"]["grid_code"].to_numpy(), county["grid"].geometry.to_numpy()),
    }
    frames = {kind: _stored(kind, frame, homes) for kind, frame in county.frames.items()}
    order = [*_LEVELS, *(kind for kind in frames if kind not in _LEVELS)]
    total = sum(len(frame) for frame in frames.values()) + sum(len(frame) for frame in county.references.values())
    done = 0

    def advance(part: int, _of: int) -> None:
        if progress is not None:
            progress(done + part, total)

    change = store.open_change("owner", "sample", kinds=order, source=county.name, details={"name": county.name})
    try:
        for kind in order:
            insert_rows(store, change, kind, frames[kind], progress=advance)
            done += len(frames[kind])
        store.finish_change(change, order, {kind: len(frames[kind]) for kind in order})
    except BaseException:
        store.abandon_change(change)
        raise
    for name, frame in county.references.items():
        references.replace(store, name, frame, title=REFERENCES[name], source=county.name)
        done += len(frame)
        advance(0, total)
    store.settings.set(SETTING, {"name": county.name, "code": county.code})
    return county


def _stored(kind: str, frame: GeoDataFrame, homes: dict[str, Lookup]) -> pd.DataFrame:
    """The frame as rows of the kind: homed kinds get the village and grid they lie in."""
    if KINDS[kind].geometry == "none":
        return pd.DataFrame(frame.drop(columns="geometry"))
    if not KINDS[kind].homed:
        return frame
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    x, y = shapely.get_x(points), shapely.get_y(points)
    return frame.assign(**{name: lookup.code_of(x, y) for name, lookup in homes.items()})


def is_sample(store: "Store") -> bool:
    """Whether the store was made by `make_sample`."""
    return store.settings.get(SETTING) is not None


def sign_ins(store: "Store") -> list[SignIn]:
    """Accounts for every role with fresh random passwords, in the order of rights; only in a sample store.

    Accounts that are missing are made. Since a password is kept nowhere but as a hash, showing sign-ins again means
    setting new ones; sessions open under the old ones end.
    """
    if not is_sample(store):
        raise ConflictError(
            Text("这不是示例县的数据库。", "This store is not a sample county."),
            where=str(store.path or ""),
            mend=Text("请用 wangge user 管理账号。", "Manage its accounts with wangge user."),
        )
    known = {account.name for account in accounts.list_accounts(store)}
    area = _market_town(store)
    result = []
    for name, role in (
        ("admin", "administrator"),
        ("planner", "planner"),
        ("gridmanager", "grid_manager"),
        ("dispatcher", "dispatcher"),
        ("reporter", "reporter"),
        ("viewer", "viewer"),
    ):
        areas = area if role == "grid_manager" else ()
        if name in known:
            password = accounts.set_password(store, name, must_change=False)
        else:
            password = accounts.create(store, name, role, areas=areas, must_change=False)
        result.append(SignIn(role, name, password, areas))
    return result


def _market_town(store: "Store") -> tuple[str, ...]:
    """The township whose grids the sample's grid manager looks after: the first one that is not a street."""
    from ..rights import OWNER
    from ..selection.frames import read_layer

    towns = read_layer(store, "township", OWNER, geometry=False, columns=["code"])
    codes = sorted(str(code) for code in towns.index if "100" <= str(code)[6:9] < "400")
    return tuple(codes[:1])
