// The link to this very picture; the address holds all of it.

import { button, element } from "./element.js";
import { openDialog } from "./dialog.js";
import { t } from "./words.js";

export function openShare() {
  const address = element("input", { class: "form-control", readonly: true, value: location.href, "aria-label": t("share.link"), onfocus: (event) => event.target.select() });
  const said = element("span", { class: "small-note", role: "status" });
  const copy = button(t("share.copy"), async () => {
    address.select();
    try {
      await navigator.clipboard.writeText(address.value);
    } catch {
      // Plain http in an office has no clipboard interface.
      document.execCommand("copy");
    }
    said.textContent = t("share.copied");
  }, { kind: "btn btn-primary" });
  openDialog(t("share.title"), [element("p", {}, t("share.lead")), address, element("div", { class: "button-row" }, copy, said)]);
  address.select();
}
