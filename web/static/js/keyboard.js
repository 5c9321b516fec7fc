// Keys that work everywhere on a page; the help page lists them.

const ACTS = new Map();
const PRESSING = ["Enter", " "];
let lastWasKey = false;
let reachedByKey = false;

/** Give a key something to do; single letters work only outside of fields. */
export function onKey(key, act) {
  ACTS.set(key, act);
}

/** A button that was reached with keys is pressed by them; one left behind by the mouse leaves them to the page. */
function pressesOwn(event) {
  return reachedByKey && PRESSING.includes(event.key) && event.target.closest?.("button, a[href], summary");
}

export function startKeyboard() {
  for (const [type, isKey] of [["keydown", true], ["pointerdown", false]]) document.addEventListener(type, () => (lastWasKey = isKey), true);
  document.addEventListener("focusin", () => (reachedByKey = lastWasKey));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const inField = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (document.querySelector("dialog[open]")) return;
    if (inField && event.key !== "Escape") return;
    if (pressesOwn(event)) return;
    const act = ACTS.get(event.key);
    if (act) {
      event.preventDefault();
      act(event);
    }
  });
  onKey("Escape", () => document.activeElement?.blur?.());
}
