// What a draft says about itself: title, reason, decision, day; open to change while it is being drafted.

import { element } from "./element.js";
import { dateField } from "./datefield.js";
import { openDialog } from "./dialog.js";
import { change, draft, isEditable, reopen } from "./redraw_draft.js";
import { placeOf } from "./redraw_list.js";
import { showConflict } from "./redraw_conflict.js";
import { day, moment, reading, t } from "./words.js";

export function openFacts() {
  const facts = draft();
  if (!isEditable()) return openDialog(t("drafts.facts"), [pairs(facts), history(facts)]);
  const now = { title: facts.title, reason: facts.reason, decision_number: facts.decision_number, effective_from: facts.effective_from, attachments: facts.attachments };
  const text = (name, label, attributes = {}) => field(label, element("input", { class: "form-control", value: now[name], oninput: (event) => { now[name] = event.target.value; }, ...attributes }));
  return openDialog(
    t("drafts.facts"),
    [
      text("title", t("drafts.title"), { maxlength: 200, id: "fact-title" }),
      field(t("drafts.reason"), element("textarea", { class: "form-control", rows: 4, maxlength: 4000, id: "fact-reason", oninput: (event) => { now.reason = event.target.value; } }, now.reason)),
      text("decision_number", t("drafts.number"), { maxlength: 100 }),
      field(t("drafts.attachments"), element("textarea", { class: "form-control", rows: 2, oninput: (event) => { now.attachments = event.target.value.split("\n").map((one) => one.trim()).filter(Boolean); } }, now.attachments.join("\n")), t("drafts.attachments_about")),
      field(t("drafts.effective"), dateField({ value: now.effective_from, clearable: false, onchange: (iso) => { now.effective_from = iso; } }), t("drafts.effective_about")),
      history(facts),
    ],
    [[t("cancel"), () => true], [t("save"), () => save(facts, now), true]],
  );
}

const field = (label, input, note = "") => element("label", { class: "field" }, element("span", {}, label), input, note && element("small", {}, note));

async function save(facts, now) {
  const changed = Object.fromEntries(Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(facts[name])));
  if (!Object.keys(changed).length) return true;
  try {
    await change(changed);
    // Another day means other boundaries below the drawing.
    if (changed.effective_from) await reopen();
    return true;
  } catch (error) {
    showConflict(error);
    return false;
  }
}

function pairs(facts) {
  const rows = [
    [t("drafts.title"), facts.title], [t("drafts.place"), placeOf(facts)], [t("drafts.reason"), facts.reason], [t("drafts.number"), facts.decision_number],
    [t("drafts.attachments"), facts.attachments.join("\n")], [t("drafts.effective"), day(facts.effective_from)], [t("drafts.author"), facts.author],
  ];
  return element("dl", { class: "pairs mb-3" }, rows.filter(([, value]) => value).map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

/** The rules that communities broke when a step was taken: who decides is told. */
const brokenRules = ({ warnings = [] }) => warnings.map((each) => element("p", { class: "broken-rule" }, [each.name ?? each.code, reading(each.text)].join(" · ")));

/** Those of the last time the draft was handed in. */
export const warningsOf = ({ reviews = [] }) => brokenRules(reviews.findLast((one) => one.verdict === "submit") ?? {});

/** Every step of the decision: who, when, what was said. */
function history({ reviews = [] }) {
  return reviews.length > 0 && element("section", {}, element("h3", {}, t("drafts.steps")), element("ol", { class: "steps-taken" }, reviews.map((one) => element("li", {}, element("b", {}, t(`verdict.${one.verdict}`)), " ", [one.role && t(`office.${one.role}`), one.name, moment(one.at)].filter(Boolean).join(" · "), one.note && element("p", {}, one.note), brokenRules(one)))));
}
