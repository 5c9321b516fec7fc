// How a figure was made: rule, source, date, layer versions, parameters, notes. Two clicks from every figure.

import { element, table } from "./element.js";
import { openDialog } from "./dialog.js";
import { day, integer, moment, reading, t } from "./words.js";

/** Open the account of a figure; `rule` may be null. */
export function showProvenance(provenance, rule) {
  const pairs = [
    rule && [t("made.rule"), reading(rule.label)],
    rule?.formula && [t("made.formula"), reading(rule.formula)],
    rule?.source && [t("made.source"), reading(rule.source)],
    provenance.rule_set && [t("made.rule_set"), [reading(provenance.rule_set.label) || provenance.rule_set.name, provenance.rule_set.date && day(provenance.rule_set.date)].filter(Boolean).join(" · ")],
    provenance.rule_set?.source && [t("made.rule_set_source"), reading(provenance.rule_set.source)],
    [t("made.as_of"), day(provenance.as_of)],
    provenance.boundaries && [t("bounds.label"), reading(provenance.boundaries.label)],
    provenance.known_on && [t("known.label"), moment(provenance.known_on)],
    [t("made.at"), moment(provenance.made_at)],
    [t("made.function"), provenance.function],
    [t("made.product"), provenance.product],
  ].filter((pair) => pair && pair[1]);
  const parameters = Object.entries(provenance.parameters ?? {}).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length));
  const layers = provenance.layers ?? [];
  openDialog(
    t("made.title"),
    [
      element("dl", { class: "pairs" }, pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
      layers.length > 0 && [element("h3", { class: "mt-3" }, t("made.layers")), table([t("layer"), t("made.version"), t("rows"), t("made.source"), t("layers.imported")], layers.map((layer) => [reading(layer.label) || layer.kind, layer.version, integer(layer.rows), reading(layer.source) || "–", moment(layer.imported_at)]), { numeric: [1, 2] })],
      parameters.length > 0 && [element("h3", { class: "mt-3" }, t("made.parameters")), element("dl", { class: "pairs" }, parameters.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value))]))],
      (provenance.notes ?? []).length > 0 && [element("h3", { class: "mt-3" }, t("made.notes")), element("ul", {}, provenance.notes.map((note) => element("li", {}, reading(note))))],
    ],
  );
}
