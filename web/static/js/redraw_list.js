// The drafts one may see: title, place, state in words and colour, from when, by whom; and the way to a new one.

import { button, element } from "./element.js";
import { layerOf } from "./layers.js";
import { emptyBox, problemBox } from "./notice.js";
import { answer, chips, setPanel } from "./panel.js";
import { getJSON } from "./request.js";
import { catalogue, may } from "./session.js";
import { get, list as values, set } from "./state.js";
import { day, integer, moment, t } from "./words.js";

export const TONES = { draft: "", proposed: "tag-warn", reviewed: "tag-warn", approved: "tag-good", effective: "tag-good", superseded: "tag-quiet", discarded: "tag-quiet" };
const OPEN = ["draft", "proposed", "reviewed"];

export const stateTag = ({ state, state_label: words }) => element("span", { class: `tag ${TONES[state] ?? ""}` }, words ?? state);

/** Name of the village or township a draft belongs to, else its code. */
export function placeOf({ parent_kind: kind, parent_code: code, parent_name: name }) {
  if (name) return name;
  if (!code) return t("drafts.whole");
  return layerOf(kind)?.shape?.(code)?.properties.name ?? code;
}

export async function showList() {
  try {
    const [found, mayDraw, mayMend, entries] = await Promise.all([getJSON("/api/v1/drafts", { label: t("busy.drafts") }), may("redraw"), may("mend"), catalogue()]);
    if (get("draft") || get("new") || get("mend")) return;
    draw(found, mayDraw, mayMend, entries);
  } catch (error) {
    setPanel(problemBox(error, showList));
  }
}

function draw(drafts, mayDraw, mayMend, entries) {
  const grids = entries.find((entry) => entry.kind === "grid");
  if (!drafts.length && !grids?.rows) {
    return may("import").then((mayImport) => setPanel(emptyBox(t("drafts.no_grids"), t("drafts.no_grids_why"), mayImport && element("a", { class: "btn btn-primary", href: "/layers" }, t("import.title")))));
  }
  const begin = mayDraw && button(t("drafts.new"), () => set({ new: "1", sel: "" }), { kind: "btn btn-primary", drawing: "plus", id: "new-draft" });
  const mend = mayMend && button(t("mending.open"), () => set({ mend: "all" }), { id: "mend-grids" });
  if (!drafts.length) return setPanel(emptyBox(t("drafts.none"), t(mayDraw ? "drafts.none_how" : "drafts.none_wait"), begin, " ", mend));
  const wanted = values("state");
  const open = drafts.filter((one) => OPEN.includes(one.state));
  const present = [...new Set(drafts.map((one) => one.state))];
  const shown = wanted.length ? drafts.filter((one) => wanted.includes(one.state)) : drafts.filter((one) => one.state !== "discarded");
  return setPanel(
    answer(open.length ? t("drafts.answer", { n: integer(open.length) }) : t("drafts.answer_none"), t("drafts.note", { n: integer(drafts.length) })),
    (begin || mend) && element("div", { class: "button-row mb-2 mt-0" }, begin, mend),
    present.length > 1 && chips(present.map((state) => [state, drafts.find((one) => one.state === state).state_label]), wanted, (states) => { set({ state: states }); draw(drafts, mayDraw, mayMend, entries); }, t("drafts.by_state")),
    element("ol", { class: "draft-list" }, shown.map(row)),
    !shown.length && element("p", { class: "small-note" }, t("drafts.none_of_state")),
  );
}

function row(one) {
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", "data-draft": one.id, onclick: () => set({ draft: one.id, new: "", sel: "" }) },
      element("span", { class: "title" }, one.title),
      stateTag(one),
      element("small", {}, [placeOf(one), t("drafts.from", { day: day(one.effective_from) })].join(" · ")),
      element("small", {}, t("drafts.by", { who: one.author, when: moment(one.updated_at) })),
    ),
  );
}
