// Down and up the hierarchy: place, township, village, grid. The area in the address bounds lists and figures.

import { button, element, replace } from "./element.js";
import { home, fit } from "./map.js";
import { getJSON, query } from "./request.js";
import { session } from "./session.js";
import { get, set, watch } from "./state.js";

/** The area everything is limited to, {kind, code}, or null for the whole place. */
export function within() {
  const found = /^(\w+):(.+)$/.exec(get("in"));
  return found ? { kind: found[1], code: found[2] } : null;
}

export async function startDrill() {
  await draw(false);
  watch(["in"], () => draw(true));
}

async function draw(move) {
  const { place } = await session();
  const area = within();
  const root = button(place.name || "wangge", () => set({ in: "", sel: "" }), { kind: "" });
  const crumbs = [root];
  if (area) {
    const found = await getJSON(`/api/v1/features/${area.kind}/${encodeURIComponent(area.code)}${query({ as_of: get("as_of") })}`, { quiet: true }).catch(() => null);
    for (const { kind, code, name } of [...(found?.parents ?? [])].reverse()) {
      if (kind !== "county") crumbs.push(button(name || code, () => set({ in: `${kind}:${code}`, sel: "" }), { kind: "" }));
    }
    crumbs.push(button(found?.title ?? area.code, () => found?.bounds && fit(found.bounds), { kind: "" }));
    if (move && found?.bounds) fit(found.bounds);
  } else if (move) {
    home();
  }
  replace(document.getElementById("crumbs"), crumbs.flatMap((crumb, i) => (i ? [element("i", { "aria-hidden": "true" }, "›"), crumb] : [crumb])));
}
