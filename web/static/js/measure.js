// Measuring on the map: clicks make a line, a click on the first point closes it into an area. Geodesic, on the sphere.

import { CanvasLayer } from "./canvaslayer.js";
import { button, element, replace } from "./element.js";
import { map } from "./map.js";
import { worldX, worldY } from "./mercator.js";
import { area, length, t } from "./words.js";

const RADIUS_M = 6371008.8;
const CLOSE_PX = 10;
let corners = [];
let closed = false;
let active = false;
let box = null;
let layer = null;

const MeasureLayer = CanvasLayer.extend({
  options: { pane: "marks" },

  draw(context, view) {
    const at = ({ lng, lat }) => [worldX(lng) * view.scale - view.left, worldY(lat) * view.scale - view.top];
    context.beginPath();
    corners.forEach((corner) => context.lineTo(...at(corner)));
    if (closed) {
      context.closePath();
      context.fillStyle = "rgba(11,114,133,.14)";
      context.fill();
    }
    context.lineWidth = 2;
    context.strokeStyle = "#0B7285";
    context.stroke();
    for (const corner of corners) {
      context.beginPath();
      context.arc(...at(corner), 4, 0, 2 * Math.PI);
      context.fillStyle = "#fff";
      context.fill();
      context.stroke();
    }
  },
});

export const isMeasuring = () => active;

/** Switch the tool on or off; says whether it is on now. */
export function toggleMeasure() {
  active = !active;
  corners = [];
  closed = false;
  map.getContainer().classList.toggle("measuring", active);
  if (active) {
    layer ??= new MeasureLayer();
    layer.addTo(map);
    map.on("click", add);
    map.doubleClickZoom.disable();
    box = element("div", { class: "measure-box", role: "status" });
    document.getElementById("map-tools").append(box);
    show();
  } else {
    layer.remove();
    map.off("click", add);
    map.doubleClickZoom.enable();
    box.remove();
    document.getElementById("tool-measure").setAttribute("aria-pressed", "false");
  }
  return active;
}

function add(event) {
  if (closed) {
    corners = [];
    closed = false;
  }
  const first = corners[0] && map.latLngToContainerPoint(corners[0]);
  if (corners.length > 2 && first.distanceTo(event.containerPoint) < CLOSE_PX) closed = true;
  else corners.push(event.latlng);
  layer.repaint();
  show();
}

function show() {
  const total = corners.slice(1).reduce((sum, corner, i) => sum + map.distance(corners[i], corner), 0);
  const ring = closed ? total + map.distance(corners.at(-1), corners[0]) : total;
  replace(
    box,
    corners.length < 2 ? t("measure.start") : [element("b", {}, closed ? area(sphericalArea(corners)) : length(ring)), closed ? t("measure.around", { length: length(ring) }) : t("measure.close")],
    element("div", { class: "button-row mt-1" }, corners.length > 0 && button(t("measure.undo"), undo), button(t("close"), toggleMeasure)),
  );
}

function undo() {
  if (closed) closed = false;
  else corners.pop();
  layer.repaint();
  show();
}

/** Area of a ring on the sphere (Chamberlain and Duquette, "Some algorithms for polygons on a sphere", 2007, eq. 3). */
export function sphericalArea(ring) {
  const radians = Math.PI / 180;
  let sum = 0;
  ring.forEach((corner, i) => {
    const next = ring[(i + 1) % ring.length];
    sum += (next.lng - corner.lng) * radians * (2 + Math.sin(corner.lat * radians) + Math.sin(next.lat * radians));
  });
  return Math.abs((sum * RADIUS_M * RADIUS_M) / 2);
}
