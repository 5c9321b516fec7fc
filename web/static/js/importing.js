// Import, step by step: choose a file, look at it on the map and in a table, say what its columns are, check, store.

import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { button, choice, element, replace } from "./element.js";
import { openDialog } from "./dialog.js";
import { followJob, findingsTable, jobCard } from "./jobs.js";
import { mappingTable, readMapping } from "./mapping.js";
import { showOnMap } from "./previewmap.js";
import { notice, problemBox, showProblem } from "./notice.js";
import { getJSON, isCancelled, query, send, upload } from "./request.js";
import { bytes, integer, reading, t } from "./words.js";

const steps = document.getElementById("import-steps");
const rest = document.getElementById("import-rest");
const SECTION = document.getElementById("import");
const ENCODINGS = ["UTF-8", "GBK", "GB18030", "Big5"];
let current = null;
let hooks = {};

export function startImport(given) {
  hooks = given;
  const drop = document.getElementById("drop");
  const input = document.getElementById("file");
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    });
  }
  // A file dropped beside the field must not replace the page.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
}

async function take(file) {
  const controller = new AbortController();
  const bar = element("div", { class: "progress-bar" });
  SECTION.hidden = false;
  document.getElementById("import-map").hidden = true;
  stepper(0);
  replace(rest, element("p", {}, t("import.uploading", { name: file.name, size: bytes(file.size) })), element("div", { class: "progress" }, bar), element("div", { class: "button-row" }, button(t("cancel"), () => controller.abort())));
  SECTION.scrollIntoView({ block: "nearest" });
  try {
    const answer = await upload("/api/v1/uploads", file, { signal: controller.signal, onprogress: (part) => { bar.style.width = `${Math.round(part * 100)}%`; } });
    current = { upload: answer.upload, name: answer.name, size: answer.size, preview: answer.preview, kind: "", title: "", asked: {}, mode: "append", dates: "auto", as_of: "", skip_bad: false, repair: false };
    current.kind = likelyKind(answer.preview, answer.name);
    if (current.kind) await lookAgain();
    draw();
  } catch (error) {
    if (isCancelled(error)) return close();
    replace(rest, problemBox(error), element("div", { class: "button-row" }, button(t("close"), close)));
  }
  return null;
}

/** The kind whose name stands in the file's or layer's name, else by the shape of the data. */
function likelyKind(preview, name) {
  const text = `${name} ${preview.layer ?? ""}`.toLowerCase();
  const named = Object.entries(config.kinds).find(([kind, label]) => text.includes(kind) || label.replace(/[（(].*$/, "").split("（")[0].length > 1 && text.includes(label.replace(/[（(].*$/, "")));
  if (named) return named[0];
  if (/摄像|监控|探头|camera/.test(text)) return "camera";
  if (/事件|案件|工单|incident/.test(text)) return "incident";
  if (/网格|grid|wg/.test(text)) return "grid";
  if (/乡镇|街道|town/.test(text)) return "township";
  if (/村|社区|vill/.test(text)) return "village";
  return "";
}

async function lookAgain() {
  const { encoding, layer, sheet, crs } = current.asked;
  current.preview = await getJSON(`/api/v1/uploads/${current.upload}/preview${query({ encoding, layer, sheet, crs, what: current.kind === "reference" ? "" : current.kind })}`, { label: t("busy.preview") });
}

async function change(name, value) {
  current.asked[name] = value;
  await redraw();
}

async function redraw() {
  try {
    await lookAgain();
    draw();
  } catch (error) {
    showProblem(error);
  }
}

function stepper(now) {
  replace(steps, element("ol", { class: "steps" }, ["import.step_file", "import.step_columns", "import.step_check", "import.step_store"].map((key, i) => element("li", { class: i === now ? "now" : i < now ? "done" : "", "aria-current": i === now ? "step" : null }, t(key)))));
}

function draw() {
  const { preview } = current;
  const errors = (preview.findings ?? []).map(asRow);
  stepper(1);
  showOnMap(document.getElementById("import-map"), preview.points ?? [], preview.crs);
  replace(
    rest,
    element("p", {}, t("import.seen", { name: current.name, rows: preview.rows === null ? t("import.many") : integer(preview.rows), columns: integer(preview.columns.length), crs: preview.crs ?? t("import.no_crs") })),
    readingOptions(preview),
    errors.length > 0 && findingsTable(errors),
    element("h3", { class: "mt-3" }, t("import.columns")),
    mappingTable(preview, current.kind, config.fields[current.kind] ?? []),
    element("h3", { class: "mt-3" }, t("import.how")),
    storingOptions(),
    element(
      "div",
      { class: "button-row" },
      button(t("import.check"), () => run(true), { kind: "btn btn-primary", disabled: !current.kind }),
      button(t("import.store_now"), () => run(false), { kind: "btn btn-outline-secondary", disabled: !current.kind }),
      button(t("import.give_up"), close, { kind: "btn btn-outline-secondary" }),
      !current.kind && element("span", { class: "small-note" }, t("import.choose_kind")),
    ),
  );
}

const asRow = (finding) => ({ ...finding, what: reading(finding.what), mend: reading(finding.mend) });

const field = (words, control, note) => element("label", { class: "field" }, element("span", {}, words), control, note && element("small", {}, note));

function readingOptions(preview) {
  const kinds = [["", t("import.kind_choose")], ...Object.entries(config.kinds), ["reference", t("import.reference")]];
  const found = (preview.candidates ?? []).map((one) => one.encoding);
  const encodings = [...new Set([...found, ...ENCODINGS])];
  const frames = [["auto", preview.crs ? t("crs.auto", { crs: preview.crs }) : t("dates.auto")], ["EPSG:4490", t("crs.4490")], ["gcj02", t("crs.gcj02")], ["bd09", t("crs.bd09")], ["other", t("crs.other")]];
  const crs = current.asked.crs ?? "auto";
  return element(
    "div",
    { class: "options" },
    field(t("import.kind"), choice(kinds, current.kind, (kind) => { current.kind = kind; redraw(); })),
    current.kind === "reference" && field(t("import.reference_name"), element("input", { class: "form-control", maxlength: 60, value: current.title, onchange: (event) => { current.title = event.target.value.trim(); } })),
    preview.layers?.length > 1 && field(preview.format === "xlsx" ? t("import.sheet") : t("import.layer"), choice(preview.layers.map((one) => [one.name, one.name]), preview.layer, (value) => change(preview.format === "xlsx" ? "sheet" : "layer", value))),
    preview.encoding && field(t("import.encoding"), choice(encodings.map((name) => [name, name]), preview.encoding, (value) => change("encoding", value)), t("import.encoding_note")),
    field(t("import.crs"), choice(frames, crs.startsWith("EPSG") && crs !== "EPSG:4490" ? "other" : crs, (value) => (value === "other" ? askCode() : change("crs", value)))),
    field(t("import.dates"), choice(["auto", "ymd", "mdy", "dmy", "roc"].map((value) => [value, t(`dates.${value}`)]), current.dates, (value) => { current.dates = value; })),
  );
}

function askCode() {
  const code = element("input", { class: "form-control", value: "EPSG:4525", pattern: "[Ee][Pp][Ss][Gg]:[0-9]{4,6}", required: true });
  openDialog(t("import.crs"), field(t("crs.ask"), code), [[t("cancel"), () => draw()], [t("crs.take"), () => {
    if (!code.reportValidity()) return false;
    change("crs", code.value.trim().toUpperCase());
    return true;
  }, true]]);
}

function storingOptions() {
  const check = (name, words, note) => element("label", { class: "form-check" }, element("input", { type: "checkbox", class: "form-check-input", checked: current[name], onchange: (event) => { current[name] = event.target.checked; } }), ` ${words}`, element("small", { class: "d-block" }, note));
  return element(
    "div",
    { class: "options" },
    field(t("import.mode"), choice(["append", "replace", "update"].map((value) => [value, t(`mode.${value}`)]), current.mode, (value) => { current.mode = value; })),
    field(t("import.as_of"), dateField({ value: current.as_of, onchange: (iso) => { current.as_of = iso; } }), t("import.as_of_note")),
    check("skip_bad", t("import.skip_bad"), t("import.skip_bad_note")),
    check("repair", t("import.repair"), t("import.repair_note")),
  );
}

function options(dryRun) {
  const { encoding, layer, sheet, crs } = current.asked;
  const reference = current.kind === "reference";
  return {
    kind: reference ? `reference:${current.title || current.name.replace(/\.[^.]*$/, "")}` : current.kind,
    source_layer: layer ?? null, sheet: sheet ?? null, encoding: encoding ?? "auto", crs: crs ?? "auto", dates: current.dates,
    mapping: reference ? {} : readMapping(rest), mode: current.mode, as_of: current.as_of || null, dry_run: dryRun, skip_bad: current.skip_bad, repair: current.repair,
  };
}

/** Queue a dry run or the import itself and stay with it until it ends. */
async function run(dryRun) {
  const asked = options(dryRun);
  stepper(dryRun ? 2 : 3);
  try {
    const { job } = await send("POST", "/api/v1/imports", { upload: current.upload, options: asked }, { label: t("busy.queue") });
    hooks.onqueued();
    const ended = await followJob(job, (now) => replace(rest, jobCard(now)));
    finish(ended, dryRun);
  } catch (error) {
    showProblem(error);
    draw();
  }
}

function finish(job, dryRun) {
  hooks.onended();
  SECTION.scrollIntoView({ block: "nearest" });
  const findings = job.first_findings ?? [];
  const clean = job.state === "done" && !job.errors;
  const words = job.state !== "done" ? t("import.failed") : dryRun ? t(job.errors ? "import.checked_bad" : "import.checked_good", { errors: integer(job.errors), rows: integer(job.result?.rows_read) }) : job.result?.stored ? t("import.stored", { rows: integer(job.result.rows_stored) }) : t("import.refused", { errors: integer(job.errors) });
  if (!dryRun && job.result?.stored) notice(words);
  replace(
    rest,
    element("p", { class: "answer" }, words),
    jobCard(job),
    findings.length > 0 && findingsTable(findings),
    element(
      "div",
      { class: "button-row" },
      dryRun && (clean || current.skip_bad) && button(t("import.store"), () => run(false), { kind: "btn btn-primary" }),
      !job.result?.stored && button(t("import.change"), draw),
      job.result?.stored && element("a", { class: "btn btn-primary", href: "/" }, t("import.to_map")),
      button(t("close"), close),
    ),
  );
}

function close() {
  current = null;
  SECTION.hidden = true;
  replace(rest);
}
