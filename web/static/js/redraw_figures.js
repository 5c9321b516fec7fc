// The figures of the areas that a drawing changes, before and after, in a strip below the map while the border is dragged.

import { element, replace } from "./element.js";
import { area, draft, onDraft } from "./redraw_draft.js";
import { change, figure, label, MEASURES, plain } from "./redraw_measures.js";
import { reading, t } from "./words.js";

const MOST = 8;
const box = document.getElementById("redraw-figures");

/** The strip is there as long as a draft is open: a map that changes its height while somebody draws is no help. */
onDraft(({ what }) => {
  if (what === "closed") box.hidden = true;
  else if (box.hidden) hideFigures();
});

/** Nothing is selected or drawn: say what would stand here. */
export function hideFigures() {
  box.hidden = !draft();
  replace(box, element("p", { class: "small-note" }, t("redraw.figures_none")));
}

/** Figures of one area as it is. */
export function showArea(code) {
  const one = area(code);
  if (!one?.own) return hideFigures();
  return draw(t("redraw.figures"), [{ name: one.name, code, before: null, after: one.properties }]);
}

/** Before and after of every area an answer speaks of; `title` says whether it is only a preview. */
export function showChange(answer, title, earlier = area) {
  const rows = (answer.areas?.features ?? []).map(({ properties }) => {
    const before = earlier(properties.code)?.properties ?? null;
    return { code: properties.code, name: properties.name || properties.code, before, after: properties, begins: !before };
  });
  for (const code of (answer.ended ?? []).map(String)) {
    const before = earlier(code)?.properties;
    if (before) rows.push({ code, name: before.name || code, before, after: null });
  }
  if (rows.length) draw(title, rows);
}

/** Words instead of figures: a drawing that is not finished, or one that a rule forbids. */
export function showWords(title, text, bad = false) {
  box.hidden = false;
  replace(box, element("h2", {}, title), element("p", { class: bad ? "broken" : "small-note" }, text));
}

function draw(title, rows) {
  const shown = rows.slice(0, MOST);
  const names = MEASURES.map(([name]) => name).filter((name) => shown.some(({ before, after }) => figure(before, name) !== null || figure(after, name) !== null));
  box.hidden = false;
  replace(
    box,
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, title), names.map((name) => element("th", { scope: "col", class: `of-${name}` }, label(name))), element("th", { scope: "col", class: "of-state" }, t("measure.state")))),
      element("tbody", {}, shown.map((row) => line(row, names))),
    ),
    rows.length > MOST && element("p", { class: "small-note" }, t("redraw.more_areas", { n: rows.length - MOST })),
  );
}

function line(row, names) {
  const { name, code, begins, after } = row;
  return element(
    "tr",
    { class: after ? null : "gone", "data-code": code },
    element("th", { scope: "row", title: `${name} ${code}` }, element("span", { class: "name" }, name), element("small", {}, begins ? t("redraw.begins") : after ? String(code).slice(-3) : t("redraw.ends"))),
    names.map((measure) => cell(measure, row)),
    state(after),
  );
}

function cell(name, { before, after }) {
  // The label is shown on phones, where the figures of an area stand below its name.
  if (!after) return element("td", { class: `of-${name}`, "data-label": label(name) }, plain(name, figure(before, name)));
  const now = figure(after, name);
  const delta = before ? change(name, figure(before, name), now) : "";
  return element("td", { class: `of-${name} ${isBroken(after, name) ? "broken" : ""}`, "data-label": label(name) }, plain(name, now), delta && element("small", { class: "delta" }, delta));
}

const breaks = (properties) => properties?.breaks ?? [];
const isBroken = (properties, name) => (name === "camera_shortfall" ? figure(properties, name) > 0 : breaks(properties).some((one) => one.rule === name || one.field === name));

/** Every rule that breaks, in words. */
function state(after) {
  if (!after) return element("td", { class: "of-state" }, t("redraw.ends"));
  const broken = breaks(after).map((one) => reading(one.text));
  return element("td", { class: `of-state ${broken.length ? "broken" : "fine"}` }, broken.length ? broken.join(t("redraw.breaks_join")) : t("redraw.fine"));
}
