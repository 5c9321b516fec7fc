"""Drawing a print map on its page: map at an exact round scale, legend with counts, scale bar, north arrow, inset, footer.

Everything outside the map is drawn in millimetres on one invisible axes that covers the page. Colours, hatches and words
of classes come from `cartography`; nothing here decides a class.
"""

from geo.words import Text

from . import print_furniture, print_map
from .cartography import table
from .print_drawing import Drawing
from .print_page import Page
from .print_sheet import Sheet


def draw(sheet: Sheet, page: Page) -> Drawing:
    """Draw `sheet` on `page`; the figure is in `.figure`, the scale in `.scale`, what to tell the maker in `.notes`."""
    drawing = Drawing(sheet, page)
    _title(drawing)
    axes = drawing.axes(page.map, drawing.extent)
    print_map.draw_map(drawing, axes)
    print_furniture.frame(drawing, page.map, 0.9)
    print_furniture.panel(drawing)
    print_furniture.footer(drawing)
    _tell_missing(drawing)
    return drawing


def _title(drawing: Drawing) -> None:
    box, grow = drawing.page.title, drawing.page.type_scale
    sheet = drawing.sheet
    drawing.write(box.left, box.top - 6.2 * grow, sheet.title, size=17, heading=True, longest_mm=box.width)
    secondary = table()["ink"]["secondary"]
    drawing.write(box.left, box.top - 12.4 * grow, sheet.subtitle, size=9.5, color=secondary, longest_mm=box.width)


def _tell_missing(drawing: Drawing) -> None:
    if drawing.letters.missing:
        shown = "、".join(f"U+{ord(sign):04X}" for sign in drawing.letters.missing[:20])
        drawing.notes.append(
            Text(f"字库缺字，已印作〓：{shown}。", f"Characters that no font has are printed as 〓: {shown}.")
        )
