// The audit trail: who did what when, newest first, and whether the chain of hashes is whole.

import { actionWords, detailWords } from "./changes.js";
import { button, element, replace, table } from "./element.js";
import { getJSON, query } from "./request.js";
import { get, set, watch } from "./state.js";
import { moment, t } from "./words.js";

const SIZE = 50;
let holder = null;

export async function auditTab(body) {
  if (!holder) watch(["page"], () => get("tab") === "audit" && auditTab(holder));
  holder = body;
  const page = Math.max(1, Number(get("page")) || 1);
  const { rows, whole, findings } = await getJSON(`/api/v1/audit${query({ page, size: SIZE })}`);
  replace(
    body,
    element("div", { class: `notice mb-3 ${whole ? "" : "notice-error"}` }, element("p", {}, whole ? t("audit.whole") : t("audit.broken")), (findings ?? []).map((finding) => element("p", {}, finding.what, " ", finding.mend))),
    element("div", { class: "list-table" }, table([t("history.when"), t("history.who"), t("history.what"), t("history.details")], rows.map((row) => [moment(row.at), row.actor, actionWords(row.action), detailWords(row.details)]), { caption: t("admin.audit") })),
    element(
      "div",
      { class: "button-row" },
      page > 1 && button(t("table.previous"), () => set({ page: page === 2 ? "" : page - 1 })),
      rows.length === SIZE && button(t("table.next"), () => set({ page: page + 1 })),
      element("span", { class: "small-note" }, t("audit.page", { page })),
    ),
  );
}
