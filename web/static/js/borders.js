// Border lines: derived from the areas of a day, and this year's joint inspections with what was found.

import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { openDialog } from "./dialog.js";
import { button, choice, element, replace, sentence, table } from "./element.js";
import { notice, problemBox, showProblem } from "./notice.js";
import { getJSON, query, send } from "./request.js";
import { may } from "./session.js";
import { day, integer, length, t } from "./words.js";

const STATES = ["sound", "marker_damaged", "marker_moved", "landmark_changed", "disputed"];
const TAGS = { sound: "tag-good", disputed: "tag-bad" };

/** A panel with the inspection list of a year. `onderived()` after lines were derived. Gives {node, load}. */
export function bordersPanel({ onderived = () => {} } = {}) {
  const node = element("section", { class: "borders", "aria-live": "polite" });
  const now = Number(config.today.slice(0, 4));
  let year = now;

  async function load() {
    try {
      const [found, mayDerive, mayRecord] = await Promise.all([getJSON(`/api/v1/borders/inspections${query({ year })}`, { quiet: true }), may("mend"), may("redraw")]);
      draw(found, mayDerive, mayRecord);
    } catch (error) {
      replace(node, problemBox(error, load));
    }
  }

  function draw(found, mayDerive, mayRecord) {
    const years = [-2, -1, 0, 1, 2, 3, 4].map((step) => [now + step, t("borders.year", { year: now + step })]);
    replace(
      node,
      element("div", { class: "filters" },
        choice(years, year, (chosen) => { year = Number(chosen); load(); }, { "aria-label": t("borders.which_year") }),
        mayDerive && button(t("borders.derive"), askDerive),
        element("a", { class: "btn btn-outline-secondary btn-sm", href: "/?layers=township,village,boundary_line,boundary_marker,tri_junction" }, t("layers.show"))),
      sentence(t("borders.lead", { due: integer(found.due), done: integer(found.done), years: integer(found.period_years) }), "p"),
      found.lines.length > 0 && element("div", { class: "list-table" }, lines(found, mayRecord)),
      element("p", { class: "small-note" }, found.source),
    );
  }

  function lines(found, mayRecord) {
    return table(
      [t("borders.number"), t("borders.between"), t("borders.length"), t("borders.last"), t("borders.this_year"), ""],
      found.lines.map((line) => [
        line.number,
        element("span", {}, line.areas.join(" — ") || "–", element("small", {}, line.level ? t(`border_level.${line.level}`) : "")),
        line.length_m === null ? "–" : length(line.length_m),
        line.last_inspection ? day(line.last_inspection) : t("borders.never"),
        line.done_on ? element("span", {}, element("span", { class: `tag ${TAGS[line.state] ?? "tag-warn"}` }, line.state_label), element("small", {}, day(line.done_on))) : element("span", { class: "tag" }, t("borders.open")),
        mayRecord && element("span", { class: "actions-cell" }, button(t("borders.record"), () => askRecord(line))),
      ]),
      { numeric: [2], caption: t("borders.title") },
    );
  }

  function askDerive() {
    let on = config.today;
    const field = dateField({ value: on, clearable: false, id: "borders-on", onchange: (iso) => { on = iso; } });
    openDialog(t("borders.derive"), [element("p", {}, t("borders.derive_lead")), element("label", { class: "field" }, element("span", {}, t("borders.on")), field)], [
      [t("cancel"), () => true],
      [t("borders.derive"), () => derive(on), true],
    ]);
  }

  async function derive(on) {
    try {
      const made = await send("POST", "/api/v1/borders/derive", { on }, { label: t("borders.deriving") });
      const { boundary_line: line, tri_junction: point, boundary_marker: marker } = made;
      const sum = (one) => integer(one.kept + one.new);
      notice(made.change === null ? t("borders.same") : t("borders.derived", { lines: sum(line), points: sum(point), markers: sum(marker), fresh: integer(line.new), ended: integer(line.ended) }));
      onderived();
      load();
      return true;
    } catch (error) {
      showProblem(error);
      return false;
    }
  }

  function askRecord(line) {
    const body = { line_number: line.number, inspected_on: config.today, units: line.areas.join(t("list_join")), state: "sound", note: "", photo: "" };
    const text = (name, most) => element("input", { class: "form-control", maxlength: most, value: body[name], oninput: (event) => { body[name] = event.target.value; } });
    const field = (label, input, note) => element("label", { class: "field" }, element("span", {}, label), input, note && element("small", {}, note));
    openDialog(
      line.areas.length ? t("borders.record_title", { number: line.number, between: line.areas.join(" — ") }) : t("borders.record_plain", { number: line.number }),
      [
        field(t("borders.date"), dateField({ value: body.inspected_on, max: config.today, clearable: false, id: "inspected-on", onchange: (iso) => { body.inspected_on = iso; } })),
        field(t("borders.state"), choice(STATES.map((state) => [state, t(`border_state.${state}`)]), body.state, (value) => { body.state = value; })),
        field(t("borders.units"), text("units", 200)),
        field(t("borders.note"), text("note", 500), t("borders.note_about")),
        field(t("borders.photo"), text("photo", 120), t("borders.photo_about")),
      ],
      [[t("cancel"), () => true], [t("save"), () => record(body), true]],
    );
  }

  async function record(body) {
    try {
      await send("POST", "/api/v1/borders/inspections", body);
      notice(t("borders.recorded", { number: body.line_number }));
      load();
      return true;
    } catch (error) {
      showProblem(error);
      return false;
    }
  }

  return { node, load };
}
