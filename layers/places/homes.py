"""Where rows fall: the village and grid of every camera, incident and other homed row, by position.

The codes are kept beside the rows for tables, filters and exports; figures are always worked out from positions.
Modelling decisions: what stands somewhere (a camera) falls where today's areas say. An incident falls where the areas
of its own day say, and keeps that home when borders are redrawn later; without a day it counts as of today.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from ..kinds import AREA_KINDS, KINDS
from ..rights import OWNER
from ..selection.frames import Points, read_points
from ..selection.selecting import Bbox
from ..storage import schema
from ..storage.history import LAST_DAY, day, hidden_changes, visible
from ..storage.rows import set_homes
from .areas import AreaSet, area_set
from .periods import periods

if TYPE_CHECKING:
    from ..storage.store import Store

BATCH = 10_000
"""Rows set in one transaction: well under two seconds on either engine."""
HOMED = tuple(kind.name for kind in KINDS.values() if kind.homed)
_CODES = ("village_code", "grid_code")
_FAR = LAST_DAY.isoformat()
ACTION = "homes"
"""The action of changes that only set where rows fall."""
DONE = "homes"
"""Setting: the day and the versions of the areas that the stored homes are of."""


def find_homes(
    store: "Store", lon: np.ndarray, lat: np.ndarray, days: np.ndarray | None = None, *, on: str | None = None
) -> dict[str, np.ndarray]:
    """Village and grid code of each position (object arrays, None outside all).

    `days` (datetime64, NaT allowed): each position is looked up in the areas of its day; where it has none, and
    everywhere without `days`, in those of `on` (today by default).
    """
    today = day(on)
    begins, period = _periods_of(store, len(lon), days, today)
    return {
        name: _home_codes(store, kind, lon, lat, begins, period)
        for name, kind in zip(_CODES, ("village", "grid"), strict=True)
    }


def codes_on_own_day(
    store: "Store", kind: str, lon: np.ndarray, lat: np.ndarray, days: np.ndarray, *, on: str | None = None
) -> np.ndarray:
    """Code of the area of `kind` that each position was in on its own day, as `find_homes` tells for grids."""
    return _home_codes(store, kind, lon, lat, *_periods_of(store, len(lon), days, day(on)))


def _home_codes(
    store: "Store", kind: str, lon: np.ndarray, lat: np.ndarray, begins: tuple[str, ...], period: np.ndarray
) -> np.ndarray:
    found = np.full(len(lon), None, dtype=object)
    versions = periods(store, kind, begins) if len(begins) > 1 else None
    if versions is not None:
        home = versions.home(lon, lat, period)
        inside = home >= 0
        found[inside] = versions.codes[home[inside]]
        return found
    for number, moment in enumerate(begins):
        rows = np.flatnonzero(period == number)
        found[rows] = _codes(area_set(store, kind, moment), lon[rows], lat[rows])
    return found


def refresh(
    store: "Store", actor: str = "owner", *, kinds: Iterable[str] | None = None, bbox: Bbox | None = None
) -> dict[str, int]:
    """Set anew where the rows of homed layers fall, after areas changed; rows changed per kind.

    `bbox`: only rows there, when areas changed nowhere else. Only rows whose home differs are written, in
    transactions of at most `BATCH` rows that each raise the layer's version, so that whatever was kept of it is read
    again. Interrupted, it has done a part; asked again, the rest.
    """
    on, versions = day(None), store.versions(AREA_KINDS)
    changed: dict[str, int] = {}
    for kind in HOMED if kinds is None else kinds:
        if store.versions([kind])[kind] == 0:
            continue
        points = _rows(store, kind, bbox)
        homes = find_homes(store, points.lon, points.lat, _days(kind, points))
        differ = np.zeros(len(points.fid), dtype=bool)
        own = [name for name in _CODES if name not in KINDS[kind].names]
        for name in own:
            differ |= homes[name] != points.columns[name]
        rows = np.flatnonzero(differ)
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            with store.change(actor, ACTION, details={"kind": kind}) as change:
                set_homes(
                    change.connection,
                    kind,
                    points.fid[part],
                    homes["village_code"][part].tolist(),
                    homes["grid_code"][part].tolist(),
                )
                change.touch(kind)
                change.rows = {kind: len(part)}
        if len(rows):
            changed[kind] = len(rows)
    if kinds is None and bbox is None:
        _note(store, on, versions)
    return changed


def keep_up(store: "Store", actor: str = "owner") -> dict[str, int]:
    """`refresh` when areas have changed since it was last done, or when a day has come on which they do.

    Costs two small queries when nothing is due. Called at the start of a server and by it every day.
    """
    on, versions = day(None), store.versions(AREA_KINDS)
    done = store.settings.get(DONE) or {}
    if done.get("versions") == versions:
        begins = epochs(store).astype(str)
        if not any(done["on"] < begin <= on for begin in begins.tolist()):
            return {}
    return refresh(store, actor)


def follow(store: "Store", actor: str, before: Mapping[str, int], kinds: Iterable[str], bbox: Bbox) -> dict[str, int]:
    """`refresh` after one act that changed areas of `kinds` within `bbox`; `before`: versions of all areas before it."""
    on = day(None)
    if not _up_to_date(store, before, on):
        return refresh(store, actor)
    changed = refresh(store, actor, bbox=bbox)
    _note(store, on, _after(before, kinds))
    return changed


def nothing_moved(store: "Store", before: Mapping[str, int], kinds: Iterable[str]) -> None:
    """Say that one act changed areas of `kinds` for days to come only: what holds today still does."""
    done = store.settings.get(DONE) or {}
    if done.get("versions") == dict(before):
        _note(store, done["on"], _after(before, kinds))


def _up_to_date(store: "Store", versions: Mapping[str, int], on: str) -> bool:
    done = store.settings.get(DONE) or {}
    return bool(done.get("versions") == dict(versions) and done.get("on") == on)


def _after(before: Mapping[str, int], kinds: Iterable[str]) -> dict[str, int]:
    """Versions after one act and nothing else: if somebody else wrote besides, the next `keep_up` finds out."""
    return {kind: version + (kind in set(kinds)) for kind, version in before.items()}


def _note(store: "Store", on: str, versions: Mapping[str, int]) -> None:
    """Remember that all homes are those of a day and of the areas as they are."""
    done = {"on": on, "versions": dict(versions)}
    if store.settings.get(DONE) != done:
        with store.write() as connection:
            store.settings.put(connection, DONE, done)


def epochs(store: "Store") -> np.ndarray:
    """The days on which any area begins or ends (datetime64[D], ascending): between two of them nothing moves."""
    found: set[str] = set()
    with store.read() as connection:
        hidden = hidden_changes(connection)
        for kind in AREA_KINDS:
            table = schema.ROWS[kind]
            for column in (table.c.valid_from, table.c.valid_to):
                found.update(
                    value
                    for value in connection.scalars(select(column).where(visible(table, hidden)).distinct())
                    if value
                )
    return np.array(sorted(found), dtype="datetime64[D]")


def _periods_of(store: "Store", count: int, days: np.ndarray | None, today: str) -> tuple[tuple[str, ...], np.ndarray]:
    """A day of each period that is asked for, and the number of its period for each position."""
    if days is None or not count:
        return (today,), np.zeros(count, dtype=np.int64)
    begins = epochs(store)
    own = days.astype("datetime64[D]")
    own = np.where(np.isnat(own), np.datetime64(today, "D"), own)
    epoch, period = np.unique(np.searchsorted(begins, own, side="right"), return_inverse=True)
    # The first day of an epoch stands for all of it; before the first there is only "some day in it".
    return tuple(str(begins[number - 1]) if number else str(own.min()) for number in epoch), period


def _codes(areas: AreaSet, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    found = np.full(len(lon), None, dtype=object)
    if not len(areas.frame):
        return found
    home = areas.home(lon, lat)
    inside = home >= 0
    found[inside] = areas.frame.index.to_numpy(dtype=object)[home[inside]]
    return found


def _rows(store: "Store", kind: str, bbox: Bbox | None) -> Points:
    """The rows to set: those of today, and of versioned kinds also those that begin later."""
    columns = [*_CODES, *(("occurred_on", "occurred_at") if kind == "incident" else ())]
    now = read_points(store, kind, OWNER, columns=columns, bbox=bbox)
    if not KINDS[kind].versioned:
        return now
    later = read_points(store, kind, OWNER, as_of=_FAR, columns=columns, bbox=bbox)
    fresh = ~np.isin(later.fid, now.fid)
    return Points(
        np.concatenate([now.fid, later.fid[fresh]]),
        np.concatenate([now.lon, later.lon[fresh]]),
        np.concatenate([now.lat, later.lat[fresh]]),
        {name: np.concatenate([now.columns[name], later.columns[name][fresh]]) for name in columns},
    )


def _days(kind: str, points: Points) -> np.ndarray | None:
    """The day of each incident: as recorded, else that of its time; None for kinds that stand where they stand."""
    if kind != "incident":
        return None
    on = points.columns["occurred_on"].astype("datetime64[D]")
    return np.where(np.isnat(on), points.columns["occurred_at"].astype("datetime64[D]"), on)
