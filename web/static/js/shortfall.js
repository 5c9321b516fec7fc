// Classes of what is missing: limits from the rule, colours from the table of cartography, "no data" always its own.

import { config } from "./config.js";
import { integer, reading, t } from "./words.js";

const table = config.cartography.shortfall;
const [met, ...steps] = table.classes;
const none = table.no_data;

/** Classes for a rule: [{id, from, to, fill, words}], met first; at most three steps and no data. */
export function classesOf(rule) {
  const limits = (rule.colour_limits?.length ? rule.colour_limits : steps.map((step) => step.from)).slice(0, steps.length);
  // With fewer limits the strongest colours are kept: the worst class is always the darkest.
  const fills = steps.slice(steps.length - limits.length);
  const unit = reading(rule.amount);
  return [
    { id: "met", from: 0, to: 0, fill: met.fill, words: reading(met) },
    ...limits.map((from, i) => {
      const to = i + 1 < limits.length ? limits[i + 1] - 1 : null;
      const range = to === null ? t("class.or_more", { n: integer(from) }) : to === from ? integer(from) : t("class.range", { from: integer(from), to: integer(to) });
      return { id: `step_${i}`, from, to, fill: fills[i].fill, words: t("class.missing", { range, unit }) };
    }),
    { id: "no_data", fill: none.fill, hatched: { color: none.hatch_color }, words: reading(none) },
  ];
}

/** The class of a row; rows that miss less than the first limit but fall short are in the first step. */
export function classOf(row, classes) {
  if (row.state === "no_data") return classes.at(-1);
  if (row.state === "met" || row.shortfall <= 0) return classes[0];
  const stepped = classes.slice(1, -1);
  return [...stepped].reverse().find((one) => row.shortfall >= one.from) ?? stepped[0];
}

/** Whether another threshold can be worked out here, from the values at hand. */
export const isAdjustable = (rule) => rule.form === "count" && rule.comparison === ">=";

/** Rows under another threshold: the same arithmetic as the server's for counts, ordered as its answer is. */
export function withThreshold(rows, threshold) {
  return rows
    .map((row) => {
      if (row.state === "no_data" || row.value === null) return row;
      const shortfall = Math.max(0, Math.ceil(threshold - row.value));
      return { ...row, required: threshold, shortfall, state: shortfall > 0 ? "short" : "met" };
    })
    .sort((a, b) => (b.shortfall ?? -1) - (a.shortfall ?? -1) || (a.code < b.code ? -1 : 1));
}

/** Counts per class, in the order of the classes; they add up to the number of rows. */
export function countClasses(rows, classes) {
  const counts = new Map(classes.map((one) => [one.id, 0]));
  for (const row of rows) counts.set(classOf(row, classes).id, counts.get(classOf(row, classes).id) + 1);
  return classes.map((one) => ({ ...one, count: counts.get(one.id) }));
}
