"""A whole area layer as a draft would have it: for files that are looked at before anything is decided.

The rows are those an approval would write, figures shared out in the same way; everything else stays as it is on the
draft's day. Each row says whether it is new, changed or as before, and which areas its land comes from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from sqlalchemy import select

from geo.crs import LONLAT
from geo.errors import InputError, NotFoundError
from geo.words import Text

from ..figures.provenance import layer_sources, product
from ..kinds import KINDS, Field
from ..places import lineage
from ..redrawing import drafts
from ..redrawing.decision_rows import Replacement, household_shares, values_of
from ..redrawing.draft import STATES, Draft
from ..redrawing.redraw_ground import ground
from ..rights import Viewer
from ..selection import frames
from ..selection.export_table import ExportTable
from ..storage import schema
from ..storage.schema import now
from . import decision_plan

if TYPE_CHECKING:
    from ..storage.store import Store

PREFIX = "draft:"
_LARGEST_ID = 2**62
_SHOWN = 10
_EXTRA = (
    Field(
        "draft_change",
        "text",
        Text("变更", "change"),
        choices=(
            ("new", Text("新设", "new")),
            ("changed", Text("有改动", "changed")),
            ("same", Text("未变", "as before")),
        ),
    ),
    Field("from_codes", "text", Text("来源代码", "land comes from")),
    Field("from_shares", "text", Text("来源面积占比", "share of each area it comes from")),
)


@dataclass(frozen=True, slots=True)
class _Link:
    """Land of `old` that lies in `new`; shares are parts of the old area and of its households."""

    old: str
    new: str
    share_of_area: float
    share_of_households: float | None


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a draft does to one layer: codes that go, rows that come, where the land went."""

    gone: frozenset[str] = frozenset()
    came: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    shapes: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[_Link] = ()


def parse(what: str) -> tuple[int, str | None]:
    """Number and kind of `draft:ID` or `draft:ID:KIND`; NotFoundError for anything else."""
    number, _, kind = what.removeprefix(PREFIX).partition(":")
    if not (number.isascii() and number.isdigit() and int(number) < _LARGEST_ID) or (
        kind and kind not in decision_plan.LEVELS
    ):
        raise NotFoundError(Text(f"没有草案“{what[:40]}”。", f"There is no draft '{what[:40]}'."), where="what")
    return int(number), kind or None


def read(store: "Store", viewer: Viewer, what: str, *, where: str | None = None) -> ExportTable:
    """The layer that `draft:ID` redraws (or another that follows it, `draft:ID:KIND`), as it would be on its day.

    Raises
    ------
    NotFoundError, RightsError
        No such draft within the viewer's areas, or drafts are not for this role.
    ConflictError
        The boundaries below the draft have changed: it has to be rebased first.
    InputError
        A filter was given: the layer is written whole.
    """
    if where:
        raise InputError(
            Text("草案按整层导出，不能加筛选。", "A draft is exported as a whole layer, without a filter."),
            where="where",
        )
    number, wanted = parse(what)
    draft = drafts.read(store, viewer, number)
    kind = wanted or draft.level
    on = draft.effective_from
    frame = frames.read_layer(store, kind, viewer, as_of=on)
    effect = _decided(store, draft, kind) if draft.change_id is not None else _proposed(store, draft, kind)
    rows = _with(frame, kind, effect)
    table = ExportTable(
        f"draft_{draft.id}_{kind}",
        Text(
            f"{KINDS[kind].label.zh}（草案 {draft.id}：{draft.title}）",
            f"{KINDS[kind].label.en} (draft {draft.id}: {draft.title})",
        ),
        rows,
        (*KINDS[kind].fields, *_EXTRA),
        True,
        _provenance(store, draft, kind, what, effect),
    )
    table.note(
        f"本文件为草案 {draft.id}“{draft.title}”（{STATES[draft.state].zh}，拟自 {on} 起生效）实施后的{KINDS[kind].label.zh}图层。",
        f"This is the {KINDS[kind].label.en} layer as draft {draft.id} '{draft.title}' would have it "
        f"({STATES[draft.state].en}, from {on} on).",
    )
    snapped = ground(store, draft.level, draft.parent_kind, draft.parent_code, on).snapped
    if snapped.grids and effect.shapes:
        table.note(
            f"{snapped.grids} 个网格原不在厘米格上，已取整（最多移动 {snapped.max_m * 100:.1f} 厘米）。",
            f"{snapped.grids} areas were not on whole centimetres and are now (moved by {snapped.max_m * 100:.1f} cm at most).",
        )
    ended = sorted(effect.gone - set(effect.came))
    if ended:
        shown = ended[:_SHOWN]
        more = len(ended) - len(shown)
        table.note(
            f"随之停用：{'、'.join(shown)}" + (f" 等 {len(ended)} 个。" if more else "。"),
            f"These end: {', '.join(shown)}" + (f" and {more} more." if more else "."),
        )
    return table


def _proposed(store: "Store", draft: Draft, kind: str) -> _Effect:
    """What an approval would write."""
    if not draft.operations:
        return _Effect()
    for each in decision_plan.plan(store, draft).replacements:
        if each.kind == kind:
            return _of_replacement(each)
    return _Effect()


def _of_replacement(each: Replacement) -> _Effect:
    people = household_shares(each)
    links = [_Link(share.old, share.new, share.share, people.get((share.old, share.new))) for share in each.shares]
    return _Effect(
        frozenset(each.old), values_of(each), {code: area.shape for code, area in each.new.items()}, _moved(links)
    )


def _decided(store: "Store", draft: Draft, kind: str) -> _Effect:
    """What the decision wrote: its rows are in the layer of its day already."""
    table, key = schema.ROWS[kind], KINDS[kind].key
    with store.read() as connection:
        began = set(connection.scalars(select(table.c[key]).where(table.c.created_by == draft.change_id)))
        ended = set(connection.scalars(select(table.c[key]).where(table.c.closed_by == draft.change_id)))
    links = [
        _Link(link.old_code, link.new_code, link.share_of_area, link.share_of_households)
        for link in lineage.of_change(store, draft.change_id or 0)
        if link.level == kind
    ]
    return _Effect(frozenset(ended), {code: {} for code in began}, {}, _moved(links))


def _moved(links: Iterable[_Link]) -> list[_Link]:
    """Without areas whose land stays whole under its code."""
    return [link for link in links if link.old != link.new or link.share_of_area < 1 - 1e-9]


def _with(frame: GeoDataFrame, kind: str, effect: _Effect) -> GeoDataFrame:
    """The layer of the day with the effect in place, in the order of codes."""
    key = KINDS[kind].key
    names = [entry.name for entry in KINDS[kind].fields]
    codes = frame[key].astype(str)
    if effect.shapes:
        kept = frame[~codes.isin(effect.gone)]
        came = sorted(effect.came)
        fresh = GeoDataFrame(
            {name: pd.Series([effect.came[code][name] for code in came], dtype=object) for name in names},
            geometry=np.array([effect.shapes[code] for code in came], dtype=object),
            crs=LONLAT,
        )
        # Columns keep the types of the layer: a column of numbers stays one.
        fresh = fresh.astype({name: kept[name].dtype for name in names if len(kept)})
        frame = pd.concat([kept[[*names, "geometry"]], fresh], ignore_index=True)
    rows = frame[[*names, "geometry"]].reset_index(drop=True).sort_values(key, kind="stable", ignore_index=True)
    sources: dict[str, list[_Link]] = {}
    for link in effect.links:
        sources.setdefault(link.new, []).append(link)
    listed = [str(code) for code in rows[key]]
    touched = {link.new for link in effect.links}
    rows["draft_change"] = [
        "same" if code not in touched else "changed" if code in effect.gone else "new" for code in listed
    ]
    for name, told in (
        ("from_codes", lambda link: link.old),
        ("from_shares", lambda link: f"{link.share_of_area:.6f}"),
    ):
        rows[name] = pd.Series(
            [";".join(told(link) for link in sources[code]) if code in sources else None for code in listed],
            dtype=object,
        )
    return GeoDataFrame(rows, geometry="geometry", crs=LONLAT)


def _provenance(store: "Store", draft: Draft, kind: str, what: str, effect: _Effect) -> dict[str, Any]:
    return {
        "made_at": now(),
        "as_of": draft.effective_from,
        "function": "layers.deciding.draft_layer",
        "parameters": {"what": what},
        "draft": {
            "id": draft.id,
            "title": draft.title,
            "state": draft.state,
            "effective_from": draft.effective_from,
            "decision_number": draft.decision_number,
            "level": draft.level,
            "parent_code": draft.parent_code,
            "author": draft.author,
            "version": draft.version,
        },
        "lineage": [
            {
                "old_code": link.old,
                "new_code": link.new,
                "share_of_area": round(link.share_of_area, 9),
                "share_of_households": link.share_of_households,
            }
            for link in effect.links
        ],
        "layers": layer_sources(store, [kind]),
        "notes": [],
        "product": product(),
    }
