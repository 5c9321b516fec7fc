// The print map: paper, title, 审图号, unit; a preview first, then PDF or PNG, or the map as one HTML file.

import { choice, element, replace } from "./element.js";
import { download } from "./exporting.js";
import { openDialog } from "./dialog.js";
import { problemBox } from "./notice.js";
import { getBlob, isCancelled, query } from "./request.js";
import { language, t } from "./words.js";

/** Fields of a print map and what they hold now. */
export function printForm(initial = {}) {
  const values = { paper: "A4", landscape: "1", title: "", approval_number: "", unit_name: "", lang: language, ...initial };
  const listeners = [];
  const change = (name) => (value) => {
    values[name] = value;
    listeners.forEach((then) => then(name));
  };
  const text = (name, words, hint = "") =>
    element("label", { class: "field" }, element("span", {}, words), element("input", { class: "form-control", value: values[name], maxlength: 120, placeholder: hint, onchange: (event) => change(name)(event.target.value) }));
  const pick = (name, words, entries) => element("label", { class: "field" }, element("span", {}, words), choice(entries, values[name], change(name)));
  const node = element(
    "div",
    {},
    text("title", t("print.map_title"), t("print.title_hint")),
    element(
      "div",
      { class: "columns-2" },
      pick("paper", t("print.paper"), [["A4", "A4"], ["A3", "A3"]]),
      pick("landscape", t("print.orientation"), [["1", t("print.landscape")], ["0", t("print.portrait")]]),
      pick("lang", t("language"), [["zh", "中文"], ["en", "English"]]),
      text("approval_number", t("print.approval"), "GS(20XX)…"),
    ),
    text("unit_name", t("print.unit")),
  );
  return { node, values, onchange: (then) => listeners.push(then) };
}

export function printAddress(view, format, values, parameters) {
  return `/api/v1/print${query({ view, format, ...parameters, ...values })}`;
}

/** A picture of the map as it will be printed, in `holder`. */
export async function preview(holder, address, signal) {
  replace(holder, element("p", { class: "waiting" }, t("busy.print")));
  try {
    const { blob } = await getBlob(address, { label: t("busy.print"), signal });
    const picture = URL.createObjectURL(blob);
    replace(holder, element("img", { src: picture, alt: t("print.preview_of"), onload: () => URL.revokeObjectURL(picture) }));
  } catch (error) {
    if (!isCancelled(error)) replace(holder, problemBox(error, () => preview(holder, address, signal)));
  }
}

export function openPrint(view, parameters) {
  const form = printForm();
  const get = (format) => () => download(printAddress(view, format, form.values, parameters()), t("busy.print"));
  openDialog(t("print.title"), [form.node, element("p", { class: "small-note mb-0" }, t("print.note"))], [
    [t("print.html"), () => download(`/api/v1/standalone${query({ view, ...parameters(), title: form.values.title, lang: form.values.lang })}`, t("busy.export"))],
    [t("print.png"), get("png")],
    [t("print.pdf"), get("pdf"), true],
  ]);
}
