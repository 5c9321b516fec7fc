"""One import in progress: what was asked for, what was found so far, and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import InputError, WanggeError
from geo.words import Text

from .. import dates
from ..files import mapping, reading
from ..files.formats import Refused
from ..findings import Finding
from ..limits import Limits
from ..notebook import Notebook
from ..places import hierarchy
from ..rights import OWNER, Viewer
from ..selection import frames
from ..storage.history import day
from . import judging, projecting
from .prepared import Prepared

if TYPE_CHECKING:
    from ..storage.store import Store

MODES = ("append", "replace", "update")
Progress = Callable[[float, float | None, Text | None], None]
READ, CHECKED, STORED = 0.3, 0.6, 1.0
"""Shares of the work that are behind when a file is read, checked, stored: for an honest bar."""


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


class Act:
    """One import from beginning to end. `rows_read`, `headers` and `provenance` fill as it goes."""

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
        self._progress, self.cancelled = progress, cancelled

    def outline(self) -> Any:
        """The outline of the county, lon/lat; None without one."""
        try:
            return frames.outline(self.store, OWNER, self.on)
        except WanggeError:
            return None

    def report(self, source: reading.Source, keep: np.ndarray) -> tuple[ImportReport, bool]:
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

    def opened(self, kind_name: str, digest: str) -> int:
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

    def note(self, prepared: Prepared, notes: list[hierarchy.Note]) -> None:
        """Note what concerns single positions of the layer; errors make their rows unfit to be stored."""
        for note in notes:
            if prepared.blank[note.at]:
                continue
            lon, lat = prepared.lon[note.at], prepared.lat[note.at]
            place: dict[str, Any] = {"lon": float(lon), "lat": float(lat)} if np.isfinite(lon) else {}
            self.notebook.add(replace(note.finding, row=int(prepared.rows[note.at]), **place))
            if note.finding.severity == "error":
                prepared.bad[note.at] = True

    def tell(self, share: float, message: Text) -> None:
        """Tell whoever waits how far the work is."""
        if self._progress is not None:
            self._progress(share, None, message)

    def check_cancelled(self) -> None:
        """Stop when the user wants to."""
        if self.cancelled is not None and self.cancelled():
            raise Refused(
                Finding(
                    Text("导入已取消，未改变任何数据。", "The import was cancelled; nothing was changed."),
                    kind="cancelled",
                )
            )

    def checked(self, rows: int, total: int) -> None:
        """So many rows are checked."""
        self.check_cancelled()
        self.tell(READ + (CHECKED - READ) * rows / max(1, total), Text(f"已检查 {rows} 行", f"{rows} rows checked"))

    def wrote(self, rows: int, total: int) -> None:
        """So many rows are written."""
        self.check_cancelled()
        self.tell(CHECKED + (STORED - CHECKED) * rows / max(1, total), Text(f"已写入 {rows} 行", f"{rows} rows stored"))
