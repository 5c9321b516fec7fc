"""Shapefile: ten bytes for a column name, 254 for a text, one kind of shape per file. What does not fit is told.

Column names are cut by this module, not by GDAL, so that they are unique, never split a character, and the list of
what became of them can be written beside the file. Areas, lines and points of one layer go into files of their own.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from ..selection.export_table import ExportTable
from .gdal_out import Part, arrow_rows, as_multi, geometry_type, run, table_columns
from .tables_out import encodable

NAME_BYTES = 10
TEXT_BYTES = 254
_GROUPS = (
    ("polygon", (3, 6), "Polygon"),
    ("line", (1, 5), "LineString"),
    ("point", (0,), "Point"),
    ("multipoint", (4,), "MultiPoint"),
)
SUFFIXES = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def short_names(names: list[str], codec: str) -> dict[str, str]:
    """Column name -> name of at most ten bytes in `codec`, unique whatever the case, in the order given."""
    taken: set[str] = set()
    short: dict[str, str] = {}
    for name in names:
        candidate, number = _cut(name, NAME_BYTES, codec), 1
        while candidate.upper() in taken or not candidate:
            tail = f"_{number}"
            candidate, number = _cut(name, NAME_BYTES - len(tail), codec) + tail, number + 1
        taken.add(candidate.upper())
        short[name] = candidate
    return short


def _cut(text: str, limit: int, codec: str) -> str:
    return text.encode(codec, "replace")[:limit].decode(codec, "ignore")


def write_shapefile(table: ExportTable, path: Path, *, stem: str, encoding: str, zipped: bool) -> list[Path]:
    """Write into the folder of `path`; returns the files made (one zip, or the sibling files of each shapefile).

    `encoding` is "utf-8" or "gbk" and is named in the .cpg file.
    """
    codec = "gbk" if encoding.lower() in ("gbk", "gb18030") else "utf-8"
    columns = _columns(table, codec)
    shapes = table.shapes
    kinds = shapely.get_type_id(shapes)
    kinds[shapely.is_empty(shapes)] = -1
    groups = [group for group in _GROUPS if np.isin(kinds, group[1]).any()] or [_GROUPS[2]]
    parts: list[Part] = []
    for number, (word, members, single) in enumerate(groups):
        # Rows without position go with the first file, so that none is lost.
        chosen = np.isin(kinds, members) | ((kinds == -1) & (number == 0))
        rows = np.flatnonzero(chosen)
        type_name = geometry_type(shapes[rows])
        type_name = single if type_name == "Unknown" else type_name
        name = stem if len(groups) == 1 else f"{stem}_{word}"
        own = {key: ([values[row] for row in rows], dtype) for key, (values, dtype) in columns.items()}
        handed = arrow_rows(own, as_multi(shapes[rows], type_name))
        target = path.parent / f"{name}.shp"
        parts.append(Part(handed, name, "ESRI Shapefile", target, type_name, encoding=codec.upper()))
    odd = np.isin(kinds, (-1, 0, 1, 3, 4, 5, 6), invert=True)
    if odd.any():
        table.note(
            f"有 {odd.sum()} 个混合图形不能写入 Shapefile。",
            f"{odd.sum()} mixed shapes cannot be written to a Shapefile.",
        )
    if len(groups) > 1:
        table.note("点、线、面分写为多个 Shapefile。", "Points, lines and areas are written as separate Shapefiles.")
    run(parts, path.parent, len(table.frame))
    made = [part.target.with_suffix(suffix) for part in parts for suffix in SUFFIXES]
    for part in parts:
        # GDAL writes .cpg only where it chose the code page itself.
        part.target.with_suffix(".cpg").write_text(codec.upper(), "ascii")
    made = [file for file in made if file.exists()]
    if not zipped:
        return made
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in made:
            archive.write(file, file.name)
        provenance = json.dumps(table.provenance, ensure_ascii=False, indent=2, default=str)
        archive.writestr(f"{stem}.provenance.json", provenance)
    return [path]


def _columns(table: ExportTable, codec: str) -> dict[str, tuple[list[Any], str]]:
    """Columns under their short names, texts that fit, moments and flags as what DBF can hold; losses are noted."""
    full = table_columns(table)
    short = short_names(list(full), codec)
    cut = {name: kept for name, kept in short.items() if name != kept}
    if cut:
        table.provenance["shapefile_columns"] = {kept: name for name, kept in short.items()}
        listed = "、".join(f"{name} → {kept}" for name, kept in cut.items())
        table.note(
            f"字段名超过 10 字节，已缩短：{listed}。", f"Column names cut to ten bytes: {listed.replace('、', ', ')}."
        )
    columns = {}
    for name, (values, dtype) in full.items():
        if dtype == "datetime":
            values, dtype = [value and value.isoformat(" ") for value in values], "text"
        if dtype == "text":
            values = _fitting(table, name, values, codec)
        columns[short[name]] = (values, dtype)
    return columns


def _fitting(table: ExportTable, name: str, values: list[Any], codec: str) -> list[Any]:
    lost = sum(value is not None and not encodable(value, codec) for value in values)
    if lost:
        table.note(
            f"字段“{name}”有 {lost} 个值含 {codec.upper()} 没有的字，已写作“?”；请改用 UTF-8。",
            f"{lost} values of '{name}' have characters that {codec.upper()} lacks, written as '?'; use UTF-8 instead.",
        )
        values = [value and value.encode(codec, "replace").decode(codec) for value in values]
    fitted = [value and _cut(value, TEXT_BYTES, codec) for value in values]
    long = sum(kept != value for kept, value in zip(fitted, values, strict=True))
    if long:
        table.note(
            f"字段“{name}”有 {long} 个值超过 254 字节，已截断。",
            f"{long} values of '{name}' are longer than 254 bytes and were cut.",
        )
    return fitted
