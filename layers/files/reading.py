"""The parent's side of reading: puts a file into a work folder, lets the child read it, and hands out its rows.

Nothing here parses what came from outside but the directory of an archive and the first bytes of a file; the rest
happens in the child (`layers.files.sandbox`). Rows come back as Arrow batches from a file that is mapped, not loaded, so
the memory of the parent does not grow with the source.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from geo.errors import InputError
from geo.words import Text

from ..findings import Finding
from ..limits import WEB, Limits
from . import encodings, mapping, privacy
from .archives import check_directory
from .formats import XLSX, Format, format_of
from .reader_out import GEOMETRY
from .sandbox import run_reader
from .staging import size_of, stage

_SAMPLE_ROWS = 500


@dataclass(frozen=True, slots=True)
class Source:
    """One layer that the child has read.

    `columns` are the headers in order; `crs` is what the file says (anything pyproj reads) or None; `batches` gives
    Arrow record batches with the columns `row`, `c0`.. and, when `geometry`, WKB in `geometry`.
    """

    format: Format
    columns: list[str]
    rows: int
    total: int | None
    geometry: bool
    geometry_type: str | None
    crs: str | None
    encoding: str | None
    candidates: list[tuple[str, float]]
    layers: list[dict[str, Any]]
    layer: str | None
    findings: list[Finding]
    folder: Path

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, batch by batch, as often as asked for."""
        path = self.folder / "rows.arrow"
        if not path.exists():
            return
        with pa.memory_map(str(path)) as mapped, pa.ipc.open_stream(mapped) as stream:
            yield from stream


@contextmanager
def opened(
    path: str | Path,
    *,
    encoding: str = "auto",
    source_layer: str | None = None,
    sheet: str | None = None,
    limits: Limits = WEB,
    sample: int | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[Source]:
    """Read one layer of a file in the sandbox; the work folder is removed at the end.

    `sample` reads only the first rows. Raises InputError when there is no such file or encoding, and
    `formats.Refused` with a finding when the file cannot be imported.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(Text("找不到文件。", "There is no such file."), where=path.name)
    codec = _codec(encoding)
    with tempfile.TemporaryDirectory(prefix="wangge-import-") as name:
        folder = Path(name)
        main, layer, layers = stage(path, folder, source_layer, limits, sample is not None)
        format_ = format_of(main)
        size = size_of(main, format_)
        if format_ is XLSX:
            check_directory(main, limits)
        request = {
            "path": str(main),
            "reader": format_.reader,
            "driver": format_.driver,
            "layer": None if layers else layer,
            "layer_is_file": False,
            "sheet": sheet or (layer if format_ is XLSX else None),
            "encoding": codec,
            "sample": sample,
            "size": size,
            "max_rows": limits.rows,
            "max_columns": limits.columns,
            "max_cell": limits.cell_chars,
            "max_vertices": limits.vertices,
            "max_bytes": limits.unpacked,
            "empty_rows": limits.empty_rows,
        }
        answer = run_reader(request, folder, limits, size=size, progress=progress, cancelled=cancelled)
        yield Source(
            format=format_,
            columns=_distinct(answer["columns"]),
            rows=answer["rows"],
            total=answer["total"],
            geometry=answer["geometry"],
            geometry_type=answer["geometry_type"],
            crs=answer["crs"],
            encoding=answer["encoding"],
            candidates=[(name, mark) for name, mark in answer["candidates"]],
            layers=[{"name": name, "geometry": None} for name in layers] or answer["layers"],
            layer=layer if layers else answer["layer"],
            findings=[Finding.from_dict(finding) for finding in answer["findings"]],
            folder=folder,
        )


def _codec(encoding: str) -> str:
    if encoding == "auto":
        return encoding
    try:
        return encodings.normalise(encoding)
    except LookupError:
        raise InputError(
            Text(f"不认识的编码“{encoding[:40]}”。", f"'{encoding[:40]}' is not a known encoding."),
            where="--encoding",
            mend=Text("例如 UTF-8、GBK、Big5，或 auto。", "For example UTF-8, GBK, Big5, or auto."),
        ) from None


def _distinct(headers: list[str]) -> list[str]:
    """Headers that can be told apart: empty ones are numbered, repeated ones get a number behind."""
    found: list[str] = []
    for number, header in enumerate(headers, start=1):
        name = base = mapping.clean_header(header) or f"_{number}"
        again = 2
        while name in found:
            name, again = f"{base}_{again}", again + 1
        found.append(name)
    return found


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file looks like before it is imported; personal columns come without values."""

    format: str
    layers: list[dict[str, Any]]
    layer: str | None
    columns: list[str]
    sample: list[dict[str, Any]]
    rows: int | None
    encoding: str | None
    candidates: list[tuple[str, float]]
    crs: str | None
    geometry_type: str | None
    mapping: dict[str, str]
    personal: list[str]
    findings: list[Finding] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "format": self.format,
            "layers": self.layers,
            "layer": self.layer,
            "columns": self.columns,
            "sample": self.sample,
            "rows": self.rows,
            "encoding": self.encoding,
            "candidates": [{"encoding": name, "mark": round(mark, 3)} for name, mark in self.candidates],
            "crs": self.crs,
            "geometry_type": self.geometry_type,
            "mapping": self.mapping,
            "personal": self.personal,
            "findings": [finding.as_dict() for finding in self.findings],
            "points": [list(point) for point in self.points],
        }


def preview(
    path: str | Path,
    *,
    encoding: str = "auto",
    source_layer: str | None = None,
    sheet: str | None = None,
    kind: str | None = None,
    remembered: dict[str, str] | None = None,
    limits: Limits = WEB,
) -> Preview:
    """Look at the first rows of a file: layers, headers, sample, encoding, CRS and the mapping that suggests itself.

    `kind` proposes a mapping for that layer; `remembered` is an earlier choice for these headers (`mapping.recall`).
    Raises `formats.Refused` when the file cannot be read.
    """
    with opened(
        path, encoding=encoding, source_layer=source_layer, sheet=sheet, limits=limits, sample=_SAMPLE_ROWS
    ) as source:
        batches = list(source.batches())
        table = pa.Table.from_batches(batches) if batches else None
        layer_kind = mapping.kind_of(kind) if kind else None
        proposed = mapping.propose(source.columns, layer_kind)
        if remembered:
            proposed = mapping.apply(source.columns, proposed, remembered, layer_kind)
        personal = privacy.personal_columns(source.columns, table, keys=_keys(proposed, layer_kind))
        hidden = {source.columns[column] for column in personal}
        return Preview(
            format=source.format.name,
            layers=source.layers,
            layer=source.layer,
            columns=source.columns,
            sample=_sample(source.columns, table, hidden),
            rows=source.total if source.total is not None else _all_rows(source),
            encoding=source.encoding and encodings.NAMES.get(source.encoding, source.encoding),
            candidates=[(encodings.NAMES.get(name, name), mark) for name, mark in source.candidates],
            crs=source.crs,
            geometry_type=source.geometry_type,
            mapping={
                source.columns[column]: name for column, name in proposed.fields.items() if column not in personal
            },
            personal=sorted(hidden),
            findings=[*source.findings, *privacy.findings(source.columns, personal)],
            points=_points(table, source.columns, proposed),
        )


def _keys(proposed: mapping.Mapping, kind: Any) -> frozenset[int]:
    codes = {kind.key, kind.parent} - {""} if kind else set()
    return frozenset(column for column, name in proposed.fields.items() if name in codes)


def _all_rows(source: Source) -> int | None:
    """The number of rows, known only when the sample is the whole."""
    return source.rows if source.rows < _SAMPLE_ROWS else None


def _sample(columns: list[str], table: pa.Table | None, hidden: set[str]) -> list[dict[str, Any]]:
    if table is None:
        return []
    rows = table.slice(0, 20).to_pylist()
    return [
        {header: None if header in hidden else _shown(row[f"c{column}"]) for column, header in enumerate(columns)}
        for row in rows
    ]


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if abs(value) < 1e300 else None
    return mapping.clean_header(str(value)) if len(str(value)) < 64 else str(value)[:200]


def _points(table: pa.Table | None, columns: list[str], proposed: mapping.Mapping) -> list[tuple[float, float]]:
    """Places of the sample as the file has them, for the map of the preview; nothing when they are not degrees."""
    if table is None:
        return []
    if GEOMETRY in table.column_names:
        import shapely

        shapes = shapely.from_wkb(table.column(GEOMETRY).to_numpy(zero_copy_only=False), on_invalid="ignore")
        shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        places = shapely.centroid(shapes)
        pairs = list(zip(shapely.get_x(places).tolist(), shapely.get_y(places).tolist(), strict=True))
    else:
        lon, lat = proposed.column_of("lon"), proposed.column_of("lat")
        if lon is None or lat is None:
            return []
        pairs = [
            (float(x), float(y))
            for x, y in zip(table.column(f"c{lon}").to_pylist(), table.column(f"c{lat}").to_pylist(), strict=True)
            if _number(x) and _number(y)
        ]
    return [pair for pair in pairs if abs(pair[0]) <= 180 and abs(pair[1]) <= 90]


def _number(value: Any) -> bool:
    try:
        return value is not None and abs(float(value)) < 1e9
    except (TypeError, ValueError):
        return False
