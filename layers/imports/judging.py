"""Judgments that need the whole layer: columns, positions, duplicates, what is kept already, scope, overlaps."""

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo import crs, topology
from geo.words import Text

from ..files.formats import Refused
from ..files.mapping import Mapping
from ..findings import Finding
from ..kinds import Kind
from ..notebook import Notebook
from .prepared import Prepared, frame_of
from .projecting import Frame
from .survey import Survey

if TYPE_CHECKING:
    pass

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
                **place_of(prepared, at),
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


def place_of(prepared: Prepared, at: int) -> dict[str, Any]:
    """`lon` and `lat` of a row for its finding; nothing when it has no position."""
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
                **place_of(prepared, int(at[0])),
            )
        )


def overlaps(kind: Kind, prepared: Prepared, usable: np.ndarray, notebook: Notebook, *, least_m2: float) -> None:
    """Land above `least_m2` that two areas of the file both claim: a warning per pair, largest first."""
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
    found = topology.find_overlaps(areas, min_area_m2=least_m2)
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


def about_file(findings: list[Finding]) -> bool:
    """Whether an error concerns the file or a column as a whole, so that no row can be stored."""
    return any(finding.severity == "error" and finding.row == 0 for finding in findings)


def nothing() -> Finding:
    """The finding of a file without any row to store."""
    return Finding(Text("没有可以导入的行。", "There is no row to import."), severity="warning", kind="empty")
