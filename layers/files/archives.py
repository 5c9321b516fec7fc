"""Archives: the directory is checked before anything is unpacked, and unpacking counts what really comes out.

Only zip (also .kmz) and gzip, one level deep. Members get names made here (`part<n>.<suffix>`), so a name in an
archive is never a path; shapefile parts of one layer keep one number.
"""

import gzip
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from ..limits import MB, Limits
from .formats import READ_SUFFIXES, SIDE_FILES, refuse

_CHUNK = 1 << 20
_PACKED = frozenset({".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".kmz"})
_BOMB_ZH, _BOMB_EN = "压缩包展开后过大，已拒绝。", "The archive unpacks to too much and is refused."


def _bomb() -> Exception:
    return refuse("archive", _BOMB_ZH, _BOMB_EN)


def unpack_gzip(path: Path, target: Path, limits: Limits) -> Path:
    """Unpack a .gz file to `target`, stopping at the limits of size and ratio."""
    most = min(limits.unpacked, max(MB, path.stat().st_size * limits.ratio))
    try:
        with gzip.open(path, "rb") as source:
            _copy_counted(source, target, most)
    except (OSError, EOFError, zlib.error) as error:
        raise refuse("archive", "压缩文件（gz）已损坏。", "The gzip file is damaged.") from error
    return target


def unpack_zip(path: Path, folder: Path, limits: Limits) -> dict[str, Path]:
    """Unpack the readable members of a zip into `folder`; returns layer name (as written in the zip) -> main file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _unpack(archive, folder, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise refuse(
            "archive", "压缩包已损坏、加密或无法展开。", "The archive is damaged, encrypted or cannot be unpacked."
        ) from error


def check_directory(path: Path, limits: Limits) -> None:
    """Refuse a zip (also an XLSX) whose directory promises too many, too large or too dense members."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive.infolist(), limits)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise refuse("archive", "压缩包已损坏。", "The archive is damaged.") from error


def _check(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.members:
        raise refuse(
            "archive",
            f"压缩包内文件多于 {limits.members} 个，已拒绝。",
            f"The archive holds more than {limits.members} files and is refused.",
        )
    if sum(member.file_size for member in members) > limits.unpacked:
        raise _bomb()
    for member in members:
        if member.file_size > MB and member.file_size > limits.ratio * max(1, member.compress_size):
            raise _bomb()
        if stat.S_ISLNK(member.external_attr >> 16):
            raise refuse("archive", "压缩包内有链接，已拒绝。", "The archive holds links and is refused.")


def _unpack(archive: zipfile.ZipFile, folder: Path, limits: Limits) -> dict[str, Path]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    _check(members, limits)
    if any(PurePosixPath(member.filename).suffix.lower() in _PACKED for member in members):
        raise refuse(
            "archive", "压缩包内又有压缩包，请先展开。", "There is an archive inside the archive: unpack it first."
        )
    numbers: dict[str, int] = {}
    layers: dict[str, Path] = {}
    left = limits.unpacked
    for member in members:
        name = _member_name(member)
        pure = PurePosixPath(name.replace("\\", "/"))
        suffix = pure.suffix.lower()
        if suffix not in READ_SUFFIXES | set(SIDE_FILES) or pure.name.startswith(".") or "__MACOSX" in pure.parts:
            continue
        if pure.name.lower().endswith(".provenance.json"):  # where an export says what it is made of
            continue
        stem = str(pure.with_suffix("")).lower()
        target = folder / f"part{numbers.setdefault(stem, len(numbers))}{suffix}"
        if target.exists():
            raise refuse("archive", "压缩包内有重名文件。", "The archive holds two files of one name.")
        with archive.open(member) as source:
            most = min(left, max(MB, limits.ratio * max(1, member.compress_size)))
            left -= _copy_counted(source, target, most)
        if suffix in READ_SUFFIXES and (suffix != ".dbf"):
            layers[pure.stem] = target
    if not layers:  # a .dbf alone is a table; beside a .shp it is a part of it
        layers = {path.stem: path for path in sorted(folder.glob("part*.dbf"))}
    if not layers:
        raise refuse("archive", "压缩包内没有可导入的文件。", "The archive holds no file that can be imported.")
    return layers


def _copy_counted(source: Any, target: Path, most: int) -> int:
    """Copy at most `most` bytes; headers may lie, so what counts is what comes out."""
    size = 0
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise _bomb()
            file.write(chunk)
    return size


def _member_name(member: zipfile.ZipInfo) -> str:
    """The name as its author wrote it: without the UTF-8 flag, Chinese Windows writes GBK."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return member.filename
