"""What a view shows, in lon/lat with classes and words: the print map and the standalone map are made of the same."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.words import Text

from ..exports import export_source
from ..figures import derived
from ..figures.provenance import layer_sources, product
from ..kinds import AREA_KINDS, KINDS
from ..places.areas import area_set
from ..rights import Viewer
from ..selection import frames
from ..storage import known, references
from ..storage.history import today
from . import cartography
from .print_sheet import Extent

if TYPE_CHECKING:
    from ..storage.store import Store

_PER_SOURCE = 40
_LINEAR = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Options:
    """What the maker of a print chose; see `printing.print_map`."""

    language: str
    as_of: str
    title: str | None = None
    approval_number: str = ""
    unit_name: str = ""
    bbox: Extent | None = None
    where: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Content:
    """What a view shows, in lon/lat, and what it says of itself.

    `area_rows` and `point_rows` are the rows of the table of the same view (`export_source.read`) that the areas and
    the points (or lines) stand for.
    """

    title: Text
    subtitle: Text
    answer: Text
    provenance: dict[str, Any]
    codes: pd.Series
    names: pd.Series
    shapes: np.ndarray
    derived: np.ndarray
    classes: cartography.Classes | None
    level: str
    area_rows: np.ndarray
    drawn_on: str  # the day whose boundaries are drawn
    points: np.ndarray | None = None
    point_classes: cartography.Classes | None = None
    point_rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    point_names: tuple[Any, ...] = ()


def read_content(store: "Store", viewer: Viewer, view: str, options: Options) -> Content:
    """What `view` ("coverage", "hotspots", a kind, `reference:NAME`) shows to the viewer."""
    export_source.require_options(view, options.figures)
    if store.known_on is not None:
        known.require_history(view)
    if view == "coverage":
        return _coverage(store, viewer, options)
    if view == "hotspots":
        return _hotspots(store, viewer, options)
    return _layer(store, viewer, view, options)


def _coverage(store: "Store", viewer: Viewer, options: Options) -> Content:
    result = derived.coverage(store, viewer, as_of=options.as_of, where=options.where, **options.figures)
    rows, rule, unit = result.rows, result.rule, KINDS[result.unit].label
    asked, within, back = f"{rule.threshold:g}", result.boundaries.words(), _looked_back(store)
    return Content(
        title=Text(f"{rule.label.zh}缺口图", f"coverage gaps, {rule.label.en}"),
        subtitle=Text(
            f"标准：{rule.formula.zh}，门槛 {asked}（按{unit.zh}统计） · 截至 {result.as_of} · {within.zh}{back.zh}",
            f"Standard: {rule.formula.en}, threshold {asked}, per {unit.en} · as of {result.as_of} · {within.en}{back.en}",
        ),
        answer=result.sentence(),
        provenance=result.provenance,
        codes=rows["code"],
        names=rows["name"],
        shapes=export_source.unit_shapes(store, viewer, result.unit, result.boundaries.on, rows["code"]),
        derived=rows["derived"].to_numpy(dtype=bool),
        classes=cartography.shortfall_classes(
            rows["shortfall"].to_numpy(dtype=float, na_value=np.nan),
            rows["state"].to_numpy(),
            unit=rule.amount,
            limits=rule.colour_limits,
        ),
        level=result.unit,
        area_rows=np.arange(len(rows)),
        drawn_on=result.boundaries.on,
    )


def _looked_back(store: "Store") -> Text:
    """The end of a subtitle: by what was known at which moment, nothing for a map of now."""
    if store.known_on is None:
        return Text("", "")
    told = known.words(store.known_on)
    return Text(f" · {told.zh}", f" · {told.en}")


def _hotspots(store: "Store", viewer: Viewer, options: Options) -> Content:
    result = derived.hotspots(store, viewer, as_of=options.as_of, where=options.where, **options.figures)
    rows = result.rows
    cells, within, back = result.unit == "cell", result.boundaries.words(), _looked_back(store)
    classes = cartography.significance_classes(rows)
    hot, cold = int(rows["hot"].fillna(False).sum()), int(rows["cold"].fillna(False).sum())
    unit = Text("统计单元", "cells") if cells else KINDS[result.unit].label
    return Content(
        title=Text("事件热点图", "hot spots of incidents"),
        subtitle=Text(
            f"按{unit.zh}的邻域计数检验，错误发现率校正 · 截至 {result.as_of} · {within.zh}{back.zh}",
            f"Neighbourhood count test per {unit.en}, false discovery rate corrected · as of {result.as_of} · {within.en}{back.en}",
        ),
        answer=Text(
            f"{len(rows):,} 个{unit.zh}中，热点 {hot} 个，冷点 {cold} 个。",
            f"{hot} hot and {cold} cold of {len(rows):,} {unit.en}.",
        ),
        provenance=result.provenance,
        codes=rows["cell" if cells else "code"],
        names=rows["name"] if "name" in rows else pd.Series([""] * len(rows)),
        shapes=export_source.hotspot_shapes(store, viewer, result),
        derived=rows["derived"].to_numpy(dtype=bool) if "derived" in rows else np.zeros(len(rows), dtype=bool),
        classes=classes,
        level="cell" if cells else result.unit,
        area_rows=np.arange(len(rows)),
        drawn_on=result.boundaries.on,
    )


def _layer(store: "Store", viewer: Viewer, view: str, options: Options) -> Content:
    frame = frames.read_layer(store, view, viewer, as_of=options.as_of, where=options.where)
    if view in KINDS:
        label = KINDS[view].label
    else:
        with store.read() as connection:
            label = references.title(connection, view)
    shapes, made = np.asarray(frame.geometry.array, dtype=object), np.zeros(len(frame), dtype=bool)
    if view in AREA_KINDS and options.where is None:
        areas = area_set(store, view, options.as_of).frame.reindex(frame.index.astype(str))
        shapes, made = np.asarray(areas.geometry.array, dtype=object), areas["derived"].fillna(False).to_numpy(bool)
    kinds = shapely.get_type_id(shapes)
    surface = np.isin(kinds, (3, 6))
    others = ~surface & (kinds >= 0) & ~shapely.is_empty(shapes)
    point_classes = None
    if view == "camera":
        point_classes = cartography.camera_classes(frame["status"][others].tolist())
    elif others.any():
        point_classes = cartography.mark_classes(label, np.isin(kinds[others], _LINEAR), view)
    lost = int((~surface & ~others).sum())
    back = _looked_back(store)
    found = Text(f"共 {len(frame):,} 个{label.zh}", f"{label.en}: {len(frame):,} in all")
    return Content(
        title=Text(f"{label.zh}分布图", f"{label.en} map"),
        subtitle=Text(f"截至 {options.as_of}{back.zh}", f"As of {options.as_of}{back.en}"),
        answer=Text(
            found.zh + (f"，其中 {lost:,} 个没有位置。" if lost else "。"),
            found.en + (f", {lost:,} without position." if lost else "."),
        ),
        provenance={
            "as_of": options.as_of,
            "known_on": store.known_on,
            "layers": layer_sources(store, [view]),
            "notes": [] if store.known_on is None else [known.note(store.known_on).as_dict()],
        },
        codes=frame.index.to_series()[surface].astype(str),
        names=frame["name"][surface] if "name" in frame else pd.Series([""] * int(surface.sum())),
        shapes=shapes[surface],
        derived=made[surface],
        classes=cartography.plain_classes(label, int(surface.sum())) if surface.any() else None,
        level=view if view in AREA_KINDS else "shape",
        area_rows=np.flatnonzero(surface),
        drawn_on=options.as_of,
        points=shapes[others],
        point_classes=point_classes,
        point_rows=np.flatnonzero(others),
        point_names=tuple(frame["name"][others]) if "name" in frame else (None,) * int(others.sum()),
    )


def visible_areas(store: "Store", viewer: Viewer, kind: str, as_of: str) -> pd.DataFrame:
    """The areas of a kind that the viewer may see, with their shapes (derived ones too); empty when there are none."""
    areas = area_set(store, kind, as_of).frame
    seen = frames.read_layer(store, kind, viewer, as_of=as_of, columns=[], geometry=False).index.astype(str)
    areas = areas[areas.index.isin(seen)]
    return areas[areas.geometry.notna()]


def full_title(content: Content, place: str, options: Options) -> str:
    """What is shown and where, unless the maker chose a title."""
    if options.title:
        return options.title
    title = content.title.to(options.language)
    if options.language == "en":
        return f"{place}: {title}" if place else title[:1].upper() + title[1:]
    return place + title


def place_name(store: "Store", viewer: Viewer, as_of: str) -> str:
    """The name of the county when there is one; empty otherwise."""
    counties = frames.read_layer(store, "county", viewer, as_of=as_of, columns=["name"], geometry=False)
    names = [str(name) for name in counties.get("name", []) if name]
    return names[0] if len(names) == 1 else ""


def source_lines(content: Content, language: str) -> list[str]:
    """Source layers with version and date, the rule set with its date, and what a reader must know."""
    told = content.provenance
    sources = []
    for layer in told.get("layers", []):
        label = KINDS[layer["kind"]].label if layer["kind"] in KINDS else Text(layer["kind"], layer["kind"])
        named = str(layer.get("source") or "")
        named = named if len(named) <= _PER_SOURCE else named[:_PER_SOURCE] + "…"
        told_of = [part for part in (named, str(layer.get("imported_at") or "")[:10]) if part]
        sources.append(
            Text(
                f"{label.zh}第 {layer['version']} 版" + (f"（{'，'.join(told_of)}）" if told_of else ""),
                f"{label.en} v{layer['version']}" + (f" ({', '.join(told_of)})" if told_of else ""),
            )
        )
    listed = Text("；".join(each.zh for each in sources), "; ".join(each.en for each in sources))
    lines = [Text(f"资料：{listed.zh}", f"Sources: {listed.en}")]
    if rules := told.get("rule_set"):
        label, source = Text.from_dict(rules["label"]), Text.from_dict(rules["source"])
        origin = Text(source.zh.rstrip("。"), source.en.rstrip("."))
        lines.append(
            Text(
                f"规则集：{label.zh}（{origin.zh}，{rules['date']}）；统计时点 {told['as_of']}",
                f"Rule set: {label.en} ({origin.en}, {rules['date']}); figures as of {told['as_of']}",
            )
        )
    lines += [Text.from_dict(note) for note in told.get("notes", [])]
    return [line.to(language) for line in lines]


def imprint(options: Options) -> list[str]:
    """Who made the map and when, the approval number or a line for it, and the program."""
    made = today().isoformat()
    unit = options.unit_name or "＿" * 8
    number = options.approval_number or "＿" * 8
    words = [
        Text(f"编制单位：{unit}", f"Made by: {unit}"),
        Text(f"制图日期：{made}", f"Made on: {made}"),
        Text(f"审图号：{number}", f"Map approval no. (审图号): {number}"),
        Text(product(), product()),
    ]
    return [word.to(options.language) for word in words]
