// The divider of a swipe comparison: left of it one state, right of it the other; dragged or moved by arrow keys.

import { button, element } from "./element.js";
import { t } from "./words.js";

const STEP = 0.02;
const LEAP = 0.1;

/** Clip the panes `left` and `right` of `map` at a divider in `holder`; returns a function that ends it. */
export function startSwipe({ map, holder, left, right }) {
  let share = 0.5;
  const grip = button("", () => {}, { kind: "swipe-grip", drawing: "swipe", role: "separator", "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": t("compare.divider") });
  const divider = element("div", { class: "swipe" }, grip);
  const panes = [left, right].map((name) => map.getPane(name));
  const clip = () => {
    const size = map.getSize();
    const start = map.containerPointToLayerPoint([0, 0]);
    const end = map.containerPointToLayerPoint(size);
    const at = start.x + size.x * share;
    panes[0].style.clip = `rect(${start.y}px, ${at}px, ${end.y}px, ${start.x}px)`;
    panes[1].style.clip = `rect(${start.y}px, ${end.x}px, ${end.y}px, ${at}px)`;
  };
  const move = (to) => {
    share = Math.min(1, Math.max(0, to));
    divider.style.left = `${share * 100}%`;
    grip.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    clip();
  };
  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    grip.focus();
  });
  grip.addEventListener("pointermove", (event) => {
    if (!grip.hasPointerCapture(event.pointerId)) return;
    const box = holder.getBoundingClientRect();
    move((event.clientX - box.left) / box.width);
  });
  grip.addEventListener("keydown", (event) => {
    const by = event.shiftKey ? LEAP : STEP;
    const to = { ArrowLeft: share - by, ArrowRight: share + by, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(to);
  });
  holder.append(divider);
  map.on("move zoomend viewreset resize", clip);
  move(share);
  return () => {
    map.off("move zoomend viewreset resize", clip);
    divider.remove();
    panes.forEach((pane) => { pane.style.clip = ""; });
  };
}
