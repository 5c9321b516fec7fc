// Layers of more than 5,000 areas come as vector tiles; the library that draws them is loaded when first needed.

import { config } from "./config.js";
import { lineOf } from "./styles.js";

// Leaflet fades a tile in for so long after it has arrived.
const FADE_MS = 250;
let library = null;

function load() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = config.vendor["protomaps-leaflet.js"];
    script.onload = () => resolve(window.protomapsL);
    script.onerror = () => reject(new Error(script.src));
    document.head.append(script);
  });
  return library;
}

/**
 * A Leaflet layer of the tiles of a kind on a day ("" for today). `leaveOut(codes)` draws it without some areas,
 * `copy()` gives the same for another map.
 */
export async function tileLayer(entry, asOf) {
  return made(await load(), entry, asOf);
}

function made(protomaps, entry, asOf) {
  const line = lineOf(entry.kind);
  // Outlines need no values; without a key there is nothing to leave areas out by.
  const key = entry.key ?? "fid";
  let without = new Set();
  const layer = protomaps.leafletLayer({
    url: `/tiles/${encodeURIComponent(entry.kind)}/{z}/{x}/{y}.mvt?v=${entry.version}&columns=${encodeURIComponent(key)}${asOf ? `&as_of=${asOf}` : ""}`,
    maxDataZoom: 16,
    pane: "areas",
    // Layers stand in their pane in the order of the page, tiles among the canvases of the others.
    zIndex: null,
    attribution: "",
    backgroundColor: undefined,
    paintRules: [
      {
        dataLayer: entry.kind,
        symbolizer: new protomaps.LineSymbolizer({ color: line.color, width: Math.max(line.width_px, 0.5) }),
        filter: (_zoom, feature) => !without.has(String(feature.props[key])),
      },
    ],
    labelRules: [],
  });
  layer.leaveOut = (codes) => {
    if (codes.size === without.size && [...codes].every((code) => without.has(code))) return;
    without = codes;
    if (!layer._map) return;
    layer.rerenderTiles();
    // Tiles of a zoom just left are painted too; only the present one counts, whichever was last.
    layer.lastRequestedZ = layer._tileZoom;
  };
  layer.copy = () => made(protomaps, entry, asOf);
  return layer;
}

/** Put a tile layer on a map in the place of `former`, which stays until the new one is complete: never both, never none. */
export function putInPlace(map, layer, former) {
  if (!former?._map) return layer.addTo(map);
  layer.addTo(map);
  const box = layer.getContainer();
  box.style.visibility = "hidden";
  // Whoever takes this one away before it was ready takes the former with it.
  layer.once("remove", () => former.remove());
  layer.once("load", () =>
    setTimeout(() => {
      box.style.visibility = "";
      former.remove();
    }, FADE_MS),
  );
  return layer;
}
