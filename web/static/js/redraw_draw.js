// Drawing a line or a ring with the mouse, a finger and keys: Geoman draws and snaps, this hands the corners on.

import { map } from "./map.js";
import { area, areas } from "./redraw_draft.js";
import { neighboursOf } from "./redraw_neighbours.js";

const L = window.L;
const SNAP_PX = 14;
// The map moves on before the pen is so near to its edge.
const PEN_AIR_PX = 60;
const SNAP_VERTICES = 8000;
const LINE = { color: "#0B7285", weight: 3 };
let drawing = null;
let endedAt = -Infinity;

/** Latitude and longitude pairs of GeoJSON from Leaflet's; every digit is kept, the server rounds to the centimetre. */
export const position = ({ lng, lat }) => [lng, lat];

export const isDrawing = () => Boolean(drawing);
/** Corners set so far that have not been sent. */
export const cornersSet = () => (drawing ? corners().length : 0);

/**
 * Draw a "Line" or a "Polygon". `onmove(points)` gets the corners and the pointer whenever they change, `onend(points)`
 * the finished drawing, `oncount(n)` the number of corners. `near`: code whose borders are snapped to first; `pen`: where
 * keys move it from, the middle of the map unless given.
 */
export function startDrawing(form, { onmove, onend, oncount, near, pen = null }) {
  stopDrawing();
  map.pm.setGlobalOptions({
    snappable: true, snapDistance: SNAP_PX, snapSegment: true, snapVertex: true, allowSelfIntersection: true, tooltips: false, cursorMarker: true,
    templineStyle: { ...LINE, snapIgnore: true }, hintlineStyle: { ...LINE, dashArray: "5,6" }, pathOptions: { ...LINE, fillOpacity: 0.1 },
  });
  drawing = { form, onmove, onend, oncount, near, pen, targets: [] };
  layTargets();
  map.on("moveend", layTargets);
  map.on("mousemove", followMouse);
  map.doubleClickZoom.disable();
  map.keyboard.disable();
  map.on("dblclick", finishDrawing);
  map.once("pm:drawstart", ({ workingLayer }) => {
    workingLayer.on("pm:vertexadded", ({ marker }) => {
      // A ring ends only at its first corner by itself; people double-click the last one.
      marker.on("dblclick", finishDrawing);
      oncount(corners().length);
    });
    workingLayer.on("pm:change", ({ latlngs }) => onmove(latlngs.flat().map(position)));
  });
  map.on("pm:create", take);
  map.pm.enableDraw(form);
}

const tool = () => map.pm.Draw[drawing.form];
const corners = () => tool()._layer?.getLatLngs().flat() ?? [];

function take({ layer }) {
  layer.remove();
  const points = layer.getLatLngs().flat().map(position);
  const { onend } = drawing;
  stopDrawing();
  onend(points);
}

/** End the drawing as if its last corner had been clicked again; too few corners are left as they are. */
export function finishDrawing() {
  if (drawing) tool()._finishShape();
}

/** Take the last corner back; says whether there was one. */
export function undoCorner() {
  if (!drawing || !corners().length) return false;
  const { form, ...options } = drawing;
  if (corners().length > 1) tool()._removeLastVertex();
  else startDrawing(form, options);
  options.oncount(cornersSet());
  return true;
}

export function stopDrawing() {
  if (!drawing) return;
  map.off("pm:create", take);
  map.off("moveend", layTargets);
  map.off("mousemove", followMouse);
  map.off("dblclick", finishDrawing);
  map.pm.disableDraw();
  drawing.targets.forEach((line) => line.remove());
  drawing = null;
  map.keyboard.enable();
  endedAt = performance.now();
  // The click that ended the drawing is still on its way to the map.
  setTimeout(() => map.doubleClickZoom.enable(), 0);
}

/** Whether a click that arrives now is the one that ended a drawing. */
export const justEnded = () => performance.now() - endedAt < 80;

/** Move the pen by pixels with the keyboard, from where it or the mouse was; `setCorner` puts a corner there. */
export function movePen(dx, dy) {
  if (!drawing) return;
  const to = map.latLngToContainerPoint(drawing.pen ?? map.getCenter()).add([dx, dy]);
  drawing.pen = map.containerPointToLatLng(to);
  map.panInside(drawing.pen, { padding: [PEN_AIR_PX, PEN_AIR_PX], animate: false });
  point("mousemove");
  tool()._hintMarker.getElement()?.classList.add("pen");
}

export function setCorner() {
  if (!drawing) return;
  movePen(0, 0);
  point("click");
}

/** What the mouse would tell at the pen. */
function point(type) {
  map.fire(type, { latlng: drawing.pen, containerPoint: map.latLngToContainerPoint(drawing.pen) });
}

/** The pen is where the mouse is, until keys move it on. */
function followMouse({ originalEvent, latlng }) {
  if (!originalEvent) return;
  drawing.pen = latlng;
  tool()._hintMarker?.getElement()?.classList.remove("pen");
}

/** Invisible borders for the pen to stick to: those in view, or of the grid at work alone where there are too many. */
function layTargets() {
  if (!drawing) return;
  drawing.targets.forEach((line) => line.remove());
  const window = map.getBounds();
  const own = drawing.near ? [drawing.near, ...neighboursOf(drawing.near)].map(area).filter(Boolean) : [];
  const seen = [...areas().values()].filter((one) => !own.includes(one) && window.intersects(boxOf(one.geometry)));
  let room = SNAP_VERTICES;
  drawing.targets = [];
  for (const one of [...own, ...seen]) {
    const rings = ringsOf(one.geometry);
    room -= rings.reduce((sum, ring) => sum + ring.length, 0);
    if (room < 0 && drawing.targets.length) break;
    const line = L.polyline(rings.map((ring) => ring.map(([lng, lat]) => [lat, lng])), { opacity: 0, interactive: false, snapIgnore: false });
    drawing.targets.push(line.addTo(map));
  }
}

/** All rings of a polygon or of several. */
export function ringsOf(geometry) {
  return geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat();
}

export function boxOf(geometry) {
  const box = L.latLngBounds([]);
  for (const ring of ringsOf(geometry)) for (const [lng, lat] of ring) box.extend([lat, lng]);
  return box;
}
