"""The document of a draft: what is proposed, both maps, the tables, where the figures come from. A .docx to work on in."""

import io
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from geo.words import Text

from ..kinds import KINDS
from ..redrawing.draft import STATES, Draft
from ..selection.export_table import without_control
from .draft_maps import Maps
from .draft_tables import Table

_FONT = "Noto Sans SC"
_FALLBACK = "Microsoft YaHei"
_ROWS = 300
"""Rows of a table on paper; the workbook has them all."""


def document(
    draft: Draft, maps: Maps, tables: list[Table], facts: list[tuple[Text, str]], notes: list[Text], language: str
) -> bytes:
    """The document as bytes of a .docx file; `facts` are label and value, `notes` what a reader must know."""
    paper = Document()
    _set_up(paper)
    paper.core_properties.title = _clean(draft.title)
    paper.core_properties.author = "wangge"
    paper.add_heading(_clean(draft.title), level=0)
    _facts(paper, draft, facts, language)
    if draft.reason:
        paper.add_heading(Text("理由", "Reason").to(language), level=1)
        paper.add_paragraph(_clean(draft.reason))
    paper.add_heading(Text("变更前后地图", "Maps before and after").to(language), level=1)
    for picture in (maps.before, maps.after):
        paper.add_picture(io.BytesIO(picture), width=Mm(250))
    for table in tables:
        paper.add_heading(table.label.to(language), level=1)
        _table(paper, table, language)
    paper.add_heading(Text("说明", "Notes").to(language), level=1)
    for note in notes:
        paper.add_paragraph(note.to(language), style="List Bullet")
    made = io.BytesIO()
    paper.save(made)
    return made.getvalue()


def _set_up(paper: Any) -> None:
    section = paper.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Mm(20))
    for name in ("Normal", "Title", "Heading 1"):
        style = paper.styles[name]
        style.font.name = _FONT
        # Word takes Chinese letters from a font of their own; without it they come out in whatever it has.
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _FALLBACK)
    paper.styles["Normal"].font.size = Pt(10.5)


def _facts(paper: Any, draft: Draft, facts: list[tuple[Text, str]], language: str) -> None:
    listed = [
        (Text("层级", "level"), KINDS[draft.level].label.to(language)),
        (Text("范围", "area"), draft.parent_code or Text("全部", "all").to(language)),
        (Text("状态", "state"), STATES[draft.state].to(language)),
        (Text("生效日期", "effective from"), draft.effective_from),
        (Text("决定文号", "decision number"), draft.decision_number or "—"),
        (Text("起草人", "drafted by"), draft.author),
        (Text("附件", "attachments"), "、".join(draft.attachments) or "—"),
        *facts,
    ]
    table = paper.add_table(rows=0, cols=2, style="Light Grid Accent 1")
    for label, value in listed:
        cells = table.add_row().cells
        cells[0].text, cells[1].text = label.to(language), _clean(value)
        cells[0].width, cells[1].width = Mm(45), Mm(200)


def _table(paper: Any, table: Table, language: str) -> None:
    if not table.rows:
        paper.add_paragraph(Text("没有。", "None.").to(language))
        return
    made = paper.add_table(rows=1, cols=len(table.fields), style="Light Grid Accent 1")
    for cell, field in zip(made.rows[0].cells, table.fields, strict=True):
        cell.text = field.label.to(language) + (f" ({field.unit})" if field.unit else "")
    for row in table.rows[:_ROWS]:
        for cell, value, field in zip(made.add_row().cells, row, table.fields, strict=True):
            cell.text = _shown(value, field.dtype)
    for row in made.rows:
        for cell in row.cells:
            for paragraph in cell.paragraphs:
                for run in paragraph.runs:
                    run.font.size = Pt(8)
    if len(table.rows) > _ROWS:
        more = len(table.rows) - _ROWS
        paper.add_paragraph(
            Text(f"另有 {more} 行，见所附工作簿。", f"{more} more rows are in the workbook.").to(language)
        )


def _shown(value: Any, dtype: str) -> str:
    if value is None:
        return "—"
    if dtype == "integer":
        return f"{value:,}"
    if dtype == "real":
        return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4f}"
    return _clean(str(value))


def _clean(words: str) -> str:
    """Without what XML cannot carry."""
    return str(without_control([words])[0][0])
