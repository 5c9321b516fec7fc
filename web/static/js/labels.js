// Names on the map: placed by rank, never over each other, with a halo in the ground's colour.

import { CanvasLayer } from "./canvaslayer.js";
import { config } from "./config.js";
import { overlaps } from "./shapes.js";

const FONT = '"Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",system-ui,"Wangge Sans SC",sans-serif';
const MOST = 400;
const GAP_PX = 2;
// A name may move up or down a little to find room.
const SHIFTS_PX = [0, 10, -10, 19, -19];

const onScreen = ([x0, y0, x1, y1], { left, top, scale }) => [x0 * scale - left, y0 * scale - top, x1 * scale - left, y1 * scale - top];

export const LabelLayer = CanvasLayer.extend({
  options: { pane: "labels", padding: 0.1 },

  /** `obstacles()`: boxes in world coordinates that names keep clear of; `fromZoom`: other first zooms by kind. */
  initialize(options) {
    CanvasLayer.prototype.initialize.call(this, options);
    this.sources = new Map();
  },

  /** Names of a kind of area; `rank(shape)` large first decides who is placed when there is no room for all. */
  setSource(kind, shapes, rank = (shape) => shape.mass) {
    if (!config.cartography.labels[kind]) return;
    const ordered = shapes.filter((shape) => shape.properties.name && shape.centre).sort((a, b) => rank(b) - rank(a));
    this.sources.set(kind, ordered);
    this.repaint();
  },

  dropSource(kind) {
    if (this.sources.delete(kind)) this.repaint();
  },

  draw(context, view) {
    const taken = (this.options.obstacles?.() ?? []).map((box) => onScreen(box, view));
    const limit = taken.length + MOST;
    const { halo, text, secondary } = config.cartography.ink;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    for (const kind of Object.keys(config.cartography.labels)) {
      const { from_zoom: usual, size_px: size } = config.cartography.labels[kind];
      if (view.zoom < (this.options.fromZoom?.[kind] ?? usual) || !this.sources.has(kind)) continue;
      context.font = `${kind === "township" ? 600 : 400} ${size}px ${FONT}`;
      for (const shape of this.sources.get(kind)) {
        if (taken.length >= limit) return;
        if (!overlaps(shape.box, view.box)) continue;
        this._place(context, view, shape, size, kind === "township" ? text : secondary, halo, taken);
      }
    }
  },

  _place(context, view, shape, size, color, halo, taken) {
    const name = [...shape.properties.name].slice(0, 14).join("");
    const x = shape.centre[0] * view.scale - view.left;
    const y = shape.centre[1] * view.scale - view.top;
    const half = context.measureText(name).width / 2 + GAP_PX;
    // A name much wider than its area belongs to a closer zoom.
    if (shape.closed && half * 2 > (shape.box[2] - shape.box[0]) * view.scale * 1.6) return;
    const box = SHIFTS_PX.map((shift) => [x - half, y + shift - size / 2 - GAP_PX, x + half, y + shift + size / 2 + GAP_PX]).find((one) => !taken.some((other) => overlaps(other, one)));
    if (!box) return;
    taken.push(box);
    const middle = (box[1] + box[3]) / 2;
    context.lineWidth = 3;
    context.strokeStyle = halo;
    context.strokeText(name, x, middle);
    context.fillStyle = color;
    context.fillText(name, x, middle);
  },
});
