// The panel of a comparison: what changed in one sentence, which two states, how they are shown, and a list to go through.

import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { changeDays, dayBefore, dayWords } from "./days.js";
import { button, choice, element, replace } from "./element.js";
import { allEntries } from "./layers.js";
import { answer, line } from "./panel.js";
import { getJSON } from "./request.js";
import { may } from "./session.js";
import { asOf, get, set } from "./state.js";
import { area, comma, day, integer, reading, share, t } from "./words.js";

const KINDS = ["grid", "village", "township"];
const looks = config.cartography.compare;

export function drawComparison({ found, draft, words, mode, unit, end, zoom }) {
  const { changed, new: added, ended, unchanged } = found.counts;
  const counts = { changed: integer(changed), added: integer(added), ended: integer(ended), unchanged: integer(unchanged), unit, before: words("before"), after: words("after") };
  const total = changed + added + ended;
  return [
    element("div", {}, answer(t(total ? "compare.answer" : "compare.answer_same", counts), t("compare.between", counts))),
    element("section", { class: "controls" }, modes(mode), states(draft), !draft && kinds(found.kind)),
    list(found, zoom),
    element("div", { class: "actions mt-auto" }, button(t("compare.end"), end, { drawing: "close" }), button(t("act.share"), async () => (await import("./share.js")).openShare(), { drawing: "share" })),
  ];
}

/** Mark the mode that is shown among the buttons. */
export function markMode(mode) {
  for (const one of document.querySelectorAll("#compare-mode button")) one.setAttribute("aria-pressed", String(one.dataset.mode === mode));
}

function modes(mode) {
  const one = (value) => element("button", { type: "button", "data-mode": value, "aria-pressed": String(mode === value), onclick: () => set({ compare_mode: value === "swipe" ? "" : value }) }, t(`compare.${value}`));
  return element("div", { class: "line" }, element("span", {}, t("compare.mode")), element("div", { class: "chips", id: "compare-mode" }, one("swipe"), one("side")));
}

/** Which two states: two days, or a decision before and after, or a draft. */
function states(draft) {
  const holder = element("div", { class: "controls-group" });
  const decided = element("div", {});
  replace(
    holder,
    line(draft ? t("compare.before") : t("compare.one_day"), dateField({ value: asOf(), clearable: false, "aria-label": t("compare.one_day"), onchange: (iso) => set({ as_of: iso === config.today ? "" : iso }) })),
    !draft && line(t("compare.other_day"), dateField({ value: get("compare"), clearable: false, "aria-label": t("compare.other_day"), onchange: (iso) => set({ compare: iso }) })),
    decided,
  );
  offer(decided).catch(() => {});
  return holder;
}

async function offer(holder) {
  const [days, mayDraw] = await Promise.all([changeDays(), may("redraw")]);
  const drafts = mayDraw ? await getJSON("/api/v1/drafts", { quiet: true }) : [];
  const live = drafts.filter((one) => ["draft", "proposed", "reviewed", "approved"].includes(one.state));
  const step = [...days].reverse().find((one) => asOf() === one.on && get("compare") === dayBefore(one.on))?.on ?? "";
  replace(
    holder,
    days.length > 0 && line(t("compare.decision"), choice([["", t("compare.choose")], ...[...days].reverse().map((one) => [one.on, dayWords(one)])], step, (on) => on && set({ as_of: on === config.today ? "" : on, compare: dayBefore(on) }), { id: "compare-decision" })),
    live.length > 0 && line(t("compare.with_draft"), choice([["", t("compare.choose")], ...live.map((one) => [`draft:${one.id}`, one.title || one.id])], get("compare").startsWith("draft:") ? get("compare") : "", (value) => value && set({ compare: value, compare_kind: "" }), { id: "compare-draft" })),
  );
}

function kinds(kind) {
  const there = allEntries().filter((entry) => KINDS.includes(entry.kind) && entry.rows);
  return there.length > 1 && line(t("compare.kind"), choice(there.map((entry) => [entry.kind, entry.label]), kind, (value) => set({ compare_kind: value })));
}

function list(found, zoom) {
  const head = element("div", { class: "ranking-head" }, element("strong", {}, t("compare.list")), element("span", {}, found.rows.length > 0 && t("compare.columns")));
  const items = found.rows.map((row) => item(row, found, zoom));
  return element("section", { class: "ranking comparison" }, head, element("ol", { id: "compare-list" }, items), !items.length && element("p", { class: "small-note" }, t("compare.none")));
}

function item(row, found, zoom) {
  const before = row.area_before_m2 ?? 0;
  const after = row.area_after_m2 ?? 0;
  const look = looks[row.state];
  return element(
    "li",
    { "data-code": row.code, "data-state": row.state },
    element(
      "button",
      { type: "button", onclick: () => zoom(row.code) },
      element("i", { class: "swatch", style: { background: look.fill, outline: `1.5px solid ${look.line}` }, "aria-hidden": "true" }),
      element("span", { class: "name", title: row.code }, row.name || row.code),
      element("span", { class: "lack" }, signed(after - before)),
      element("span", { class: "kin" }, element("b", {}, reading(look)), ` · ${[row.name && row.code, area(row.state === "ended" ? before : after), kin(row, found)].filter(Boolean).join(" · ")}`),
    ),
  );
}

const signed = (squareMetres) => `${squareMetres < 0 ? "−" : "+"}${area(Math.abs(squareMetres))}`;

/** Where the land of an area went, or came from, with shares. */
function kin(row, found) {
  // Parts often keep the name of the whole: then the code tells them apart.
  const twice = found.rows.filter((one, i) => found.rows.some((other, k) => k !== i && other.name === one.name)).map((one) => one.code);
  const names = new Map(found.rows.filter((one) => one.name && !twice.includes(one.code)).map((one) => [one.code, one.name]));
  const part = (link, code) => `${names.get(code) ?? code} ${share(link.share_of_area)}`;
  const away = found.links.filter((link) => link.old_code === row.code && link.new_code !== row.code);
  const from = found.links.filter((link) => link.new_code === row.code && link.old_code !== row.code);
  return [
    row.state !== "new" && away.length > 0 && t("compare.to", { list: away.map((link) => part(link, link.new_code)).join(comma) }),
    row.state !== "ended" && from.length > 0 && t("compare.from", { list: from.map((link) => names.get(link.old_code) ?? link.old_code).join(comma) }),
    away[0]?.on && day(away[0].on),
  ].filter(Boolean).join(" · ");
}
