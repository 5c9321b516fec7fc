// The boundaries in force today as thin dashes above the draft, to see what would move.

import { draft, onDraft } from "./redraw_draft.js";
import { draftBounds, showToday } from "./redraw_map.js";
import { showProblem } from "./notice.js";
import { getJSON, query } from "./request.js";
import { get, set } from "./state.js";

let held = null;

export function toggleToday(on) {
  set({ today: on ? "1" : "" }, { step: false });
  show();
}

async function show() {
  if (!draft() || get("today") !== "1") return showToday(null);
  try {
    held ??= await getJSON(`/features/${draft().level}${query({ bbox: draftBounds().map((one) => one.toFixed(6)).join(","), columns: "name" })}`);
    return draft() && get("today") === "1" ? showToday(held) : null;
  } catch (error) {
    return showProblem(error);
  }
}

onDraft(({ what }) => {
  if (what === "closed") showToday(null);
  if (what !== "opened") return;
  held = null;
  show();
});
