// The areas of the draft on the map: plain, changed, locked, picked; the pieces that move; the piece that was refused.

import { HighlightLayer } from "./highlight.js";
import { layerOf, nameShapes } from "./layers.js";
import { fit, map } from "./map.js";
import { latitudeOf, longitudeOf, worldX, worldY } from "./mercator.js";
import { areas, isLocked, onDraft, own } from "./redraw_draft.js";
import { fillOf } from "./redraw_colours.js";
import { contains, ShapeLayer, toShapes } from "./shapes.js";
import { watch } from "./state.js";
import { t } from "./words.js";

const NAMES_FROM_ZOOM = 11;
const MOVED = "#0B7285";
const REFUSED = "#B30000";
let plan = null;
let today = null;
let pieces = null;
let refused = null;
let highlight = null;
let picks = new Set();

export function startDraftMap() {
  for (const [name, order] of [["plan", 355], ["pieces", 390]]) {
    const pane = map.createPane(name);
    pane.style.zIndex = order;
    pane.style.pointerEvents = "none";
  }
  plan = new ShapeLayer({ pane: "plan", style: areaStyle }).addTo(map);
  today = new ShapeLayer({ pane: "pieces", style: () => ({ fill: null, line: "#111827", width: 1, dash: [3, 4] }) });
  pieces = new ShapeLayer({ pane: "pieces", style: () => ({ fill: `${MOVED}33`, hatched: { color: MOVED }, line: MOVED, width: 1.5 }) }).addTo(map);
  refused = new ShapeLayer({ pane: "pieces", style: () => ({ fill: `${REFUSED}22`, hatched: { color: REFUSED }, line: REFUSED, width: 2, size: 7, dot: REFUSED }) }).addTo(map);
  highlight = new HighlightLayer().addTo(map);
  watch(["base"], repaintAreas);
  onDraft(({ what }) => {
    drawAreas();
    if (what === "closed" || what === "opened") clearPieces();
    if (what === "opened") zoomToDraft();
  });
}

function areaStyle(shape) {
  const { code } = shape.properties;
  if (!shape.properties.own) return { fill: "#E6E8EA99", line: "#9CA3AF", width: 0.7 };
  const style = { ...fillOf(shape.properties), line: "#374151", width: 1.1 };
  if (isLocked(code)) style.hatched = { pattern: "dots", color: "#374151" };
  if (picks.has(code)) Object.assign(style, { fill: "#0B728540", line: "#0B7285", width: 2.5 });
  return style;
}

export function drawAreas() {
  const shapes = [...areas().values()].map(({ code, name, shape, own: mine, properties }) => {
    shape.properties = { ...properties, code, own: mine, name: short(name, nameOfParent(properties)) + (isLocked(code) ? t("redraw.locked_mark") : "") };
    return shape;
  });
  plan.setShapes(shapes);
  nameShapes("grid", shapes.filter((shape) => shape.properties.own), NAMES_FROM_ZOOM);
}

const nameOfParent = ({ parent_code: code }) => ["village", "township"].map((kind) => layerOf(kind)?.shape?.(code)?.properties.name).find(Boolean);

/** A grid is usually called after its village: inside it the rest of the name is enough. */
function short(name, parent) {
  return parent && name.startsWith(parent) && name.length > parent.length ? name.slice(parent.length).trim() : name;
}

/** Outline one area, or none. */
export const showSelected = (code) => highlight.setSelected(areas().get(code)?.shape ?? null);
export const showHovered = (code) => highlight.setHovered(areas().get(code)?.shape ?? null);

/** Mark the areas that are being picked, as for a merge. */
export function showPicks(codes) {
  picks = new Set(codes);
  plan.repaint();
}

const asShapes = (geometries) => toShapes({ features: geometries.filter(Boolean).map((geometry, id) => ({ id, geometry, properties: {} })) });

/** Land that changes hands. */
export const showMoved = (geometries) => pieces.setShapes(asShapes(geometries));
/** The piece a refusal speaks of. */
export const showRefused = (geometry) => refused.setShapes(asShapes([geometry]));

export function clearPieces() {
  showMoved([]);
  showRefused(null);
}

/** Boundaries in force today, dashed above the draft; null takes them away. */
export function showToday(collection) {
  if (!collection) return today.remove();
  today.setShapes(toShapes(collection));
  return today.addTo(map);
}

/** The area at a position; those of the draft before the land around. */
export function areaAt({ lng, lat }) {
  const [x, y] = [worldX(lng), worldY(lat)];
  const found = [...areas().values()].filter(({ shape }) => contains(shape, x, y));
  return found.find((one) => one.own) ?? found[0] ?? null;
}

function bounds(shapes) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { box: [west, north, east, south] } of shapes) {
    box[0] = Math.min(box[0], west);
    box[1] = Math.min(box[1], north);
    box[2] = Math.max(box[2], east);
    box[3] = Math.max(box[3], south);
  }
  return [longitudeOf(box[0]), latitudeOf(box[3]), longitudeOf(box[2]), latitudeOf(box[1])];
}

const TOOLS_AND_HINT = 106;

/** Room at the upper edge of the map for the tools and for what they say, also before they have said it. */
const clear = () => ({ paddingTopLeft: [24, Math.max(document.getElementById("redraw-top")?.offsetHeight ?? 0, TOOLS_AND_HINT) + 28] });

export function zoomToDraft() {
  // The strip of figures has just taken its part of the map.
  map.invalidateSize({ pan: false });
  const mine = own().map((one) => one.shape);
  if (mine.length) fit(bounds(mine), { animate: false, ...clear() });
}

export const draftBounds = () => bounds(own().map((one) => one.shape));

export function zoomToArea(code) {
  const one = areas().get(code);
  if (one) fit(bounds([one.shape]), { maxZoom: 17, ...clear() });
}

export function zoomToGeometry(geometry) {
  const shapes = asShapes([geometry]);
  if (shapes.length) fit(bounds(shapes), { maxZoom: 18, ...clear() });
}

export const repaintAreas = () => plan?.repaint();
