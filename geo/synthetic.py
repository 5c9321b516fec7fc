"""A made-up county, of any size, from a seed: every layer wangge keeps, plausible enough to try everything on.

It belongs to nobody: outline, names, codes, cameras and incidents are invented by rule. What makes it useful for
tests is that the truth is known: which villages fall short, where hotspots were planted, how often incidents double.
"""

from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import shapely

from . import crs
from .synthetic_cameras import make_cameras
from .synthetic_incidents import PlantedHotspot, make_incidents
from .synthetic_layers import (
    Zone,
    area_frames,
    area_shapes,
    camera_frame,
    frame_of,
    incident_frame,
    natural_frame,
    references,
)
from .synthetic_places import Namer, Syllables, make_names
from .synthetic_plan import Size, make_plan
from .synthetic_services import dedicated_uses, make_boundary, make_facilities, make_staffing, make_waste, make_zones
from .synthetic_works import make_works

CENTRE = (111.0, 27.6)
"""Where the made-up county is put: inland, in the middle of a 3-degree zone."""
_WASTE_WORDS = {"waste_station": "垃圾收集点", "depot": "中转站", "incinerator": "焚烧设施"}


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
    zone = Zone(zone_epsg, float(np.round(east[0])), float(np.round(north[0])))
    segments = replace(plan.segments, start=zone.round(plan.segments.start), end=zone.round(plan.segments.end))
    namer = Namer(rng, syllables)
    names = make_names(plan, namer)
    shapes = area_shapes(plan, segments)
    uses = dedicated_uses(rng, plan)
    camera, camera_xy = make_cameras(rng, plan, works)
    incident, incident_xy, spots = make_incidents(rng, plan, works)

    frames = area_frames(rng, plan, zone, shapes, names, uses)
    frames["natural_village"] = natural_frame(rng, plan, works, zone, names, namer)
    frames["camera"] = camera_frame(rng, plan, zone, names, camera, camera_xy)
    frames["incident"] = incident_frame(zone, incident, incident_xy)
    facility, facility_xy = make_facilities(rng, plan, uses)
    facility.insert(
        0, "name", [names.village[row] + kind for row, kind in zip(facility["village"], facility["type"], strict=True)]
    )
    frames["facility"] = frame_of(facility.drop(columns=["village", "cell"]), zone.points(facility_xy))
    staffing = make_staffing(rng, plan)
    staffing.insert(0, "area_code", names.village_code)
    frames["staffing"] = frame_of(staffing, np.full(len(staffing), None))
    outline = shapely.union_all(shapes["county"])
    for kind, table in (make_zones(rng, plan, uses, shapes["grid"], spots) | make_boundary(rng, outline)).items():
        frames[kind] = frame_of(table.drop(columns="shape"), zone.shapes(table["shape"].to_numpy()))
    for kind, table in make_waste(rng, plan).items():
        table.insert(0, "name", [f"{names.village[row]}{_WASTE_WORDS[kind]}" for row in table["village"]])
        table["area_code"] = [names.village_code[row] for row in table["village"]]
        frames[kind] = frame_of(table.drop(columns=["village", "x", "y"]), zone.points(table[["x", "y"]].to_numpy()))
    centre = zone.lonlat(np.array([[spot.lon, spot.lat] for spot in spots]).reshape(-1, 2))
    hotspots = [replace(spot, lon=float(lon), lat=float(lat)) for spot, (lon, lat) in zip(spots, centre, strict=True)]
    title = names.county[0] if counties == 1 else namer.pick("city", 0, "City ")
    return County(title, names.county_code[0], frames, references(plan, works, zone, outline), hotspots)
