// Two states of the boundaries held against each other: two days, or a day and a draft, by swiping or side by side.
// The address says which: compare=DATE|draft:ID, compare_mode=swipe|side, compare_kind=grid|village|township.

import { config } from "./config.js";
import { drawComparison, markMode } from "./compare_panel.js";
import { startSide } from "./compare_side.js";
import { startSwipe } from "./compare_swipe.js";
import { element } from "./element.js";
import { AREAS, boundsOf, chosen, entryOf, layerOf, restyle } from "./layers.js";
import { setFigureLegend } from "./legend.js";
import { fit, map, PANES } from "./map.js";
import { problemBox } from "./notice.js";
import { getJSON, isCancelled, query } from "./request.js";
import { ShapeLayer, toShapes } from "./shapes.js";
import { get, set, watch } from "./state.js";
import { shapeStyle } from "./styles.js";
import { day, integer, many, reading, t } from "./words.js";

const SIDES = ["before", "after"];
const STATES = ["changed", "new", "ended", "unchanged"];
const { compare: looks } = config.cartography;
let asked = null;
let found = null;
let draft = null;
let layers = null;
let mode = null;
let shown = null;
let watching = false;
let options = {};

export const isComparing = () => get("compare") !== "";

/** What is compared: the kind of the address, of the draft, or the smallest that is there. */
const kindOf = () => get("compare_kind") || draft?.level || ["grid", "village", "township"].find((kind) => entryOf(kind)?.rows) || "village";
const modeOf = () => (get("compare_mode") === "side" ? "side" : "swipe");

/**
 * Start to follow the address. `show(nodes)` puts the comparison into the panel, `end()` is called when it is over;
 * `linked` says that the address came with a position, which then stays. All may be left out.
 */
export function start(given = {}) {
  options = given;
  if (!watching) {
    watching = true;
    watch(["compare", "compare_kind", "as_of"], refresh);
    watch(["compare_mode"], () => {
      if (!found) return;
      markMode(modeOf());
      arrange();
    });
    document.addEventListener("layer", (event) => {
      if (!found) return;
      if (event.detail === found.kind) hideChanged();
      mode?.redraw?.();
    });
  }
  return refresh();
}

async function refresh() {
  asked?.abort();
  if (!isComparing()) return stop();
  asked = new AbortController();
  const { signal } = asked;
  try {
    draft = get("compare").startsWith("draft:") ? await getJSON(`/api/v1/drafts/${get("compare").slice(6)}`, { signal }) : null;
    const kind = kindOf();
    const answer = await getJSON(`/api/v1/comparison/${kind}${query({ as_of: get("as_of"), compare: get("compare") })}`, { signal, label: t("busy.compare") });
    found = answer;
    if (!chosen().includes(kind)) set({ layers: [...chosen(), kind] }, { step: false });
    draw();
  } catch (error) {
    if (isCancelled(error)) return;
    stop();
    options.show?.([problemBox(error, refresh), endButton()]);
  }
}

const endButton = () => element("p", { class: "mt-2" }, element("button", { type: "button", class: "btn btn-outline-secondary btn-sm", onclick: end }, t("compare.end")));

/** Leave the comparison; the day stays. */
export function end() {
  set({ compare: "", compare_mode: "", compare_kind: "" });
}

function stop() {
  const was = Boolean(found);
  mode?.end();
  mode = null;
  layers && Object.values(layers).forEach((layer) => layer.remove());
  layers = null;
  shown?.remove();
  shown = null;
  if (found) drawAll();
  found = null;
  draft = null;
  delete document.documentElement.dataset.compared;
  if (!was) return;
  setFigureLegend(null);
  options.end?.();
}

/** The two states in words: day, or title of the draft. */
export function sideWords(side) {
  if (side === "after" && draft) return t("compare.draft", { title: draft.title || draft.id });
  const on = found[side];
  return on === config.today ? t("compare.today", { day: day(on) }) : day(on);
}

function draw() {
  const parts = toShapes(found.geometry);
  const style = (shape) => looks[shape.properties.state];
  for (const name of SIDES) pane(`compare_${name}`);
  layers ??= Object.fromEntries(SIDES.map((side) => [side, new ShapeLayer({ pane: `compare_${side}`, style })]));
  for (const side of SIDES) layers[side].setShapes(parts.filter((shape) => shape.properties.side === side));
  hideChanged();
  arrange();
  setFigureLegend({
    title: t("compare.legend"),
    note: t("legend.units", { n: integer(STATES.reduce((sum, state) => sum + found.counts[state], 0)), unit: many(found.kind, entryOf(found.kind)?.label) }),
    classes: STATES.map((state) => ({ words: reading(looks[state]), count: found.counts[state], ...looks[state] })),
  });
  options.show?.(drawComparison({ found, draft, words: sideWords, mode: modeOf(), unit: many(found.kind, entryOf(found.kind)?.label), end, zoom }));
  document.documentElement.dataset.compared = `${found.kind} ${found.before} ${found.after}`;
}

function pane(name) {
  if (map.getPane(name)) return;
  const made = map.createPane(name);
  made.style.zIndex = PANES.areas + 10;
  made.style.pointerEvents = "none";
}

/** Codes of the areas that differ. */
const differing = () => new Set(found.rows.map((row) => row.code));

/** The layer of the page draws every area again. */
function drawAll() {
  restyle(found.kind, null);
  layerOf(found.kind)?.leaveOut?.(new Set());
}

/** Areas that differ are drawn by the comparison, on their side of it, and not by the layer below. */
function hideChanged() {
  const hidden = differing();
  layerOf(found.kind)?.leaveOut?.(hidden);
  restyle(found.kind, (shape) => (hidden.has(String(shape.id)) ? null : shapeStyle(found.kind, shape)));
}

function zoom(code) {
  const shapes = SIDES.flatMap((side) => layers[side].shapes).filter((shape) => String(shape.id) === code);
  if (!shapes.length) return;
  const boxes = shapes.map(boundsOf);
  fit([0, 1].map((i) => Math.min(...boxes.map((box) => box[i]))).concat([2, 3].map((i) => Math.max(...boxes.map((box) => box[i])))), { maxZoom: 15 });
}

function arrange() {
  // A link opens the picture it was taken from; without one, and at a switch, the second map must not cut the first.
  const refit = Boolean(mode) || !options.linked;
  mode?.end();
  shown?.remove();
  const holder = map.getContainer().parentNode;
  for (const side of SIDES) layers[side].remove();
  if (modeOf() === "side") {
    layers.before.addTo(map);
    mode = startSide({ map, holder, draw: fillSecond, refit });
  } else {
    for (const side of SIDES) layers[side].addTo(map);
    mode = { end: startSwipe({ map, holder, left: "compare_before", right: "compare_after" }) };
  }
  shown = element("div", { class: `compare-names in-${modeOf()}` }, SIDES.map((side) => element("span", { class: side }, sideWords(side))));
  holder.append(shown);
}

/** The second map has the outlines of the first, but for what differs: that is as it is afterwards. */
function fillSecond({ shape, tiles, labels }) {
  const hidden = differing();
  for (const kind of ["county", ...AREAS.filter((name) => name !== "county").reverse()].filter((name) => chosen().includes(name))) {
    const layer = layerOf(kind);
    if (layer?.copy) tiles(kind, layer, kind === found.kind ? hidden : new Set());
    if (!(layer instanceof ShapeLayer)) continue;
    const same = kind === found.kind ? layer.shapes.filter((one) => !hidden.has(String(one.id))) : layer.shapes;
    if (kind === "county") shape("ground", same, () => ({ fill: config.cartography.ground.land }));
    shape("areas", same, (one) => shapeStyle(kind, one));
    labels(kind, kind === found.kind ? [...same, ...layers.after.shapes] : same);
  }
  shape("compare", layers.after.shapes, (one) => looks[one.properties.state]);
}
