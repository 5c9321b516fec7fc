// The panel beside the map (a sheet on phones): the page's own content, or the details of one feature above it.

import { button, element, replace } from "./element.js";
import { get } from "./state.js";
import { t } from "./words.js";

const panel = document.getElementById("panel");
const body = document.getElementById("panel-body");
const SHEETS = ["peek", "half", "full"];
let main = null;
let scrolled = 0;

/** The page's own content; it stays what it is while details lie above it. */
export function setPanel(...content) {
  main = content;
  if (!body.dataset.detail) replace(body, main);
}

export function showDetail(content, back) {
  if (!body.dataset.detail) scrolled = body.scrollTop;
  body.dataset.detail = "yes";
  replace(body, button(t("back"), back, { kind: "plain back", drawing: "back" }), content);
  body.scrollTop = 0;
  if (panel.dataset.sheet !== "full") setSheet("half");
}

export function closeDetail() {
  if (!body.dataset.detail) return;
  delete body.dataset.detail;
  replace(body, main ?? []);
  body.scrollTop = scrolled;
}

/** Height of the sheet on phones: peek (the answer), half, full. */
export function setSheet(height) {
  panel.dataset.sheet = height;
}

export function startSheet() {
  const grip = panel.querySelector(".grip");
  let from = null;
  setSheet("peek");
  grip.addEventListener("click", () => setSheet(SHEETS[(SHEETS.indexOf(panel.dataset.sheet) + 1) % SHEETS.length]));
  grip.addEventListener("pointerdown", (event) => {
    from = event.clientY;
    grip.setPointerCapture(event.pointerId);
  });
  grip.addEventListener("pointerup", (event) => {
    const moved = from === null ? 0 : event.clientY - from;
    from = null;
    if (Math.abs(moved) < 24) return;
    const step = Math.sign(-moved);
    const now = SHEETS.indexOf(panel.dataset.sheet);
    setSheet(SHEETS[Math.min(SHEETS.length - 1, Math.max(0, now + step))]);
    // The click that follows a drag would turn it on once more.
    grip.addEventListener("click", (click) => click.stopImmediatePropagation(), { capture: true, once: true });
  });
}

/** Give the table's drawer the height of the address; before the map takes its first position, or that would move. */
export function layDrawer() {
  const drawer = document.getElementById("drawer");
  const height = get("drawer");
  drawer.dataset.height = drawer.parentNode.dataset.drawer = ["35", "70"].includes(height) ? height : "0";
  return height;
}

/** Answer sentence first: bold figures, then the small line that says by which rule and when. */
export function answer(text, note) {
  const parts = text.split("**");
  return [
    element("h1", { class: "answer", id: "answer", tabindex: "-1" }, parts.map((part, i) => (i % 2 ? element("b", {}, part) : part))),
    element("p", { class: "answer-note" }, note),
  ];
}

/** One labelled line of the controls. */
export function line(label, ...controls) {
  const input = controls.flat().find((node) => node instanceof HTMLElement && node.matches("input, select"));
  if (input && !input.id) input.id = `control-${Math.random().toString(36).slice(2, 8)}`;
  return element("div", { class: "line" }, input ? element("label", { for: input.id }, label) : element("span", {}, label), controls.length > 1 ? element("div", { class: "pair" }, controls) : controls[0]);
}

/** Buttons that can be pressed in any number; `chosen` empty means all. */
export function chips(choices, chosen, onchange, label) {
  return element(
    "div",
    { class: "chips", role: "group", "aria-label": label },
    choices.map(([value, words]) =>
      element(
        "button",
        {
          type: "button",
          "aria-pressed": String(chosen.includes(String(value))),
          onclick: () => onchange(chosen.includes(String(value)) ? chosen.filter((one) => one !== String(value)) : [...chosen, String(value)]),
        },
        words,
      ),
    ),
  );
}
