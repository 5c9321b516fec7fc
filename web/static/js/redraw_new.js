// A new draft: for which village or township (by name, by code, or clicked on the map), what it is called and from when.

import { button, choice, element, replace } from "./element.js";
import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { HighlightLayer } from "./highlight.js";
import { layerOf } from "./layers.js";
import { fit, map } from "./map.js";
import { worldX, worldY } from "./mercator.js";
import { showProblem } from "./notice.js";
import { setPanel } from "./panel.js";
import { isDrawing } from "./redraw_draw.js";
import { draft } from "./redraw_draft.js";
import { getJSON, isCancelled, query, send } from "./request.js";
import { catalogue, may, session } from "./session.js";
import { boundsOf } from "./layers.js";
import { get, set } from "./state.js";
import { t } from "./words.js";

const PARENTS = { grid: ["village", "township"], village: ["township", "county"], township: ["county"] };
const PAUSE_MS = 180;
let outline = null;
let form = null;

export async function showNew() {
  const [entries, { place }] = await Promise.all([catalogue(), session()]);
  const has = (kind) => entries.some((entry) => entry.kind === kind && entry.rows);
  form = { level: "grid", parent: null, title: "", titled: false, reason: "", number: "", from: config.today, correction: false, hasParents: has("village") || has("township"), mayMend: await may("mend"), levels: ["grid", "village", "township"].filter(has) };
  // Where there is no village to choose the whole is meant.
  if (!form.hasParents) form.title = t("drafts.title_of", { name: place.name || "" }).trim();
  outline ??= new HighlightLayer().addTo(map);
  draw();
}

/** A click on the map while the form is open chooses the village (or township) there. */
export function startParentClicks() {
  map.on("click", ({ latlng }) => {
    if (!get("new") || draft() || isDrawing() || !form) return;
    for (const kind of PARENTS[form.level]) {
      const shape = layerOf(kind)?.pick?.(worldX(latlng.lng), worldY(latlng.lat), 0);
      if (shape) return choose({ kind, code: shape.id, name: shape.properties.name || shape.id }, shape);
    }
    return null;
  });
}

function choose(parent, shape) {
  form.parent = parent;
  if (!form.titled) form.title = t("drafts.title_of", { name: parent.name });
  outline.setSelected(shape ?? layerOf(parent.kind)?.shape?.(parent.code) ?? null);
  if (shape) fit(boundsOf(shape), { maxZoom: 15 });
  draw();
}

export function endNew() {
  outline?.setSelected(null);
  form = null;
}

function draw() {
  const title = element("input", { class: "form-control", id: "draft-title", maxlength: 200, value: form.title, required: true, oninput: (event) => { form.title = event.target.value; form.titled = true; check(); } });
  const begin = button(t("drafts.begin"), create, { kind: "btn btn-primary", id: "begin-draft" });
  const check = () => { begin.disabled = !form.title.trim() || (form.hasParents && !form.parent); };
  check();
  setPanel(
    button(t("drafts.all"), () => set({ new: "" }), { kind: "plain back", drawing: "back" }),
    element("h1", { class: "detail-title mb-2" }, t("drafts.new")),
    form.levels.length > 1 && field(t("drafts.level"), choice(form.levels.map((kind) => [kind, config.kinds[kind]]), form.level, (level) => { Object.assign(form, { level, parent: null }); outline.setSelected(null); draw(); })),
    form.hasParents && parentField(),
    field(t("drafts.title_needed"), title),
    field(t("drafts.reason"), element("textarea", { class: "form-control", rows: 3, maxlength: 4000, oninput: (event) => { form.reason = event.target.value; } }, form.reason)),
    field(t("drafts.number"), element("input", { class: "form-control", maxlength: 100, value: form.number, oninput: (event) => { form.number = event.target.value; } }), t("drafts.number_later")),
    field(t("drafts.effective"), dateField({ value: form.from, clearable: false, id: "draft-from", onchange: (iso) => { form.from = iso; } }), t("drafts.effective_about")),
    form.mayMend && element("label", { class: "form-check mb-2" }, element("input", { type: "checkbox", class: "form-check-input", checked: form.correction, onchange: (event) => { form.correction = event.target.checked; } }), ` ${t("drafts.correction")}`),
    element("div", { class: "button-row" }, begin, button(t("cancel"), () => set({ new: "" }))),
  );
}

const field = (label, input, note = "") => element("label", { class: "field" }, element("span", {}, label), input, note && element("small", {}, note));

function parentField() {
  const input = element("input", { class: "form-control", id: "draft-parent", type: "search", autocomplete: "off", value: form.parent?.name ?? "", placeholder: t("drafts.parent_hint"), role: "combobox", "aria-expanded": "false" });
  const list = element("ul", { class: "suggestions", hidden: true, role: "listbox" });
  let waiting = null;
  let asked = null;
  let found = [];
  const show = () => {
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    replace(list, found.length ? found.map((one) => element("li", { role: "option", onpointerdown: (event) => { event.preventDefault(); take(one); } }, one.name || one.code, element("span", { class: "tag" }, config.kinds[one.kind]), element("small", {}, one.code))) : element("li", { class: "none" }, t("search.none", { text: input.value.trim() })));
  };
  const take = (one) => {
    if (one.bounds) fit(one.bounds, { maxZoom: 15 });
    choose({ kind: one.kind, code: one.code, name: one.name || one.code });
  };
  const look = async () => {
    asked?.abort();
    const text = input.value.trim();
    if (!text) {
      list.hidden = true;
      return;
    }
    asked = new AbortController();
    try {
      found = (await getJSON(`/api/v1/search${query({ q: text, limit: 50 })}`, { signal: asked.signal, label: t("busy.search") })).filter((one) => PARENTS[form.level].includes(one.kind)).slice(0, 8);
      show();
    } catch (error) {
      if (!isCancelled(error)) showProblem(error);
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, PAUSE_MS);
  });
  input.addEventListener("blur", () => setTimeout(() => { list.hidden = true; }, 150));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && found[0]) {
      event.preventDefault();
      take(found[0]);
    }
  });
  const note = form.parent ? [config.kinds[form.parent.kind], form.parent.code].join(" · ") : t("drafts.parent_click");
  return element("div", { class: "field suggest" }, element("label", { for: "draft-parent" }, t(form.level === "grid" ? "drafts.parent" : "drafts.parent_above")), input, list, element("small", {}, note));
}

async function create() {
  try {
    const made = await send("POST", "/api/v1/drafts", {
      title: form.title.trim(),
      level: form.level,
      parent_code: form.parent?.code ?? null,
      reason: form.reason,
      decision_number: form.number,
      effective_from: form.from,
      correction: form.correction,
    }, { label: t("busy.saving") });
    endNew();
    set({ new: "", draft: made.id, sel: "" });
  } catch (error) {
    showProblem(error);
  }
}
