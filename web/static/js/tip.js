// At most one line beside the pointer: name and figure. Never the only place a value is shown.

import { element } from "./element.js";
import { entryOf } from "./layers.js";

let box = null;

/** `figure(found)` gives the line for what is under the pointer. */
export function tipFor(figure) {
  return (found, point) => {
    box ??= document.getElementById("map-holder").appendChild(element("div", { class: "tip", hidden: true, "aria-hidden": "true" }));
    const text = found ? figure(found) ?? [entryOf(found.kind)?.label, found.name].filter(Boolean).join(" ") : "";
    box.hidden = !text;
    if (!text) return;
    box.textContent = text;
    box.style.left = `${Math.min(point.x, box.parentNode.clientWidth - 200)}px`;
    box.style.top = `${point.y}px`;
  };
}
