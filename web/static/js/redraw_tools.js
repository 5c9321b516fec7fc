// The tools at work: which one, on which area, what it has so far, and what keys and clicks mean to it.

import { onKey } from "./keyboard.js";
import { map } from "./map.js";
import { draft, isEditable, isLocked, onDraft } from "./redraw_draft.js";
import { showTool, startBar } from "./redraw_bar.js";
import { hasCorners, nudge, pickNext, removePicked, sendNudged, startCorners, stopCorners } from "./redraw_corner.js";
import { cornersSet, finishDrawing, isDrawing, justEnded, movePen, setCorner, startDrawing, stopDrawing, undoCorner } from "./redraw_draw.js";
import { hideFigures, showArea } from "./redraw_figures.js";
import { areaAt, clearPieces, showHovered, showPicks, showSelected } from "./redraw_map.js";
import { clearRefusal, showStrip } from "./redraw_strip.js";
import { commit, nameOf, preview, step, stopPreview } from "./redraw_work.js";
import { PICKING } from "./redraw_picking.js";
import { DRAWN } from "./redraw_drawn.js";
import { selectArea, selectedCode, setCollecting } from "./redraw_choice.js";
import { watch } from "./state.js";
import { t } from "./words.js";

const STEP_PX = 8;
let name = "select";
let form = null;
let busy = 0;
let turn = Promise.resolve();

/** Handles stand still until the answer is there: what is dragged meanwhile would be lost. */
function occupy(by) {
  busy += by;
  document.documentElement.toggleAttribute("data-saving", busy > 0);
}

function setForm(made) {
  form = made;
  setCollecting(made);
  made?.draw();
}

/** Whether something is drawn that has not been sent. */
export const isUnsent = () => cornersSet() > 0 || Boolean(form?.unsent);

export function startTools() {
  startBar({ choose, step: back });
  map.on("click", clicked);
  let waiting = null;
  map.on("mousemove", (event) => {
    waiting ??= requestAnimationFrame(() => {
      waiting = null;
      if (draft() && !isDrawing()) showHovered(areaAt(event.latlng)?.code ?? null);
    });
  });
  map.on("mouseout", () => showHovered(null));
  watch(["sel"], follow);
  onDraft(({ what }) => {
    if (what === "closed") leave();
    else if (what === "opened") choose("select");
    else if (!busy) again();
  });
  onKey("Enter", enter);
  onKey("Escape", escape);
  onKey("Backspace", () => undoCorner());
  onKey("Delete", () => !busy && hasCorners() && removePicked());
  onKey(" ", () => (isDrawing() ? setCorner() : hasCorners() && pickNext(1)));
  for (const [key, dx, dy] of [["ArrowLeft", -1, 0], ["ArrowRight", 1, 0], ["ArrowUp", 0, -1], ["ArrowDown", 0, 1]]) {
    onKey(key, (event) => {
      const by = event.shiftKey ? 1 : STEP_PX;
      if (busy) return;
      if (isDrawing()) movePen(dx * by, dy * by);
      else if (!nudge(dx * by, dy * by) && hasCorners()) pickNext(dx + dy);
    });
  }
  window.addEventListener("beforeunload", (event) => {
    if (isUnsent()) event.preventDefault();
  });
}

function leave() {
  stopDrawing();
  stopCorners();
  stopPreview();
  showPicks([]);
  showSelected(null);
  hideFigures();
  setForm(null);
}

/** Start a tool; the drawing of the one before is given up. */
export function choose(wanted, given = {}) {
  if (!draft()) return;
  name = isEditable() ? wanted : "select";
  showTool(name);
  clearRefusal();
  clearPieces();
  again(given);
  takeKeys();
}

/** Keys go to the drawing and not to the button it was begun with. */
function takeKeys() {
  if ((isDrawing() || hasCorners()) && !document.activeElement?.closest("input, select, textarea")) map.getContainer().focus({ preventScroll: true });
}

/** Begin the present tool anew on the present selection. */
function again(given = {}) {
  stopDrawing();
  stopCorners();
  stopPreview();
  showPicks([]);
  setForm(null);
  if (!draft()) return;
  const code = selectedCode();
  showSelected(code);
  if (code && !given.keepFigures) showArea(code);
  else if (!code) hideFigures();
  if (DRAWN[name]) beginDrawing(code, given);
  else if (name === "corner") beginCorners(code);
  else if (PICKING[name]) {
    setForm(PICKING[name]({ code, ...hands(), given }));
  } else showStrip(t(isEditable() ? "hint.select" : "hint.look"));
}

const hands = () => ({ send, preview, stopPreview, choose, selectArea, redo: again });

function beginDrawing(code, given) {
  const tool = DRAWN[name];
  if (tool.needs && !code) return showStrip(t("hint.pick_first"), { acts: [[t("cancel"), () => choose("select")]] });
  if (tool.needs && isLocked(code)) return showStrip(t("hint.locked", { name: nameOf(code) }), { acts: [[t("cancel"), () => choose("select")]] });
  if (given.points) return drawn(given.points, code);
  startDrawing(tool.form, {
    near: code,
    onmove: (points) => points.length >= tool.least && preview([tool.operation(points, code)].filter(Boolean)),
    onend: (points) => drawn(points, code),
    oncount: (count) => drawStrip(tool, code, count),
  });
  return drawStrip(tool, code, 0);
}

function drawStrip(tool, code, count) {
  showStrip(t(count ? `hint.${name}_on` : `hint.${name}`, { name: code ? nameOf(code) : "" }), {
    fields: count ? [] : tool.fields?.({ code, ...hands() }) ?? [],
    acts: [
      [t("redraw.finish"), finishDrawing, true, count < tool.fewest],
      [t("redraw.back_corner"), undoCorner, false, !count],
      [t("cancel"), () => (count ? again() : choose("select"))],
    ],
    keys: t("hint.pen"),
  });
}

/** A drawing is complete: send it, or ask for what it still needs. */
async function drawn(points, code) {
  const tool = DRAWN[name];
  if (tool.form_of) {
    setForm(tool.form_of({ points, code, ...hands() }));
    return;
  }
  await send([tool.operation(points, code)], { after: tool.after });
}

function beginCorners(code) {
  if (!code) return showStrip(t("hint.pick_first"), { acts: [[t("cancel"), () => choose("select")]] });
  if (isLocked(code)) return showStrip(t("hint.locked", { name: nameOf(code) }), { acts: [[t("cancel"), () => choose("select")]] });
  // Both ends of what is sent lie on known corners: a movement of half a pixel is meant.
  const exact = (operation) => ({ ...operation, metres_per_pixel: 0 });
  const words = (picked) => showStrip(t(picked ? "hint.corner_picked" : "hint.corner", { name: nameOf(code) }), { acts: [picked && [t("redraw.remove_corner"), removePicked], [t("cancel"), () => choose("select")]].filter(Boolean) });
  startCorners(code, {
    onmove: (operation) => preview([exact(operation)]),
    onend: (operation) => send([exact(operation)]),
    onpick: words,
  });
  return words(false);
}

/** Perform operations with the present tool; refused or not, the tool is ready for the next one. */
async function send(operations, { after = null } = {}) {
  if (busy) return null;
  occupy(1);
  stopDrawing();
  showStrip(t("busy.saving"));
  const sketch = operations[0]?.line ?? operations[0]?.ring ?? operations[0]?.piece ?? null;
  let answer = null;
  try {
    answer = await commit(operations, sketch);
    // Still busy: the figures of the change stay while the selection follows it.
    if (draft() && answer && (!selectedCode() || after === "begun")) selectArea(answer.begun[0] ?? null, { step: false });
  } finally {
    occupy(-1);
  }
  if (!draft()) return null;
  if (answer && after) {
    name = "select";
    showTool(name);
  }
  if (answer) again({ keepFigures: true });
  else restart();
  return answer;
}

/** After a refusal: the tool again, with the refused piece still shown. */
function restart() {
  stopCorners();
  setForm(null);
  const code = selectedCode();
  if (DRAWN[name]) beginDrawing(code, {});
  else if (name === "corner") beginCorners(code);
  else again({ keepFigures: true });
}

/** One step of the whole draft; a key that is pressed again before the first step is kept counts as well. */
function back(direction) {
  if (direction === "undo" && undoCorner()) return;
  turn = turn.then(async () => {
    occupy(1);
    stopDrawing();
    try {
      await step(direction);
    } finally {
      occupy(-1);
    }
    if (!busy) again({ keepFigures: true });
  });
}

function clicked(event) {
  if (!draft() || isDrawing() || busy || justEnded()) return;
  const found = areaAt(event.latlng);
  if (form) {
    if (found?.own) form.pick?.(found.code);
    return;
  }
  if (hasCorners() && !found) return;
  if (found?.own) selectArea(found.code);
  else if (name === "select") selectArea(null);
}

function follow() {
  if (!draft() || busy) return;
  clearPieces();
  clearRefusal();
  again();
  takeKeys();
}

function enter() {
  if (busy) return;
  if (isDrawing()) finishDrawing();
  else if (!sendNudged()) form?.enter?.();
}

function escape() {
  document.activeElement?.blur?.();
  if (!draft()) return;
  if (cornersSet() || form?.unsent) again();
  else if (name !== "select") choose("select");
  else {
    clearPieces();
    selectArea(null);
  }
}
