// What some drawings still need before they are an operation: who gets the piece, what the new grid is called.

import { choice, element } from "./element.js";
import { map } from "./map.js";
import { area, isLocked } from "./redraw_draft.js";
import { nameOf } from "./redraw_work.js";
import { neighboursOf, sharedLength } from "./redraw_neighbours.js";
import { t } from "./words.js";

export const KINDS = ["dedicated", "base"];

const metres = ([x1, y1], [x2, y2]) => map.distance([y1, x1], [y2, x2]);

/** Neighbours that may take land from `code`, the longest border first. */
export function takers(code) {
  return neighboursOf(code)
    .filter((other) => area(other).own && !isLocked(other))
    .sort((a, b) => sharedLength(code, b, metres) - sharedLength(code, a, metres));
}

/** A labelled choice of areas. */
export function areaChoice(label, codes, chosen, onchange, first = []) {
  return element("label", { class: "strip-field" }, element("span", {}, label), choice([...first, ...codes.map((code) => [code, nameOf(code)])], chosen, onchange, { class: "form-select form-select-sm" }));
}

export function textField(label, value, oninput, attributes = {}) {
  return element("label", { class: "strip-field" }, element("span", {}, label), element("input", { class: "form-control form-control-sm", value, oninput: (event) => oninput(event.target.value), ...attributes }));
}

export function kindChoice(chosen, onchange) {
  return element("label", { class: "strip-field" }, element("span", {}, t("redraw.kind")), choice(KINDS.map((kind) => [kind, t(`gridkind.${kind}`)]), chosen, onchange, { class: "form-select form-select-sm" }));
}
