// Mending grids that do not fit: places first, then a plan grid by grid, and nothing done without consent to that plan.
// Each is a job: what has few grids is answered at once, a county is followed with its progress and can be cancelled.

import { button, element, replace, sentence, table } from "./element.js";
import { fit, map } from "./map.js";
import { followJob, jobCard } from "./jobs.js";
import { notice, problemBox, showProblem } from "./notice.js";
import { answer, line } from "./panel.js";
import { getJSON, query, send } from "./request.js";
import { integer, number, t } from "./words.js";

const PLACES_SHOWN = 100;
const GRIDS_SHOWN = 100;
const TAGS = { error: "tag-bad", warning: "tag-warn", info: "" };
const jobAddress = (id) => `/api/v1/mending/jobs/${encodeURIComponent(id)}`;

/**
 * A panel for the grids of `parent` (a village, township or county code; "" for everything).
 *
 * `onapplied(answer)` after the grids were mended; `show(geometry, bounds)` draws a place and goes there, by default
 * the map only goes there. `keep(id)` hears of the job of the plan or repair ("" when it is over) and `job` is the one
 * to go on with after a reload; `wanted()` tells whether the panel is still looked at. Gives {node, load}: put the node
 * in place, call load to look (again).
 */
export function mendingPanel(parent = "", { job = "", keep = () => {}, wanted = () => true, onapplied = () => {}, show = goTo } = {}) {
  const places = element("div", { id: "mend-places" });
  const report = element("div", { class: "mt-2", "aria-live": "polite", id: "mend-report" });
  const node = element("section", { class: "mending" }, places, report);
  const asked = { parent, snapping_m: null, gap_width_m: null };
  // What is being worked out is what was asked for: it is asked for anew after it has ended.
  const how = element("fieldset", {});

  async function load() {
    const resumed = job && resume(job);
    job = "";
    await look();
    await resumed;
  }

  async function look() {
    const found = await worked(places, () => send("POST", "/api/v1/mending/look", { parent }, { label: t("mending.looking") }), look, t("mending.looking"));
    if (found) replace(places, overview(found.answer, show), found.answer.clean < found.answer.villages && tolerances());
  }

  /** Begin work, show how far it is in `holder`, and give what the server says at its end; null when there is no answer. */
  async function worked(holder, begin, again, words) {
    replace(holder, element("p", { class: "waiting" }, words));
    how.disabled = holder === report || how.disabled;
    try {
      let now = await begin();
      if (holder === report) keep(now.job.id);
      if (!now.answer) {
        const ended = await followJob(now.job.id, progressIn(holder), { wanted });
        if (!ended) return null;
        now = await getJSON(jobAddress(now.job.id), { quiet: true });
      }
      if (now.answer) return now;
      replace(holder, now.job.state === "cancelled" ? stopped(now.job, again) : problemBox({ what: now.job.message }, again));
      if (holder === report) keep("");
    } catch (error) {
      if (error.status === 409) {
        showProblem(error);
        await again();
      } else replace(holder, problemBox(error, again));
    } finally {
      if (holder === report) how.disabled = false;
    }
    return null;
  }

  function tolerances() {
    const input = (name, least) => element("input", { type: "number", class: "form-control", min: least, step: "any", placeholder: t("mending.usual"), value: asked[name] ?? "", onchange: (event) => { asked[name] = event.target.value === "" ? null : Number(event.target.value); replace(report); keep(""); } });
    return replace(
      how,
      element("h2", { class: "mt-3" }, t("mending.how")),
      line(t("mending.snapping"), input("snapping_m", 0.01)),
      line(t("mending.gap_width"), input("gap_width_m", 0.01)),
      element("p", { class: "small-note" }, t("mending.rule")),
      element("div", { class: "button-row" }, button(t("mending.plan"), plan, { kind: "btn btn-primary", id: "mend-plan" })),
    );
  }

  async function plan() {
    const found = await worked(report, () => send("POST", "/api/v1/mending/plan", asked, { label: t("mending.planning") }), plan, t("mending.planning"));
    if (found) showPlan(found);
  }

  function showPlan({ job: { id }, answer: made }) {
    replace(report, planned(made, show), made.totals.grids > 0 && consent(id, made));
    report.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  /** Go on with the plan or repair of before the reload; one that is not there, or of other land, is forgotten. */
  async function resume(id) {
    const first = await getJSON(jobAddress(id), { quiet: true }).catch(() => null);
    if (!first || first.step === "look" || first.asked.parent !== parent) return keep("");
    Object.assign(asked, { snapping_m: first.asked.snapping_m, gap_width_m: first.asked.gap_width_m });
    const found = await worked(report, async () => first, plan, t(first.step === "plan" ? "mending.planning" : "mending.applying"));
    if (found) (found.step === "plan" ? showPlan : finished)(found);
    return null;
  }

  function consent(id, { totals }) {
    const go = button(t("mending.apply", { n: integer(totals.grids) }), () => apply(id), { kind: "btn btn-primary", disabled: true, id: "mend-apply" });
    return element(
      "div",
      { class: "consent mt-3" },
      element("label", { class: "form-check" }, element("input", { type: "checkbox", class: "form-check-input", onchange: (event) => { go.disabled = !event.target.checked; } }), ` ${t("mending.consent")}`),
      element("p", { class: "small-note" }, t("mending.undo_note")),
      element("div", { class: "button-row" }, go),
    );
  }

  async function apply(id) {
    const found = await worked(report, () => send("POST", "/api/v1/mending/apply", { plan: id }, { label: t("mending.applying") }), plan, t("mending.applying"));
    if (found) finished(found);
  }

  function finished({ answer: done }) {
    notice(t("mending.done", { grids: integer(done.grids), m2: number(done.moved_m2), m: number(done.largest_shift_m) }));
    keep("");
    replace(report);
    onapplied(done);
    look();
  }

  return { node, load };
}

const stopped = (job, again) => element("div", { class: "notice", role: "status" }, element("p", {}, job.message), element("div", { class: "button-row" }, button(t("retry"), again)));

/** Draws a job into `holder` whenever it has moved on, without taking the keyboard from its button. */
function progressIn(holder) {
  let before = "";
  return (job) => {
    const now = JSON.stringify([job.state, job.progress, job.message]);
    if (now === before) return;
    before = now;
    const held = holder.contains(document.activeElement);
    replace(holder, jobCard(job));
    if (held) holder.querySelector("button")?.focus();
  };
}

function goTo(_geometry, bounds) {
  if (map && bounds) fit(bounds, { maxZoom: 18 });
}

const lookButton = (one, show) => one.bounds && button(t("redraw.look"), () => show(one.geometry, one.bounds), { drawing: "zoom" });

/** What was found: one sentence, counts by sort, places to click. */
function overview(found, show) {
  if (found.clean === found.villages) return answer(t("mending.clean", { grids: integer(found.grids) }), t("mending.clean_note"));
  const dirty = found.villages - found.clean;
  const sorts = Object.entries(found.kinds).map(([kind, count]) => element("span", { class: "tag" }, `${t(`mend_sort.${kind}`)} ${integer(count)}`));
  return [
    answer(t("mending.found", { n: integer(found.total), villages: integer(dirty) }), t("mending.found_note", { grids: integer(found.grids) })),
    element("p", { class: "mend-sorts" }, sorts.flatMap((tag) => [tag, " "])),
    element(
      "ol",
      { class: "problem-list" },
      found.places.slice(0, PLACES_SHOWN).map((one) => element("li", { "data-kind": one.kind }, element("div", {}, element("span", { class: `tag ${TAGS[one.severity]}` }, t(`mend_sort.${one.kind}`)), " ", one.what), lookButton(one, show))),
    ),
    found.total > PLACES_SHOWN && element("p", { class: "small-note" }, t("mending.more_places", { shown: integer(PLACES_SHOWN), total: integer(found.total) })),
  ];
}

/** The plan: what would move in all, what is refused and why, and every grid that changes. */
function planned(plan, show) {
  const { totals } = plan;
  const refused = plan.villages.filter((village) => village.state === "refused");
  return [
    element("h2", { class: "mt-3" }, t("mending.report")),
    sentence(totals.grids ? t("mending.would_move", { grids: integer(totals.grids), m2: number(totals.moved_m2), m: number(totals.largest_shift_m) }) : t("mending.nothing"), "p"),
    totals.large > 0 && element("p", { class: "notice notice-warn" }, t("mending.large", { n: integer(totals.large) })),
    refused.length > 0 && element("p", { class: "mb-1" }, t("mending.refused", { n: integer(refused.length) })),
    refused.length > 0 && element("ol", { class: "problem-list" }, refused.map((one) => element("li", {}, element("div", {}, element("strong", {}, one.name || one.code || t("mending.everything")), element("p", {}, one.what), element("p", { class: "small-note" }, one.mend)), lookButton(one, show)))),
    plan.grids.length > 0 && grids(plan.grids, show),
  ];
}

/** The grids that change, most land first: the first of them, and all on demand, since all of them are agreed to. */
function grids(listed, show) {
  const holder = element("div", {});
  const draw = (count) => replace(
    holder,
    element("div", { class: "scroll-box" }, table([t("mending.grid"), t("mending.moved"), t("mending.shift")], listed.slice(0, count).map((one) => gridRow(one, show)), { numeric: [1, 2], caption: t("mending.report") })),
    listed.length > count && element("div", { class: "button-row" }, button(t("mending.show_all", { n: integer(listed.length) }), () => draw(listed.length), { id: "mend-all-grids" })),
  );
  return draw(GRIDS_SHOWN);
}

const gridRow = (one, show) => [
  [
    element("button", { type: "button", class: "plain mend-grid", title: one.code, onclick: () => show(null, one.bounds) }, one.name || one.code),
    one.large && [" ", element("span", { class: "tag tag-warn" }, t("mending.second_look"))],
    element("small", {}, t("mending.sizes", { before: integer(one.before_m2), after: integer(one.after_m2) })),
  ],
  number(one.moved_m2),
  number(one.shift_m),
];
