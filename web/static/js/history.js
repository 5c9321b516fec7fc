// The history of one area in its details: since when it has its shape, by which decision, where its land came from and went.

import { button, element, table } from "./element.js";
import { select } from "./selection.js";
import { getJSON } from "./request.js";
import { set } from "./state.js";
import { config } from "./config.js";
import { comma, integer, moment, share, t } from "./words.js";

const BEGINNING = "1900-01-01";

/** A folded box that asks for the history when it is opened; a fresh one for every feature. */
export function historyBox(kind, code) {
  const body = element("div", {});
  const box = element("details", { class: "further history" }, element("summary", {}, t("history.title", { kind: config.kinds[kind] ?? kind })), body);
  box.addEventListener("toggle", async () => {
    if (!box.open || body.dataset.asked) return;
    body.dataset.asked = "yes";
    try {
      body.replaceChildren(...content(await getJSON(`/api/v1/history/${kind}/${encodeURIComponent(code)}`), kind));
    } catch (error) {
      delete body.dataset.asked;
      body.replaceChildren(element("p", { class: "small-note" }, error.what ?? t("error.page")));
    }
  });
  return box;
}

function content(found, kind) {
  const lines = found.versions.map((one) => [
    element("span", {}, element("b", {}, one.valid_from === BEGINNING ? t("history.always") : one.valid_from), element("span", {}, one.valid_to ? ` – ${one.valid_to}` : ` – ${t("history.open")}`)),
    element("span", {}, by(one.made_by), one.retired_at && element("small", { class: "tag" }, t("history.corrected", { at: moment(one.retired_at) }))),
    integer(one.households),
    button(t("history.show"), () => set({ as_of: one.valid_from > BEGINNING && one.valid_from !== config.today ? one.valid_from : "" }), { kind: "link" }),
  ]);
  return [
    element("div", { class: "scroll-box plain" }, table([t("history.period"), t("history.by"), t("history.households"), ""], lines, { numeric: [2], caption: t("history.title", { kind }) })),
    kin(found.predecessors, "old_code", "history.from", kind),
    kin(found.successors, "new_code", "history.to", kind),
  ].filter(Boolean);
}

function by(act) {
  if (!act) return "–";
  return [act.title || t(act.draft ? "history.by_decision" : "history.by_import"), act.decision_number].filter(Boolean).join(" ");
}

function kin(links, side, words, kind) {
  if (!links.length) return null;
  return element("p", { class: "small-note mb-0" }, t(words), " ", links.map((link, i) => [i > 0 && comma, button(link[side], () => select(kind, link[side]), { kind: "link" }), ` ${share(link.share_of_area)} (${link.kind_label}, ${link.on})`]).flat());
}
