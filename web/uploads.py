"""Uploads: streamed to a work folder of ours under names made by us, and looked at by the reading sandbox.

The sender's file name is kept as a value to show; only its suffix, when it is one of the readable ones, becomes part
of a path.
"""

import contextlib
import json
import re
import secrets
import shutil
import tempfile
import time
import unicodedata
from pathlib import Path
from typing import IO, Any

from apiflask import APIBlueprint
from flask import Request, Response, current_app, g, jsonify, request
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from geo.errors import InputError, LimitError, NotFoundError
from geo.words import Text
from layers.files import formats, reading

from . import current, etags
from .errors import RequestRefused
from .language import language
from .parameters import takes

blueprint = APIBlueprint("uploads", __name__, tag="import")
SUFFIXES = frozenset({*formats.READ_SUFFIXES, *formats.SIDE_FILES, ".zip", ".kmz", ".gz"})
_ID = re.compile(r"[0-9a-f]{32}\Z")
_DESCRIPTION = "description.json"
_MOST_PARTS = 8


class UploadRequest(Request):
    """A request whose files go straight to the upload's own folder, and only for an upload that will be taken."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        upload = g.get("upload")
        if upload is None:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        return upload.open_part(filename or "")


class Upload:
    """One upload: a folder with a random name, its parts, and a description with owner and original name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._parts: list[tuple[str, Path]] = []
        self._open: list[IO[bytes]] = []

    @classmethod
    def new(cls) -> "Upload":
        """A fresh, empty folder."""
        folder = work_folder() / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        return cls(folder)

    def open_part(self, name: str) -> IO[bytes]:
        """A file for the next part; a part of an unreadable format is not kept."""
        suffix = suffix_of(name)
        double = suffix_of(Path(name).stem) if suffix == ".gz" else ""
        taken = suffix in SUFFIXES and len(self._parts) < _MOST_PARTS
        path = self.folder / f"upload{double if double in SUFFIXES else ''}{suffix}"
        if not taken or path.exists():
            raise InputError(
                Text(f"不能导入此类文件：{shown(name)}", f"This kind of file cannot be imported: {shown(name)}"),
                where="file",
                mend=formats.READABLE,
            )
        self._parts.append((name, path))
        stream = path.open("w+b")
        self._open.append(stream)
        return stream

    def close(self) -> None:
        """Close the parts that were written."""
        for stream in self._open:
            stream.close()

    @property
    def main(self) -> tuple[str, Path] | None:
        """Original name and path of the file to read: the .shp of a shapefile, else the only part."""
        for name, path in self._parts:
            if path.suffix == ".shp" or len(self._parts) == 1:
                return name, path
        return None

    def describe(self) -> dict[str, Any]:
        """What was written about it."""
        return json.loads((self.folder / _DESCRIPTION).read_text("utf-8"))

    def save_description(self, facts: dict[str, Any]) -> None:
        """Write owner, name, path and time."""
        (self.folder / _DESCRIPTION).write_text(json.dumps(facts, ensure_ascii=False), "utf-8")

    @property
    def path(self) -> Path:
        """The file to read."""
        return self.folder / Path(self.describe()["file"]).name

    def remove(self) -> None:
        """Delete the folder."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def suffix_of(name: str) -> str:
    """The lower-case suffix of a foreign file name, when it is plain."""
    found = re.search(r"\.[A-Za-z0-9]{1,10}\Z", name)
    return found.group(0).lower() if found else ""


def shown(name: str) -> str:
    """A foreign file name fit for a page: last part, no control or direction characters, at most 120 characters."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(c for c in last if unicodedata.category(c)[0] != "C")[:120]


def work_folder() -> Path:
    """The folder of uploads and downloads in the making, ours alone."""
    folder = current_app.extensions.get("wangge_work")
    if folder is None:
        given = current_app.config["WORK_FOLDER"]
        folder = Path(given).absolute() if given else Path(tempfile.mkdtemp(prefix="wangge-work-"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        current_app.extensions["wangge_work"] = folder
    return folder


def sweep() -> None:
    """Delete uploads that have been lying longer than they are kept, and downloads that could not be deleted at once."""
    oldest = time.time() - current_app.config["UPLOAD_KEEP_S"]
    for folder in work_folder().iterdir():
        with contextlib.suppress(OSError):
            if _ID.match(folder.name.removeprefix("out-")) and folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)


def find(upload: str) -> Upload:
    """An upload of the caller; another's reads like none at all."""
    if _ID.match(upload):
        found = Upload(work_folder() / upload)
        with contextlib.suppress(OSError, ValueError):
            if found.describe()["owner"] == current.viewer().name:
                return found
    raise NotFoundError(
        Text("没有这个上传文件，或已过期。", "There is no such upload, or it has expired."),
        where="upload",
        mend=Text("请重新上传。", "Upload it again."),
    )


@blueprint.post("/api/v1/uploads")
@blueprint.doc(summary="Upload a file (multipart field `file`; a plain shapefile as several)")
def upload() -> Response:
    """The upload's id and a first look at it."""
    # Before anything is written: a body without a valid token is not worth a file.
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise InputError(Text("页面已过期。", "The page has expired."), where="X-CSRFToken") from error
    sweep()
    made = g.upload = Upload.new()
    try:
        files = request.files.getlist("file")
        made.close()
        main = made.main
        if not files or main is None:
            raise InputError(Text("没有收到文件。", "No file came."), where="file", mend=formats.READABLE)
        size = sum(path.stat().st_size for path in made.folder.iterdir())
        if size > current.setting("UPLOAD_MAX_BYTES"):
            raise LimitError(Text("文件超过大小上限。", "The file is larger than allowed."), where="file")
        name, path = main
        made.save_description(
            {
                "owner": current.viewer().name,
                "name": shown(name),
                "file": path.name,
                "size": size,
                "at": int(time.time()),
            }
        )
        looked = look(made, {})
    except BaseException:
        made.remove()
        raise
    return jsonify(upload=made.id, name=shown(name), size=size, preview=looked)


@blueprint.get("/api/v1/uploads/<upload>/preview")
@blueprint.doc(summary="Look at an upload again with another encoding, layer, sheet or coordinate system")
@takes("encoding", "layer", "sheet", "crs", "what")
def preview(upload: str, **asked: Any) -> Response:
    """Layers, columns, sample rows, encoding and coordinate system as they would be read."""
    found = find(upload)
    response = Response(etags.to_json(look(found, asked)), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def look(found: Upload, asked: dict[str, Any]) -> dict[str, Any]:
    """The preview of an upload in the reader's language; a file that is refused answers with its finding."""
    try:
        seen = reading.preview(
            found.path,
            encoding=asked.get("encoding") or "auto",
            source_layer=asked.get("layer"),
            sheet=asked.get("sheet"),
            kind=asked.get("what"),
        )
    except formats.Refused as refused:
        raise FileRefused(refused.finding.what, status=422, where="file", mend=refused.finding.mend) from None
    body = seen.as_dict()
    body["findings"] = [finding.as_row(language()) for finding in seen.findings]
    return body


class FileRefused(RequestRefused):
    """A file that cannot be imported, with the reason."""

    code = "file"
