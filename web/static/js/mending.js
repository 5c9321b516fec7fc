// Mending grids that do not fit: places first, then a plan grid by grid, and nothing done without consent to that plan.

import { button, element, replace, sentence, table } from "./element.js";
import { fit, map } from "./map.js";
import { notice, problemBox, showProblem } from "./notice.js";
import { answer, line } from "./panel.js";
import { getJSON, query, send } from "./request.js";
import { integer, number, t } from "./words.js";

const PLACES_SHOWN = 100;
const GRIDS_SHOWN = 100;
const TAGS = { error: "tag-bad", warning: "tag-warn", info: "" };

/**
 * A panel for the grids of `parent` (a village, township or county code; "" for everything).
 *
 * `onapplied(answer)` after the grids were mended; `show(geometry, bounds)` draws a place and goes there, by default
 * the map only goes there. Gives {node, load}: put the node in place, call load to look (again).
 */
export function mendingPanel(parent = "", { onapplied = () => {}, show = goTo } = {}) {
  const places = element("div", {});
  const report = element("div", { "aria-live": "polite" });
  const node = element("section", { class: "mending" }, places, report);
  const asked = { parent, snapping_m: null, gap_width_m: null };

  async function load() {
    replace(report);
    replace(places, element("p", { class: "waiting" }, t("mending.looking")));
    try {
      const found = await getJSON(`/api/v1/mending${query({ parent })}`, { label: t("mending.looking") });
      replace(places, overview(found, show), found.clean < found.villages && tolerances());
    } catch (error) {
      replace(places, problemBox(error, load));
    }
  }

  function tolerances() {
    const input = (name, least) => element("input", { type: "number", class: "form-control", min: least, step: "any", placeholder: t("mending.usual"), value: asked[name] ?? "", onchange: (event) => { asked[name] = event.target.value === "" ? null : Number(event.target.value); replace(report); } });
    return [
      element("h2", { class: "mt-3" }, t("mending.how")),
      line(t("mending.snapping"), input("snapping_m", 0.01)),
      line(t("mending.gap_width"), input("gap_width_m", 0.01)),
      element("p", { class: "small-note" }, t("mending.rule")),
      element("div", { class: "button-row" }, button(t("mending.plan"), look, { kind: "btn btn-primary" })),
    ];
  }

  async function look() {
    replace(report, element("p", { class: "waiting" }, t("mending.planning")));
    try {
      const plan = await send("POST", "/api/v1/mending/plan", asked, { label: t("mending.planning") });
      replace(report, planned(plan, show), plan.totals.grids > 0 && consent(plan));
      report.scrollIntoView({ block: "start", behavior: "smooth" });
    } catch (error) {
      replace(report, problemBox(error, look));
    }
  }

  function consent(plan) {
    const go = button(t("mending.apply", { n: integer(plan.totals.grids) }), () => apply(plan, go), { kind: "btn btn-primary", disabled: true });
    return element(
      "div",
      { class: "consent mt-3" },
      element("label", { class: "form-check" }, element("input", { type: "checkbox", class: "form-check-input", onchange: (event) => { go.disabled = !event.target.checked; } }), ` ${t("mending.consent")}`),
      element("p", { class: "small-note" }, t("mending.undo_note")),
      element("div", { class: "button-row" }, go),
    );
  }

  async function apply(plan, go) {
    go.disabled = true;
    try {
      const done = await send("POST", "/api/v1/mending/apply", { ...asked, hash: plan.hash }, { headers: { "Idempotency-Key": crypto.randomUUID?.() ?? `mend-${plan.hash.slice(0, 32)}` }, label: t("mending.applying") });
      notice(t("mending.done", { grids: integer(done.grids), m2: number(done.moved_m2), m: number(done.largest_shift_m) }));
      onapplied(done);
      await load();
    } catch (error) {
      showProblem(error);
      if (error.status === 409) await look();
      else go.disabled = false;
    }
  }

  return { node, load };
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
    found.total > PLACES_SHOWN && element("p", { class: "small-note" }, t("ranking.more", { shown: integer(PLACES_SHOWN), total: integer(found.total) })),
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
    plan.grids.length > 0 && element(
      "div",
      { class: "scroll-box" },
      table(
        [t("mending.grid"), t("mending.moved"), t("mending.shift")],
        plan.grids.slice(0, GRIDS_SHOWN).map((one) => [
          [
            element("button", { type: "button", class: "plain mend-grid", title: one.code, onclick: () => show(null, one.bounds) }, one.name || one.code),
            one.large && [" ", element("span", { class: "tag tag-warn" }, t("mending.second_look"))],
            element("small", {}, t("mending.sizes", { before: integer(one.before_m2), after: integer(one.after_m2) })),
          ],
          number(one.moved_m2),
          number(one.shift_m),
        ]),
        { numeric: [1, 2], caption: t("mending.report") },
      ),
    ),
    totals.grids > GRIDS_SHOWN && element("p", { class: "small-note" }, t("ranking.more", { shown: integer(GRIDS_SHOWN), total: integer(totals.grids) })),
  ];
}
