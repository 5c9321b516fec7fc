"""What a standalone map embeds: shapes thinned to what can be seen, classes, and every value as words for the reader."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely

from geo import crs
from geo.errors import InputError
from geo.thin import simplify_coverage
from geo.words import Text
from layers.kinds import Field
from layers.prints import cartography, view_content
from layers.rights import Viewer
from layers.selection import frames
from layers.selection.export_table import ExportTable, python_values
from layers.storage.store import Store

RANKED = 50
_LONGEST_NAME, _LONGEST_VALUE = 120, 500
_PIXELS_ACROSS = 8_000
WORDS = {
    "legend": Text("图例", "Legend"),
    "total": Text("合计", "Total"),
    "ranking": Text("缺口最大", "Largest shortfalls"),
    "hot": Text("热点", "Hot spots"),
    "none": Text("无数据", "no data"),
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
    "zoom_in": Text("放大", "Zoom in"),
    "zoom_out": Text("缩小", "Zoom out"),
    "noscript": Text("请允许运行脚本以显示地图。", "Allow scripts to see the map."),
}


def map_data(
    store: Store,
    viewer: Viewer,
    content: view_content.Content,
    table: ExportTable,
    options: view_content.Options,
    notes: list[Text],
) -> dict[str, Any]:
    """The JSON of the page; what was simplified is added to `notes`. `InputError` when nothing has a position."""
    language = options.language
    outline = frames.outline(store, viewer, content.drawn_on)
    points = content.points if content.points is not None else np.empty(0, dtype=object)
    bounds = shapely.total_bounds(np.concatenate([content.shapes, points, np.array([outline], dtype=object)]))
    if not np.isfinite(bounds).all():
        raise InputError(
            Text("没有带位置的数据，无法绘制地图。", "Nothing here has a position, so there is no map to draw."),
            where="standalone",
            mend=Text("请先导入县界或村界。", "Import the county or village boundaries first."),
        )
    tolerance_m = _tolerance(bounds)
    if tolerance_m >= 1:
        notes.append(
            Text(f"边界已概化约 {tolerance_m:.0f} 米。", f"Boundaries are simplified by about {tolerance_m:.0f} m.")
        )
    classed = [classes for classes in (content.classes, content.point_classes) if classes is not None]
    styles = [style for classes in classed for style in classes.styles]
    offset = len(content.classes.styles) if content.classes is not None else 0
    shown = [entry for entry in table.fields if entry.name not in ("lon", "lat", "problem")]
    values = _values(table, shown, language)
    areas = _areas(content, values, tolerance_m)
    lines = cartography.table()["lines"]
    towns = (
        view_content.visible_areas(store, viewer, "township", content.drawn_on) if content.level != "township" else None
    )
    return {
        "words": {name: words.to(language) for name, words in WORDS.items()}
        | ({"ranking": WORDS["hot"].to(language)} if table.name == "hotspots" else {}),
        "styles": [_style(style, language) for style in styles],
        "legend_title": classed[0].title.to(language) if classed else "",
        "plain": len(styles) == 1,
        "lines": {name: {key: entry[key] for key in ("color", "width_px", "dash")} for name, entry in lines.items()},
        "level": content.level,
        "ink": cartography.table()["ink"]["text"],
        "land": cartography.table()["ground"]["land"],
        "selected": cartography.table()["selected"]["color"],
        "columns": [
            {"label": entry.label.to(language), "figure": entry.dtype in ("integer", "real")} for entry in shown
        ],
        "county": _shape(outline, tolerance_m),
        "areas": areas,
        "points": _points(content, values, offset, tolerance_m),
        "boundaries": [] if towns is None else _boundaries(towns, tolerance_m),
        "names": [] if towns is None else _town_names(towns),
        "ranking": _ranking(table, areas),
        "bounds": [round(float(value), 6) for value in bounds],
    }


def _tolerance(bounds: np.ndarray) -> float:
    """Metres that a reader cannot see: the map's width over the pixels of a very large screen."""
    west, south, east, north = bounds
    middle = np.radians((south + north) / 2)
    return float(max((east - west) * 111_320 * np.cos(middle), (north - south) * 110_570) / _PIXELS_ACROSS)


def _style(style: cartography.Style, language: str) -> dict[str, Any]:
    return {
        "label": style.label.to(language),
        "fill": style.fill,
        "hatch": style.hatch,
        "hatch_color": style.hatch_color,
        "width_px": style.width_px,
        "mark": style.mark,
        "count": style.count,
    }


def _values(table: ExportTable, fields: list[Field], language: str) -> list[tuple[str | None, ...]]:
    """Every row as words for the reader, in the order of `fields`; None for no data."""
    columns = []
    for entry in fields:
        choices = {value: words.to(language) for value, words in entry.choices}
        plain = python_values(table.frame[entry.name], entry.dtype)
        columns.append([_words(value, choices, language) for value in plain])
    return list(zip(*columns, strict=True)) if columns else [()] * len(table.frame)


def _words(value: Any, choices: dict[str, str], language: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return WORDS["yes" if value else "no"].to(language)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    text = choices.get(value, value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def _areas(
    content: view_content.Content, values: list[tuple[str | None, ...]], tolerance_m: float
) -> list[dict[str, Any]]:
    if content.classes is None:
        return []
    shapes = _thin(content.shapes, tolerance_m)
    listed = []
    for number, (shape, row) in enumerate(zip(shapes, content.area_rows, strict=True)):
        listed.append(
            {
                "code": str(content.codes.iloc[number]),
                "name": _name(content.names.iloc[number]),
                "style": int(content.classes.style_of[number]),
                "derived": bool(content.derived[number]),
                "values": values[row],
                "shape": None if shape is None or shapely.is_empty(shape) else json.loads(shapely.to_geojson(shape)),
            }
        )
    return listed


def _points(
    content: view_content.Content, values: list[tuple[str | None, ...]], offset: int, tolerance_m: float
) -> list[dict[str, Any]]:
    """Points with their place; lines have a shape besides."""
    if content.points is None or content.point_classes is None:
        return []
    at = shapely.point_on_surface(content.points)
    listed = []
    for number, (lon, lat) in enumerate(zip(shapely.get_x(at), shapely.get_y(at), strict=True)):
        style = int(content.point_classes.style_of[number])
        line = content.point_classes.styles[style].mark == "line"
        listed.append(
            {
                "code": "",
                "name": _name(content.point_names[number]),
                "style": offset + style,
                "lon": round(float(lon), 6),
                "lat": round(float(lat), 6),
                "values": values[content.point_rows[number]],
                "shape": _shape(content.points[number], tolerance_m) if line else None,
            }
        )
    return listed


def _name(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…"


def _thin(shapes: Iterable[Any], tolerance_m: float) -> np.ndarray:
    """Shapes simplified alike along shared borders, six decimals (a tenth of a metre)."""
    thinned = simplify_coverage(np.asarray(list(shapes), dtype=object), tolerance_m, crs=crs.LONLAT)
    return shapely.transform(thinned, lambda coordinates: np.round(coordinates, 6))


def _shape(shape: Any, tolerance_m: float) -> Any:
    if shape is None:
        return None
    return json.loads(shapely.to_geojson(_thin([shape], tolerance_m)[0]))


def _boundaries(towns: Any, tolerance_m: float) -> list[dict[str, Any]]:
    """Township borders, each drawn once: a border of two would be drawn twice and close its dashes."""
    shapes, made = _thin(towns.geometry.array, tolerance_m), towns["derived"].to_numpy(dtype=bool)
    listed = []
    for derived in (False, True):
        if (made == derived).any():
            lines = shapely.line_merge(shapely.union_all(shapely.boundary(shapes[made == derived])))
            listed.append({"level": "township", "derived": derived, "shape": json.loads(shapely.to_geojson(lines))})
    return listed


def _town_names(towns: Any) -> list[dict[str, Any]]:
    at = shapely.point_on_surface(towns.geometry.array)
    return [
        {"name": _name(name or code), "lon": round(float(lon), 6), "lat": round(float(lat), 6)}
        for name, code, lon, lat in zip(towns["name"], towns.index, shapely.get_x(at), shapely.get_y(at), strict=True)
    ]


def _ranking(table: ExportTable, areas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first rows of a result that call for action, in the order of the result."""
    if table.name == "coverage":
        gap = table.frame["shortfall"].to_numpy(dtype=float, na_value=np.nan)
        rows = np.flatnonzero(np.nan_to_num(gap) > 0)[:RANKED]
        return [{"area": int(row), "figure": f"{gap[row]:g}"} for row in rows if areas[row]["shape"]]
    if table.name == "hotspots":
        rows = np.flatnonzero(table.frame["hot"].fillna(False).to_numpy(dtype=bool))[:RANKED]
        counts = table.frame.get("count")
        return [{"area": int(row), "figure": "" if counts is None else f"{counts.iloc[row]:g}"} for row in rows]
    return []
