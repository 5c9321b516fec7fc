"""From a view of the store to a print sheet: frames in a metric system, classes, and the words around the map."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from geopandas import GeoSeries

from geo import crs
from geo.errors import InputError
from geo.words import Text

from ..rights import Viewer
from ..selection import frames
from .print_sheet import Areas, Boundary, Extent, Marks, Names, Sheet
from .view_content import Content, Options, full_title, imprint, place_name, read_content, source_lines, visible_areas

if TYPE_CHECKING:
    from ..storage.store import Store

_NAMED = ("township", "village", "natural_village", "grid")
UNIT_NAMES_UP_TO = 400
"""Above this many units their names are not tried: none would find room on paper."""


def sheet(store: "Store", viewer: Viewer, view: str, options: Options) -> Sheet:
    """The sheet of a view; `InputError` when nothing in it has a position."""
    content = read_content(store, viewer, view, options)
    outline = frames.outline(store, viewer, content.drawn_on)
    seen = [shape for shape in (content.shapes, content.points) if shape is not None]
    bounds = shapely.total_bounds(np.concatenate([*seen, np.array([outline], dtype=object)]))
    if not np.isfinite(bounds).all():
        raise InputError(
            Text("没有带位置的数据，无法打印地图。", "Nothing here has a position, so there is no map to print."),
            where=view,
            mend=Text("请先导入县界或村界。", "Import the county or village boundaries first."),
        )
    window = _window(options.bbox)
    system = crs.metric_crs(bounds)
    place = place_name(store, viewer, options.as_of)
    language = options.language
    return Sheet(
        title=full_title(content, place, options),
        subtitle=content.subtitle.to(language),
        answer=content.answer.to(language),
        language=language,
        crs=system,
        focus=_focus(window or tuple(bounds), system),
        county=_metric([outline] if outline is not None else [], system),
        outline="county" if frames.count_layer(store, "county", viewer, as_of=content.drawn_on) else "extent",
        zoomed=window is not None and outline is not None and not shapely.box(*window).contains(outline),
        place=place,
        areas=_areas(content, system),
        marks=_marks(content, system),
        lines=_lines(store, viewer, content.level, content.drawn_on, system),
        names=_names(store, viewer, content, content.drawn_on, system),
        footer_left=(
            *source_lines(content, language)[:2],
            _datum(content, system, language),
            *source_lines(content, language)[2:4],
        ),
        footer_right=tuple(imprint(options)),
    )


def _window(bbox: Extent | None) -> Extent | None:
    if bbox is None:
        return None
    west, south, east, north = (float(value) for value in bbox)
    if not np.isfinite([west, south, east, north]).all() or west >= east or south >= north:
        raise InputError(
            Text("打印范围不正确。", "The part to print is not right."),
            where="bbox",
            mend=Text("应为 西,南,东,北（度）。", "Give west,south,east,north in degrees."),
        )
    return west, south, east, north


def _focus(bounds: Extent, system: Any) -> Extent:
    """The bounds in metres: of the corners and of points along the sides, which bend in the projection."""
    along, zero = np.linspace(0.0, 1.0, 9), np.zeros(9)
    lon = bounds[0] + (bounds[2] - bounds[0]) * np.concatenate([along, along, zero, zero + 1])
    lat = bounds[1] + (bounds[3] - bounds[1]) * np.concatenate([zero, zero + 1, along, along])
    x, y = crs.transform_xy(lon, lat, crs.LONLAT, system)
    west, south, east, north = float(x.min()), float(y.min()), float(x.max()), float(y.max())
    # A single point has no extent of its own: show two kilometres around it.
    spare = max(0.0, 1000.0 - max(east - west, north - south) / 2)
    return west - spare, south - spare, east + spare, north + spare


def _metric(shapes: Iterable[Any], system: Any) -> GeoSeries:
    return GeoSeries(crs.transform_geometries(list(shapes), crs.LONLAT, system), crs=system)


def _areas(content: Content, system: Any) -> Areas | None:
    if content.classes is None or not len(content.shapes):
        return None
    return Areas(_metric(content.shapes, system), content.classes, content.derived, content.level)


def _marks(content: Content, system: Any) -> tuple[Marks, ...]:
    if content.points is None or content.point_classes is None or not len(content.points):
        return ()
    at = shapely.point_on_surface(content.points)
    x, y = crs.transform_xy(shapely.get_x(at), shapely.get_y(at), crs.LONLAT, system)
    return (Marks(x, y, content.point_classes, crs.transform_geometries(content.points, crs.LONLAT, system)),)


def _lines(store: "Store", viewer: Viewer, level: str, as_of: str, system: Any) -> tuple[Boundary, ...]:
    """Outlines of the levels above the one that is filled: townships, and villages above grids and cells."""
    above = {"county": (), "township": (), "grid": ("township", "village")}.get(level, ("township",))
    lines = []
    for kind in above:
        areas = visible_areas(store, viewer, kind, as_of)
        if len(areas):
            lines.append(Boundary(kind, _metric(areas.geometry, system), areas["derived"].to_numpy(dtype=bool)))
    return tuple(lines)


def _names(store: "Store", viewer: Viewer, content: Content, as_of: str, system: Any) -> tuple[Names, ...]:
    """Names of townships, then of the units themselves where there are few enough to read."""
    listed = []
    if content.level != "township":
        towns = visible_areas(store, viewer, "township", as_of)
        if len(towns):
            shapes = _metric(towns.geometry, system)
            words = tuple(str(name or code) for name, code in zip(towns["name"], towns.index, strict=True))
            listed.append(Names("township", shapes, words, shapes.area.to_numpy()))
    named = content.names.notna().to_numpy() & (content.names.astype(str) != "").to_numpy()
    if content.level in _NAMED and 0 < named.sum() <= UNIT_NAMES_UP_TO:
        shapes = _metric(content.shapes[named], system)
        # By size, then by how bad it is: the classes are in rising order.
        worst = content.classes.style_of[named] if content.classes is not None else np.zeros(int(named.sum()))
        rank = shapes.area.to_numpy() + worst
        listed.append(Names(content.level, shapes, tuple(content.names[named].astype(str)), rank))
    return tuple(listed)


def _datum(content: Content, system: Any, language: str) -> str:
    """Datum and projection, and how far the boundaries may be trusted."""
    number = system.to_epsg() or 0
    if 4534 <= number <= 4554:
        meridian = 75 + 3 * (number - 4534)
        projection = Text(
            f"3 度带高斯-克吕格，中央经线 {meridian}°E", f"3-degree Gauss-Kruger, central meridian {meridian}°E"
        )
    else:
        projection = Text(system.name, system.name)
    warning = Text("界线仅供工作参考", "boundaries for working purposes only")
    if content.derived.any():
        warning = Text(
            f"{warning.zh}，点线为推算界，不是勘定界线", f"{warning.en}, dotted ones are derived, not surveyed"
        )
    return Text(
        f"坐标系：CGCS2000，{projection.zh}；{warning.zh}。", f"Datum CGCS2000, {projection.en}; {warning.en}."
    ).to(language)
