// The foot of the map: scale bar, position, and the source and date of what is shown.

import { element, replace } from "./element.js";
import { map } from "./map.js";
import { length } from "./words.js";

const SCALE_PX = 110;

export function startFoot() {
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
