"""One print map being drawn: the figure, the page in millimetres, the letters.

matplotlib is used through its objects only, so that several prints may be made at once in one process.
"""

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text as Lettered

from geo.words import Text

from .cartography import table
from .lettering import Lettering
from .print_page import Box, Page, extent_at_scale, round_scale
from .print_sheet import Extent, Sheet

MM_PER_INCH = 25.4
PREVIEW_DPI = 200


class Drawing:
    """One sheet being drawn: the figure, the page in millimetres, the letters, and notes on what did not fit."""

    def __init__(self, sheet: Sheet, page: Page) -> None:
        self.sheet = sheet
        self.page = page
        self.letters = Lettering()
        self.notes: list[Text] = list(sheet.notes)
        self.figure = Figure(figsize=(page.width / MM_PER_INCH, page.height / MM_PER_INCH), dpi=PREVIEW_DPI)
        self.canvas = FigureCanvasAgg(self.figure)
        self.paper = self.figure.add_axes((0, 0, 1, 1), zorder=2)
        self.paper.set_xlim(0, page.width)
        self.paper.set_ylim(0, page.height)
        self.paper.axis("off")
        west, south, east, north = sheet.focus
        self.scale = round_scale((east - west) * 1.04, (north - south) * 1.04, page.map)
        self.extent: Extent = extent_at_scale(((west + east) / 2, (south + north) / 2), self.scale, page.map)

    def words(self, zh: str, en: str) -> str:
        """One of two wordings, in the language of the sheet."""
        return en if self.sheet.language == "en" else zh

    def axes(self, box: Box, extent: Extent, *, zorder: float = 1) -> Axes:
        """Axes that show `extent` in exactly `box`."""
        page = self.page
        place = (box.left / page.width, box.bottom / page.height, box.width / page.width, box.height / page.height)
        made = self.figure.add_axes(place, zorder=zorder)
        made.set_xlim(extent[0], extent[2])
        made.set_ylim(extent[1], extent[3])
        made.set_xticks([])
        made.set_yticks([])
        made.set_facecolor(table()["ground"]["outside"])
        for spine in made.spines.values():
            spine.set_visible(False)
        return made

    def write(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 8.0,
        heading: bool = False,
        across: str = "left",
        up: str = "baseline",
        color: str = "",
        longest_mm: float = 0.0,
    ) -> Lettered:
        """Write one line at `x`, `y` millimetres; shortened with an ellipsis when wider than `longest_mm`."""
        text = self.letters.prepare(words)
        if longest_mm:
            text = self.shortened(text, size, longest_mm, heading=heading)
        return self.paper.text(
            x,
            y,
            text,
            fontsize=size * self.page.type_scale,
            fontfamily=self.letters.families(heading=heading),
            ha=across,
            va=up,
            color=color or table()["ink"]["text"],
            parse_math=False,
        )

    def width_of(self, text: str, size: float, *, heading: bool = False) -> float:
        """Width in millimetres of a prepared text."""
        probe = Lettered(
            0,
            0,
            text,
            figure=self.figure,
            fontsize=size * self.page.type_scale,
            fontfamily=self.letters.families(heading=heading),
            parse_math=False,
        )
        return probe.get_window_extent(self.canvas.get_renderer()).width / self.figure.dpi * MM_PER_INCH

    def shortened(self, text: str, size: float, longest_mm: float, *, heading: bool = False) -> str:
        """`text`, or as much of it as fits with an ellipsis."""
        # No letter is narrower than a tenth of its size, so nothing beyond this can fit: keeps the search short.
        text = text[: int(longest_mm / (size * 0.035)) + 2]
        if self.width_of(text, size, heading=heading) <= longest_mm:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width_of(text[:middle] + "…", size, heading=heading) <= longest_mm:
                low = middle
            else:
                high = middle - 1
        return text[:low] + "…"

    def wrapped(self, words: str, size: float, width_mm: float, *, heading: bool = False, most: int = 3) -> list[str]:
        """`words` broken into at most `most` lines: Chinese between any two characters, Latin between words."""
        pieces: list[str] = []
        for sign in self.letters.prepare(words, longest=400):
            joins = pieces and pieces[-1][-1].isascii() and sign.isascii() and pieces[-1][-1] != " "
            if pieces and (joins or sign in "，。、；：）%！？”"):
                pieces[-1] += sign
            else:
                pieces.append(sign)
        lines = [""]
        for piece in pieces:
            if lines[-1] and self.width_of((lines[-1] + piece).rstrip(), size, heading=heading) > width_mm:
                lines.append(piece.lstrip())
            else:
                lines[-1] += piece
        if len(lines) > most:
            lines = [*lines[: most - 1], self.shortened("".join(lines[most - 1 :]), size, width_mm, heading=heading)]
        return [line.strip() for line in lines if line.strip()]
