"""Which column of a file is which field: proposed from the aliases of `kinds.py`, decided by the user, remembered.

Besides the fields of a kind a column may be `lon`, `lat` or `wkt` (a position instead of a geometry). A mapping is
remembered per kind and set of headers, so that next month's file of the same make needs no hand.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import delete, insert, select

from geo.errors import InputError
from geo.words import Text

from ..kinds import KINDS, REFERENCE, Field, Kind
from ..limits import WEB
from ..storage.schema import mapping_memory, now

POSITION = {
    "lon": Text("经度", "longitude"),
    "lat": Text("纬度", "latitude"),
    "wkt": Text("几何（WKT）", "geometry (WKT)"),
}
_POSITION_ALIASES = {
    "lon": "lon lng long longitude 经度 东经 经度坐标 gps经度 gpsx x x坐标 坐标x 横坐标 lonwgs84 lngwgs84 经度wgs84 pointx xcoord "
    "longit jd 设备经度 点位经度 gps经 mapx lonx longtitude 东坐标 easting",
    "lat": "lat latitude 纬度 北纬 纬度坐标 gps纬度 gpsy y y坐标 坐标y 纵坐标 latwgs84 纬度wgs84 pointy ycoord latit wd "
    "设备纬度 点位纬度 gps纬 mapy laty 北坐标 northing",
    "wkt": "wkt geom thegeom geometry 几何 geomwkt",
}
_OTHER_NAMES = {"longitude": "lon", "latitude": "lat", "x": "lon", "y": "lat", "geometry": "wkt"}
_DATUM_MARKS = (("gcj02", "gcj02"), ("火星", "gcj02"), ("高德", "gcj02"), ("bd09", "bd09"), ("百度", "bd09"))
_DATUM_WORDS = re.compile("gcj02|bd09|火星坐标|火星|高德|百度")
_NOISE = re.compile(r"[\s_\-*:：.·/\\()（）\[\]【】{}<>《》“”\"'`#]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SHAPEFILE_NAME = 10


@dataclass(frozen=True, slots=True)
class Mapping:
    """Column number -> field name; `datum` is the datum that a header names (lon_gcj02), or ""."""

    fields: dict[int, str]
    datum: str = ""

    def column_of(self, field: str) -> int | None:
        """The column that holds `field`, or None."""
        return next((column for column, name in self.fields.items() if name == field), None)


def clean_header(header: str) -> str:
    """A header as it may be shown: no control or direction characters, one line, at most 64 characters."""
    return _CONTROL.sub(" ", header).strip()[: WEB.header_chars]


def plain(header: str) -> str:
    """A header reduced to what is compared: lower case, without blanks, underscores, brackets and marks."""
    return _NOISE.sub("", _CONTROL.sub("", header)).lower()


def find_header(rows: Sequence[Sequence[str]]) -> int:
    """Which of the first rows is the header: title lines and notes often stand above it.

    The row with the most known headers (two at least); without known ones the first row that fills more than one
    cell, else the first that is not empty.
    """
    known = [sum(plain(cell) in _known() for cell in row if cell) for row in rows]
    best = max(range(len(rows)), key=lambda at: (known[at], -at))
    if known[best] >= 2:
        return best
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    wide = next((at for at, count in enumerate(filled) if count > 1), None)
    return wide if wide is not None else next(at for at, count in enumerate(filled) if count)


@cache
def _known() -> frozenset[str]:
    names = {alias for kind in KINDS.values() for field in kind.fields for alias in _names(field)}
    return frozenset(names | {alias for aliases in _POSITION_ALIASES.values() for alias in aliases.split()})


def _names(field: Field) -> list[str]:
    """What a field goes by, surest first."""
    return [plain(name) for name in (field.name, field.label.zh, field.label.en, *field.aliases)]


def _ranked(kind: Kind | None) -> Iterable[tuple[str, list[str]]]:
    if kind is not None:
        cut = Counter(field.name[:_SHAPEFILE_NAME] for field in kind.fields)
        for field in kind.fields:
            short = field.name[:_SHAPEFILE_NAME]
            # A Shapefile keeps ten letters of a name; they are as good as the name when no other field begins so.
            yield field.name, _names(field) + ([plain(short)] if short != field.name and cut[short] == 1 else [])
    if kind is None or kind.geometry != "none":
        for name, aliases in _POSITION_ALIASES.items():
            yield name, aliases.split()


def propose(headers: Sequence[str], kind: Kind | None) -> Mapping:
    """The likeliest mapping; `kind` None (a reference layer) only looks for positions.

    The surest name of a field wins, then the order of the fields; a column serves one field and a field takes one
    column.
    """
    plain_headers = [plain(header) for header in headers]
    without_datum = [_DATUM_WORDS.sub("", header) for header in plain_headers]
    wanted = []
    for order, (field, names) in enumerate(_ranked(kind)):
        for column, header in enumerate(plain_headers):
            if header in names:
                wanted.append((names.index(header), order, column, field))
            elif field in POSITION and without_datum[column] in names:
                wanted.append((len(names), order, column, field))
    fields: dict[int, str] = {}
    for _, _, column, field in sorted(wanted):
        if column not in fields and field not in fields.values():
            fields[column] = field
    return Mapping(fields, _datum(plain_headers, fields))


def _datum(plain_headers: list[str], fields: dict[int, str]) -> str:
    places = [plain_headers[column] for column, field in fields.items() if field in POSITION]
    return next((datum for mark, datum in _DATUM_MARKS if any(mark in header for header in places)), "")


def apply(headers: Sequence[str], proposed: Mapping, chosen: dict[str, str], kind: Kind | None) -> Mapping:
    """`proposed` with the user's choice (`{column: field}`) on top; an empty field name leaves a column out.

    Raises
    ------
    InputError
        When a column or a field does not exist, or a field is named twice.
    """
    fields = dict(proposed.fields)
    allowed = set(POSITION) | set(kind.names if kind else headers)
    taken: set[str] = set()
    for column_name, field_name in chosen.items():
        column = _find_column(headers, column_name)
        field = _OTHER_NAMES.get(field_name, field_name) if kind is None or field_name not in kind.names else field_name
        fields.pop(column, None)
        if not field:
            continue
        if field not in allowed:
            raise InputError(
                Text(f"没有字段“{field[:40]}”。", f"There is no field '{field[:40]}'."),
                where="--map",
                mend=Text(f"可用字段：{'、'.join(sorted(allowed))}", f"Fields: {', '.join(sorted(allowed))}"),
            )
        if field in taken:
            raise InputError(
                Text(f"字段“{field}”被指定了两次。", f"The field '{field}' is named twice."), where="--map"
            )
        taken.add(field)
        fields = {at: name for at, name in fields.items() if name != field}
        fields[column] = field
    return Mapping(fields, _datum([plain(header) for header in headers], fields))


def _find_column(headers: Sequence[str], name: str) -> int:
    for column, header in enumerate(headers):
        if header == name:
            return column
    for column, header in enumerate(headers):
        if plain(header) == plain(name):
            return column
    listed = [header for header in headers if header][:30]
    raise InputError(
        Text(f"文件中没有列“{name[:40]}”。", f"The file has no column '{name[:40]}'."),
        where="--map",
        mend=Text(f"文件中的列：{'、'.join(listed)}", f"Columns of the file: {', '.join(listed)}"),
    )


def fingerprint(headers: Sequence[str]) -> str:
    """What a mapping is remembered under: the headers, whatever their order."""
    return hashlib.sha256("\n".join(sorted(headers)).encode("utf-8", "replace")).hexdigest()


def recall(store: Any, kind_name: str, headers: Sequence[str]) -> dict[str, str]:
    """The choice that was last used for such headers, as `{column: field}`; empty when there is none."""
    where = (mapping_memory.c.kind == kind_name) & (mapping_memory.c.fingerprint == fingerprint(headers))
    with store.read() as connection:
        stored = connection.scalar(select(mapping_memory.c.mapping).where(where))
    return json.loads(stored) if stored else {}


def remember(connection: Any, kind_name: str, headers: Sequence[str], chosen: dict[str, str]) -> None:
    """Keep the user's choice for the next file with these headers (inside an open write transaction)."""
    mark = fingerprint(headers)
    where = (mapping_memory.c.kind == kind_name) & (mapping_memory.c.fingerprint == mark)
    connection.execute(delete(mapping_memory).where(where))
    connection.execute(
        insert(mapping_memory).values(
            kind=kind_name, fingerprint=mark, mapping=json.dumps(chosen, ensure_ascii=False), used_at=now()
        )
    )


def kind_of(name: str) -> Kind | None:
    """The kind called `name`, None for a reference layer; InputError for anything else."""
    if name.startswith(REFERENCE + ":") and len(name) > len(REFERENCE) + 1:
        return None
    if name in KINDS:
        return KINDS[name]
    raise InputError(
        Text(f"没有图层“{name[:40]}”。", f"There is no layer '{name[:40]}'."),
        where="--layer",
        mend=Text(
            f"可用图层：{'、'.join(KINDS)}，或 reference:名称。", f"Layers: {', '.join(KINDS)}, or reference:NAME."
        ),
    )
