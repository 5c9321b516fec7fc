// Which column becomes which field: proposed by the server from Chinese and English headers, decided by the reader.

import { element, table } from "./element.js";
import { comma, has, t } from "./words.js";

const POSITION = ["lon", "lat", "x", "y", "wkt"];

/** One line per column of the file: header, samples, and the field it becomes. */
export function mappingTable(preview, kind, fields) {
  const named = new Set(fields.map((field) => field.name));
  const extra = [...new Set([...POSITION, ...Object.values(preview.mapping ?? {})])].filter((name) => !named.has(name));
  const required = fields.filter((field) => field.required).map((field) => field.label);
  const lines = preview.columns.map((column) => {
    const samples = preview.sample.map((row) => row[column]).filter((value) => value !== null && value !== undefined && value !== "").slice(0, 3).join(comma);
    return [element("strong", {}, column), element("span", { class: "sample" }, samples.slice(0, 80)), preview.personal?.includes(column) ? element("span", { class: "tag tag-bad" }, t("mapping.personal")) : target(column, preview, kind, fields, extra)];
  });
  return [
    required.length > 0 && element("p", { class: "small-note" }, t("mapping.required", { fields: required.join(comma) })),
    element("div", { class: "scroll-box mapping" }, table([t("mapping.column"), t("mapping.sample"), t("mapping.field")], lines, { caption: t("import.columns") })),
  ];
}

function target(column, preview, kind, fields, extra) {
  if (!kind || kind === "reference") return element("span", { class: "small-note" }, kind ? t("mapping.kept") : "–");
  const now = preview.mapping?.[column] ?? "";
  return element(
    "select",
    { class: "form-select", "data-column": column, "data-proposed": now, "aria-label": t("mapping.field_of", { column }) },
    element("option", { value: "" }, t("mapping.leave_out")),
    fields.map((field) => element("option", { value: field.name, selected: field.name === now }, field.required ? `${field.label} *` : field.label)),
    element("optgroup", { label: t("mapping.position") }, extra.map((name) => element("option", { value: name, selected: name === now }, has(`position.${name}`) ? t(`position.${name}`) : name))),
  );
}

/** What the reader decided, as {column: field}; "" for a proposed column that is to be left out. */
export function readMapping(holder) {
  const found = {};
  for (const select of holder.querySelectorAll("select[data-column]")) {
    if (select.value || select.dataset.proposed) found[select.dataset.column] = select.value;
  }
  return found;
}
