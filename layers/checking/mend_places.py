"""Where the grids of villages do not fit, with places to click: what mending shows before anything else.

The same tolerances as the checks of the store (`data/checks.json`): what is too small for them is no place to click,
though the borders may still lack vertices they should share, which is told once per village.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo import crs, topology
from geo.crs import CENTIMETRE
from geo.faces import narrow
from geo.words import Text

from ..findings import SEVERITIES, Finding
from ..places.check_limits import Limits, read_limits
from ..places.land import Land, Lands, read_lands
from ..rights import Viewer
from ..storage.history import day
from ..telling import Tell, counted, silent, within
from .mend_limits import read_mend_limits
from .mending import ACT

if TYPE_CHECKING:
    from ..storage.store import Store

GAP, OVERLAP, SLIVER, OUTSIDE, UNMATCHED, INVALID = "gap", "overlap", "sliver", "outside_parent", "unmatched", "invalid"
SHOWN = 500
"""Places told; there can be tens of thousands."""
_READ = 0.3
"""Share of the time that reading takes, as measured for a county."""
_LOOKING = Text("正在检查不吻合的网格", "Looking at grids that do not fit")
_MEND = Text("可用“修整”处理，处理前可先看方案。", "Mending does it; look at the plan first.")


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that does not fit: the finding, village and grids concerned, size, and shape (lon/lat)."""

    finding: Finding
    parent_code: str
    codes: tuple[str, ...]
    area_m2: float
    shape: shapely.Geometry

    @property
    def bounds(self) -> list[float]:
        """The window to look at: west, south, east, north."""
        return [round(float(value), 7) for value in self.shape.bounds]

    def as_dict(self) -> dict[str, Any]:
        """JSON with both languages; the shape as GeoJSON."""
        return {
            "kind": self.finding.kind,
            "severity": self.finding.severity,
            "what": self.finding.what.as_dict(),
            "mend": self.finding.mend.as_dict(),
            "parent_code": self.parent_code,
            "codes": list(self.codes),
            "area_m2": round(self.area_m2, 2),
            "lon": self.finding.lon,
            "lat": self.finding.lat,
            "bounds": self.bounds,
            "geometry": shapely.geometry.mapping(shapely.transform(self.shape, lambda xy: np.round(xy, 7))),
        }


@dataclass(frozen=True, slots=True)
class _Raw:
    """A place before it is projected: all of them are at once, which takes a hundredth of the time."""

    kind: str
    severity: str
    what: Text
    codes: tuple[str, ...]
    shape: shapely.Geometry
    parent_code: str


@dataclass(frozen=True, slots=True)
class Places:
    """Everything found: places (errors first, the largest first), how many lands were looked at and how many fit."""

    places: tuple[Place, ...]
    villages: int
    clean: int
    grids: int

    def as_dict(self) -> dict[str, Any]:
        """Counts, and the first places, as JSON with both languages; `total` says how many there are."""
        return {
            "villages": self.villages,
            "clean": self.clean,
            "grids": self.grids,
            "total": len(self.places),
            "kinds": dict(Counter(place.finding.kind for place in self.places)),
            "places": [place.as_dict() for place in self.places[:SHOWN]],
        }


def find(store: "Store", viewer: Viewer, parent: str = "", *, tell: Tell = silent) -> Places:
    """Gaps, overlaps, slivers, grids that miss their village and borders that lack common vertices, as of today.

    Errors as `layers.checking.mending.plan`.
    """
    viewer.require(ACT)
    lands = read_lands(store, viewer, parent, day(None), tell=within(tell, 0, _READ))
    limits, gap_width_m = read_limits(store), read_mend_limits(store).gap_width_m
    found: list[_Raw] = []
    dirty = [land for land in lands.lands if not land.fits]
    for number, land in enumerate(dirty):
        counted(within(tell, _READ, 1), number, len(dirty), _LOOKING)
        seen = _Seen(land, limits).everything(gap_width_m)
        found += seen or [_unmatched(land)]
    places = _projected(found, lands)
    places.sort(
        key=lambda place: (SEVERITIES.index(place.finding.severity), -place.area_m2, place.parent_code, place.codes)
    )
    return Places(
        tuple(places), len(lands.lands), len(lands.lands) - len(dirty), sum(len(land.kept) for land in lands.lands)
    )


def _projected(found: list[_Raw], lands: Lands) -> list[Place]:
    shapes = np.array([raw.shape for raw in found], dtype=object)
    if not len(shapes):
        return []
    lonlat = crs.transform_geometries(shapes, lands.system, crs.LONLAT)
    at = shapely.point_on_surface(shapes)
    lon, lat = crs.transform_xy(shapely.get_x(at), shapely.get_y(at), lands.system, crs.LONLAT)
    areas = shapely.area(shapes)
    places = []
    for row, raw in enumerate(found):
        finding = Finding(
            raw.what,
            _MEND,
            severity=raw.severity,
            code=raw.codes[0] if raw.codes else raw.parent_code,
            kind=raw.kind,
            lon=round(float(lon[row]), 7),
            lat=round(float(lat[row]), 7),
        )
        area = 0.0 if raw.kind == INVALID else float(areas[row])
        places.append(Place(finding, raw.parent_code, raw.codes, area, lonlat[row]))
    return places


class _Seen:
    """One village looked at."""

    def __init__(self, land: Land, limits: Limits) -> None:
        self._land, self._limits = land, limits
        self._codes = np.array(list(land.shapes), dtype=object)
        self._shapes = topology.sound(np.array(list(land.shapes.values()), dtype=object))
        self._outline = None if land.outline is None else topology.sound(np.array([land.outline], dtype=object))[0]

    def everything(self, gap_width_m: float) -> list[_Raw]:
        """All places of this village."""
        least, name = self._limits.area_m2, self._land.name or self._land.code
        codes, shapes = self._codes, self._shapes
        size = dict(zip(codes, shapely.area(shapes), strict=True))
        if self._outline is not None:
            whole = self._outline.area
            bare = topology.gaps(codes, shapes, self._outline, min_area_m2=least)
        else:
            together = shapely.union_all(shapes, grid_size=CENTIMETRE)
            holes = _narrow_holes(together, gap_width_m)
            whole = together.area + float(shapely.area(holes).sum())
            bare = topology.around(codes, shapes, shapely.geometrycollections(holes), min_area_m2=least)
        places = self._rows(
            bare,
            GAP,
            lambda codes, m2: Text(f"{name} 有 {m2} 平方米不属于任何网格。", f"{name}: {m2} m2 belong to no grid."),
            lambda codes: whole,
        )
        places += self._rows(
            topology.overlaps(codes, shapes, min_area_m2=least),
            OVERLAP,
            lambda codes, m2: Text(
                f"网格 {codes[0]} 与 {codes[1]} 重叠 {m2} 平方米。",
                f"Grids {codes[0]} and {codes[1]} overlap by {m2} m2.",
            ),
            lambda codes: min(size[code] for code in codes),
        )
        places += self._rows(
            topology.slivers(codes, shapes, width_m=self._limits.sliver_width_m),
            SLIVER,
            lambda codes, m2: Text(
                f"网格 {codes[0]} 有一处细碎面，{m2} 平方米。", f"Grid {codes[0]} has a sliver of {m2} m2."
            ),
            lambda codes: np.inf,
        )
        if self._outline is not None:
            own = np.full(len(shapes), self._outline, dtype=object)
            places += self._rows(
                topology.outside([(code,) for code in codes], shapes, own, min_area_m2=least),
                OUTSIDE,
                lambda codes, m2: Text(
                    f"网格 {codes[0]} 有 {m2} 平方米在村界之外。", f"Grid {codes[0]}: {m2} m2 lie outside the village."
                ),
                lambda codes: size[codes[0]],
            )
        return places + self._invalid()

    def _rows(
        self,
        found: topology.Pieces,
        kind: str,
        say: Callable[[tuple[str, ...], str], Text],
        whole_m2: Callable[[tuple[str, ...]], float],
    ) -> list[_Raw]:
        places = []
        for shape, codes, area in zip(found.shapes, found.codes, found.area_m2, strict=True):
            much = area > self._limits.area_share * whole_m2(codes)
            places.append(self.place(kind, "error" if much else "warning", say(codes, f"{area:,.1f}"), codes, shape))
        return places

    def _invalid(self) -> list[_Raw]:
        return [
            self.place(
                INVALID,
                "error",
                Text(f"网格 {code} 的边界自相交。", f"The border of grid {code} crosses itself."),
                (code,),
                shape,
            )
            for code, shape in self._land.kept.items()
            if not shapely.is_valid(shape)
        ]

    def place(self, kind: str, severity: str, what: Text, codes: tuple[str, ...], shape: shapely.Geometry) -> _Raw:
        """A place of this village."""
        return _Raw(kind, severity, what, codes, shape, self._land.code)


def _unmatched(land: Land) -> _Raw:
    """A village whose grids fit on the map, but whose borders lack vertices that neighbours should share."""
    codes = np.array(list(land.kept), dtype=object)
    edges = shapely.coverage_invalid_edges(np.array(list(land.kept.values()), dtype=object))
    there = ~shapely.is_empty(edges)
    concerned = tuple(codes[there]) if there.any() else tuple(codes)
    where = shapely.union_all(edges[there]) if there.any() else shapely.union_all(list(land.kept.values()))
    name = land.name or land.code
    what = Text(
        f"{name} 有 {len(concerned)} 个网格的边界与相邻网格或村界不共用拐点。",
        f"{name}: the borders of {len(concerned)} grids do not share all corners with their neighbours or the village.",
    )
    return _Seen(land, Limits(0, 0, CENTIMETRE, 0, 0, 0)).place(UNMATCHED, "warning", what, concerned[:20], where)


def _narrow_holes(together: shapely.Geometry, width_m: float) -> np.ndarray:
    """The holes in land that are nowhere wider than `width_m`, as polygons: gaps, not lakes."""
    rings = [ring for part in shapely.get_parts(together) for ring in getattr(part, "interiors", ())]
    holes = shapely.polygons(np.array(rings, dtype=object)) if rings else np.empty(0, dtype=object)
    return holes[narrow(holes, width_m)]
