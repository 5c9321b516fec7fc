"""Reads vector files through OGR, inside the child: one allowed driver, checked after opening.

The only module that reads with pyogrio. A GeoPackage is looked at with sqlite3 first, because a view or a trigger in
it is a program that the file's author wrote.
"""

import re
import sqlite3
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from geo.words import Text

from . import encodings
from .findings import Finding
from .formats import DRIVERS, refuse
from .reader_out import Output

_BATCH = 16_384
_CURVES = frozenset({8, 9, 10, 11, 12, 13, 14})
_SURFACES = frozenset({15, 16, 17})
_DBF_SAMPLE = 200_000
_LDID = {
    0x4D: "gb18030",
    0x4F: "big5",
    0x4E: "euc-kr",
    0x13: "shift_jis",
    0x7B: "shift_jis",
    0x7A: "gb18030",
    0x78: "big5",
}
_CODEC_TO_ICONV = {"gb18030": "GB18030", "big5": "CP950", "shift_jis": "CP932", "euc-kr": "CP949", "cp1252": "CP1252"}
_INCOMPLETE = re.compile(r"of field (\S+) parsed incompletely")
_HARMLESS_TABLE = re.compile(r"^\s*CREATE\s+VIRTUAL\s+TABLE\s+\S+\s+USING\s+rtree\b", re.IGNORECASE)
_STANDARD_TRIGGER = re.compile(
    r"""^\s*CREATE\s+TRIGGER\s+["'`\[]?(rtree_|gpkg_|trigger_(insert|delete)_feature_count_)""", re.IGNORECASE
)
_SQL_STEPS = 5_000


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
    encoding, guess = _encoding(path, driver, request["encoding"], output)
    info = pyogrio.read_info(path, layer=layer, encoding=encoding)
    if info["driver"] != driver:
        raise refuse("format", "文件内容与扩展名不符。", "The content of the file is not what its suffix says.")
    headers = [str(name) for name in info["fields"]]
    output.require_columns(len(headers))
    total = int(info["features"])
    size = Path(path).stat().st_size
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        for columns, geometry in _batches(path, layer, encoding, output.sample):
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


def _batches(path: str, layer: str, encoding: str | None, sample: int | None) -> Iterator[tuple[list, pa.Array | None]]:
    with pyogrio.raw.open_arrow(
        path, layer=layer, encoding=encoding, batch_size=min(_BATCH, sample or _BATCH), use_pyarrow=True
    ) as (meta, reader):
        for batch in reader:
            name = meta["geometry_name"] or "wkb_geometry"
            at = batch.schema.get_field_index(name) if name in batch.schema.names else -1
            geometry = batch.column(at) if at >= 0 and pa.types.is_binary(batch.schema.field(at).type) else None
            columns = [plain(batch.column(i)) for i in range(batch.num_columns) if i != at or geometry is None]
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


def plain(column: pa.Array) -> pa.Array:
    """The column in a type the parent knows: text, numbers, booleans, dates, moments; anything else as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
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


def _encoding(path: str, driver: str, asked: str, output: Output) -> tuple[str | None, encodings.Guess | None]:
    """The encoding to hand to OGR: only a shapefile's table has one that may be unknown."""
    if driver != "ESRI Shapefile":
        return None, None
    main = Path(path)
    table = main if main.suffix.lower() == ".dbf" else main.with_suffix(".dbf")
    if not table.exists():
        return None, None
    header, sample = dbf_text(table)
    guess = encodings.guess(sample, whole=True)
    if asked != "auto":
        return _CODEC_TO_ICONV.get(asked, asked), encodings.Guess(asked, guess.candidates, True)
    label = main.with_suffix(".cpg")
    stated = _stated(label.read_text("ascii", "ignore") if label.exists() else "", header)
    if stated and not (stated == "utf-8" and guess.encoding != "utf-8"):
        return _CODEC_TO_ICONV.get(stated, stated), encodings.Guess(stated, ((stated, 1.0),), True)
    if stated:
        output.find(
            Finding(
                Text(
                    f".cpg 写明 UTF-8，但文字不是 UTF-8；已按 {guess.label} 读取。",
                    f"The .cpg says UTF-8 but the text is not; it was read as {guess.label}.",
                ),
                Text("请核对预览，必要时另选编码。", "Check the preview and choose another encoding if need be."),
                severity="warning",
                kind="encoding",
            )
        )
    if guess.encoding == "utf-8" and not guess.certain:
        return None, guess
    return _CODEC_TO_ICONV.get(guess.encoding, guess.encoding), guess


def _stated(label: str, header: bytes) -> str | None:
    """The encoding that the .cpg or the language byte names; a language byte of Western Windows says nothing here."""
    if label.strip():
        try:
            return encodings.normalise(label.strip())
        except LookupError:
            return None
    return _LDID.get(header[29]) if len(header) > 29 else None


def dbf_text(path: Path) -> tuple[bytes, bytes]:
    """Header of a .dbf, and the bytes of its field names and text fields (a sample) joined by line feeds."""
    with path.open("rb") as file:
        header = file.read(32)
        if len(header) < 32:
            return header, b""
        header_size, record_size = struct.unpack("<HH", header[8:12])
        fields, at, spans = file.read(max(0, header_size - 32)), 1, []
        pieces = []
        for start in range(0, len(fields) - 31, 32):
            field = fields[start : start + 32]
            if field[0] == 0x0D:
                break
            pieces.append(field[:11].split(b"\0")[0])
            if field[11:12] == b"C":
                spans.append((at, at + field[16]))
            at += field[16]
        file.seek(header_size)
        data = file.read(_DBF_SAMPLE)
    for start in range(0, len(data) if record_size else 0, max(1, record_size)):
        record = data[start : start + record_size]
        pieces.extend(record[left:right].strip(b" \0") for left, right in spans)
    return header, b"\n".join(piece for piece in pieces if piece)


def require_plain_geopackage(path: str) -> None:
    """Refuse a GeoPackage that carries programs: views, virtual tables other than R*Trees, own triggers."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            connection.execute("pragma trusted_schema=off")
            connection.execute("pragma query_only=on")
            steps = iter(range(_SQL_STEPS))
            connection.set_progress_handler(lambda: 0 if next(steps, None) is not None else 1, 1_000)
            entries = connection.execute("select type, name, coalesce(sql, '') from sqlite_master").fetchall()
    except sqlite3.Error as error:
        raise refuse(
            "unreadable", "GeoPackage 已损坏，无法读取。", "The GeoPackage is damaged and cannot be read."
        ) from error
    finally:
        if "connection" in locals():
            connection.close()
    for kind, _, sql in entries:
        virtual = re.match(r"^\s*CREATE\s+VIRTUAL", sql, re.IGNORECASE)
        foreign_trigger = kind == "trigger" and not _STANDARD_TRIGGER.match(sql)
        if kind == "view" or foreign_trigger or (virtual and not _HARMLESS_TABLE.match(sql)):
            raise refuse(
                "program",
                "GeoPackage 含有视图、触发器或虚拟表等程序，已拒绝。",
                "The GeoPackage carries views, triggers or virtual tables, which are programs, and is refused.",
                Text(
                    "请在桌面软件中把图层另存为新的 GeoPackage。",
                    "Save the layer as a new GeoPackage in a desktop GIS.",
                ),
            )


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
