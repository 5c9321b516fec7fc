// The tabs of an opened draft: its areas, what was changed, what is wrong, and the totals before and after.

import { button, element, table } from "./element.js";
import { hasPicks, pickFromList, selectArea, selectedCode } from "./redraw_choice.js";
import { areas, base, draft, findings, isEditable, isLocked, own } from "./redraw_draft.js";
import { change, figure, label, MEASURES, plain, total, written } from "./redraw_measures.js";
import { showRefused, zoomToArea, zoomToGeometry } from "./redraw_map.js";
import { toggleLock } from "./redraw_work.js";
import { integer, reading, t } from "./words.js";

/** Every area with workload and state; a click selects it, or picks it for the tool at work. */
export function areaList() {
  const listed = own().sort((a, b) => (a.code < b.code ? -1 : 1));
  const most = Math.max(...listed.map((one) => figure(one.properties, "workload") ?? 0), 0);
  return element(
    "ol",
    { class: "area-list" },
    listed.map((one) => {
      const load = figure(one.properties, "workload");
      const bad = figure(one.properties, "camera_shortfall") > 0;
      return element(
        "li",
        { "aria-current": one.code === selectedCode() ? "true" : null },
        element(
          "button",
          { type: "button", class: "area", "data-code": one.code, title: one.code, onclick: () => (hasPicks() ? pickFromList(one.code) : selectArea(one.code)), ondblclick: () => zoomToArea(one.code) },
          element("span", { class: "name" }, one.name, isLocked(one.code) && element("span", { class: "tag" }, t("redraw.locked"))),
          element("span", { class: "load" }, load === null ? "" : element("i", { style: { width: `${most ? Math.round((100 * load) / most) : 0}%` } })),
          element("small", {}, [written("area_m2", figure(one.properties, "area_m2")), figure(one.properties, "households") !== null && written("households", figure(one.properties, "households"))].filter(Boolean).join(" · ")),
          bad && element("span", { class: "tag tag-bad" }, t("redraw.short", { n: integer(figure(one.properties, "camera_shortfall")) })),
        ),
        button("", () => zoomToArea(one.code), { kind: "plain", drawing: "zoom", "aria-label": t("redraw.zoom_area", { name: one.name }), title: t("details.zoom") }),
        isEditable() && button("", () => toggleLock(one.code), { kind: "plain", drawing: "lock", "aria-pressed": String(isLocked(one.code)), "aria-label": t(isLocked(one.code) ? "redraw.unlock_area" : "redraw.lock_area", { name: one.name }), title: t(isLocked(one.code) ? "redraw.unlock" : "redraw.lock") }),
      );
    }),
  );
}

const named = (code) => areas().get(String(code))?.name ?? code;

/** One operation in words. */
function said(one) {
  const codes = (one.codes ?? []).map(named).join(t("list_join"));
  const values = { grid: named(one.grid ?? one.from ?? ""), to: named(one.to ?? one.into ?? one.give_to ?? ""), names: (one.grids ?? []).map(named).join(t("list_join")), codes, name: one.name || codes };
  return t(`did.${one.op}`, values);
}

/** Operations in order, last first, and the pieces that changed hands. */
export function changeList() {
  const operations = draft().operations ?? [];
  const lost = draft().lost ?? [];
  if (!operations.length && !lost.length) return element("p", { class: "small-note" }, t("changes.none"));
  return [
    lost.length > 0 && element("section", { class: "notice notice-warn mb-2" }, element("p", {}, t("changes.lost", { n: lost.length })), element("ul", { class: "mb-0" }, lost.map((one) => element("li", {}, said(one.operation ?? one), one.what && element("small", {}, ` ${reading(one.what)}`))))),
    element("ol", { class: "change-list", reversed: true }, [...operations].reverse().map((one) => element("li", {}, said(one)))),
  ];
}

/** Findings with a place to go to: changed below, gaps and overlaps, differences of the outline, detached parts. */
export function problemList() {
  const found = problems();
  const { snapped } = findings();
  const moved = snapped?.grids > 0 && element("p", { class: "small-note" }, t("problems.snapped", { n: integer(snapped.grids), m: snapped.max_m.toFixed(3) }));
  if (!found.length) return [element("p", { class: "small-note" }, t("problems.none")), moved];
  return [moved, element(
    "ol",
    { class: "problem-list" },
    found.map((one) =>
      element(
        "li",
        {},
        element("div", {}, element("strong", {}, reading(one.what)), one.mend && element("p", {}, reading(one.mend))),
        one.geometry && button(t("redraw.look"), () => { showRefused(one.geometry); zoomToGeometry(one.geometry); }, { drawing: "zoom" }),
      ),
    ),
  )];
}

function problems() {
  const { problems: listed, conflicts, conflict } = findings();
  const changed = conflicts.length > 0 || conflict ? [{ what: conflict, mend: t("problems.rebase") }] : [];
  return [...changed, ...listed, ...detached()];
}
problemList.count = () => problems().length;

/** Parts of an area that do not hang together: each but the largest, to be looked at. */
function detached() {
  return own().flatMap((one) => {
    if (one.geometry.type !== "MultiPolygon" || one.geometry.coordinates.length < 2) return [];
    const parts = one.geometry.coordinates.map((coordinates) => ({ type: "Polygon", coordinates })).sort((a, b) => span(b) - span(a));
    return parts.slice(1).map((geometry) => ({ what: t("problems.detached", { name: one.name, n: parts.length }), geometry }));
  });
}

const span = ({ coordinates: [ring] }) => {
  const [xs, ys] = [ring.map(([x]) => x), ring.map(([, y]) => y)];
  return (Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys));
};

/** Sums over the draft's areas, before and after; and how evenly the work is spread. */
export function totalsTable() {
  const after = own();
  const before = [...base().values()].map((properties) => ({ properties }));
  const rows = MEASURES.map(([name]) => [name, before.length ? total(before, name) : null, total(after, name)]).filter(([, was, is]) => was !== null || is !== null);
  const spread = (list) => {
    const loads = list.map((one) => figure(one.properties, "workload")).filter((value) => value !== null);
    const mean = loads.reduce((sum, value) => sum + value, 0) / loads.length;
    return loads.length && mean ? Math.max(...loads) / mean : null;
  };
  return table(
    ["", ...(before.length ? [t("totals.before")] : []), t("totals.after"), ...(before.length ? [t("totals.change")] : [])],
    [
      [t("totals.count"), ...(before.length ? [integer(before.length)] : []), integer(after.length), ...(before.length ? [after.length === before.length ? "" : change("count", before.length, after.length)] : [])],
      ...rows.map(([name, was, is]) => [label(name), ...(before.length ? [plain(name, was)] : []), plain(name, is), ...(before.length ? [change(name, was, is)] : [])]),
      [t("totals.spread"), ...(before.length ? [number(spread(before))] : []), number(spread(after)), ...(before.length ? [""] : [])],
    ],
    { numeric: [1, 2, 3], caption: t("tab.totals") },
  );
}

const number = (value) => (value === null ? "–" : value.toFixed(2));
