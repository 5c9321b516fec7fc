"""The attribute table, page by page: rows of a layer, of the coverage figures or of the hotspots."""

from datetime import date
from typing import Any

import pandas as pd
import shapely
from apiflask import APIBlueprint
from flask import Response

from geo.errors import InputError
from geo.words import Text
from layers.kinds import KINDS
from layers.places import areas
from layers.selection import frames
from layers.storage import history
from layers.storage.schema import own_fields

from . import api, current, etags, figures, values
from .known import all_columns, require_kind, versions_needed
from .language import language
from .parameters import takes
from .parents import narrowed
from .search import search_terms

blueprint = APIBlueprint("tables", __name__, tag="table")
FIGURES = ("coverage", "hotspots")


@blueprint.get("/api/v1/table/<kind>")
@blueprint.doc(summary="One page of a layer's rows")
@takes("page", "size", "sort", "where", "q", "bbox", "parent", "as_of", *figures.COVERAGE_TAKES, *figures.HOTSPOT_TAKES)
def table(kind: str, **asked: Any) -> Response:
    """Columns, rows, and how many there are in all."""
    if kind in FIGURES:
        made = figures.coverage_result if kind == "coverage" else figures.hotspot_result
        return etags.answer_json(
            None, [kind, asked, figures.rules_state(asked["rule_set"])], lambda: _of_figures(made(asked), asked)
        )
    require_kind(kind)
    return etags.answer_json(versions_needed(kind), asked, lambda: _of_layer(kind, asked))


def _sort(asked: dict[str, Any], known: tuple[str, ...]) -> tuple[str, bool] | None:
    """(column, ascending) of "column:asc"; None when no order is asked for."""
    if not asked["sort"]:
        return None
    name, _, way = asked["sort"].partition(":")
    if name not in known or way not in ("", "asc", "desc"):
        raise InputError(
            Text(f"不能按“{name[:40]}”排序。", f"Cannot sort by '{name[:40]}'."),
            where="sort",
            mend=Text("写法：字段:asc 或 字段:desc。", "Write column:asc or column:desc."),
        )
    return name, way != "desc"


def _of_layer(kind: str, asked: dict[str, Any]) -> dict[str, Any]:
    known = all_columns(kind)
    order = _sort(asked, (*known, "fid"))
    known_on = asked["known_on"]
    as_of = figures.day_of(asked) or date.fromisoformat(history.day_of(known_on))
    asks = narrowed(asked["parent"], as_of)
    where = asked["where"]
    if asked["q"]:
        if where:
            # A filter that is only right between our brackets is not right.
            frames.read_layer(current.store(), kind, asks, as_of=as_of, where=where, limit=0)
        where = f"({where}) and ({search_terms(kind, asked['q'])})" if where else search_terms(kind, asked["q"])
    frame, total = frames.read_page(
        current.store(),
        kind,
        asks,
        as_of=as_of,
        bbox=asked["bbox"],
        where=where,
        known_on=known_on,
        order=[f"{'' if order[1] else '-'}{order[0]}"] if order else None,
        limit=asked["size"],
        offset=(asked["page"] - 1) * asked["size"],
    )
    return {
        "columns": _columns(kind, known),
        "rows": _rows(kind, frame, known),
        "total": total,
        "page": asked["page"],
        "size": asked["size"],
    }


def _columns(kind: str, known: tuple[str, ...]) -> list[dict[str, Any]]:
    if kind in KINDS:
        return [api.describe(field) for field in own_fields(KINDS[kind])]
    listed = next(e for e in frames.list_layers(current.store(), current.viewer()) if e["kind"] == kind)
    return [{**column, "label": column["label"][language()]} for column in listed["columns"]]


def _rows(kind: str, frame: pd.DataFrame, known: tuple[str, ...]) -> list[dict[str, Any]]:
    key = KINDS[kind].key if kind in KINDS and KINDS[kind].is_area else "fid"
    ids = values.column(frame[key]) if len(frame) else []
    return [{"id": one, **row} for one, row in zip(ids, values.full_rows(frame, ["fid", *known]), strict=True)]


def _chosen(frame: pd.DataFrame, asked: dict[str, Any], order: tuple[str, bool] | None) -> tuple[pd.DataFrame, int]:
    """Search, order and page of rows in memory; rows without a value come last in both orders."""
    if asked["q"]:
        wanted = asked["q"].casefold()
        found = pd.Series(False, index=frame.index)
        for name in frame.columns:
            if frame[name].dtype == object or pd.api.types.is_string_dtype(frame[name]):
                found |= frame[name].astype("string").str.casefold().str.contains(wanted, regex=False, na=False)
        frame = frame[found]
    if order:
        frame = frame.sort_values(order[0], ascending=order[1], kind="stable", na_position="last")
    start = (asked["page"] - 1) * asked["size"]
    return frame.iloc[start : start + asked["size"]], len(frame)


def _in_view(rows: pd.DataFrame, result: Any, bbox: tuple[float, float, float, float] | None) -> pd.DataFrame:
    """The rows whose cell or area meets the window; the rows are the viewer's own, so no shape adds any."""
    if bbox is None:
        return rows
    west, south, east, north = bbox
    if "cell" in rows:
        return rows[rows["lon"].between(west, east) & rows["lat"].between(south, north)]
    shapes = areas.area_set(current.store(), result.unit, result.boundaries.on).frame.geometry
    seen = shapes.index[shapely.intersects(shapes.to_numpy(), shapely.box(west, south, east, north))]
    return rows[rows["code"].isin(seen)]


def _of_figures(result: Any, asked: dict[str, Any]) -> dict[str, Any]:
    rows: pd.DataFrame = result.rows.reset_index() if result.rows.index.name else result.rows
    frame, total = _chosen(_in_view(rows, result, asked["bbox"]), asked, _sort(asked, tuple(map(str, rows.columns))))
    names = [str(name) for name in rows.columns if name != "geometry"]
    listed = values.full_rows(frame, names)
    key = next((name for name in ("code", "cell") if name in names), names[0])
    return {
        "columns": [figures.describe_column(name, rows[name]) for name in names],
        "rows": [{"id": row[key], **row} for row in listed],
        "total": total,
        "page": asked["page"],
        "size": asked["size"],
    }
