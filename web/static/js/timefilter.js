// Which incidents count: category, period, weekdays, hours. Quick periods end with the last day there is data for.

import { dateField } from "./datefield.js";
import { button, choice, element } from "./element.js";
import { chips, line } from "./panel.js";
import { get, list, set } from "./state.js";
import { t } from "./words.js";

const QUICK_DAYS = [30, 90, 365];
const HOURS = [["6-11", "time.morning"], ["12-17", "time.afternoon"], ["18-23", "time.evening"], ["0-5", "time.night"]];

/** Lines of controls; `categories` are the values that occur, `last` the last day of the data. */
export function timeFilter({ categories, last }) {
  const period = (days) => {
    const from = new Date(`${last}T00:00:00Z`);
    from.setUTCDate(from.getUTCDate() - days + 1);
    return from.toISOString().slice(0, 10);
  };
  const date = (name, words) => dateField({ value: get(name), "aria-label": words, onchange: (iso) => set({ [name]: iso }) });
  const isQuick = (days) => get("from") === period(days) && (get("to") === last || !get("to"));
  return [
    categories.length > 0 && line(t("hot.category"), choice([["", t("hot.all_categories")], ...categories], get("category"), (value) => set({ category: value }))),
    element(
      "div",
      { class: "line" },
      element("span", {}, t("hot.period")),
      element(
        "div",
        { class: "chips" },
        element("button", { type: "button", "aria-pressed": String(!get("from") && !get("to")), onclick: () => set({ from: "", to: "" }) }, t("time.all")),
        QUICK_DAYS.map((days) => element("button", { type: "button", "aria-pressed": String(isQuick(days)), onclick: () => set({ from: period(days), to: last }) }, t("time.days", { n: days }))),
      ),
    ),
    element("div", { class: "line" }, element("span", {}, ""), element("div", { class: "pair" }, date("from", t("time.from")), date("to", t("time.to")))),
    line(t("hot.weekdays"), chips([1, 2, 3, 4, 5, 6, 7].map((n) => [n, t(`weekday.${n}`)]), list("weekdays"), (now) => set({ weekdays: now.sort() }), t("hot.weekdays"))),
    line(t("hot.hours"), chips(HOURS.map(([value, key]) => [value, t(key)]), list("hours"), (now) => set({ hours: now }), t("hot.hours"))),
    (get("category") || get("from") || get("to") || get("weekdays") || get("hours")) && element("div", {}, button(t("hot.clear"), () => set({ category: "", from: "", to: "", weekdays: "", hours: "" }), { kind: "link" })),
  ];
}
