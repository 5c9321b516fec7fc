"""Where the rows of a homed layer lie: without position, outside all areas, piled on few positions, told twice."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo import crs
from geo.duplicates import near_duplicates, stacked
from geo.words import Text

from ..figures.incidents import read_incidents
from ..figures.rule_body import RuleSet
from ..findings import Finding
from ..kinds import Kind
from ..notebook import Notebook
from ..places import hierarchy
from ..places.areas import area_set
from ..rights import Viewer
from ..selection.frames import Points, read_points

if TYPE_CHECKING:
    from ..places.check_limits import Limits
    from ..storage.store import Store

_CHECK_PLACE = Text("请核对坐标。", "Check the coordinates.")


def look(
    store: "Store", viewer: Viewer, kind: Kind, on: str, limits: "Limits", rules: RuleSet, notebook: Notebook
) -> None:
    """Note what is wrong with keys and positions of one layer."""
    columns = [name for name in (kind.key, "location_quality") if name and name in kind.names]
    points = read_points(store, kind.name, viewer, as_of=on, columns=columns)
    if not len(points.fid):
        return
    keys = points.columns[kind.key] if kind.key else np.full(len(points.fid), None, dtype=object)
    _keys(store, kind, keys, points, notebook)
    located = np.isfinite(points.lon) & np.isfinite(points.lat)
    _without_position(kind, ~located, notebook)
    _outside(store, kind, points, keys, located, on, notebook)
    _piles(kind, points, located, int(rules.number("stacked_top")), limits, notebook)
    if kind.name == "incident":
        _centroids(points, notebook)
        _repeats(store, viewer, on, rules, notebook)


def _keys(store: "Store", kind: Kind, keys: np.ndarray, points: Points, notebook: Notebook) -> None:
    label = kind.label
    given = np.array([key is not None for key in keys], dtype=bool)
    twice = np.flatnonzero(given & pd.Series(keys, dtype=object).duplicated(keep="first").to_numpy())
    notebook.rows(
        "duplicate",
        "warning",
        twice,
        lambda at: Finding(
            Text(f"{label.zh}编号重复。", f"{label.en}: the number occurs more than once."),
            Text("请核对编号。", "Check the number."),
            severity="warning",
            column=kind.key,
            code=str(keys[at]),
            kind="duplicate",
            **_place(points, at),
        ),
    )
    if kind.name == "camera" and store.codes == "cn12":
        for note in hierarchy.read_devices(keys):
            notebook.add(note.finding)


def _without_position(kind: Kind, lost: np.ndarray, notebook: Notebook) -> None:
    if lost.any():
        share = lost.mean()
        notebook.add(
            Finding(
                Text(
                    f"{kind.label.zh}中有 {lost.sum()} 条没有位置（{share:.1%}）。",
                    f"{kind.label.en}: {lost.sum()} rows have no position ({share:.1%}).",
                ),
                Text("这些行只计入总数，不计入任何区域。", "They count in totals only, in no area."),
                severity="warning",
                kind="no_location",
            )
        )


def _outside(
    store: "Store", kind: Kind, points: Points, keys: np.ndarray, located: np.ndarray, on: str, notebook: Notebook
) -> None:
    villages = area_set(store, "village", on)
    if not len(villages.lookup.codes):
        return
    rows = np.flatnonzero(located)
    out = rows[villages.home(points.lon[rows], points.lat[rows]) < 0]
    notebook.rows(
        "outside",
        "warning",
        out,
        lambda at: Finding(
            Text(f"{kind.label.zh}的位置不在任何村（社区）内。", f"{kind.label.en}: the position lies in no village."),
            _CHECK_PLACE,
            severity="warning",
            code="" if keys[at] is None else str(keys[at]),
            kind="outside",
            **_place(points, at),
        ),
    )


def _piles(kind: Kind, points: Points, located: np.ndarray, top: int, limits: "Limits", notebook: Notebook) -> None:
    """How much of the layer lies on its fullest positions; each of them is a place to click when that is much."""
    lon, lat = points.lon[located], points.lat[located]
    found = stacked(lon, lat, top=top)
    if found.largest < 2:
        return
    much = found.share >= limits.stacked_share
    notebook.add(
        Finding(
            Text(
                f"{kind.label.zh}共 {len(lon)} 条、{found.positions} 个位置；最多的 {top} 个位置占 {found.share:.1%}，"
                f"单个位置最多 {found.largest} 条。",
                f"{kind.label.en}: {len(lon)} rows at {found.positions} positions; the {top} fullest hold "
                f"{found.share:.1%}, the fullest {found.largest}.",
            ),
            Text("可能是按地址落点，请留意由此形成的假热点。", "They may be addresses, which make false hotspots."),
            severity="warning" if much else "info",
            kind="stacked",
        )
    )
    if not much:
        return
    sizes = pd.DataFrame({"lon": lon, "lat": lat}).groupby(["lon", "lat"]).size().sort_values(ascending=False)
    for (at_lon, at_lat), count in sizes[sizes > 1].head(top).items():
        notebook.add(
            Finding(
                Text(f"此处有 {count} 条{kind.label.zh}。", f"{count} rows of the layer {kind.label.en} lie here."),
                _CHECK_PLACE,
                severity="info",
                kind="stacked",
                lon=float(at_lon),
                lat=float(at_lat),
            )
        )


def _centroids(points: Points, notebook: Notebook) -> None:
    rough = points.columns["location_quality"] == "centroid"
    if rough.any():
        notebook.add(
            Finding(
                Text(
                    f"{rough.sum()} 条事件只有代表点（{rough.mean():.1%}），不宜用于小于村的统计。",
                    f"{rough.sum()} incidents have a representative point only ({rough.mean():.1%}): not for figures "
                    "below the village.",
                ),
                severity="info",
                kind="centroid",
            )
        )


def _repeats(store: "Store", viewer: Viewer, on: str, rules: RuleSet, notebook: Notebook) -> None:
    """Incidents that seem to tell of one event again, by the distance and hours of the rule set."""
    incidents = read_incidents(store, viewer, as_of=on)
    located = incidents.located
    if not located.any():
        return
    distance_m, hours = rules.number("duplicate_distance_m"), rules.number("duplicate_hours")
    bounds = tuple(float(edge(v[located])) for edge, v in (
        (np.min, incidents.lon), (np.min, incidents.lat), (np.max, incidents.lon), (np.max, incidents.lat),
    ))  # fmt: skip
    x, y = crs.transform_xy(incidents.lon, incidents.lat, crs.LONLAT, crs.metric_crs(np.array(bounds)))
    x, y = np.where(located, x, np.nan), np.where(located, y, np.nan)
    first = near_duplicates(x, y, incidents.when_hours, incidents.category, distance_m=distance_m, hours=hours)
    again = np.flatnonzero(first != np.arange(len(first)))
    if not len(again):
        return
    notebook.add(
        Finding(
            Text(
                f"{len(again)} 条事件疑为重复上报（同类、相距 {distance_m:g} 米和 {hours:g} 小时以内），占 {len(again) / len(first):.1%}。",
                f"{len(again)} incidents seem to be reported twice (same category, within {distance_m:g} m and "
                f"{hours:g} h), {len(again) / len(first):.1%}.",
            ),
            Text("热点分析会先合并它们。", "The hotspot analysis joins them first."),
            severity="warning",
            kind="repeated",
            lon=float(incidents.lon[again[0]]),
            lat=float(incidents.lat[again[0]]),
        )
    )


def _place(points: Points, at: int) -> dict[str, Any]:
    if not (np.isfinite(points.lon[at]) and np.isfinite(points.lat[at])):
        return {}
    return {"lon": float(points.lon[at]), "lat": float(points.lat[at])}
