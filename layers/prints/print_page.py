"""The sheet of paper: sizes, boxes and the round scale at which the map is drawn.

Lengths are millimetres from the lower left corner of the page. The scale is always a round number and the map is drawn
at exactly that scale: a ruler on the print measures what the numeric scale says.
"""

from dataclasses import dataclass

from geo.errors import InputError
from geo.words import Text

PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
"""Long and short side in millimetres (ISO 216)."""

ROUND_STEPS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 7.5, 8.0, 9.0)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the page."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def top(self) -> float:
        return self.bottom + self.height


@dataclass(frozen=True, slots=True)
class Page:
    """Where everything goes on one sheet; `type_scale` enlarges letters on the larger paper."""

    width: float
    height: float
    title: Box
    map: Box
    panel: Box
    footer: Box
    type_scale: float
    landscape: bool


def page(paper: str = "A4", *, landscape: bool = True) -> Page:
    """The layout for a paper size ("A4", "A3") and direction; `InputError` for any other size."""
    if paper.upper() not in PAPERS:
        known = "、".join(PAPERS)
        raise InputError(
            Text(f"没有纸张“{paper[:20]}”。", f"There is no paper size '{paper[:20]}'."),
            where="paper",
            mend=Text(f"可用：{known}。", f"Use one of {', '.join(PAPERS)}."),
        )
    long, short = PAPERS[paper.upper()]
    width, height = (long, short) if landscape else (short, long)
    grow = 1.0 if paper.upper() == "A4" else 1.25
    margin, gap = 10.0 * grow, 3.0 * grow
    inner = width - 2 * margin
    title = Box(margin, height - margin - 15 * grow, inner, 15 * grow)
    footer = Box(margin, margin - 2 * grow, inner, 17 * grow)
    low, high = footer.top + gap * 0.7, title.bottom - gap * 0.5
    if landscape:
        aside = 62.0 * grow
        area = Box(margin, low, inner - aside - gap, high - low)
        panel = Box(area.right + gap, low, aside, high - low)
    else:
        below = 62.0 * grow
        area = Box(margin, low + below + gap, inner, high - low - below - gap)
        panel = Box(margin, low, inner, below)
    return Page(width, height, title, area, panel, footer, grow, landscape)


def round_scale(width_m: float, height_m: float, box: Box) -> int:
    """The largest round scale 1:N, 1:100 at most, at which `width_m` by `height_m` fits into `box`; N is returned."""
    needed = max(width_m / box.width * 1000.0, height_m / box.height * 1000.0, 100.0)
    power = 1.0
    while power * 10 <= needed:
        power *= 10
    for step in (*ROUND_STEPS, 10.0):
        if step * power >= needed * (1 - 1e-9):
            return round(step * power)
    raise AssertionError("the last step is ten times the power")


def extent_at_scale(centre: tuple[float, float], scale: int, box: Box) -> tuple[float, float, float, float]:
    """West, south, east, north in metres of the ground that `box` shows at 1:`scale`."""
    half_width, half_height = (side / 1000.0 * scale / 2 for side in (box.width, box.height))
    x, y = centre
    return (x - half_width, y - half_height, x + half_width, y + half_height)


def bar_length(scale: int, longest_mm: float) -> float:
    """Length in metres of the longest scale bar that is a round number (1, 2, 5 times a power of ten) and fits."""
    room = longest_mm / 1000.0 * scale
    power = 10.0
    while power * 10 <= room:
        power *= 10
    while power > room:
        power /= 10
    return max(step * power for step in (1, 2, 5) if step * power <= room)


def scale_words(scale: int) -> str:
    """The numeric scale as it is printed: 1:50,000."""
    return f"1:{scale:,}"
