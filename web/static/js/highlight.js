// The selected and the pointed-at feature, above everything: selected 3 px with a white halo, pointed-at 1.5 px.

import { CanvasLayer } from "./canvaslayer.js";
import { config } from "./config.js";
import { trace } from "./shapes.js";

const { selected, hover } = config.cartography;

export const HighlightLayer = CanvasLayer.extend({
  options: { pane: "marks", padding: 0.1 },

  setSelected(shape) {
    this.selected = shape;
    this.repaint();
  },

  setHovered(shape) {
    if (this.hovered === shape) return;
    this.hovered = shape;
    this.repaint();
  },

  draw(context, view) {
    if (this.hovered) outline(context, this.hovered, view, [[hover.width_px, config.cartography.ink.text]]);
    if (this.selected) outline(context, this.selected, view, [[selected.width_px + 4, selected.halo], [selected.width_px, selected.color]]);
  },
});

function outline(context, shape, view, strokes) {
  for (const [width, color] of strokes) {
    context.beginPath();
    trace(context, shape, view);
    for (let i = 0; i < shape.points.length; i += 2) {
      const x = shape.points[i] * view.scale - view.left;
      const y = shape.points[i + 1] * view.scale - view.top;
      context.moveTo(x + 8, y);
      context.arc(x, y, 8, 0, 2 * Math.PI);
    }
    context.lineWidth = width;
    context.strokeStyle = color;
    context.lineJoin = "round";
    context.stroke();
  }
}
