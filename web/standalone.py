"""A map in one HTML file: opens from disk, asks nobody for anything, and can be sent by mail.

folium makes the shell as for the pages; the scripts it needs are written into the file, the data is embedded as JSON,
and a policy in the page forbids every request. Names and values reach the page as text only, never as HTML: they come
from imported files. The rows are those the exporting account may see, in the state of that moment.
"""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import shapely
from markupsafe import Markup

from geo import crs
from geo.errors import InputError, LimitError
from geo.thin import simplify_coverage
from geo.words import LANGUAGES, Text
from layers import cartography, export_source, frames, view_content
from layers.export_table import ExportTable, python_values
from layers.history import day
from layers.kinds import Field
from layers.provenance import product
from layers.rights import Viewer
from layers.store import Store
from layers.whole_files import draft_folder, require_target

from .maps import map_shell

MOST_AREAS = 5_000
MOST_POINTS = 20_000
RANKED = 50
_STATIC = Path(__file__).parent / "static"
_LONGEST_NAME, _LONGEST_VALUE = 120, 500
_PIXELS_ACROSS = 8_000
_ASSET = re.compile(
    r'<(script) src="/static/vendor/([\w./-]+)"></script>|<(link) rel="stylesheet" href="/static/vendor/([\w./-]+)"/>'
)
_NONCE = re.compile(r' nonce="[^"]*"')
_CSS_URL = re.compile(r"url\((?!#|['\"]?data:)['\"]?([^)'\"]+)['\"]?\)")
_WORDS = {
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


@dataclass(frozen=True, slots=True)
class StandaloneReport:
    """The file written, its features, and what was simplified or left out."""

    path: Path
    rows: int
    notes: list[Text] = field(default_factory=list)


def standalone_html(
    store: Store,
    viewer: Viewer,
    view: str,
    path: str | Path,
    *,
    language: str = "zh",
    title: str | None = None,
    approval_number: str = "",
    unit_name: str = "",
    as_of: date | str | None = None,
    where: str | None = None,
    **figure_options: Any,
) -> StandaloneReport:
    """Write a view as one HTML file; options as for `layers.printing.print_map`.

    Raises
    ------
    LimitError
        When there are more areas or points than a page can draw at once (`MOST_AREAS`, `MOST_POINTS`).
    InputError, RightsError, NotFoundError
        When an option cannot be used or the viewer may not see the view.
    """
    viewer.require("export")
    target = Path(path)
    if language not in LANGUAGES:
        raise InputError(
            Text(f"没有语言“{language[:20]}”。", f"There is no language '{language[:20]}'."), where="language"
        )
    require_target(store, target)
    options = view_content.Options(
        language,
        day(as_of),
        title=title,
        approval_number=approval_number,
        unit_name=unit_name,
        where=where,
        figures=figure_options,
    )
    content = view_content.read_content(store, viewer, view, options)
    table = export_source.read(store, viewer, view, as_of=options.as_of, where=where, **figure_options)
    notes: list[Text] = []
    _require_few(content)
    data = _data(store, viewer, content, table, options, notes)
    html = _page(store, viewer, content, options, data, notes)
    with draft_folder(target) as folder:
        draft = folder / "draft.html"
        draft.write_text(html, "utf-8")
        if not store.readonly:
            details = {"what": f"html:{view}", "format": "html", "where": where, "role": viewer.role}
            with store.change(viewer.name, "export", details=details):
                pass
        draft.replace(target)
    return StandaloneReport(target, len(data["areas"]) + len(data["points"]), notes)


def _require_few(content: view_content.Content) -> None:
    points = 0 if content.points is None else len(content.points)
    for count, most, label in (
        (len(content.shapes), MOST_AREAS, Text("个面", "areas")),
        (points, MOST_POINTS, Text("个点", "points")),
    ):
        if count > most:
            raise LimitError(
                Text(
                    f"共 {count:,} {label.zh}，单个网页最多 {most:,}。",
                    f"{count:,} {label.en}; one page holds {most:,} at most.",
                ),
                where="standalone",
                mend=Text("请加筛选条件，或导出为 GeoPackage。", "Filter the rows, or export a GeoPackage."),
            )


def _page(
    store: Store,
    viewer: Viewer,
    content: view_content.Content,
    options: view_content.Options,
    data: dict[str, Any],
    notes: list[Text],
) -> str:
    shell = map_shell()
    language = options.language
    place = view_content.place_name(store, viewer, options.as_of)
    footer = [*view_content.source_lines(content, language), *(note.to(language) for note in notes)]
    return _template().render(
        language=language,
        title=view_content.full_title(content, place, options),
        subtitle=content.subtitle.to(language),
        answer=content.answer.to(language),
        words={name: words.to(language) for name, words in _WORDS.items()},
        footer=[*footer, *view_content.imprint(options)],
        product=product(),
        head=Markup(_inlined(_NONCE.sub("", shell.head))),  # noqa: S704 - our own shell
        body=Markup(_NONCE.sub("", shell.body)),  # noqa: S704
        script=Markup(_NONCE.sub("", shell.script)),  # noqa: S704
        style=Markup((_STATIC / "standalone" / "standalone.css").read_text("utf-8")),  # noqa: S704
        drawing=Markup((_STATIC / "standalone" / "standalone.js").read_text("utf-8")),  # noqa: S704
        data=Markup(script_json(data)),  # noqa: S704 - cannot close the script element
    )


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    return jinja2.Environment(loader=loader, autoescape=True).get_template("standalone.html")


def script_json(data: Any) -> str:
    """JSON that may stand inside a script element: no sign in it can end the element or begin another."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _inlined(head: str) -> str:
    """The head of the shell with the text of its scripts and styles in place of their addresses."""

    def text_of(found: re.Match[str]) -> str:
        if found[1]:
            body = (_STATIC / "vendor" / found[2]).read_text("utf-8")
            return "<script>" + body.replace("</script", "<\\/script") + "</script>"
        sheet = _STATIC / "vendor" / found[4]
        return (
            "<style>"
            + _CSS_URL.sub(lambda url: _data_url(sheet.parent / url[1]), sheet.read_text("utf-8"))
            + "</style>"
        )

    return _ASSET.sub(text_of, head)


def _data_url(picture: Path) -> str:
    return f"url(data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()})"


def _data(
    store: Store,
    viewer: Viewer,
    content: view_content.Content,
    table: ExportTable,
    options: view_content.Options,
    notes: list[Text],
) -> dict[str, Any]:
    language = options.language
    outline = frames.outline(store, viewer, options.as_of)
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
        view_content.visible_areas(store, viewer, "township", options.as_of) if content.level != "township" else None
    )
    return {
        "words": {name: words.to(language) for name, words in _WORDS.items()}
        | ({"ranking": _WORDS["hot"].to(language)} if table.name == "hotspots" else {}),
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
        "points": _points(content, values, offset),
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
        return _WORDS["yes" if value else "no"].to(language)
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


def _points(content: view_content.Content, values: list[tuple[str | None, ...]], offset: int) -> list[dict[str, Any]]:
    if content.points is None or content.point_classes is None:
        return []
    at = shapely.point_on_surface(content.points)
    return [
        {
            "code": "",
            "name": _name(name),
            "style": offset + int(style),
            "lon": round(float(lon), 6),
            "lat": round(float(lat), 6),
            "values": values[row],
        }
        for lon, lat, style, row, name in zip(
            shapely.get_x(at),
            shapely.get_y(at),
            content.point_classes.style_of,
            content.point_rows,
            content.point_names,
            strict=True,
        )
    ]


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
