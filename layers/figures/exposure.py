"""What incidents are held against: the land, the households or the people of each unit.

Households and people are recorded for grids or villages. A unit of another kind gets the share of each of them that
its land is of theirs (people are taken as evenly spread within a grid or village, which is the best that is known).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo import crs
from geo.errors import InputError
from geo.words import Text

from ..places.areas import AreaSet, area_set
from ..places.carried import ESTIMATED, restated
from ..storage.kept import kept
from .hotspot_units import Units

if TYPE_CHECKING:
    from ..storage.store import Store

EXPOSURES = {
    "area": Text("面积", "area"),
    "households": Text("户数", "households"),
    "population": Text("人口", "population"),
}


@dataclass(frozen=True, slots=True)
class Exposure:
    """Exposure per unit, and what a reader must know about it."""

    per_unit: np.ndarray  # float64, 0 or NaN: the unit takes no part
    estimated: np.ndarray  # bool per unit: carried over in parts from the areas of another day
    kinds: tuple[str, ...]  # layers it was taken from
    notes: tuple[Text, ...]


def require_exposure(name: str) -> str:
    """`name`, or InputError when there is no such exposure."""
    if name not in EXPOSURES:
        raise InputError(
            Text(f"没有暴露量“{name[:20]}”。", f"There is no exposure '{name[:20]}'."),
            where="exposure",
            mend=Text("可用：area、households、population", "There are: area, households, population"),
        )
    return name


def default_exposure(store: "Store", on: str) -> str:
    """People, else households, where grids or villages record them; else the land.

    Held against the land alone every settlement is a hotspot, which is true and of no use.
    """
    for name in ("population", "households"):
        for source in ("grid", "village"):
            if _recorded(area_set(store, source, on), name).notna().any():
                return name
    return "area"


def exposure_of(store: "Store", name: str, on: str, units: Units, *, within: str) -> Exposure:
    """The exposure of units: area, households or population, kept as long as the areas do not change.

    Households and people are those of the day `on`; `within` is the day whose areas the units are.

    Raises
    ------
    InputError
        When neither grids nor villages record the figure.
    """
    if name == "area":
        return Exposure(units.area_m2, np.zeros(len(units.codes), dtype=bool), (), ())
    return kept(store).get(("exposure", units.key, name, on), lambda: _exposure(store, name, on, units, within))


def _exposure(store: "Store", name: str, on: str, units: Units, within: str) -> Exposure:
    if units.kind != "cell":
        areas = restated(store, units.kind, on, within)
        own = _recorded(areas, name)
        if own.notna().any():
            guessed = areas.frame[ESTIMATED].reindex(units.codes).to_numpy(dtype=bool)
            notes = tuple(note for note in areas.notes if note not in area_set(store, units.kind, within).notes)
            notes += _missing_note(int(own.isna().sum()), name)
            return Exposure(own.reindex(units.codes).to_numpy(dtype=float), guessed, (), notes)
    for source in ("grid", "village"):
        zones = area_set(store, source, on)
        figures = _recorded(zones, name)
        if figures.notna().any():
            shared_out, none = _spread(zones, figures, units), np.zeros(len(units.codes), dtype=bool)
            return Exposure(shared_out, none, (source,), _missing_note(int(figures.isna().sum()), name))
    label = EXPOSURES[name]
    raise InputError(
        Text(f"网格和村都没有记录{label.zh}。", f"Neither grids nor villages record {label.en}."),
        where="exposure",
        mend=Text("请导入该数据，或改用面积。", "Import it, or choose the area."),
    )


def _recorded(areas: AreaSet, name: str) -> pd.Series:
    return pd.to_numeric(areas.frame[name], errors="coerce").astype("float64")


def _missing_note(missing: int, name: str) -> tuple[Text, ...]:
    if not missing:
        return ()
    label = EXPOSURES[name]
    return (
        Text(
            f"{missing} 个区域未记录{label.zh}，其中的事件不参与检验。",
            f"{missing} areas do not record {label.en}; incidents there take no part in the test.",
        ),
    )


def _spread(zones: AreaSet, figures: pd.Series, units: Units) -> np.ndarray:
    """Figures of zones shared out to units by area."""
    known = np.flatnonzero(figures.notna().to_numpy() & zones.frame.geometry.notna().to_numpy())
    shapes = crs.transform_geometries(units.drawn, crs.LONLAT, units.system)
    there = ~shapely.is_missing(shapes)
    shapes[there] = shapely.make_valid(shapes[there])
    lands = shapely.make_valid(
        crs.transform_geometries(zones.frame.geometry.to_numpy()[known], crs.LONLAT, units.system)
    )
    zone, unit = shapely.STRtree(shapes).query(lands, predicate="intersects")
    shapely.prepare(lands)
    whole = shapely.covers(lands[zone], shapes[unit])
    part = shapely.area(shapes[unit])
    part[~whole] = shapely.area(shapely.intersection(lands[zone[~whole]], shapes[unit[~whole]]))
    size = shapely.area(lands)
    value = figures.to_numpy()[known]
    with np.errstate(divide="ignore", invalid="ignore"):
        given = np.where(size[zone] > 0, value[zone] * part / size[zone], 0.0)
    return np.bincount(unit, weights=given, minlength=len(shapes))
