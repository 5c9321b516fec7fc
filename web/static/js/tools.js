// The tools on the map: zoom, home, full screen, layers, measure, table; and the foot with scale, position and source.

import { element, icon, replace } from "./element.js";
import { startLayerBox } from "./layerbox.js";
import { onKey } from "./keyboard.js";
import { fit, home, map } from "./map.js";
import { toggleMeasure } from "./measure.js";
import { length, t } from "./words.js";

const SCALE_PX = 110;

function tool(name, words, onclick, attributes = {}) {
  return element("button", { type: "button", title: words, "aria-label": words, onclick, ...attributes }, icon(name));
}

export function startTools({ ontable }) {
  const measure = tool("measure", t("tool.measure"), () => measure.setAttribute("aria-pressed", String(toggleMeasure())), { "aria-pressed": "false", id: "tool-measure" });
  const layers = tool("layers", t("tool.layers"), () => {}, { "aria-expanded": "false", id: "tool-layers" });
  const tools = document.getElementById("map-tools");
  replace(
    tools,
    element("div", { class: "tool-group" }, tool("plus", t("tool.in"), () => map.zoomIn()), tool("minus", t("tool.out"), () => map.zoomOut()), tool("home", t("tool.home"), () => home())),
    element("div", { class: "tool-group" }, layers, measure, tool("table", t("tool.table"), ontable, { id: "tool-table" }), tool("full", t("tool.full"), fullScreen)),
  );
  startLayerBox(layers, tools);
  startFoot();
  onKey("+", () => map.zoomIn());
  onKey("=", () => map.zoomIn());
  onKey("-", () => map.zoomOut());
  onKey("h", () => home());
  onKey("l", () => layers.click());
  onKey("m", () => measure.click());
  onKey("t", ontable);
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.querySelector(".stage").requestFullscreen?.();
}

function startFoot() {
  const bar = element("span", { class: "scale" });
  const words = element("span", {});
  const where = element("span", { class: "where" });
  const source = element("span", { class: "source", id: "map-source" });
  replace(document.getElementById("map-foot"), element("span", { class: "scale-box" }, bar, words), where, source);
  const scale = () => {
    const y = map.getSize().y / 2;
    const metres = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([SCALE_PX, y]));
    const power = 10 ** Math.floor(Math.log10(metres));
    const round = [5, 2, 1].map((step) => step * power).find((step) => step <= metres) ?? power;
    bar.style.width = `${Math.round((SCALE_PX * round) / metres)}px`;
    words.textContent = length(round);
  };
  const read = (point) => {
    where.textContent = `${Math.abs(point.lng).toFixed(5)}°${point.lng < 0 ? "W" : "E"} ${Math.abs(point.lat).toFixed(5)}°${point.lat < 0 ? "S" : "N"}`;
  };
  map.on("zoomend moveend resize", () => {
    scale();
    read(map.getCenter());
  });
  map.on("mousemove", (event) => read(event.latlng));
  scale();
  read(map.getCenter());
}

/** The line in the lower right: source and date of what is shown. */
export function setSource(text) {
  const line = document.getElementById("map-source");
  if (line) line.textContent = text;
}

/** Show [west, south, east, north] unless it is in view already. */
export function reveal(bounds) {
  const seen = map.getBounds();
  if (!seen.contains([bounds[1], bounds[0]]) || !seen.contains([bounds[3], bounds[2]])) fit(bounds, { maxZoom: Math.max(map.getZoom(), 13) });
}
