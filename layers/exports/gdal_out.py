"""GeoPackage, Shapefile and KML: handed to a child process as Arrow files, because GDAL must not write in this one."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import shapely

from geo.errors import StoreError
from geo.words import Text

from ..selection.export_table import ExportTable, only, python_values, without_control

_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("ms"),
}
_SECONDS_PER_100K_ROWS = 120
_TYPE_NAMES = {0: "Point", 1: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}


@dataclass(slots=True)
class Part:
    """One layer to write; `geometry_type` is GDAL's name, None for a plain table."""

    rows: pa.Table
    layer: str
    driver: str
    target: Path
    geometry_type: str | None = None
    crs: str = "EPSG:4490"
    encoding: str = "UTF-8"
    metadata: dict[str, str] | None = None
    options: dict[str, Any] = field(default_factory=dict)


def arrow_rows(columns: dict[str, tuple[list[Any], str]], shapes: np.ndarray | None = None) -> pa.Table:
    """An Arrow table of `columns` (name -> values and dtype), with the shapes as WKB when given."""
    arrays = [pa.array(values, type=_ARROW[dtype]) for values, dtype in columns.values()]
    fields = [pa.field(name, array.type) for name, array in zip(columns, arrays, strict=True)]
    if shapes is not None:
        there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
        wkb = shapely.to_wkb(only(shapes, there))
        fields.append(pa.field("geometry", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}))
        arrays.append(pa.array(wkb, type=pa.binary()))
    return pa.table(arrays, schema=pa.schema(fields))


def table_columns(table: ExportTable) -> dict[str, tuple[list[Any], str]]:
    """Columns of a table as plain values, by name."""
    return {entry.name: (python_values(table.frame[entry.name], entry.dtype), entry.dtype) for entry in table.fields}


def geometry_type(shapes: np.ndarray) -> str:
    """GDAL's name for a layer of `shapes`: the common type, its multi form when both occur, else Unknown."""
    kinds = set(shapely.get_type_id(shapes[~shapely.is_missing(shapes)]).tolist())
    for single, multi in ((0, 4), (1, 5), (3, 6)):
        if kinds and kinds <= {single, multi}:
            return _TYPE_NAMES[multi if multi in kinds else single]
    return "Unknown"


def as_multi(shapes: np.ndarray, type_name: str) -> np.ndarray:
    """`shapes` with single parts wrapped where the layer is of a multi type."""
    if not type_name.startswith("Multi"):
        return shapes
    wrap = {0: shapely.multipoints, 1: shapely.multilinestrings, 3: shapely.multipolygons}
    kinds = shapely.get_type_id(shapes)
    wrapped = shapes.copy()
    for row in np.flatnonzero(np.isin(kinds, (0, 1, 3))):
        wrapped[row] = wrap[int(kinds[row])]([shapes[row]])
    return wrapped


def write_gpkg(table: ExportTable, path: Path) -> None:
    """A GeoPackage with the one layer; the provenance is its metadata (table `gpkg_metadata`).

    One layer and no more, so that the file can be imported again without a question.
    """
    provenance = json.dumps(table.provenance, ensure_ascii=False, default=str)
    shapes, type_name = None, None
    if table.spatial:
        type_name = geometry_type(table.shapes)
        shapes = as_multi(table.shapes, type_name)
    # "fid" is the name GeoPackage gives its own row numbers; a column of that name would be taken for them.
    options: dict[str, Any] = {"FID": "ogc_fid"} if any(entry.name.lower() == "fid" for entry in table.fields) else {}
    metadata = {"PROVENANCE": provenance, "IDENTIFIER": table.label.zh}
    rows = arrow_rows(table_columns(table), shapes)
    part = Part(rows, table.name, "GPKG", path, type_name, metadata=metadata, options=options)
    run([part], path.parent, len(table.frame))


def write_kml(table: ExportTable, path: Path) -> None:
    """A KML of placemarks with typed attributes; characters that XML cannot carry are left out and noted."""
    columns = {}
    for name, (values, dtype) in table_columns(table).items():
        if dtype == "text":
            values, changed = without_control(values)
            if changed:
                table.note(
                    f"字段“{name}”有 {changed} 个值去掉了控制字符。",
                    f"{changed} values of '{name}' lost control characters.",
                )
        columns[name] = (values, dtype)
    description = json.dumps(table.provenance, ensure_ascii=False, default=str)
    options = {"DESCRIPTION": without_control([description])[0][0], "NAME": table.label.zh}
    rows = _small_numbers(arrow_rows(columns, table.shapes))
    part = Part(rows, table.name, "LIBKML", path, "Unknown", crs="EPSG:4326", options=options)
    run([part], path.parent, len(table.frame))


def _small_numbers(rows: pa.Table) -> pa.Table:
    """Whole numbers as 32 bits where they fit: the KML driver writes wider ones as text."""
    for number, column in enumerate(rows.schema):
        if column.type == pa.int64():
            limits = pc.min_max(rows.column(number)).as_py()
            if limits["max"] is None or max(abs(limits["min"]), limits["max"]) < 2**31:
                rows = rows.set_column(number, column.name, rows.column(number).cast(pa.int32()))
    return rows


def run(parts: list[Part], folder: Path, rows: int, config: dict[str, str] | None = None) -> None:
    """Write `parts` in a child process that works in `folder`; `StoreError` when it fails or takes too long."""
    listed = []
    for number, part in enumerate(parts):
        handed = folder / f"rows{number}.arrow"
        feather.write_feather(part.rows, handed, compression="uncompressed")
        listed.append(
            {
                "rows": str(handed),
                "layer": part.layer,
                "driver": part.driver,
                "target": str(part.target),
                "geometry_type": part.geometry_type,
                "crs": part.crs,
                "encoding": part.encoding,
                "metadata": part.metadata,
                "options": part.options,
            }
        )
    job = folder / "job.json"
    job.write_text(json.dumps({"parts": listed, "config": config or {}}, ensure_ascii=False), "utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    seconds = _SECONDS_PER_100K_ROWS * (1 + rows // 100_000)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "layers.exports.export_child", str(job)],
            cwd=folder,
            env={**kept, "HOME": str(folder), "TMPDIR": str(folder), "CPL_VSIL_CURL_ALLOWED_FILENAME": "none"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failed(Text(f"{seconds} 秒内未写完。", f"It was not done within {seconds} seconds.")) from None
    finally:
        job.unlink()
        for entry in listed:
            Path(str(entry["rows"])).unlink()
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit {done.returncode}"]
        # The last line of a trace is the error itself; paths of the machine do not belong in a message.
        reason = lines[-1].replace(str(folder), "…")[:300]
        raise _failed(Text(reason, reason))


def _failed(reason: Text) -> StoreError:
    return StoreError(
        Text(f"导出文件没有写成：{reason.zh}", f"The export file could not be written: {reason.en}"),
        where="export",
        mend=Text("请检查磁盘空间，或换一种格式。", "Check the disk space, or choose another format."),
    )
