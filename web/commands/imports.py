"""`wangge import`: files into a layer, all of them or none; findings on the terminal and in a file."""

import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import InputError
from geo.words import Text

from .store import open_store, viewer_of
from .terminal import Progress, language, say, say_findings

if TYPE_CHECKING:
    from layers.findings import Finding
    from layers.imports.importing import ImportReport
    from layers.rights import Viewer
    from layers.storage.store import Store

REFUSED = 1


def run(arguments: Namespace) -> int:
    """Import every file; when one is refused, those before it are taken back."""
    _require_files(arguments)
    with open_store(arguments.store) as store:
        viewer = viewer_of(store, arguments.account)
        viewer.require("import")
        reports: list[tuple[str, ImportReport]] = []
        findings: list[tuple[str, Finding]] = []
        status = 0
        for name in arguments.files:
            try:
                report = _import(store, viewer, arguments, name, first=not reports)
            except BaseException:
                _take_back(store, reports)
                raise
            reports.append((name, report))
            findings += [(name, finding) for finding in report.findings]
            say_findings(report.findings)
            if not _accepted(arguments, report):
                status = REFUSED
                break
        if status == REFUSED:
            _take_back(store, reports)
        if arguments.findings:
            write_findings(Path(arguments.findings), findings, name_files=len(arguments.files) > 1)
    for name, report in reports:
        _tell(arguments, name, report, refused=status == REFUSED)
    return status


def _require_files(arguments: Namespace) -> None:
    for name in arguments.files:
        if not Path(name).exists():
            raise InputError(Text(f"找不到文件 {name[:200]}。", f"There is no file {name[:200]}."), where="FILE")
    if arguments.findings:
        target = Path(arguments.findings)
        if target.suffix.lower() not in (".csv", ".json"):
            raise InputError(
                Text("问题清单应为 .csv 或 .json 文件。", "The findings go to a .csv or .json file."),
                where="--findings",
            )
        if not target.absolute().parent.is_dir():
            raise InputError(
                Text(f"没有文件夹 {target.parent}。", f"There is no folder {target.parent}."), where="--findings"
            )


def _import(store: "Store", viewer: "Viewer", arguments: Namespace, name: str, *, first: bool) -> "ImportReport":
    from layers.imports.importing import ImportOptions, import_file

    # Several files replace a layer together: the first empties it, the others add to it.
    mode = "append" if arguments.mode == "replace" and not first else arguments.mode
    options = ImportOptions(
        kind=arguments.layer,
        source_layer=arguments.source_layer,
        sheet=arguments.sheet,
        encoding=arguments.encoding,
        crs=arguments.crs,
        dates=arguments.dates,
        mapping=dict(arguments.map),
        mode=mode,
        as_of=arguments.as_of,
        dry_run=arguments.dry_run,
        skip_bad=arguments.skip_bad,
        repair=arguments.repair,
    )
    with Progress(Text(f"导入 {Path(name).name}", f"importing {Path(name).name}")) as progress:
        return import_file(store, Path(name), options, viewer=viewer, progress=progress)


def _accepted(arguments: Namespace, report: "ImportReport") -> bool:
    from layers.findings import has_errors

    if report.stored or report.already_imported:
        return True
    return arguments.dry_run and (arguments.skip_bad or not has_errors(report.findings))


def _take_back(store: "Store", reports: "list[tuple[str, ImportReport]]") -> None:
    from layers.imports.undoing import undo_change

    for _, report in reversed(reports):
        if report.stored and not report.already_imported and report.change_id is not None:
            undo_change(store, report.change_id, "owner")


def _tell(arguments: Namespace, name: str, report: "ImportReport", *, refused: bool) -> None:
    file = Path(name).name
    if refused:
        message = Text(f"{file}：什么也没有保存。", f"{file}: nothing was stored.")
    elif report.already_imported:
        message = Text(f"{file}：同样的文件已导入过，未重复导入。", f"{file}: imported before, not imported again.")
    elif arguments.dry_run:
        message = Text(
            f"{file}：检查完毕，读到 {report.rows_read} 行，未保存。",
            f"{file}: checked {report.rows_read} rows, stored nothing.",
        )
    else:
        message = Text(
            f"{file}：读到 {report.rows_read} 行，保存 {report.rows_stored} 行"
            + (f"，终止 {report.rows_closed} 行。" if report.rows_closed else "。"),
            f"{file}: read {report.rows_read} rows, stored {report.rows_stored}"
            + (f", ended {report.rows_closed}." if report.rows_closed else "."),
        )
    say(message)


def write_findings(path: Path, findings: "list[tuple[str, Finding]]", *, name_files: bool = False) -> None:
    """Findings as rows of a JSON array or of a CSV file that spreadsheets open safely.

    `name_files` puts the file's name before each row, for several files.
    """
    import csv

    from layers.exports.tables_out import neutralise
    from layers.findings import COLUMNS

    rows = [
        ({"file": Path(name).name} if name_files else {}) | finding.as_row(language()) for name, finding in findings
    ]
    columns = [*(["file"] if name_files else []), *COLUMNS]
    try:
        if path.suffix.lower() == ".json":
            path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", errors="replace")
            return
        with path.open("w", newline="", encoding="utf-8-sig", errors="replace") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            for row in rows:
                writer.writerow([neutralise(v) if isinstance(v, str) else v for v in (row[c] for c in columns)])
    except OSError as error:
        raise InputError(
            Text(f"问题清单没有写成：{error.strerror}。", f"The findings could not be written: {error.strerror}."),
            where="--findings",
        ) from None
