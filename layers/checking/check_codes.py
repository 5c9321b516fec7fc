"""Codes and hierarchy of an area layer: well-formed, unique, and each under a parent that is there and around it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from geo import crs
from geo.words import Text

from ..findings import Finding
from ..kinds import KINDS, Kind
from ..notebook import Notebook
from ..places import hierarchy
from ..places.areas import AreaSet, area_set
from ..rights import OWNER, Viewer
from ..selection.frames import read_layer

if TYPE_CHECKING:
    from ..places.check_limits import Limits
    from ..storage.store import Store

_RIGHT_CODE = Text("请核对代码。", "Check the code.")


def look(store: "Store", viewer: Viewer, kind: Kind, on: str, limits: "Limits", notebook: Notebook) -> None:
    """Note what is wrong with codes, parents and positions of one area layer."""
    frame = read_layer(store, kind.name, viewer, as_of=on)
    if not len(frame):
        return
    places = points_of(frame)
    _codes(store, kind, frame, places, notebook)
    if kind.parent_kind and store.versions([kind.parent_kind])[kind.parent_kind]:
        _parents(store, kind, frame, places, on, limits, notebook)
        _childless(store, viewer, kind, on, notebook)


def points_of(frame: GeoDataFrame) -> np.ndarray:
    """A place to click for each row, (n, 2) lon/lat; NaN without position."""
    at = shapely.point_on_surface(frame.geometry.to_numpy())
    return np.column_stack([shapely.get_x(at), shapely.get_y(at)])


def place(at: np.ndarray) -> dict[str, Any]:
    """lon and lat of a finding, when there are any."""
    return {"lon": float(at[0]), "lat": float(at[1])} if np.isfinite(at).all() else {}


def _codes(store: "Store", kind: Kind, frame: GeoDataFrame, places: np.ndarray, notebook: Notebook) -> None:
    codes = pd.Series(frame.index.to_numpy(dtype=object), dtype=object).astype("string")
    _, notes = hierarchy.read_keys(codes, kind, kind.key, cn12=store.codes == "cn12")
    for note in notes:
        finding = note.finding
        notebook.add(
            Finding(
                Text(f"{kind.label.zh}：{finding.what.zh}", f"{kind.label.en}: {finding.what.en}"),
                finding.mend,
                severity=finding.severity,
                column=kind.key,
                code=str(frame.index[note.at]),
                kind=finding.kind,
                **place(places[note.at]),
            )
        )
    twice = np.flatnonzero(frame.index.duplicated(keep="first"))
    notebook.rows(
        "duplicate",
        "error",
        twice,
        lambda at: Finding(
            Text(f"{kind.label.zh}代码重复。", f"{kind.label.en}: the code occurs more than once."),
            Text("同一天内每个代码只能有一条。", "On one day each code may stand once."),
            column=kind.key,
            code=str(frame.index[at]),
            kind="duplicate",
            **place(places[at]),
        ),
    )


def _parents(
    store: "Store",
    kind: Kind,
    frame: GeoDataFrame,
    places: np.ndarray,
    on: str,
    limits: "Limits",
    notebook: Notebook,
) -> None:
    label, above_label = kind.label, KINDS[kind.parent_kind].label
    above = area_set(store, kind.parent_kind, on)
    named = area_set(store, kind.name, on).frame["parent_code"]
    named = named[~named.index.duplicated()].reindex(frame.index.astype(str)).to_numpy(dtype=object)
    row = above.frame.index.get_indexer(pd.Index(named, dtype=object))
    row = np.where(pd.isna(named), -1, row)
    for at in np.flatnonzero(row < 0):
        missing = named[at] is None or pd.isna(named[at])
        what = (
            Text(f"{label.zh}没有上级{above_label.zh}。", f"{label.en}: no {above_label.en} above it is known.")
            if missing
            else Text(
                f"{label.zh}的上级代码 {named[at]} 不在{above_label.zh}图层中。",
                f"{label.en}: its parent {named[at]} is not in the layer {above_label.en}.",
            )
        )
        notebook.add(
            Finding(
                what,
                _RIGHT_CODE,
                severity="warning",
                column=kind.parent,
                code=str(frame.index[at]),
                kind="parent",
                **place(places[at]),
            )
        )
    outside = _elsewhere(above, row, places, limits.parent_distance_m)
    home = above.home(places[outside, 0], places[outside, 1])
    for at, there in zip(outside, home, strict=True):
        where = above.frame.index[there] if there >= 0 else None
        found = Text(f"，而在 {where} 内", f" but in {where}") if where else Text("", "")
        notebook.add(
            Finding(
                Text(
                    f"{label.zh}的位置不在其上级 {named[at]} 内{found.zh}。",
                    f"{label.en}: it does not lie in its parent {named[at]}{found.en}.",
                ),
                Text("请核对代码或位置。", "Check the code or the position."),
                severity="warning",
                column=kind.parent,
                code=str(frame.index[at]),
                kind="parent_position",
                **place(places[at]),
            )
        )


def _elsewhere(above: AreaSet, row: np.ndarray, places: np.ndarray, distance_m: float) -> np.ndarray:
    """Rows whose place lies farther than `distance_m` outside the real (not derived) area of their parent."""
    shapes = above.frame.geometry.to_numpy()
    real = ~above.frame["derived"].to_numpy(dtype=bool) & ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    asked = np.flatnonzero((row >= 0) & np.isfinite(places).all(axis=1))
    asked = asked[real[row[asked]]]
    out = asked[~shapely.intersects_xy(shapes[row[asked]], places[asked, 0], places[asked, 1])]
    if not len(out):
        return out
    zone = crs.metric_crs(shapely.total_bounds(shapely.points(places[out])))
    at = crs.transform_geometries(shapely.points(places[out]), crs.LONLAT, zone)
    parents = crs.transform_geometries(shapes[row[out]], crs.LONLAT, zone)
    return out[shapely.distance(at, parents) > distance_m]


def _childless(store: "Store", viewer: Viewer, kind: Kind, on: str, notebook: Notebook) -> None:
    """Parents that no row of the layer names, told as one line: a layer is often complete for some parents only."""
    parents = read_layer(store, kind.parent_kind, viewer, as_of=on, columns=["name"], geometry=False)
    children = read_layer(store, kind.name, OWNER, as_of=on, columns=[kind.parent], geometry=False)[kind.parent]
    if children.isna().any():
        children = area_set(store, kind.name, on).frame["parent_code"]
    without = parents.index[~parents.index.isin(children.dropna())]
    if not len(without):
        return
    listed = "、".join(str(code) for code in without[:5])
    above = KINDS[kind.parent_kind].label
    notebook.add(
        Finding(
            Text(
                f"{len(without)} 个{above.zh}没有{kind.label.zh}，例如 {listed}。",
                f"{len(without)} of the layer {above.en} have no {kind.label.en}, for example {listed.replace('、', ', ')}.",
            ),
            Text("如属正常可不处理。", "Nothing to do if this is as it should be."),
            severity="info",
            column=kind.parent,
            kind="no_children",
        )
    )
