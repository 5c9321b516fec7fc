// The coverage page: who falls short of the rule and by how much; the threshold recolours without asking the server.

import { actionBar, actionButtons, openProvenance } from "./actions.js";
import { endedBox } from "./boundaries.js";
import { coverageControls } from "./coverage_controls.js";
import { within } from "./drill.js";
import { button, element, replace } from "./element.js";
import { knownMark, knownWords } from "./known.js";
import { allEntries, AREAS, chosen, entryOf, onLayer, restyle } from "./layers.js";
import { setFigureLegend } from "./legend.js";
import { startMapView } from "./mapview.js";
import { emptyBox, problemBox } from "./notice.js";
import { answer, chips, setPanel } from "./panel.js";
import { makeRanking } from "./ranking.js";
import { getJSON, isCancelled, query } from "./request.js";
import { catalogue, may } from "./session.js";
import { classesOf, classOf, countClasses, isAdjustable, withThreshold } from "./shortfall.js";
import { get, set, watch } from "./state.js";
import { shapeStyle } from "./styles.js";
import { setSource } from "./foot.js";
import { day, integer, many, number, reading, share, t } from "./words.js";

const ASKED = ["rule", "rule_set", "unit", "as_of", "against", "class", "status", "older_than", "boundaries", "known_on"];
let sets = [];
let result = null;
let rows = [];
let classes = [];
let byCode = new Map();
let asked = null;
let ranking = null;
let importer = false;
const answerBox = element("div", {});
const controlsBox = element("div", {});
const actions = actionBar();

const parameters = () => Object.fromEntries([...ASKED, "threshold"].map((name) => [name, get(name)]));
const unit = () => result?.unit ?? (get("unit") || "village");

export async function start() {
  ranking = makeRanking({ kind: unit });
  may("import").then((yes) => { importer = yes; });
  const first = fetchResult();
  first.catch(() => {});
  watch(ASKED, () => take(fetchResult()));
  watch(["threshold"], () => (result && isAdjustable(result.rule) ? draw(false) : take(fetchResult())));
  watch(["in", "by"], () => draw());
  for (const kind of AREAS) onLayer(kind, () => kind === unit() && paint());
  await startMapView({
    order: () => [unit(), ...AREAS.filter((kind) => kind !== unit() && kind !== "county").reverse()],
    tip: ({ kind, id, name }) => (kind === unit() && byCode.has(String(id)) ? line(byCode.get(String(id)), name) : null),
    figure: (kind, id) => (kind === unit() ? figureOf(String(id)) : null),
    table: { name: "coverage", label: t("page.coverage"), kind: unit, parameters },
    ready: () => take(first),
  });
}

async function fetchResult() {
  asked?.abort();
  asked = new AbortController();
  const adjustable = !result || isAdjustable(result.rule);
  const [found, rules] = await Promise.all([
    getJSON(`/api/v1/coverage${query({ ...parameters(), threshold: adjustable ? "" : get("threshold") })}`, { signal: asked.signal, label: t("busy.coverage") }),
    sets.length ? sets : getJSON("/api/v1/rules", { quiet: true }),
    catalogue(),
  ]);
  sets = Array.isArray(rules) ? rules : rules.rule_sets ?? [];
  return found;
}

async function take(promise) {
  try {
    result = await promise;
    if (result.rows.length && chosen().length && !chosen().includes(unit())) set({ layers: [...chosen().filter((kind) => !AREAS.includes(kind) || kind === "county" || kind === "township"), unit()] }, { step: false });
    draw();
  } catch (error) {
    if (isCancelled(error)) return;
    setFigureLegend(null);
    setPanel(allEntries().some((entry) => entry.kind === unit() && entry.rows) ? problemBox(error, () => take(fetchResult())) : await nothing());
  }
}

async function nothing() {
  await may("import");
  return emptyBox(t("coverage.empty"), importer ? t("coverage.empty_import") : t("home.empty_ask"), importer && element("a", { class: "btn btn-primary", href: "/layers" }, t("import.title")));
}

function threshold() {
  const given = Number(get("threshold"));
  return get("threshold") !== "" && Number.isFinite(given) ? given : result.rule.threshold;
}

/** Work out rows and classes, then draw answer, legend, list and map; a slider that is being dragged stays as it is. */
function draw(anew = true) {
  if (!result) return;
  rows = isAdjustable(result.rule) && threshold() !== result.rule.threshold ? withThreshold(result.rows, threshold()) : result.rows;
  classes = classesOf(result.rule);
  byCode = new Map(rows.map((row) => [row.code, row]));
  const seen = inside(rows);
  if (!result.rows.length) {
    setFigureLegend(null);
    nothing().then((box) => setPanel(knownMark(result), box));
    return;
  }
  setFigureLegend({
    title: reading(result.rule.label),
    note: t("legend.units", { n: integer(seen.length), unit: unitWord() }),
    classes: countClasses(seen, classes).filter((one) => one.count || one.id !== "no_data"),
  });
  drawPanel(seen, anew);
  paint();
  document.dispatchEvent(new CustomEvent("figures"));
  setSource([reading(result.provenance?.rule_set?.label) || result.provenance?.rule_set?.name, day(result.as_of), result.boundaries.label, knownWords(result)].filter(Boolean).join(" · "));
}

const unitWord = () => many(unit(), entryOf(unit())?.label);

/** Rows inside the area of the address: its own, its parts, and parts of its parts as far as codes tell. */
function inside(all) {
  const area = within();
  if (!area) return all;
  return all.filter((row) => row.code === area.code || row.parent_code === area.code || (row.code.startsWith(area.code.replace(/0+$/, "")) && area.code.length === 12 && area.kind !== "village"));
}

function drawPanel(seen, anew) {
  const lacking = seen.filter((row) => row.state === "short");
  const unknown = seen.filter((row) => row.state === "no_data").length;
  const missing = lacking.reduce((sum, row) => sum + row.shortfall, 0);
  const words = { total: integer(seen.length), unit: unitWord(), short: integer(lacking.length), missing: integer(missing), amount: reading(result.rule.amount), none: integer(unknown) };
  const key = unknown === seen.length ? "coverage.answer_none" : lacking.length ? "coverage.answer" : "coverage.answer_met";
  const none = unknown === seen.length ? whyNone() : [unknown ? t("coverage.no_data", words) : ""];
  replace(answerBox, answer(t(key, words), [...none, unplaced(), changeText()].filter(Boolean).flatMap((part) => [part, " "])));
  drawRanking(lacking);
  if (!anew) return;
  const made = () => openProvenance(result.provenance, result.rule);
  replace(controlsBox, coverageControls({ result, sets, threshold: threshold(), unitWord, onmade: made }));
  replace(actions, actionButtons({ name: "coverage", label: t("page.coverage") }, parameters));
  const gone = (result.change?.gone ?? []).map((row) => ({ ...row, count: row.value_then ?? row.value, ended_on: null }));
  setPanel(answerBox, knownMark(result), controlsBox, ranking.node, endedBox(t("coverage.gone", { n: integer(gone.length) }), gone, t("coverage.value_then")), actions);
}

/** Nothing can be said of anything: what the server knows of the reason, and where data comes from. */
function whyNone() {
  const said = (result.provenance?.notes ?? []).map(reading);
  return [...said, importer && element("a", { href: "/layers" }, t("import.title"))];
}

function unplaced() {
  const { outside = 0, no_location: nowhere = 0 } = result.summary;
  return outside || nowhere ? t("coverage.unplaced", { outside: integer(outside), nowhere: integer(nowhere) }) : "";
}

function changeText() {
  const change = result.change;
  if (!get("against") || !change) return "";
  const said = t("coverage.change", { day: day(get("against")), improved: integer(change.became_met), worsened: integer(change.became_short) });
  return change.gone_units || change.new_units ? `${said} ${t("coverage.change_units", { gone: integer(change.gone_units), added: integer(change.new_units) })}` : said;
}

function drawRanking(lacking) {
  const above = result.totals?.filter((row) => row.level === "township") ?? [];
  const grouped = get("by") === "township" && above.length > 0 && unit() !== "township";
  const switcher = above.length > 0 && unit() !== "township" && !within() && chips([["", unitWord()], ["township", many("township")]], [grouped ? "township" : ""], (now) => set({ by: now.at(-1) ?? "" }), t("coverage.by_what"));
  if (grouped) return drawGroups(above, switcher);
  const color = new Map(classes.map((one) => [one.id, one.fill]));
  ranking.draw(t("coverage.worst", { unit: unitWord() }), t("coverage.columns"), lacking, switcher, (row) => ({
    id: row.code,
    name: row.name || row.code,
    note: [row.derived && t("derived.mark"), row.estimated && t("estimated.mark")].filter(Boolean).join(" "),
    lack: integer(row.shortfall),
    of: `${shown(row.value)}/${shown(row.required)}`,
    color: color.get(classOf(row, classes).id),
  }));
  return null;
}

/** Sums per township as the server made them; a click goes into the township. */
function drawGroups(above, switcher) {
  const listed = result.rows === rows ? above : regrouped(above);
  ranking.draw(t("coverage.worst", { unit: many("township") }), t("coverage.group_columns"), listed.filter((row) => row.missing > 0), switcher, (row) => ({
    id: row.code, name: row.name || row.code, lack: integer(row.missing), of: `${integer(row.short)}/${integer(row.units)}`, open: () => set({ in: `township:${row.code}`, by: "", sel: "" }),
  }));
}

/** The same sums under a threshold that was worked out here; parts belong by their parent's code. */
function regrouped(above) {
  return above
    .map((one) => {
      const parts = rows.filter((row) => row.parent_code === one.code && row.state === "short");
      return { ...one, short: parts.length, missing: parts.reduce((sum, row) => sum + row.shortfall, 0) };
    })
    .sort((a, b) => b.missing - a.missing || (a.code < b.code ? -1 : 1));
}

const shown = (value) => (result.rule.form === "share" ? share(value) : number(value));

function line(row, name) {
  if (row.state === "no_data") return `${name ?? row.code} ${t("state.no_data")}`;
  return `${name ?? row.code} ${row.state === "short" ? t("coverage.tip_short", { n: integer(row.shortfall), amount: reading(result.rule.amount) }) : t("state.met")} ${shown(row.value)}/${shown(row.required)}`;
}

function figureOf(code) {
  const row = byCode.get(code);
  if (!row) return null;
  const one = classOf(row, classes);
  return [
    element("p", { class: "answer mb-0" }, element("i", { class: "swatch", style: { background: one.fill } }), element("b", {}, row.state === "short" ? t("coverage.tip_short", { n: integer(row.shortfall), amount: reading(result.rule.amount) }) : t(`state.${row.state}`))),
    element("p", { class: "answer-note mb-0" }, row.state === "no_data" ? reading(row.problem ?? row.reason) : t("coverage.of", { rule: reading(result.rule.label), value: shown(row.value), required: shown(row.required) }), " ", button(t("act.made"), () => openProvenance(result.provenance, result.rule), { kind: "link" })),
    row.derived && element("span", { class: "tag tag-derived" }, t("derived")),
    row.estimated && element("span", { class: "tag tag-derived" }, t("estimated")),
  ];
}

function paint() {
  if (!result) return;
  for (const kind of AREAS) if (kind !== unit()) restyle(kind, null);
  restyle(
    unit(),
    (shape) => {
      const row = byCode.get(String(shape.id));
      const one = row ? classOf(row, classes) : classes.at(-1);
      return { ...shapeStyle(unit(), shape), fill: one.fill, hatched: one.hatched };
    },
    (shape) => (byCode.get(String(shape.id))?.shortfall ?? 0) * 1e6 + shape.mass,
  );
}
