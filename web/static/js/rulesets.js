// Rule sets: the standards a place is held to, with source and date; shipped ones are copied, copies can be changed.

import { button, element, replace, table } from "./element.js";
import { openDialog } from "./dialog.js";
import { notice, showProblem } from "./notice.js";
import { getJSON, send } from "./request.js";
import { moment, number, reading, share, t } from "./words.js";

export async function rulesTab(body) {
  const { rule_sets: sets, current } = await getJSON("/api/v1/rules");
  const again = () => rulesTab(body).catch(showProblem);
  replace(body, element("p", { class: "lead mb-3" }, t("rules.lead")), sets.map((one) => card(one, one.name === current, again)));
}

function card(set, isCurrent, again) {
  const value = (rule) => (rule.form === "share" || rule.form === "rate" ? share(rule.threshold) : number(rule.threshold));
  return element(
    "section",
    { class: "card" },
    element("h2", {}, reading(set.label) || set.name, " ", isCurrent && element("span", { class: "tag tag-good" }, t("rules.current")), " ", set.shipped && element("span", { class: "tag" }, t("rules.shipped"))),
    element("p", { class: "small-note" }, [set.name, reading(set.source), set.source_date, set.changed_by && t("rules.changed", { who: set.changed_by, when: moment(set.changed_at) })].filter(Boolean).join(" · ")),
    element("div", { class: "table-scroll" }, table([t("coverage.rule"), t("coverage.threshold"), t("coverage.unit"), t("made.formula"), t("made.source")], set.rules.map((rule) => [reading(rule.label), `${rule.comparison} ${value(rule)}`, (rule.units ?? []).length, reading(rule.formula), reading(rule.source)]), { numeric: [2], caption: set.name })),
    element("div", { class: "button-row" }, element("a", { class: "btn btn-outline-secondary btn-sm", href: `/coverage?rule_set=${encodeURIComponent(set.name)}` }, t("rules.use")), !set.shipped && button(t("remove"), () => remove(set, again))),
  );
}

function remove(set, again) {
  openDialog(t("rules.remove_title"), element("p", { class: "mb-0" }, t("rules.remove_lead", { name: set.name })), [[t("cancel"), () => true], [t("remove"), async () => {
    try {
      await send("DELETE", `/api/v1/rules/${encodeURIComponent(set.name)}`);
      notice(t("rules.removed", { name: set.name }));
      again();
      return true;
    } catch (error) {
      showProblem(error);
      return false;
    }
  }, true]]);
}
