// Handing a draft on and deciding on it: the buttons somebody has, by state and rights, and what each asks first.

import { config } from "./config.js";
import { button, choice, element } from "./element.js";
import { dateField } from "./datefield.js";
import { openDialog } from "./dialog.js";
import { menuButton } from "./menu.js";
import { notice } from "./notice.js";
import { closeConflict, rebase, showConflict } from "./redraw_conflict.js";
import { act, change, draft, findings, isEditable } from "./redraw_draft.js";
import { warningsOf } from "./redraw_facts.js";
import { download } from "./exporting.js";
import { set } from "./state.js";
import { day, t } from "./words.js";

const me = config.session;
const has = (right) => me.rights.includes(right);

/** Whether the reader had a hand in the drawing: nobody judges his own work. */
const own = (facts) => facts.author === me.name || facts.editors?.includes(me.name);

/** Buttons for the foot of the panel. */
export function actsOf(facts) {
  const found = [];
  const primary = { kind: "btn btn-primary btn-sm" };
  const add = (name, doing, options = {}) => found.push(button(t(`decide.${name}`), doing, { id: `act-${name}`, ...options }));
  if (facts.state === "draft" && isEditable()) {
    add("submit", submit, { ...primary, disabled: !facts.operations?.length });
    if ((findings().conflicts.length || findings().conflict)) add("rebase", () => rebase().catch(showConflict));
    add("discard", discard);
  }
  if (["proposed", "reviewed"].includes(facts.state)) {
    if (facts.state === "proposed" && has("review_redraw") && !own(facts)) add("review", review, primary);
    if (facts.state === "reviewed" && has("approve_redraw") && !own(facts)) add("approve", approve, primary);
    if (has("review_redraw") || has("approve_redraw")) add("send_back", () => withNote("send_back", true));
    if (facts.author === me.name || has("review_redraw")) add("withdraw", () => withNote("withdraw", false));
  }
  if (facts.state === "approved" && has("approve_redraw") && facts.effective_from > config.today) add("withdraw", () => withNote("withdraw", false));
  found.push(takeAway(facts));
  return found;
}

function takeAway({ id }) {
  const entries = [
    [t("decide.package"), () => download(`/api/v1/drafts/${id}/package?language=${config.language}`, t("busy.export"))],
    ...["gpkg", "geojson", "shp"].map((format) => [t(`format.${format}`), () => download(`/api/v1/export?what=draft:${id}&format=${format}`, t("busy.export"))]),
  ];
  return menuButton(button(t("act.export"), () => {}, { drawing: "download" }), entries);
}

const noteField = (onchange, label) => element("label", { class: "field" }, element("span", {}, label), element("textarea", { class: "form-control", rows: 3, maxlength: 4000, id: "decide-note", oninput: (event) => onchange(event.target.value) }));

async function decide(name, body, said) {
  try {
    await act(name, body);
    closeConflict();
    notice(said ?? t(`decided.${name}`));
    return true;
  } catch (error) {
    showConflict(error);
    return error.status === 409;
  }
}

/** The reason stands in the draft: asked for here when it is still missing. */
function submit() {
  let note = "";
  let reason = draft().reason;
  const missing = !reason;
  openDialog(
    t("decide.submit"),
    [
      element("p", {}, t("decide.submit_lead", { n: draft().operations.length, day: day(draft().effective_from) })),
      missing && element("label", { class: "field" }, element("span", {}, t("drafts.reason_needed")), element("textarea", { class: "form-control", rows: 3, maxlength: 4000, id: "submit-reason", oninput: (event) => { reason = event.target.value; } })),
      noteField((text) => { note = text; }, t("decide.note")),
    ],
    [[t("cancel"), () => true], [t("decide.submit"), async () => {
      if (missing && !reason.trim()) {
        document.getElementById("submit-reason").focus();
        return false;
      }
      if (missing && !(await changeReason(reason.trim()))) return false;
      return decide("submit", { note });
    }, true]],
  );
}

async function changeReason(reason) {
  try {
    await change({ reason });
    return true;
  } catch (error) {
    showConflict(error);
    return false;
  }
}

function withNote(name, needed) {
  let note = "";
  openDialog(t(`decide.${name}`), [element("p", {}, t(`decide.${name}_lead`)), noteField((text) => { note = text; }, t(needed ? "decide.note_needed" : "decide.note"))], [[t("cancel"), () => true], [t(`decide.${name}`), () => {
    if (!needed || note.trim()) return decide(name, { note });
    document.getElementById("decide-note").focus();
    return false;
  }, true]]);
}

function discard() {
  openDialog(t("decide.discard"), [element("p", { class: "mb-0" }, t("decide.discard_lead"))], [[t("cancel"), () => true], [t("decide.discard"), async () => {
    const done = await decide("discard", {});
    if (done) set({ draft: "", sel: "" });
    return done;
  }, true]]);
}

/** Agree or disagree; where several offices have to, for which of them. */
function review() {
  let note = "";
  const offices = draft().offices_missing ?? [];
  let role = offices.find(Boolean) ?? null;
  const say = (verdict) => () => decide("review", { verdict, note, role }, t(`decided.${verdict}`));
  openDialog(
    t("decide.review"),
    [
      element("p", {}, t("decide.review_lead", { who: draft().author, n: draft().operations.length })),
      warningsOf(draft()),
      role && element("label", { class: "field" }, element("span", {}, t("decide.office")), choice(offices.map((one) => [one, t(`office.${one}`)]), role, (value) => { role = value; })),
      noteField((text) => { note = text; }, t("decide.note")),
    ],
    [[t("cancel"), () => true], [t("decide.disagree"), say("disagree")], [t("decide.agree"), say("agree"), true]],
  );
}

function approve() {
  let note = "";
  let from = draft().effective_from;
  openDialog(
    t("decide.approve"),
    [
      element("p", {}, t("decide.approve_lead", { n: draft().operations.length })),
      warningsOf(draft()),
      element("label", { class: "field" }, element("span", {}, t("drafts.effective")), dateField({ value: from, clearable: false, id: "approve-from", onchange: (iso) => { from = iso; } }), element("small", {}, t("drafts.effective_about"))),
      noteField((text) => { note = text; }, t("decide.note")),
    ],
    [[t("cancel"), () => true], [t("decide.approve"), () => decide("approve", { note, effective_from: from }, t("decided.approve", { day: day(from) })), true]],
  );
}
