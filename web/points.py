"""Many points in few bytes: int32 micro-degrees from an origin, and one byte per row and column.

Layout, little endian: uint32 length of the header, JSON header {n, origin, scale, columns}, zero bytes to a multiple
of four, int32 dlon[n], int32 dlat[n], int32 fid[n], then per column uint8[n], an index into the column's `choices`
(255: no value). The three int32 arrays are stored byte by byte, all lowest bytes first, and each fid as its distance
from the one before: so they compress by a third more. Rows without a position are left out; `without_position` counts
them.
"""

import json
from typing import Any

import numpy as np
import pandas as pd
from apiflask import APIBlueprint
from flask import Response

from geo.errors import InputError
from geo.words import Text
from layers.kinds import KINDS
from layers.selection import frames

from . import current, description, etags, values
from .known import columns_of, require_kind, versions_needed
from .language import language
from .parameters import takes

blueprint = APIBlueprint("points", __name__, tag="map")
SCALE_DEG = 1e-6
INCIDENT_SCALE_DEG = 1e-5
"""Reported places are good to metres at best: about one metre is enough to draw them, and a sixth less to send."""
NONE = 255
MIMETYPE = "application/vnd.wangge.points"


@blueprint.get("/points/<kind>")
@blueprint.doc(summary="All points of a layer as binary arrays", responses=description.sends(MIMETYPE, nothing=True))
@takes("as_of", "where", "columns")
def points(kind: str, **asked: Any) -> Response:
    """The points of a layer that the caller may see."""
    require_kind(kind)
    if kind in KINDS and KINDS[kind].geometry not in ("point", "any", "area"):
        raise InputError(Text("此图层不是点图层。", "This layer has no points."), where=kind)
    names = columns_of(kind, asked["columns"] or ())
    return etags.answer(
        versions_needed(kind), asked, lambda: _make(kind, names, asked["as_of"], asked["where"]), MIMETYPE
    )


def _make(kind: str, names: tuple[str, ...], as_of: Any, where: str | None) -> bytes:
    found = frames.read_points(
        current.store(), kind, current.viewer(), as_of=as_of or current.today(), where=where, columns=list(names)
    )
    return pack(found.lon, found.lat, found.fid, {name: found.columns[name] for name in names}, kind)


def pack(lon: np.ndarray, lat: np.ndarray, fid: np.ndarray, columns: dict[str, Any], kind: str) -> bytes:
    """The binary answer for points in degrees with their row ids and class columns."""
    placed = np.isfinite(lon) & np.isfinite(lat)
    lon, lat, fid = lon[placed], lat[placed], fid[placed]
    # The middle of the extent keeps the offsets small wherever the place is.
    origin = [round(float((v.min() + v.max()) / 2), 6) if len(v) else 0.0 for v in (lon, lat)]
    scale = INCIDENT_SCALE_DEG if kind == "incident" else SCALE_DEG
    described, bytes_of = [], []
    for name, given in columns.items():
        choices, index = _classes(kind, name, pd.Series(np.asarray(given, dtype=object)[placed]))
        described.append(choices)
        bytes_of.append(index.tobytes())
    header = json.dumps(
        {
            "n": len(lon),
            "origin": origin,
            "scale": scale,
            "without_position": int((~placed).sum()),
            "columns": described,
        },
        ensure_ascii=False,
    ).encode()
    offsets = [planes(np.rint((v - o) / scale)) for v, o in zip((lon, lat), origin, strict=True)]
    return b"".join(
        [
            len(header).to_bytes(4, "little"),
            header,
            b"\0" * (-(4 + len(header)) % 4),
            *offsets,
            planes(np.diff(fid, prepend=0)),
            *bytes_of,
        ]
    )


def planes(numbers: np.ndarray) -> bytes:
    """Whole numbers as int32, the lowest bytes of all first, the highest last."""
    return np.ascontiguousarray(numbers.astype("<i4").view(np.uint8).reshape(-1, 4).T).tobytes()


def _classes(kind: str, name: str, given: pd.Series) -> tuple[dict[str, Any], np.ndarray]:
    codes, found = pd.factorize(given, sort=False)
    field = next((f for f in KINDS[kind].fields if f.name == name), None) if kind in KINDS else None
    listed = [value for value, _ in field.choices] if field else []
    plain = [values.plain(value) for value in found]
    choices: list[Any] = listed + sorted((value for value in plain if value not in listed), key=str)
    if len(choices) > NONE:
        raise InputError(
            Text(
                f"字段“{name}”的取值超过 {NONE} 种，不能随点传输。",
                f"Column '{name}' has more than {NONE} values and cannot go with the points.",
            ),
            where="columns",
            mend=Text("请从属性表或要素详情读取该字段。", "Read it from the table or from the details of a feature."),
        )
    place = np.array([choices.index(value) for value in plain] + [NONE], dtype=np.uint8)
    labels = {value: text.to(language()) for value, text in field.choices} if field else {}
    described = {
        "name": name,
        "dtype": field.dtype if field else "text",
        "label": field.label.to(language()) if field else name,
        "choices": choices,
        "labels": [labels.get(value, value) for value in choices],
    }
    return described, place[codes]
