// The ranked list of a page: worst first, a click selects, the selected row is marked.

import { element, replace } from "./element.js";
import { select, selected } from "./selection.js";
import { watch } from "./state.js";
import { integer, t } from "./words.js";

const MOST = 200;

/** A list that redraws in place. `row` gives {id, name, note, lack, of, color} or {id, text, color}; `open` replaces selecting. */
export function makeRanking({ kind }) {
  const head = element("div", { class: "ranking-head" });
  const list = element("ol", {});
  const foot = element("p", { class: "small-note" });
  const node = element("section", { class: "ranking" }, head, list, foot);
  const mark = () => {
    const now = selected();
    for (const item of list.children) {
      const mine = now?.kind === kind() && item.dataset.id === now.id;
      item.firstChild.setAttribute("aria-current", String(mine));
    }
  };
  watch(["sel"], mark);
  return {
    node,
    draw(title, note, rows, switcher, row) {
      replace(head, switcher, element("strong", {}, title), element("span", {}, note));
      replace(list, rows.slice(0, MOST).map((one, i) => item(row(one), i, kind)));
      foot.textContent = rows.length > MOST ? t("ranking.more", { shown: integer(MOST), total: integer(rows.length) }) : "";
      mark();
    },
  };
}

function item({ id, name, note, lack, of, text, color, open }, i, kind) {
  const swatch = color && element("i", { class: "swatch", style: { background: color } });
  const cells = text
    ? [element("span", { class: "text" }, swatch, text)]
    : [element("span", { class: "name", title: name }, swatch, name, note && element("small", {}, note)), element("span", { class: "lack" }, lack), element("span", { class: "of" }, of)];
  return element(
    "li",
    { "data-id": String(id), class: text ? "sentence" : null },
    element("button", { type: "button", onclick: open ?? (() => select(kind(), id)) }, element("span", { class: "rank" }, i + 1), cells),
  );
}
