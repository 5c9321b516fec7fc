"""The tables of a draft: figures of each area before and after, land that moved, who became what. Rows with labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.words import Text

from ..deciding.draft_sides import STATES, Piece, Sides
from ..kinds import Field
from ..selection.export_table import ExportTable, make_frame

_FIGURES = {
    "area_m2": ("real", Text("面积", "area"), "m2"),
    "households": ("integer", Text("户数", "households"), ""),
    "population": ("integer", Text("人口", "population"), ""),
    "cameras": ("integer", Text("视频监控", "cameras"), ""),
    "incidents": ("integer", Text("近期事件", "recent incidents"), ""),
    "workload": ("real", Text("工作量指数", "workload index"), ""),
    "shortfall": ("integer", Text("监控缺口", "cameras missing"), ""),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table for paper and for a workbook: fields in order, one row of values each."""

    name: str
    label: Text
    fields: tuple[Field, ...]
    rows: list[list[Any]]

    def to_export(self, provenance: Mapping[str, Any]) -> ExportTable:
        """The table as a file can carry it."""
        columns = {
            field.name: pd.Series([row[number] for row in self.rows], dtype=object)
            for number, field in enumerate(self.fields)
        }
        return ExportTable(self.name, self.label, make_frame(columns), self.fields, False, dict(provenance))


def figures(laid: Sides, language: str) -> Table:
    """One row per area that differs, each figure before and after; figures the viewer may not see are left out."""
    seen = [
        name
        for name in _FIGURES
        if any(name in row for side in (laid.before, laid.after) for row in side.figures.values())
    ]
    fields = [
        Field("code", "text", Text("代码", "code")),
        Field("name", "text", Text("名称", "name")),
        Field("state", "text", Text("变化", "change")),
    ]
    for name in seen:
        dtype, label, unit = _FIGURES[name]
        fields += [
            Field(f"{name}_before", dtype, Text(f"{label.zh}（前）", f"{label.en} before"), unit=unit),
            Field(f"{name}_after", dtype, Text(f"{label.zh}（后）", f"{label.en} after"), unit=unit),
        ]
    fields.append(Field("estimated", "text", Text("户数说明", "note on households")))
    rows = []
    for code in laid.differing():
        then, now = laid.before.figures.get(code), laid.after.figures.get(code)
        known = now or then or {}
        row: list[Any] = [code, known.get("name"), STATES[laid.states[code]].to(language)]
        for name in seen:
            row += [None if side is None else side.get(name) for side in (then, now)]
        estimated = bool(now and now.get("households_estimated"))
        row.append(Text("按面积估算", "estimated by area").to(language) if estimated else None)
        rows.append(row)
    return Table("figures", Text("变更前后对照", "Before and after"), tuple(fields), rows)


def pieces(laid: Sides, language: str) -> Table:
    """One row per piece of land that went from one code to another."""
    fields = [
        Field("number", "integer", Text("序号", "number")),
        Field("from_code", "text", Text("划出", "from")),
        Field("to_code", "text", Text("划入", "to")),
        Field("area_m2", "real", Text("面积", "area"), unit="m2"),
        Field("share_of_area", "real", Text("占原面积", "share of the old area")),
        Field("households", "integer", Text("户数", "households")),
        Field("estimated", "text", Text("户数说明", "note on households")),
    ]
    counted = [name for name in ("cameras", "incidents") if any(name in piece.counts for piece in laid.pieces)]
    fields += [Field(name, "integer", _FIGURES[name][1]) for name in counted]
    rows = []
    for number, piece in enumerate(laid.pieces, start=1):
        note = Text("按面积估算", "estimated by area").to(language) if piece.estimated else None
        row: list[Any] = [number, *_of(piece), note]
        rows.append([*row, *(piece.counts.get(name) for name in counted)])
    return Table("pieces", Text("划转地块", "Land that moved"), tuple(fields), rows)


def _of(piece: Piece) -> list[Any]:
    return [piece.source, piece.target, piece.area_m2, round(piece.share_of_area, 6), piece.households]
