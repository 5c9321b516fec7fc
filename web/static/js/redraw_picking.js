// Tools that only need areas: merge some, dissolve one, lock one. Picked by click or in the panel's list.

import { choice, element } from "./element.js";
import { area, isLocked } from "./redraw_draft.js";
import { areaChoice, takers } from "./redraw_forms.js";
import { showPicks } from "./redraw_map.js";
import { showStrip } from "./redraw_strip.js";
import { nameOf, toggleLock } from "./redraw_work.js";
import { t } from "./words.js";

export const PICKING = { merge, dissolve, lock };

const NEW = "*";
const cancel = (choose) => [t("cancel"), () => choose("select")];

function merge({ code, send, preview, stopPreview, choose }) {
  let picked = code && !isLocked(code) ? [code] : [];
  let into = code ?? "";
  const operation = () => ({ op: "merge", grids: picked, ...(into && into !== NEW ? { into } : {}) });
  const form = {
    get picks() { return picked; },
    pick(other) {
      picked = picked.includes(other) ? picked.filter((one) => one !== other) : [...picked, other];
      if (into !== NEW && !picked.includes(into)) into = picked[0] ?? "";
      form.draw();
    },
    enter: () => picked.length > 1 && send([operation()], { after: "kept" }),
    draw() {
      showPicks(picked);
      if (picked.length > 1) preview([operation()]);
      else stopPreview();
      const entries = [...picked.map((one) => [one, t("redraw.keep_code", { name: nameOf(one) })]), [NEW, t("redraw.new_code")]];
      showStrip(picked.length > 1 ? t("hint.merge_on", { names: picked.map(nameOf).join(t("list_join")) }) : t("hint.merge"), {
        fields: picked.length > 1 ? [element("label", { class: "strip-field" }, element("span", {}, t("redraw.into")), choice(entries, into, (value) => { into = value; form.draw(); }, { class: "form-select form-select-sm" }))] : [],
        acts: [[t("redraw.merge"), form.enter, true, picked.length < 2], cancel(choose)],
      });
    },
  };
  return form;
}

function dissolve({ code, send, preview, choose, selectArea }) {
  const others = code ? takers(code) : [];
  let into = "";
  const operation = () => ({ op: "dissolve", grid: code, ...(into ? { into } : {}) });
  const form = {
    pick: (other) => {
      if (code && others.includes(other)) {
        into = other;
        form.draw();
      } else selectArea(other);
    },
    enter: () => code && !isLocked(code) && send([operation()], { after: "kept" }),
    draw() {
      if (!code) return showStrip(t("hint.dissolve_pick"), { acts: [cancel(choose)] });
      showPicks([code]);
      preview([operation()]);
      return showStrip(t("hint.dissolve", { name: nameOf(code) }), {
        fields: [areaChoice(t("redraw.to"), others, into, (value) => { into = value; form.draw(); }, [["", t("redraw.longest_border")]])],
        acts: [[t("redraw.dissolve"), form.enter, true, isLocked(code)], cancel(choose)],
      });
    },
  };
  return form;
}

function lock({ code, choose, selectArea }) {
  return {
    enter: () => code && toggleLock(code),
    pick: async (other) => {
      selectArea(other);
      if (area(other)) await toggleLock(other);
    },
    draw: () => showStrip(t("hint.lock"), { acts: [cancel(choose)] }),
  };
}
