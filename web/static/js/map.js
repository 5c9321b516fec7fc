// The Leaflet map that folium made: panes, home, and the position in the address.

import { session } from "./session.js";
import { get, set, watch } from "./state.js";

export const map = window.map_main;
export const PANES = { ground: 300, areas: 350, density: 380, points: 420, labels: 450, marks: 470 };

/** "12/28.99812/109.87654" as zoom, latitude, longitude; null when it is not one. */
function position(text) {
  const parts = text.split("/").map(Number);
  const fits = parts.length === 3 && parts.every(Number.isFinite) && Math.abs(parts[1]) <= 85 && Math.abs(parts[2]) <= 180;
  return fits ? parts : null;
}

/** Panes, first position, and, unless it is only a preview, the position kept in the address. */
export async function startMap({ remember = true } = {}) {
  for (const [name, order] of Object.entries(PANES)) {
    const pane = map.createPane(name);
    pane.style.zIndex = order;
    pane.style.pointerEvents = "none";
  }
  map.attributionControl.setPrefix(false);
  // folium made the map before the page gave it its room.
  map.invalidateSize({ animate: false, pan: false });
  const kept = position(get("at"));
  if (kept) map.setView([kept[1], kept[2]], kept[0], { animate: false });
  else await home({ animate: false });
  new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(map.getContainer());
  if (!remember) return;
  map.on("moveend", () => {
    const centre = map.getCenter();
    set({ at: `${map.getZoom()}/${centre.lat.toFixed(5)}/${centre.lng.toFixed(5)}` }, { step: false });
  });
  watch(["at"], () => {
    const wanted = position(get("at"));
    const now = map.getCenter();
    if (wanted && (Math.abs(wanted[1] - now.lat) > 1e-5 || Math.abs(wanted[2] - now.lng) > 1e-5 || wanted[0] !== map.getZoom())) {
      afterZoom(() => map.setView([wanted[1], wanted[2]], wanted[0]));
    }
  });
}

let next = null;
/** Leaflet drops a view that is asked for while a zoom is under way: the last one asked for is shown after it. */
function afterZoom(show) {
  if (!map._animatingZoom) return show();
  if (!next) map.once("moveend", shown);
  next = show;
}

function shown() {
  const last = next;
  next = null;
  last();
}

/** The whole place. */
export async function home(options = {}) {
  const { place } = await session();
  if (place?.bounds) fit(place.bounds, options);
}

/** Show [west, south, east, north]; a single point is shown at street scale. */
export function fit(bounds, options = {}) {
  const [west, south, east, north] = bounds;
  if (![west, south, east, north].every(Number.isFinite)) return;
  afterZoom(() => {
    if (east - west < 1e-6 && north - south < 1e-6) map.setView([south, west], Math.max(map.getZoom(), 16), options);
    else map.fitBounds([[south, west], [north, east]], { paddingTopLeft: [16, 16], paddingBottomRight: room(), ...options });
  });
}

/** Show [west, south, east, north] unless it is in view already. */
export function reveal(bounds) {
  const seen = map.getBounds();
  if (!seen.contains([bounds[1], bounds[0]]) || !seen.contains([bounds[3], bounds[2]])) fit(bounds, { maxZoom: Math.max(map.getZoom(), 13) });
}

/** What lies on the map at its right and lower edge: tools and legend, or the sheet on phones. */
function room() {
  const size = map.getSize();
  const sheet = size.x <= 600 ? document.getElementById("panel")?.offsetHeight ?? 0 : 0;
  const legend = document.getElementById("legend");
  if (!legend) return [16, 16];
  return [Math.min(60, size.x / 8), Math.min(size.y / 2, sheet + Math.max(legend.offsetHeight, 84) + 34)];
}

/** The window as "west,south,east,north", widened by `margin` of its size. */
export function windowText(margin = 0) {
  const seen = map.getBounds().pad(margin);
  const inside = (value, limit) => Math.max(-limit, Math.min(limit, value)).toFixed(6);
  return [inside(seen.getWest(), 180), inside(seen.getSouth(), 90), inside(seen.getEast(), 180), inside(seen.getNorth(), 90)].join(",");
}
