// How each kind looks when no figure colours it: line widths and colours come from the one table of cartography.

import { config } from "./config.js";

const { lines, point } = config.cartography;

/** Style of one shape of a kind; derived outlines are dotted whatever the kind. */
export function shapeStyle(kind, shape) {
  const line = lines[kind];
  if (!line) return { fill: "#0B728522", line: point.color, width: 1.2, size: 4, dot: point.color };
  const derived = shape.properties.derived;
  const drawn = derived ? { ...lines.derived, width_px: Math.max(lines.derived.width_px, line.width_px) } : line;
  return { fill: null, line: drawn.color, width: drawn.width_px, dash: drawn.dash };
}

/** Line of a kind for the legend. */
export function lineOf(kind) {
  return lines[kind] ?? { width_px: 1.2, color: point.color, dash: [] };
}
