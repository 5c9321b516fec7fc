"""Basemaps from files: raster tiles of the MBTiles and PMTiles files in one folder, named by the file."""

import threading
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app

from geo.errors import NotFoundError
from geo.tilegeom import require_tile
from geo.words import Text
from layers.files.tilefiles import IMAGE_TYPES, MbTiles, PmTiles, open_tiles

from . import current, description
from .parameters import whole

blueprint = APIBlueprint("basemaps", __name__, tag="map")
SUFFIXES = (".mbtiles", ".pmtiles")
_DAY_S = 24 * 3600
_BIGGEST = 2**31
_opening = threading.Lock()


def folder() -> Path | None:
    """Where basemap files lie: the setting, else `basemaps` beside the store file."""
    given = current_app.config["BASEMAP_FOLDER"]
    if given:
        return Path(given)
    path = current.store().path
    return path.parent / "basemaps" if path else None


def files() -> dict[str, Path]:
    """Basemap files by name; a caller's name is looked up here and never becomes a path."""
    place = folder()
    if place is None or not place.is_dir():
        return {}
    return {path.stem: path for path in sorted(place.iterdir()) if path.suffix.lower() in SUFFIXES and path.is_file()}


def listed() -> list[dict[str, Any]]:
    """All basemaps for the page: the files first, then the online ones of the settings."""
    found = []
    for name in files():
        about = _tiles(name).about
        found.append(
            {
                "name": name,
                "url": f"/basemap/{name}/{{z}}/{{x}}/{{y}}",
                "attribution": about.attribution,
                "datum": "gcj02" if "gcj02" in name.lower() else "wgs84",
                "max_zoom": about.max_zoom,
            }
        )
    return [*found, *(dict(basemap) for basemap in current.setting("BASEMAPS"))]


def _tiles(name: str) -> MbTiles | PmTiles:
    path = files().get(name)
    if path is None:
        raise NotFoundError(Text("没有这个底图。", "There is no such basemap."), where="basemap")
    opened: dict[Path, MbTiles | PmTiles] = current_app.extensions.setdefault("wangge_basemaps", {})
    with _opening:
        if path not in opened:
            opened[path] = open_tiles(path)
    return opened[path]


@blueprint.get("/basemap/<name>/<z>/<x>/<y>")
@blueprint.doc(
    summary="A raster tile of a basemap file", responses=description.sends(*IMAGE_TYPES.values(), nothing=True)
)
def basemap(name: str, z: str, x: str, y: str) -> Response:
    """The image; 204 where the file has none."""
    place = tuple(whole(word, -_BIGGEST, _BIGGEST)(given) for word, given in (("z", z), ("x", x), ("y", y)))
    require_tile(*place)
    tiles = _tiles(name)
    image = tiles.tile(*place)
    response = Response(image or b"", status=200 if image else 204, mimetype=IMAGE_TYPES[tiles.about.format])
    response.headers["Cache-Control"] = f"private, max-age={_DAY_S}"
    return response
