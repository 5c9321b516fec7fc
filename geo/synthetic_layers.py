"""Frames of a made-up county: what was planned, with codes, names and places in lon/lat on the 1 cm grid."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from . import crs
from .synthetic_areas import Segments, polygons
from .synthetic_land import STREAM_KM2, river_lines
from .synthetic_places import Namer, Names, grid_codes, natural_codes
from .synthetic_plan import Plan
from .synthetic_works import ROAD_CLASSES, Works

CODE_YEAR = 2025
RIVER_WORDS = {1: "brook", 2: "stream", 3: "river"}


@dataclass(frozen=True, slots=True)
class Zone:
    """Where local metres lie: a CGCS2000 zone and the offset of the local origin in it."""

    epsg: int
    east_m: float
    north_m: float

    def round(self, xy: np.ndarray) -> np.ndarray:
        """Local metres on the 1 cm grid of the zone."""
        return np.round(xy + np.array([self.east_m, self.north_m]), 2) - np.array([self.east_m, self.north_m])

    def lonlat(self, xy: np.ndarray) -> np.ndarray:
        """Lon/lat of local metres, rounded to the centimetre first; NaN stays NaN."""
        metres = np.round(np.asarray(xy, dtype=float) + np.array([self.east_m, self.north_m]), 2)
        result = np.full(metres.shape, np.nan)
        known = np.isfinite(metres).all(axis=1)
        lon, lat = crs.transform_xy(metres[known, 0], metres[known, 1], f"EPSG:{self.epsg}", crs.LONLAT)
        # Nine decimals, as in a store: less than a tenth of a millimetre.
        result[known] = np.round(np.column_stack([lon, lat]), 9)
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


def frame_of(table: pd.DataFrame, geometry: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=gpd.GeoSeries(geometry, crs=crs.LONLAT))


def area_shapes(plan: Plan, segments: Segments) -> dict[str, np.ndarray]:
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


def area_frames(
    rng: np.random.Generator, plan: Plan, zone: Zone, shapes: dict[str, np.ndarray], names: Names, uses: np.ndarray
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
        result[kind] = frame_of(table.iloc[order], zone.shapes(shapes[kind][order]))
    return result


def natural_frame(
    rng: np.random.Generator, plan: Plan, works: Works, zone: Zone, names: Names, namer: Namer
) -> gpd.GeoDataFrame:
    owner = plan.village_of_grid[works.natural_grid]
    count = np.bincount(works.natural_grid, minlength=plan.size.grids)[works.natural_grid]
    homes = np.maximum(4, np.rint(plan.households[works.natural_grid] / count * rng.uniform(0.7, 1.0, len(owner))))
    table = pd.DataFrame(
        {
            "code": natural_codes(owner, names.village_code),
            "name": _natural_names(namer, owner),
            "parent_code": [names.village_code[row] for row in owner],
            "households": homes.astype(np.int64),
            "population": np.rint(homes * 2.8).astype(np.int64),
        }
    )
    order = np.argsort(table["code"].to_numpy().astype(str))
    return frame_of(table.iloc[order], zone.points(works.natural_xy[order]))


def _natural_names(namer: Namer, owner: np.ndarray) -> list[str]:
    """Names that are unique within each village; hamlets of different villages may share one, as in life."""
    names = namer.unique("natural_first", "natural_last", "", min(len(owner), 700), "自然村")
    return [names[row % len(names)] for row in range(len(owner))]


def camera_frame(
    rng: np.random.Generator, plan: Plan, zone: Zone, names: Names, table: pd.DataFrame, xy: np.ndarray
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
    return frame_of(table.drop(columns=["village", "cell", "spot"]), zone.points(xy))


def incident_frame(zone: Zone, table: pd.DataFrame, xy: np.ndarray) -> gpd.GeoDataFrame:
    day = table["occurred_at"].dt.strftime("%Y%m%d")
    serial = table.groupby(day).cumcount() + 1
    table = table.copy()
    table.insert(0, "incident_no", day + serial.astype(str).str.zfill(4))
    return frame_of(table, zone.points(xy))


def references(plan: Plan, works: Works, zone: Zone, outline: shapely.Polygon) -> dict[str, gpd.GeoDataFrame]:
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
    river_order = np.concatenate(orders)
    river = pd.DataFrame(
        {
            "class": [RIVER_WORDS[number] for number in river_order],
            "order": river_order,
            "drained_km2_min": np.array(STREAM_KM2)[river_order - 1],
        }
    )
    buildings = pd.DataFrame({"use": works.building_use, "floors": works.building_floors})
    return {
        "roads": frame_of(roads, zone.shapes(works.road)),
        "rivers": frame_of(river, zone.shapes(np.concatenate(rivers))),
        "buildings": frame_of(buildings, zone.shapes(works.building)),
    }
