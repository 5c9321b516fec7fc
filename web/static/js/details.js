// Everything about one feature, in the panel: values with labels, where it belongs, what lies inside, its figure.

import { button, element } from "./element.js";
import { historyBox } from "./history.js";
import { fit, reveal } from "./map.js";
import { problemBox } from "./notice.js";
import { closeDetail, showDetail } from "./panel.js";
import { getJSON, isCancelled, query } from "./request.js";
import { select, selected } from "./selection.js";
import { set, watch } from "./state.js";
import { dayOf, entryOf, isArea } from "./layers.js";
import { integer, number, t } from "./words.js";

let asked = null;

/** `figure(kind, id)` gives a node with the page's own figure of a feature, or null; `own` knows features of the page alone. */
export function startDetails(figure, own) {
  const follow = () => show(figure, own);
  watch(["sel", "as_of", "boundaries"], follow);
  follow();
}

async function show(figure, own) {
  asked?.abort();
  const now = selected();
  if (!now) return closeDetail();
  const back = () => set({ sel: "" });
  if (now.kind === own?.kind) return showDetail(own.details(now.id), back);
  asked = new AbortController();
  try {
    const found = await getJSON(`/api/v1/features/${encodeURIComponent(now.kind)}/${encodeURIComponent(now.id)}${query({ as_of: dayOf(now.kind) })}`, { signal: asked.signal });
    showDetail(content(found, figure?.(now.kind, now.id)), back);
    if (found.bounds) reveal(found.bounds);
  } catch (error) {
    if (isCancelled(error)) return null;
    showDetail(problemBox(error, () => show(figure, own)), back);
  }
  return null;
}

function content(found, figure) {
  const label = entryOf(found.kind)?.label ?? found.kind;
  const above = found.parents.map(({ kind, code, name }) => button(name || code, () => select(kind, code), { kind: "link" }));
  const below = Object.entries(found.children ?? {}).filter(([, count]) => count > 0);
  return element(
    "article",
    { class: "details" },
    element("h1", { class: "detail-title" }, found.title),
    element("p", { class: "detail-sub" }, label, above.length > 0 && " · ", above),
    figure && element("div", { class: "detail-figures" }, figure),
    element("div", { class: "button-row mb-2" }, found.bounds && button(t("details.zoom"), () => fit(found.bounds), { drawing: "zoom" }), below.length > 0 && button(t("details.within"), () => set({ in: `${found.kind}:${found.id}`, sel: "" }), { drawing: "down" })),
    element("table", { class: "facts" }, element("tbody", {}, found.rows.filter((row) => row.value !== null && row.value !== "").map(fact))),
    isArea(found.kind) && historyBox(found.kind, found.id),
    below.length > 0 && element("div", { class: "children" }, below.map(([kind, count]) => element("span", { class: "tag" }, `${entryOf(kind)?.label ?? kind} ${integer(count)}`))),
  );
}

function fact({ name, label, value, unit }) {
  return element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, written(value, name), unit && ` ${unit}`));
}

/** A value as text: numbers grouped (but for years), yes and no in words, codes untouched. */
export function written(value, name = "") {
  if (value === true) return t("yes");
  if (value === false) return t("no");
  return typeof value === "number" && !name.endsWith("year") ? number(value) : value ?? "";
}
