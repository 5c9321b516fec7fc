// One selected feature, kept in the address as "kind:code"; the map, the list and the table all follow it.

import { HighlightLayer } from "./highlight.js";
import { AREAS, chosen, dayOf, entryOf, layerOf } from "./layers.js";
import { map } from "./map.js";
import { worldX, worldY } from "./mercator.js";
import { PointLayer } from "./points.js";
import { getJSON, query } from "./request.js";
import { ShapeLayer, toShapes } from "./shapes.js";
import { get, set, watch } from "./state.js";

const FINGER_PX = 8;
let highlight = null;
let preferred = () => AREAS;
let paused = () => false;
let ownFeatures = null;

export function selected() {
  const found = /^([^:]+(?::[^:]+)?):([^:]+)$/.exec(get("sel"));
  return found ? { kind: found[1], id: found[2] } : null;
}

export function select(kind, id) {
  set({ sel: kind ? `${kind}:${id}` : "" });
}

/** `order()` lists kinds in the order a click looks for them; `isPaused()` leaves clicks to another tool. */
export function startSelection({ order, isPaused, tip, own }) {
  ownFeatures = own;
  preferred = order;
  paused = isPaused;
  highlight = new HighlightLayer();
  highlight.addTo(map);
  map.on("click", (event) => {
    if (paused()) return;
    const found = at(event.latlng);
    if (found) select(found.kind, found.id);
    else set({ sel: "" });
  });
  let waiting = null;
  map.on("mousemove", (event) => {
    if (waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = null;
      const found = paused() ? null : at(event.latlng);
      map.getContainer().classList.toggle("picking", Boolean(found));
      highlight.setHovered(found?.shape ?? null);
      tip(found, event.containerPoint);
    });
  });
  map.on("mouseout movestart", () => {
    highlight.setHovered(null);
    tip(null);
  });
  watch(["sel", "as_of", "boundaries"], outline);
  document.addEventListener("layer", (event) => event.detail === selected()?.kind && outline());
  outline();
}

/** What lies at a position: points first, then areas in the page's order. */
function at(latlng) {
  const [x, y] = [worldX(latlng.lng), worldY(latlng.lat)];
  const reach = FINGER_PX / 2 ** map.getZoom();
  const shown = chosen().filter((kind) => layerOf(kind));
  for (const kind of shown) {
    const layer = layerOf(kind);
    if (!(layer instanceof PointLayer)) continue;
    const row = layer.pick(x, y, reach);
    if (row >= 0) return { kind, id: layer.points.fid[row], shape: pointShape(layer.points.x[row], layer.points.y[row]) };
  }
  const mine = ownFeatures?.at(latlng);
  if (mine) return { kind: ownFeatures.kind, id: mine.id, shape: mine };
  // Areas that are not in the order (the county) only frame the others.
  const others = shown.filter((kind) => !AREAS.includes(kind));
  for (const kind of [...others, ...preferred().filter((name) => shown.includes(name) && AREAS.includes(name))]) {
    const layer = layerOf(kind);
    const shape = layer instanceof ShapeLayer ? layer.pick(x, y, reach) : null;
    if (shape) return { kind, id: shape.id, shape, name: shape.properties.name };
  }
  return null;
}

const pointShape = (x, y) => ({ rings: [], points: [x, y], closed: false, box: [x, y, x, y], properties: {} });

/** Outline the selected feature; one that is not on the map is fetched by itself. */
async function outline() {
  const now = selected();
  if (!now) return highlight.setSelected(null);
  if (now.kind === ownFeatures?.kind) return highlight.setSelected(ownFeatures.shape(now.id));
  const layer = layerOf(now.kind);
  if (layer instanceof PointLayer) {
    const row = layer.rowOf(now.id);
    return highlight.setSelected(row < 0 ? null : pointShape(layer.points.x[row], layer.points.y[row]));
  }
  const shape = layer instanceof ShapeLayer ? layer.shape(now.id) : null;
  if (shape) return highlight.setSelected(shape);
  const entry = entryOf(now.kind);
  if (!entry?.key) return highlight.setSelected(null);
  const where = `${entry.key} = '${String(now.id).replaceAll("'", "''")}'`;
  const found = await getJSON(`/features/${now.kind}${query({ where, as_of: dayOf(now.kind), columns: "name" })}`, { quiet: true }).catch(() => null);
  if (selected()?.id === now.id) highlight.setSelected(found ? toShapes(found)[0] ?? null : null);
}
