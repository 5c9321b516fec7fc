"""What is taken out of the store for an export: a layer as the viewer sees it, or a derived result with its shapes."""

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from geo.errors import InputError
from geo.hotspots import benjamini_hochberg
from geo.words import Text

from .. import rights
from ..deciding import draft_layer
from ..figures import derived
from ..figures.provenance import layer_sources, product
from ..kinds import KINDS, Field
from ..places.areas import area_set
from ..rights import Viewer
from ..selection import frames
from ..selection.export_table import ExportTable, make_frame
from ..storage import known, references
from ..storage.history import Moment, day
from ..storage.known import as_known
from ..storage.schema import now

if TYPE_CHECKING:
    from ..storage.store import Store

FIGURES = ("coverage", "hotspots")

_LABELS = {
    "code": Text("代码", "code"),
    "cell": Text("单元编号", "cell"),
    "name": Text("名称", "name"),
    "parent_code": Text("上级代码", "parent code"),
    "value": Text("现有", "value"),
    "required": Text("应有", "required"),
    "shortfall": Text("缺口", "shortfall"),
    "state": Text("状态", "state"),
    "derived": Text("推算界", "derived outline"),
    "problem": Text("无数据原因", "why there are no data"),
    "value_then": Text("前期现有", "value then"),
    "shortfall_then": Text("前期缺口", "shortfall then"),
    "state_then": Text("前期状态", "state then"),
    "value_change": Text("增减", "change of value"),
    "numerator": Text("分子", "numerator"),
    "denominator": Text("分母", "denominator"),
    "lon": Text("经度", "longitude"),
    "lat": Text("纬度", "latitude"),
    "count": Text("事件数", "count"),
    "expected": Text("期望数", "expected"),
    "ratio": Text("比值", "ratio"),
    "gi_z": Text("Gi* z 值", "Gi* z"),
    "p": Text("p 值（计数检验）", "p (count test)"),
    "q": Text("校正后 q 值", "q (corrected)"),
    "hot": Text("热点", "hot"),
    "cold": Text("冷点", "cold"),
    "neighbourhood_count": Text("邻域事件数", "count with neighbours"),
    "neighbourhood_expected": Text("邻域期望数", "expected with neighbours"),
    "few": Text("样本偏少", "few expected"),
    "estimated": Text("含估计数", "holds an estimate"),
    "begins": Text("设立日期", "in force from"),
    "ended_on": Text("撤销日期", "ended on"),
    "GiZScore": Text("Gi* z 得分", "Gi* z score"),
    "GiPValue": Text("Gi* p 值", "Gi* p value"),
    "Gi_Bin": Text("Gi* 置信区间", "Gi* confidence bin"),
}
_STATES = (
    ("met", Text("达标", "met")),
    ("short", Text("不足", "short")),
    ("no_data", Text("无数据", "no data")),
)
_MEASURED = frozenset(
    {"lon", "lat", "expected", "ratio", "gi_z", "p", "q", "neighbourhood_expected", "GiZScore", "GiPValue"}
)
_GI_LEVELS = ((0.10, 1), (0.05, 2), (0.01, 3))
_FIGURE_OPTIONS = {
    "coverage": frozenset({"rule_id", "rule_set", "unit", "against", "boundaries", "threshold", "camera_filter"}),
    "hotspots": frozenset(
        {
            "unit",
            "cell_m",
            "date_from",
            "date_to",
            "category",
            "weekdays",
            "hours",
            "exposure",
            "rule_set",
            "boundaries",
        }
    ),
}


def read(
    store: "Store",
    viewer: Viewer,
    what: str,
    *,
    as_of: date | str | None = None,
    where: str | None = None,
    known_on: Moment = None,
    **options: Any,
) -> ExportTable:
    """The table called `what` on a day: a kind, `reference:NAME`, `coverage`, `hotspots` or `draft:ID`; rights as everywhere.

    A draft says itself from which day its layer would hold. `known_on`: a moment; everything as it was known then.
    """
    require_options(what, options)
    store = as_known(store, known_on)
    if store.known_on is not None:
        known.require_history(what)
    if what.startswith(draft_layer.PREFIX):
        return draft_layer.read(store, viewer, what, where=where)
    if what == "coverage":
        return _coverage(store, viewer, as_of, where, options)
    if what == "hotspots":
        return _hotspots(store, viewer, as_of, where, options)
    return _layer(store, viewer, what, as_of, where)


def require_options(what: str, options: dict[str, Any]) -> None:
    """`InputError` for an option that `what` does not have, naming those it has."""
    known = _FIGURE_OPTIONS.get(what, frozenset())
    for name in options:
        if name not in known:
            listed = "、".join(sorted(known)) or "无"
            raise InputError(
                Text(f"“{what[:40]}”没有选项“{name[:40]}”。", f"'{what[:40]}' has no option '{name[:40]}'."),
                where=name[:40],
                mend=Text(f"可用：{listed}。", f"It has: {', '.join(sorted(known)) or 'none'}."),
            )


def _layer(store: "Store", viewer: Viewer, kind: str, as_of: date | str | None, where: str | None) -> ExportTable:
    on = day(as_of or store.today)
    frame = frames.read_layer(store, kind, viewer, as_of=on, where=where)
    with store.read() as connection:
        place = frames.source(connection, kind, viewer)
        label = KINDS[kind].label if kind in KINDS else references.title(connection, kind)
    fields = tuple(place.fields.values())
    rows = frame[[*place.fields, "geometry"]].reset_index(drop=True)
    provenance = {
        "made_at": now(),
        "as_of": on,
        "known_on": store.known_on,
        "function": "layers.exports.exporting",
        "parameters": {"what": kind, "where": where},
        "layers": layer_sources(store, [kind]),
        "notes": [] if store.known_on is None else [known.note(store.known_on).as_dict()],
        "product": product(),
    }
    return ExportTable(kind.replace("reference:", "ref_"), label, rows, fields, place.spatial, provenance)


def _coverage(
    store: "Store", viewer: Viewer, as_of: date | str | None, where: str | None, options: dict[str, Any]
) -> ExportTable:
    result = derived.coverage(store, viewer, as_of=as_of, where=where, **options)
    label = Text(f"{result.rule.label.zh}缺口", f"coverage: {result.rule.label.en}")
    frame = unit_shapes(store, viewer, result.unit, result.boundaries.on, result.rows["code"])
    return _figures("coverage", label, result.rows, frame, dict(result.provenance))


def _hotspots(
    store: "Store", viewer: Viewer, as_of: date | str | None, where: str | None, options: dict[str, Any]
) -> ExportTable:
    result = derived.hotspots(store, viewer, as_of=as_of, where=where, **options)
    rows = with_gi_fields(result.rows)
    provenance = dict(result.provenance)
    provenance["notes"] = [
        *provenance.get("notes", []),
        {
            "zh": "GiZScore、GiPValue、Gi_Bin 为通用软件的 Gi* 字段，仅供参照；是否热点以校正后的计数检验（hot、cold）为准。",
            "en": "GiZScore, GiPValue and Gi_Bin are the Gi* fields of common software, for comparison; hot and cold are decided by the corrected count test.",
        },
    ]
    shapes = hotspot_shapes(store, viewer, result)
    if len(result.ended):
        rows, shapes = _with_ended(store, rows, shapes, result)
    return _figures("hotspots", Text("事件热点", "hot spots"), rows, shapes, provenance)


def _with_ended(store: "Store", rows: pd.DataFrame, shapes: np.ndarray, result: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows, and behind them those of areas that are not in force on the day, in the shape they had last."""
    ended = result.ended.assign(hot=False, cold=False, estimated=False)
    both = pd.concat([rows.assign(begins=None, ended_on=None), ended], ignore_index=True)
    for name in ("hot", "cold", "estimated"):
        both[name] = both[name].astype(bool)
    found = np.full(len(ended), None, dtype=object)
    for row, (code, begins, ended_on) in enumerate(ended[["code", "begins", "ended_on"]].itertuples(index=False)):
        last = begins if ended_on is None else (date.fromisoformat(ended_on) - timedelta(days=1)).isoformat()
        found[row] = area_set(store, result.unit, last).frame.geometry.get(code)
    return both, np.concatenate([shapes, found])


def unit_shapes(store: "Store", viewer: Viewer, unit: str, as_of: str, codes: pd.Series) -> np.ndarray:
    """Shapes of units by code, derived ones included; null for a code without shape.

    `codes` must come from a result that was made for `viewer`: the shapes of all areas are at hand here.
    """
    rights.require(unit, viewer)
    known = area_set(store, unit, as_of).frame.geometry
    return np.asarray(known.reindex(codes.astype(str)).array, dtype=object)


def hotspot_shapes(store: "Store", viewer: Viewer, result: Any) -> np.ndarray:
    """Shapes of a hotspot result, one per row: its cells, or the areas of its unit."""
    if result.unit != "cell":
        return unit_shapes(store, viewer, result.unit, result.boundaries.on, result.rows["code"])
    return np.asarray(result.cells.geometry.reindex(result.rows["cell"]).array, dtype=object)


def with_gi_fields(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with GiZScore, GiPValue and Gi_Bin as ArcGIS writes them, where Gi* was worked out.

    The p value is two-sided and not corrected; only the bin is (Benjamini-Hochberg): 3, 2, 1 for 99, 95 and 90 per
    cent, negative for cold, 0 for not significant. ArcGIS Pro tool reference, "Hot Spot Analysis (Getis-Ord Gi*)".
    """
    if "gi_z" not in rows:
        return rows
    z = rows["gi_z"].to_numpy(dtype=float)
    p = np.array([math.erfc(abs(value) / math.sqrt(2)) if np.isfinite(value) else np.nan for value in z])
    known = np.isfinite(p)
    corrected = np.full(len(p), np.nan)
    corrected[known] = benjamini_hochberg(p[known])
    bins = np.zeros(len(p), dtype=np.int64)
    for level, number in _GI_LEVELS:
        bins[corrected <= level] = number
    bins = np.where(z < 0, -bins, bins)
    binned = pd.array(bins, dtype="Int64")
    binned[~known] = pd.NA
    return rows.assign(GiZScore=z, GiPValue=p, Gi_Bin=binned)


def _figures(name: str, label: Text, rows: pd.DataFrame, shapes: np.ndarray, provenance: dict[str, Any]) -> ExportTable:
    fields = tuple(_field(column, rows[column]) for column in rows.columns)
    frame: GeoDataFrame = make_frame({field.name: rows[field.name].reset_index(drop=True) for field in fields}, shapes)
    return ExportTable(name, label, frame, fields, True, provenance)


def _field(name: str, column: pd.Series) -> Field:
    if pd.api.types.is_bool_dtype(column):
        dtype = "boolean"
    elif pd.api.types.is_integer_dtype(column):
        dtype = "integer"
    elif pd.api.types.is_float_dtype(column):
        numbers = column[np.isfinite(column.to_numpy(dtype=float, na_value=np.nan))]
        counted = name not in _MEASURED
        # Counts travel as floats where some are missing; on paper a count has no decimals.
        dtype = "integer" if counted and len(numbers) and (numbers == numbers.round()).all() else "real"
    else:
        dtype = "text"
    choices = _STATES if name in ("state", "state_then") else ()
    return Field(name, dtype, _LABELS.get(name, Text(name, name)), choices=choices)
