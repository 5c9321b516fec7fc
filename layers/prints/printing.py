"""Print maps of a view as PNG or PDF: what is shown comes from the store under the viewer's rights, and says so.

Coverage and hotspots are drawn from the same results as the page and the tables, so a figure on paper is the figure on
screen. A layer by itself is drawn as it is. The file is written beside its target and moved into place when whole.
"""

import io
import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import LANGUAGES, Text

from ..rights import Viewer
from ..storage.history import Moment, day
from ..storage.known import as_known
from ..storage.whole_files import draft_folder, require_target
from . import print_layout, print_page, print_view

if TYPE_CHECKING:
    from ..storage.store import Store

DPI = 200
SUFFIXES = (".png", ".pdf")


@dataclass(frozen=True, slots=True)
class PrintReport:
    """What was printed: the file, the scale as N of 1:N, and what the maker must know (names left out, missing letters)."""

    path: Path
    scale: int
    notes: list[Text] = field(default_factory=list)


def print_map(
    store: "Store",
    viewer: Viewer,
    view: str,
    path: str | Path,
    *,
    paper: str = "A4",
    landscape: bool = True,
    language: str = "zh",
    title: str | None = None,
    approval_number: str = "",
    unit_name: str = "",
    bbox: tuple[float, float, float, float] | None = None,
    as_of: date | str | None = None,
    where: str | None = None,
    known_on: Moment = None,
    **figure_options: Any,
) -> PrintReport:
    """Draw a map on one sheet and write it to `path` (.png at 200 dots per inch, or .pdf as vectors).

    Parameters
    ----------
    view
        "coverage", "hotspots", a kind, or `reference:NAME`.
    paper, landscape
        "A4" or "A3", and its direction.
    title
        In place of the one made from place and view.
    approval_number
        The map approval number 审图号; a line to fill in when empty.
    unit_name
        Who made the map.
    bbox
        West, south, east, north in degrees: print this part, with an inset of the whole.
    known_on
        A moment: the map as it would have been made then (see `known`), so that one printed earlier can be made again.
    figure_options
        Options of the coverage or the hotspots (rule_id, unit, date_from, ...).

    Raises
    ------
    InputError
        For an unknown paper, language, file type or option, or when there is nothing with a position to draw.
    RightsError, NotFoundError
        When the viewer may not see the view, or there is no such layer.
    """
    viewer.require("export")
    target = Path(path)
    suffix = target.suffix.lower()
    page = _checked(target, suffix, paper, landscape=landscape, language=language)
    require_target(store, target)
    shown = as_known(store, known_on)
    options = print_view.Options(
        language=language,
        title=title,
        approval_number=approval_number,
        unit_name=unit_name,
        bbox=bbox,
        as_of=day(as_of or shown.today),
        where=where,
        figures=figure_options,
    )
    drawing = print_layout.draw(print_view.sheet(shown, viewer, view, options), page)
    picture = io.BytesIO()
    words = {"Title": drawing.sheet.title, "Subject": drawing.sheet.subtitle, "Creator": "wangge"}
    if suffix == ".pdf":
        drawing.figure.savefig(picture, format="pdf", metadata=words)
    else:
        drawing.figure.savefig(picture, format="png", dpi=DPI, metadata={"Title": words["Title"], "Software": "wangge"})
    with draft_folder(target) as folder:
        draft = folder / f"draft{suffix}"
        draft.write_bytes(picture.getvalue())
        if not store.readonly:
            details = {"what": f"map:{view}", "format": suffix[1:], "where": where, "role": viewer.role}
            with store.change(viewer.name, "export", details=details):
                pass
        os.replace(draft, target)
    return PrintReport(target, drawing.scale, list(dict.fromkeys(drawing.notes)))


def _checked(target: Path, suffix: str, paper: str, *, landscape: bool, language: str) -> print_page.Page:
    if suffix not in SUFFIXES:
        raise InputError(
            Text(
                f"打印图不能写成“{suffix or target.name}”。",
                f"A print map cannot be written as '{suffix or target.name}'.",
            ),
            where="path",
            mend=Text("可用：.pdf、.png。", "Use .pdf or .png."),
        )
    if language not in LANGUAGES:
        raise InputError(
            Text(f"没有语言“{language[:20]}”。", f"There is no language '{language[:20]}'."),
            where="language",
            mend=Text("可用：zh、en。", "Use zh or en."),
        )
    return print_page.page(paper, landscape=landscape)
