// The density surface: a picture from the server, laid over the map, with its levels in the legend.

import { map } from "./map.js";
import { getBlob, getJSON, query } from "./request.js";
import { t } from "./words.js";

const L = window.L;
let shown = null;
let asked = null;

/** Lay the surface of `parameters` over the map; gives what the server says about it. */
export async function showDensity(parameters) {
  asked?.abort();
  asked = new AbortController();
  const options = { signal: asked.signal, label: t("busy.density") };
  const [about, { blob }] = await Promise.all([
    getJSON(`/api/v1/density${query(parameters)}`, options),
    getBlob(`/api/v1/density.png${query(parameters)}`, options),
  ]);
  const [west, south, east, north] = about.bounds;
  const picture = URL.createObjectURL(blob);
  const next = L.imageOverlay(picture, [[south, west], [north, east]], { pane: "density", opacity: 0.75, interactive: false, alt: t("hot.density") });
  // The old picture stays until the new one can be seen.
  next.once("load", () => URL.revokeObjectURL(picture));
  next.addTo(map);
  shown?.remove();
  shown = next;
  return about;
}

export function hideDensity() {
  asked?.abort();
  shown?.remove();
  shown = null;
}
