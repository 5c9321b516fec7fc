"""The map inside the neat line: ground, classed areas with hatches, boundaries, marks, names without overlaps.

What lies outside the map is not drawn and not counted: the legend's counts are those of the units that can be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import matplotlib.patheffects as effects
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.lines import Line2D
from matplotlib.path import Path

from geo.words import Text

from .cartography import Classes, Style, line_style, table
from .print_sheet import Extent, Marks, Names

if TYPE_CHECKING:
    from .print_drawing import Drawing

HATCH_WIDTH = 0.55
POINTS_PER_PX = 0.75
HALO = "halo"
"""Mark (gid) of the texts that are only the light edge around a name."""
_LEGEND_LINES = ("county", "extent", "township", "village", "natural_village", "grid", "cell", "derived")
MANY_MARKS = 20_000
"""Above this many marks a PDF carries them as a picture: a viewer takes seconds to draw that many discs one by one."""

_NAME_SIZE = {"township": 9.0, "village": 7.0, "natural_village": 6.5, "grid": 6.0}
_MARK_SIZE = 3.8
LegendGroup = tuple[str, list[Style], tuple[str, str], str]
"""Title, classes seen with the counts seen, words and figure of their sum, a remark below them (or "")."""


def polygon_paths(geometries: Iterable[object]) -> list[Path]:
    """One compound path per shape, holes left open; empty paths for what is no polygon."""
    paths = []
    for geometry in geometries:
        pieces = [Path(np.empty((0, 2)))]
        for part in shapely.get_parts(geometry):
            if shapely.get_type_id(part) != 3 or shapely.is_empty(part):
                continue
            # matplotlib fills by the non-zero rule: a hole must run the other way round than its shell.
            turned = shapely.orient_polygons(part)
            pieces += [Path(shapely.get_coordinates(ring), closed=True) for ring in shapely.get_rings(turned)]
        paths.append(Path.make_compound_path(*pieces))
    return paths


def fill_plain(axes: Axes, geometries: Iterable[object], fill: str, edge: str, width: float) -> None:
    """Fill shapes in one colour with one outline."""
    axes.add_collection(
        PathCollection(polygon_paths(geometries), facecolors=fill, edgecolors=edge, linewidths=width), autolim=False
    )


def dashes(dash: Sequence[float], width_px: float) -> list[float]:
    """A dash pattern in CSS pixels as matplotlib wants it, in multiples of the line's width in points."""
    return [max(length / max(width_px, 0.5), 0.4) for length in dash]


def draw_map(drawing: Drawing, axes: Axes) -> None:
    """Everything inside the neat line of `drawing`, on `axes`."""
    sheet = drawing.sheet
    window = shapely.box(*_grown(drawing.extent, 0.05))
    fill_plain(axes, _within(sheet.county.to_numpy(), window), table()["ground"]["land"], "none", 0.0)
    if sheet.areas is not None:
        _areas(drawing, axes)
    for boundary in sheet.lines:
        _outlines(axes, boundary.geometry.to_numpy(), boundary.derived, boundary.level, window)
    _outlines(axes, sheet.county.to_numpy(), np.zeros(len(sheet.county), dtype=bool), sheet.outline, window)
    for marks in sheet.marks:
        _marks(axes, marks, seen_marks(drawing, marks))
    _names(drawing, axes)


def _grown(extent: Extent, share: float) -> Extent:
    west, south, east, north = extent
    x, y = (east - west) * share, (north - south) * share
    return (west - x, south - y, east + x, north + y)


def _within(geometries: np.ndarray, window: object) -> np.ndarray:
    met = geometries[shapely.intersects(geometries, window)]
    return met[~shapely.is_empty(met)]


def seen_areas(drawing: Drawing) -> np.ndarray:
    """Which of the classed areas can be seen on the map (boolean per area)."""
    areas = drawing.sheet.areas
    if areas is None:
        return np.empty(0, dtype=bool)
    geometries = areas.geometry.to_numpy()
    window = shapely.box(*drawing.extent)
    # Touching the frame from outside is not being seen.
    return shapely.intersects(geometries, window) & ~shapely.touches(geometries, window)


def _areas(drawing: Drawing, axes: Axes) -> None:
    areas = drawing.sheet.areas
    assert areas is not None
    seen = seen_areas(drawing)
    geometries = areas.geometry.to_numpy()
    for number, style in enumerate(areas.classes.styles):
        chosen = geometries[seen & (areas.classes.style_of == number)]
        if not len(chosen):
            continue
        paths = polygon_paths(chosen)
        if style.fill != "transparent":
            axes.add_collection(PathCollection(paths, facecolors=style.fill, edgecolors="none"), autolim=False)
        if style.hatch:
            hatched = PathCollection(paths, facecolors="none", edgecolors=style.hatch_color, linewidths=0)
            hatched.set_hatch(style.hatch)
            hatched.set_hatch_linewidth(HATCH_WIDTH)
            axes.add_collection(hatched, autolim=False)
    _outlines(axes, geometries[seen], areas.derived[seen], areas.level, shapely.box(*_grown(drawing.extent, 0.05)))
    for number, style in enumerate(areas.classes.styles):
        chosen = geometries[seen & (areas.classes.style_of == number)]
        if style.width_px and len(chosen):
            ink = table()["ink"]["text"]
            width = style.width_px * POINTS_PER_PX
            outline = PathCollection(polygon_paths(chosen), facecolors="none", edgecolors=ink, linewidths=width)
            axes.add_collection(outline, autolim=False)


def _outlines(axes: Axes, geometries: np.ndarray, derived: np.ndarray, level: str, window: object) -> None:
    for made, name in ((False, level), (True, "derived")):
        chosen = _within(geometries[derived == made], window)
        if not len(chosen):
            continue
        _, width_px, color, dash = line_style(name)
        # Shared borders once: drawn twice, the dashes of two neighbours would close to a full line.
        merged = shapely.line_merge(shapely.union_all(shapely.boundary(chosen)))
        lines = [shapely.get_coordinates(line) for line in shapely.get_parts(merged)]
        drawn = LineCollection(lines, colors=color, linewidths=width_px * POINTS_PER_PX, capstyle="butt")
        if dash:
            drawn.set_linestyle((0, tuple(dashes(dash, width_px))))
        axes.add_collection(drawn, autolim=False)


def seen_marks(drawing: Drawing, marks: Marks) -> np.ndarray:
    """Which points and lines can be seen on the map (boolean per row)."""
    west, south, east, north = drawing.extent
    seen = (marks.x >= west) & (marks.x <= east) & (marks.y >= south) & (marks.y <= north)
    lines = np.array([style.mark == "line" for style in marks.classes.styles])[marks.classes.style_of]
    seen[lines] = shapely.intersects(marks.geometry[lines], shapely.box(west, south, east, north))
    return seen


def _marks(axes: Axes, marks: Marks, seen: np.ndarray) -> None:
    many = int(seen.sum()) > MANY_MARKS
    for number, style in enumerate(marks.classes.styles):
        chosen = seen & (marks.classes.style_of == number)
        if not chosen.any():
            continue
        if style.mark == "line":
            lines = [shapely.get_coordinates(line) for line in shapely.get_parts(marks.geometry[chosen])]
            drawn = LineCollection(lines, colors=style.fill, linewidths=style.width_px * POINTS_PER_PX, zorder=4)
            axes.add_collection(drawn, autolim=False)
        else:
            size = _MARK_SIZE * (0.6 if many else 1.0)
            _mark(axes, style, marks.x[chosen], marks.y[chosen], size, flat=many)


def _mark(axes: Axes, style: Style, x: np.ndarray, y: np.ndarray, size: float, *, flat: bool = False) -> None:
    hollow = style.mark == "ring"
    axes.plot(
        x,
        y,
        linestyle="none",
        marker="x" if style.mark == "cross" else "o",
        markersize=size,
        markerfacecolor="white" if hollow else style.fill,
        markeredgecolor=style.fill if hollow or style.mark == "cross" else "white",
        markeredgewidth=0.7 if hollow or style.mark == "cross" else 0.25,
        rasterized=flat,
        scalex=False,
        scaley=False,
        zorder=4,
    )


def mark_sample(axes: Axes, style: Style, x: float, y: float) -> None:
    """The mark of a class at one place, a little larger, for the legend."""
    if style.mark == "line":
        axes.add_line(Line2D([x - 3.5, x + 3.5], [y, y], color=style.fill, linewidth=style.width_px * POINTS_PER_PX))
    else:
        _mark(axes, style, np.array([x]), np.array([y]), _MARK_SIZE * 1.5)


def legend_groups(drawing: Drawing) -> list[LegendGroup]:
    """One group per classed layer, areas first; classes that cannot be seen on the map are left out."""
    sheet, language = drawing.sheet, drawing.sheet.language
    groups = []
    layers: list[tuple[Classes, np.ndarray, int]] = []
    if sheet.areas is not None:
        seen = seen_areas(drawing)
        shapes = sheet.areas.geometry.to_numpy()
        lost = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        # On a map of the whole, units without a shape count too: the legend adds up to the number of units.
        counted = seen if sheet.zoomed else seen | lost
        layers.append((sheet.areas.classes, counted, int((counted & lost).sum())))
    layers += [(marks.classes, seen_marks(drawing, marks), 0) for marks in sheet.marks]
    for classes, seen, lost_count in layers:
        counts = np.bincount(classes.style_of[seen], minlength=len(classes.styles))
        styles = [
            replace(style, count=int(count)) for style, count in zip(classes.styles, counts, strict=True) if count
        ]
        words = drawing.words("合计", "Total")
        if sheet.zoomed:
            words = drawing.words(f"图内合计（全部 {len(seen):,}）", f"On this map (of {len(seen):,})")
        remark = ""
        if lost_count:
            remark = drawing.words(
                f"其中 {lost_count:,} 个没有图形，未绘出", f"{lost_count:,} of them have no shape to draw"
            )
        groups.append((classes.title.to(language), styles, (words, f"{int(seen.sum()):,}"), remark))
    return groups


def shown_boundaries(drawing: Drawing) -> list[str]:
    """Names of the boundary styles that can be seen, coarsest first; plain shapes are told by their fill."""
    sheet = drawing.sheet
    window = shapely.box(*drawing.extent)
    found: list[str] = []
    if any(shapely.intersects(shapely.boundary(shape), window) for shape in sheet.county):
        found.append(sheet.outline)
    layers = [(line.level, line.geometry.to_numpy(), line.derived) for line in sheet.lines]
    if sheet.areas is not None:
        layers.append((sheet.areas.level, sheet.areas.geometry.to_numpy(), sheet.areas.derived))
    for level, geometries, derived in layers:
        met = shapely.intersects(geometries, window)
        found += [level] if (met & ~derived).any() and level not in found else []
        found += ["derived"] if (met & derived).any() and "derived" not in found else []
    return [name for name in _LEGEND_LINES if name in found]


def _names(drawing: Drawing, axes: Axes) -> None:
    """Letter the names, larger units first; one that would lie on another or leave the map is left out and counted."""
    taken: list[tuple[float, float, float, float]] = []
    for names in drawing.sheet.names:
        left_out = _letter(drawing, axes, names, taken)
        if left_out and names.level == "township":
            drawing.notes.append(
                Text(
                    f"有 {left_out} 个乡镇（街道）名称因位置不足未标注。",
                    f"{left_out} township names found no room on the map.",
                )
            )


def _letter(drawing: Drawing, axes: Axes, names: Names, taken: list[tuple[float, float, float, float]]) -> int:
    size = _NAME_SIZE.get(names.level, 7.0)
    millimetres = 1000.0 / drawing.scale
    window = shapely.box(*drawing.extent)
    west, south = drawing.extent[0], drawing.extent[1]
    visible = shapely.intersection(names.geometry.to_numpy(), window)
    left_out = 0
    for row in np.argsort(-names.rank, kind="stable"):
        shape = visible[row]
        if shape is None or shapely.is_empty(shape):
            continue
        text = drawing.letters.prepare(names.words[row], longest=14)
        height = size * drawing.page.type_scale * 0.3528 * 1.25
        width = drawing.width_of(text, size)
        largest = max(shapely.get_parts(shape), key=shapely.area)
        spot, radius = _middle(largest)
        # A small unit's name must fit its own land, or readers take it for the neighbour's.
        if names.level != "township" and radius * 2 * millimetres < width * 0.85:
            continue
        x, y = shapely.get_x(spot), shapely.get_y(spot)
        place = _free_place((x - west) * millimetres, (y - south) * millimetres, width, height, taken, drawing)
        if place is None:
            left_out += 1
            continue
        taken.append((place[0] - width / 2, place[1] - height / 2, place[0] + width / 2, place[1] + height / 2))
        _write_name(drawing, axes, text, size, west + place[0] / millimetres, south + place[1] / millimetres, names)
    return left_out


def _middle(polygon: object) -> tuple[object, float]:
    """The point of a polygon farthest from its border, and that distance."""
    spoke = shapely.maximum_inscribed_circle(polygon) if shapely.area(polygon) > 0 else None
    if spoke is None or shapely.is_empty(spoke):
        return shapely.point_on_surface(polygon), 0.0
    return shapely.get_point(spoke, 0), float(shapely.length(spoke))


def _free_place(
    x: float, y: float, width: float, height: float, taken: list[tuple[float, float, float, float]], drawing: Drawing
) -> tuple[float, float] | None:
    """The first of a few places around `x`, `y` (millimetres on the map) where the name lies free and whole."""
    box = drawing.page.map
    for right, up in ((0, 0), (0, 1), (0, -1), (0.5, 0), (-0.5, 0), (0, 2), (0, -2), (0.5, 1), (-0.5, -1)):
        u, v = x + right * width, y + up * height
        bounds = (u - width / 2 - 0.4, v - height / 2 - 0.2, u + width / 2 + 0.4, v + height / 2 + 0.2)
        whole = bounds[0] > 0 and bounds[1] > 0 and bounds[2] < box.width and bounds[3] < box.height
        apart = all(
            bounds[2] <= other[0] or other[2] <= bounds[0] or bounds[3] <= other[1] or other[3] <= bounds[1]
            for other in taken
        )
        if whole and apart:
            return u, v
    return None


def _write_name(drawing: Drawing, axes: Axes, text: str, size: float, x: float, y: float, names: Names) -> None:
    heading = names.level == "township"
    ink, halo = table()["ink"]["text" if heading else "secondary"], table()["ink"]["halo"]
    # The halo is a text of its own below the letters: one text with a halo would reach a PDF as outlines, not letters.
    for label, order, around in ((HALO, 6, [effects.withStroke(linewidth=2.6, foreground=halo)]), (None, 7, None)):
        axes.text(
            x,
            y,
            text,
            fontsize=size * drawing.page.type_scale,
            fontfamily=drawing.letters.families(heading=heading),
            color=halo if around else ink,
            ha="center",
            va="center",
            parse_math=False,
            zorder=order,
            path_effects=around,
            gid=label,
        )
