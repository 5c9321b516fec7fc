"""The two maps of a draft, before and after, on one sheet each: same window, same scale, what differs in colour.

Drawn like every print map, so the colours, hatches and words are those of the page's comparison.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from geopandas import GeoSeries
from matplotlib.backends.backend_pdf import PdfPages

from geo import crs
from geo.words import Text

from ..deciding.draft_sides import Side, Sides
from ..figures.provenance import layer_sources
from ..kinds import KINDS
from ..redrawing.draft import Draft
from ..redrawing.drafts import STATES as DRAFT_STATES
from ..selection import frames
from . import print_layout, print_page
from .cartography import change_classes
from .print_sheet import Areas, Boundary, Names, Sheet
from .view_content import Options, imprint, place_name

if TYPE_CHECKING:
    from ..rights import Viewer
    from ..storage.store import Store

DPI = 200
_MARGIN_SHARE = 0.15
_LEAST_M = 300.0
_NAMES_UP_TO = 400


@dataclass(frozen=True, slots=True)
class Maps:
    """Both maps: PNG bytes of each, one PDF of two pages, and what the maker must know."""

    before: bytes
    after: bytes
    pdf: bytes
    notes: tuple[Text, ...]


def maps(store: "Store", viewer: "Viewer", draft: Draft, laid: Sides, language: str) -> Maps:
    """Draw both maps on A4 landscape."""
    page = print_page.page("A4", landscape=True)
    pictures: list[bytes] = []
    notes: list[Text] = []
    pdf = io.BytesIO()
    with PdfPages(pdf, metadata={"Title": draft.title, "Creator": "wangge"}) as pages:
        for first in (True, False):
            drawing = print_layout.draw(_sheet(store, viewer, draft, laid, language, first=first), page)
            pages.savefig(drawing.figure)
            picture = io.BytesIO()
            drawing.figure.savefig(picture, format="png", dpi=DPI)
            pictures.append(picture.getvalue())
            notes += drawing.notes
    return Maps(pictures[0], pictures[1], pdf.getvalue(), tuple(dict.fromkeys(notes)))


def _sheet(store: "Store", viewer: "Viewer", draft: Draft, laid: Sides, language: str, *, first: bool) -> Sheet:
    side, on = (laid.before, laid.before_on) if first else (laid.after, laid.after_on)
    codes = sorted(side.shapes)
    shapes = [side.shapes[code] for code in codes]
    label = KINDS[draft.level].label
    state = DRAFT_STATES[draft.state]
    when = (
        Text(f"变更前（{on} 的界线）", f"before (boundaries of {on})")
        if first
        else Text(f"变更后（{state.zh}，自 {on} 起）", f"after ({state.en}, from {on})")
    )
    place = place_name(store, viewer, on)
    return Sheet(
        title=Text(f"{place}{draft.title}：{when.zh}", f"{draft.title}: {when.en}").to(language),
        subtitle=_subtitle(draft, label).to(language),
        answer=_answer(laid, label).to(language),
        language=language,
        crs=laid.crs,
        focus=_focus(laid),
        county=GeoSeries([shapely.coverage_union_all(shapes)], crs=laid.crs),
        outline="extent",
        place=place,
        areas=Areas(
            GeoSeries(shapes, crs=laid.crs),
            change_classes(label, [laid.states[code] for code in codes]),
            np.zeros(len(codes), dtype=bool),
            draft.level if draft.level in ("grid", "village", "township") else "grid",
        ),
        lines=_lines(store, viewer, draft, on, laid.crs),
        names=_names(draft, side, laid, codes),
        footer_left=(
            _sources(store, draft).to(language),
            Text("坐标系：CGCS2000；界线仅供工作参考。", "Datum CGCS2000; boundaries for working purposes only.").to(
                language
            ),
        ),
        footer_right=tuple(imprint(Options(language=language, as_of=on))),
    )


def _subtitle(draft: Draft, label: Text) -> Text:
    number = draft.decision_number
    return Text(
        f"{label.zh}边界调整 · 文号 {number or '（未填）'} · 起草 {draft.author}",
        f"redrawing of {label.en} boundaries · decision {number or '(none yet)'} · drafted by {draft.author}",
    )


def _answer(laid: Sides, label: Text) -> Text:
    count = {state: list(laid.states.values()).count(state) for state in ("changed", "new", "ended")}
    moved = sum(piece.area_m2 for piece in laid.pieces) / 10_000
    return Text(
        f"{label.zh}：改动 {count['changed']} 个，新设 {count['new']} 个，撤销 {count['ended']} 个；"
        f"划转 {moved:,.2f} 公顷，总面积不变。",
        f"{label.en}: {count['changed']} changed, {count['new']} new, {count['ended']} ended; "
        f"{moved:,.2f} ha change hands, the total stays.",
    )


def _focus(laid: Sides) -> tuple[float, float, float, float]:
    """Everything that differs on either side, with a margin."""
    shapes = [
        side.shapes[code] for code in laid.differing() for side in (laid.before, laid.after) if code in side.shapes
    ] or list(laid.after.shapes.values())
    west, south, east, north = (float(value) for value in shapely.total_bounds(shapes))
    margin = max((east - west) * _MARGIN_SHARE, (north - south) * _MARGIN_SHARE, _LEAST_M)
    return west - margin, south - margin, east + margin, north + margin


def _lines(store: "Store", viewer: "Viewer", draft: Draft, on: str, metric: Any) -> tuple[Boundary, ...]:
    above = {"grid": ("township", "village"), "village": ("township",)}.get(draft.level, ())
    found = []
    for kind in above:
        frame = frames.read_layer(store, kind, viewer, as_of=on, columns=[])
        shapes = frame.geometry.to_numpy()
        areal = shapes[shapely.get_dimensions(shapes) == 2]
        if len(areal):
            turned = GeoSeries(crs.transform_geometries(areal, crs.LONLAT, metric), crs=metric)
            found.append(Boundary(kind, turned, np.zeros(len(turned), dtype=bool)))
    return tuple(found)


def _names(draft: Draft, side: Side, laid: Sides, codes: Sequence[str]) -> tuple[Names, ...]:
    """Codes on the areas that differ; the sequence says which is which in the tables."""
    listed = [code for code in codes if laid.states[code] != "unchanged"][:_NAMES_UP_TO]
    if not listed:
        return ()
    shapes = GeoSeries([side.shapes[code] for code in listed], crs=laid.crs)
    words = tuple(str(side.figures.get(code, {}).get("name") or code) for code in listed)
    level = draft.level if draft.level in ("grid", "village") else "village"
    return (Names(level, shapes, words, shapes.area.to_numpy()),)


def _sources(store: "Store", draft: Draft) -> Text:
    layers = layer_sources(store, [draft.level])
    zh = "；".join(f"{KINDS[each['kind']].label.zh}第 {each['version']} 版" for each in layers)
    en = "; ".join(f"{KINDS[each['kind']].label.en} v{each['version']}" for each in layers)
    return Text(
        f"资料：{zh}；草案 {draft.id} 第 {draft.version} 版。", f"Sources: {en}; draft {draft.id} v{draft.version}."
    )
