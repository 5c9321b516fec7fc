// The list of layers behind the map's layer tool: on and off, strength, zoom to, basemaps.

import { basemapChoices } from "./basemaps.js";
import { button, element, replace } from "./element.js";
import { allEntries, chosen, opacityOf, setOpacity, toggle, zoomTo } from "./layers.js";
import { watch } from "./state.js";
import { integer, t } from "./words.js";

export function startLayerBox(trigger, tools) {
  const box = element("section", { class: "layer-box", hidden: true, "aria-label": t("tool.layers") });
  tools.append(box);
  const open = (yes) => {
    box.hidden = !yes;
    trigger.setAttribute("aria-expanded", String(yes));
    if (yes) draw(box, () => open(false));
    else trigger.focus();
  };
  trigger.addEventListener("click", () => open(box.hidden));
  box.addEventListener("keydown", (event) => event.key === "Escape" && open(false));
  watch(["layers", "base", "as_of"], () => box.hidden || draw(box, () => open(false)));
}

function draw(box, close) {
  const focused = document.activeElement?.id;
  const rows = allEntries().filter((entry) => entry.rows && entry.geometry !== "none");
  replace(
    box,
    element("h2", {}, t("tool.layers"), button("", close, { kind: "plain", drawing: "close", "aria-label": t("close") })),
    rows.map(layerRow),
    !rows.length && element("p", { class: "small-note" }, t("layers.none")),
    basemapChoices(),
  );
  if (focused) document.getElementById(focused)?.focus();
}

function layerRow(entry) {
  const on = chosen().includes(entry.kind);
  const id = `layer-${entry.kind.replaceAll(/[^a-z0-9]/gi, "-")}`;
  return element(
    "div",
    { class: `layer-row ${on ? "" : "off"}` },
    element("input", { type: "checkbox", class: "form-check-input", id, checked: on, onchange: (event) => toggle(entry.kind, event.target.checked) }),
    element("label", { for: id }, entry.label),
    element("span", { class: "count" }, integer(entry.rows)),
    button("", () => zoomTo(entry.kind), { kind: "plain", drawing: "zoom", title: t("layers.zoom"), "aria-label": `${t("layers.zoom")} ${entry.label}` }),
    element("input", {
      type: "range", class: "form-range", min: 10, max: 100, step: 5, value: Math.round(opacityOf(entry.kind) * 100),
      "aria-label": `${t("layers.opacity")} ${entry.label}`,
      oninput: (event) => setOpacity(entry.kind, event.target.value / 100),
    }),
  );
}
