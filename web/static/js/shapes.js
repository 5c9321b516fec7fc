// Areas, lines and single points of a layer on one canvas: projected once, filled by class, picked by position.

import { CanvasLayer } from "./canvaslayer.js";
import { hatch } from "./hatch.js";
import { worldX, worldY } from "./mercator.js";

const SKIP_PX = 0.6;

/** GeoJSON features as shapes in world coordinates: rings, box, properties. */
export function toShapes(collection) {
  const shapes = [];
  for (const { id, geometry, properties } of collection.features) {
    const shape = { id, properties, rings: [], closed: true, points: [], box: [Infinity, Infinity, -Infinity, -Infinity], mass: 0, centre: null };
    if (geometry) collect(shape, geometry);
    if (shape.rings.length || shape.points.length) shapes.push(shape);
  }
  return shapes;
}

function collect(shape, geometry) {
  const { type, coordinates, geometries } = geometry;
  if (type === "Polygon") coordinates.forEach((ring, i) => addRing(shape, ring, i === 0));
  else if (type === "MultiPolygon") coordinates.forEach((part) => part.forEach((ring, i) => addRing(shape, ring, i === 0)));
  else if (type === "LineString") addLine(shape, coordinates);
  else if (type === "MultiLineString") coordinates.forEach((line) => addLine(shape, line));
  else if (type === "Point") addPoint(shape, coordinates);
  else if (type === "MultiPoint") coordinates.forEach((point) => addPoint(shape, point));
  else geometries?.forEach((part) => collect(shape, part));
}

function project(shape, line) {
  const flat = new Float64Array(line.length * 2);
  const box = shape.box;
  for (let i = 0; i < line.length; i++) {
    const x = worldX(line[i][0]);
    const y = worldY(line[i][1]);
    flat[2 * i] = x;
    flat[2 * i + 1] = y;
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }
  return flat;
}

function addRing(shape, ring, outer) {
  const flat = project(shape, ring);
  shape.rings.push(flat);
  if (!outer) return;
  const { mass, x, y } = centroid(flat);
  if (mass > shape.mass) {
    shape.mass = mass;
    shape.centre = [x, y];
  }
}

function addLine(shape, line) {
  shape.closed = false;
  shape.rings.push(project(shape, line));
}

function addPoint(shape, point) {
  const flat = project(shape, [point]);
  shape.points.push(flat[0], flat[1]);
  shape.centre ??= [flat[0], flat[1]];
}

function centroid(flat) {
  let twice = 0;
  let x = 0;
  let y = 0;
  // Relative to the first corner: world coordinates are large beside a village.
  const [x0, y0] = flat;
  for (let i = 0; i + 3 < flat.length; i += 2) {
    const cross = (flat[i] - x0) * (flat[i + 3] - y0) - (flat[i + 2] - x0) * (flat[i + 1] - y0);
    twice += cross;
    x += cross * (flat[i] + flat[i + 2] - 2 * x0);
    y += cross * (flat[i + 1] + flat[i + 3] - 2 * y0);
  }
  if (!twice) return { mass: 0, x: x0, y: y0 };
  return { mass: Math.abs(twice) / 2, x: x0 + x / (3 * twice), y: y0 + y / (3 * twice) };
}

export const overlaps = (a, b) => a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];

/** Add the outline of a shape to the current path, leaving out corners closer than half a pixel. */
export function trace(context, shape, view) {
  const { scale, left, top } = view;
  for (const ring of shape.rings) {
    let lastX = ring[0] * scale - left;
    let lastY = ring[1] * scale - top;
    context.moveTo(lastX, lastY);
    const end = ring.length - 2;
    for (let i = 2; i <= end; i += 2) {
      const x = ring[i] * scale - left;
      const y = ring[i + 1] * scale - top;
      if (i < end && Math.abs(x - lastX) < SKIP_PX && Math.abs(y - lastY) < SKIP_PX) continue;
      context.lineTo(x, y);
      lastX = x;
      lastY = y;
    }
    if (shape.closed) context.closePath();
  }
}

/** Whether a world position lies inside a shape (even-odd, so holes count as outside). */
export function contains(shape, x, y) {
  const [west, north, east, south] = shape.box;
  if (x < west || x > east || y < north || y > south) return false;
  let inside = false;
  for (const ring of shape.rings) {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      if (ring[i + 1] > y !== ring[j + 1] > y && x < ((ring[j] - ring[i]) * (y - ring[i + 1])) / (ring[j + 1] - ring[i + 1]) + ring[i]) inside = !inside;
    }
  }
  return inside;
}

export const ShapeLayer = CanvasLayer.extend({
  initialize(options) {
    CanvasLayer.prototype.initialize.call(this, options);
    this.shapes = [];
  },

  setShapes(shapes) {
    this.shapes = shapes;
    this.byId = new Map(shapes.map((shape) => [String(shape.id), shape]));
    this.repaint();
  },

  /** `style(shape, view)` gives {fill, hatched, line, width, dash, size}; fill null leaves the inside open. */
  setStyle(style) {
    this.options.style = style;
    this.repaint();
  },

  shape(id) {
    return this.byId?.get(String(id));
  },

  draw(context, view) {
    const strokes = new Map();
    const seen = this.shapes.filter((shape) => overlaps(shape.box, view.box));
    for (const shape of seen) {
      const style = this.options.style(shape, view);
      if (!style) continue;
      if (shape.closed && (style.fill || style.hatched)) this._fill(context, shape, style, view);
      if (shape.points.length) drawDots(context, shape, style, view);
      if (style.width) {
        const key = `${style.line}|${style.width}|${style.dash ?? ""}`;
        if (!strokes.has(key)) strokes.set(key, { style, shapes: [] });
        strokes.get(key).shapes.push(shape);
      }
    }
    // Wider lines last, so that a marked outline is not cut by its neighbours.
    for (const { style, shapes } of [...strokes.values()].sort((a, b) => a.style.width - b.style.width)) {
      context.beginPath();
      for (const shape of shapes) trace(context, shape, view);
      context.strokeStyle = style.line;
      context.lineWidth = style.width;
      // Round joins of hairlines are not seen and cost most of the stroke.
      context.lineJoin = style.width < 1.2 ? "bevel" : "round";
      context.setLineDash(style.dash ?? []);
      context.stroke();
    }
    context.setLineDash([]);
  },

  _fill(context, shape, style, view) {
    context.beginPath();
    trace(context, shape, view);
    context.globalAlpha = style.opacity ?? 1;
    if (style.fill) {
      context.fillStyle = style.fill;
      context.fill("evenodd");
    }
    if (style.hatched) {
      context.fillStyle = hatch(context, style.hatched);
      context.fill("evenodd");
    }
    context.globalAlpha = 1;
  },

  /** The shape at a world position; `reach` is the world length of the finger. */
  pick(x, y, reach) {
    for (let i = this.shapes.length - 1; i >= 0; i--) {
      const shape = this.shapes[i];
      if (shape.closed && shape.rings.length && contains(shape, x, y)) return shape;
      for (let k = 0; k < shape.points.length; k += 2) {
        if (Math.hypot(shape.points[k] - x, shape.points[k + 1] - y) <= reach) return shape;
      }
    }
    return null;
  },
});

function drawDots(context, shape, style, view) {
  for (let i = 0; i < shape.points.length; i += 2) {
    context.beginPath();
    context.arc(shape.points[i] * view.scale - view.left, shape.points[i + 1] * view.scale - view.top, style.size ?? 4, 0, 2 * Math.PI);
    context.fillStyle = style.dot ?? style.line;
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = "#fff";
    context.stroke();
  }
}
