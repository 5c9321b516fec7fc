"""Reads vector files through OGR, inside the child: one allowed driver, checked after opening.

The only module that reads with pyogrio. A GeoPackage is looked at with sqlite3 first, because a view or a trigger in
it is a program that the file's author wrote.
"""

import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from geo.words import Text

from ..findings import Finding
from .formats import DRIVERS, refuse
from .reader_dbf import find_encoding
from .reader_gpkg import require_plain_geopackage
from .reader_out import Output

_BATCH = 16_384
_CURVES = frozenset({8, 9, 10, 11, 12, 13, 14})
_SURFACES = frozenset({15, 16, 17})
_INCOMPLETE = re.compile(r"of field (\S+) parsed incompletely")


def read_ogr(request: dict, output: Output) -> dict:
    """Read one layer; see `reader_child`."""
    path, driver = request["path"], request["driver"]
    if set(pyogrio.list_drivers()) - set(DRIVERS):
        raise refuse(
            "drivers", "读取环境不安全，已停止。", "The reading process is not locked down; it stopped.", Text("", "")
        )
    if driver == "GPKG":
        require_plain_geopackage(path)
    layers = pyogrio.list_layers(path)
    names = [str(name) for name, _ in layers]
    layer = _choose(names, request, output)
    encoding, guess = find_encoding(path, driver, request["encoding"], output)
    info = pyogrio.read_info(path, layer=layer, encoding=encoding)
    if info["driver"] != driver:
        raise refuse("format", "文件内容与扩展名不符。", "The content of the file is not what its suffix says.")
    headers = [str(name) for name in info["fields"]]
    output.require_columns(len(headers))
    total = int(info["features"])
    size = Path(path).stat().st_size
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        codec = guess.encoding if guess else "utf-8"
        for columns, geometry in _batches(path, layer, encoding, output.sample, codec):
            output.write(columns, geometry)
            if output.full:
                break
            output.progress(int(size * min(1.0, output.rows / max(1, total))))
        _report(notes, output)
    return output.answer(
        headers,
        geometry=info["geometry_type"] is not None,
        geometry_type=info["geometry_type"],
        crs=info["crs"],
        encoding=guess.encoding if guess else None,
        candidates=list(guess.candidates) if guess else [],
        layers=[{"name": str(name), "geometry": kind} for name, kind in layers],
        layer=layer,
        total=total if total >= 0 else None,
    )


def _choose(names: list[str], request: dict, output: Output) -> str:
    wanted = request["layer"]
    if not names:
        raise refuse("empty", "文件中没有图层。", "The file holds no layer.")
    if wanted and wanted in names:
        return wanted
    if wanted and len(names) == 1 and request["layer_is_file"]:
        return names[0]
    listed = "、".join(names[:20])
    if wanted:
        raise refuse(
            "layer",
            "文件中没有所选图层。",
            "The file has no layer of that name.",
            Text(f"可选图层：{listed}", f"Layers: {', '.join(names[:20])}"),
        )
    if len(names) > 1 and output.sample is None:
        raise refuse(
            "layer",
            f"文件中有 {len(names)} 个图层，请选择一个。",
            f"The file has {len(names)} layers: choose one.",
            Text(
                f"可选图层：{listed}（--source-layer 名称）", f"Layers: {', '.join(names[:20])} (--source-layer NAME)"
            ),
        )
    return names[0]


def _batches(
    path: str, layer: str, encoding: str | None, sample: int | None, codec: str
) -> Iterator[tuple[list, pa.Array | None]]:
    with pyogrio.raw.open_arrow(
        path, layer=layer, encoding=encoding, batch_size=min(_BATCH, sample or _BATCH), use_pyarrow=True
    ) as (meta, reader):
        for batch in reader:
            name = meta["geometry_name"] or "wkb_geometry"
            at = batch.schema.get_field_index(name) if name in batch.schema.names else -1
            geometry = batch.column(at) if at >= 0 and pa.types.is_binary(batch.schema.field(at).type) else None
            columns = [plain(batch.column(i), codec) for i in range(batch.num_columns) if i != at or geometry is None]
            if geometry is not None:
                kinds = _wkb_kinds(geometry)
                if kinds & _SURFACES:
                    raise refuse(
                        "geometry_type", "图层含三角网等特殊面，不支持。", "The layer holds TIN or polyhedral surfaces."
                    )
                if kinds & _CURVES:
                    yield from _linear(path, layer, encoding, sample)
                    return
            yield columns, geometry


def _linear(path: str, layer: str, encoding: str | None, sample: int | None) -> Iterator[tuple[list, pa.Array]]:
    """The layer with its arcs turned into short straight pieces, which only the slower way of reading does."""
    _, _, geometry, fields = pyogrio.raw.read(path, layer=layer, encoding=encoding, max_features=sample)
    shapes = shapely.from_wkb(geometry, on_invalid="ignore")
    columns = [pa.array(list(values), from_pandas=True) for values in fields]
    yield [plain(column) for column in columns], pa.array(shapely.to_wkb(shapes).tolist(), pa.binary())


def _wkb_kinds(geometry: pa.Array) -> set[int]:
    """Geometry types (WKB numbers without dimension) that occur."""
    heads = {value[:5] for value in _heads(geometry)}
    return {
        struct.unpack("<I" if head[0] == 1 else ">I", head[1:5])[0] % 1000 & 0x0FFFFFFF
        for head in heads
        if len(head) == 5
    }


def _heads(geometry: pa.Array) -> set[bytes]:
    import pyarrow.compute as pc

    return {head for head in pc.unique(pc.binary_slice(geometry, 0, 5)).to_pylist() if head}


def plain(column: pa.Array, codec: str = "utf-8") -> pa.Array:
    """The column in a type the parent knows: text, numbers, booleans, dates, moments; anything else as text.

    OGR hands over raw bytes where it does not know an encoding, and where a character was cut: those are decoded here.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_string(kind):
        return _decoded(column, codec)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return column
    if pa.types.is_date(kind):
        return column.cast(pa.date32())
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", tz=kind.tz))
    if pa.types.is_large_string(kind):
        return column.cast(pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.nulls(len(column), pa.string())
    return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())


def _decoded(column: pa.Array, codec: str) -> pa.Array:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        cells = column.view(pa.binary()).to_pylist()
        return pa.array([None if cell is None else _text(cell, codec) for cell in cells], pa.string())
    return column


def _text(cell: bytes, codec: str) -> str:
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell.decode(codec, errors="replace")


def _report(notes: list[warnings.WarningMessage], output: Output) -> None:
    fields = {match.group(1).split(".")[-1] for note in notes if (match := _INCOMPLETE.search(str(note.message)))}
    for field in sorted(fields):
        output.find(
            Finding(
                Text(f"字段 {field} 中有数字未能完整读取。", f"Numbers of field {field} could not be read in full."),
                Text("检查千分位逗号等写法。", "Check for thousands separators and the like."),
                severity="warning",
                column=field,
                kind="number",
            )
        )
    if any("Measured" in str(note.message) for note in notes):
        output.find(
            Finding(
                Text("坐标中的 M 值未保留。", "Measures (M) of coordinates are not kept."),
                severity="info",
                kind="measure",
            )
        )


def valid_wkb(values: list[bytes | None]) -> pa.Array:
    """WKB as the geometry library writes it; what is no WKB becomes null."""
    shapes = shapely.from_wkb(np.array(values, dtype=object), on_invalid="ignore")
    return pa.array(shapely.to_wkb(shapes).tolist(), pa.binary())
