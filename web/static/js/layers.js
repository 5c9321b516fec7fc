// The layers on the map: which are on, how strong, fetched when first shown, always in one order from ground to points.

import { config } from "./config.js";
import { LabelLayer } from "./labels.js";
import { latitudeOf, longitudeOf } from "./mercator.js";
import { fit, map, windowText } from "./map.js";
import { showProblem } from "./notice.js";
import { PointLayer, readPoints } from "./points.js";
import { getBytes, getJSON, isCancelled, query } from "./request.js";
import { catalogue } from "./session.js";
import { ShapeLayer, toShapes } from "./shapes.js";
import { boundaryDay, get, list, set, watch } from "./state.js";
import { shapeStyle } from "./styles.js";
import { t } from "./words.js";

export const AREAS = ["county", "township", "village", "natural_village", "grid"];
const ORDER = ["grid", "natural_village", "village", "township", "county"];
// From this zoom on outlines are asked for the window only, in full detail.
const FINE_ZOOM = 14;
const HOLD_MS = 400;
const held = new Map();
let entries = [];
let defaults = [];
let needed = [];
let labels = null;
let waiting = null;

export const isArea = (kind) => AREAS.includes(kind);
export const entryOf = (kind) => entries.find((entry) => entry.kind === kind);
export const allEntries = () => entries;
export const chosen = () => (get("layers") === "none" ? [] : get("layers") ? list("layers") : [...new Set([...defaults, ...needed])]).filter((kind) => entryOf(kind));
export const layerOf = (kind) => held.get(kind)?.layer;
export const shapesOf = (kind) => held.get(kind)?.layer?.shapes ?? [];

/** Metres by which outlines may be simplified at a zoom: a pixel, in steps so that answers are shared. */
function tolerance(zoom) {
  if (zoom >= FINE_ZOOM + 2) return 0;
  const pixel = (156543 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / 2 ** zoom;
  return Math.max(1, Math.round(2 ** (Math.floor(2 * Math.log2(pixel)) / 2)));
}

/** Start with the layers of the address, or those of the page. `then` hears of every layer that arrived. */
export async function startLayers() {
  labels = new LabelLayer({ obstacles: () => [...held.values()].flatMap((one) => one.layer?.numbers ?? []) });
  labels.addTo(map);
  entries = await catalogue();
  defaults = config.start.layers.concat(get("unit") && config.page !== "map" && isArea(get("unit")) ? [get("unit")] : []).filter((kind) => entryOf(kind)?.rows && entryOf(kind).points_allowed !== false);
  watch(["layers", "opacity", "where"], () => refresh());
  watch(["as_of", "boundaries"], async () => {
    entries = await catalogue();
    await refresh({ anew: true });
  });
  map.on("moveend", () => refresh());
  await together(refresh);
}

/** Show what arrives at nearly the same time at once: every frame between costs as much as the last one. */
async function together(fetchAll) {
  waiting = [];
  const all = fetchAll();
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, HOLD_MS))]);
  const arrived = waiting;
  waiting = null;
  arrived.forEach(show);
  return all;
}

function show(kind) {
  const { layer } = held.get(kind) ?? {};
  if (!layer) return;
  if (!map.hasLayer(layer)) {
    layer.addTo(map);
    arrange();
  }
  document.dispatchEvent(new CustomEvent("layer", { detail: kind }));
}

/** Kinds that what the panel shows is about: on the map besides the page's own, unless the reader chose the layers. */
export async function need(...kinds) {
  if (kinds.join() === needed.join()) return;
  needed = kinds;
  await refresh();
}

/** Bring the map in line with the address; layers already there stay until their new data is complete. */
export async function refresh({ anew = false } = {}) {
  const wanted = chosen();
  for (const [kind, layer] of held) if (!wanted.includes(kind)) remove(kind, layer);
  await Promise.all(wanted.map((kind) => bring(kind, anew).catch((error) => isCancelled(error) || showProblem(error))));
}

function remove(kind, one) {
  one.controller?.abort();
  one.layer?.remove();
  one.ground?.remove();
  labels.dropSource(kind);
  held.delete(kind);
  document.dispatchEvent(new CustomEvent("layer", { detail: kind }));
}

async function bring(kind, anew) {
  const entry = entryOf(kind);
  const one = held.get(kind) ?? { layer: null, asked: null };
  held.set(kind, one);
  const asked = request(entry);
  one.layer?.setOpacity(opacityOf(kind));
  if (one.asked === asked.key && !anew) return one.done;
  // A closer window inside the one that is there needs nothing new.
  if (!anew && one.layer && asked.window && one.window === asked.detail && one.bounds?.contains(map.getBounds())) return one.done;
  one.controller?.abort();
  one.controller = new AbortController();
  one.asked = asked.key;
  one.window = asked.detail;
  one.tolerance_m = asked.tolerance_m;
  one.bounds = asked.window ? map.getBounds().pad(0.5) : null;
  one.done = load(entry, one, asked).catch((error) => {
    // A later one may have taken its place already.
    if (one.asked === asked.key) one.asked = null;
    throw error;
  });
  return one.done;
}

function request(entry) {
  const asOf = dayOf(entry.kind);
  if (pointed(entry)) return { form: "points", key: `points ${asOf} ${filterOf(entry.kind)}` };
  if (entry.rows > config.start.tiles_above) return { form: "tiles", key: `tiles ${asOf}` };
  // Finer outlines than the zoom needs are kept; only closer looks ask again.
  const needed = tolerance(map.getZoom());
  // The first picture takes what the page has asked for already.
  const kept = held.get(entry.kind)?.tolerance_m ?? (get("at") ? Infinity : config.start.tolerance_m);
  const tolerance_m = kept <= needed && needed / 4 <= kept ? kept : needed;
  const window = entry.rows > 400 && map.getZoom() >= FINE_ZOOM ? windowText(0.5) : "";
  const detail = `${asOf} ${tolerance_m}`;
  return { form: "shapes", key: `${detail} ${window}`, tolerance_m, window, detail };
}

/** Areas are drawn as of the boundaries of the page's figure, everything else as of the day. */
export const dayOf = (kind) => (isArea(kind) ? boundaryDay() : get("as_of"));

const pointed = (entry) => entry.geometry === "point";
const filterOf = (kind) => (get("table") === kind ? get("where") : "");

async function load(entry, one, asked) {
  const { kind } = entry;
  const options = { signal: one.controller.signal, label: t("busy.layer", { layer: entry.label }) };
  if (asked.form === "tiles") {
    await loadTiles(entry, one);
  } else if (asked.form === "points") {
    const columns = (config.start.point_columns[kind] ?? []).join(",");
    const points = readPoints(await getBytes(`/points/${kind}${query({ as_of: get("as_of"), where: filterOf(kind), columns })}`, options));
    // Names keep clear of the numbers in hexagons, so they follow them.
    one.layer ??= new PointLayer(pointStyle(kind)).on("painted", () => labels.repaint());
    one.layer.setPoints(points);
  } else {
    const columns = [entry.geometry === "area" && "derived", entry.columns.some((column) => column.name === "name") && "name"].filter(Boolean);
    // No column at all is not the same as all columns.
    if (!columns.length) columns.push("fid");
    const collection = await getJSON(
      `/features/${encodeURIComponent(kind)}${query({ as_of: dayOf(kind), tolerance_m: asked.tolerance_m || null, bbox: asked.window, columns: columns.join(",") })}`,
      options,
    );
    if (one.tiles) forgetTiles(one);
    one.layer ??= new ShapeLayer({ style: (shape) => shapeStyle(kind, shape) });
    one.layer.setShapes(toShapes(collection));
    if (isArea(kind)) labels.setSource(kind, one.layer.shapes);
    if (kind === "county") showGround(one);
  }
  if (!held.has(kind)) return;
  one.layer.setOpacity(opacityOf(kind));
  if (waiting) waiting.push(kind);
  else show(kind);
}

/** The tiles of another day take the place of those there when they are complete. */
async function loadTiles(entry, one) {
  const { signal } = one.controller;
  const { putInPlace, tileLayer } = await import("./tiles.js");
  const layer = await tileLayer(entry, dayOf(entry.kind));
  signal.throwIfAborted();
  const former = one.layer;
  one.layer = layer;
  one.tiles = true;
  labels.dropSource(entry.kind);
  if (former) putInPlace(map, layer, former);
}

/** On another day there are so few areas that they come as shapes. */
function forgetTiles(one) {
  one.layer.remove();
  one.layer = null;
  one.tiles = false;
}

/** The county's land lies below everything, its line above: two layers of the same shapes. */
function showGround(one) {
  one.ground ??= new ShapeLayer({ pane: "ground", style: () => ({ fill: config.cartography.ground.land }) }).addTo(map);
  one.ground.setShapes(one.layer.shapes);
}

/** Canvases stand in their pane in one order, whichever arrived first. */
function arrange() {
  const rank = (kind) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : -1);
  for (const [, one] of [...held].sort(([a], [b]) => rank(a) - rank(b))) {
    const canvas = one.layer?._container;
    if (canvas && canvas.parentNode) canvas.parentNode.append(canvas);
  }
}

function pointStyle(kind) {
  const { camera, point } = config.cartography;
  if (kind === "camera") {
    return { by: "status", mark: (status) => camera[status] ?? camera.unknown, color: camera.online.color, aggregateAbove: camera.hexagons_above };
  }
  const color = kind === "incident" ? config.cartography.incident?.color ?? "#7A3E9D" : point.color;
  return { mark: () => ({ mark: "disc", color }), color, aggregateAbove: camera.hexagons_above };
}

/** Strength of a layer from 0 to 1, as the address says. */
export function opacityOf(kind) {
  const found = list("opacity").map((part) => part.split(":")).find(([name]) => name === kind);
  return found ? Math.min(100, Math.max(0, Number(found[1]) || 0)) / 100 : 1;
}

export function setOpacity(kind, value) {
  const others = list("opacity").filter((part) => !part.startsWith(`${kind}:`));
  set({ opacity: value >= 1 ? others : [...others, `${kind}:${Math.round(value * 100)}`] }, { step: false });
}

export function toggle(kind, on) {
  const without = chosen().filter((name) => name !== kind);
  const now = on ? [...without, kind] : without;
  set({ layers: now.length ? now : "none" });
}

export function zoomTo(kind) {
  const bounds = entryOf(kind)?.bounds;
  if (bounds) fit(bounds);
}

/** Draw a kind of area by the figures of a page instead of plainly; `rank` orders its names. */
export function restyle(kind, style, rank) {
  const layer = layerOf(kind);
  if (!(layer instanceof ShapeLayer)) return;
  layer.setStyle(style ?? ((shape) => shapeStyle(kind, shape)));
  if (rank) labels.setSource(kind, layer.shapes, rank);
}

/** Names of areas that only the page knows, such as those of a draft, among the others; from a zoom of their own. */
export function nameShapes(kind, shapes, fromZoom) {
  labels.options.fromZoom = { ...labels.options.fromZoom, [kind]: fromZoom };
  if (shapes.length) labels.setSource(kind, shapes);
  else labels.dropSource(kind);
}

/** Once a kind is drawn: now, and after every change of its data. */
export function onLayer(kind, then) {
  document.addEventListener("layer", (event) => event.detail === kind && then());
}

/** Outer box of a shape in degrees. */
export function boundsOf(shape) {
  const [west, north, east, south] = shape.box;
  return [longitudeOf(west), latitudeOf(south), longitudeOf(east), latitudeOf(north)];
}
