// The map page: what is here, layer by layer, and what to do next.

import { actionBar, actionButtons } from "./actions.js";
import { config } from "./config.js";
import { changeDays, dayBefore } from "./days.js";
import { button, element } from "./element.js";
import { setSource } from "./foot.js";
import { allEntries, chosen, toggle, zoomTo } from "./layers.js";
import { startMapView } from "./mapview.js";
import { menuButton } from "./menu.js";
import { emptyBox } from "./notice.js";
import { answer, setPanel } from "./panel.js";
import { catalogue, may, session } from "./session.js";
import { address, asOf, get, set, watch } from "./state.js";
import { comma, day, integer, many, t } from "./words.js";

const ORDER = ["grid", "natural_village", "village", "township", "county"];
// Whether the address came with a position, before the map takes one.
const linked = get("at") !== "";
const COMPARED = ["grid", "village", "township"];
const COUNTED = ["township", "village", "grid", "camera", "incident"];

export async function start() {
  catalogue();
  await startMapView({
    order: () => ORDER.filter((kind) => kind !== "county"),
    tip: () => null,
    figure: () => null,
    ready: draw,
  });
  watch(["layers", "as_of", "opacity"], () => get("compare") || draw());
  watch(["compare"], compare);
  await compare();
  document.addEventListener("layer", () => setSource(source()));
}

/** A comparison takes the panel until it is over; what draws it comes with the first one. */
async function compare() {
  if (!get("compare")) return;
  const { start: compareBoundaries } = await import("./compare.js");
  await compareBoundaries({ show: (nodes) => setPanel(nodes), end: draw, linked });
}

/** Before and after the last change there was; a year ago where nothing is known to have changed. */
async function openComparison() {
  const past = (await changeDays()).filter((one) => !one.future).at(-1);
  set({ compare: past ? dayBefore(past.on) : `${Number(config.today.slice(0, 4)) - 1}${config.today.slice(4)}`.replace("02-29", "02-28") });
}

function source() {
  const names = new Set(chosen().map((kind) => allEntries().find((entry) => entry.kind === kind)?.source).filter(Boolean));
  return [[...names].slice(0, 2).join(comma), day(asOf())].filter(Boolean).join(" · ");
}

async function draw() {
  if (get("compare")) return null;
  const [entries, { place, points_allowed: sees }, mayImport] = await Promise.all([catalogue(), session(), may("import")]);
  const filled = entries.filter((entry) => entry.rows);
  if (!filled.length) return setPanel(nothingYet(mayImport));
  const parts = COUNTED.map((kind) => filled.find((entry) => entry.kind === kind)).filter(Boolean);
  const counts = parts.map((entry) => t("home.count", { n: `**${integer(entry.rows)}**`, what: many(entry.kind, entry.label) })).join(t("home.join"));
  setPanel(
    answer(t("home.answer", { place: place.name || t("home.place"), counts }), t("home.note", { day: day(asOf()) })),
    element("section", { class: "controls" }, element("h2", {}, t("home.layers")), element("div", {}, filled.filter((entry) => entry.geometry !== "none").map(row))),
    filled.some((entry) => COMPARED.includes(entry.kind)) && element("section", { class: "controls" }, element("h2", {}, t("compare.title")), element("p", { class: "small-note mb-0" }, t("compare.lead")), element("div", {}, button(t("compare.start"), openComparison, { drawing: "swipe", id: "compare-start" }))),
    missing(entries, mayImport, sees),
    actionBar(actionButtons({ name: "", view: printed }, () => ({ as_of: get("as_of") }), exportMenu(filled))),
  );
  return null;
}

function exportMenu(filled) {
  const one = async (entry) => (await import("./exporting.js")).openExport(entry.kind, entry.label, () => ({ as_of: get("as_of") }));
  return menuButton(button(t("act.export"), () => {}, { drawing: "download" }), filled.map((entry) => [entry.label, () => one(entry)]));
}

const printed = () => [...ORDER].reverse().find((kind) => chosen().includes(kind)) ?? "village";

function row(entry) {
  const id = `panel-${entry.kind.replaceAll(/[^a-z0-9]/gi, "-")}`;
  return element(
    "div",
    { class: "layer-row" },
    element("input", { type: "checkbox", class: "form-check-input", id, checked: chosen().includes(entry.kind), onchange: (event) => toggle(entry.kind, event.target.checked) }),
    element("label", { for: id }, entry.label),
    element("span", { class: "count number" }, integer(entry.rows)),
    button("", () => zoomTo(entry.kind), { kind: "plain", drawing: "zoom", title: t("layers.zoom"), "aria-label": `${t("layers.zoom")} ${entry.label}` }),
  );
}

function nothingYet(mayImport) {
  return emptyBox(t("home.empty"), mayImport ? t("home.empty_import") : t("home.empty_ask"), mayImport && element("a", { class: "btn btn-primary", href: "/layers" }, t("import.title")));
}

function missing(entries, mayImport, sees) {
  const wanted = ["village", "grid", ...(sees ? ["camera", "incident"] : [])].map((kind) => entries.find((entry) => entry.kind === kind)).filter((entry) => entry && !entry.rows);
  if (!wanted.length || !mayImport) return element("nav", { class: "children" }, element("a", { href: address("/coverage", ["at", "as_of", "in"]) }, t("home.to_coverage")), element("a", { href: address("/hotspots", ["at", "as_of", "in"]) }, t("home.to_hotspots")));
  return emptyBox(t("home.missing", { what: wanted.map((entry) => entry.label).join(comma) }), t("home.missing_why"), element("a", { class: "btn btn-outline-secondary", href: "/layers" }, t("import.title")));
}
