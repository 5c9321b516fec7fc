// The reports page: choose a result or a layer, its form and paper; look at it; take it away.

import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { button, choice, element, replace } from "./element.js";
import { download, exportAddress, FORMATS } from "./exporting.js";
import { preview, printAddress, printForm } from "./printing.js";
import { emptyBox, showProblem } from "./notice.js";
import { getJSON, query } from "./request.js";
import { catalogue, session } from "./session.js";
import { get, set, watch } from "./state.js";
import { reading, t } from "./words.js";

let form = null;
let asked = null;
let rules = [];
let entries = [];

export async function start() {
  const [listed, who, sets] = await Promise.all([catalogue(), session(), getJSON("/api/v1/rules", { quiet: true }).catch(() => ({ rule_sets: [] }))]);
  entries = listed.filter((entry) => entry.rows);
  rules = sets.rule_sets.find((one) => one.name === sets.current)?.rules ?? [];
  const holder = document.getElementById("report-form");
  if (!entries.length) {
    replace(holder, emptyBox(t("home.empty"), who.rights.includes("import") ? t("home.empty_import") : t("home.empty_ask"), who.rights.includes("import") && element("a", { class: "btn btn-primary", href: "/layers" }, t("import.title"))));
    document.getElementById("report-preview").hidden = true;
    document.documentElement.dataset.ready = "yes";
    return;
  }
  const settings = who.rights.includes("settings") ? await getJSON("/api/v1/settings", { quiet: true }).catch(() => []) : [];
  const saved = (name) => settings.find((one) => one.name === name)?.value ?? "";
  form = printForm({ approval_number: saved("APPROVAL_NUMBER"), unit_name: saved("UNIT_NAME") });
  form.onchange(() => show());
  const draw = () => replace(holder, content());
  watch(["what", "rule", "unit", "as_of", "boundaries", "known_on"], () => {
    draw();
    show();
  });
  draw();
  show();
  document.documentElement.dataset.ready = "yes";
}

const what = () => get("what") || "coverage";
const isFigure = () => ["coverage", "hotspots"].includes(what());

function parameters() {
  if (what() === "coverage") return { rule: get("rule"), unit: get("unit"), as_of: get("as_of"), boundaries: get("boundaries"), known_on: get("known_on") };
  if (what() === "hotspots") return { unit: get("unit"), as_of: get("as_of"), boundaries: get("boundaries"), known_on: get("known_on") };
  return { as_of: get("as_of") };
}

function content() {
  const choices = [["coverage", t("page.coverage")], ["hotspots", t("page.hotspots")], ...entries.map((entry) => [entry.kind, reading(entry.label)])];
  const field = (words, control) => element("label", { class: "field" }, element("span", {}, words), control);
  const rule = rules.find((one) => one.id === get("rule")) ?? rules[0];
  return [
    element("h2", {}, t("reports.what")),
    field(t("reports.content"), choice(choices, what(), (value) => set({ what: value === "coverage" ? "" : value, rule: "", unit: "", boundaries: "" }))),
    what() === "coverage" && rule && field(t("coverage.rule"), choice(rules.map((one) => [one.id, reading(one.label)]), rule.id, (value) => set({ rule: value, unit: "" }))),
    what() === "coverage" && rule && field(t("coverage.unit"), choice(rule.units.map((name) => [name, config.kinds[name] ?? name]), get("unit") || rule.units[0], (value) => set({ unit: value }))),
    field(t("as_of"), dateField({ value: get("as_of") || config.today, max: config.today, clearable: false, onchange: (iso) => set({ as_of: iso === config.today ? "" : iso }) })),
    isFigure() && field(t("bounds.label"), choice([["", t("bounds.usual")], ["then", t("bounds.then")], ["today", t("bounds.today")], ["date", t("bounds.date")]], ["", "then", "today"].includes(get("boundaries")) ? get("boundaries") : "date", (value) => set({ boundaries: value === "date" ? get("as_of") || config.today : value }))),
    isFigure() && get("boundaries").includes("-") && field(t("bounds.day"), dateField({ value: get("boundaries"), clearable: false, onchange: (iso) => set({ boundaries: iso }) })),
    isFigure() && field(t("known.label"), dateField({ value: get("known_on").slice(0, 10), max: config.today, onchange: (iso) => set({ known_on: iso }) })),
    element("h2", { class: "mt-3" }, t("reports.map")),
    form.node,
    element(
      "div",
      { class: "button-row" },
      button("PDF", () => take("pdf"), { kind: "btn btn-primary", drawing: "print" }),
      button("PNG", () => take("png"), { kind: "btn btn-outline-secondary" }),
      button(t("print.html"), () => download(`/api/v1/standalone${query({ view: what(), ...parameters(), title: form.values.title, lang: form.values.lang })}`, t("busy.export")), { kind: "btn btn-outline-secondary" }),
    ),
    element("h2", { class: "mt-4" }, t("reports.data")),
    element("div", { class: "button-row mt-0" }, FORMATS.map((format) => button(t(`format.${format}`), () => download(exportAddress(what(), format, parameters()), t("busy.export"))))),
    element("p", { class: "small-note mt-2 mb-0" }, isFigure() ? t("export.note") : t("export.note_layer"), " ", t("export.note_csv")),
  ];
}

const take = (format) => download(printAddress(what(), format, form.values, parameters()), t("busy.print"));

function show() {
  asked?.abort();
  asked = new AbortController();
  preview(document.getElementById("report-preview"), printAddress(what(), "png", form.values, parameters()), asked.signal).catch(showProblem);
}
