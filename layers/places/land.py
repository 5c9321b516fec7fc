"""The land of a village and the grids that divide it, in metres: what mending looks at and works on.

Modelling decisions:

- Grids are grouped by the village they belong to (recorded, else by code, else by position). A village counts with the
  polygon it came with; without any village polygon in the store all grids together are one land without an outline.
- Borders are straight as they are kept, in lon/lat: vertices that lie on a neighbour's edge are given to it before
  anything is projected, so that a layer without gaps on the map has none in metres.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from sqlalchemy import and_, or_, select

from geo import crs
from geo.errors import NotFoundError, RightsError
from geo.mending import fits
from geo.topology import sound
from geo.weld import weld
from geo.words import Text

from ..rights import OWNER, Viewer
from ..selection import frames
from ..storage import schema
from ..storage.history import hidden_changes, visible
from ..telling import Tell, counted, silent
from .areas import area_set

if TYPE_CHECKING:
    from ..storage.store import Store

SAME_DEG = 1e-7
"""Places closer than this (about a centimetre) are the same."""
_STRAIGHT_DEG = 0.004
"""A line of this length (about 400 m) is the same straight in degrees and in metres, to two millimetres."""
_READING = Text("正在读取网格", "Reading grids")
_WATCHED = ("county", "township", "village", "grid")


@dataclass(frozen=True, slots=True)
class Land:
    """One village (code "" for a store without village polygons) and its grids, metric and on the 1 cm grid.

    `kept`: shapes of the rows rounded to the centimetre; `shapes`: the same with the vertices they share; `outline`:
    the village, None when it has no polygon; `guide`: the same with a vertex every few hundred metres, so that it runs
    where the map shows it; `fits`: the kept shapes neither overlap nor leave gaps and fill the
    outline; `barred`: why the rows must not be changed now.
    """

    code: str
    name: str
    kept: dict[str, shapely.Geometry]
    shapes: dict[str, shapely.Geometry]
    outline: shapely.Geometry | None
    guide: shapely.Geometry | None
    fits: bool
    barred: Text | None = None


@dataclass(frozen=True, slots=True)
class Lands:
    """The lands asked for, in order of code, with the rows behind them (index grid_code) and their metric system."""

    on: str
    system: Any
    rows: GeoDataFrame
    lands: tuple[Land, ...]
    versions: dict[str, int]


def versions(store: "Store") -> dict[str, int]:
    """Versions of the layers that lands are made of."""
    return store.versions(_WATCHED)


def count_grids(store: "Store", viewer: Viewer, parent: str, on: str) -> int:
    """How many grids the lands asked for have, at least one; errors as `read_lands`, and far sooner."""
    outlines, _ = _villages(store, on)
    wanted = _wanted(store, viewer, parent, on, outlines)
    owner = area_set(store, "grid", on).frame["parent_code"]
    count = int(owner.isin(wanted).sum()) if outlines else len(owner)
    if not count:
        raise _nothing()
    return count


def read_lands(store: "Store", viewer: Viewer, parent: str, on: str, *, tell: Tell = silent) -> Lands:
    """The villages at or below `parent` ("" for all the viewer may see) with the grids of a day.

    Raises
    ------
    NotFoundError
        When there is no such area, it has no grids, or the viewer may not see it.
    RightsError
        When the account is limited to some areas and the store has no villages to tell whose land is whose.
    """
    made_of = versions(store)
    rows = frames.read_layer(store, "grid", OWNER, as_of=on)
    outlines, names = _villages(store, on)
    usable = np.isin(shapely.get_type_id(rows.geometry.to_numpy()), (3, 6)) & ~rows.geometry.is_empty.to_numpy()
    owners = area_set(store, "grid", on).frame["parent_code"]
    owner = owners.reindex(rows.index.astype(str)).to_numpy() if len(outlines) else np.full(len(rows), "", dtype=object)
    wanted = _wanted(store, viewer, parent, on, outlines)
    outline = frames.outline(store, OWNER, on)
    if outline is None or not usable.any():
        raise _nothing()
    system = crs.metric_crs(outline.bounds)
    barred = _barred(store, on)
    lands = []
    for number, code in enumerate(wanted):
        counted(tell, number, len(wanted), _READING)
        own = rows[(owner == code) & usable]
        if len(own):
            lands.append(_land(code, names.get(code, ""), own, outlines.get(code), system, barred))
    if not lands:
        raise _nothing()
    return Lands(on, system, rows, tuple(lands), made_of)


def _nothing() -> NotFoundError:
    return NotFoundError(
        Text("这里没有网格。", "There are no grids here."),
        where="parent",
        mend=Text(
            "请选择有网格的村、乡镇，或先导入网格。", "Choose a village or township with grids, or import grids."
        ),
    )


def _villages(store: "Store", on: str) -> tuple[dict[str, shapely.Geometry], dict[str, str]]:
    """Polygons of the villages that came with one, lon/lat, and the names of all."""
    frame = area_set(store, "village", on).frame
    shapes = frame.geometry.to_numpy()
    real = ~frame["derived"].astype(bool).to_numpy() & np.isin(shapely.get_type_id(shapes), (3, 6))
    names = {str(code): str(name) for code, name in frame["name"].items() if name}
    return dict(zip(frame.index[real].astype(str), shapes[real], strict=True)), names


def _wanted(store: "Store", viewer: Viewer, parent: str, on: str, outlines: dict[str, Any]) -> list[str]:
    """Codes of the villages asked for and allowed, ascending; [""] in a store without village polygons."""
    if not outlines:
        if viewer.areas:
            raise RightsError(
                Text("没有村界，不能只修整一部分。", "Without villages a part cannot be told from the rest."),
                where="parent",
                mend=Text("请由不限区域的账号修整。", "Ask somebody whose account covers everything."),
            )
        if parent:
            raise _nothing()
        return [""]
    found = set(outlines)
    if viewer.areas:
        found &= frames.scope(store, viewer, on).village_codes
    if parent:
        found &= frames.scope(store, replace(OWNER, areas=(parent,)), on).village_codes
    return sorted(found)


def _land(
    code: str, name: str, own: GeoDataFrame, outline: shapely.Geometry | None, system: Any, barred: dict[str, str]
) -> Land:
    codes = own.index.astype(str).tolist()
    raw = own.geometry.to_numpy()
    together = np.append(raw, outline) if outline is not None else raw
    flat = _metric(together, system)
    kept = dict(zip(codes, flat[: len(codes)], strict=True))
    border = flat[-1] if outline is not None else None
    twice = sorted(set(own.index[own.index.duplicated()].astype(str)))
    shapes, well = kept, not twice and fits(kept, border)
    if not well and not twice:
        welded = _metric(weld(sound(together), SAME_DEG), system)
        shapes = dict(zip(codes, welded[: len(codes)], strict=True))
        border = welded[-1] if outline is not None else None
        # The village may lack a vertex where two grids meet on its border: that alone is nothing to mend.
        well = fits(kept, border)
    guide = None
    if outline is not None and not well:
        guide = _metric(shapely.segmentize(sound(np.array([outline], dtype=object)), _STRAIGHT_DEG), system)[0]
    return Land(code, name, kept, shapes, border, guide, well, _bar(codes, twice, barred))


def _metric(lonlat: np.ndarray, system: Any) -> np.ndarray:
    return crs.round_centimetre(crs.transform_geometries(lonlat, crs.LONLAT, system))


def _bar(codes: list[str], twice: list[str], barred: dict[str, str]) -> Text | None:
    if twice:
        return Text(
            f"网格编码 {'、'.join(twice[:5])} 重复，请先改正。",
            f"Grid code {', '.join(twice[:5])} occurs twice: correct it first.",
        )
    later = sorted(code for code in codes if code in barred)
    if not later:
        return None
    return Text(
        f"网格 {'、'.join(later[:5])} 已有自 {barred[later[0]]} 起生效的边界调整，请待其生效或撤回后再修整。",
        f"A decision changes {', '.join(later[:5])} from {barred[later[0]]} on; mend after that day, or withdraw it.",
    )


def _barred(store: "Store", on: str) -> dict[str, str]:
    """Grids whose row ends after `on`, with the day: what follows was drawn on the borders as they are."""
    table = schema.ROWS["grid"]
    with store.read() as connection:
        hidden = hidden_changes(connection)
        ends = and_(visible(table, hidden), table.c.valid_from <= on, table.c.valid_to > on)
        if hidden:
            ends = and_(ends, or_(table.c.closed_by.is_(None), table.c.closed_by.not_in(hidden)))
        return {
            str(code): str(day)
            for code, day in connection.execute(select(table.c.grid_code, table.c.valid_to).where(ends))
        }
