// Short messages in the corner: what happened and what to do about it.

import { button, element } from "./element.js";
import { isCancelled, Problem } from "./request.js";
import { t } from "./words.js";

const GONE_AFTER_MS = 6000;

/** Say something; errors stay until closed. `act` is [label, function]. */
export function notice(text, { kind = "", mend = "", act = null } = {}) {
  const close = () => shown.remove();
  const shown = element(
    "div",
    { class: `notice ${kind && `notice-${kind}`}`, role: kind === "error" ? "alert" : "status" },
    element("div", {}, element("p", {}, text), mend && element("p", {}, mend)),
    act && button(act[0], () => { close(); act[1](); }),
    button("", close, { kind: "plain", drawing: "close", "aria-label": t("close") }),
  );
  document.getElementById("notices").append(shown);
  if (kind !== "error") setTimeout(close, GONE_AFTER_MS);
  return close;
}

/** Show what went wrong; a cancelled request is not an error. */
export function showProblem(error) {
  if (isCancelled(error)) return;
  if (error instanceof Problem) notice(error.what, { kind: "error", mend: error.mend });
  else {
    notice(t("error.page"), { kind: "error", mend: t("error.page_mend") });
    console.error(error);
  }
}

/** The place of a picture or list that could not be had, with a button to try again. */
export function problemBox(error, retry) {
  return element(
    "div",
    { class: "notice notice-error", role: "alert" },
    element("p", {}, error.what ?? t("error.page")),
    error.mend && element("p", {}, error.mend),
    retry && element("div", { class: "button-row" }, button(t("retry"), retry)),
  );
}

/** An empty state: what is missing and the button that mends it. */
export function emptyBox(title, text, ...acts) {
  return element("div", { class: "empty" }, element("strong", {}, title), element("p", {}, text), acts);
}
