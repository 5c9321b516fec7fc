// The line under the tools: what to do next, the tool's own fields, finish and cancel; or why a drawing was refused.

import { button, element, replace } from "./element.js";
import { showRefused, zoomToGeometry } from "./redraw_map.js";
import { reading, t } from "./words.js";

const strip = document.getElementById("redraw-strip");
let refusal = null;
let current = [];

/** `acts`: [label, function, primary] buttons after the words and fields; `keys`: what keys do, where there are keys. */
export function showStrip(text, { fields = [], acts = [], keys = "" } = {}) {
  current = [
    element("p", { class: "hint" }, text, keys && element("small", {}, keys)),
    fields,
    acts.map(([label, act, primary, disabled]) => button(label, act, { kind: `btn btn-sm ${primary ? "btn-primary" : "btn-outline-secondary"}`, disabled })),
  ];
  draw();
}

/** A refused drawing: what and how to mend, and the piece to look at. It stays until the next drawing begins. */
export function showRefusal({ what, mend, piece }, sketch = null) {
  refusal = element(
    "div",
    { class: "refusal", role: "alert" },
    element("div", {}, element("strong", {}, reading(what)), mend && element("p", {}, reading(mend))),
    element("div", { class: "refusal-acts" }, piece && button(t("redraw.look"), () => zoomToGeometry(piece), { drawing: "zoom" }), button(t("close"), clearRefusal)),
  );
  showRefused(piece ?? sketch);
  draw();
}

export function clearRefusal() {
  if (!refusal) return;
  refusal = null;
  showRefused(null);
  draw();
}

export const hasRefusal = () => Boolean(refusal);

function draw() {
  replace(strip, element("div", { class: "strip-line" }, current), refusal);
}
