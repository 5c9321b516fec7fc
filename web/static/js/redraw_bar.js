// The tools of the editing page, with words and keys: one is at work at a time.

import { element, icon, replace } from "./element.js";
import { onKey } from "./keyboard.js";
import { draft, isEditable, onDraft } from "./redraw_draft.js";
import { t } from "./words.js";

export const TOOLS = ["select", "push", "ring", "corner", "transfer", "split", "merge", "carve", "dissolve", "lock"];
const holder = document.getElementById("redraw-top");
const bar = document.getElementById("redraw-bar");
const buttons = new Map();

/** `choose(name)` starts a tool, `step("undo"|"redo")` goes back or forward. */
export function startBar({ choose, step }) {
  TOOLS.forEach((name, i) => {
    const key = String((i + 1) % 10);
    const words = t(`tool.${name}`);
    const made = element(
      "button",
      { type: "button", id: `tool-${name}`, "aria-pressed": "false", "aria-keyshortcuts": key, title: t(`redraw.about_${name}`), onclick: () => choose(name) },
      icon(name),
      element("span", {}, words),
      element("kbd", {}, key),
    );
    buttons.set(name, made);
    onKey(key, () => isEditable() && choose(name));
  });
  const back = stepButton("undo", () => step("undo"), "Ctrl+Z");
  const on = stepButton("redo", () => step("redo"), "Ctrl+Y");
  replace(bar, element("div", { class: "bar-group" }, [...buttons.values()]), element("div", { class: "bar-group" }, back, on));
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, textarea, select")) return;
    const key = event.key.toLowerCase();
    const wanted = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : null;
    if (!wanted || !isEditable()) return;
    event.preventDefault();
    step(wanted);
  });
  // Arrow keys go along the bar, as in every toolbar.
  bar.addEventListener("keydown", (event) => {
    const stride = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const stops = [...bar.querySelectorAll("button:not(:disabled)")];
    if (!stride || !stops.includes(document.activeElement)) return;
    event.preventDefault();
    event.stopPropagation();
    stops[(stops.indexOf(document.activeElement) + stride + stops.length) % stops.length].focus();
  });
  onDraft(show);
  show();

  function show() {
    holder.hidden = !draft();
    const can = isEditable();
    for (const [name, one] of buttons) one.disabled = !can && name !== "select";
    back.disabled = !can || !draft()?.operations?.length;
    on.disabled = !can || !draft()?.redone?.length;
  }
}

function stepButton(name, onclick, keys) {
  return element("button", { type: "button", id: `step-${name}`, onclick, title: `${t(`redraw.${name}`)} (${keys})`, disabled: true }, icon(name), element("span", {}, t(`redraw.${name}`)), element("kbd", {}, keys));
}

export function showTool(name) {
  for (const [one, made] of buttons) made.setAttribute("aria-pressed", String(one === name));
}
