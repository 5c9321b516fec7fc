// Balance of a draft's grids: how even the work lies, what to split or merge, and a suggestion to choose a point from.

import { balanceCurve } from "./balance_curve.js";
import { button, choice, element, replace, table } from "./element.js";
import { followJob, jobCard } from "./jobs.js";
import { problemBox, showProblem } from "./notice.js";
import { getJSON, query, send } from "./request.js";
import { catalogue } from "./session.js";
import { area, day, integer, length, number, share, t } from "./words.js";

const MEASURES = [
  ["worst", share],
  ["max_over_mean", number],
  ["variation", number],
  ["gini", number],
  ["compactness", number],
  ["longest_m", length],
];
// The panel is drawn anew whenever something happens to the draft; what was asked for stays.
let held = null;

/**
 * The balance of `draft` ({id, version, parent_code, effective_from, locked}) as an element.
 *
 * `apply(job, point)` draws a point into the draft and gives the answer (null when it was refused); `onapplied(answer)`
 * hears of it; `onchosen(pieces)` gets the land a chosen point moves, to be shown; `onarea(code)` a grid to look at;
 * `nameOf(code)` names one. `editable`: whether points can be drawn now.
 */
export function balancePanel(draft, { apply = post(draft), onapplied = () => {}, onchosen = () => {}, onarea = () => {}, nameOf = (code) => code, editable = true } = {}) {
  if (held?.id !== draft.id) held = { id: draft.id, blocks: "auto", effort: "quick", figures: null, found: null };
  if (held.found && held.found.version !== draft.version) {
    held.found = null;
    onchosen([]);
  }
  const root = element("div", { class: "balance" });
  const mine = { draft, apply, onapplied, onchosen, onarea, nameOf, editable, root };
  show(mine);
  if (!held.figures) readFigures(mine);
  return root;
}

const explain = async (provenance) => (await import("./provenance.js")).showProvenance(provenance, null);

const post = (draft) => (job, point) => send("POST", `/api/v1/balance/suggestions/${encodeURIComponent(job)}/apply`, { draft: draft.id, version: draft.version, point }, { label: t("busy.saving") });

async function readFigures(mine) {
  const { draft } = mine;
  const state = held;
  try {
    state.figures = await getJSON(`/api/v1/balance${query({ parent: draft.parent_code, as_of: draft.effective_from })}`, { label: t("busy.balance") });
    const listed = await catalogue();
    state.layers = listed.filter(({ kind, rows, geometry }) => rows && (kind === "natural_village" || (kind.startsWith("reference:") && !["point", "none"].includes(geometry))));
    if (state === held && mine.root.isConnected) show(mine);
  } catch (error) {
    if (mine.root.isConnected) replace(mine.root, problemBox(error, () => readFigures(mine)));
  }
}

function show(mine) {
  const { figures, found, busy } = held;
  if (!figures) return replace(mine.root, element("p", { class: "waiting" }, t("busy.balance")));
  return replace(
    mine.root,
    element("h3", {}, figures.label),
    element("p", { class: "small-note" }, t("balance.about", { day: day(figures.as_of), from: day(figures.period.from), to: day(figures.period.to) }), " ", button(t("made.title"), () => explain(figures.provenance), { kind: "plain link" })),
    evenness(),
    figures.notes.map((note) => element("p", { class: "small-note" }, note)),
    proposals(mine),
    element("h3", {}, t("balance.suggest")),
    mine.editable && form(mine),
    busy && element("div", { class: "balance-busy" }, busy),
    found && curve(mine),
  );
}

/** How even the work lies now, and with the chosen point. */
function evenness() {
  const { figures, found } = held;
  if (found) {
    const [now, then] = [found.curve[0], found.curve[found.chosen]];
    const rows = MEASURES.map(([name, write]) => [t(`balance.${name}`), write(now[name]), found.chosen ? write(then[name]) : "–"]);
    return table([t("balance.measure"), t("balance.now"), t("balance.chosen")], rows, { numeric: [1, 2], caption: t("balance.evenness") });
  }
  const { spread } = figures;
  const rows = [["mean", spread.mean], ["max_over_mean", spread.max_over_mean], ["min_over_mean", spread.min_over_mean], ["variation", spread.variation], ["gini", spread.gini]];
  return table([t("balance.measure"), t("balance.now")], rows.map(([name, value]) => [t(`balance.${name}`), number(value)]), { numeric: [1], caption: t("balance.evenness") });
}

function proposals({ onarea, nameOf }) {
  const { splits, merges } = held.figures;
  const link = (code) => button(nameOf(code), () => onarea(code), { kind: "plain link", title: code });
  if (!splits.length && !merges.length) return element("p", { class: "small-note" }, t("balance.no_proposals"));
  return element(
    "ul",
    { class: "proposals" },
    splits.map(({ code, reasons }) => element("li", {}, element("span", { class: "tag tag-warn" }, t("balance.split")), " ", link(code), element("small", {}, ` ${reasons.join(t("list_join"))}`))),
    merges.map(({ codes, households }) => element("li", {}, element("span", { class: "tag" }, t("balance.merge")), " ", link(codes[0]), " + ", link(codes[1]), element("small", {}, ` ${t("balance.together", { n: integer(households) })}`))),
  );
}

function form(mine) {
  const sources = [["auto", t("balance.blocks_auto")], ["cell", t("balance.blocks_cell")], ...(held.layers ?? []).map(({ kind, label }) => [kind, label ?? kind])];
  const efforts = ["quick", "thorough"].map((one) => [one, t(`balance.effort_${one}`)]);
  return element(
    "div",
    { class: "balance-form" },
    element("label", { class: "strip-field" }, element("span", {}, t("balance.blocks")), choice(sources, held.blocks, (value) => { held.blocks = value; }, { id: "balance-blocks", class: "form-select form-select-sm" })),
    element("label", { class: "strip-field" }, element("span", {}, t("balance.effort")), choice(efforts, held.effort, (value) => { held.effort = value; }, { id: "balance-effort", class: "form-select form-select-sm" })),
    button(t("balance.start"), () => suggest(mine), { kind: "btn btn-primary btn-sm", id: "balance-start", disabled: Boolean(held.busy) }),
  );
}

async function suggest(mine) {
  const state = held;
  const { draft } = mine;
  const busy = (content) => {
    state.busy = content;
    if (state === held && mine.root.isConnected) show(mine);
  };
  busy(element("p", { class: "waiting", role: "status" }, t("busy.suggest")));
  try {
    const asked = await send("POST", "/api/v1/balance/suggest", { draft: draft.id, blocks: state.blocks, effort: state.effort }, { label: t("busy.suggest") });
    let { job, suggestion } = asked;
    if (!suggestion) {
      job = await followJob(job.id, (now) => busy(jobCard(now)));
      if (job.state === "done") ({ suggestion } = await getJSON(`/api/v1/balance/suggestions/${encodeURIComponent(job.id)}`));
    }
    state.found = suggestion ? { ...suggestion, job: job.id, chosen: 0 } : null;
    busy(suggestion ? null : element("p", { class: "small-note", role: "status" }, job.message));
  } catch (error) {
    busy(null);
    showProblem(error);
  }
}

function choose(mine, number_, focus) {
  held.found.chosen = number_;
  mine.onchosen(held.found.curve[number_].operations.map(({ piece }) => piece));
  show(mine);
  if (focus) mine.root.querySelector(`[data-point="${number_}"]`)?.focus();
}

function curve(mine) {
  const { found } = held;
  const point = found.curve[found.chosen];
  const pick = (number_, focus) => choose(mine, number_, focus);
  if (found.curve.length < 2) return element("p", { class: "small-note", role: "status" }, t("balance.nothing_better"));
  return element(
    "div",
    { class: "balance-found" },
    element("p", { class: "small-note" }, t("balance.found", { n: integer(found.blocks.count), blocks: found.blocks.label, grids: integer(found.grids) })),
    balanceCurve(found.curve, { chosen: found.chosen, choose: pick, yardstick: found.yardstick }),
    found.yardstick && element("p", { class: "small-note" }, t("balance.yardstick", { off: share(found.yardstick.worst), n: integer(found.yardstick.moved) })),
    element("p", { id: "balance-chosen", role: "status" }, found.chosen ? t("balance.moves", { n: integer(point.moved), pieces: integer(point.operations.length), grids: integer(point.grids_changed), area: area(point.area_m2), households: integer(point.households) }) : t("balance.choose")),
    mine.editable && button(t("balance.apply"), () => take(mine), { kind: "btn btn-primary btn-sm", id: "balance-apply", disabled: !found.chosen }),
    element("details", { open: Boolean(found.open), ontoggle: (event) => { found.open = event.target.open; } }, element("summary", {}, t("balance.as_table")), points(found, pick)),
    found.notes.map((note) => element("p", { class: "small-note" }, note)),
    button(t("made.title"), () => explain(found.provenance), { kind: "plain link" }),
  );
}

function points(found, pick) {
  const rows = found.curve.map((one, i) =>
    element(
      "tr",
      { "aria-selected": String(i === found.chosen) },
      element("td", { class: "number" }, button(integer(one.moved), () => pick(i), { kind: "plain link" })),
      [share(one.over), share(-one.under), number(one.max_over_mean), number(one.gini), integer(one.households)].map((text) => element("td", { class: "number" }, text)),
    ),
  );
  return element("div", { class: "table-scroll" }, table([t("balance.axis_moved"), t("balance.over"), t("balance.under"), t("balance.max_over_mean"), t("balance.gini"), t("balance.households")], rows, { numeric: [0, 1, 2, 3, 4, 5], caption: t("balance.curve_label") }));
}

async function take(mine) {
  const { found } = held;
  try {
    const answer = await mine.apply(found.job, found.chosen);
    if (!answer) return;
    held.found = null;
    mine.onapplied(answer);
  } catch (error) {
    showProblem(error);
  }
}
