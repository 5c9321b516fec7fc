"""The second half of an import: under parents, against what is kept, and into the store as one change."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from ..files import mapping, reading
from ..kinds import BASELINE_DATE, Kind
from ..places import hierarchy, matching
from ..places.check_limits import read_limits
from ..storage import rows
from . import comparing, free_columns, judging, placing, storing
from .import_act import Act, ImportReport
from .import_layer import Layer
from .prepared import Prepared, frame_of
from .survey import Survey


def store_reference(act: Act, layer: Layer, digest: str) -> ImportReport:
    """A reference layer is replaced as a whole, with all its columns."""
    source, prepared, fields = layer.source, layer.prepared, layer.setting.free_fields
    name = act.options.kind
    comparing.reference(act.store, name, act.options.mode, act.viewer, act.notebook)
    keep = ~prepared.blank & ~prepared.bad
    report, blocked = act.report(source, keep)
    if blocked or act.options.dry_run:
        return report
    if not keep.any():
        return replace(report, findings=[*report.findings, judging.nothing()])

    def batches() -> Iterator[pd.DataFrame]:
        for start, batch in prepared.batches():
            frame, shapes = frame_of(batch, keep[start : start + batch.num_rows])
            yield free_columns.named(frame, shapes, fields, source.columns)

    change_id = act.opened(name, digest)
    try:
        total = int(keep.sum())
        parts = storing.told(batches(), lambda rows: act.wrote(rows, total))
        stored = rows.insert_rows(act.store, change_id, name, parts)
        act.check_cancelled()
        act.store.finish_change(change_id, [name], {"inserted": stored})
    except BaseException:
        act.store.abandon_change(change_id)
        raise
    return replace(report, stored=True, rows_stored=stored, change_id=change_id)


def store_rows(act: Act, layer: Layer, digest: str) -> ImportReport:
    """Compare the rows with what is kept and write them, unless errors or a dry run forbid it."""
    source, survey, prepared, chosen = layer.source, layer.survey, layer.prepared, layer.setting.mapping
    kind = act.kind
    assert kind is not None
    on, notebook = act.on, act.notebook
    usable = ~prepared.blank
    overrides = _parents(act, kind, source, survey, prepared, chosen)
    kept = matching.read_kept(act.store, kind, act.viewer, on)
    comparing.duplicates(prepared, usable, notebook)
    comparing.against_kept(act.store, kind, prepared, usable, kept, act.options.mode, on, notebook)
    homes = placing.find(act.store, kind, prepared, on)
    overrides |= homes
    comparing.inside_scope(act.store, kind, prepared, usable, overrides, act.viewer, on, notebook)
    least = read_limits(act.store).area_m2
    judging.overlaps(kind, prepared, usable & ~prepared.bad, notebook, least_m2=least)
    if homes:
        comparing.homeless(prepared, usable & ~prepared.bad, homes["village_code"], notebook)
    keep = usable & ~prepared.bad
    report, blocked = act.report(source, keep)
    if blocked or act.options.dry_run:
        return report
    if not keep.any() and act.options.mode != "replace":
        return replace(report, findings=[*report.findings, judging.nothing()])
    first = kind.versioned and act.options.as_of is None and not matching.has_rows(act.store, kind)
    job = storing.Job(
        kind=kind,
        mode=act.options.mode,
        prepared=prepared,
        keep=keep,
        kept=kept if act.options.mode != "append" else matching.Kept(kept.frame.iloc[:0]),
        on=act.on,
        valid_from=BASELINE_DATE if first else act.on,
        overrides=overrides,
        spared=_spared(prepared, usable & prepared.bad, keep),
    )
    change_id, written = _write(act, kind, job, digest)
    return replace(
        report,
        stored=True,
        rows_stored=written.inserted,
        rows_closed=written.ended,
        rows_same=written.same,
        change_id=change_id,
    )


def _write(act: Act, kind: Kind, job: storing.Job, digest: str) -> tuple[int, storing.Written]:
    change_id = act.opened(kind.name, digest)
    total = int(job.keep.sum())
    try:
        written = storing.write(act.store, change_id, job, progress=lambda rows: act.wrote(rows, total))
        act.check_cancelled()
        counts = {"inserted": written.inserted, "ended": written.ended, "same": written.same}
        act.store.finish_change(change_id, [kind.name], counts, answer=counts)
    except BaseException:
        act.store.abandon_change(change_id)
        raise
    if act.options.mapping:
        with act.store.change(act.viewer.name, "remember_mapping", details={"kind": kind.name}) as change:
            mapping.remember(change.connection, kind.name, act.headers, act.options.mapping)
    placing.refresh(act.store, kind, act.viewer.name)
    return change_id, written


def _parents(
    act: Act,
    kind: Kind,
    source: reading.Source,
    survey: Survey,
    prepared: Prepared,
    chosen: mapping.Mapping,
) -> dict[str, np.ndarray]:
    """The parent codes of an area layer, as a column over all rows."""
    if not kind.is_area or not kind.parent_kind or prepared.keys is None:
        return {}
    column = chosen.column_of(kind.parent)
    values, notes = hierarchy.parents(
        act.store,
        kind,
        prepared.keys,
        survey.texts[column] if column is not None else None,
        prepared.lon,
        prepared.lat,
        act.on,
        source.columns[column] if column is not None else "",
    )
    act.note(prepared, notes)
    return {kind.parent: values}


def _spared(prepared: Prepared, skipped: np.ndarray, keep: np.ndarray) -> frozenset[str]:
    """Keys that the file has, but in no row that can be stored."""
    if prepared.keys is None:
        return frozenset()
    return frozenset(key for key in prepared.keys[skipped] if key is not None) - frozenset(prepared.keys[keep])
