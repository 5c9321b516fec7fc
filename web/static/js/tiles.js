// Layers of more than 5,000 areas come as vector tiles; the library that draws them is loaded when first needed.

import { config } from "./config.js";
import { lineOf } from "./styles.js";

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

/** A Leaflet layer of the tiles of a kind; `fill(properties)` colours the insides. */
export async function tileLayer(entry, asOf, fill = null) {
  const protomaps = await load();
  const line = lineOf(entry.kind);
  const rules = [{ dataLayer: entry.kind, symbolizer: new protomaps.LineSymbolizer({ color: line.color, width: Math.max(line.width_px, 0.5) }) }];
  if (fill) {
    rules.unshift({ dataLayer: entry.kind, symbolizer: new protomaps.PolygonSymbolizer({ fill: (_zoom, feature) => fill(feature.props) ?? "transparent" }) });
  }
  return protomaps.leafletLayer({
    url: `/tiles/${encodeURIComponent(entry.kind)}/{z}/{x}/{y}.mvt?v=${entry.version}${asOf ? `&as_of=${asOf}` : ""}`,
    maxDataZoom: 16,
    pane: "areas",
    attribution: "",
    backgroundColor: undefined,
    paintRules: rules,
    labelRules: [],
  });
}
