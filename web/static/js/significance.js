// Classes of hot and cold: by corrected probability, told apart by colour and by the width of the outline.

import { config } from "./config.js";
import { reading } from "./words.js";

const table = config.cartography.significance;
export const CLASSES = [...table.classes, table.none, table.no_data];

/** The class of a row of the hotspots answer. */
export function significanceOf(row) {
  if (row.state === "no_data") return table.no_data;
  if (!row.hot && !row.cold) return table.none;
  const side = table.classes.filter((one) => (row.hot ? one.bin > 0 : one.bin < 0));
  const q = row.q ?? 1;
  // The classes stand from the strictest limit to the widest for hot, the other way round for cold.
  return [...side].sort((a, b) => a.q_at_most - b.q_at_most).find((one) => q <= one.q_at_most) ?? side.sort((a, b) => b.q_at_most - a.q_at_most)[0];
}

/** Legend entries with counts that add up to the number of rows. */
export function significanceLegend(rows) {
  const counts = new Map();
  for (const row of rows) counts.set(significanceOf(row).id, (counts.get(significanceOf(row).id) ?? 0) + 1);
  return CLASSES.filter((one) => counts.has(one.id)).map((one) => ({
    words: reading(one),
    count: counts.get(one.id),
    fill: one.fill,
    line: one.bin ? "#1F2937" : undefined,
    width: one.width_px,
    hatched: hatchOf(one),
  }));
}

const hatchOf = (one) => (one.id === "no_data" ? { color: one.hatch_color, pattern: "dots" } : null);

/** How a shape of this class is drawn: cold stays in the background, hot stands out. */
export function significanceStyle(row, shape, view) {
  const one = row ? significanceOf(row) : table.none;
  const plain = one.id === "none" || one.id === "no_data";
  // An outline takes at most an eighth of a small cell, or the cells would be nothing but outline.
  const most = ((shape.box[2] - shape.box[0]) * view.scale) / 8;
  return {
    fill: one.fill === "transparent" ? null : one.fill,
    opacity: row?.hot ? 0.85 : 0.5,
    hatched: hatchOf(one),
    line: row?.hot ? "#1F2937" : row?.cold ? one.fill : "#C3C9D0",
    width: Math.min(plain ? 0.3 : one.width_px, most),
  };
}
