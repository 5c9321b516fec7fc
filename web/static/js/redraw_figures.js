// The figures of the areas that a drawing changes, before and after, beside each other while the border is dragged.

import { element, replace } from "./element.js";
import { area } from "./redraw_draft.js";
import { change, figure, label, MEASURES, written } from "./redraw_measures.js";
import { reading, t } from "./words.js";

const MOST = 4;
const box = document.getElementById("redraw-figures");

export function hideFigures() {
  box.hidden = true;
  replace(box);
}

/** Figures of one area as it is. */
export function showArea(code) {
  const one = area(code);
  if (!one?.own) return hideFigures();
  return draw(t("redraw.figures"), [{ name: one.name, code, before: null, after: one.properties }]);
}

/** Before and after of every area an answer speaks of; `title` says whether it is only a preview. */
export function showChange(answer, title, earlier = area) {
  const features = answer.areas?.features ?? [];
  const ended = (answer.ended ?? []).map(String);
  const columns = features.filter((feature) => feature.geometry).map(({ properties }) => {
    const before = earlier(properties.code)?.properties ?? null;
    return { code: properties.code, name: properties.name || properties.code, before, after: properties, begins: !before };
  });
  for (const code of ended) {
    const before = earlier(code)?.properties;
    if (before && !columns.some((column) => column.code === code)) columns.push({ code, name: before.name || code, before, after: null });
  }
  if (!columns.length) return;
  draw(title, columns);
}

/** Words instead of figures: a drawing that is not finished, or one that a rule forbids. */
export function showWords(title, text, bad = false) {
  box.hidden = false;
  replace(box, element("h2", {}, title), element("p", { class: bad ? "broken" : "small-note" }, text));
}

function draw(title, columns) {
  const shown = columns.slice(0, MOST);
  const names = MEASURES.filter(([name]) => shown.some(({ before, after }) => figure(before, name) !== null || figure(after, name) !== null));
  box.hidden = false;
  replace(
    box,
    element("h2", {}, title, columns.length > MOST && element("span", {}, t("redraw.more_areas", { n: columns.length - MOST }))),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, element("td", {}), shown.map((column) => element("th", { scope: "col", title: `${column.name} ${column.code}` }, element("span", { class: "name" }, column.name), element("small", {}, tail(column)))))),
      element(
        "tbody",
        {},
        names.map(([name]) => element("tr", {}, element("th", { scope: "row" }, label(name)), shown.map((column) => cell(name, column)))),
        element("tr", { class: "state" }, element("th", { scope: "row" }, t("measure.state")), shown.map(stateCell)),
      ),
    ),
    broken(shown),
  );
}

function tail({ begins, after, code }) {
  if (begins) return t("redraw.begins");
  return after ? String(code).slice(-3) : t("redraw.ends");
}

function cell(name, { before, after }) {
  if (!after) return element("td", { class: "gone" }, written(name, figure(before, name)));
  const now = figure(after, name);
  const delta = before ? change(name, figure(before, name), now) : "";
  return element("td", { class: isBroken(after, name) ? "broken" : null }, written(name, now), delta && element("small", {}, delta));
}

const breaks = (properties) => properties?.breaks ?? [];
const isBroken = (properties, name) => (name === "camera_shortfall" ? figure(properties, name) > 0 : breaks(properties).some((one) => one.rule === name));

function stateCell({ after }) {
  if (!after) return element("td", { class: "gone" }, t("redraw.ends"));
  const count = breaks(after).length;
  return element("td", { class: count ? "broken" : "fine" }, count ? t("redraw.breaks", { n: count }) : t("redraw.fine"));
}

/** Every rule that breaks, in words: which area and what. */
function broken(columns) {
  const lines = columns.flatMap(({ name, after }) => breaks(after).map((one) => t("redraw.broken_line", { name, text: reading(one.text) })));
  return lines.length > 0 && element("ul", { class: "broken-list" }, lines.map((line) => element("li", {}, line)));
}
