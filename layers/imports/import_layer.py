"""The first half of an import: columns, codes, positions and datum of a layer decided, every row checked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geo import crs, datum
from geo.errors import InputError
from geo.words import Text

from ..files import mapping, privacy, reading
from ..files.cells import Style
from ..findings import Finding
from ..places import hierarchy
from ..rights import OWNER
from ..selection import frames
from . import free_columns, judging, preparing, projecting
from .import_act import Act
from .prepared import Prepared, Setting, frame_of
from .survey import Survey, look

_SUSPECT_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that has been read and checked."""

    source: reading.Source
    survey: Survey
    prepared: Prepared
    setting: Setting


def read_layer(act: Act, source: reading.Source) -> Layer:
    """Read, place and check every row of a layer; what is wrong goes to the notebook of `act`."""
    chosen = _mapping(act, source)
    survey = look(
        source,
        chosen,
        act.kind,
        dates_choice=act.options.dates,
        keep=_code_columns(act, chosen),
        keys=_code_columns(act, chosen),
        cancelled=act.check_cancelled,
    )
    chosen = _without_personal(act, source, chosen, survey)
    judging.columns(act.kind, source.columns, chosen, survey, act.notebook)
    frame = _frame(act, source, chosen, survey)
    setting, notes = _setting(act, source, chosen, survey, frame)
    prepared = preparing.prepare(
        source, survey, setting, act.notebook, checked=lambda rows: act.checked(rows, source.rows)
    )
    if survey.located:
        suspected = _suspected(act, survey, prepared) if act.options.crs == "auto" else None
        judging.positions(act.kind, survey, prepared, frame, act.notebook)
        finding = projecting.suspicion(suspected, chosen.datum if act.options.crs == "auto" else "")
        if finding is not None:
            act.notebook.add(finding)
    act.note(prepared, notes)
    act.provenance |= {
        "format": source.format.name,
        "layer": source.layer,
        "encoding": source.encoding,
        "crs": frame.name if survey.located else None,
        "rows": source.rows,
    }
    return Layer(source, survey, prepared, setting)


def _mapping(act: Act, source: reading.Source) -> mapping.Mapping:
    proposed = mapping.propose(source.columns, act.kind)
    remembered = mapping.recall(act.store, act.options.kind, source.columns)
    try:
        proposed = mapping.apply(source.columns, proposed, remembered, act.kind)
    except InputError:
        remembered = {}  # kinds may have changed since
    chosen = mapping.apply(source.columns, proposed, act.options.mapping, act.kind)
    if source.geometry and not set(act.options.mapping.values()) & set(mapping.POSITION):
        # The geometry says where a row is; columns beside it that look like coordinates are just columns.
        fields = {column: name for column, name in chosen.fields.items() if name not in mapping.POSITION}
        return mapping.Mapping(fields)
    return chosen


def _code_columns(act: Act, chosen: mapping.Mapping) -> frozenset[int]:
    if act.kind is None:
        return frozenset()
    names = {act.kind.key, act.kind.parent} if act.kind.is_area or act.kind.name == "staffing" else set()
    if act.kind.name == "camera":
        names = {act.kind.key}
    return frozenset(column for column, name in chosen.fields.items() if name in names - {""})


def _without_personal(act: Act, source: reading.Source, chosen: mapping.Mapping, survey: Survey) -> mapping.Mapping:
    act.notebook.extend(privacy.findings(source.columns, survey.personal))
    kept = {column: name for column, name in chosen.fields.items() if column not in survey.personal}
    return mapping.Mapping(kept, chosen.datum)


def _frame(act: Act, source: reading.Source, chosen: mapping.Mapping, survey: Survey) -> projecting.Frame:
    if not survey.located:
        return projecting.Frame()
    outline = act.outline()
    near = tuple(outline.bounds) if outline is not None else None
    stated = source.crs if source.geometry else None
    frame, findings = projecting.decide(stated, act.options.crs, survey.bounds, near)
    act.notebook.extend(findings)
    return frame


def _setting(
    act: Act, source: reading.Source, chosen: mapping.Mapping, survey: Survey, frame: projecting.Frame
) -> tuple[Setting, list[hierarchy.Note]]:
    kind = act.kind
    notes: list[hierarchy.Note] = []
    codes: dict[str, np.ndarray] = {}
    style = Style(survey.date_order, act.store.place_offset_h, act.limits.cell_chars)
    key_column = chosen.column_of(kind.key) if kind and kind.key else None
    if kind is not None and key_column is not None and key_column in survey.texts:
        cn12 = act.store.codes == "cn12"
        keys, notes = hierarchy.read_keys(survey.texts[key_column], kind, source.columns[key_column], cn12=cn12)
        if kind.name == "camera" and cn12:
            notes += hierarchy.read_devices(keys)
        codes[kind.key] = keys
        if kind.is_area or kind.name == "staffing":
            notes += [
                hierarchy.Note(
                    at,
                    Finding(
                        Text("没有代码。", "The code is missing."),
                        Text("请补充代码。", "Add the code."),
                        column=source.columns[key_column],
                        kind="code",
                    ),
                )
                for at, key in enumerate(keys)
                if key is None
            ]
    setting = Setting(
        kind=kind,
        mapping=chosen,
        frame=frame,
        style=style,
        limits=act.limits,
        repair=act.options.repair,
        zone=_zone(act, survey, frame),
        codes=codes,
        free_fields=free_columns.fields_of(source, survey.personal) if kind is None else {},
    )
    return setting, notes


def _zone(act: Act, survey: Survey, frame: projecting.Frame) -> Any:
    """The zone whose centimetre grid villages and grids live on: that of the county, else of the layer itact.

    Areas of a free store stay as delivered: rounding the blocks of a real city to the centimetre moved 27 of 10,377
    points to the block next door.
    """
    if act.store.codes == "free":
        return None
    if act.kind is None or not act.kind.centimetre or survey.extents is None or survey.bounds is None:
        return None
    outline = act.outline()
    if outline is not None:
        return crs.metric_crs(outline.bounds)
    xmin, ymin, xmax, ymax = survey.bounds
    lon, lat = frame.to_lonlat(np.array([xmin, xmax]), np.array([ymin, ymax]))
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return crs.metric_crs((float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())))


def _suspected(act: Act, survey: Survey, prepared: Prepared) -> datum.DatumSuspicion | None:
    outline = act.outline()
    good = np.isfinite(prepared.lon) & ~prepared.bad
    if good.sum() > _SUSPECT_ROWS:
        # Evenly spread over the file: twenty thousand positions say the same as a million.
        good &= np.arange(len(good)) % (len(good) // _SUSPECT_ROWS) == 0
    lon, lat = prepared.lon[good], prepared.lat[good]
    if not len(lon) or bool(datum.outside_china(lon, lat).all()):
        return None
    known = _off_known(act, prepared, good)
    if known is not None or outline is None:
        return known
    if survey.extents is not None and "polygon" in prepared.families:
        shapes = np.concatenate([frame_of(b, np.ones(b.num_rows, bool))[1] for _, b in prepared.batches()])
        return datum.suspect_datum_areas(shapes, outline)
    return datum.suspect_datum(lon, lat, outline)


def _off_known(act: Act, prepared: Prepared, good: np.ndarray) -> datum.DatumSuspicion | None:
    """Villages that are kept already show an offset best: the same codes, at other places."""
    if act.kind is None or not act.kind.is_area or prepared.keys is None:
        return None
    kept = frames.read_layer(act.store, act.kind.name, OWNER, as_of=act.on, columns=())
    if not len(kept):
        return None
    places = kept.geometry.representative_point()
    known = pd.DataFrame({"lon": places.x, "lat": places.y})
    known = known[~known.index.duplicated()].reindex(pd.Index(prepared.keys[good], dtype=object))
    return datum.suspect_offset(
        prepared.lon[good], prepared.lat[good], known["lon"].to_numpy(), known["lat"].to_numpy()
    )
