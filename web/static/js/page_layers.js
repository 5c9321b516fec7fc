// The layers page: what is kept and where it came from, import by drag and drop, jobs, and the history with undo.

import { bordersPanel } from "./borders.js";
import { startHistory } from "./changes.js";
import { button, element, replace, table } from "./element.js";
import { openExport } from "./exporting.js";
import { startJobs } from "./jobs.js";
import { emptyBox, problemBox } from "./notice.js";
import { catalogue, forgetCatalogue, may } from "./session.js";
import { day, integer, moment, reading, t } from "./words.js";

export async function start() {
  const mayImport = await may("import");
  const history = (await may("audit")) ? startHistory(document.getElementById("history"), document.getElementById("history-list"), again) : () => {};
  async function again() {
    forgetCatalogue();
    await Promise.all([list(mayImport), history()]);
  }
  await list(mayImport);
  if (mayImport) {
    const look = startJobs(document.getElementById("jobs"), document.getElementById("jobs-list"), again);
    const { startImport } = await import("./importing.js"); // needs the map of the page, which only they have who may import
    startImport({ onqueued: look, onended: again });
  }
  await Promise.all([history(), borders(again)]);
  document.documentElement.dataset.ready = "yes";
}

/** Border lines have a place of their own where there are areas to have borders. */
async function borders(again) {
  const bordering = (await catalogue()).some((entry) => ["township", "village"].includes(entry.kind) && entry.rows > 1);
  document.getElementById("borders").hidden = !bordering;
  if (!bordering) return;
  const panel = bordersPanel({ onderived: again });
  replace(document.getElementById("borders-panel"), panel.node);
  await panel.load();
}

async function list(mayImport) {
  const holder = document.getElementById("layers-list");
  try {
    const entries = (await catalogue()).filter((entry) => entry.rows || entry.version > 1);
    document.getElementById("layers-lead").textContent = t("layers.lead", { n: integer(entries.length), rows: integer(entries.reduce((sum, entry) => sum + entry.rows, 0)) });
    if (!entries.length) return replace(holder, emptyBox(t("home.empty"), mayImport ? t("layers.empty_import") : t("home.empty_ask")));
    return replace(
      holder,
      element(
        "div",
        { class: "list-table" },
        table(
          [t("layer"), t("rows"), t("layers.placed"), t("made.version"), t("made.source"), t("layers.imported"), ""],
          entries.map((entry) => [
            element("strong", {}, reading(entry.label)),
            integer(entry.rows),
            entry.geometry === "none" ? "–" : integer(entry.with_geometry),
            integer(entry.version),
            reading(entry.source) || "–",
            entry.imported_at ? element("span", { title: moment(entry.imported_at) }, day(entry.imported_at)) : "–",
            element(
              "span",
              { class: "actions-cell" },
              entry.bounds && element("a", { class: "btn btn-outline-secondary btn-sm me-1", href: `/?layers=county,township,${encodeURIComponent(entry.kind)}&table=${encodeURIComponent(entry.kind)}&drawer=35` }, t("layers.show")),
              button(t("act.export"), () => openExport(entry.kind, reading(entry.label), () => ({}))),
            ),
          ]),
          { numeric: [1, 2, 3], caption: t("layers.kept") },
        ),
      ),
    );
  } catch (error) {
    return replace(holder, problemBox(error, () => list(mayImport)));
  }
}
