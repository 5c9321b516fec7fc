// The hotspots page: where incidents cluster more than the chosen exposure explains, in sentences, cells and areas.

import { actionBar, actionButtons, openProvenance } from "./actions.js";
import { boundariesControl, endedBox } from "./boundaries.js";
import { config } from "./config.js";
import { showCells, cellAt, cellShape } from "./cells.js";
import { hideDensity, showDensity } from "./density.js";
import { button, choice, element, replace } from "./element.js";
import { knownChoice, knownMark, knownWords } from "./known.js";
import { AREAS, boundsOf, chosen, entryOf, onLayer, restyle } from "./layers.js";
import { setFigureLegend } from "./legend.js";
import { startMapView } from "./mapview.js";
import { emptyBox, problemBox } from "./notice.js";
import { answer, line, setPanel } from "./panel.js";
import { makeRanking } from "./ranking.js";
import { getJSON, isCancelled, Problem, query } from "./request.js";
import { catalogue, may, session } from "./session.js";
import { significanceLegend, significanceOf, significanceStyle } from "./significance.js";
import { get, set, watch } from "./state.js";
import { timeFilter } from "./timefilter.js";
import { setSource } from "./foot.js";
import { reveal } from "./map.js";
import { day, integer, many, number, t } from "./words.js";

const ASKED = ["unit", "cell_m", "from", "to", "category", "weekdays", "hours", "exposure", "as_of", "boundaries", "known_on"];
const SIZES = [250, 500, 1000, 2000];
let result = null;
let byId = new Map();
let asked = null;
let ranking = null;
let internal = true;
let density = null;
const answerBox = element("div", {});
const controlsBox = element("div", {});
const actions = actionBar();

const unit = () => result?.unit ?? (get("unit") || (internal ? "cell" : "village"));
const parameters = () => Object.fromEntries(ASKED.map((name) => [name, name === "unit" ? unit() : get(name)]));
const rowsOf = (entries, kind) => entries.find((entry) => entry.kind === kind)?.rows ?? 0;
const idOf = (row) => String(row.code ?? row.cell);

export async function start() {
  internal = (await session()).points_allowed;
  ranking = makeRanking({ kind: unit });
  const first = fetchResult();
  first.catch(() => {});
  watch(ASKED, () => take(fetchResult()));
  watch(["view"], () => take(Promise.resolve(result)));
  for (const kind of AREAS) onLayer(kind, () => kind === unit() && paint());
  await startMapView({
    order: () => (unit() === "cell" ? ["village", "township"] : [unit(), "village", "township"]),
    own: { kind: "cell", at: cellAt, shape: cellShape, details: cellDetails },
    tip: ({ kind, id, name }) => (kind === unit() && byId.has(String(id)) ? tipOf(byId.get(String(id)), name) : null),
    figure: (kind, id) => (kind === unit() ? figureOf(String(id)) : null),
    table: { name: "hotspots", label: t("page.hotspots"), kind: unit, parameters },
    ready: () => take(first),
  });
}

async function fetchResult() {
  asked?.abort();
  asked = new AbortController();
  // Without areas or incidents there is nothing to ask; the page then says what is missing.
  const listed = await catalogue();
  if (!listed.some((entry) => entry.rows && AREAS.includes(entry.kind)) || (internal && !rowsOf(listed, "incident"))) throw new Problem({ what: t("hot.empty") });
  const given = { ...parameters(), unit: get("unit") || (internal ? "cell" : "village") };
  return getJSON(`/api/v1/hotspots${query(given)}`, { signal: asked.signal, label: t("busy.hotspots") });
}

async function take(promise) {
  try {
    result = await promise;
    if (AREAS.includes(unit()) && !chosen().includes(unit())) set({ layers: [...chosen().filter((kind) => ["county", "township"].includes(kind) || !AREAS.includes(kind)), unit()] }, { step: false });
    byId = new Map(result.rows.map((row) => [idOf(row), row]));
    if (get("view") === "density" && internal) {
      const { unit: _unit, exposure: _exposure, boundaries: _boundaries, ...surface } = parameters();
      density = await showDensity(surface);
    } else {
      density = null;
      hideDensity();
    }
    draw();
  } catch (error) {
    if (isCancelled(error)) return;
    setFigureLegend(null);
    setPanel(rowsOf(await catalogue(), "incident") || (!internal && rowsOf(await catalogue(), "village")) ? problemBox(error, () => take(fetchResult())) : await nothing());
  }
}

async function nothing() {
  const mayImport = await may("import");
  return emptyBox(t("hot.empty"), mayImport ? t("hot.empty_import") : t("home.empty_ask"), mayImport && element("a", { class: "btn btn-primary", href: "/layers" }, t("import.title")));
}

function draw() {
  const surface = Boolean(density);
  showCells(unit() === "cell" && !surface ? result.geometry : null, byId);
  paint();
  if (surface) {
    setFigureLegend({
      title: t("hot.density"),
      note: t("hot.density_unit"),
      classes: (density.levels ?? []).map((level) => ({ words: level.to === null ? `≥ ${number(level.from)}` : `${number(level.from)}–${number(level.to)}`, fill: level.color })),
    });
  } else setFigureLegend({ title: t("hot.legend"), note: t("legend.units", { n: integer(result.rows.length), unit: unitWord() }), classes: significanceLegend(result.rows) });
  drawPanel();
  document.dispatchEvent(new CustomEvent("figures"));
  setSource([t("hot.source"), day(result.as_of), unit() !== "cell" && result.boundaries.label, knownWords(result)].filter(Boolean).join(" · "));
}

const unitWord = () => (unit() === "cell" ? t("hot.cells") : many(unit(), entryOf(unit())?.label));

function drawPanel() {
  const hot = result.rows.filter((row) => row.hot);
  const cold = result.rows.filter((row) => row.cold).length;
  const total = result.summary?.incidents ?? result.rows.reduce((sum, row) => sum + (row.count ?? 0), 0);
  const words = { hot: integer(hot.length), cold: integer(cold), unit: unitWord(), total: integer(total) };
  const made = () => openProvenance(result.provenance, null);
  const key = !internal ? "hot.answer_outside" : hot.length ? "hot.answer" : "hot.answer_none";
  replace(answerBox, answer(t(key, words), [repeats(), t("hot.reported")].filter(Boolean).join(" ")));
  replace(controlsBox, controls(made));
  const sentences = result.sentences ?? [];
  const ranked = [...hot].sort((a, b) => (a.q ?? 1) - (b.q ?? 1) || (b.count ?? 0) - (a.count ?? 0));
  ranking.draw(t("hot.list"), sentences.length ? "" : t("hot.columns"), ranked, null, (row) => {
    const place = result.rows.indexOf(row);
    const text = row.sentence ?? sentenceOf(sentences, hot, row, place);
    return text ? { id: idOf(row), text, color: significanceOf(row).fill } : { id: idOf(row), name: row.name ?? idOf(row), lack: integer(row.count), of: row.ratio ? t("hot.times", { n: number(row.ratio) }) : "", color: significanceOf(row).fill };
  });
  replace(actions, actionButtons({ name: "hotspots", label: t("page.hotspots") }, parameters));
  const ended = endedBox(t("bounds.ended", { n: integer(result.ended.length), count: integer(result.summary.ended) }), result.ended, t("hot.count"));
  setPanel(answerBox, knownMark(result), controlsBox, ranking.node, ended, actions);
}

/** Sentences stand in the order of the hot rows of the answer, unless each names its row. */
function sentenceOf(sentences, hot, row) {
  const named = sentences.find((one) => typeof one === "object" && String(one.id ?? one.code ?? one.cell) === idOf(row));
  if (named) return named.text;
  const plain = sentences[hot.indexOf(row)];
  return typeof plain === "string" ? plain : "";
}

function repeats() {
  const { duplicates, near_duplicates: near = duplicates, stacked } = result.summary ?? {};
  return near || stacked ? t("hot.repeats", { near: integer(near ?? 0), stacked: integer(stacked ?? 0) }) : "";
}

function controls(made) {
  const units = internal ? ["cell", "grid", "village"] : ["village"];
  const last = result.summary?.last_day ?? config.today;
  return element(
    "section",
    { class: "controls" },
    internal && line(t("hot.view"), choice([["", t("hot.significance")], ["density", t("hot.density")]], get("view"), (value) => set({ view: value }))),
    line(t("coverage.unit"), choice(units.map((name) => [name, name === "cell" ? t("hot.cells") : entryOf(name)?.label ?? name]), unit(), (name) => set({ unit: name === "cell" ? "" : name, sel: "" })), unit() === "cell" && choice(SIZES.map((metres) => [metres, t("unit.m", { n: integer(metres) })]), get("cell_m") || 500, (value) => set({ cell_m: value === "500" ? "" : value }), { "aria-label": t("hot.cell_size") })),
    internal && line(t("hot.exposure"), choice(["area", "households", "population"].map((value) => [value, t(`exposure.${value}`)]), get("exposure") || result.provenance?.parameters?.exposure || "area", (value) => set({ exposure: value }))),
    internal && (unit() === "cell" ? element("p", { class: "small-note mb-0" }, t("bounds.cells")) : boundariesControl(result, get("as_of") ? "date" : "today")),
    internal && timeFilter({ categories: (result.categories ?? result.summary?.categories ?? []).map((one) => (Array.isArray(one) ? one : typeof one === "object" ? [one.value, one.label] : [one, one])), last }),
    internal && element("details", { class: "further", open: Boolean(get("known_on")) }, element("summary", {}, t("coverage.further")), knownChoice()),
    element("p", { class: "small-note mb-0" }, t("hot.method"), " ", button(t("act.made"), made, { kind: "link" })),
  );
}

function tipOf(row, name) {
  const place = name ?? row.name ?? t("hot.cell");
  return row.count === undefined || row.count === null ? place : t("hot.tip", { place, count: integer(row.count), expected: number(row.expected) });
}

function figureOf(id) {
  const row = byId.get(id);
  if (!row) return null;
  const one = significanceOf(row);
  const figures = [
    ["count", integer(row.count)], ["expected", number(row.expected)], ["ratio", row.ratio ? t("hot.times", { n: number(row.ratio) }) : "–"], ["gi_z", number(row.gi_z)], ["p", small(row.p)], ["q", small(row.q)],
  ].filter(([name]) => row[name] !== undefined && row[name] !== null);
  return [
    element("p", { class: "answer mb-0" }, element("i", { class: "swatch", style: { background: one.fill } }), element("b", {}, config.language === "zh" ? one.zh : one.en)),
    element("table", { class: "facts" }, element("tbody", {}, figures.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, t(`hot.${name}`)), element("td", { class: "number" }, value))))),
    button(t("act.made"), () => openProvenance(result.provenance, null), { kind: "link" }),
  ];
}

const small = (value) => (value === null || value === undefined ? "–" : value < 0.001 ? "< 0.001" : value.toFixed(3));

function cellDetails(id) {
  const shape = cellShape(id);
  if (shape) reveal(boundsOf(shape));
  return [element("h1", { class: "detail-title" }, t("hot.cell")), element("p", { class: "detail-sub" }, id), element("div", { class: "detail-figures" }, figureOf(id) ?? element("p", { class: "small-note" }, t("hot.cell_gone")))];
}

function paint() {
  if (!result) return;
  for (const kind of AREAS) {
    if (kind === unit() && !density) restyle(kind, (shape, view) => significanceStyle(byId.get(String(shape.id)), shape, view));
    else restyle(kind, null);
  }
}
