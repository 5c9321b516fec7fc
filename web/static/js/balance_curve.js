// The curve of a suggestion: moved blocks to the right, largest deviation upwards; its points are chosen by mouse or keys.

import { integer, share, t } from "./words.js";

const WIDTH = 308;
const HEIGHT = 190;
const LEFT = 58;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 40;
const STEPS = [1, 2, 5, 10, 20, 25, 50];
const ACCENT = "#0B7285";
const INK = "#111827";
const QUIET = "#4B5563";

/**
 * The drawing of `points` ({moved, worst}); `choose(number)` is called when one is chosen. `yardstick` is what a map made
 * anew would reach, or null.
 */
export function balanceCurve(points, { chosen, choose, yardstick = null }) {
  const mostMoved = niceTop(Math.max(1, ...points.map((one) => one.moved)));
  const mostOff = niceTop(100 * Math.max(0.01, ...points.map((one) => one.worst))) / 100;
  const x = (moved) => LEFT + (Math.min(moved, mostMoved) / mostMoved) * (WIDTH - LEFT - RIGHT);
  const y = (off) => HEIGHT - BOTTOM - (off / mostOff) * (HEIGHT - BOTTOM - TOP);
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "balance-curve", role: "radiogroup", "aria-label": t("balance.curve_label") });
  axes(svg, x, y, mostMoved, mostOff);
  svg.append(draw("polyline", { points: points.map((one) => `${x(one.moved)},${y(one.worst)}`).join(" "), fill: "none", stroke: ACCENT, "stroke-width": 2 }));
  if (yardstick && yardstick.worst < points.at(-1).worst) {
    // It moves far more than the axis shows, so it is a level and not a point.
    const level = y(yardstick.worst);
    svg.append(draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: level, y2: level, stroke: QUIET, "stroke-dasharray": "5 4" }));
    svg.append(words(WIDTH - RIGHT, level - 4, t("balance.yardstick_short"), "end", QUIET));
  }
  const dots = points.map((one, number) => dot(svg, one, number, { at: [x(one.moved), y(one.worst)], chosen: number === chosen, choose, points }));
  svg.addEventListener("keydown", (event) => {
    const stride = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const here = dots.indexOf(document.activeElement);
    if (here < 0) return;
    const next = event.key === "Home" ? 0 : event.key === "End" ? dots.length - 1 : stride ? here + stride : null;
    if (next === null || !dots[next]) return;
    event.preventDefault();
    event.stopPropagation();
    choose(next, true);
  });
  return svg;
}

function dot(svg, one, number, { at: [cx, cy], chosen, choose, points }) {
  const words_ = t("balance.point", { n: integer(one.moved), over: share(one.over), under: share(-one.under) });
  const made = draw("g", { role: "radio", tabindex: chosen ? 0 : -1, "aria-checked": String(chosen), "aria-label": words_, "data-point": number });
  if (chosen) made.append(draw("circle", { cx, cy, r: 9, fill: "none", stroke: INK, "stroke-width": 2 }));
  made.append(draw("circle", { cx, cy, r: 5, fill: chosen ? INK : "#FFFFFF", stroke: ACCENT, "stroke-width": 2 }));
  // A finger needs more room than the eye, but not that of the neighbour.
  const room = Math.min(14, ...points.filter((other) => other !== one).map((other) => Math.max(6, Math.abs(other.moved - one.moved) / 2)));
  made.append(draw("circle", { cx, cy, r: Math.max(9, room), fill: "transparent" }));
  const title = draw("title", {});
  title.textContent = words_;
  made.append(title);
  made.addEventListener("click", () => choose(number, true));
  svg.append(made);
  return made;
}

function axes(svg, x, y, mostMoved, mostOff) {
  for (const value of ticks(mostOff * 100)) {
    const level = y(value / 100);
    svg.append(draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: level, y2: level, stroke: "#E2E5E9" }));
    svg.append(words(LEFT - 6, level + 4, `${integer(value)}%`, "end", QUIET));
  }
  for (const value of ticks(mostMoved)) {
    svg.append(draw("line", { x1: x(value), x2: x(value), y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4, stroke: QUIET }));
    svg.append(words(x(value), HEIGHT - BOTTOM + 16, integer(value), "middle", QUIET));
  }
  svg.append(draw("path", { d: `M${LEFT} ${TOP - 6}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}`, fill: "none", stroke: QUIET }));
  svg.append(words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, t("balance.axis_moved"), "middle", INK));
  const upward = words(0, 0, t("balance.axis_worst"), "middle", INK);
  upward.setAttribute("transform", `translate(11 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`);
  svg.append(upward);
}

function words(x, y, text, anchor, fill) {
  const made = draw("text", { x, y, "text-anchor": anchor, fill, "font-size": 11 });
  made.textContent = text;
  return made;
}

function draw(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Step between ticks that gives three to six of them. */
function stepOf(top) {
  const unit = 10 ** Math.floor(Math.log10(top / 5));
  return STEPS.map((one) => one * unit).concat([100 * unit]).find((one) => one >= 1 && top / one <= 5.001) ?? top;
}

const niceTop = (most) => Math.ceil(most / stepOf(most)) * stepOf(most);

function ticks(top) {
  const step = stepOf(top);
  return Array.from({ length: Math.floor(top / step + 0.001) + 1 }, (_, i) => i * step);
}
