// In whose boundaries a figure is counted: the control that names and changes it, and areas that are no more.

import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { choice, element, table } from "./element.js";
import { line } from "./panel.js";
import { set } from "./state.js";
import { day, integer, t } from "./words.js";

const MODES = ["then", "today", "date"];

/** The line of the controls; `result` tells its boundaries, `usual` is the mode an empty address stands for. */
export function boundariesControl(result, usual) {
  const { mode, on } = result.boundaries;
  const pick = (value) => set({ boundaries: value === usual ? "" : value === "date" ? on : value });
  const field = mode === "date" && dateField({ value: on, clearable: false, "aria-label": t("bounds.day"), onchange: (iso) => set({ boundaries: iso }) });
  return element(
    "div",
    { class: "boundaries-choice" },
    line(t("bounds.label"), choice(MODES.map((value) => [value, t(`bounds.${value}`)]), mode, pick, { id: "boundaries" })),
    field && element("div", { class: "line" }, element("span", {}, ""), field),
    element("p", { class: "small-note mb-0" }, t(`bounds.${mode}_note`, { day: day(on), today: day(config.today) })),
  );
}

/** A folded list of areas that are no more: {code, name, ended_on, count}; nothing when there are none. */
export function endedBox(title, rows, heading) {
  if (!rows?.length) return null;
  const lines = rows.map((row) => [row.name || row.code, row.ended_on ? row.ended_on : "–", integer(row.count)]);
  return element("details", { class: "further ended" }, element("summary", {}, title), table([t("bounds.area"), t("bounds.ended_on"), heading], lines, { numeric: [2], caption: title }));
}
