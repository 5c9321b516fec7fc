"""Judgments that need the whole layer: columns, positions, duplicates, what is kept already, scope, overlaps."""

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import crs, topology
from geo.words import Text

from . import hierarchy, matching, scopes
from .findings import Finding
from .formats import Refused
from .history import hidden_changes
from .kinds import Kind
from .mapping import Mapping
from .matching import Kept
from .notebook import Notebook
from .preparing import Prepared, frame_of
from .projecting import Frame
from .rights import Viewer
from .survey import Survey

if TYPE_CHECKING:
    from .store import Store

_OVERLAP_M2 = 1.0
_LISTED = 10


def columns(kind: Kind | None, headers: list[str], chosen: Mapping, survey: Survey, notebook: Notebook) -> None:
    """Columns that are no field, required ones that are missing, dates that may be read two ways."""
    if kind is not None:
        unknown = [h for at, h in enumerate(headers) if at not in chosen.fields and at not in survey.personal]
        if unknown:
            notebook.add(
                Finding(
                    Text(
                        f"这些列未对应到字段，未导入：{'、'.join(unknown)}。",
                        f"These columns are no field of the layer and were not imported: {', '.join(unknown)}.",
                    ),
                    Text("需要时用 --map 列=字段 指定。", "Use --map COLUMN=FIELD where one is needed."),
                    severity="info",
                    kind="columns",
                )
            )
        _require(kind, headers, chosen, survey)
    for column in survey.ambiguous:
        notebook.add(
            Finding(
                Text("日期分不清日和月（如 03/04/2026）。", "Day and month cannot be told apart (like 03/04/2026)."),
                Text("用 --dates dmy 或 --dates mdy 指明。", "State the order with --dates dmy or --dates mdy."),
                column=headers[column],
                kind="date",
            )
        )


def _require(kind: Kind, headers: list[str], chosen: Mapping, survey: Survey) -> None:
    listed = headers[:30]
    for target in kind.fields:
        if target.required and target.name not in chosen.fields.values():
            raise Refused(
                Finding(
                    Text(f"没有找到“{target.label.zh}”列。", f"No column was found for {target.label.en}."),
                    Text(
                        f"用 --map 列={target.name} 指定；文件中的列：{'、'.join(listed)}",
                        f"Name it with --map COLUMN={target.name}; columns of the file: {', '.join(listed)}",
                    ),
                    kind="columns",
                )
            )
    if not survey.located and not any(name in kind.names for name in chosen.fields.values()):
        raise Refused(
            Finding(
                Text("文件中没有可识别的列，也没有位置。", "The file has no column that is known and no positions."),
                Text("用 --map 列=字段 指定。", "Use --map COLUMN=FIELD."),
                kind="columns",
            )
        )


def positions(kind: Kind | None, survey: Survey, prepared: Prepared, frame: Frame, notebook: Notebook) -> None:
    """Rows whose two numbers were exchanged, several features at one point, points among polygons."""
    if not frame.swapped and crs.is_lonlat(frame.source):
        notebook.rows(
            "swapped",
            "warning",
            np.flatnonzero(survey.exchanged),
            lambda at: Finding(
                Text("经纬度写反了，已对调。", "Longitude and latitude stood the wrong way round and were exchanged."),
                severity="warning",
                row=int(prepared.rows[at]),
                kind="swapped",
                **_place(prepared, at),
            ),
        )
    if kind is None:
        return
    if "point" in prepared.families:
        _stacked(kind, prepared, notebook)
    if kind.geometry == "area" and prepared.families == {"point", "polygon"}:
        notebook.add(
            Finding(
                Text(
                    "图层中既有面也有点；点的范围将推算。",
                    "The layer has polygons and points; areas of the points will be derived.",
                ),
                severity="info",
                kind="geometry_type",
            )
        )


def _place(prepared: Prepared, at: int) -> dict[str, Any]:
    lon, lat = float(prepared.lon[at]), float(prepared.lat[at])
    return {"lon": lon, "lat": lat} if np.isfinite(lon) else {}


def _stacked(kind: Kind, prepared: Prepared, notebook: Notebook) -> None:
    """Several features at one point: named for areas, counted for the rest."""
    good = np.flatnonzero(np.isfinite(prepared.lon) & ~prepared.bad)
    if not len(good):
        return
    lon, lat = np.round(prepared.lon[good], 7), np.round(prepared.lat[good], 7)
    order = np.lexsort((lat, lon))
    new = np.r_[True, (np.diff(lon[order]) != 0) | (np.diff(lat[order]) != 0)]
    starts = np.flatnonzero(new)
    counts = np.diff(np.r_[starts, len(order)])
    if not (counts > 1).any():
        return
    if not kind.is_area:
        shared, rows = int((counts > 1).sum()), int(counts[counts > 1].sum())
        notebook.add(
            Finding(
                Text(
                    f"{rows} 行集中在 {shared} 个位置上，每处不止一行。",
                    f"{rows} rows stand at {shared} positions, more than one at each.",
                ),
                severity="info",
                kind="stacked",
            )
        )
        return
    for start, count in zip(starts[counts > 1], counts[counts > 1], strict=True):
        at = np.sort(good[order[start : start + count]])
        listed = [str(prepared.keys[i]) for i in at[:_LISTED]] if prepared.keys is not None else []
        notebook.add(
            Finding(
                Text(
                    f"{count} 个单元同在一点：{'、'.join(listed)}。",
                    f"{count} areas share one point: {', '.join(listed)}.",
                ),
                Text("无法分开统计，请补充准确位置。", "They cannot be told apart; add their true positions."),
                severity="warning",
                row=int(prepared.rows[at[0]]),
                code=listed[0] if listed else "",
                kind="stacked",
                **_place(prepared, int(at[0])),
            )
        )


def duplicates(prepared: Prepared, usable: np.ndarray, notebook: Notebook) -> None:
    """A code that occurs twice in the file: an error at every row after the first."""
    if prepared.keys is None:
        return
    first = hierarchy.duplicates(prepared.keys, usable)
    rows = np.flatnonzero(first >= 0)
    prepared.bad[rows] = True
    notebook.rows(
        "duplicate",
        "error",
        rows,
        lambda at: Finding(
            Text(
                f"代码与第 {prepared.rows[first[at]]} 行重复。",
                f"The code is the same as in row {prepared.rows[first[at]]}.",
            ),
            Text("每个代码只能出现一次。", "A code may occur only once."),
            row=int(prepared.rows[at]),
            code=str(prepared.keys[at]) if prepared.keys is not None else "",
            kind="duplicate",
            **_place(prepared, at),
        ),
    )


def against_kept(
    store: "Store",
    kind: Kind,
    prepared: Prepared,
    usable: np.ndarray,
    kept: Kept,
    mode: str,
    on: str,
    notebook: Notebook,
) -> None:
    """Codes that are there already (append), that vanish (replace), that are new (update); a day too early."""
    if mode != "append" and matching.has_later(store, kind, on):
        raise Refused(
            Finding(
                Text(
                    f"图层中有 {on} 之后才生效的数据，不能按该日期替换或更新。",
                    f"The layer has rows that begin after {on}; it cannot be replaced or updated as of that day.",
                ),
                Text("请换一个更晚的日期。", "Choose a later day."),
                kind="history",
            )
        )
    if not kind.key or prepared.keys is None or not len(kept):
        return
    keys = pd.Series(prepared.keys, dtype=object)
    there = keys.notna().to_numpy() & usable
    known = keys.isin(kept.keys()).to_numpy() & there
    if mode == "append":
        rows = np.flatnonzero(known & ~prepared.bad)
        prepared.bad[rows] = True
        notebook.rows(
            "exists",
            "error",
            rows,
            lambda at: Finding(
                Text("该代码已在图层中。", "The layer has this code already."),
                Text("用更新（update）或替换（replace）方式导入。", "Import with mode update or replace."),
                row=int(prepared.rows[at]),
                code=str(keys[at]),
                kind="exists",
            ),
        )
    elif mode == "replace":
        for code in sorted(kept.keys() - set(keys[there])):
            notebook.add(
                Finding(
                    Text(
                        "原有代码不在新文件中，将自生效日起停用。",
                        "This code is not in the new file; its row ends on the effective day.",
                    ),
                    Text("如系合并或改码，请核对。", "Check whether it was merged or re-coded."),
                    severity="warning",
                    code=str(code),
                    kind="vanished",
                )
            )
    else:
        notebook.rows(
            "new",
            "info",
            np.flatnonzero(there & ~known & ~prepared.bad),
            lambda at: Finding(
                Text("图层中没有该代码，作为新行添加。", "The layer does not have this code; a new row is added."),
                severity="info",
                row=int(prepared.rows[at]),
                code=str(keys[at]),
                kind="new",
            ),
        )


def inside_scope(
    store: "Store",
    kind: Kind,
    prepared: Prepared,
    usable: np.ndarray,
    overrides: dict[str, np.ndarray],
    viewer: Viewer,
    on: str,
    notebook: Notebook,
) -> None:
    """An account that is limited to some areas brings in rows of those areas only."""
    if not viewer.areas:
        return
    with store.read() as connection:
        reach = scopes.resolve(connection, viewer.areas, store.codes, hidden_changes(connection), on)
    everything = frozenset().union(*reach.codes.values()) | frozenset(viewer.areas)
    if kind.is_area and prepared.keys is not None:
        own = pd.Series(prepared.keys, dtype=object).isin(everything).to_numpy()
        above = overrides.get(kind.parent)
        inside = own | (pd.Series(above, dtype=object).isin(everything).to_numpy() if above is not None else False)
    elif kind.homed:
        inside = pd.Series(overrides["village_code"], dtype=object).isin(reach.village_codes).to_numpy()
    else:
        inside = np.zeros(len(prepared.rows), dtype=bool)
    rows = np.flatnonzero(usable & ~inside)
    prepared.bad[rows] = True
    notebook.rows(
        "scope",
        "error",
        rows,
        lambda at: Finding(
            Text("该行不在您负责的区域内。", "The row is outside the areas of your account."),
            Text("请联系管理员。", "Ask the administrator."),
            row=int(prepared.rows[at]),
            kind="scope",
        ),
    )


def homeless(prepared: Prepared, usable: np.ndarray, village: np.ndarray, notebook: Notebook) -> None:
    """Rows with a position that lies in no village: kept, and counted as outside."""
    outside = usable & np.isfinite(prepared.lon) & np.array([code is None for code in village], dtype=bool)
    if not any(code is not None for code in village):
        return  # there are no villages yet
    notebook.rows(
        "outside",
        "warning",
        np.flatnonzero(outside),
        lambda at: Finding(
            Text("位置不在任何村（社区）内。", "The position lies in no village."),
            Text("请核对坐标。", "Check the coordinates."),
            severity="warning",
            row=int(prepared.rows[at]),
            code=str(prepared.keys[at]) if prepared.keys is not None and prepared.keys[at] is not None else "",
            kind="outside",
            **_place(prepared, at),
        ),
    )


def overlaps(kind: Kind, prepared: Prepared, usable: np.ndarray, notebook: Notebook) -> None:
    """Land that two areas of the file both claim: a warning per pair, largest first."""
    if not kind.is_area or "polygon" not in prepared.families or prepared.keys is None:
        return
    parts, codes = [], []
    for start, batch in prepared.batches():
        keep = usable[start : start + batch.num_rows]
        _, shapes = frame_of(batch, keep)
        if shapes is not None:
            parts.append(shapes)
            codes.append(prepared.keys[start + np.flatnonzero(keep)])
    if not parts:
        return
    shapes = np.concatenate(parts)
    areas = gpd.GeoDataFrame({"code": np.concatenate(codes)}, geometry=shapes, crs=crs.LONLAT).set_index("code")
    areas = crs.to_metric(areas[np.isin(shapely.get_type_id(shapes), (3, 6))])
    found = topology.find_overlaps(areas, min_area_m2=_OVERLAP_M2)
    if not len(found):
        return
    places = crs.to_lonlat(found.set_geometry(found.geometry.representative_point())).geometry
    for pair, area, place in zip(found["codes"], found["area_m2"], places, strict=True):
        notebook.add(
            Finding(
                Text(
                    f"{pair[0]} 与 {pair[1]} 重叠 {area:.0f} 平方米。",
                    f"{pair[0]} and {pair[1]} overlap by {area:.0f} m2.",
                ),
                Text("重叠处归代码较小者。", "Land claimed twice counts for the lower code."),
                severity="warning",
                code=str(pair[0]),
                kind="overlap",
                lon=float(place.x),
                lat=float(place.y),
            )
        )


def reference(store: "Store", kind_name: str, mode: str, viewer: Viewer, notebook: Notebook) -> None:
    """A reference layer belongs to the whole county and is replaced whole."""
    if viewer.areas:
        notebook.add(
            Finding(
                Text(
                    "参考图层属于全县，限定区域的账号不能导入。",
                    "Reference layers belong to the whole county: an account limited to areas cannot import them.",
                ),
                Text("请联系管理员。", "Ask the administrator."),
                kind="scope",
            )
        )
    if mode == "append" and store.versions([kind_name])[kind_name]:
        notebook.add(
            Finding(
                Text("已有同名参考图层。", "There is a reference layer of this name."),
                Text("用替换（replace）方式导入，或换一个名称。", "Import with mode replace, or choose another name."),
                kind="exists",
            )
        )


def about_file(findings: list[Finding]) -> bool:
    """Whether an error concerns the file or a column as a whole, so that no row can be stored."""
    return any(finding.severity == "error" and finding.row == 0 for finding in findings)


def nothing() -> Finding:
    """The finding of a file without any row to store."""
    return Finding(Text("没有可以导入的行。", "There is no row to import."), severity="warning", kind="empty")
