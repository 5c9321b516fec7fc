"""A plan of mending: what it would do to each village and grid, told with figures and places; nothing is done here."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo import crs
from geo.mending import Moved
from geo.refusals import RefusedError

from ..places.land import Land, Lands
from .mend_limits import MendLimits


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
