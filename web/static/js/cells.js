// Square cells of the hotspots answer: drawn from the answer itself, picked and selected by their name.

import { map } from "./map.js";
import { worldX, worldY } from "./mercator.js";
import { ShapeLayer, toShapes } from "./shapes.js";
import { significanceStyle } from "./significance.js";

let layer = null;
let rows = new Map();

/** Draw the cells of an answer; without geometry they go away. */
export function showCells(geometry, byId) {
  rows = byId;
  if (!geometry) {
    layer?.remove();
    return;
  }
  layer ??= new ShapeLayer({ pane: "density", style: (shape, view) => significanceStyle(rows.get(String(shape.id)), shape, view) });
  layer.setShapes(toShapes(geometry));
  if (!map.hasLayer(layer)) layer.addTo(map);
}

/** The cell at a position, or null; cells that are not drawn cannot be met. */
export function cellAt(latlng) {
  if (!layer || !map.hasLayer(layer)) return null;
  return layer.pick(worldX(latlng.lng), worldY(latlng.lat), 0);
}

export const cellShape = (id) => layer?.shape(id) ?? null;
