"""The pages people make with folium alone, for comparison: data embedded, canvas on, libraries from our own disk."""

from pathlib import Path

import folium
import folium.plugins
import geopandas as gpd

from web import maps

CLUSTER_FOLDER = Path(__file__).parent / "vendor"


def _map(frame: gpd.GeoDataFrame) -> folium.Map:
    west, south, east, north = frame.total_bounds
    shown = folium.Map(tiles=None, prefer_canvas=True)
    shown._id = "main"
    shown.options["maxZoom"] = 18
    shown.fit_bounds([[south, west], [north, east]])
    return shown


def _add(shown: folium.Map, frame: gpd.GeoDataFrame, columns: list[str]) -> None:
    frame = frame[[*columns, "geometry"]].dropna(subset="geometry")
    points = frame.geom_type.iloc[0] == "Point"
    folium.GeoJson(frame, marker=folium.CircleMarker(radius=3) if points else None).add_to(shown)


def embedded(layers: dict[str, tuple[gpd.GeoDataFrame, list[str]]], path: Path) -> None:
    """One page with every layer as an embedded folium.GeoJson."""
    shown = _map(next(iter(layers.values()))[0])
    for frame, columns in layers.values():
        _add(shown, frame, columns)
    shown.save(str(path))


def clustered(frame: gpd.GeoDataFrame, path: Path) -> None:
    """One page with a folium FastMarkerCluster of the points."""
    shown = _map(frame)
    shown.default_js = [*folium.Map.default_js, ("cluster", "/cluster/leaflet.markercluster.js")]
    shown.default_css = [*folium.Map.default_css, ("cluster_css", "/cluster/MarkerCluster.css")]
    rows = list(zip(frame.geometry.y, frame.geometry.x, strict=True))
    folium.plugins.FastMarkerCluster(
        rows, callback="function (row) { return L.circleMarker([row[0], row[1]]); }"
    ).add_to(shown)
    shown.save(str(path))


assert maps.OUTSIDE, "folium's classes point at our own files from here on"
