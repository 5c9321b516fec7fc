"""What a print map says and shows, ready to be drawn: frames in a metric system, classes, words. No store, no drawing."""

from dataclasses import dataclass, field

import numpy as np
from geopandas import GeoSeries

from geo.words import Text

from .cartography import Classes

Extent = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas to fill by class; `derived` marks outlines that were made from points; `level` names the boundary style."""

    geometry: GeoSeries
    classes: Classes
    derived: np.ndarray  # bool
    level: str = "village"


@dataclass(frozen=True, slots=True)
class Marks:
    """Points and lines to mark by class; `x`, `y` are a place on each, `geometry` is drawn where the class is a line."""

    x: np.ndarray
    y: np.ndarray
    classes: Classes
    geometry: np.ndarray


@dataclass(frozen=True, slots=True)
class Boundary:
    """Outlines of one level above the filled areas."""

    level: str
    geometry: GeoSeries
    derived: np.ndarray  # bool


@dataclass(frozen=True, slots=True)
class Names:
    """Names to letter on the map, one per geometry; `level` decides size, `rank` who goes first (larger first)."""

    level: str
    geometry: GeoSeries
    words: tuple[str, ...]
    rank: np.ndarray


@dataclass(frozen=True, slots=True)
class Sheet:
    """One print map.

    `crs` is the metric system of every geometry here; `focus` is what must be on the map (west, south, east, north in
    metres); `outline` names the boundary style of `county` ("extent" when there is no county and it is a union); `zoomed` says that it is a part of `county`, so that an inset shows where. Footer lines are given per side.
    """

    title: str
    subtitle: str
    answer: str
    language: str
    crs: object
    focus: Extent
    county: GeoSeries
    outline: str = "county"
    zoomed: bool = False
    place: str = ""
    areas: Areas | None = None
    marks: tuple[Marks, ...] = ()
    lines: tuple[Boundary, ...] = ()
    names: tuple[Names, ...] = ()
    footer_left: tuple[str, ...] = ()
    footer_right: tuple[str, ...] = ()
    notes: list[Text] = field(default_factory=list)
