"""Import: a file becomes rows of a layer, or a list of findings and nothing else.

The way of a file: read in the sandbox (`reading`), looked over as a whole (`survey`), placed (`projecting`), checked
and converted row by row (`preparing`), put under its parents (`hierarchy`), compared with what is kept (`matching`),
written under one pending change (`storing`). With errors nothing is stored unless the user says so.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from geo.errors import InputError
from geo.words import Text

from ..files import reading, staging
from ..files.formats import Refused
from ..findings import Finding
from ..limits import COMMAND_LINE, Limits
from ..places import homes
from ..rights import Viewer
from ..storage import schema
from .import_act import MODES, READ, Act, ImportOptions, ImportReport, Progress
from .import_layer import read_layer
from .import_store import store_reference, store_rows

if TYPE_CHECKING:
    from ..storage.store import Store

__all__ = ["MODES", "ImportOptions", "ImportReport", "import_file"]

_KEEP_NAME = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


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

    `name` is what the file is called by people, when `path` is not (an upload). `progress(share, None, message)` is
    called with the share of the work done, from 0 to 1; `cancelled` is asked between batches.

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
    act = Act(store, Path(path), options, viewer, progress, cancelled, limits)
    act.name = name or act.name
    try:
        return _run(act)
    except Refused as refused:
        act.notebook.add(refused.finding)
        return ImportReport(False, act.rows_read, 0, 0, act.notebook.all(), provenance=act.provenance)


def _run(act: Act) -> ImportReport:
    """Do it; `Refused` when the file cannot be imported at all."""
    if not act.path.is_file():
        raise InputError(Text("找不到文件。", "There is no such file."), where=act.path.name)
    digest = _digest(act)
    earlier = _earlier(act.store, digest, act.options.kind)
    if earlier is not None and not act.options.dry_run:
        return _again(act, earlier)
    with reading.opened(
        act.path,
        encoding=act.options.encoding,
        source_layer=act.options.source_layer,
        sheet=act.options.sheet,
        limits=act.limits,
        progress=lambda share: act.tell(share * READ, Text("正在读取", "reading")),
        cancelled=act.cancelled,
    ) as source:
        act.rows_read, act.headers = source.rows, source.columns
        act.notebook.extend(source.findings)
        return (store_reference if act.kind is None else store_rows)(act, read_layer(act, source), digest)


def _digest(act: Act) -> str:
    """The file and everything that shapes what becomes of it."""
    said = asdict(act.options) | {
        "dry_run": None,
        "as_of": str(act.options.as_of),
        "file": staging.sha256(act.path),
    }
    act.provenance = {
        "file": _KEEP_NAME.sub("", act.name)[:200],
        "sha256": said["file"],
        "options": {key: value for key, value in asdict(act.options).items() if value and key != "dry_run"}
        | {"as_of": str(act.options.as_of or "")},
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _again(act: Act, change_id: int) -> ImportReport:
    finding = Finding(
        Text(
            "同一文件已按同样的设置导入过，未再导入。",
            "This file was imported before with the same options; nothing was done.",
        ),
        severity="info",
        kind="already_imported",
    )
    return ImportReport(
        False, 0, 0, 0, [finding], change_id=change_id, already_imported=True, provenance=act.provenance
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
            if row.action == homes.ACTION:
                continue
            same = row.action == "import" and (row.key or "").startswith(f"import:{digest}:")
            return int(row.id) if same else None
    return None
