"""A draft or a decision as one package for the file: document, maps, tables, moved land, the new layer with lineage.

Everything in it comes from the same boundaries under the viewer's rights; camera and incident counts are in it only for
roles that see them. The package is a zip whose names are plain ASCII, so that every system unpacks it.
"""

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.errors import InputError
from geo.words import LANGUAGES, Text

from ..deciding import draft_layer
from ..deciding.draft_sides import Sides, sides
from ..exports import exporting, features_out, tables_out
from ..kinds import Field
from ..redrawing import drafts
from ..redrawing.redraw_ground import to_lonlat
from ..selection.export_table import ExportTable, make_frame
from ..storage.whole_files import draft_folder, require_target
from . import draft_tables
from .draft_document import document
from .draft_maps import maps

if TYPE_CHECKING:
    from ..redrawing.draft import Draft
    from ..rights import Viewer
    from ..storage.store import Store

FORMATS = tuple(exporting.FORMATS)
_SUFFIX = {name: suffixes[0] for name, suffixes in exporting.FORMATS.items()}


def write_package(
    store: "Store",
    viewer: "Viewer",
    draft_id: int,
    path: str | Path,
    *,
    language: str = "zh",
    format: str = "gpkg",
) -> Path:
    """Write the package of a draft to `path` (a .zip) and give the path.

    Parameters
    ----------
    format
        Of the new layer: one of `FORMATS`.

    Raises
    ------
    InputError
        Unknown format or language, or a folder that cannot be written to.
    NotFoundError, RightsError, ConflictError
        No such draft within the viewer's areas; the boundaries below it changed, so that it has to be rebased first.
    """
    viewer.require("export")
    if format not in FORMATS or language not in LANGUAGES:
        raise InputError(
            Text("没有这种格式或语言。", "There is no such format or language."),
            where="format",
            mend=Text(f"可用：{'、'.join(FORMATS)}；zh、en。", f"Use one of {', '.join(FORMATS)}; zh, en."),
        )
    target = Path(path)
    require_target(store, target)
    draft = drafts.read(store, viewer, draft_id)
    laid = sides(store, viewer, draft)
    with draft_folder(target) as folder:
        made = _files(store, viewer, draft, laid, folder, language, format)
        packed = folder / "package.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in made:
                archive.write(file, file.name)
        os.replace(packed, target)
    return target


def _files(
    store: "Store", viewer: "Viewer", draft: "Draft", laid: Sides, folder: Path, language: str, format: str
) -> list[Path]:
    layer = f"draft:{draft.id}"
    grid = folder / f"{draft.level}{_SUFFIX[format]}"
    exported = exporting.export(store, viewer, layer, grid, format=format)
    facts = draft_layer.read(store, viewer, layer).provenance
    drawn = maps(store, viewer, draft, laid, language)
    tables = [draft_tables.figures(laid, language), draft_tables.pieces(laid, language)]
    notes = [*_notes(laid), *_warnings(draft), *exported.notes, *drawn.notes]
    for name, content in (("before.png", drawn.before), ("after.png", drawn.after), ("maps.pdf", drawn.pdf)):
        (folder / name).write_bytes(content)
    for table in tables:
        tables_out.write_xlsx(table.to_export(facts), folder / f"{table.name}.xlsx", headers=language)
    features_out.write_geojson(_moved(laid, facts), folder / "pieces.geojson")
    lineage = _lineage(facts)
    tables_out.write_csv(lineage, folder / "lineage.csv", headers="names")
    told = [(Text("版本", "versions"), _versions(facts))]
    (folder / "report.docx").write_bytes(document(draft, drawn, tables, told, list(dict.fromkeys(notes)), language))
    kept = {**facts, "notes": [note.as_dict() for note in notes]}
    (folder / "provenance.json").write_text(json.dumps(kept, ensure_ascii=False, indent=2, default=str), "utf-8")
    return [file for file in sorted(folder.iterdir()) if file.is_file() and file.name != "package.zip"]


def _notes(laid: Sides) -> list[Text]:
    found = [
        Text(
            f"变更前为 {laid.before_on} 的界线，变更后自 {laid.after_on} 起。土地总面积不变，精确到厘米格。",
            f"Before are the boundaries of {laid.before_on}, after those from {laid.after_on} on. "
            "The land as a whole stays the same, exact on the centimetre grid.",
        )
    ]
    if any(piece.estimated and piece.households is not None for piece in laid.pieces):
        found.append(
            Text(
                "随地块划转的户数、人口按面积比例估算，合计不变；请以核实的数为准。",
                "Households and population that move with land are estimated by area, sums stay; "
                "verified figures take precedence.",
            )
        )
    return found


def _warnings(draft: "Draft") -> list[Text]:
    """The rules that were broken when the last step was taken that looked for them."""
    told = [review["warnings"] for review in draft.reviews if "warnings" in review]
    return [
        Text(f"{name} {one['text']['zh']}。", f"{name} {one['text']['en']}.")
        for one in (told[-1] if told else [])
        for name in (one["name"] or one["code"],)
    ]


def _versions(facts: dict[str, Any]) -> str:
    return "; ".join(f"{each['kind']} v{each['version']}" for each in facts["layers"])


def _moved(laid: Sides, facts: dict[str, Any]) -> ExportTable:
    """The moved land as a layer, in the order of the table of pieces."""
    table = draft_tables.pieces(laid, "en")
    columns = {
        field.name: pd.Series([row[number] for row in table.rows], dtype=object)
        for number, field in enumerate(table.fields)
    }
    shapes = np.empty(len(laid.pieces), dtype=object)
    if len(laid.pieces):
        shapes[:] = to_lonlat([piece.shape for piece in laid.pieces], laid.crs)
    return ExportTable("pieces", table.label, make_frame(columns, shapes), table.fields, True, dict(facts))


def _lineage(facts: dict[str, Any]) -> ExportTable:
    fields = (
        Field("old_code", "text", Text("原代码", "old code")),
        Field("new_code", "text", Text("新代码", "new code")),
        Field("share_of_area", "real", Text("占原面积", "share of the old area")),
        Field("share_of_households", "real", Text("占原户数", "share of the old households")),
    )
    rows = facts["lineage"]
    columns = {field.name: pd.Series([row[field.name] for row in rows], dtype=object) for field in fields}
    return ExportTable("lineage", Text("沿革", "Lineage"), make_frame(columns), fields, False, dict(facts))
