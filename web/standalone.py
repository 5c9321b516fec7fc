"""A map in one HTML file: opens from disk, asks nobody for anything, and can be sent by mail.

folium makes the shell as for the pages; the scripts it needs are written into the file, the data is embedded as JSON,
and a policy in the page forbids every request. Names and values reach the page as text only, never as HTML: they come
from imported files. The rows are those the exporting account may see, in the state of that moment.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from geo.errors import InputError, LimitError
from geo.words import LANGUAGES, Text
from layers.exports import export_source
from layers.figures.provenance import product
from layers.prints import view_content
from layers.rights import Viewer
from layers.storage.history import Moment, day
from layers.storage.known import as_known
from layers.storage.store import Store
from layers.storage.whole_files import draft_folder, require_target

from .maps import map_shell
from .standalone_data import WORDS, map_data

MOST_AREAS = 5_000
MOST_POINTS = 20_000
_STATIC = Path(__file__).parent / "static"
_ASSET = re.compile(
    r'<(script) src="/static/vendor/([\w./-]+)"></script>|<(link) rel="stylesheet" href="/static/vendor/([\w./-]+)"/>'
)
_NONCE = re.compile(r' nonce="[^"]*"')
_CSS_URL = re.compile(r"url\((?!#|['\"]?data:)['\"]?([^)'\"]+)['\"]?\)")


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
    known_on: Moment = None,
    **figure_options: Any,
) -> StandaloneReport:
    """Write a view as one HTML file; options as for `layers.prints.printing.print_map`.

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
    shown = as_known(store, known_on)
    options = view_content.Options(
        language,
        day(as_of or shown.today),
        title=title,
        approval_number=approval_number,
        unit_name=unit_name,
        where=where,
        figures=figure_options,
    )
    content = view_content.read_content(shown, viewer, view, options)
    table = export_source.read(shown, viewer, view, as_of=options.as_of, where=where, **figure_options)
    notes: list[Text] = []
    _require_few(content)
    data = map_data(shown, viewer, content, table, options, notes)
    html = _page(shown, viewer, content, options, data, notes)
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
        words={name: words.to(language) for name, words in WORDS.items()},
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
