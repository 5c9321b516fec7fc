"""Import: a file becomes rows of a layer, or a list of findings and nothing else.

The way of a file: read in the sandbox (`reading`), looked over as a whole (`survey`), placed (`projecting`), checked
and converted row by row (`preparing`), put under its parents (`hierarchy`), compared with what is kept (`matching`),
written under one pending change (`storing`). With errors nothing is stored unless the user says so.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from geo import crs, datum
from geo.errors import InputError, WanggeError
from geo.words import Text

from . import (
    dates,
    frames,
    free_columns,
    hierarchy,
    judging,
    mapping,
    matching,
    placing,
    preparing,
    privacy,
    projecting,
    reading,
    rows,
    schema,
    storing,
)
from .columns import Style
from .findings import Finding
from .formats import Refused
from .history import day
from .kinds import BASELINE_DATE, Kind
from .limits import COMMAND_LINE, Limits
from .notebook import Notebook
from .rights import OWNER, Viewer
from .survey import Survey, look

if TYPE_CHECKING:
    from .store import Store

MODES = ("append", "replace", "update")
Progress = Callable[[float, float | None, Text | None], None]
_READ, _CHECKED, _STORED = 0.3, 0.6, 1.0  # shares of the work, for an honest bar
_SUSPECT_ROWS = 20_000
_KEEP_NAME = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user says about a file. `mapping` is {column: field}; fields are those of `kinds`, lon, lat, wkt.

    `mode`: append, replace (rows that are not in the file end), update (matched by key; empty cells change nothing).
    `as_of`: the day the rows begin to count. `skip_bad`: store the rest when some rows have errors. `repair`: mend
    invalid polygons instead of refusing them.
    """

    kind: str
    source_layer: str | None = None
    sheet: str | None = None
    encoding: str = "auto"
    crs: str = "auto"
    dates: str = "auto"
    mapping: dict[str, str] = field(default_factory=dict)
    mode: str = "append"
    as_of: date | str | None = None
    dry_run: bool = False
    skip_bad: bool = False
    repair: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file. `stored` False with error findings: refused, nothing changed."""

    stored: bool
    rows_read: int
    rows_stored: int
    rows_closed: int
    findings: list[Finding]
    change_id: int | None = None
    already_imported: bool = False
    rows_ready: int = 0
    rows_same: int = 0
    no_location: int = 0
    provenance: dict[str, Any] = field(default_factory=dict)


def import_file(
    store: "Store",
    path: str | Path,
    options: ImportOptions,
    *,
    viewer: Viewer,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    limits: Limits = COMMAND_LINE,
    name: str | None = None,
) -> ImportReport:
    """Import one layer of a file.

    `name` is what the file is called by people, when `path` is not (an upload). `progress(share, None, message)` is called with the share of the work done, from 0 to 1; `cancelled` is asked
    between batches.

    Raises
    ------
    InputError
        When an option makes no sense (no such layer, column, encoding, mode).
    RightsError
        When the viewer may not import.
    StoreError, ConflictError
        When the store cannot be written, or another import is writing the same layer.
    """
    viewer.require("import")
    run = _Run(store, Path(path), options, viewer, progress, cancelled, limits)
    run.name = name or run.name
    try:
        return run.run()
    except Refused as refused:
        run.notebook.add(refused.finding)
        return ImportReport(False, run.rows_read, 0, 0, run.notebook.all(), provenance=run.provenance)


class _Run:
    """One import from beginning to end."""

    def __init__(
        self,
        store: "Store",
        path: Path,
        options: ImportOptions,
        viewer: Viewer,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        limits: Limits,
    ) -> None:
        if options.mode not in MODES:
            raise InputError(
                Text(f"不认识的方式“{options.mode[:20]}”。", f"'{options.mode[:20]}' is not a known mode."),
                where="--mode",
                mend=Text(f"可选：{'、'.join(MODES)}。", f"One of {', '.join(MODES)}."),
            )
        self.store, self.path, self.viewer, self.limits = store, path, viewer, limits
        self.name = path.name
        self.kind = mapping.kind_of(options.kind)
        self.options = replace(
            options, crs=projecting.require_choice(options.crs), dates=dates.require_order(options.dates)
        )
        self.on = day(options.as_of)
        if options.mode == "update" and (self.kind is None or not self.kind.key):
            raise InputError(
                Text("该图层没有编码，不能按编码更新。", "This layer has no key, so rows cannot be updated by it."),
                where="--mode",
                mend=Text("请用 append 或 replace。", "Use append or replace."),
            )
        self.notebook = Notebook(limits.findings_per_kind)
        self.rows_read = 0
        self.headers: list[str] = []
        self.provenance: dict[str, Any] = {}
        self._progress, self._cancelled = progress, cancelled

    def run(self) -> ImportReport:
        """Do it; `Refused` when the file cannot be imported at all."""
        if not self.path.is_file():
            raise InputError(Text("找不到文件。", "There is no such file."), where=self.path.name)
        digest = self._digest()
        earlier = _earlier(self.store, digest, self.options.kind)
        if earlier is not None and not self.options.dry_run:
            return self._again(earlier)
        with reading.opened(
            self.path,
            encoding=self.options.encoding,
            source_layer=self.options.source_layer,
            sheet=self.options.sheet,
            limits=self.limits,
            progress=lambda share: self._tell(share * _READ, Text("正在读取", "reading")),
            cancelled=self._cancelled,
        ) as source:
            self.rows_read, self.headers = source.rows, source.columns
            self.notebook.extend(source.findings)
            return self._imported(source, digest)

    def _digest(self) -> str:
        """The file and everything that shapes what becomes of it."""
        said = asdict(self.options) | {
            "dry_run": None,
            "as_of": str(self.options.as_of),
            "file": reading.sha256(self.path),
        }
        self.provenance = {
            "file": _KEEP_NAME.sub("", self.name)[:200],
            "sha256": said["file"],
            "options": {key: value for key, value in asdict(self.options).items() if value and key != "dry_run"}
            | {"as_of": str(self.options.as_of or "")},
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()

    def _again(self, change_id: int) -> ImportReport:
        finding = Finding(
            Text(
                "同一文件已按同样的设置导入过，未再导入。",
                "This file was imported before with the same options; nothing was done.",
            ),
            severity="info",
            kind="already_imported",
        )
        return ImportReport(
            False, 0, 0, 0, [finding], change_id=change_id, already_imported=True, provenance=self.provenance
        )

    def _imported(self, source: reading.Source, digest: str) -> ImportReport:
        chosen = self._mapping(source)
        survey = look(
            source,
            chosen,
            self.kind,
            dates_choice=self.options.dates,
            keep=self._code_columns(chosen),
            keys=self._code_columns(chosen),
            cancelled=self._check_cancelled,
        )
        chosen = self._without_personal(source, chosen, survey)
        judging.columns(self.kind, source.columns, chosen, survey, self.notebook)
        frame = self._frame(source, chosen, survey)
        setting, notes = self._setting(source, chosen, survey, frame)
        prepared = preparing.prepare(
            source, survey, setting, self.notebook, checked=lambda rows: self._checked(rows, source.rows)
        )
        if survey.located:
            suspected = self._suspected(survey, prepared) if self.options.crs == "auto" else None
            judging.positions(self.kind, survey, prepared, frame, self.notebook)
            finding = projecting.suspicion(suspected, chosen.datum if self.options.crs == "auto" else "")
            if finding is not None:
                self.notebook.add(finding)
        self._note(prepared, notes)
        self.provenance |= {
            "format": source.format.name,
            "layer": source.layer,
            "encoding": source.encoding,
            "crs": frame.name if survey.located else None,
            "rows": source.rows,
        }
        if self.kind is None:
            return self._stored_reference(source, prepared, setting, digest)
        return self._stored(source, survey, prepared, chosen, digest)

    def _stored_reference(
        self, source: reading.Source, prepared: preparing.Prepared, setting: preparing.Setting, digest: str
    ) -> ImportReport:
        """A reference layer is replaced as a whole, with all its columns."""
        name = self.options.kind
        judging.reference(self.store, name, self.options.mode, self.viewer, self.notebook)
        keep = ~prepared.blank & ~prepared.bad
        report, blocked = self._report(source, keep)
        if blocked or self.options.dry_run:
            return report
        if not keep.any():
            return replace(report, findings=[*report.findings, judging.nothing()])

        def batches() -> Iterator[pd.DataFrame]:
            for start, batch in prepared.batches():
                frame, shapes = preparing.frame_of(batch, keep[start : start + batch.num_rows])
                yield free_columns.named(frame, shapes, setting.free_fields, source.columns)

        change_id = self._opened(name, digest)
        try:
            total = int(keep.sum())
            parts = storing.told(batches(), lambda rows: self._wrote(rows, total))
            stored = rows.insert_rows(self.store, change_id, name, parts)
            self._check_cancelled()
            self.store.finish_change(change_id, [name], {"inserted": stored})
        except BaseException:
            self.store.abandon_change(change_id)
            raise
        return replace(report, stored=True, rows_stored=stored, change_id=change_id)

    def _report(self, source: reading.Source, keep: np.ndarray) -> tuple[ImportReport, bool]:
        """The report so far, and whether errors forbid storing."""
        findings = self.notebook.all()
        blocked = self.notebook.errors > 0 and (not self.options.skip_bad or judging.about_file(findings))
        report = ImportReport(
            False,
            source.rows,
            0,
            0,
            findings,
            rows_ready=int(keep.sum()),
            no_location=self.notebook.count("no_location"),
            provenance=self.provenance,
        )
        return report, blocked

    def _opened(self, kind_name: str, digest: str) -> int:
        """A pending change for this import."""
        version = self.store.versions([kind_name])[kind_name]
        return self.store.open_change(
            self.viewer.name,
            "import",
            kinds=[kind_name],
            details=self.provenance,
            source=self.provenance["file"],
            key=f"import:{digest}:{version}",
        )

    # -- what the columns are ------------------------------------------------------------------------------------

    def _mapping(self, source: reading.Source) -> mapping.Mapping:
        proposed = mapping.propose(source.columns, self.kind)
        remembered = mapping.recall(self.store, self.options.kind, source.columns)
        try:
            proposed = mapping.apply(source.columns, proposed, remembered, self.kind)
        except InputError:
            remembered = {}  # kinds may have changed since
        chosen = mapping.apply(source.columns, proposed, self.options.mapping, self.kind)
        if source.geometry and not set(self.options.mapping.values()) & set(mapping.POSITION):
            # The geometry says where a row is; columns beside it that look like coordinates are just columns.
            fields = {column: name for column, name in chosen.fields.items() if name not in mapping.POSITION}
            return mapping.Mapping(fields)
        return chosen

    def _code_columns(self, chosen: mapping.Mapping) -> frozenset[int]:
        if self.kind is None:
            return frozenset()
        names = {self.kind.key, self.kind.parent} if self.kind.is_area or self.kind.name == "staffing" else set()
        if self.kind.name == "camera":
            names = {self.kind.key}
        return frozenset(column for column, name in chosen.fields.items() if name in names - {""})

    def _without_personal(self, source: reading.Source, chosen: mapping.Mapping, survey: Survey) -> mapping.Mapping:
        self.notebook.extend(privacy.findings(source.columns, survey.personal))
        kept = {column: name for column, name in chosen.fields.items() if column not in survey.personal}
        return mapping.Mapping(kept, chosen.datum)

    # -- where things are ----------------------------------------------------------------------------------------

    def _frame(self, source: reading.Source, chosen: mapping.Mapping, survey: Survey) -> projecting.Frame:
        if not survey.located:
            return projecting.Frame()
        outline = self._outline()
        near = tuple(outline.bounds) if outline is not None else None
        stated = source.crs if source.geometry else None
        frame, findings = projecting.decide(stated, self.options.crs, survey.bounds, near)  # type: ignore[arg-type]
        self.notebook.extend(findings)
        return frame

    def _outline(self) -> Any:
        try:
            return frames.outline(self.store, OWNER, self.on)
        except WanggeError:
            return None

    def _setting(
        self, source: reading.Source, chosen: mapping.Mapping, survey: Survey, frame: projecting.Frame
    ) -> tuple[preparing.Setting, list[hierarchy.Note]]:
        kind = self.kind
        notes: list[hierarchy.Note] = []
        codes: dict[str, np.ndarray] = {}
        style = Style(survey.date_order, self.store.place_offset_h, self.limits.cell_chars)
        key_column = chosen.column_of(kind.key) if kind and kind.key else None
        if kind is not None and key_column is not None and key_column in survey.texts:
            cn12 = self.store.codes == "cn12"
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
        setting = preparing.Setting(
            kind=kind,
            mapping=chosen,
            frame=frame,
            style=style,
            limits=self.limits,
            repair=self.options.repair,
            zone=self._zone(survey, frame),
            codes=codes,
            free_fields=free_columns.fields_of(source, survey.personal) if kind is None else {},
        )
        return setting, notes

    def _zone(self, survey: Survey, frame: projecting.Frame) -> Any:
        """The zone whose centimetre grid villages and grids live on: that of the county, else of the layer itself.

        Areas of a free store stay as delivered: rounding the blocks of a real city to the centimetre moved 27 of 10,377
        points to the block next door.
        """
        if self.store.codes == "free":
            return None
        if self.kind is None or not self.kind.centimetre or survey.extents is None or survey.bounds is None:
            return None
        outline = self._outline()
        if outline is not None:
            return crs.metric_crs(outline.bounds)
        xmin, ymin, xmax, ymax = survey.bounds
        lon, lat = frame.to_lonlat(np.array([xmin, xmax]), np.array([ymin, ymax]))
        if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
            return None
        return crs.metric_crs((float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())))

    def _suspected(self, survey: Survey, prepared: preparing.Prepared) -> datum.DatumSuspicion | None:
        outline = self._outline()
        good = np.isfinite(prepared.lon) & ~prepared.bad
        if good.sum() > _SUSPECT_ROWS:
            # Evenly spread over the file: twenty thousand positions say the same as a million.
            good &= np.arange(len(good)) % (len(good) // _SUSPECT_ROWS) == 0
        lon, lat = prepared.lon[good], prepared.lat[good]
        if not len(lon) or bool(datum.outside_china(lon, lat).all()):
            return None
        known = self._off_known(prepared, good)
        if known is not None or outline is None:
            return known
        if survey.extents is not None and "polygon" in prepared.families:
            shapes = np.concatenate(
                [preparing.frame_of(b, np.ones(b.num_rows, bool))[1] for _, b in prepared.batches()]
            )
            return datum.suspect_datum_areas(shapes, outline)
        return datum.suspect_datum(lon, lat, outline)

    def _off_known(self, prepared: preparing.Prepared, good: np.ndarray) -> datum.DatumSuspicion | None:
        """Villages that are kept already show an offset best: the same codes, at other places."""
        if self.kind is None or not self.kind.is_area or prepared.keys is None:
            return None
        kept = frames.read_layer(self.store, self.kind.name, OWNER, as_of=self.on, columns=())
        if not len(kept):
            return None
        places = kept.geometry.representative_point()
        known = pd.DataFrame({"lon": places.x, "lat": places.y})
        known = known[~known.index.duplicated()].reindex(pd.Index(prepared.keys[good], dtype=object))
        return datum.suspect_offset(
            prepared.lon[good], prepared.lat[good], known["lon"].to_numpy(), known["lat"].to_numpy()
        )

    # -- storing -------------------------------------------------------------------------------------------------

    def _note(self, prepared: preparing.Prepared, notes: list[hierarchy.Note]) -> None:
        for note in notes:
            if prepared.blank[note.at]:
                continue
            lon, lat = prepared.lon[note.at], prepared.lat[note.at]
            place = {"lon": float(lon), "lat": float(lat)} if np.isfinite(lon) else {}
            self.notebook.add(replace(note.finding, row=int(prepared.rows[note.at]), **place))
            if note.finding.severity == "error":
                prepared.bad[note.at] = True

    def _stored(
        self,
        source: reading.Source,
        survey: Survey,
        prepared: preparing.Prepared,
        chosen: mapping.Mapping,
        digest: str,
    ) -> ImportReport:
        kind = self.kind
        assert kind is not None
        on, notebook = self.on, self.notebook
        usable = ~prepared.blank
        overrides = self._parents(kind, source, survey, prepared, chosen)
        kept = matching.read_kept(self.store, kind, self.viewer, on)
        judging.duplicates(prepared, usable, notebook)
        judging.against_kept(self.store, kind, prepared, usable, kept, self.options.mode, on, notebook)
        homes = placing.homes(self.store, kind, prepared, on)
        overrides |= homes
        judging.inside_scope(self.store, kind, prepared, usable, overrides, self.viewer, on, notebook)
        judging.overlaps(kind, prepared, usable & ~prepared.bad, notebook)
        if homes:
            judging.homeless(prepared, usable & ~prepared.bad, homes["village_code"], notebook)
        keep = usable & ~prepared.bad
        report, blocked = self._report(source, keep)
        if blocked or self.options.dry_run:
            return report
        if not keep.any() and self.options.mode != "replace":
            return replace(report, findings=[*report.findings, judging.nothing()])
        first = kind.versioned and self.options.as_of is None and not matching.has_rows(self.store, kind)
        job = storing.Job(
            kind=kind,
            mode=self.options.mode,
            prepared=prepared,
            keep=keep,
            kept=kept if self.options.mode != "append" else matching.Kept(kept.frame.iloc[:0]),
            on=self.on,
            valid_from=BASELINE_DATE if first else self.on,
            overrides=overrides,
        )
        change_id, written = self._write(kind, job, digest)
        return replace(
            report,
            stored=True,
            rows_stored=written.inserted,
            rows_closed=written.ended,
            rows_same=written.same,
            change_id=change_id,
        )

    def _write(self, kind: Kind, job: storing.Job, digest: str) -> tuple[int, storing.Written]:
        change_id = self._opened(kind.name, digest)
        total = int(job.keep.sum())
        try:
            written = storing.write(self.store, change_id, job, progress=lambda rows: self._wrote(rows, total))
            self._check_cancelled()
            counts = {"inserted": written.inserted, "ended": written.ended, "same": written.same}
            self.store.finish_change(change_id, [kind.name], counts, answer=counts)
        except BaseException:
            self.store.abandon_change(change_id)
            raise
        if self.options.mapping:
            with self.store.change(self.viewer.name, "remember_mapping", details={"kind": kind.name}) as change:
                mapping.remember(change.connection, kind.name, self.headers, self.options.mapping)
        placing.refresh(self.store, kind, self.viewer.name)
        return change_id, written

    def _parents(
        self,
        kind: Kind,
        source: reading.Source,
        survey: Survey,
        prepared: preparing.Prepared,
        chosen: mapping.Mapping,
    ) -> dict[str, np.ndarray]:
        """The parent codes of an area layer, as a column over all rows."""
        if not kind.is_area or not kind.parent_kind or prepared.keys is None:
            return {}
        column = chosen.column_of(kind.parent)
        values, notes = hierarchy.parents(
            self.store,
            kind,
            prepared.keys,
            survey.texts[column] if column is not None else None,
            prepared.lon,
            prepared.lat,
            self.on,
            source.columns[column] if column is not None else "",
        )
        self._note(prepared, notes)
        return {kind.parent: values}

    # -- small things --------------------------------------------------------------------------------------------

    def _tell(self, share: float, message: Text) -> None:
        if self._progress is not None:
            self._progress(share, None, message)

    def _check_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Refused(
                Finding(
                    Text("导入已取消，未改变任何数据。", "The import was cancelled; nothing was changed."),
                    kind="cancelled",
                )
            )

    def _checked(self, rows: int, total: int) -> None:
        self._check_cancelled()
        self._tell(_READ + (_CHECKED - _READ) * rows / max(1, total), Text(f"已检查 {rows} 行", f"{rows} rows checked"))

    def _wrote(self, rows: int, total: int) -> None:
        self._check_cancelled()
        self._tell(
            _CHECKED + (_STORED - _CHECKED) * rows / max(1, total), Text(f"已写入 {rows} 行", f"{rows} rows stored")
        )


def _earlier(store: "Store", digest: str, kind_name: str) -> int | None:
    """The change by which the very same import was made, when nothing has touched the layer since."""
    with store.read() as connection:
        rows = connection.execute(
            select(schema.change.c.id, schema.change.c.key, schema.change.c.action, schema.change.c.kinds)
            .where(schema.change.c.state == "done", schema.change.c.kinds.like(f'%"{kind_name}"%'))
            .order_by(schema.change.c.id.desc())
        )
        for row in rows:
            if row.action == placing.ACTION:
                continue
            same = row.action == "import" and (row.key or "").startswith(f"import:{digest}:")
            return int(row.id) if same else None
    return None
