"""Reads KML inside the child: every Placemark of every folder is a row, attributes and all, in bounded memory.

The file is heard as a stream of events (no tree is built). Columns are name, description and whatever ExtendedData
holds (SchemaData, Data, elements of other makers), all as text; types are the parent's business. Links (NetworkLink,
schemas, icons) are never followed; document types and entities are refused wherever they stand.
"""

import codecs
import re
from pathlib import Path
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from geo.words import Text

from ..findings import Finding
from . import encodings
from .formats import Refused, refuse
from .kml_rows import EXTENDED, OWN, Column, PlacemarkRows
from .kml_shapes import NAMES, Shapes
from .reader_out import Output

_CHUNK = 1 << 16
_SAMPLE = 4 << 20
_LISTED = 20  # folders named in a message
_DEPTH = 200  # of elements in elements; folders of real files are a handful deep
_VERTEX_CHARS = 100  # longest sensible "lon,lat,altitude" with its blanks
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CONTAINERS = frozenset({"Folder", "Document"})
_DRAWN = frozenset({"Point", "LineString", "LinearRing"})
_NOT_DRAWN = frozenset({"Model", "Track", "MultiTrack"})


def read_kml(request: dict, output: Output) -> dict:
    """Read the placemarks; see `reader_child`. `layer`, when asked for, is the name of a folder."""
    path = Path(request["path"])
    encoding, guess = _encoding(path, request["encoding"])
    rows = PlacemarkRows(request, output)
    placemarks = _Placemarks(request, rows)
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(placemarks)
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    try:
        with path.open("rb") as file:
            while not rows.full and (data := file.read(_CHUNK)):
                parser.feed(decoder.decode(data))
                output.progress(file.tell())
        if not rows.full:
            parser.feed(decoder.decode(b"", final=True))
            parser.close()
    except SAXParseException as error:
        raise _broken(error) from error
    except DefusedXmlException as error:
        raise refuse("format", "KML 含有实体定义，已拒绝。", "The KML defines entities and is refused.") from error
    _require_rows(request["layer"], placemarks, rows)
    if placemarks.linked:
        output.find(
            Finding(
                Text("文件中的网络链接没有打开。", "Network links in the file were not followed."),
                Text("请把链接的内容另存为文件再导入。", "Save what they point to as a file and import that."),
                severity="info",
                kind="links",
            )
        )
    headers, kinds = rows.hand_over()
    return output.answer(
        headers,
        geometry=bool(kinds),
        geometry_type=_type_name(kinds),
        crs="EPSG:4326" if kinds else None,
        encoding=encoding.removesuffix("-sig"),
        candidates=list(guess.candidates),
        total=None if rows.full else output.rows,
    )


def _type_name(kinds: set[int]) -> str | None:
    if not kinds:
        return None
    return NAMES.get(next(iter(kinds)), "Unknown") if len(kinds) == 1 else "Unknown"


def _encoding(path: Path, asked: str) -> tuple[str, encodings.Guess]:
    """What was asked for, else what the bytes are, else what the file says: files that call GBK UTF-8 are common."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    guess = encodings.guess(sample, whole=len(sample) < _SAMPLE)
    if asked != "auto":
        return asked, guess
    declared = _DECLARED.search(sample)
    if declared and (sample.isascii() or not guess.encoding.startswith("utf-")):
        try:
            said = encodings.normalise(declared.group(1).decode("ascii"))
        except LookupError:
            return guess.encoding, guess
        if not said.startswith("utf"):
            return said, guess
    return guess.encoding, guess


def _broken(error: SAXParseException) -> Refused:
    line, said = error.getLineNumber(), error.getMessage()
    zh = "文件不完整" if "no element" in said or "unclosed" in said else "不是正确的 XML"
    return refuse(
        "unreadable",
        f"KML 第 {line} 行：{zh}，无法读取。",
        f"Line {line} of the KML: {said}; the file cannot be read.",
        Text(
            "请在制作它的软件中重新导出，或改正该行。",
            "Export it anew from the program that made it, or mend that line.",
        ),
    )


def _require_rows(wanted: str | None, placemarks: "_Placemarks", rows: "PlacemarkRows") -> None:
    if rows.count or (rows.columns and not wanted):
        return
    if wanted:
        names = list(placemarks.folders)
        raise refuse(
            "layer",
            "文件中没有所选文件夹，或其中没有地标。",
            "The file has no folder of that name, or there is no placemark in it.",
            Text(f"可选：{'、'.join(names)}", f"Folders: {', '.join(names)}"),
        )
    raise refuse("empty", "KML 中没有地标。", "The KML holds no placemark.")


class _Placemarks(ContentHandler):
    """Hears the events of the file and makes rows of its placemarks."""

    def __init__(self, request: dict, rows: PlacemarkRows) -> None:
        super().__init__()
        self._rows = rows
        self._wanted: str | None = request["layer"]
        self._most_vertices: int = request["max_vertices"]
        self._most_chars: int = request["max_cell"] + 1  # one more than allowed, so that the parent sees it was more
        self._path: list[str] = []
        self._inside: list[str] = []  # names of the folders around
        self._cells: dict[Column, str] | None = None  # of the placemark that is being heard
        self._shapes = Shapes()
        self._placemark = 0  # depth of it
        self._data = ""
        self._column: Column | None = None  # where the text that is being heard goes; None: coordinates or a folder
        self._text: list[str] | None = None
        self._text_depth = self._room = 0
        self.folders: dict[str, None] = {}
        self.linked = False

    def startElement(self, name: str, attrs: Any) -> None:
        """An element begins."""
        tag = name.rpartition(":")[2]
        parent = self._path[-1] if self._path else ""
        self._path.append(tag)
        if len(self._path) > _DEPTH:
            raise refuse("limit", "KML 嵌套过深，已拒绝。", "The KML is nested too deeply and is refused.")
        if self._text is not None:
            return  # mark-up inside a text
        if self._cells is None:
            self._outside(tag, parent, attrs)
        elif parent == "Placemark" and tag in ("name", "description"):
            self._listen((OWN, tag))
        elif tag == "SimpleData" and attrs.get("name"):
            self._listen((EXTENDED, attrs["name"]))
        elif tag == "Data":
            self._data = attrs.get("name", "")
        elif tag == "value" and parent == "Data" and self._data:
            self._listen((EXTENDED, self._data))
        elif parent == "ExtendedData" and tag != "SchemaData":
            self._listen((EXTENDED, tag))
        elif tag == "coordinates":
            self._listen(None, self._most_vertices * _VERTEX_CHARS)
        elif tag == "Polygon":
            self._shapes.start_polygon()
        elif tag == "MultiGeometry":
            self._shapes.multi = True
        elif tag in _NOT_DRAWN:
            self._rows.warn_not_drawn()

    def _outside(self, tag: str, parent: str, attrs: Any) -> None:
        """Outside of placemarks only the names of folders and of columns matter."""
        if tag == "Placemark":
            self._cells, self._shapes, self._placemark = {}, Shapes(), len(self._path)
        elif tag in _CONTAINERS:
            self._inside.append("")
        elif tag == "name" and parent in _CONTAINERS:
            self._listen(None)
        elif tag == "SimpleField" and attrs.get("name"):
            self._rows.add_column((EXTENDED, attrs["name"]))
        elif tag == "NetworkLink":
            self.linked = True

    def _listen(self, column: Column | None, room: int | None = None) -> None:
        self._column, self._text, self._text_depth = column, [], len(self._path)
        self._room = self._most_chars if room is None else room

    def characters(self, content: str) -> None:
        """A piece of text."""
        if self._text is None:
            return
        if len(content) > self._room and self._column is None and self._cells is not None:
            raise self._too_many()
        if self._room:
            self._text.append(content[: self._room])
            self._room -= len(self._text[-1])

    def endElement(self, name: str) -> None:
        """An element ends."""
        if self._text is not None and self._text_depth == len(self._path):
            self._heard("".join(self._text).strip())
            self._text = None
        elif self._text is None and self._cells is not None:
            tag = self._path[-1]
            if tag == "Polygon":
                self._shapes.end_polygon()
            elif tag == "Data":
                self._data = ""
            elif len(self._path) == self._placemark:
                self._finish()
        elif self._text is None and self._path[-1] in _CONTAINERS:
            self._inside.pop()
        self._path.pop()

    def _heard(self, text: str) -> None:
        if self._cells is None:
            if self._inside:
                self._inside[-1] = text
                if len(self.folders) < _LISTED:
                    self.folders[text] = None
        elif self._column is not None:
            if text:
                self._rows.add_column(self._column)
                self._cells[self._column] = text
        elif self._path[-2] in _DRAWN:
            self._shapes.add(self._path[-2], text, inner="innerBoundaryIs" in self._path[-3:-2])
            if self._shapes.vertices > self._most_vertices:
                raise self._too_many()

    def _finish(self) -> None:
        cells, self._cells = self._cells or {}, None
        if self._wanted and self._wanted not in self._inside:
            return
        self._rows.add(cells, *self._shapes.as_wkb())

    def _too_many(self) -> Refused:
        row, most = self._rows.count + 1, self._most_vertices
        what = Text(f"顶点数超过 {most}。", f"The shape has more than {most} vertices.")
        return Refused(Finding(what, Text("请先简化。", "Simplify it first."), row=row, kind="vertices"))
