"""`wangge export`: a layer, a result or a map as a file."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import Text

from .figures import coverage_options, hotspot_options
from .store import open_store, viewer_of
from .terminal import language, say

if TYPE_CHECKING:
    from layers.rights import Viewer
    from layers.storage.store import Store

MAP = "map:"
MAP_FORMATS = ("pdf", "png", "html")


def run(arguments: Namespace) -> int:
    """Write the file and say what is in it."""
    with open_store(arguments.store) as store:
        viewer = viewer_of(store, arguments.account)
        if arguments.what.startswith(MAP):
            notes = _map(store, viewer, arguments, arguments.what.removeprefix(MAP))
            say(Text(f"已写入 {arguments.file}。", f"Wrote {arguments.file}."))
        else:
            notes = _table(store, viewer, arguments)
    for note in notes:
        say(note)
    return 0


def _options(what: str, arguments: Namespace) -> dict[str, Any]:
    if what == "coverage":
        return coverage_options(arguments)
    if what == "hotspots":
        return hotspot_options(arguments)
    return {} if arguments.known_on is None else {"known_on": arguments.known_on}


def _table(store: "Store", viewer: "Viewer", arguments: Namespace) -> list[Text]:
    from layers.exports.exporting import export
    from layers.places import homes

    if arguments.what in homes.HOMED and not store.readonly:
        homes.keep_up(store)  # no server may have run since the day of a decision came
    report = export(
        store,
        viewer,
        arguments.what,
        Path(arguments.file),
        format=arguments.format,
        as_of=arguments.as_of,
        where=arguments.where,
        encoding=arguments.encoding,
        headers=arguments.headers,
        **_options(arguments.what, arguments),
    )
    say(Text(f"已写入 {report.path}，{report.rows} 行。", f"Wrote {report.rows} rows to {report.path}."))
    return report.notes


def _map(store: "Store", viewer: "Viewer", arguments: Namespace, view: str) -> list[Text]:
    path = Path(arguments.file)
    form = (arguments.format or path.suffix.removeprefix(".")).lower()
    if form not in MAP_FORMATS:
        raise InputError(
            Text(f"地图不能写成“{form[:20]}”。", f"A map cannot be written as '{form[:20]}'."),
            where="FILE",
            mend=Text("可用 .pdf、.png 或 .html。", "Use .pdf, .png or .html."),
        )
    viewer.require("export")
    shared = {
        "language": language(),
        "title": arguments.title,
        "approval_number": arguments.approval_number,
        "unit_name": arguments.unit_name,
        "as_of": arguments.as_of,
        "where": arguments.where,
        **_options(view, arguments),
    }
    if form == "html":
        from ..standalone import standalone_html

        report: Any = standalone_html(store, viewer, view, path, **shared)
    else:
        from layers.prints.printing import print_map

        report = print_map(store, viewer, view, path, paper=arguments.paper, landscape=not arguments.portrait, **shared)
    return list(getattr(report, "notes", []))
