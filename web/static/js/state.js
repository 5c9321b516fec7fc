// The view's state is the address: page, position, layers, filters, selection, date. Back works, a link opens the same picture.

import { config } from "./config.js";

const listeners = [];
let values = read();

function read() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

/** One value, or "" when it is not set. */
export const get = (name) => values[name] ?? "";

export const list = (name) => get(name).split(",").filter(Boolean);

/** The day everything is shown as of. */
export const asOf = () => get("as_of") || config.today;

/** The day whose areas are drawn, as a parameter ("" for today): figures may be counted in other boundaries. */
export function boundaryDay() {
  const given = get("boundaries");
  if (given === "today") return "";
  return /^\d{4}-\d{2}-\d{2}$/.test(given) ? given : get("as_of");
}

/**
 * Change values; empty ones leave the address. A deliberate act makes a step for Back, a consequence (`step: false`,
 * such as a moved map) does not.
 */
export function set(changes, { step = true } = {}) {
  const before = values;
  values = { ...values };
  for (const [name, value] of Object.entries(changes)) {
    const text = Array.isArray(value) ? value.join(",") : String(value ?? "");
    if (text === "") delete values[name];
    else values[name] = text;
  }
  const changed = [...new Set([...Object.keys(before), ...Object.keys(values)])].filter((name) => before[name] !== values[name]);
  if (!changed.length) return;
  history[step ? "pushState" : "replaceState"](null, "", address());
  tell(changed);
}

/** The address of the present view, or of another page with what the two have in common. */
export function address(path = location.pathname, only = null) {
  const kept = Object.entries(values).filter(([name]) => !only || only.includes(name));
  // Slashes and commas are readable as they are and safe in a query.
  const text = new URLSearchParams(kept).toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%3A", ":");
  return path + (text ? `?${text}` : "");
}

/** Call `then` with the changed names whenever one of `names` changes (all names when none are given). */
export function watch(names, then) {
  listeners.push({ names, then });
}

function tell(changed) {
  for (const { names, then } of listeners) {
    const mine = names ? changed.filter((name) => names.includes(name)) : changed;
    if (mine.length) then(mine);
  }
}

window.addEventListener("popstate", () => {
  const before = values;
  values = read();
  tell([...new Set([...Object.keys(before), ...Object.keys(values)])].filter((name) => before[name] !== values[name]));
});

/** Forget the language switch once it has been obeyed. */
if ("lang" in values) {
  delete values.lang;
  history.replaceState(null, "", address());
}
