"""A made-up county, of any size, from a seed: every layer wangge keeps, plausible enough to try everything on.

It belongs to nobody: outline, names, codes, cameras and incidents are invented by rule. What makes it useful for
tests is that the truth is known: which villages fall short, where hotspots were planted, how often incidents double.
"""

from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from . import crs
from .synthetic_areas import Segments, polygons
from .synthetic_cameras import make_cameras
from .synthetic_incidents import PlantedHotspot, make_incidents
from .synthetic_land import STREAM_KM2, river_lines
from .synthetic_places import (
    Namer,
    Syllables,
    county_codes,
    grid_codes,
    natural_codes,
    township_codes,
    village_codes,
)
from .synthetic_plan import Plan, Size, make_plan
from .synthetic_services import dedicated_uses, make_boundary, make_facilities, make_staffing, make_waste, make_zones
from .synthetic_works import ROAD_CLASSES, Works, make_works

CENTRE = (111.0, 27.6)
"""Where the made-up county is put: inland, in the middle of a 3-degree zone."""
CODE_YEAR = 2025
RIVER_WORDS = {1: "brook", 2: "stream", 3: "river"}


@dataclass(frozen=True, slots=True)
class County:
    """All layers by kind, lon/lat EPSG:4490; `references` are layers with free columns (roads, rivers, buildings).

    Codes are columns, as in the kinds of a store. `hotspots` is the truth about planted clusters.
    """

    name: str
    code: str
    frames: dict[str, gpd.GeoDataFrame]
    references: dict[str, gpd.GeoDataFrame]
    hotspots: list[PlantedHotspot] = field(default_factory=list)

    def __getitem__(self, kind: str) -> gpd.GeoDataFrame:
        return self.frames[kind]


@dataclass(frozen=True, slots=True)
class _Names:
    county_code: list[str]
    county: list[str]
    township_code: list[str]
    township: list[str]
    village_code: list[str]
    village: list[str]


@dataclass(frozen=True, slots=True)
class _Zone:
    """Where local metres lie: a CGCS2000 zone and the offset of the local origin in it."""

    epsg: int
    east_m: float
    north_m: float

    def round(self, xy: np.ndarray) -> np.ndarray:
        """Local metres on the 1 cm grid of the zone."""
        return np.round(xy + (self.east_m, self.north_m), 2) - (self.east_m, self.north_m)

    def lonlat(self, xy: np.ndarray) -> np.ndarray:
        """Lon/lat of local metres, rounded to the centimetre first; NaN stays NaN."""
        metres = np.round(np.asarray(xy, dtype=float) + (self.east_m, self.north_m), 2)
        result = np.full(metres.shape, np.nan)
        known = np.isfinite(metres).all(axis=1)
        lon, lat = crs.transform_xy(metres[known, 0], metres[known, 1], f"EPSG:{self.epsg}", crs.LONLAT)
        result[known] = np.column_stack([lon, lat])
        return result

    def shapes(self, shapes: np.ndarray) -> np.ndarray:
        """Shapes in local metres as lon/lat shapes on the 1 cm grid."""
        return shapely.transform(shapes, self.lonlat)

    def points(self, xy: np.ndarray) -> np.ndarray:
        """Points in lon/lat; None where the place is not known."""
        lonlat = self.lonlat(xy)
        points = shapely.points(lonlat)
        points[~np.isfinite(lonlat[:, 0])] = None
        return points


def make_county(
    *,
    seed: int,
    villages: int = 300,
    grids: int = 2000,
    cameras: int = 10_000,
    incidents: int = 45_000,
    natural_villages: int = 1500,
    counties: int = 1,
    syllables: Syllables | None = None,
) -> County:
    """A made-up county, or several under one city with `counties` > 1.

    Parameters
    ----------
    seed
        The same seed and sizes give the same county, to the last digit.
    villages, grids, natural_villages
        Rows of these layers, exactly. At least 12 villages per county, and as many grids as villages.
    cameras
        Sum of `camera_count`; there are a few rows less, because some sites hold several cameras.
    incidents
        Rows, among them 2.5 % near-duplicates, 3 % on a village's one point and 3 % without a place.
    syllables
        Word lists for names (`data/sample/names.json`); without them places are numbered.

    Returns
    -------
    County
        Grids divide villages, villages townships and townships counties without gap or overlap on the 1 cm grid of
        the county's CGCS2000 zone. A quarter of the villages has fewer than five working cameras.
    """
    rng = np.random.default_rng(seed)
    size = Size(villages, max(grids, villages), cameras, incidents, natural_villages, counties)
    plan = make_plan(rng, size)
    works = make_works(rng, plan)
    zone_epsg = crs.zone_epsg(*CENTRE)
    east, north = crs.transform_xy(np.array([CENTRE[0]]), np.array([CENTRE[1]]), crs.LONLAT, f"EPSG:{zone_epsg}")
    zone = _Zone(zone_epsg, float(np.round(east[0])), float(np.round(north[0])))
    segments = replace(plan.segments, start=zone.round(plan.segments.start), end=zone.round(plan.segments.end))
    namer = Namer(rng, syllables)
    names = _make_names(plan, namer)
    shapes = _area_shapes(plan, segments)
    uses = dedicated_uses(rng, plan)
    camera, camera_xy = make_cameras(rng, plan, works)
    incident, incident_xy, spots = make_incidents(rng, plan, works)

    frames = _area_frames(rng, plan, zone, shapes, names, uses)
    frames["natural_village"] = _natural_frame(rng, plan, works, zone, names, namer)
    frames["camera"] = _camera_frame(rng, plan, zone, names, camera, camera_xy)
    frames["incident"] = _incident_frame(zone, incident, incident_xy)
    facility, facility_xy = make_facilities(rng, plan, uses)
    facility.insert(
        0, "name", [names.village[row] + kind for row, kind in zip(facility["village"], facility["type"], strict=True)]
    )
    frames["facility"] = _frame(facility.drop(columns=["village", "cell"]), zone.points(facility_xy))
    staffing = make_staffing(rng, plan)
    staffing.insert(0, "area_code", names.village_code)
    frames["staffing"] = _frame(staffing, np.full(len(staffing), None))
    outline = shapely.union_all(shapes["county"])
    for kind, table in (make_zones(rng, plan, uses, shapes["grid"], spots) | make_boundary(rng, outline)).items():
        frames[kind] = _frame(table.drop(columns="shape"), zone.shapes(table["shape"].to_numpy()))
    for kind, table in make_waste(rng, plan).items():
        table.insert(0, "name", [f"{names.village[row]}{_WASTE_WORDS[kind]}" for row in table["village"]])
        table["area_code"] = [names.village_code[row] for row in table["village"]]
        frames[kind] = _frame(table.drop(columns=["village", "x", "y"]), zone.points(table[["x", "y"]].to_numpy()))
    centre = zone.lonlat(np.array([[spot.lon, spot.lat] for spot in spots]).reshape(-1, 2))
    hotspots = [replace(spot, lon=float(lon), lat=float(lat)) for spot, (lon, lat) in zip(spots, centre, strict=True)]
    references = _references(plan, works, zone, outline)
    title = names.county[0] if counties == 1 else namer.pick("city", 0, "City ")
    return County(title, names.county_code[0], frames, references, hotspots)


_WASTE_WORDS = {"waste_station": "垃圾收集点", "depot": "中转站", "incinerator": "焚烧设施"}


def _frame(table: pd.DataFrame, geometry: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=gpd.GeoSeries(geometry, crs=crs.LONLAT))


def _make_names(plan: Plan, namer: Namer) -> _Names:
    counties = [namer.pick("county", number, "County ") for number in range(plan.size.counties)]
    seat_urban = plan.population_of_township
    rural = ~plan.street & (seat_urban < np.quantile(seat_urban, 0.25))
    county_code = county_codes(plan.size.counties)
    township_code = township_codes(plan.county_of_township, plan.street, rural, county_code)
    streets = iter(namer.unique("street_first", "street_second", "街道", int(plan.street.sum()), "街道"))
    towns = iter(namer.unique("town_first", "town_second", "镇", int((~plan.street & ~rural).sum()), "镇"))
    others = iter(namer.unique("town_first", "town_second", "乡", int(rural.sum()), "乡"))
    township = [
        next(streets) if is_street else next(others) if is_rural else next(towns)
        for is_street, is_rural in zip(plan.street.tolist(), rural.tolist(), strict=True)
    ]
    village_code = village_codes(plan.township_of_village, plan.urban, township_code)
    urban = iter(namer.unique("community_first", "community_second", "社区", int(plan.urban.sum()), "社区"))
    country = iter(namer.unique("village_first", "village_second", "村", int((~plan.urban).sum()), "村"))
    village = [next(urban) if is_urban else next(country) for is_urban in plan.urban.tolist()]
    return _Names(county_code, counties, township_code, township, village_code, village)


def _area_shapes(plan: Plan, segments: Segments) -> dict[str, np.ndarray]:
    """Polygons in local metres by kind."""
    xy = plan.mesh.xy
    county = plan.county_of_cell
    county_seat = np.array([np.flatnonzero(county == number)[0] for number in range(plan.size.counties)])
    return {
        "county": polygons(segments, county, xy[county_seat]),
        "township": polygons(segments, plan.township_of_cell, xy[plan.township_seat]),
        "village": polygons(segments, plan.village_of_cell, xy[plan.village_seat]),
        "grid": polygons(segments, plan.grid_of_cell, xy[plan.grid_seat]),
    }


def _area_frames(
    rng: np.random.Generator, plan: Plan, zone: _Zone, shapes: dict[str, np.ndarray], names: _Names, uses: np.ndarray
) -> dict[str, gpd.GeoDataFrame]:
    """County, township, village and grid with codes, names and people."""
    county_of_village = plan.county_of_township[plan.township_of_village]
    sums = {
        "village": (plan.village_of_grid, plan.size.villages),
        "township": (plan.township_of_village[plan.village_of_grid], len(names.township)),
        "county": (county_of_village[plan.village_of_grid], plan.size.counties),
    }
    urban_grid = plan.urban[plan.village_of_grid]
    people = {}
    for kind, (owner, count) in sums.items():
        people[kind] = {
            "households": np.bincount(owner, plan.households, count).astype(np.int64),
            "population": np.bincount(owner, plan.population, count).astype(np.int64),
            "pop_urban": np.bincount(owner, plan.population * urban_grid, count).astype(np.int64),
            "pop_rural": np.bincount(owner, plan.population * ~urban_grid, count).astype(np.int64),
            "code_year": np.full(count, CODE_YEAR),
        }
    parent = [names.county_code[row] for row in plan.county_of_township]
    tables = {
        "county": pd.DataFrame({"code": names.county_code, "name": names.county} | people["county"]),
        "township": pd.DataFrame(
            {"code": names.township_code, "name": names.township, "parent_code": parent} | people["township"]
        ),
    }
    seat_built = plan.built_up[plan.village_seat]
    market = np.isin(np.arange(plan.size.villages), plan.village_of_cell[plan.township_seat])
    new = rng.random(plan.size.villages) < 0.3
    central = market | (~plan.urban & (rng.random(plan.size.villages) < 0.12))
    tables["village"] = pd.DataFrame(
        {
            "code": names.village_code,
            "name": names.village,
            "parent_code": [names.township_code[row] for row in plan.township_of_village],
            **people["village"],
            "urban_rural": np.where(
                plan.urban, np.where(seat_built > 0.6, "121", "122"), np.where(market, "210", "220")
            ).astype(object),
            "village_type": np.where(
                plan.urban,
                np.where(new, "urban_new", "urban_built"),
                np.where(central, "rural_central", "rural_other"),
            ).astype(object),
            "central_village": central & ~plan.urban,
        }
    )
    height = float(np.median([shape.bounds[3] - shape.bounds[1] for shape in shapes["grid"]]))
    codes = grid_codes(plan.village_of_grid, plan.dedicated, plan.mesh.xy[plan.grid_seat], height, names.village_code)
    full = np.where(plan.dedicated, rng.choice(2, plan.size.grids), rng.choice(3, plan.size.grids, p=[0.12, 0.78, 0.1]))
    tables["grid"] = pd.DataFrame(
        {
            "grid_code": codes,
            "name": [
                f"{names.village[village]}{use}专属网格" if use else f"{names.village[village]}第{int(code[-3:])}网格"
                for village, use, code in zip(plan.village_of_grid.tolist(), uses.tolist(), codes, strict=True)
            ],
            "village_code": [names.village_code[row] for row in plan.village_of_grid],
            "kind": np.where(plan.dedicated, "dedicated", "base").astype(object),
            "households": plan.households,
            "population": plan.population,
            "workers_full": full,
            "workers_part": np.where(
                full == 0, rng.choice(2, plan.size.grids, p=[0.25, 0.75]), rng.poisson(0.4, plan.size.grids)
            ),
        }
    )
    result = {}
    for kind, table in tables.items():
        key = "grid_code" if kind == "grid" else "code"
        order = np.argsort(table[key].to_numpy().astype(str))
        result[kind] = _frame(table.iloc[order], zone.shapes(shapes[kind][order]))
    return result


def _natural_frame(
    rng: np.random.Generator, plan: Plan, works: Works, zone: _Zone, names: _Names, namer: Namer
) -> gpd.GeoDataFrame:
    owner = plan.village_of_grid[works.natural_grid]
    count = np.bincount(works.natural_grid, minlength=plan.size.grids)[works.natural_grid]
    homes = np.maximum(4, np.rint(plan.households[works.natural_grid] / count * rng.uniform(0.7, 1.0, len(owner))))
    table = pd.DataFrame(
        {
            "code": natural_codes(owner, names.village_code),
            "name": [namer_word for namer_word in _natural_names(namer, owner)],
            "parent_code": [names.village_code[row] for row in owner],
            "households": homes.astype(np.int64),
            "population": np.rint(homes * 2.8).astype(np.int64),
        }
    )
    order = np.argsort(table["code"].to_numpy().astype(str))
    return _frame(table.iloc[order], zone.points(works.natural_xy[order]))


def _natural_names(namer: Namer, owner: np.ndarray) -> list[str]:
    """Names that are unique within each village; hamlets of different villages may share one, as in life."""
    names = namer.unique("natural_first", "natural_last", "", min(len(owner), 700), "自然村")
    return [names[row % len(names)] for row in range(len(owner))]


def _camera_frame(
    rng: np.random.Generator, plan: Plan, zone: _Zone, names: _Names, table: pd.DataFrame, xy: np.ndarray
) -> gpd.GeoDataFrame:
    village = table["village"].to_numpy()
    n = len(table)
    township = plan.township_of_village[village]
    county = plan.county_of_township[township]
    within = (
        township
        - np.array([np.flatnonzero(plan.county_of_township == c)[0] for c in range(plan.size.counties)])[county]
    )
    industry = rng.choice(np.array(["00", "01", "04", "08"]), n, p=[0.5, 0.35, 0.1, 0.05])
    kind = np.where(table["ptz_type"] == "1", "131", "132")
    serial = rng.permutation(n) + 1
    table = table.copy()
    table.insert(
        0,
        "device_id",
        [
            f"{names.county_code[c][:6]}{t % 100:02d}{i}{k}0{s:06d}"
            for c, t, i, k, s in zip(
                county.tolist(), (within + 1).tolist(), industry, kind, serial.tolist(), strict=True
            )
        ],
    )
    number = table.groupby(["village", "spot"]).cumcount() + 1
    table.insert(
        1,
        "name",
        [f"{names.village[v]}{s}{k}号" for v, s, k in zip(village.tolist(), table["spot"], number, strict=True)],
    )
    managing = rng.choice(3, n, p=[0.5, 0.35, 0.15])
    table["managing_unit"] = [
        (f"{names.county[c]}公安局", f"{names.township[t]}综治中心", names.village[v])[m]
        for c, t, v, m in zip(county.tolist(), township.tolist(), village.tolist(), managing.tolist(), strict=True)
    ]
    return _frame(table.drop(columns=["village", "cell", "spot"]), zone.points(xy))


def _incident_frame(zone: _Zone, table: pd.DataFrame, xy: np.ndarray) -> gpd.GeoDataFrame:
    day = table["occurred_at"].dt.strftime("%Y%m%d")
    serial = table.groupby(day).cumcount() + 1
    table = table.copy()
    table.insert(0, "incident_no", day + serial.astype(str).str.zfill(4))
    return _frame(table, zone.points(xy))


def _references(plan: Plan, works: Works, zone: _Zone, outline: shapely.Polygon) -> dict[str, gpd.GeoDataFrame]:
    words = np.array([word for word, _ in ROAD_CLASSES], dtype=object)
    widths = np.array([width for _, width in ROAD_CLASSES])
    roads = pd.DataFrame({"class": words[works.road_class], "width_m": widths[works.road_class]})
    rivers, orders = [], []
    shapely.prepare(outline)
    for order, lines in river_lines(plan.terrain):
        near = lines[shapely.intersects(outline, lines)]
        parts = shapely.get_parts(shapely.line_merge(shapely.intersection(near, outline)))
        parts = parts[shapely.get_type_id(parts) == 1]
        rivers.append(parts)
        orders.append(np.full(len(parts), order))
    order = np.concatenate(orders)
    river = pd.DataFrame(
        {
            "class": [RIVER_WORDS[number] for number in order],
            "order": order,
            "drained_km2_min": np.array(STREAM_KM2)[order - 1],
        }
    )
    buildings = pd.DataFrame({"use": works.building_use, "floors": works.building_floors})
    return {
        "roads": _frame(roads, zone.shapes(works.road)),
        "rivers": _frame(river, zone.shapes(np.concatenate(rivers))),
        "buildings": _frame(buildings, zone.shapes(works.building)),
    }
