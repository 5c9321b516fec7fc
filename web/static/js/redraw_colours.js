// What the areas of a draft are coloured by: what has changed, workload beside the mean, or cameras missing.

import { config } from "./config.js";
import { setFigureLegend } from "./legend.js";
import { draft, own } from "./redraw_draft.js";
import { figure } from "./redraw_measures.js";
import { get } from "./state.js";
import { integer, many, reading, t } from "./words.js";

export const COLOURS = ["changed", "workload", "shortfall"];
const CHANGED = [
  { id: "new", fill: "#8FCBD3", words: () => t("redraw.colour_new") },
  { id: "touched", fill: "#CFE8EC", words: () => t("redraw.colour_touched") },
  { id: "same", fill: "#FAFAF7", words: () => t("redraw.colour_same") },
];
// Limits are shares of the mean workload; a grid at twice the mean is hard to serve.
const WORKLOAD = [
  { upto: 0.5, fill: "#ABD9E9", words: () => t("redraw.load_low") },
  { upto: 0.8, fill: "#E0F1F5", words: () => t("redraw.load_below") },
  { upto: 1.25, fill: "#F5F3EE", words: () => t("redraw.load_mean") },
  { upto: 2, fill: "#FDAE61", words: () => t("redraw.load_above") },
  { upto: Infinity, fill: "#D7301F", hatched: { color: "#FFFFFF" }, words: () => t("redraw.load_high") },
];
const { shortfall } = config.cartography;
let mean = null;

export const colour = () => (COLOURS.includes(get("colour")) ? get("colour") : "changed");

function classOf(properties) {
  if (colour() === "changed") {
    if (draft()?.codes?.includes(properties.code)) return CHANGED[0];
    return properties.changed ? CHANGED[1] : CHANGED[2];
  }
  if (colour() === "workload") {
    const value = figure(properties, "workload");
    return value === null || !mean ? noData : WORKLOAD.find(({ upto }) => value / mean < upto);
  }
  const missing = figure(properties, "camera_shortfall");
  return missing === null ? noData : shortfall.classes.find(({ from, to }) => missing >= from && (to === null || missing <= to)) ?? noData;
}

const noData = { fill: shortfall.no_data.fill, hatched: { color: shortfall.no_data.hatch_color }, words: () => reading(shortfall.no_data) };

export function fillOf(properties) {
  const { fill, hatched } = classOf(properties);
  // Whoever draws after a picture of the land has to see it.
  const strength = get("base") ? "4D" : "CC";
  return { fill: `${fill}${fill.length === 7 ? strength : ""}`, hatched };
}

/** Work out the mean anew and lay the legend out; counts add up to the areas of the draft. */
export function drawColours() {
  const mine = own();
  if (!mine.length) return setFigureLegend(null);
  const loads = mine.map((one) => figure(one.properties, "workload")).filter((value) => value !== null);
  mean = loads.length ? loads.reduce((sum, value) => sum + value, 0) / loads.length : null;
  const counts = new Map();
  for (const one of mine) {
    const found = classOf({ ...one.properties, code: one.code });
    counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  const order = colour() === "changed" ? CHANGED : colour() === "workload" ? [...WORKLOAD, noData] : [...shortfall.classes, noData];
  return setFigureLegend({
    title: t(`redraw.by_${colour()}`),
    note: t("legend.units", { n: integer(mine.length), unit: many(draft().level, draft().level_label) }),
    classes: order.filter((one) => counts.has(one)).map((one) => ({ words: one.words?.() ?? reading(one), count: counts.get(one), fill: one.fill, hatched: one.hatched })),
  });
}
