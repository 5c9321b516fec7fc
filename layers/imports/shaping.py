"""Shapes of rows: type against the layer, validity, limits, and what may be mended.

An invalid ring is described with its place and refused; it is mended only when the user asks. Rounding to the
centimetre grid happens in the metric zone, so that neighbours keep meeting each other exactly.
"""

import re
from dataclasses import dataclass

import numpy as np
import shapely

from geo import crs
from geo.words import Text

from ..findings import Finding
from .projecting import Frame

_POINT, _LINE, _RING, _POLYGON, _MULTIPOINT, _MULTILINE, _MULTIPOLYGON, _COLLECTION = range(8)
_FAMILY = {
    _POINT: "point",
    _MULTIPOINT: "point",
    _LINE: "line",
    _RING: "line",
    _MULTILINE: "line",
    _POLYGON: "polygon",
    _MULTIPOLYGON: "polygon",
}
_ALLOWED = {
    "polygon": {"polygon"},
    "area": {"polygon", "point"},
    "line": {"line"},
    "point": {"point"},
    "any": {"point", "line", "polygon"},
}
NAMES = {
    "point": Text("点", "point"),
    "line": Text("线", "line"),
    "polygon": Text("面", "polygon"),
    "mixed": Text("混合几何", "mixed collection"),
}
_PLACE = re.compile(r"\[(-?[\d.eE+-]+) (-?[\d.eE+-]+)")
_REASONS = (
    ("Self-intersection", Text("边界自相交", "the boundary crosses itself")),
    ("Ring Self-intersection", Text("环自相交", "a ring touches itself")),
    ("Too few points", Text("点数太少", "too few points")),
    ("Hole lies outside", Text("洞在外环之外", "a hole lies outside the shell")),
    ("Holes are nested", Text("洞相互嵌套", "holes are nested")),
    ("Interior is disconnected", Text("内部不连通", "the interior is cut in two")),
    ("Nested shells", Text("外环相互嵌套", "shells are nested")),
    ("Duplicate Rings", Text("有重复的环", "a ring occurs twice")),
    ("Invalid Coordinate", Text("坐标无效", "a coordinate is not a number")),
)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shapes of a batch in EPSG:4490 (None where a row has none) and what was noticed, as (position, finding)."""

    values: np.ndarray
    findings: list[tuple[int, Finding]]
    empty: np.ndarray  # rows without a position


def shape(
    raw: np.ndarray, geometry: str, frame: Frame, *, repair: bool, vertices: int, lenient: bool = False
) -> Shapes:
    """Bring a batch of shapes home and check them.

    Parameters
    ----------
    raw
        Shapely geometries in the system of the file; None where missing.
    geometry
        What the layer holds: polygon, area, line, point or any.
    frame
        How to bring coordinates to EPSG:4490.
    repair
        Mend invalid polygons (make_valid) and say so, instead of refusing them.
    vertices
        Most vertices of one shape.
    lenient
        Reference layers: whatever is wrong is a warning and the shape is kept as it is.
    """
    values = shapely.force_2d(raw)
    findings: list[tuple[int, Finding]] = []
    _limit(values, vertices, findings)
    values = _moved(values, frame)
    empty = shapely.is_missing(values) | shapely.is_empty(values)
    values[empty] = None
    _finite(values, empty, findings)
    _simplify(values, empty)
    _types(values, empty, geometry, findings, lenient)
    _validity(values, empty, findings, repair, lenient)
    return Shapes(values, findings, empty)


def _moved(values: np.ndarray, frame: Frame) -> np.ndarray:
    values = values.copy()
    if frame.is_identity:
        return values
    coordinates = shapely.get_coordinates(values)
    if not len(coordinates):
        return values
    lon, lat = frame.to_lonlat(coordinates[:, 0], coordinates[:, 1])
    return shapely.set_coordinates(values, np.column_stack([lon, lat]))


def _limit(values: np.ndarray, vertices: int, findings: list[tuple[int, Finding]]) -> None:
    for row in np.flatnonzero(shapely.get_num_coordinates(values) > vertices):
        values[row] = None
        findings.append(
            (
                int(row),
                Finding(
                    Text(f"顶点数超过 {vertices}。", f"The shape has more than {vertices} vertices."),
                    Text("请先简化。", "Simplify it first."),
                    kind="vertices",
                ),
            )
        )


def _finite(values: np.ndarray, empty: np.ndarray, findings: list[tuple[int, Finding]]) -> None:
    bounds = shapely.bounds(values)
    there = ~empty
    with np.errstate(invalid="ignore"):
        inside = (bounds[:, 0] >= -180) & (bounds[:, 2] <= 180) & (bounds[:, 1] >= -90) & (bounds[:, 3] <= 90)
    wrong = there & ~inside
    if wrong.any():  # bounds skip coordinates that are not numbers; those rows fall through to validity
        for row in np.flatnonzero(wrong):
            values[row] = None
            findings.append((int(row), outside_world()))
    empty |= wrong


def outside_world() -> Finding:
    """A position that is nowhere on earth."""
    return Finding(
        Text("坐标超出经纬度范围。", "The coordinates are outside the world."),
        Text("检查坐标系和坐标列。", "Check the coordinate system and the columns."),
        kind="position",
    )


def _simplify(values: np.ndarray, empty: np.ndarray) -> None:
    """Collections of one family become that family's multipart; multiparts of one point become the point."""
    types = shapely.get_type_id(values)
    for row in np.flatnonzero((types == _COLLECTION) & ~empty):
        parts = shapely.get_parts(values[row])
        families = {_FAMILY.get(int(kind)) for kind in shapely.get_type_id(parts)}
        if families == {"polygon"}:
            values[row] = shapely.multipolygons(shapely.get_parts(parts))
        elif families == {"point"}:
            values[row] = shapely.multipoints(shapely.get_parts(parts))
        elif families == {"line"}:
            values[row] = shapely.multilinestrings(shapely.get_parts(parts))
    single = (shapely.get_type_id(values) == _MULTIPOINT) & (shapely.get_num_geometries(values) == 1)
    values[single] = shapely.get_geometry(values[single], 0)


def family(values: np.ndarray) -> np.ndarray:
    """point, line, polygon, mixed or "" for each shape."""
    types = shapely.get_type_id(values)
    return np.array([_FAMILY.get(int(kind), "mixed") if kind >= 0 else "" for kind in types], dtype=object)


def _types(
    values: np.ndarray, empty: np.ndarray, geometry: str, findings: list[tuple[int, Finding]], lenient: bool
) -> None:
    if lenient or geometry not in _ALLOWED:
        return
    families = family(values)
    several = (shapely.get_type_id(values) == _MULTIPOINT) & (geometry in ("point", "area"))
    wrong = ~empty & (~np.isin(families, list(_ALLOWED[geometry])) | several)
    allowed = sorted(_ALLOWED[geometry], reverse=True)
    wanted = Text("或".join(NAMES[name].zh for name in allowed), " or ".join(NAMES[name].en for name in allowed))
    for row in np.flatnonzero(wrong):
        found = NAMES.get(families[row], NAMES["mixed"]) if not several[row] else Text("多点", "multipoint")
        findings.append(
            (
                int(row),
                Finding(
                    Text(
                        f"几何类型是{found.zh}，本图层要{wanted.zh}。",
                        f"The shape is a {found.en}; this layer takes {wanted.en}.",
                    ),
                    Text("请分开存放不同类型的要素。", "Keep shapes of different types in different files."),
                    kind="geometry_type",
                ),
            )
        )
        values[row] = None


def _validity(
    values: np.ndarray, empty: np.ndarray, findings: list[tuple[int, Finding]], repair: bool, lenient: bool
) -> None:
    bad = np.flatnonzero(~shapely.is_valid(values) & ~shapely.is_missing(values) & ~empty)
    for row in bad:
        why = str(shapely.is_valid_reason(values[row]))
        reason = next(
            (text for start, text in _REASONS if why.startswith(start)), Text("几何无效", "the shape is not valid")
        )
        place = _PLACE.search(why)
        lon, lat = (float(place.group(1)), float(place.group(2))) if place else (None, None)
        at = Text("", "")
        if lon is not None and lat is not None and np.isfinite([lon, lat]).all():
            at = Text(f"，位置 {lon:.6f}, {lat:.6f}", f" at {lon:.6f}, {lat:.6f}")
        else:
            lon = lat = None
        if repair and not lenient:
            mended = _polygonal(shapely.make_valid(values[row]), values[row])
            if mended is not None:
                values[row] = mended
                findings.append(
                    (
                        int(row),
                        Finding(
                            Text(f"{reason.zh}{at.zh}，已修复。", f"Mended: {reason.en}{at.en}."),
                            severity="warning",
                            kind="mended",
                            lon=lon,
                            lat=lat,
                        ),
                    )
                )
                continue
        findings.append(
            (
                int(row),
                Finding(
                    Text(f"几何无效：{reason.zh}{at.zh}。", f"The shape is not valid: {reason.en}{at.en}."),
                    Text(
                        "请在桌面软件中修复，或在导入时勾选“修复”。",
                        "Mend it in a desktop GIS, or choose to mend when importing.",
                    ),
                    severity="warning" if lenient else "error",
                    kind="invalid",
                    lon=lon,
                    lat=lat,
                ),
            )
        )


def _polygonal(mended: shapely.Geometry, before: shapely.Geometry) -> shapely.Geometry | None:
    """The part of a mended shape that is of the type it had; None when nothing is left."""
    wanted = _FAMILY.get(int(shapely.get_type_id(before)))
    parts = shapely.get_parts(shapely.get_parts(mended))
    keep = parts[family(parts) == wanted]
    if not len(keep):
        return None
    if wanted == "polygon":
        return keep[0] if len(keep) == 1 else shapely.multipolygons(keep)
    return keep[0] if len(keep) == 1 else shapely.union_all(keep)


def snapped(values: np.ndarray, zone: object) -> np.ndarray:
    """Polygons on the centimetre grid of `zone`; everything else untouched."""
    found = values.copy()
    polygons = family(values) == "polygon"
    if polygons.any():
        found[polygons] = crs.snap_centimetre(values[polygons], zone)
    return found
