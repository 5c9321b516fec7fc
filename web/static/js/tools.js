// The tools on the map: zoom, home, full screen, layers, measure, table.

import { element, icon, replace } from "./element.js";
import { startLayerBox } from "./layerbox.js";
import { onKey } from "./keyboard.js";
import { home, map } from "./map.js";
import { toggleMeasure } from "./measure.js";
import { t } from "./words.js";

function tool(name, words, onclick, attributes = {}) {
  return element("button", { type: "button", title: words, "aria-label": words, onclick, ...attributes }, icon(name));
}

/** `ontable` opens the page's table; a page without one has no such tool. */
export function startTools({ ontable = null }) {
  const measure = tool("measure", t("tool.measure"), () => measure.setAttribute("aria-pressed", String(toggleMeasure())), { "aria-pressed": "false", id: "tool-measure" });
  const layers = tool("layers", t("tool.layers"), () => {}, { "aria-expanded": "false", id: "tool-layers" });
  const tools = document.getElementById("map-tools");
  replace(
    tools,
    element("div", { class: "tool-group" }, tool("plus", t("tool.in"), () => map.zoomIn()), tool("minus", t("tool.out"), () => map.zoomOut()), tool("home", t("tool.home"), () => home())),
    element("div", { class: "tool-group" }, layers, measure, ontable && tool("table", t("tool.table"), ontable, { id: "tool-table" }), tool("full", t("tool.full"), fullScreen)),
  );
  startLayerBox(layers, tools);
  onKey("+", () => map.zoomIn());
  onKey("=", () => map.zoomIn());
  onKey("-", () => map.zoomOut());
  onKey("h", () => home());
  onKey("l", () => layers.click());
  onKey("m", () => measure.click());
  if (ontable) onKey("t", ontable);
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.querySelector(".stage").requestFullscreen?.();
}
