// Many points on one canvas: one binary answer, no object per point; numbers in hexagons when too many are in view.

import { CanvasLayer } from "./canvaslayer.js";
import { drawHexagons } from "./hexagons.js";
import { latitudeOf, longitudeOf, worldX, worldY } from "./mercator.js";

const CELLS = 256;
export const NO_VALUE = 255;

/** The binary answer of /points as arrays, in world coordinates. */
export function readPoints(buffer) {
  const headerLength = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerLength)));
  const n = header.n;
  let offset = 4 + headerLength;
  offset += (4 - (offset % 4)) % 4;
  const eastings = fromPlanes(buffer, offset, n);
  const northings = fromPlanes(buffer, offset + 4 * n, n);
  const fid = fromPlanes(buffer, offset + 8 * n, n);
  for (let i = 1; i < n; i++) fid[i] += fid[i - 1];
  const columns = {};
  header.columns.forEach((column, i) => {
    columns[column.name] = { ...column, index: new Uint8Array(buffer, offset + 12 * n + i * n, n) };
  });
  const x = new Float64Array(n);
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    x[i] = worldX(header.origin[0] + eastings[i] * header.scale);
    y[i] = worldY(header.origin[1] + northings[i] * header.scale);
  }
  return { n, x, y, fid, columns, withoutPosition: header.without_position ?? 0 };
}

/** Whole numbers that came byte by byte, all lowest bytes first: they compress better so. */
function fromPlanes(buffer, offset, n) {
  const bytes = new Uint8Array(buffer, offset, 4 * n);
  const numbers = new Int32Array(n);
  for (let i = 0; i < n; i++) numbers[i] = bytes[i] | (bytes[n + i] << 8) | (bytes[2 * n + i] << 16) | (bytes[3 * n + i] << 24);
  return numbers;
}

/** Rows sorted into a square of cells, so that drawing and picking look only where it matters. */
export function indexPoints({ n, x, y }) {
  let [west, north, east, south] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < n; i++) {
    if (x[i] < west) west = x[i];
    if (x[i] > east) east = x[i];
    if (y[i] < north) north = y[i];
    if (y[i] > south) south = y[i];
  }
  const step = Math.max(east - west, south - north, 1e-9) / CELLS;
  const column = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor((value - west) / step)));
  const row = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor((value - north) / step)));
  const start = new Uint32Array(CELLS * CELLS + 1);
  const cell = new Uint16Array(n);
  for (let i = 0; i < n; i++) {
    cell[i] = row(y[i]) * CELLS + column(x[i]);
    start[cell[i] + 1]++;
  }
  for (let c = 0; c < CELLS * CELLS; c++) start[c + 1] += start[c];
  const next = start.slice(0, -1);
  const rows = new Uint32Array(n);
  for (let i = 0; i < n; i++) rows[next[cell[i]]++] = i;
  return { column, row, start, rows };
}

export const PointLayer = CanvasLayer.extend({
  options: { pane: "points", padding: 0.1, aggregateAbove: 3000, mark: () => ({ mark: "disc", color: "#1F2937" }), size: 3 },

  initialize(options) {
    CanvasLayer.prototype.initialize.call(this, options);
    this.points = { n: 0, x: [], y: [], fid: [], columns: {} };
    this.shown = null;
  },

  setPoints(points) {
    this.points = points;
    this.index = indexPoints(points);
    this._rowOf = null;
    this.repaint();
  },

  /** Draw only rows for which `keep[row]` is 1; null draws all. */
  setShown(keep) {
    this.shown = keep;
    this.repaint();
  },

  /** Call `then(row)` for every shown point inside a world box. */
  each(box, then) {
    if (!this.points.n) return;
    const { column, row, start, rows } = this.index;
    const { x, y } = this.points;
    const [west, north, east, south] = box;
    for (let r = row(north); r <= row(south); r++) {
      const first = start[r * CELLS + column(west)];
      const last = start[r * CELLS + column(east) + 1];
      for (let k = first; k < last; k++) {
        const i = rows[k];
        if (x[i] >= west && x[i] <= east && y[i] >= north && y[i] <= south && (!this.shown || this.shown[i])) then(i);
      }
    }
  },

  draw(context, view) {
    const inView = [];
    this.each(view.box, (i) => inView.push(i));
    this.aggregated = inView.length > this.options.aggregateAbove;
    this.numbers = null;
    if (this.aggregated) this.numbers = inWorld(drawHexagons(context, view, this.points, inView, this.options.color ?? "#1F2937"), view);
    else this._drawMarks(context, view, inView);
  },

  _drawMarks(context, view, inView) {
    const { x, y, columns } = this.points;
    const by = columns[this.options.by];
    const size = this.options.size + (view.zoom >= 15 ? 1 : 0);
    const classes = new Map();
    for (const i of inView) {
      const key = by ? by.index[i] : 0;
      if (!classes.has(key)) classes.set(key, []);
      classes.get(key).push(i);
    }
    for (const [key, members] of classes) {
      const style = this.options.mark(by && key !== NO_VALUE ? by.choices[key] : null);
      context.beginPath();
      for (const i of members) tracePoint(context, style.mark, x[i] * view.scale - view.left, y[i] * view.scale - view.top, size);
      paintMark(context, style);
    }
  },

  /** Row of the nearest shown point within `reach` world units, or -1. Aggregated points cannot be picked one by one. */
  pick(px, py, reach) {
    if (this.aggregated) return -1;
    let best = -1;
    let nearest = reach;
    this.each([px - reach, py - reach, px + reach, py + reach], (i) => {
      const distance = Math.hypot(this.points.x[i] - px, this.points.y[i] - py);
      if (distance <= nearest) [best, nearest] = [i, distance];
    });
    return best;
  },

  rowOf(fid) {
    this._rowOf ??= new Map(Array.from(this.points.fid, (value, i) => [value, i]));
    return this._rowOf.get(Number(fid)) ?? -1;
  },

  position(row) {
    return [longitudeOf(this.points.x[row]), latitudeOf(this.points.y[row])];
  },
});

const inWorld = (boxes, { left, top, scale }) => boxes.map(([x0, y0, x1, y1]) => [(x0 + left) / scale, (y0 + top) / scale, (x1 + left) / scale, (y1 + top) / scale]);

/** Add one mark to the path: disc and ring are circles, the cross is two strokes. */
export function tracePoint(context, mark, x, y, size) {
  if (mark === "cross") {
    context.moveTo(x - size, y - size);
    context.lineTo(x + size, y + size);
    context.moveTo(x + size, y - size);
    context.lineTo(x - size, y + size);
  } else {
    context.moveTo(x + size, y);
    context.arc(x, y, size, 0, 2 * Math.PI);
  }
}

/** Paint the path as the mark wants it: told apart by form, not by colour alone. */
export function paintMark(context, { mark, color }) {
  context.lineWidth = 1.5;
  if (mark === "disc") {
    context.strokeStyle = "rgba(255,255,255,.9)";
    context.stroke();
    context.fillStyle = color;
    context.fill();
    return;
  }
  if (mark === "ring") {
    context.fillStyle = "#fff";
    context.fill();
  }
  context.strokeStyle = color;
  context.stroke();
}
