// The table drawer: the same data as the map, page by page from the server; selection goes both ways.

import { config } from "./config.js";
import { written } from "./details.js";
import { within } from "./drill.js";
import { button, choice, element, replace } from "./element.js";
import { layDrawer } from "./panel.js";
import { allEntries } from "./layers.js";
import { map, windowText } from "./map.js";
import { showProblem } from "./notice.js";
import { getJSON, isCancelled, query } from "./request.js";
import { select, selected } from "./selection.js";
import { get, set, watch } from "./state.js";
import { integer, t } from "./words.js";

const drawer = document.getElementById("drawer");
const SIZE = 50;
let figure = null;
let grid = null;
let building = null; // the holder of the table that is being made, until it is there
let late = false; // what is asked for changed meanwhile
let kind = "";
let total = 0;
let counted = null;

/** `ofPage` is null or {name, label, kind, parameters()}: the page's figures as the first table. */
export function startTable(ofPage) {
  figure = ofPage;
  watch(["drawer", "table", "inview", "where", "as_of", "in"], (changed) => draw(changed));
  watch(["sel"], mark);
  document.addEventListener("figures", () => figure && kind === figure.name && reload());
  map.on("moveend", () => get("inview") === "1" && get("drawer") && reload());
  draw(["drawer"]);
}

export function toggleTable() {
  set({ drawer: { "": "35", 35: "70", 70: "" }[get("drawer")] });
}

const shown = () => get("table") || figure?.name || allEntries().find((entry) => entry.kind === "village" && entry.rows)?.kind || allEntries().find((entry) => entry.rows)?.kind || "";

function draw(changed) {
  const height = layDrawer();
  document.getElementById("tool-table")?.setAttribute("aria-pressed", String(Boolean(height)));
  if (!height) return;
  if (kind !== shown() || !(grid || building)) build().catch(showProblem);
  else if (changed.some((name) => name !== "drawer")) reload();
  else grid?.redraw();
}

async function build() {
  kind = shown();
  const holder = element("div", { class: "drawer-table" });
  building = holder;
  late = false;
  try {
    const [{ TabulatorFull }] = await Promise.all([import(config.vendor["tabulator.min.mjs"]), style()]);
    if (building !== holder) return;
    if (!get("drawer")) {
      kind = ""; // what stands in the closed drawer is another layer's
      return;
    }
    replace(drawer, head(), holder);
    grid?.destroy();
    grid = null;
    const first = await page({ page: 1 });
    if (building !== holder) return;
    const made = tabulator(TabulatorFull, holder, first.columns);
    // It comes to be in a later turn, and fails when anything is asked of it before.
    await new Promise((resolve) => made.on("tableBuilt", resolve));
    if (building !== holder) return made.destroy();
    made.on("rowClick", (_event, row) => select(kindOfRows(), row.getData().id));
    grid = made;
    if (late) reload();
  } finally {
    if (building === holder) building = null;
  }
}

function tabulator(TabulatorFull, holder, columns) {
  return new TabulatorFull(holder, {
    height: "100%",
    layout: "fitDataFill",
    placeholder: t("table.none"),
    columns: columns.map(column),
    ajaxURL: "table",
    // An answer that comes when another table stands there must not reach the one that is gone.
    ajaxRequestFunc: (_url, _config, asked) => page(asked).then((answer) => (holder.isConnected ? answer : new Promise(() => {}))),
    ajaxResponse: (_url, _asked, answer) => ({ last_page: Math.max(1, Math.ceil(answer.total / SIZE)), data: answer.rows }),
    pagination: true,
    paginationMode: "remote",
    paginationSize: SIZE,
    paginationCounter: () => "",
    sortMode: "remote",
    headerSortElement: (_column, direction) => ({ asc: "▲", desc: "▼" })[direction] ?? "",
    locale: "page",
    langs: { page: { pagination: { first: "«", prev: "‹", next: "›", last: "»", first_title: t("table.first"), last_title: t("table.last"), prev_title: t("table.previous"), next_title: t("table.next"), page_title: t("table.page") } } },
    rowFormatter: (row) => row.getElement().classList.toggle("chosen", isSelected(row.getData())),
  });
}

/** The kind a row of the shown table stands for. */
const kindOfRows = () => (figure && kind === figure.name ? figure.kind() : kind);

const isSelected = (row) => selected()?.kind === kindOfRows() && String(selected().id) === String(row.id);

function column({ name, label, dtype, choices, unit }) {
  const words = new Map((choices ?? []).map((one) => [one.value, one.label]));
  // States of the figures are words of the page, not of a layer.
  if (figure && name === "state" && !words.size) for (const state of ["met", "short", "no_data"]) words.set(state, t(`state.${state}`));
  const numeric = dtype === "integer" || dtype === "real" || dtype === "number";
  return {
    field: name,
    title: "",
    // Titles of a reference layer come from a file: text only.
    titleFormatter: () => element("span", {}, label ?? name, unit && ` (${unit})`),
    formatter: (cell) => element("span", {}, words.get(cell.getValue()) ?? written(dtype === "text" ? cell.getValue() : roundedValue(cell.getValue()), name)),
    hozAlign: numeric ? "right" : "left",
    headerHozAlign: numeric ? "right" : "left",
    minWidth: 64,
    maxWidth: 320,
    headerTooltip: false,
  };
}

const roundedValue = (value) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value);

async function page(asked) {
  const order = asked.sort?.[0];
  const own = figure && kind === figure.name;
  const note = counted;
  try {
    const answer = await getJSON(
      `/api/v1/table/${encodeURIComponent(kind)}${query({
        page: asked.page ?? 1,
        size: SIZE,
        sort: order && `${order.field}:${order.dir}`,
        q: drawer.querySelector("[data-filter]")?.value.trim(),
        where: own ? "" : get("where"),
        bbox: get("inview") === "1" ? windowText() : "",
        parent: own ? "" : within()?.code,
        as_of: get("as_of"),
        ...(own ? figure.parameters() : {}),
      })}`,
      { label: t("busy.table") },
    );
    total = answer.total;
    if (note) note.textContent = t("table.count", { shown: integer(answer.rows.length), total: integer(total) });
    return answer;
  } catch (error) {
    if (!isCancelled(error)) showProblem(error);
    return { columns: [], rows: [], total: 0 };
  }
}

function reload() {
  if (grid) grid.setData();
  else late = true;
}

function mark() {
  if (!grid || !get("drawer")) return;
  for (const row of grid.getRows("active")) {
    const chosen = isSelected(row.getData());
    row.getElement().classList.toggle("chosen", chosen);
    if (chosen) grid.scrollToRow(row, "nearest", false).catch(() => {});
  }
}

function head() {
  const entries = [...(figure ? [[figure.name, figure.label]] : []), ...allEntries().filter((entry) => entry.rows).map((entry) => [entry.kind, entry.label])];
  let waiting = null;
  counted = element("span", { class: "small-note", role: "status" });
  return element(
    "div",
    { class: "drawer-head" },
    choice(entries, kind, (value) => set({ table: value === figure?.name ? "" : value, where: "" }), { "aria-label": t("table.layer") }),
    element("input", { type: "search", class: "form-control", placeholder: t("table.filter"), "aria-label": t("table.filter"), "data-filter": true, style: { width: "170px" }, oninput: () => { clearTimeout(waiting); waiting = setTimeout(reload, 250); } }),
    element("label", { class: "form-check" }, element("input", { type: "checkbox", class: "form-check-input", checked: get("inview") === "1", onchange: (event) => set({ inview: event.target.checked ? "1" : "" }, { step: false }) }), ` ${t("table.in_view")}`),
    counted,
    element("span", { class: "push" }),
    button(get("drawer") === "70" ? t("table.lower") : t("table.higher"), (event) => {
      const high = get("drawer") === "70";
      set({ drawer: high ? "35" : "70" });
      event.currentTarget.lastChild.textContent = high ? t("table.higher") : t("table.lower");
    }, { kind: "plain" }),
    button("", () => set({ drawer: "" }), { kind: "plain", drawing: "close", "aria-label": t("table.close") }),
  );
}

function style() {
  if (document.getElementById("table-style")) return null;
  return new Promise((resolve) => {
    const link = element("link", { rel: "stylesheet", id: "table-style", href: config.vendor["tabulator.min.css"], onload: resolve, onerror: resolve });
    // Before our own sheets, which adjust it.
    document.querySelector("link[href*='css/theme.css']").before(link);
  });
}
