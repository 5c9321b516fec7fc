// The figures of an area that decide whether a boundary is good: names, units and order, as the server gives them.

import { area as areaWords, integer, number, t } from "./words.js";

/** Name of each figure and how it is written, in the order of the table. */
export const MEASURES = [
  ["area_m2", areaWords],
  ["households", (value) => t("redraw.n_households", { n: integer(value) })],
  ["population", (value) => t("redraw.n_people", { n: integer(value) })],
  ["cameras", (value) => t("redraw.n_cameras", { n: integer(value) })],
  ["key_places", (value) => t("redraw.n_places", { n: integer(value) })],
  ["incidents", (value) => t("redraw.n_incidents", { n: integer(value) })],
  ["workload", number],
  ["camera_shortfall", (value) => t("redraw.n_cameras", { n: integer(value) })],
];

/** A figure of the properties of an area; null where there is none or the reader may not see it. */
export function figure(properties, name) {
  const value = properties?.[name];
  return value === undefined || value === null ? null : Number(value);
}

export const label = (name) => t(`measure.${name}`);

export const written = (name, value) => (value === null ? t("no_data") : MEASURES.find(([one]) => one === name)[1](value));

/** A figure below a heading that names its unit. */
export const plain = (name, value) => (name === "area_m2" || value === null ? written(name, value) : name === "workload" ? number(value) : integer(value));

/** The change as people say it: +12, −0.4; nothing when it is the same. */
export function change(name, before, after) {
  if (before === null || after === null || before === after) return "";
  const difference = after - before;
  const text = name === "area_m2" ? areaWords(Math.abs(difference)) : name === "workload" ? number(Math.abs(difference)) : integer(Math.abs(difference));
  // What rounds to nothing is no change that anybody can read.
  if (Math.abs(difference) < (name === "workload" ? 0.005 : 0.5)) return "";
  return `${difference > 0 ? "+" : "−"}${text}`;
}

/** Sum of a figure over areas; null when none has it. */
export function total(list, name) {
  const values = list.map((one) => figure(one.properties, name)).filter((value) => value !== null);
  return values.length ? values.reduce((sum, value) => sum + value, 0) : null;
}
