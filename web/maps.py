"""The map page's shell: folium makes the map and the basemaps, our modules fetch everything else.

folium's classes name their scripts on content delivery networks. `localise` points the ones wangge uses at
`/static/vendor` and takes the others away, once, when this module is imported: no page of ours can ask an outside
host for a script. Data is never embedded in the page and never reaches a folium popup or tooltip, which would print
attribute values as HTML.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import folium
import folium.elements
import folium.features
import folium.plugins
from markupsafe import escape

VENDOR_URL = "/static/vendor/"
LOCAL = {
    "leaflet": "leaflet.js",
    "leaflet_css": "leaflet.css",
    "jquery": "jquery.min.js",
}
"""Asset names of folium that are served from `web/static/vendor`."""

_NONCE = "NONCE-OF-THE-RESPONSE"
_VIEWPORT = re.compile(r"<meta name=\"viewport\".*?/>", re.DOTALL)
_INLINE = re.compile(r"<(script|style)(?=[\s>])(?![^>]*\ssrc=)")


def localise() -> list[tuple[str, str]]:
    """Point folium's classes at our own files and drop every asset that has none.

    Returns
    -------
    outside
        `(class name, address)` of each asset taken away; calling twice finds nothing the second time.
    """
    outside: list[tuple[str, str]] = []
    for cls in _folium_classes():
        for attribute in ("default_js", "default_css"):
            listed = cls.__dict__.get(attribute)
            if listed is None:
                continue
            kept = []
            for name, address in listed:
                if name in LOCAL:
                    kept.append((name, VENDOR_URL + LOCAL[name]))
                else:
                    outside.append((cls.__name__, address))
            setattr(cls, attribute, kept)
    return outside


def _folium_classes() -> Iterable[type]:
    seen = set()
    for module in (folium, folium.plugins, folium.features, folium.map, folium.elements, folium.raster_layers):
        for cls in vars(module).values():
            if inspect.isclass(cls) and issubclass(cls, folium.elements.JSCSSMixin) and cls not in seen:
                seen.add(cls)
                yield cls


OUTSIDE = localise()


@dataclass(frozen=True, slots=True)
class Shell:
    """The three pieces of a folium page, ready to be put into one of our templates."""

    head: str
    body: str
    script: str

    def with_nonce(self, nonce: str) -> "Shell":
        """The same shell whose inline scripts and styles carry `nonce` of this response."""
        return Shell(*(part.replace(_NONCE, nonce) for part in (self.head, self.body, self.script)))


def map_shell(*, basemaps: Iterable[Mapping[str, Any]] = ()) -> Shell:
    """The empty map `map_main` on canvas, without data and, unless the setting lists some, without basemaps.

    Parameters
    ----------
    basemaps
        Entries of the setting of the same name: `name`, `url` (XYZ or WMTS template), optionally `labels_url`,
        `attribution`, `min_zoom`, `max_zoom`, `subdomains`, `tms`. They become Leaflet tile layers `tile_layer_base_N`
        (labels: `tile_layer_base_N_labels`) that the page's layer control adds; nothing is requested before that.
    """
    shown = folium.Map(
        location=[35.0, 105.0],
        zoom_start=4,
        tiles=None,
        prefer_canvas=True,
        zoom_control=False,
        font_size="14px",
        attribution_control=True,
        zoom_snap=0.5,
        min_zoom=3,
        max_zoom=20,
    )
    # folium's own id is random: a stable one lets our modules find the map and the page be compared.
    shown._id = "main"
    # Without tiles folium gives the map no limit of its own.
    shown.options["maxZoom"] = 20
    shown.options["minZoom"] = 3
    shown.options["worldCopyJump"] = False
    # jQuery is for folium's popups, of which this page has none.
    shown.default_js = [(name, url) for name, url in folium.Map.default_js if name == "leaflet"]
    for number, basemap in enumerate(basemaps):
        _add_basemap(shown, f"base_{number}", basemap, str(basemap["url"]))
        if basemap.get("labels_url"):
            _add_basemap(shown, f"base_{number}_labels", basemap, str(basemap["labels_url"]))
    figure: Any = shown.get_root()
    figure.render()
    head = _VIEWPORT.sub("", figure.header.render())
    return Shell(_mark_inline(head), figure.html.render(), figure.script.render())


def _add_basemap(shown: folium.Map, identifier: str, basemap: Mapping[str, Any], url: str) -> None:
    layer = folium.TileLayer(
        tiles=url,
        # Leaflet prints the attribution as HTML.
        attr=str(escape(str(basemap.get("attribution", "")) or " ")),
        name=identifier,
        overlay=False,
        control=False,
        show=False,
        min_zoom=int(basemap.get("min_zoom", 0)),
        max_zoom=20,
        max_native_zoom=int(basemap.get("max_zoom", 18)),
        subdomains=str(basemap.get("subdomains", "abc")),
        tms=bool(basemap.get("tms", False)),
    )
    layer._id = identifier
    layer.add_to(shown)


def _mark_inline(html: str) -> str:
    return _INLINE.sub(lambda found: f'<{found[1]} nonce="{_NONCE}"', html)
