// Tools that begin with a drawing: the operation each makes of it, and what it asks afterwards.

import { choice, element } from "./element.js";
import { showProblem } from "./notice.js";
import { area, draft } from "./redraw_draft.js";
import { areaChoice, kindChoice, takers, textField } from "./redraw_forms.js";
import { showMoved } from "./redraw_map.js";
import { piecesWithin } from "./redraw_pieces.js";
import { showStrip } from "./redraw_strip.js";
import { nameOf } from "./redraw_work.js";
import { t } from "./words.js";

const line = (points) => ({ type: "LineString", coordinates: points });
const ring = (points) => ({ type: "Polygon", coordinates: [[...points, points[0]]] });

/** `least`: corners from which consequences can be asked for (the pointer counts as one); `fewest`: to finish. */
export const DRAWN = {
  push: { form: "Line", needs: true, least: 2, fewest: 2, operation: (points, code) => ({ op: "push", grid: code, line: line(points) }) },
  ring: { form: "Polygon", needs: true, least: 3, fewest: 3, operation: (points, code) => ({ op: "redraw", grid: code, ring: ring(points) }) },
  split: { form: "Line", needs: true, least: 2, fewest: 2, after: "begun", operation: (points, code) => ({ op: "split", grid: code, line: line(points) }) },
  carve: { form: "Polygon", needs: false, least: 3, fewest: 3, after: "begun", operation: (points) => ({ op: "carve", ring: ring(points), kind: "dedicated", name: "" }), form_of: carveForm },
  transfer: {
    form: "Polygon",
    needs: true,
    least: 3,
    fewest: 3,
    operation: (points, code) => transfer(ring(points), code, takers(code)[0]),
    fields: pieceChoice,
    form_of: ({ points, ...rest }) => transferForm({ pieces: [ring(points)], ...rest }),
  },
};

const transfer = (piece, from, to) => to && { op: "transfer", from, to, piece };

/** Natural villages inside the grid as pieces that need no drawing; nothing where there is no such layer. */
function pieceChoice(hand) {
  const holder = element("span", { class: "strip-field" });
  piecesWithin(hand.code, draft().effective_from)
    .then((pieces) => {
      if (!pieces.length) return;
      holder.append(
        element("span", {}, t("redraw.piece_ready")),
        choice([["", t("redraw.piece_choose")], ...pieces.map(({ name }, i) => [i, name])], "", (i) => i !== "" && hand.choose("transfer", { points: pieces[i].points }), { class: "form-select form-select-sm" }),
      );
    })
    .catch(showProblem);
  return [holder];
}

/** Who gets the piece: chosen from the list or clicked on the map. */
function transferForm({ pieces, code, send, preview, redo }) {
  const others = takers(code);
  let to = others[0];
  const operations = () => pieces.map((piece) => transfer(piece, code, to)).filter(Boolean);
  const form = {
    unsent: true,
    pick(other) {
      if (!others.includes(other)) return;
      to = other;
      form.draw();
    },
    enter: () => to && send(operations()),
    draw() {
      showMoved(pieces);
      if (to) preview(operations());
      showStrip(to ? t("hint.transfer_to", { name: nameOf(code) }) : t("hint.no_neighbour", { name: nameOf(code) }), {
        fields: to ? [areaChoice(t("redraw.to"), others, to, form.pick)] : [],
        acts: [[t("redraw.transfer"), form.enter, true, !to], [t("cancel"), () => redo()]],
      });
    },
  };
  return form;
}

/** Kind and name of a grid that is carved out. */
function carveForm({ points, send, preview, redo }) {
  let name = "";
  let kind = "dedicated";
  const operation = () => ({ op: "carve", ring: ring(points), kind, name: name.trim() });
  const form = {
    unsent: true,
    pick: null,
    enter: () => send([operation()], { after: "begun" }),
    draw() {
      showMoved([ring(points)]);
      preview([operation()]);
      const button = () => document.getElementById("redraw-strip").querySelector(".btn-primary");
      showStrip(t("hint.carve_name"), {
        fields: [
          kindChoice(kind, (value) => { kind = value; preview([operation()]); }),
          textField(t("redraw.name"), name, (value) => { name = value; button().disabled = !value.trim(); }, { maxlength: 60, id: "carve-name", onkeydown: (event) => { if (event.key === "Enter" && name.trim()) form.enter(); } }),
        ],
        acts: [[t("redraw.carve"), form.enter, true, !name.trim()], [t("cancel"), () => redo()]],
      });
      document.getElementById("carve-name").focus();
    },
  };
  return form;
}

/** Start a transfer of a piece that is already known, such as a detached part of an area. */
export function transferPieces(hand, code, pieces) {
  return area(code) && transferForm({ pieces, code, ...hand });
}
