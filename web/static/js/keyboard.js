// Keys that work everywhere on a page; the help page lists them.

const ACTS = new Map();

/** Give a key something to do; single letters work only outside of fields. */
export function onKey(key, act) {
  ACTS.set(key, act);
}

export function startKeyboard() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const inField = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (document.querySelector("dialog[open]")) return;
    if (inField && event.key !== "Escape") return;
    const act = ACTS.get(event.key);
    if (act) {
      event.preventDefault();
      act(event);
    }
  });
  onKey("Escape", () => document.activeElement?.blur?.());
}
