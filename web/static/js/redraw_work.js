// What every tool does with an operation: ask for its consequences while drawing, perform it, say why it was refused.

import { map } from "./map.js";
import { showConflict } from "./redraw_conflict.js";
import { area, areas, change, draft, perform, performPoint, step as stepDraft } from "./redraw_draft.js";
import { hideFigures, showChange, showWords } from "./redraw_figures.js";
import { clearPieces, showMoved, showRefused } from "./redraw_map.js";
import { makePreviewer } from "./redraw_preview.js";
import { clearRefusal, showRefusal } from "./redraw_strip.js";
import { reading, t } from "./words.js";

// While a drawing is unfinished these only mean that it is unfinished.
const NOT_YET = ["misses", "no_change", "zero_length", "malformed", "self_crossing"];
const previewer = makePreviewer(shown);

/** Width of a pixel on the ground in metres: what a hand cannot draw is not a change. */
export function metresPerPixel() {
  return (40075016.686 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * 2 ** map.getZoom());
}

/** What `operations` would change, shown as soon as it is known. */
export function preview(operations) {
  previewer.ask(operations.map((one) => ({ metres_per_pixel: metresPerPixel(), ...one })));
}

export function stopPreview() {
  previewer.stop();
  showMoved([]);
}

function shown(answer, problem) {
  if (problem) {
    showMoved([]);
    return showWords(t("redraw.preview"), problem.what, problem.status !== 409);
  }
  const refused = answer.results.find((result) => !result.ok);
  showMoved(answer.results.flatMap((result) => (result.changes ?? []).map((one) => one.piece)));
  if (!refused) {
    showRefused(null);
    return showChange(answer, t("redraw.preview"));
  }
  const unfinished = NOT_YET.includes(refused.reason);
  showRefused(unfinished ? null : refused.piece);
  return showWords(t("redraw.preview"), unfinished ? t("redraw.go_on") : reading(refused.what), !unfinished);
}

/** Perform operations and show what came of them; gives the answer when all were done, else null. */
export function commit(operations, sketch = null) {
  return carryOut(() => perform(operations.map((one) => ({ metres_per_pixel: metresPerPixel(), ...one }))), sketch);
}

/** Draw a point of a suggestion; its blocks are taken as they are, however small they look. */
export const commitPoint = (job, point) => carryOut(() => performPoint(job, point), null);

async function carryOut(act, sketch) {
  previewer.stop();
  clearRefusal();
  const before = new Map(areas());
  try {
    const answer = await act();
    if (!answer) return null;
    const refused = answer.results.find((result) => !result.ok);
    if (refused) {
      showMoved([]);
      hideFigures();
      showRefusal(refused, sketch);
      return null;
    }
    showMoved(answer.results.flatMap((result) => (result.changes ?? []).map((one) => one.piece)));
    showRefused(null);
    showChange(answer, t("redraw.done"), (code) => before.get(String(code)));
    return { ...answer, begun: [...areas().keys()].filter((code) => !before.has(code)) };
  } catch (error) {
    clearPieces();
    showConflict(error);
    return null;
  }
}

/** One step of the whole draft back or forward. */
export async function step(direction) {
  previewer.stop();
  clearRefusal();
  clearPieces();
  const before = new Map(areas());
  try {
    const answer = await stepDraft(direction);
    const refused = answer?.results?.find((result) => !result.ok);
    if (refused) showRefusal(refused);
    else if (answer) showChange(answer, t(`redraw.${direction}`), (code) => before.get(String(code)));
  } catch (error) {
    showConflict(error);
  }
}

export const nameOf = (code) => area(code)?.name ?? code;

/** Lock or open an area against changes. */
export async function toggleLock(code) {
  const locked = new Set(draft().locked);
  if (!locked.delete(code)) locked.add(code);
  try {
    await change({ locked: [...locked] });
  } catch (error) {
    showConflict(error);
  }
}
