// Somebody else was faster: what was changed, by whom and when, and the two ways on.

import { button, element } from "./element.js";
import { notice, showProblem } from "./notice.js";
import { act, areas, draft, onDraft, reopen } from "./redraw_draft.js";
import { isCancelled, Problem } from "./request.js";
import { moment, t } from "./words.js";

let shown = null;

/** Show a conflict as a panel; any other problem as a message. */
export function showConflict(error) {
  if (isCancelled(error)) return;
  if (!(error instanceof Problem) || error.status !== 409 || !draft()) return showProblem(error);
  closeConflict();
  shown = element(
    "section",
    { class: "conflict", role: "alertdialog", "aria-label": t("conflict.title"), tabindex: "-1" },
    element("h2", {}, t("conflict.title")),
    element("p", {}, error.what),
    error.mend && element("p", { class: "small-note" }, error.mend),
    list(error.more?.changed ?? []),
    element(
      "div",
      { class: "button-row" },
      button(t("conflict.reload"), () => again(reopen), { kind: "btn btn-primary" }),
      error.more?.changed && draft().state === "draft" && button(t("decide.rebase"), () => again(rebase), { title: t("conflict.rebase_about") }),
      button(t("close"), closeConflict),
    ),
  );
  document.getElementById("map-holder").append(shown);
  shown.focus();
}

function list(changes) {
  return changes.length > 0 && element("ul", {}, changes.map(({ code, what, by, at }) => element("li", {}, [`${areas().get(code)?.name ?? code} ${t(`changed.${what}`)}`, by, moment(at)].filter(Boolean).join(" · "))));
}

export function closeConflict() {
  shown?.remove();
  shown = null;
}

async function again(doing) {
  try {
    await doing();
    closeConflict();
  } catch (error) {
    showProblem(error);
  }
}

/** Play the operations again on the boundaries as they are now; what could not be drawn again is told. */
export async function rebase() {
  await reopen();
  const answer = await act("rebase");
  const lost = answer?.lost?.length ?? draft().lost?.length ?? 0;
  notice(lost ? t("conflict.lost", { n: lost }) : t("conflict.rebased"), { kind: lost ? "warn" : "" });
}

onDraft(({ what }) => (what === "closed" || what === "opened") && closeConflict());
