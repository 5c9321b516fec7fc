"""A density surface of reported incidents, ready to lie on a web map.

Worked out in the metric zone, then drawn on rows evenly spaced in Web Mercator (what an image overlay is stretched to),
so that the picture lies where the incidents are. Publication rules hold for every role that may see it: a smallest
bandwidth, and blank where fewer than so many reports carry the estimate.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.ndimage import map_coordinates

from geo import crs
from geo.density import Density, grid_shape, kernel_density
from geo.errors import InputError
from geo.words import Text

from .. import rights
from ..rights import Viewer
from ..storage.history import Moment, day
from ..storage.kept import kept
from ..storage.known import as_known
from .hotspot_search import REPORTED
from .hotspot_units import study_area
from .incidents import IncidentFilter, choose, read_incidents
from .provenance import Provenance, provenance
from .rule_body import RuleSet
from .rules import read_rule_set

if TYPE_CHECKING:
    from ..storage.store import Store

MERCATOR = "EPSG:3857"
_LARGEST_SIDE = 1_200  # pixels of the drawn surface


@dataclass(frozen=True, slots=True)
class DensityResult:
    """Reported incidents per square kilometre."""

    array: np.ndarray  # float64, row 0 is the northern edge; NaN outside the study area and where too few carry it
    bounds: tuple[float, float, float, float]  # west, south, east, north in degrees
    bandwidth_m: float
    cell_m: float
    as_of: str
    provenance: Provenance
    summary: dict[str, Any]


def density(
    store: "Store",
    viewer: Viewer,
    *,
    cell_m: float | None = None,
    bandwidth_m: float | None = None,
    date_from: date | str | None = None,
    date_to: date | str | None = None,
    category: Any = None,
    weekdays: Any = None,
    hours: Any = None,
    as_of: date | str | None = None,
    where: str | None = None,
    rule_set: str | None = None,
    known_on: Moment = None,
) -> DensityResult:
    """Smooth the incidents a filter keeps (`incidents.IncidentFilter`) over what the viewer may see.

    Parameters
    ----------
    cell_m
        Side of a cell of the surface; by default that of the rule set, at most half the bandwidth.
    bandwidth_m
        Standard deviation of the kernel; by default that of the rule set.
    known_on
        A moment: the surface as it would have been made then (see `known`).

    Raises
    ------
    InputError, RightsError
        A bandwidth below the smallest allowed, an option that cannot be used, or a role that may not see incidents.
    """
    rights.require("incident", viewer)
    store = as_known(store, known_on)
    rules = read_rule_set(store, rule_set)
    chosen = IncidentFilter.of(date_from, date_to, category, weekdays, hours)
    bandwidth = float(bandwidth_m or rules.number("density_bandwidth_m"))
    smallest = rules.number("density_min_bandwidth_m")
    if not bandwidth >= smallest:
        raise InputError(
            Text(f"带宽不得小于 {smallest:g} 米。", f"The bandwidth must be {smallest:g} m or more."),
            where="bandwidth_m",
            mend=Text("带宽过小会暴露具体地点。", "A smaller one would point at single places."),
        )
    cell = min(float(cell_m or rules.number("density_cell_m")), bandwidth / 2)
    on = day(as_of or store.today)
    key = (
        "density", tuple(sorted(store.versions().items())), viewer.cache_key, rules.name, rules.version, on, chosen,
        bandwidth, cell, where,
    )  # fmt: skip
    return kept(store).get(key, lambda: _density(store, viewer, rules, chosen, bandwidth, cell, on, where))


def _density(
    store: "Store",
    viewer: Viewer,
    rules: RuleSet,
    chosen: IncidentFilter,
    bandwidth: float,
    cell: float,
    on: str,
    where: str | None,
) -> DensityResult:
    outline, notes = study_area(store, viewer, on)
    system = crs.metric_crs(outline.bounds)
    metric = crs.transform_geometries([outline], crs.LONLAT, system)[0]
    picked = choose(read_incidents(store, viewer, as_of=on, where=where), chosen)
    x, y = crs.transform_xy(picked.incidents.lon, picked.incidents.lat, crs.LONLAT, system)
    x, y = np.where(np.isfinite(x), x, np.nan), np.where(np.isfinite(y), y, np.nan)
    west, south, east, north = metric.bounds
    bounds = (west - cell, south - cell, east + cell, north + cell)
    surface = kernel_density(x, y, bounds=bounds, cell_m=cell, bandwidth_m=bandwidth)
    per_km2 = surface.per_m2 * 1e6
    fewest = rules.number("density_min_events")
    per_km2[surface.effective_count() < fewest] = np.nan
    array = _drawn(per_km2, surface, outline, system)
    limit = Text(
        f"核内不足 {fewest:g} 起处留空；带宽 {bandwidth:g} 米。",
        f"Blank where fewer than {fewest:g} reports carry the estimate; bandwidth {bandwidth:g} m.",
    )
    return DensityResult(
        array=array,
        bounds=tuple(float(value) for value in outline.bounds),  # type: ignore[arg-type]
        bandwidth_m=bandwidth,
        cell_m=cell,
        as_of=on,
        provenance=provenance(
            store,
            "layers.figures.density",
            as_of=on,
            kinds=["incident", "county", "township", "village"],
            parameters={"bandwidth_m": bandwidth, "cell_m": cell, "where": where, **chosen.as_dict()},
            rule_set=rules,
            notes=[REPORTED, limit, *notes],
        ),
        summary={
            "total": len(picked.incidents),
            "no_location": int((~picked.incidents.located).sum()),
            "without_day": picked.without_day,
            "without_hour": picked.without_hour,
            "peak_per_km2": float(np.nanmax(array, initial=0.0)),
        },
    )


def _drawn(per_km2: np.ndarray, surface: Density, outline: shapely.Geometry, system: Any) -> np.ndarray:
    """The surface on pixels even in Web Mercator over the outline's bounds, north up, blank outside the outline."""
    west, south, east, north = outline.bounds
    (left, right), (bottom, top) = crs.transform_xy([west, east], [south, north], crs.LONLAT, MERCATOR)
    pixel = max((right - left), (top - bottom)) / min(_LARGEST_SIDE, max(per_km2.shape) * 2)
    columns, rows = grid_shape((left, bottom, right, top), pixel)
    across = left + (np.arange(columns) + 0.5) * (right - left) / columns
    down = top - (np.arange(rows) + 0.5) * (top - bottom) / rows
    at_x, at_y = (part.ravel() for part in np.meshgrid(across, down))
    lon, lat = crs.transform_xy(at_x, at_y, MERCATOR, crs.LONLAT)
    x, y = crs.transform_xy(lon, lat, crs.LONLAT, system)
    u = (x - surface.bounds[0]) / surface.cell_m - 0.5
    v = (y - surface.bounds[1]) / surface.cell_m - 0.5
    drawn = map_coordinates(np.nan_to_num(per_km2), [v, u], order=1, mode="nearest")
    blank = map_coordinates(np.isnan(per_km2).astype(float), [v, u], order=0, mode="nearest") > 0
    shapely.prepare(outline)
    drawn[blank | ~shapely.contains_xy(outline, lon, lat)] = np.nan
    return drawn.reshape(rows, columns)
