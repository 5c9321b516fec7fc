// Who borders on whom, from the corners that areas share: a valid coverage has every corner of a border in both areas.

import { areas } from "./redraw_draft.js";

/** One corner as a key: nine decimals are a tenth of a millimetre. */
export const keyOf = ([lng, lat]) => `${lng.toFixed(9)} ${lat.toFixed(9)}`;

const ringsOf = ({ type, coordinates }) => (type === "Polygon" ? coordinates : coordinates.flat());
const known = new WeakMap();

function edges(one) {
  if (!known.has(one)) {
    const found = new Set();
    for (const ring of ringsOf(one.geometry)) {
      for (let i = 1; i < ring.length; i++) {
        const [a, b] = [keyOf(ring[i - 1]), keyOf(ring[i])];
        found.add(a < b ? `${a}|${b}` : `${b}|${a}`);
      }
    }
    known.set(one, found);
  }
  return known.get(one);
}

const touches = (a, b) => a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];

/** Codes of the areas that share a stretch of border with `code`, longest stretch (in corners) first. */
export function neighboursOf(code) {
  const own = areas().get(code);
  if (!own) return [];
  const mine = edges(own);
  const found = [];
  for (const other of areas().values()) {
    if (other === own || !touches(own.shape.box, other.shape.box)) continue;
    let shared = 0;
    for (const edge of edges(other)) if (mine.has(edge)) shared += 1;
    if (shared) found.push([other.code, shared]);
  }
  return found.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([one]) => one);
}

/** Metres of border that two areas share, for choosing the longest. */
export function sharedLength(a, b, distance) {
  const mine = edges(areas().get(a));
  const other = areas().get(b);
  let sum = 0;
  for (const ring of ringsOf(other.geometry)) {
    for (let i = 1; i < ring.length; i++) {
      const [p, q] = [keyOf(ring[i - 1]), keyOf(ring[i])];
      if (mine.has(p < q ? `${p}|${q}` : `${q}|${p}`)) sum += distance(ring[i - 1], ring[i]);
    }
  }
  return sum;
}
