"""What stands around the map: answer, legend with counts, scale bar, north arrow, inset of the whole, footer.

All in millimetres on the paper axes of a `Drawing`.
"""

from __future__ import annotations

from math import atan2, cos, degrees, radians, sin
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from geo.crs import LONLAT, transform_xy
from geo.words import Text

from . import print_map
from .cartography import Style, line_style, table
from .print_page import Box, bar_length, extent_at_scale, scale_words
from .print_sheet import Extent

if TYPE_CHECKING:
    from .print_drawing import Drawing

POINTS_PER_PX = 0.75


def frame(drawing: Drawing, box: Box, width: float) -> None:
    ink = table()["ink"]["text"]
    drawing.paper.add_patch(
        Rectangle((box.left, box.bottom), box.width, box.height, fill=False, edgecolor=ink, linewidth=width)
    )


def panel(drawing: Drawing) -> None:
    """Answer, legend, inset, scale and north arrow: one column beside the map, or three columns below it."""
    box, grow = drawing.page.panel, drawing.page.type_scale
    gap = 5.0 * grow
    groups, boundaries = print_map.legend_groups(drawing), print_map.shown_boundaries(drawing)
    if drawing.page.landscape:
        top = _answer(drawing, box.left, box.top, box.width)
        measure = Box(box.left, box.bottom, box.width, 19 * grow)
        low = measure.top + gap
        top = _legend(drawing, Box(box.left, low, box.width, top - low), groups, boundaries)
        if drawing.sheet.zoomed and top - low > 18 * grow:
            _inset(drawing, Box(box.left, low, box.width, min(top - low, 46 * grow)))
        elif drawing.sheet.zoomed:
            drawing.notes.append(Text("图例过长，未绘制位置示意图。", "The legend left no room for the locator map."))
        _measure(drawing, measure)
        return
    column = (box.width - 2 * gap) / 3
    top = box.top
    if len(groups) < 2:
        top = _answer(drawing, box.left + column + gap, box.top, box.width - column - gap)
        _legend(drawing, Box(box.left, box.bottom, column, box.height), groups, boundaries)
    else:
        top = _answer(drawing, box.left, box.top, box.width)
        low = box.bottom
        _legend(drawing, Box(box.left, low, column, top - low), groups[:1], boundaries)
        _legend(drawing, Box(box.left + column + gap, low, column, top - low), groups[1:], [])
    last = Box(box.right - column, box.bottom, column, top - box.bottom)
    measure = Box(last.left, last.bottom, last.width, 17 * grow)
    _measure(drawing, measure)
    if drawing.sheet.zoomed:
        _inset(drawing, Box(last.left, measure.top + gap, last.width, last.top - measure.top - gap))


def _answer(drawing: Drawing, left: float, top: float, width: float) -> float:
    grow = drawing.page.type_scale
    y = top
    for line in drawing.wrapped(drawing.sheet.answer, 10.5, width, heading=True, most=4):
        drawing.write(left, y - 3.6 * grow, line, size=10.5, heading=True)
        y -= 5.2 * grow
    return y - 2.5 * grow


def _legend(drawing: Drawing, box: Box, groups: list[print_map.LegendGroup], boundaries: list[str]) -> float:
    """Classes that are shown, with counts and their sum, then boundaries that are shown; returns where it ends."""
    grow, language = drawing.page.type_scale, drawing.sheet.language
    left, width, y = box.left, box.width, box.top
    lines = sum(len(styles) + (2.4 if len(styles) > 1 else 1.4) for _, styles, *_ in groups) + len(boundaries)
    step = min(5.6 * grow, max(3.6 * grow, box.height / max(lines, 1.0)))
    for title, styles, total, remark in groups:
        drawing.write(left, y - 3.4 * grow, title, size=9, heading=True, longest_mm=width)
        y -= step
        for style in styles:
            _swatch(drawing, style, Box(left, y - 4.2 * grow, 8 * grow, min(3.8 * grow, step - 0.8)))
            room = width - 24 * grow
            drawing.write(left + 10.5 * grow, y - 3.3 * grow, style.label.to(language), size=8.5, longest_mm=room)
            drawing.write(left + width, y - 3.3 * grow, f"{style.count:,}", size=8.5, across="right")
            y -= step
        if len(styles) > 1:
            _rule(drawing, left, y - 0.2, width)
            drawing.write(left + 10.5 * grow, y - 3.9 * grow, total[0], size=8.5, longest_mm=width - 24 * grow)
            drawing.write(left + width, y - 3.9 * grow, total[1], size=8.5, across="right")
            y -= step + 0.6
        if remark:
            secondary = table()["ink"]["secondary"]
            drawing.write(left, y - 3.0 * grow, remark, size=7.5, color=secondary, longest_mm=width)
            y -= step * 0.9
        y -= 0.3 * step
    for name in boundaries:
        label, width_px, color, dash = line_style(name)
        _line_sample(drawing, left, y - 2.2 * grow, 8 * grow, width_px, color, dash)
        drawing.write(left + 10.5 * grow, y - 3.3 * grow, label.to(language), size=8.5, longest_mm=width - 11 * grow)
        y -= step * 0.95
    return y


def _rule(drawing: Drawing, left: float, y: float, width: float) -> None:
    line = Line2D([left, left + width], [y, y], color="#9CA3AF", linewidth=0.5)
    drawing.paper.add_line(line)


def _swatch(drawing: Drawing, style: Style, box: Box) -> None:
    if style.mark:
        print_map.mark_sample(drawing.paper, style, box.left + box.width / 2, box.bottom + box.height / 2)
        return
    land = table()["ground"]["land"]
    fill = land if style.fill == "transparent" else style.fill
    edge = max(style.width_px * POINTS_PER_PX, 0.5)
    size = (box.left, box.bottom), box.width, box.height
    drawing.paper.add_patch(Rectangle(*size, facecolor=fill, edgecolor="none"))
    if style.hatch:
        hatched = Rectangle(*size, facecolor="none", edgecolor=style.hatch_color, linewidth=0, hatch=style.hatch)
        hatched.set_hatch_linewidth(print_map.HATCH_WIDTH)
        drawing.paper.add_patch(hatched)
    drawing.paper.add_patch(Rectangle(*size, fill=False, edgecolor=table()["ink"]["secondary"], linewidth=edge))


def _line_sample(
    drawing: Drawing, left: float, y: float, length: float, width_px: float, color: str, dash: list[float]
) -> None:
    line = Line2D([left, left + length], [y, y], color=color, linewidth=width_px * POINTS_PER_PX)
    if dash:
        line.set_linestyle((0, print_map.dashes(dash, width_px)))
    drawing.paper.add_line(line)


def _measure(drawing: Drawing, box: Box) -> None:
    """Scale bar of two black-and-white halves, numeric scale, and the north arrow at the right."""
    grow, ink = drawing.page.type_scale, table()["ink"]["text"]
    arrow_room = 14 * grow
    length_m = bar_length(drawing.scale, box.width - arrow_room - 10 * grow)
    length = length_m / drawing.scale * 1000.0
    y, height = box.bottom + 5.2 * grow, 1.5 * grow
    for part in range(4):
        color = ink if part % 2 == 0 else "white"
        piece = Rectangle((box.left + part * length / 4, y), length / 4, height)
        piece.set(facecolor=color, edgecolor=ink, linewidth=0.6)
        drawing.paper.add_patch(piece)
    kilometres = length_m >= 2000
    unit = drawing.words("千米" if kilometres else "米", "km" if kilometres else "m")
    for part in (0, 2, 4):
        value = length_m * part / 4 / (1000.0 if kilometres else 1.0)
        # The unit hangs to the right of the last figure, so that the figure itself stands over the end of the bar.
        x = box.left + part * length / 4
        across = "left" if part == 0 else "center"
        figure = drawing.write(x, y + height + 1.0 * grow, f"{value:g}", size=7.5, across=across)
        if part == 4:
            shift = drawing.width_of(figure.get_text(), 7.5) / 2 + 1.0
            drawing.write(x + shift, y + height + 1.0 * grow, unit, size=7.5)
    label = drawing.words("比例尺", "Scale") + " " + scale_words(drawing.scale)
    drawing.write(box.left, box.bottom + 0.8 * grow, label, size=8.5)
    _north(drawing, box.right - 6.5 * grow, box.bottom + 7.5 * grow, 15 * grow)


def north_angle(extent: Extent, crs: object) -> float:
    """Direction of true north at the middle of the map, in degrees clockwise from straight up."""
    x, y = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
    lon, lat = transform_xy([x], [y], crs, LONLAT)
    up_x, up_y = transform_xy(lon, lat + 0.01, LONLAT, crs)
    return degrees(atan2(float(up_x[0]) - x, float(up_y[0]) - y))


def _north(drawing: Drawing, x: float, y: float, height: float) -> None:
    turn = radians(north_angle(drawing.extent, drawing.sheet.crs))
    ink = table()["ink"]["text"]

    def turned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x + u * cos(turn) + v * sin(turn), y - u * sin(turn) + v * cos(turn)) for u, v in points]

    half, wing = height / 2, height * 0.26
    tip, notch = (0.0, half), (0.0, -half * 0.55)
    for side, fill in ((-1, ink), (1, "white")):
        shape = Polygon(turned([tip, (side * wing, -half), notch]), closed=True)
        shape.set(facecolor=fill, edgecolor=ink, linewidth=0.6)
        drawing.paper.add_patch(shape)
    at = turned([(0.0, half + height * 0.1)])[0]
    drawing.write(*at, drawing.words("北", "N"), size=9, heading=True, across="center")


def _inset(drawing: Drawing, box: Box) -> None:
    """Where in the county the map lies: the outline and the extent as a red rectangle."""
    grow = drawing.page.type_scale
    inner = Box(box.left, box.bottom, box.width, box.height - 4.6 * grow)
    west, south, east, north = drawing.sheet.county.total_bounds
    scale = max((east - west) * 1.12 / inner.width, (north - south) * 1.12 / inner.height) * 1000.0
    inner = Box(inner.left, inner.bottom, min(inner.width, (east - west) * 1.4 / scale * 1000), inner.height)
    extent = extent_at_scale(((west + east) / 2, (south + north) / 2), round(scale), inner)
    axes = drawing.axes(inner, extent)
    print_map.fill_plain(axes, drawing.sheet.county, table()["ground"]["land"], line_style("county")[2], 0.8)
    left, low, right, high = drawing.extent
    axes.add_patch(
        Rectangle((left, low), right - left, high - low, fill=False, edgecolor="#DC2626", linewidth=1.2, zorder=5)
    )
    frame(drawing, inner, 0.5)
    words = drawing.words("本图在全域的位置", "Where this map lies")
    drawing.write(box.left, box.top - 3.2 * grow, words, size=8, heading=True, longest_mm=box.width)


def footer(drawing: Drawing) -> None:
    box, grow = drawing.page.footer, drawing.page.type_scale
    secondary = table()["ink"]["secondary"]
    _rule(drawing, box.left, box.top - 0.5 * grow, box.width)
    size, step = 6.8, 3.35 * grow
    right_width = max(
        (drawing.width_of(drawing.letters.prepare(line), size) for line in drawing.sheet.footer_right), default=0.0
    )
    right_width = min(right_width, box.width * 0.4)
    left_width = box.width - right_width - 6 * grow
    for number, line in enumerate(drawing.sheet.footer_left[:5]):
        y = box.top - (3.4 * grow + number * step)
        drawing.write(box.left, y, line, size=size, color=secondary, longest_mm=left_width)
    for number, line in enumerate(drawing.sheet.footer_right[:5]):
        y = box.top - (3.4 * grow + number * step)
        drawing.write(box.right - right_width, y, line, size=size, color=secondary, longest_mm=right_width + 0.5)
