// What can be done with the picture of a page: export, print, share, see how it was made. Loaded at the first click.

import { button, element } from "./element.js";
import { t } from "./words.js";

/** The row of buttons under a panel; `what` is {name, label}, `parameters()` is read at the moment of a click. */
export function actionButtons(what, parameters, exports = null) {
  return [
    exports ?? button(t("act.export"), async () => (await import("./exporting.js")).openExport(what.name, what.label, parameters), { drawing: "download" }),
    button(t("act.print"), async () => (await import("./printing.js")).openPrint(what.view?.() ?? what.name, parameters), { drawing: "print" }),
    button(t("act.share"), async () => (await import("./share.js")).openShare(), { drawing: "share" }),
  ];
}

export async function openProvenance(provenance, rule) {
  (await import("./provenance.js")).showProvenance(provenance, rule);
}

/** The bar that holds them. */
export const actionBar = (...content) => element("div", { class: "actions mt-auto" }, content);
