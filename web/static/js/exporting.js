// Taking data away: what, in which form; the filter, the day and the rights of the reader hold.

import { element, choice } from "./element.js";
import { openDialog } from "./dialog.js";
import { notice, showProblem } from "./notice.js";
import { getBlob, query } from "./request.js";
import { t } from "./words.js";

export const FORMATS = ["xlsx", "csv", "geojson", "gpkg", "shp", "kml", "parquet"];

/** Download `what` in `format`; the file's name comes from the server. */
export async function download(url, label) {
  try {
    const { blob, name } = await getBlob(url, { label });
    const link = element("a", { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    notice(t("export.done", { name }));
    return true;
  } catch (error) {
    showProblem(error);
    return false;
  }
}

export function exportAddress(what, format, parameters, encoding = "utf-8") {
  return `/api/v1/export${query({ what, format, ...parameters, encoding: format === "shp" || format === "csv" ? encoding : "" })}`;
}

/** Ask for the form of `what` and download it. `parameters()` is read at the moment of the click. */
export function openExport(what, label, parameters) {
  let format = "xlsx";
  let encoding = "utf-8";
  const encodings = element("label", { class: "field" }, element("span", {}, t("export.encoding")), choice([["utf-8", "UTF-8"], ["gbk", "GBK"]], encoding, (value) => { encoding = value; }));
  encodings.hidden = true;
  const zipped = element("p", { class: "small-note mb-0" }, t("export.note_csv"));
  zipped.hidden = true;
  const radios = FORMATS.map((value) =>
    element(
      "label",
      { class: "form-check" },
      element("input", { type: "radio", class: "form-check-input", name: "format", value, checked: value === format, onchange: () => { format = value; encodings.hidden = !["shp", "csv"].includes(value); zipped.hidden = value !== "csv"; } }),
      ` ${t(`format.${value}`)}`,
    ),
  );
  openDialog(
    t("export.title", { what: label }),
    [element("fieldset", { class: "radio-list" }, element("legend", {}, t("export.format")), radios), encodings, zipped, element("p", { class: "small-note mb-0" }, t("export.note"))],
    [[t("cancel"), () => true], [t("export.do"), () => download(exportAddress(what, format, parameters(), encoding), t("busy.export")), true]],
  );
}
