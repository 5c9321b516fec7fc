"""Formats that can be read: which suffix, which first bytes, which reader. The content decides, never the name alone.

A file is read only when its suffix is in the table **and** its bytes are of that format; the reader that opens it is
then fixed. Nothing else is tried, so a file in disguise cannot reach a driver that follows paths or addresses.
"""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from geo.words import Text

from ..findings import Finding


@dataclass(frozen=True, slots=True)
class Format:
    """One readable format: `reader` is csv, xlsx, parquet, kml or ogr; `driver` is the one OGR driver allowed."""

    name: str
    reader: str
    driver: str = ""


CSV = Format("CSV", "csv")
XLSX = Format("XLSX", "xlsx")
PARQUET = Format("GeoParquet", "parquet")
GEOPACKAGE = Format("GeoPackage", "ogr", "GPKG")
SHAPEFILE = Format("Shapefile", "ogr", "ESRI Shapefile")
GEOJSON = Format("GeoJSON", "ogr", "GeoJSON")
GEOJSON_LINES = Format("GeoJSONSeq", "ogr", "GeoJSONSeq")
TOPOJSON = Format("TopoJSON", "ogr", "TopoJSON")
FLATGEOBUF = Format("FlatGeobuf", "ogr", "FlatGeobuf")
KML = Format("KML", "kml")

DRIVERS = ("GPKG", "GeoJSON", "GeoJSONSeq", "TopoJSON", "ESRI Shapefile", "FlatGeobuf", "MEM")
"""Every OGR driver that may be alive in the reading process."""

READABLE = Text(
    "可导入的格式：GeoPackage、Shapefile（可打包为 zip）、GeoJSON、KML、CSV、XLSX、GeoParquet、FlatGeobuf、TopoJSON。",
    "Readable formats: GeoPackage, Shapefile (plain or zipped), GeoJSON, KML, CSV, XLSX, GeoParquet, FlatGeobuf, TopoJSON.",
)
_TEXT_SUFFIXES = frozenset({".csv", ".txt", ".tsv"})
_JSON_SUFFIXES = frozenset({".json", ".geojson", ".topojson", ".geojsonl", ".geojsons", ".ndjson", ".jsonl"})
_DBF_VERSIONS = frozenset(b"\x02\x03\x30\x31\x32\x43\x63\x83\x8b\xcb\xf5\xfb")
_TOPOLOGY = re.compile(rb'"type"\s*:\s*"Topology"')
_TYPED_FEATURE = re.compile(rb'"type"\s*:\s*"')
_HEAD = 65_536
SIDE_FILES = (".shp", ".shx", ".dbf", ".prj", ".cpg")
READ_SUFFIXES = _TEXT_SUFFIXES | _JSON_SUFFIXES | {".shp", ".dbf", ".gpkg", ".kml", ".fgb", ".parquet", ".xlsx"}


class Refused(Exception):
    """A file cannot be imported; carries the one finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what.en)
        self.finding = finding


def refuse(kind: str, zh: str, en: str, mend: Text | None = None) -> Refused:
    """A `Refused` about the file as a whole."""
    return Refused(Finding(Text(zh, en), mend or READABLE, kind=kind))


def format_of(path: Path) -> Format:
    """The format of a file, by suffix and first bytes; `Refused` when they disagree or are not in the table."""
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise refuse("empty", "文件是空的。", "The file is empty.")
    if suffix in _TEXT_SUFFIXES:
        return _text_format(head)
    if suffix in _JSON_SUFFIXES:
        return _json_format(head, suffix)
    if suffix == ".gpkg" and head.startswith(b"SQLite format 3\0"):
        return GEOPACKAGE
    if suffix == ".shp" and head.startswith(b"\x00\x00\x27\x0a"):
        return SHAPEFILE
    if suffix == ".dbf" and head[0] in _DBF_VERSIONS:
        return SHAPEFILE
    if suffix == ".fgb" and head.startswith(b"fgb\x03fgb"):
        return FLATGEOBUF
    if suffix == ".parquet" and head.startswith(b"PAR1"):
        return PARQUET
    if suffix == ".kml":
        return _kml_format(head)
    if suffix == ".xlsx" and head.startswith(b"PK\x03\x04"):
        return _xlsx_format(path)
    if suffix not in READ_SUFFIXES:
        raise refuse(
            "format",
            f"不支持的文件类型：{suffix or '无扩展名'}。",
            f"Files of type {suffix or '(none)'} cannot be read.",
        )
    raise refuse(
        "format", f"文件内容与扩展名 {suffix} 不符。", f"The content of the file is not what its suffix {suffix} says."
    )


def _text_format(head: bytes) -> Format:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    binary = head.startswith((b"PK\x03\x04", b"SQLite format 3\0", b"\x1f\x8b", b"%PDF", b"\xd0\xcf\x11\xe0", b"PAR1"))
    utf_16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if binary or start.startswith(b"<") or (not utf_16 and b"\0\0\0\0" in head):
        raise refuse("format", "文件不是文本表格（CSV）。", "The file is not a text table (CSV).")
    return CSV


def _json_format(head: bytes, suffix: str) -> Format:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"\x1e"):
        return GEOJSON_LINES
    if not start.startswith(b"{"):
        raise refuse("format", "文件不是 GeoJSON。", "The file is not GeoJSON.")
    if _TOPOLOGY.search(head[:2000]) or suffix == ".topojson":
        return TOPOJSON
    if suffix in (".geojsonl", ".geojsons", ".ndjson", ".jsonl"):
        return GEOJSON_LINES
    if not _TYPED_FEATURE.search(head):
        raise refuse("format", "文件不是 GeoJSON（没有 type）。", "The file is not GeoJSON (it has no type).")
    return GEOJSON


def _kml_format(head: bytes) -> Format:
    plain = head.replace(b"\0", b"")  # UTF-16 declares entities just as well
    if b"<!DOCTYPE" in plain.upper() or b"<!ENTITY" in plain.upper():
        raise refuse("format", "KML 含有实体定义，已拒绝。", "The KML defines entities and is refused.")
    if b"<kml" not in plain and b":kml" not in plain:
        raise refuse("format", "文件不是 KML。", "The file is not KML.")
    return KML


def _xlsx_format(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        names = set()
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise refuse("format", "文件不是 XLSX 工作簿。", "The file is not an XLSX workbook.")
    return XLSX
