// Pieces of land that need no drawing: natural villages that lie in a grid.

import { boxOf, ringsOf } from "./redraw_draw.js";
import { area } from "./redraw_draft.js";
import { getJSON, query } from "./request.js";
import { catalogue } from "./session.js";
import { contains, toShapes } from "./shapes.js";

const MOST = 60;

/** Natural villages whose middle lies in the area `code`: [{name, points}] with the corners of their outlines. */
export async function piecesWithin(code, asOf) {
  const entry = (await catalogue()).find((one) => one.kind === "natural_village");
  const one = area(code);
  if (!entry?.rows || entry.geometry !== "area" || !one) return [];
  const box = boxOf(one.geometry);
  const found = await getJSON(`/features/natural_village${query({ bbox: box.toBBoxString(), columns: "name", as_of: asOf })}`, { quiet: true });
  const shapes = new Map(toShapes(found).map((shape) => [shape.id, shape]));
  return found.features
    .filter(({ id, geometry }) => geometry?.type === "Polygon" && shapes.get(id)?.centre && contains(one.shape, ...shapes.get(id).centre))
    .slice(0, MOST)
    .map(({ properties, geometry }) => ({ name: properties.name || "–", points: ringsOf(geometry)[0].slice(0, -1) }));
}
