"""Mending the grids of villages: what is wrong with places to click, a plan of what would move, and the act itself.

Modelling decisions:

- Nothing is changed before somebody has seen the plan: `apply` wants the plan's hash, works the plan out again and
  refuses when it is no longer the same.
- Each village is mended by itself or refused by itself, with the reason; the others of the plan do not wait for it.
- Mending is a correction, not a decision: the rows are taken back and written anew with the same day of beginning, as
  one change that can be undone. History before it stays as it was reported ("as known on").
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from sqlalchemy import select

from geo import crs
from geo.errors import InputError
from geo.mending import Moved, compare, mend
from geo.refusals import RefusedError
from geo.weld import drop_vertices
from geo.words import Text

from . import changes, homes, schema
from .changes import Change
from .filters import among
from .history import day
from .land import Land, Lands, read_lands
from .mend_limits import MendLimits, read_mend_limits
from .rights import Viewer
from .rows import insert_in, retire_rows
from .telling import Tell, counted, silent, within
from .watched import changed_since, require_unchanged

if TYPE_CHECKING:
    from .store import Store

ACT = "mend"
_READ, _PLANNED = 0.3, 0.9
"""Shares of the time that reading takes of a plan, and the plan of the whole, as measured for a county."""
_PLANNING = Text("正在计算方案", "Working out what would move")
_WRITING = Text("正在写入", "Writing")


@dataclass(frozen=True, slots=True)
class VillagePlan:
    """What mending would do to the grids of one village, or why it will not.

    `shapes`: the new ones by grid code, metric, changed ones only; `moved`: the same grids with their figures.
    """

    land: Land
    shapes: dict[str, shapely.Geometry]
    moved: tuple[Moved, ...]
    outline_shift_m: float = 0.0
    refusal: RefusedError | None = None

    @property
    def state(self) -> str:
        """clean, mendable or refused."""
        return "refused" if self.refusal else "mendable" if self.shapes else "clean"


@dataclass(frozen=True, slots=True)
class Plan:
    """A repair that was worked out and not done."""

    parent: str
    limits: MendLimits
    lands: Lands
    villages: tuple[VillagePlan, ...]
    hash: str

    def as_dict(self) -> dict[str, Any]:
        """Hash, tolerances, totals, villages and grids (most land moved first), as JSON with both languages."""
        moved = [(village, one) for village in self.villages for one in village.moved]
        moved.sort(key=lambda pair: (-pair[1].moved_m2, pair[1].code))
        names = self.lands.rows["name"] if "name" in self.lands.rows else pd.Series(dtype=object)
        names = names[~names.index.duplicated()]
        states = [village.state for village in self.villages]
        return {
            "parent": self.parent,
            "hash": self.hash,
            "tolerances": asdict(self.limits),
            "totals": {
                "villages": len(self.villages),
                "clean": states.count("clean"),
                "mendable": states.count("mendable"),
                "refused": states.count("refused"),
                "grids": len(moved),
                "large": sum(self._large(one) for _, one in moved),
                # Land that leaves one grid arrives in another, or leaves or enters the village: each counted once
                # per grid, so half of it is what changes hands.
                "moved_m2": round(sum(one.moved_m2 for _, one in moved) / 2, 2),
                "largest_shift_m": round(max((one.shift_m for _, one in moved), default=0.0), 3),
            },
            "villages": [self._village(village) for village in self.villages if village.state != "clean"],
            "grids": [
                {
                    "code": one.code,
                    "name": names.get(one.code) or "",
                    "parent_code": village.land.code,
                    "before_m2": round(one.before_m2, 2),
                    "after_m2": round(one.after_m2, 2),
                    "moved_m2": round(one.moved_m2, 2),
                    "shift_m": round(one.shift_m, 3),
                    "parts_before": one.parts_before,
                    "parts_after": one.parts_after,
                    "large": self._large(one),
                    "bounds": bounds_of(village.shapes[one.code], self.lands.system),
                }
                for village, one in moved
            ],
        }

    def _large(self, one: Moved) -> bool:
        return one.moved_m2 > self.limits.large_share * max(one.before_m2, one.after_m2)

    def _village(self, village: VillagePlan) -> dict[str, Any]:
        refusal = village.refusal
        piece = refusal.piece if refusal else None
        return {
            "code": village.land.code,
            "name": village.land.name,
            "state": village.state,
            "grids": len(village.land.kept),
            "changed": len(village.moved),
            "outline_shift_m": round(village.outline_shift_m, 4),
            "reason": refusal.reason if refusal else "",
            "what": refusal.what.as_dict() if refusal else "",
            "mend": refusal.mend.as_dict() if refusal else "",
            "codes": list(refusal.codes) if refusal else [],
            "bounds": None if piece is None or piece.is_empty else bounds_of(piece, self.lands.system),
            "geometry": None if piece is None or piece.is_empty else geojson_of(piece, self.lands.system),
        }


def bounds_of(shape: shapely.Geometry, system: Any) -> list[float]:
    """West, south, east, north in degrees of a metric shape."""
    lonlat = crs.transform_geometries([shape], system, crs.LONLAT)[0]
    return [round(float(value), 7) for value in lonlat.bounds]


def geojson_of(shape: shapely.Geometry, system: Any) -> dict[str, Any]:
    """A metric shape as GeoJSON in degrees, to the centimetre."""
    lonlat = crs.transform_geometries([shape], system, crs.LONLAT)[0]
    return shapely.geometry.mapping(shapely.transform(lonlat, lambda xy: np.round(xy, 7)))


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
