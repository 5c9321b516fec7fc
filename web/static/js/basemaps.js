// Basemaps of the setting; none by default. Those drawn in GCJ-02 are named so and their tiles, never our data, are moved.

import { config } from "./config.js";
import { element } from "./element.js";
import { map } from "./map.js";
import { get, set, watch } from "./state.js";
import { t } from "./words.js";

const layersOf = (number) => [window[`tile_layer_base_${number}`], window[`tile_layer_base_${number}_labels`]].filter(Boolean);

export async function startBasemaps() {
  if (!config.basemaps.length) return;
  const { shiftTiles } = await import("./gcj02.js");
  config.basemaps.forEach((basemap, number) => {
    if (basemap.datum === "gcj02") layersOf(number).forEach(shiftTiles);
  });
  watch(["base"], show);
  show();
}

function show() {
  config.basemaps.forEach((_basemap, number) => {
    for (const layer of layersOf(number)) {
      if (String(number) === get("base")) layer.addTo(map);
      else layer.remove();
    }
  });
  map.getContainer().classList.toggle("has-base", get("base") !== "");
}

/** The basemap of the page on another map, moved in the same way. */
export async function copyBasemap(other) {
  const number = config.basemaps.findIndex((_basemap, i) => String(i) === get("base"));
  if (number < 0) return;
  const copies = layersOf(number).map((layer) => window.L.tileLayer(layer._url, layer.options));
  if (config.basemaps[number].datum === "gcj02") {
    const { shiftTiles } = await import("./gcj02.js");
    copies.forEach(shiftTiles);
  }
  copies.forEach((layer) => layer.addTo(other));
  other.getContainer().classList.add("has-base");
}

/** Radio buttons for the layer list; nothing when the setting lists no basemap. */
export function basemapChoices() {
  if (!config.basemaps.length) return null;
  const one = (value, words, note) =>
    element(
      "label",
      { class: "form-check" },
      element("input", { type: "radio", name: "base", class: "form-check-input", value, checked: get("base") === value, onchange: () => set({ base: value }) }),
      ` ${words}`,
      note && element("small", {}, ` ${note}`),
    );
  return element(
    "fieldset",
    { class: "radio-list mt-2" },
    element("legend", {}, t("base")),
    one("", t("base.none")),
    config.basemaps.map((basemap, number) => one(String(number), basemap.name, basemap.datum === "gcj02" ? t("base.gcj02") : "")),
  );
}
