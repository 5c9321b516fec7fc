"""Files to take away: layers and figures in the formats of others, print maps, maps that open without a server.

What writes them is loaded with the first of them: the writers of workbooks, prints and pages are large, and most
servers spend the day without.
"""

import secrets
import shutil
from datetime import date
from typing import Any
from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response, send_file

from geo.errors import InputError
from geo.words import Text
from layers.deciding import draft_layer
from layers.kinds import KINDS
from layers.storage import history

from . import current, description, figures, uploads
from .figures import COVERAGE_TAKES, HOTSPOT_TAKES
from .known import require_kind
from .language import language
from .parameters import takes

blueprint = APIBlueprint("exports", __name__, tag="export")
_FIGURES = {"coverage": Text("覆盖", "coverage"), "hotspots": Text("热点", "hotspots")}


def _title(what: str) -> str:
    if what in _FIGURES:
        return _FIGURES[what].to(language())
    if what in KINDS:
        return KINDS[what].label.to(language())
    if what.startswith(draft_layer.PREFIX):
        number, _ = draft_layer.parse(what)
        return Text(f"草案{number}", f"draft {number}").to(language())
    return what.partition(":")[2]


def _require(what: str | None, *, drafts: bool = False) -> str:
    """A layer the caller may see, one of the figures or, with `drafts`, a draft (whose reading asks for the rights)."""
    if not what:
        raise InputError(Text("请选择导出内容。", "Say what to export."), where="what")
    if drafts and what.startswith(draft_layer.PREFIX):
        return what
    if what not in _FIGURES:
        require_kind(what)
    return what


def _named_day(asked: dict[str, Any]) -> date | str | None:
    """The day in a file's name: that of the moment looked back to when no other is asked for."""
    return asked["as_of"] or (history.day_of(asked["known_on"]) if asked["known_on"] else None)


def download(make: Any, suffix: str, what: str, as_of: date | str | None) -> Response:
    """Let `make(path)` write a file and send it; nothing of it stays on the server.

    The name holds layer, place and day; the path is a random one of ours.
    """
    from layers.exports import exporting

    folder = uploads.work_folder() / f"out-{secrets.token_hex(16)}"
    folder.mkdir(mode=0o700)
    try:
        path = folder / f"export{suffix}"
        report = make(path)
        size = path.stat().st_size
        file = path.open("rb")
    finally:
        # The open file outlives its name; where a system does not let it go, `uploads.sweep` does later.
        shutil.rmtree(folder, ignore_errors=True)
    response = send_file(file, as_attachment=True, download_name=f"export{suffix}")
    response.content_length = size
    day = as_of or current.today()
    name = exporting.export_name(_title(what), current.setting("PLACE_NAME"), day, suffix)
    plain = exporting.export_name(what.replace(":", "-") if what.isascii() else "layer", "wangge", day, suffix)
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "private, no-store"
    notes = [note.to(language()) for note in getattr(report, "notes", None) or []]
    if notes:
        # What the file could not hold (shortened names, left-out columns), for the page to show.
        response.headers["X-Wangge-Notes"] = quote("\n".join(notes)[:2000])
    return response


@blueprint.get("/api/v1/export")
@blueprint.doc(
    summary="A layer, the coverage figures, the hotspots or the layer of a draft as a file",
    responses=description.sends(),
)
@takes(
    "what",
    "format",
    "plain",
    "encoding",
    "as_of",
    "where",
    "parent",
    "unit",
    *COVERAGE_TAKES[:2],
    *COVERAGE_TAKES[3:],
    *HOTSPOT_TAKES,
)
def export(**asked: Any) -> Response:
    """Filter, rights and day are those of the page; provenance comes inside or beside the data.

    A CSV has no place for its provenance: it comes as a zip of the table and its `.provenance.json`, unless `plain=1`.
    """
    from layers.exports import exporting

    what = _require(asked["what"], drafts=True)
    wanted = asked["format"] or "geojson"
    if wanted not in exporting.FORMATS:
        raise InputError(
            Text("没有这种格式。", "There is no such format."),
            where="format",
            mend=Text(f"可选：{'、'.join(exporting.FORMATS)}", f"One of {', '.join(exporting.FORMATS)}"),
        )
    encoding = (asked["encoding"] or "utf-8").lower()
    if encoding not in ("utf-8", "gbk"):
        raise InputError(Text("编码应为 utf-8 或 gbk。", "The encoding is utf-8 or gbk."), where="encoding")

    def make(path: Any) -> Any:
        return exporting.export(
            current.store(),
            current.viewer(),
            what,
            path,
            format=wanted,
            as_of=figures.day_of(asked),
            known_on=asked["known_on"],
            where=asked["where"],
            encoding=encoding,
            **figures.options_of(what, asked),
        )

    packed = wanted == "csv" and not asked["plain"]
    return download(make, "_csv.zip" if packed else exporting.FORMATS[wanted][0], what, _named_day(asked))


@blueprint.get("/api/v1/print")
@blueprint.doc(summary="A print map as PDF or PNG", responses=description.sends("application/pdf", "image/png"))
@takes(
    "view", "format", "paper", "landscape", "title", "approval_number", "unit_name", "bbox", "as_of", "where", "unit",
    *COVERAGE_TAKES[:2], *COVERAGE_TAKES[3:], *HOTSPOT_TAKES,
)  # fmt: skip
def print_map(**asked: Any) -> Response:
    """Title, legend, scale bar, north arrow, source and date, on A4 or A3."""
    from layers.prints import printing

    view = _require(asked["view"])
    wanted = asked["format"] or "pdf"
    if wanted not in ("pdf", "png"):
        raise InputError(Text("格式应为 pdf 或 png。", "The format is pdf or png."), where="format")

    def make(path: Any) -> Any:
        return printing.print_map(
            current.store(),
            current.viewer(),
            view,
            path,
            paper=asked["paper"],
            landscape=asked["landscape"],
            language=language(),
            title=asked["title"],
            approval_number=asked["approval_number"] or current.setting("APPROVAL_NUMBER"),
            unit_name=asked["unit_name"] or current.setting("UNIT_NAME"),
            bbox=asked["bbox"],
            where=asked["where"],
            as_of=figures.day_of(asked),
            known_on=asked["known_on"],
            **figures.options_of(view, asked),
        )

    return download(make, f".{wanted}", view, _named_day(asked))


@blueprint.get("/api/v1/standalone")
@blueprint.doc(summary="A map page that opens from disk without a server", responses=description.sends("text/html"))
@takes(
    "view", "title", "approval_number", "unit_name", "as_of", "where", "unit",
    *COVERAGE_TAKES[:2], *COVERAGE_TAKES[3:], *HOTSPOT_TAKES,
)  # fmt: skip
def standalone(**asked: Any) -> Response:
    """Everything inside one HTML file."""
    view = _require(asked["view"])
    from .standalone import standalone_html

    def make(path: Any) -> Any:
        return standalone_html(
            current.store(),
            current.viewer(),
            view,
            path,
            language=language(),
            title=asked["title"],
            approval_number=asked["approval_number"] or current.setting("APPROVAL_NUMBER"),
            unit_name=asked["unit_name"] or current.setting("UNIT_NAME"),
            where=asked["where"],
            as_of=figures.day_of(asked),
            known_on=asked["known_on"],
            **figures.options_of(view, asked),
        )

    return download(make, ".html", view, _named_day(asked))


@blueprint.get("/api/v1/drafts/<int:draft>/package")
@blueprint.doc(
    summary="A draft or decision as a package: document, maps, tables, moved land, the new layer",
    responses=description.sends("application/zip"),
)
@takes("format")
def package(draft: int, format: str | None) -> Response:
    """A zip for the file; `format` is that of the layer in it, a GeoPackage where nothing is said."""
    from layers.prints import draft_package

    def make(path: Any) -> Any:
        draft_package.write_package(
            current.store(), current.viewer(), draft, path, language=language(), format=format or "gpkg"
        )

    return download(make, ".zip", f"{draft_layer.PREFIX}{draft}", None)
