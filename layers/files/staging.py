"""Puts a file from outside into a work folder under a name made here, unpacked if it is an archive."""

import hashlib
import shutil
import zipfile
from pathlib import Path

from geo.words import Text

from ..limits import Limits
from .archives import unpack_gzip, unpack_zip
from .formats import SHAPEFILE, SIDE_FILES, XLSX, Format, refuse

_CHUNK = 1 << 20


def sha256(path: Path) -> str:
    """Hash of a file and, for a shapefile, of the files beside it that belong to it."""
    digest = hashlib.sha256()
    for part in parts_of(path):
        with part.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def parts_of(path: Path) -> list[Path]:
    """The file and, for a shapefile, its side files, whatever the case of their suffixes."""
    if path.suffix.lower() not in (".shp", ".dbf"):
        return [path]
    wanted = SIDE_FILES if path.suffix.lower() == ".shp" else (".dbf", ".cpg")
    beside = [part for part in path.parent.iterdir() if part.stem == path.stem and part.suffix.lower() in wanted]
    return sorted(part for part in beside if part.is_file())


def stage(
    path: Path, folder: Path, source_layer: str | None, limits: Limits, previewing: bool
) -> tuple[Path, str | None, list[str]]:
    """Copy the file in under a name made here; the file to read, the layer in it, and the layers of an archive."""
    if sum(part.stat().st_size for part in parts_of(path)) > limits.upload:
        most = limits.upload // 1_000_000
        raise refuse(
            "limit",
            f"文件大于 {most} MB。",
            f"The file is larger than {most} MB.",
            Text("请把文件分成几份再导入。", "Split the file and import the parts."),
        )
    suffix = path.suffix.lower()
    if suffix == ".gz":
        inner = Path(path.stem).suffix.lower()
        return unpack_gzip(path, folder / f"upload{inner}", limits), source_layer, []
    if suffix in (".zip", ".kmz"):
        unpacked = unpack_zip(path, folder, limits)
        names = list(unpacked)
        if len(names) == 1:
            inner_layer = None if source_layer in names else source_layer
            return unpacked[names[0]], inner_layer, []
        if source_layer is None and not previewing:
            raise refuse(
                "layer",
                f"压缩包中有 {len(names)} 个图层，请选择一个。",
                f"The archive has {len(names)} layers: choose one.",
                Text(
                    f"可选图层：{'、'.join(names[:20])}（--source-layer 名称）",
                    f"Layers: {', '.join(names[:20])} (--source-layer NAME)",
                ),
            )
        chosen = source_layer or names[0]
        if chosen not in unpacked:
            raise refuse(
                "layer",
                "压缩包中没有所选图层。",
                "The archive has no layer of that name.",
                Text(f"可选图层：{'、'.join(names[:20])}", f"Layers: {', '.join(names[:20])}"),
            )
        return unpacked[chosen], chosen, names
    for part in parts_of(path):
        shutil.copyfile(part, folder / f"upload{part.suffix.lower()}")
    return folder / f"upload{suffix}", None if suffix == ".shp" else source_layer, []


def size_of(main: Path, format_: Format) -> int:
    """Bytes the child has to work through: an XLSX counts unpacked, a shapefile with its table."""
    if format_ is XLSX:
        with zipfile.ZipFile(main) as archive:
            return sum(member.file_size for member in archive.infolist())
    if format_ is SHAPEFILE:
        return sum(part.stat().st_size for part in parts_of(main))
    return main.stat().st_size
