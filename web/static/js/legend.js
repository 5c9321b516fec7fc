// The legend: what is drawn, in words, with counts that add up.

import { element, replace } from "./element.js";
import { hatch } from "./hatch.js";
import { chosen, entryOf, layerOf, shapesOf } from "./layers.js";
import { paintMark, PointLayer, tracePoint } from "./points.js";
import { config } from "./config.js";
import { lineOf } from "./styles.js";
import { integer, reading } from "./words.js";

const box = document.getElementById("legend");
const { camera, lines } = config.cartography;
let figures = null;
let asked = null;

/** The classes of the page's figure: {title, note, classes: [{words, count, fill, hatched, line, width}]}, or null. */
export function setFigureLegend(given) {
  figures = given;
  drawLegend();
}

export function startLegend() {
  document.addEventListener("layer", askLegend);
  box.addEventListener("click", () => box.classList.toggle("folded"));
}

/** Draw it with the next frame, however many layers arrive until then. */
function askLegend() {
  asked ??= requestAnimationFrame(drawLegend);
}

export function drawLegend() {
  cancelAnimationFrame(asked);
  asked = null;
  const parts = [];
  if (figures) {
    parts.push(element("h2", {}, figures.title, figures.note && element("span", {}, figures.note)));
    parts.push(element("ul", {}, figures.classes.map(figureItem)));
  }
  const items = chosen().flatMap(layerItems);
  if (items.length) parts.push(element("ul", { class: "legend-layers" }, items));
  replace(box, parts);
}

function figureItem({ words, count, fill, hatched, line, width }) {
  return item(words, count, (context) => {
    context.beginPath();
    context.rect(1, 1, 16, 12);
    if (fill && fill !== "transparent") {
      context.fillStyle = fill;
      context.fill();
    }
    if (hatched) {
      context.fillStyle = hatch(context, hatched);
      context.fill();
    }
    context.lineWidth = width ?? 0.7;
    context.strokeStyle = line ?? "#6B7280";
    context.stroke();
  });
}

function layerItems(kind) {
  const entry = entryOf(kind);
  const layer = layerOf(kind);
  if (kind === "camera" && layer instanceof PointLayer && !layer.aggregated) return cameraItems(layer);
  if (entry.geometry === "point") {
    const style = layer?.options.mark?.(null) ?? { mark: "disc", color: config.cartography.point.color };
    return [item(entry.label, layer ? layer.points?.n : null, (context) => markAt(context, style))];
  }
  const made = shapesOf(kind).filter((shape) => shape.properties.derived).length;
  const found = [item(entry.label, entry.rows, (context) => lineAt(context, lineOf(kind)))];
  if (made) found.push(item(reading(lines.derived), made, (context) => lineAt(context, lines.derived)));
  return found;
}

function cameraItems(layer) {
  const column = layer.points.columns.status;
  if (!column) return [];
  const counts = new Map();
  for (const index of column.index) counts.set(column.choices[index] ?? "unknown", (counts.get(column.choices[index] ?? "unknown") ?? 0) + 1);
  return [...counts].map(([status, count]) => item(reading(camera[status] ?? camera.unknown), count, (context) => markAt(context, camera[status] ?? camera.unknown)));
}

function item(words, count, draw) {
  const canvas = element("canvas", { width: 36, height: 28, "aria-hidden": "true" });
  Object.assign(canvas.style, { width: "18px", height: "14px" });
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  draw(context);
  return element("li", {}, canvas, words, count !== null && count !== undefined && element("b", {}, integer(count)));
}

function markAt(context, style) {
  context.beginPath();
  tracePoint(context, style.mark, 9, 7, 3.5);
  paintMark(context, style);
}

function lineAt(context, line) {
  context.beginPath();
  context.moveTo(0, 7);
  context.lineTo(18, 7);
  context.setLineDash(line.dash ?? []);
  context.lineWidth = Math.max(line.width_px, 0.8);
  context.strokeStyle = line.color;
  context.stroke();
}
