// Controls of the coverage page: rule, threshold, unit, which cameras count, comparison with an earlier day.

import { boundariesControl } from "./boundaries.js";
import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { button, choice, element } from "./element.js";
import { openDialog } from "./dialog.js";
import { chips, line } from "./panel.js";
import { notice, showProblem } from "./notice.js";
import { knownChoice } from "./known.js";
import { getJSON, send } from "./request.js";
import { entryOf } from "./layers.js";
import { isAdjustable } from "./shortfall.js";
import { get, list, set } from "./state.js";
import { number, reading, share, t } from "./words.js";

const STATUSES = ["online", "offline", "planned"];
const CLASSES = ["1", "2", "3"];

export function coverageControls({ result, sets, threshold, unitWord, onmade }) {
  const { rule } = result;
  const ruleSet = sets.find((one) => one.name === (get("rule_set") || result.provenance?.rule_set?.name)) ?? sets[0];
  const rules = ruleSet?.rules ?? [rule];
  const onCameras = rule.numerator?.layer === "camera";
  const further = get("class") || get("status") || get("older_than") || get("against") || get("known_on");
  return element(
    "section",
    { class: "controls-box" },
    element(
      "div",
      { class: "controls" },
      line(t("coverage.rule"), choice(rules.map((one) => [one.id, reading(one.label)]), rule.id, (id) => set({ rule: id, threshold: "", unit: "" }))),
      line(t("coverage.threshold"), thresholdControl(rule, threshold)),
      line(t("coverage.unit"), choice((rule.units ?? [result.unit]).map((name) => [name, entryOf(name)?.label ?? name]), result.unit, (name) => set({ unit: name, sel: "" }))),
      boundariesControl(result, "then"),
    ),
    element(
      "details",
      { class: "further", open: Boolean(further) },
      element("summary", {}, t("coverage.further")),
      element(
        "div",
        { class: "controls border-0 pt-0" },
        line(t("coverage.rule_set"), choice(sets.map((one) => [one.name, reading(one.label) || one.name]), ruleSet?.name, (name) => set({ rule_set: name, rule: "", threshold: "" })), button(t("coverage.save_copy"), () => saveCopy(ruleSet, rule, threshold), { kind: "btn btn-outline-secondary btn-sm fit" })),
        onCameras && line(t("coverage.status"), chips(STATUSES.map((value) => [value, reading(config.cartography.camera[value])]), list("status"), (now) => set({ status: now }), t("coverage.status"))),
        onCameras && line(t("coverage.class"), chips(CLASSES.map((value) => [value, t(`class.${value}`)]), list("class"), (now) => set({ class: now }), t("coverage.class"))),
        onCameras && line(t("coverage.age"), choice([["", t("coverage.any_age")], ...[5, 8, 10].map((years) => [years, t("coverage.years", { n: years })])], get("older_than"), (value) => set({ older_than: value }))),
        line(t("coverage.against"), dateField({ value: get("against"), max: config.today, onchange: (iso) => set({ against: iso }) })),
        knownChoice(),
      ),
    ),
    element("p", { class: "small-note mb-0" }, t("coverage.by", { set: reading(ruleSet?.label) || ruleSet?.name || "", date: ruleSet?.source_date ?? result.provenance?.rule_set?.date ?? "", unit: unitWord() }), " ", button(t("act.made"), onmade, { kind: "link" })),
  );
}

/** A slider for counts; other forms take a number and ask the server. */
function thresholdControl(rule, threshold) {
  if (rule.form === "deficit" || rule.form === "floor_area") return element("span", {}, t("coverage.fixed"));
  const shares = rule.form === "share" || rule.form === "rate";
  const shown = (value) => (shares ? share(value) : number(value));
  if (!isAdjustable(rule)) {
    return element("input", { type: "number", class: "form-control", min: 0, step: "any", value: threshold, onchange: (event) => set({ threshold: Number(event.target.value) === rule.threshold ? "" : event.target.value }) });
  }
  const said = element("output", {}, shown(threshold));
  const most = Math.max(rule.threshold * 2, 10);
  const slider = element("input", {
    type: "range", class: "form-range", min: 0, max: most, step: 1, value: threshold, id: "threshold",
    oninput: (event) => {
      said.textContent = shown(Number(event.target.value));
      set({ threshold: Number(event.target.value) === rule.threshold ? "" : event.target.value }, { step: false });
    },
  });
  return element("div", { class: "pair" }, slider, said);
}

function saveCopy(ruleSet, rule, threshold) {
  const name = element("input", { class: "form-control", maxlength: 60, pattern: "[A-Za-z0-9][A-Za-z0-9_-]*", value: `${ruleSet.name}-${config.today.slice(0, 4)}` });
  const label = element("input", { class: "form-control", maxlength: 60, value: reading(ruleSet.label) });
  openDialog(
    t("rules.copy_title"),
    [
      element("p", {}, t("rules.copy_lead", { rule: reading(rule.label), threshold: number(threshold) })),
      element("label", { class: "field" }, element("span", {}, t("rules.name")), name, element("small", {}, t("rules.name_rule"))),
      element("label", { class: "field" }, element("span", {}, t("rules.label")), label),
    ],
    [[t("cancel"), () => true], [t("save"), async () => {
      if (!name.reportValidity()) return false;
      try {
        const full = ruleSet.body ?? (await getJSON("/api/v1/rules")).find((one) => one.name === ruleSet.name);
        const body = { ...(full.body ?? full), label: { zh: label.value, en: label.value }, rules: (full.body ?? full).rules.map((one) => (one.id === rule.id ? { ...one, threshold } : one)) };
        await send("POST", "/api/v1/rules", { name: name.value, body, based_on: ruleSet.name });
        set({ rule_set: name.value, rule: rule.id, threshold: "" });
        notice(t("rules.saved", { name: name.value }));
        return true;
      } catch (error) {
        showProblem(error);
        return false;
      }
    }, true]],
  );
}
