// The opened draft in the panel: what it is, when it was saved, its areas, changes, problems and totals, and the decisions.

import { balancePanel } from "./balance.js";
import { button, element, replace } from "./element.js";
import { config } from "./config.js";
import { dayBefore } from "./days.js";
import { setPanel } from "./panel.js";
import { actsOf } from "./redraw_decide.js";
import { COLOURS, colour } from "./redraw_colours.js";
import { draft, isEditable, onDraft, savedAt } from "./redraw_draft.js";
import { openFacts } from "./redraw_facts.js";
import { areaList, changeList, problemList, totalsTable } from "./redraw_lists.js";
import { stateTag, placeOf } from "./redraw_list.js";
import { toggleToday } from "./redraw_today.js";
import { selectArea } from "./redraw_choice.js";
import { showMoved, zoomToArea } from "./redraw_map.js";
import { commitPoint, nameOf } from "./redraw_work.js";
import { get, set, watch } from "./state.js";
import { day, integer, moment, t } from "./words.js";

const TABS = ["areas", "changes", "problems", "totals", "balance"];
const body = element("div", { class: "tab-body", role: "tabpanel", id: "draft-tab" });
const head = element("div", {});
const tabs = element("div", { class: "draft-tabs", role: "tablist" });
const foot = element("div", { class: "actions" });

export function startDraftPanel() {
  onDraft(({ what }) => {
    if (what === "closed") return;
    if (what === "opened") setPanel(button(t("drafts.all"), () => set({ draft: "", sel: "", tab: "" }), { kind: "plain back", drawing: "back" }), head, tabs, body, foot);
    draw();
  });
  watch(["tab"], () => draft() && drawTab());
  watch(["sel"], () => draft() && tab() === "areas" && drawTab());
}

// Only grids have a workload that can be evened out.
const shownTabs = () => TABS.filter((name) => name !== "balance" || draft().level === "grid");
const tab = () => (shownTabs().includes(get("tab")) ? get("tab") : "areas");

function draw() {
  const facts = draft();
  replace(
    head,
    element("h1", { class: "detail-title", id: "draft-name" }, facts.title),
    element("p", { class: "detail-sub" }, stateTag(facts), " ", [placeOf(facts), t("drafts.from", { day: day(facts.effective_from) })].join(" · ")),
    element("p", { class: "saved", id: "draft-saved", role: "status" }, saved()),
    element(
      "div",
      { class: "button-row mt-0 mb-2" },
      button(t("drafts.facts"), openFacts, { drawing: "info" }),
      button(t("redraw.compare"), compare, { drawing: "swipe", id: "compare-draft" }),
      element("label", { class: "form-check" }, element("input", { type: "checkbox", class: "form-check-input", checked: get("today") === "1", id: "show-today", onchange: (event) => toggleToday(event.target.checked) }), ` ${t("redraw.today")}`),
    ),
    element("label", { class: "strip-field colour" }, element("span", {}, t("redraw.colour")), element("select", { class: "form-select form-select-sm", id: "colour", onchange: (event) => set({ colour: event.target.value === "changed" ? "" : event.target.value }, { step: false }) }, COLOURS.map((one) => element("option", { value: one, selected: one === colour() }, t(`redraw.by_${one}`))))),
  );
  drawTab();
  const acts = actsOf(facts);
  foot.hidden = !acts.length;
  replace(foot, acts);
}

/** Hold the draft, or the day of its decision, against today. */
function compare() {
  const { id, state, effective_from: from, level } = draft();
  const decided = ["approved", "effective", "superseded"].includes(state);
  const other = decided && from <= config.today ? dayBefore(from) : from;
  set({ compare: decided ? other : `draft:${id}`, compare_kind: level, sel: "" });
}

function saved() {
  const facts = draft();
  if (facts.state !== "draft") return last(facts);
  return isEditable() ? t("drafts.saved", { time: moment(savedAt()).slice(-5), who: facts.updated_by }) : t("drafts.only_look", { who: facts.author });
}

/** Who did the last step of the decision, and when. */
function last({ reviews = [] }) {
  const one = reviews.at(-1);
  return one ? [t(`verdict.${one.verdict}`), one.name, moment(one.at), one.note].filter(Boolean).join(" · ") : "";
}

function balance() {
  return balancePanel(draft(), { apply: commitPoint, onchosen: showMoved, onarea: (code) => { selectArea(code); zoomToArea(code); }, nameOf, editable: isEditable() });
}

function drawTab() {
  const counts = { changes: draft().operations?.length ?? 0, problems: problemList.count() };
  replace(
    tabs,
    shownTabs().map((name) =>
      element(
        "button",
        { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(name === tab()), "aria-controls": "draft-tab", onclick: () => set({ tab: name === "areas" ? "" : name }, { step: false }) },
        t(`tab.${name}`),
        counts[name] > 0 && element("b", { class: name === "problems" ? "bad" : null }, integer(counts[name])),
      ),
    ),
  );
  const top = body.scrollTop;
  replace(body, { areas: areaList, changes: changeList, problems: problemList, totals: totalsTable, balance }[tab()]());
  body.scrollTop = top;
}
