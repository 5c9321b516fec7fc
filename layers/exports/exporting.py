"""Exports: a layer, coverage or hotspots as a file that carries where it came from.

Rows come through `layers.selection.frames` or the derived results only, so rights and area scope hold here as everywhere; the
file is always a new one with the one table asked for, never a copy of the store. It is written in a folder of its own
beside the target and moved into place when it is whole: a failing export leaves nothing, an older file stays as it was.
The provenance is inside the file where the format has a place for it, and always beside it as FILE.provenance.json.
"""

import json
import os
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import Text

from ..rights import Viewer
from ..selection.export_table import ExportTable
from ..storage.history import Moment, day
from ..storage.whole_files import draft_folder, require_target
from . import export_source, features_out, gdal_out, shapefile_out, tables_out

if TYPE_CHECKING:
    from ..storage.store import Store

FORMATS = {
    "geojson": (".geojson", ".json"),
    "gpkg": (".gpkg",),
    "shp": (".zip", ".shp"),
    "kml": (".kml",),
    "csv": (".csv",),
    "xlsx": (".xlsx",),
    "parquet": (".parquet", ".geoparquet"),
}
"""Name of a format -> suffixes, the usual one first."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]')
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))})


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote: the file, its rows, what the format could not carry, and every file made."""

    path: Path
    rows: int
    notes: list[Text] = field(default_factory=list)
    files: tuple[Path, ...] = ()


def export(
    store: "Store",
    viewer: Viewer,
    what: str,
    path: str | Path,
    *,
    format: str | None = None,
    as_of: date | str | None = None,
    where: str | None = None,
    encoding: str = "utf-8",
    headers: str = "names",
    wkt: bool = False,
    known_on: Moment = None,
    **figure_options: Any,
) -> ExportReport:
    """Write a layer or result to a file.

    Parameters
    ----------
    what
        A kind, `reference:NAME`, `coverage`, `hotspots`, or `draft:ID`: the whole layer as a draft would have it.
    path
        The file to write; an existing one is replaced when the new one is whole. A CSV whose path ends in .zip is
        packed together with its provenance.
    format
        One of `FORMATS`; by default from the suffix of `path`.
    encoding
        For CSV and Shapefile: "utf-8" or "gbk".
    headers
        For CSV and XLSX: "names" of fields, or labels in "zh" or "en".
    wkt
        For CSV and XLSX: shapes of areas and lines as a column of WKT.
    known_on
        A moment: layer or result as it was known then (see `known`).
    figure_options
        Options of `coverage` or `hotspots` (rule_id, unit, cell_m, date_from, ...).

    Raises
    ------
    InputError
        For an unknown format or option, a folder that cannot be written to, or the store itself as target.
    RightsError, NotFoundError
        When the viewer may not see `what`, or there is no such layer.
    """
    viewer.require("export")
    target = Path(path)
    kind = format_name(target, format)
    require_target(store, target)
    table = export_source.read(store, viewer, what, as_of=as_of, where=where, known_on=known_on, **figure_options)
    table.provenance["export"] = {
        "what": what,
        "format": kind,
        "where": where,
        "role": viewer.role,
        "areas": list(viewer.areas),
        "rows": len(table.frame),
        "crs": ("EPSG:4326" if kind in ("geojson", "kml") else "EPSG:4490") if table.spatial else None,
    }
    record = partial(_record, store, viewer, what, kind, table)
    files = _write_whole(table, target, kind, record, encoding=encoding, headers=headers, wkt=wkt)
    return ExportReport(target, len(table.frame), list(table.notes), files)


def format_name(path: Path, format: str | None = None) -> str:
    """The name of the format that is meant, by name or by suffix; `InputError` names those there are."""
    wanted = (format or "").lower()
    if wanted in FORMATS:
        return wanted
    suffix = path.suffix.lower()
    for name, suffixes in FORMATS.items():
        if not wanted and suffix in suffixes:
            return name
    shown = (format or suffix or path.name)[:40]
    raise InputError(
        Text(f"不支持的导出格式“{shown}”。", f"'{shown}' is not a format that can be exported."),
        where="format",
        mend=Text(f"可用：{'、'.join(FORMATS)}。", f"Use one of {', '.join(FORMATS)}."),
    )


def export_name(label: str, place: str, on: date | str | None, suffix: str) -> str:
    """A file name of layer, place and date that every system takes, Windows included: 望川县_村（社区）_2026-11-21.csv."""
    parts = [" ".join(_UNSAFE.sub(" ", str(part)).split()) for part in (place, label, day(on))]
    stem = "_".join(part for part in parts if part).replace(" ", "-").strip(". -")[:80].rstrip(". ")
    if not stem or stem.split(".")[0].upper() in _DEVICES:
        stem = f"wangge_{stem}"
    return stem + (suffix if suffix.startswith((".", "_")) or not suffix else f".{suffix}")


def _write_whole(
    table: ExportTable, target: Path, kind: str, record: Callable[[], None], *, encoding: str, headers: str, wkt: bool
) -> tuple[Path, ...]:
    """Write drafts, then move everything into place; returns the files made."""
    with draft_folder(target) as folder:
        draft = folder / f"draft{target.suffix}"
        writers: dict[str, Callable[[], Any]] = {
            "geojson": lambda: features_out.write_geojson(table, draft),
            "parquet": lambda: features_out.write_parquet(table, draft),
            "gpkg": lambda: gdal_out.write_gpkg(table, draft),
            "kml": lambda: gdal_out.write_kml(table, draft),
            "csv": lambda: tables_out.write_csv(table, draft, encoding=encoding, headers=headers, wkt=wkt),
            "xlsx": lambda: tables_out.write_xlsx(table, draft, headers=headers, wkt=wkt),
        }
        if kind == "shp":
            zipped = target.suffix.lower() != ".shp"
            stem = table.name if zipped else target.stem
            made = shapefile_out.write_shapefile(table, draft, stem=stem, encoding=encoding, zipped=zipped)
            moves = [(file, target if zipped else target.parent / file.name) for file in made]
        else:
            writers[kind]()
            moves = [(draft, target)]
        beside = folder / "provenance.json"
        table.provenance["notes"] = [*table.provenance.get("notes", []), *(note.as_dict() for note in table.notes)]
        beside.write_text(json.dumps(table.provenance, ensure_ascii=False, indent=2, default=str) + "\n", "utf-8")
        if kind == "csv" and target.suffix.lower() == ".zip":
            _pack(draft, {f"{table.name}.csv": draft, f"{table.name}.csv.provenance.json": beside})
        moves.append((beside, target.with_name(target.name + ".provenance.json")))
        # First the audit row, then the file: what cannot be recorded does not leave the store.
        record()
        for made_file, final in moves:
            os.replace(made_file, final)
        return tuple(final for _, final in moves)


def _pack(target: Path, members: dict[str, Path]) -> None:
    """A zip of `members` (name in the archive -> file) at `target`, which may be one of them."""
    packed = target.with_name("packed.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in members.items():
            archive.write(file, name)
    os.replace(packed, target)


def _record(store: "Store", viewer: Viewer, what: str, kind: str, table: ExportTable) -> None:
    """Who took what out, in the audit trail; a store opened read-only keeps none."""
    if store.readonly:
        return
    details = {"what": what, "format": kind, "rows": len(table.frame), "where": table.provenance["export"]["where"]}
    with store.change(viewer.name, "export", details={**details, "role": viewer.role}):
        pass
