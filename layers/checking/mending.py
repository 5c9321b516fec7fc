"""Mending the grids of villages: a plan of what would move, and the act itself.

Modelling decisions:

- Nothing is changed before somebody has seen the plan: `apply` wants the plan's hash, works the plan out again and
  refuses when it is no longer the same.
- Each village is mended by itself or refused by itself, with the reason; the others of the plan do not wait for it.
- Mending is a correction, not a decision: the rows are taken back and written anew with the same day of beginning, as
  one change that can be undone. History before it stays as it was reported ("as known on").
"""

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from sqlalchemy import select

from geo import crs
from geo.errors import InputError
from geo.mending import compare, mend
from geo.refusals import RefusedError
from geo.weld import drop_vertices
from geo.words import Text

from ..places import homes
from ..places.land import Land, Lands, read_lands
from ..rights import Viewer
from ..storage import changes, schema
from ..storage.changes import Change
from ..storage.filters import among
from ..storage.history import day
from ..storage.rows import insert_in, retire_rows
from ..storage.watched import changed_since, require_unchanged
from ..telling import Tell, counted, silent, within
from .mend_limits import MendLimits, read_mend_limits
from .mend_plan import Plan, VillagePlan

if TYPE_CHECKING:
    from ..storage.store import Store

ACT = "mend"
_READ, _PLANNED = 0.3, 0.9
"""Shares of the time that reading takes of a plan, and the plan of the whole, as measured for a county."""
_PLANNING = Text("正在计算方案", "Working out what would move")
_WRITING = Text("正在写入", "Writing")


def plan(
    store: "Store",
    viewer: Viewer,
    parent: str = "",
    *,
    snapping_m: float | None = None,
    gap_width_m: float | None = None,
    tell: Tell = silent,
) -> Plan:
    """What mending the grids of a village, or of all villages below an area, would move; nothing is changed.

    The grids valid today. Tolerances: see `MendLimits`; absent ones are those of the store.

    Raises
    ------
    RightsError
        When the role may not mend.
    NotFoundError
        When there is no such area with grids that the viewer may see.
    InputError
        When a tolerance is out of range.
    """
    viewer.require(ACT)
    limits = read_mend_limits(store).with_(snapping_m=snapping_m, gap_width_m=gap_width_m)
    lands = read_lands(store, viewer, parent, day(None), tell=within(tell, 0, _READ))
    villages = []
    for number, land in enumerate(lands.lands):
        counted(within(tell, _READ, 1), number, len(lands.lands), _PLANNING)
        villages.append(_planned(land, limits))
    return Plan(parent, limits, lands, tuple(villages), _hash(parent, limits, lands, tuple(villages)))


def _planned(land: Land, limits: MendLimits) -> VillagePlan:
    if land.fits:
        return VillagePlan(land, {}, ())
    try:
        if land.barred is not None:
            raise RefusedError("ended", what=land.barred, mend=Text("改正后再修整。", "Mend again afterwards."))
        mended = mend(
            land.shapes,
            land.guide,
            snapping_m=limits.snapping_m,
            gap_width_m=limits.gap_width_m,
            min_width_m=limits.min_width_m,
            least_share=limits.least_share,
        )
    except RefusedError as refusal:
        return VillagePlan(land, {}, (), refusal=refusal)
    except shapely.errors.GEOSException:
        # Linework that GEOS cannot node is one village's trouble, not that of the others.
        return VillagePlan(land, {}, (), refusal=RefusedError("not_exact", codes=tuple(land.kept)))
    after = _as_drawn(land, mended.shapes)
    shapes = {
        code: new for code, new in after.items() if not shapely.equals_exact(land.kept[code], new, normalize=True)
    }
    moved = tuple(compare(code, land.kept[code], new) for code, new in shapes.items())
    return VillagePlan(land, shapes, moved, mended.outline_shift_m)


def _as_drawn(land: Land, shapes: dict[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
    """The shapes without the vertices that only the guide brought in: the outline gains none but where borders end."""
    if land.guide is None or land.outline is None:
        return shapes
    helpers = shapely.get_coordinates(land.guide)
    own = shapely.get_coordinates(land.outline)
    helpers = helpers[~np.isin(helpers @ [1, 1j], own @ [1, 1j])]
    after = drop_vertices(np.array(list(shapes.values()), dtype=object), helpers)
    return dict(zip(shapes, after, strict=True))


def _hash(parent: str, limits: MendLimits, lands: Lands, villages: tuple[VillagePlan, ...]) -> str:
    """Stands for everything the plan would do: which rows go and what comes in their place."""
    made = hashlib.sha256(repr((parent, sorted(asdict(limits).items()), lands.on)).encode())
    for village in villages:
        for code, shape in sorted(village.shapes.items()):
            made.update(f"{code} {int(lands.rows.loc[code, 'fid'])} ".encode())
            made.update(shapely.to_wkb(shape, byte_order=1))
    return made.hexdigest()


def apply(
    store: "Store",
    viewer: Viewer,
    parent: str,
    consent: str,
    *,
    snapping_m: float | None = None,
    gap_width_m: float | None = None,
    key: str | None = None,
    tell: Tell = silent,
) -> dict[str, Any]:
    """Do what a plan said, as one change: {"change", "grids", "villages", "moved_m2", "largest_shift_m"}.

    Parameters
    ----------
    consent
        The hash of the plan somebody has seen; the tolerances must be the same.
    key
        Idempotency key: the same one does it once and answers the same.
    tell
        Heard for the last time before anything is written: what has begun to be written cannot be stopped.

    Raises
    ------
    ConflictError
        When the grids or villages changed since the plan was made.
    InputError
        When the plan has nothing to do.
    """
    viewer.require(ACT)
    done = changes.answered(store, key)
    if done is not None:
        homes.keep_up(store, viewer.name)
        return done
    found = plan(store, viewer, parent, snapping_m=snapping_m, gap_width_m=gap_width_m, tell=within(tell, 0, _PLANNED))
    if found.hash != consent:
        raise changed_since()
    changed = [village for village in found.villages if village.shapes]
    if not changed:
        raise nothing_to_mend(parent)
    told = found.as_dict()["totals"]
    facts = {
        "parent": parent,
        "tolerances": asdict(found.limits),
        "villages": len(changed),
        "grids": told["grids"],
        "moved_m2": told["moved_m2"],
        "largest_shift_m": told["largest_shift_m"],
    }
    shapes = {code: shape for village in changed for code, shape in village.shapes.items()}

    def body(change: Change) -> dict[str, Any]:
        _write(store, change, found.lands, shapes)
        return {"change": change.id, **facts}

    tell(_PLANNED, _WRITING)
    answer = store.act(viewer.name, ACT, body, key=key, details=facts)
    homes.refresh(store, viewer.name)
    return answer


def nothing_to_mend(parent: str) -> InputError:
    """The plan changes no grid."""
    return InputError(Text("没有需要修整的网格。", "There is nothing to mend."), where=parent, mend=Text("", ""))


def _write(store: "Store", change: Change, lands: Lands, shapes: dict[str, shapely.Geometry]) -> None:
    """Take the rows of the changed grids back and write them anew with their new shapes, in the caller's change."""
    require_unchanged(change, lands.versions)
    old = lands.rows.loc[list(shapes)]
    metric = np.array(list(shapes.values()), dtype=object)
    lonlat = crs.transform_geometries(metric, lands.system, crs.LONLAT)
    new = old.set_geometry(shapely.transform(lonlat, lambda xy: np.round(xy, 9)), crs=crs.LONLAT)
    fids = old["fid"].to_numpy(dtype=np.int64)
    begins = _begins(change, fids)
    retire_rows(store, change.id, "grid", fids, within=change)
    for begin in np.unique(begins):
        part: GeoDataFrame = new[begins == begin].drop(columns="fid")
        insert_in(change, "grid", part, valid_from=str(begin), place_offset_h=store.place_offset_h)
    change.rows = {"grid": len(fids)}


def _begins(change: Change, fids: np.ndarray) -> np.ndarray:
    """First day of each row, as ISO text."""
    table = schema.ROWS["grid"]
    found: dict[int, str] = {}
    for start in range(0, len(fids), 10_000):
        part = fids[start : start + 10_000].tolist()
        rows = change.connection.execute(select(table.c.fid, table.c.valid_from).where(among(table.c.fid, part)))
        found.update((int(fid), str(begin)) for fid, begin in rows)
    return np.array([found[int(fid)] for fid in fids])
