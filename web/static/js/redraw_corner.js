// Moving shared corners: the picked grid gets handles, and every area that has the same corner moves with it while dragging.
//
// Geoman drags, adds and removes corners of one polygon only. Here the twins of a corner (the same position in other
// areas) follow it; where a neighbour's border runs past a corner it does not have (a T-junction), the twin is put in
// first. What is sent is an operation, not a shape: the server moves the corner in all areas at once, exactly.

import { map } from "./map.js";
import { area } from "./redraw_draft.js";
import { position } from "./redraw_draw.js";
import { neighboursOf } from "./redraw_neighbours.js";

const L = window.L;
// A tenth of a millimetre on the ground, in degrees; twins are equal to the last digit or this close.
const SAME = 1e-9;
// Three centimetres: a corner nearer to a border lies on it.
const ON_BORDER_M = 0.03;
const METRES = 111320;
const ROOM_PX = 30;
const OWN = { color: "#0B7285", weight: 3, fill: false, interactive: false };
const OTHER = { color: "#0B7285", weight: 1.5, dashArray: "4,3", fill: false, interactive: false };
let session = null;

const same = (a, b) => Math.abs(a.lat - b.lat) < SAME && Math.abs(a.lng - b.lng) < SAME;
/** The rings of a Leaflet polygon, nested as deep as it likes. */
function ringsOf(polygon) {
  const found = [];
  (function walk(part) {
    if (part.length && part[0].lat !== undefined) found.push(part);
    else part.forEach(walk);
  })(polygon.getLatLngs());
  return found;
}

/**
 * Give the area `code` handles. `onmove(operation)` hears of each position while dragging, `onend(operation)` of the
 * end, `onpick(corner)` which corner was clicked (or null).
 */
export function startCorners(code, handlers) {
  stopCorners();
  const own = area(code);
  if (!own) return;
  const renderer = L.svg({ padding: 0.5, pane: "overlayPane" });
  const make = (one, style) => L.polygon(lines(one.geometry), { ...style, renderer, pmIgnore: false }).addTo(map);
  session = { code, ...handlers, own: make(own, OWN), others: neighboursOf(code).map((other) => make(area(other), OTHER)), twins: [], added: null, picked: null };
  for (const other of session.others) {
    twin(session.own, other);
    twin(other, session.own);
  }
  session.before = ringsOf(session.own).map((ring) => ring.map(position));
  session.own.on("pm:markerdragstart", dragStart);
  session.own.on("pm:markerdrag", drag);
  session.own.on("pm:markerdragend", dragEnd);
  session.own.on("pm:vertexadded", added);
  session.own.on("pm:vertexremoved", removed);
  session.own.on("pm:vertexclick", clicked);
  map.on("zoomend", thin);
  // Arrow keys move the picked corner, not the map.
  map.keyboard.disable();
  session.own.pm.enable({ allowSelfIntersection: true, snappable: true, snapDistance: 10, draggable: false, preventMarkerRemoval: false, removeLayerBelowMinVertexCount: false, snapSegment: true });
  thin();
}

/** Handles for new corners only where there is room between two corners. */
function thin() {
  const at = (marker) => map.latLngToContainerPoint(marker.getLatLng());
  session.own.pm._markerGroup.eachLayer((marker) => {
    if (marker.leftM) marker.getElement()?.classList.toggle("crowded", at(marker.leftM).distanceTo(at(marker.rightM)) < ROOM_PX);
  });
}

export function stopCorners() {
  if (!session) return;
  map.off("zoomend", thin);
  map.keyboard.enable();
  session.own.pm.disable();
  [session.own, ...session.others].forEach((polygon) => polygon.remove());
  session = null;
}

export const hasCorners = () => Boolean(session);

function lines({ type, coordinates }) {
  const turn = (ring) => ring.slice(0, -1).map(([lng, lat]) => L.latLng(lat, lng));
  return type === "Polygon" ? coordinates.map(turn) : coordinates.map((part) => part.map(turn));
}

/** Put into `polygon` every corner of `other` that lies on one of its borders without being a corner of it. */
function twin(polygon, other) {
  const corners = ringsOf(other).flat();
  for (const ring of ringsOf(polygon)) {
    for (const corner of corners) {
      if (ring.some((one) => same(one, corner))) continue;
      const edge = ring.findIndex((one, i) => onBorder(corner, one, ring[(i + 1) % ring.length]));
      if (edge >= 0) ring.splice(edge + 1, 0, L.latLng(corner.lat, corner.lng));
    }
  }
  polygon.redraw();
}

function onBorder(point, a, b) {
  const shrink = Math.cos((point.lat * Math.PI) / 180);
  const [dx, dy] = [(b.lng - a.lng) * shrink * METRES, (b.lat - a.lat) * METRES];
  const [px, py] = [(point.lng - a.lng) * shrink * METRES, (point.lat - a.lat) * METRES];
  const length = Math.hypot(dx, dy);
  if (!length) return false;
  const along = (px * dx + py * dy) / length;
  return along > 0 && along < length && Math.abs(px * dy - py * dx) / length < ON_BORDER_M;
}

const at = (path) => path.reduce((part, index) => part[index], session.own.getLatLngs());

function find(corner) {
  return session.others.flatMap((other) => ringsOf(other).flatMap((ring) => ring.filter((one) => same(one, corner)).map((one) => ({ other, one }))));
}

function dragStart({ markerEvent }) {
  const corner = markerEvent.target.getLatLng();
  session.from = session.added?.corner && same(session.added.corner, corner) ? null : position(corner);
  session.twins = session.from ? find(corner) : session.added.twins;
  session.dragging = true;
}

function follow(latlng) {
  for (const { other, one } of session.twins) {
    one.lat = latlng.lat;
    one.lng = latlng.lng;
    other.redraw();
  }
}

/** A known corner moves as a corner; a new one pushes the border out between its two neighbours. */
function operation(latlng) {
  if (session.from) return { op: "corner", at: session.from, to: position(latlng) };
  return { op: "push", grid: session.code, line: { type: "LineString", coordinates: [session.added.before, position(latlng), session.added.after] } };
}

/** Geoman calls every movement of a handle a drag, also those that snapping and keys make. */
function drag({ markerEvent }) {
  if (!session?.dragging) return;
  const latlng = markerEvent.target.getLatLng();
  follow(latlng);
  session.onmove(operation(latlng));
}

function dragEnd({ markerEvent }) {
  if (!session?.dragging) return;
  session.dragging = false;
  const latlng = markerEvent.target.getLatLng();
  follow(latlng);
  session.onend(operation(latlng));
}

/** A corner put into the border goes into the neighbour's border as well. */
function added({ latlng, indexPath }) {
  const ring = at(indexPath.slice(0, -1));
  const index = indexPath.at(-1);
  const before = ring[(index - 1 + ring.length) % ring.length];
  const after = ring[(index + 1) % ring.length];
  const twins = [];
  for (const other of session.others) {
    for (const part of ringsOf(other)) {
      const edge = part.findIndex((one, i) => {
        const next = part[(i + 1) % part.length];
        return (same(one, before) && same(next, after)) || (same(one, after) && same(next, before));
      });
      if (edge < 0) continue;
      const one = L.latLng(latlng.lat, latlng.lng);
      part.splice(edge + 1, 0, one);
      other.redraw();
      twins.push({ other, one });
    }
  }
  session.added = { corner: latlng, before: position(before), after: position(after), twins };
}

/** A corner taken away: the border runs straight between the two beside it, in the neighbour too. */
function removed({ indexPath }) {
  const index = indexPath.at(-1);
  const ring = session.before[ringNumber(indexPath)];
  const gone = ring?.[index];
  if (!gone) return;
  const [before, after] = [ring[(index - 1 + ring.length) % ring.length], ring[(index + 1) % ring.length]];
  for (const { other, one } of find({ lng: gone[0], lat: gone[1] })) {
    ringsOf(other).forEach((part) => part.includes(one) && part.splice(part.indexOf(one), 1));
    other.redraw();
  }
  session.onend({ op: "push", grid: session.code, line: { type: "LineString", coordinates: [before, after] } });
}

function ringNumber(path) {
  if (path.length === 1) return 0;
  if (path.length === 2) return path[0];
  return session.own.getLatLngs().slice(0, path[0]).reduce((sum, part) => sum + part.length, 0) + path[1];
}

function clicked({ markerEvent, indexPath }) {
  pick(markerEvent.target, indexPath);
}

function pick(marker, path) {
  session.picked?.marker.getElement()?.classList.remove("picked");
  marker?.getElement()?.classList.add("picked");
  session.picked = marker ? { marker, path } : null;
  session.onpick(Boolean(marker));
}

/** Choose the next corner with the keyboard. */
export function pickNext(direction) {
  if (!session) return;
  const markers = session.own.pm._markers.flat(3).filter((marker) => marker.getLatLng);
  const now = markers.indexOf(session.picked?.marker);
  const marker = markers[(now + direction + markers.length) % markers.length];
  pick(marker, L.PM.Utils.findDeepMarkerIndex(session.own.pm._markers, marker).indexPath);
  if (!map.getBounds().contains(marker.getLatLng())) map.panTo(marker.getLatLng());
}

/** Nudge the picked corner by pixels; `sendMoved` sends it. */
export function nudge(dx, dy) {
  if (!session?.picked) return false;
  const { marker, path } = session.picked;
  const from = marker.getLatLng();
  session.nudged ??= { from: position(from), twins: find(from) };
  const to = map.containerPointToLatLng(map.latLngToContainerPoint(from).add([dx, dy]));
  marker.setLatLng(to);
  Object.assign(at(path), { lat: to.lat, lng: to.lng });
  session.own.redraw();
  session.twins = session.nudged.twins;
  follow(to);
  session.onmove({ op: "corner", at: session.nudged.from, to: position(to) });
  return true;
}

export function sendNudged() {
  if (!session?.nudged) return false;
  const { from } = session.nudged;
  session.nudged = null;
  session.onend({ op: "corner", at: from, to: position(session.picked.marker.getLatLng()) });
  return true;
}

/** Take the picked corner away. */
export function removePicked() {
  if (!session?.picked) return false;
  const { marker } = session.picked;
  session.picked = null;
  session.own.pm._removeMarker({ target: marker });
  return true;
}
