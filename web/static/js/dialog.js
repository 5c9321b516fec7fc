// Dialogs with a title, a body and buttons; Esc closes, focus returns to where it was.

import { button, element } from "./element.js";
import { t } from "./words.js";

/** Open a dialog. `acts` are [label, function, primary]; a function that returns false keeps it open. */
export function openDialog(title, body, acts = []) {
  const shown = element("dialog", { "aria-label": title });
  const close = () => shown.close();
  shown.append(
    element("div", { class: "dialog-head" }, element("h2", { class: "mb-0" }, title), button("", close, { kind: "plain", drawing: "close", "aria-label": t("close") })),
    element("div", { class: "dialog-body" }, body),
  );
  if (acts.length) {
    shown.append(
      element(
        "div",
        { class: "dialog-foot" },
        acts.map(([label, act, primary]) =>
          button(label, async () => { if ((await act()) !== false) close(); }, { kind: `btn ${primary ? "btn-primary" : "btn-outline-secondary"}` }),
        ),
      ),
    );
  }
  shown.addEventListener("close", () => shown.remove());
  shown.addEventListener("click", (event) => { if (event.target === shown) close(); });
  document.body.append(shown);
  shown.showModal();
  return close;
}
