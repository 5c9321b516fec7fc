"""Where the grids of villages do not fit, with places to click: what mending shows before anything else.

The same tolerances as the checks of the store (`data/checks.json`): what is too small for them is no place to click,
though the borders may still lack vertices they should share, which is told once per village.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo import crs, topology
from geo.crs import CENTIMETRE
from geo.words import Text

from .check_limits import Limits, read_limits
from .findings import SEVERITIES, Finding
from .history import day
from .land import Land, Lands, read_lands
from .mend_limits import read_mend_limits
from .mending import ACT
from .rights import Viewer

if TYPE_CHECKING:
    from .store import Store

GAP, OVERLAP, SLIVER, OUTSIDE, UNMATCHED, INVALID = "gap", "overlap", "sliver", "outside_parent", "unmatched", "invalid"
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

    def as_dict(self, language: str) -> dict[str, Any]:
        """In one language, for pages and scripts; the shape as GeoJSON."""
        return {
            "kind": self.finding.kind,
            "severity": self.finding.severity,
            "what": self.finding.what.to(language),
            "mend": self.finding.mend.to(language),
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


def find(store: "Store", viewer: Viewer, parent: str = "") -> Places:
    """Gaps, overlaps, slivers, grids that miss their village and borders that lack common vertices, as of today.

    Errors as `layers.mending.plan`.
    """
    viewer.require(ACT)
    lands = read_lands(store, viewer, parent, day(None))
    limits, gap_width_m = read_limits(store), read_mend_limits(store).gap_width_m
    found: list[_Raw] = []
    dirty = [land for land in lands.lands if not land.fits]
    for land in dirty:
        seen = _Seen(land, lands, limits).everything(gap_width_m)
        found += seen or [_unmatched(land, lands)]
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

    def __init__(self, land: Land, lands: Lands, limits: Limits) -> None:
        self._land, self._system, self._limits = land, lands.system, limits
        self._areas = gpd.GeoDataFrame(
            {"parent_code": [land.code] * len(land.shapes)},
            geometry=list(land.shapes.values()),
            index=list(land.shapes),
            crs=lands.system,
        )
        self._outline = land.outline if land.outline is not None and land.outline.is_valid else None
        if land.outline is not None and self._outline is None:
            self._outline = shapely.make_valid(land.outline, method="structure")

    def everything(self, gap_width_m: float) -> list[_Raw]:
        """All places of this village."""
        least, name = self._limits.area_m2, self._land.name or self._land.code
        size = self._areas.area
        whole = self._outline if self._outline is not None else _closed(self._areas, gap_width_m)
        places = self._rows(
            topology.find_gaps(self._areas, whole, min_area_m2=least),
            GAP,
            lambda row: Text(
                f"{name} 有 {_size(row)} 平方米不属于任何网格。", f"{name}: {_size(row)} m2 belong to no grid."
            ),
            lambda row: whole.area,
        )
        places += self._rows(
            topology.find_overlaps(self._areas, min_area_m2=least),
            OVERLAP,
            lambda row: Text(
                f"网格 {row['codes'][0]} 与 {row['codes'][1]} 重叠 {_size(row)} 平方米。",
                f"Grids {row['codes'][0]} and {row['codes'][1]} overlap by {_size(row)} m2.",
            ),
            lambda row: min(size[code] for code in row["codes"]),
        )
        places += self._rows(
            topology.find_slivers(self._areas, width_m=self._limits.sliver_width_m),
            SLIVER,
            lambda row: Text(
                f"网格 {row['codes'][0]} 有一处细碎面，{_size(row)} 平方米。",
                f"Grid {row['codes'][0]} has a sliver of {_size(row)} m2.",
            ),
            lambda row: np.inf,
        )
        if self._outline is not None:
            parents = gpd.GeoDataFrame(geometry=[self._outline], index=[self._land.code], crs=self._system)
            places += self._rows(
                topology.find_outside(self._areas, parents, min_area_m2=least),
                OUTSIDE,
                lambda row: Text(
                    f"网格 {row['codes'][0]} 有 {_size(row)} 平方米在村界之外。",
                    f"Grid {row['codes'][0]}: {_size(row)} m2 lie outside the village.",
                ),
                lambda row: size[row["codes"][0]],
            )
        return places + self._invalid()

    def _rows(
        self,
        found: gpd.GeoDataFrame,
        kind: str,
        say: Callable[[dict[str, Any]], Text],
        whole_m2: Callable[[dict[str, Any]], float],
    ) -> list[_Raw]:
        places = []
        for row in found.to_dict("records"):
            much = row["area_m2"] > self._limits.area_share * whole_m2(row)
            codes = tuple(code for code in row["codes"] if code != self._land.code)
            places.append(self.place(kind, "error" if much else "warning", say(row), codes, row["geometry"]))
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


def _unmatched(land: Land, lands: Lands) -> _Raw:
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
    return _Seen(land, lands, Limits(0, 0, CENTIMETRE, 0, 0, 0)).place(
        UNMATCHED, "warning", what, concerned[:20], where
    )


def _closed(areas: gpd.GeoDataFrame, gap_width_m: float) -> shapely.Geometry:
    """All areas together with the narrow holes closed: what they would cover were it not for gaps."""
    together = shapely.union_all(areas.geometry.to_numpy(), grid_size=CENTIMETRE)
    holes = [shapely.Polygon(ring) for part in shapely.get_parts(together) for ring in getattr(part, "interiors", ())]
    narrow = [hole for hole in holes if shapely.is_empty(shapely.buffer(hole, -gap_width_m / 2))]
    return shapely.union_all([together, *narrow], grid_size=CENTIMETRE) if narrow else together


def _size(row: dict[str, Any]) -> str:
    return f"{row['area_m2']:,.1f}"
