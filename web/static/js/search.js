// Search by name or code, with suggestions while typing; arrows choose, Enter opens, / jumps here.

import { element, replace } from "./element.js";
import { onKey } from "./keyboard.js";
import { fit } from "./map.js";
import { showProblem } from "./notice.js";
import { getJSON, isCancelled, query } from "./request.js";
import { entryOf } from "./layers.js";
import { select } from "./selection.js";
import { t } from "./words.js";

const PAUSE_MS = 180;

export function startSearch() {
  const input = document.getElementById("search");
  const list = document.getElementById("search-list");
  let found = [];
  let at = -1;
  let waiting = null;
  let asked = null;
  const open = (yes) => {
    list.hidden = !yes;
    input.setAttribute("aria-expanded", String(yes));
  };
  const mark = (index) => {
    at = index;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at >= 0) {
      list.children[at].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", list.children[at].id);
    } else input.removeAttribute("aria-activedescendant");
  };
  const choose = (one) => {
    open(false);
    input.value = one.name || one.code;
    input.blur();
    if (one.bounds) fit(one.bounds, { maxZoom: 15 });
    else if (one.center) fit([...one.center, ...one.center]);
    select(one.kind, one.id ?? one.code);
  };
  const ask = async () => {
    const text = input.value.trim();
    asked?.abort();
    if (!text) return open(false);
    asked = new AbortController();
    try {
      found = await getJSON(`/api/v1/search${query({ q: text, limit: 10 })}`, { signal: asked.signal, label: t("busy.search") });
      replace(list, found.length ? found.map((one, i) => option(one, i, choose)) : element("li", { class: "none" }, t("search.none", { text })));
      mark(found.length ? 0 : -1);
      open(true);
    } catch (error) {
      if (!isCancelled(error)) showProblem(error);
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE_MS);
  });
  input.addEventListener("focus", () => input.value && found.length && open(true));
  input.addEventListener("blur", () => setTimeout(() => open(false), 150));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (found.length) mark((at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
    } else if (event.key === "Enter" && found[at]) choose(found[at]);
    else if (event.key === "Escape") {
      open(false);
      input.blur();
    }
  });
  onKey("/", () => input.focus());
}

function option(one, i, choose) {
  return element(
    "li",
    { role: "option", id: `search-${i}`, onpointerdown: (event) => { event.preventDefault(); choose(one); } },
    element("span", {}, one.name || one.code),
    element("span", { class: "tag" }, entryOf(one.kind)?.label ?? one.kind),
    element("small", {}, [one.parent?.name ?? one.parent, one.code].filter(Boolean).join(" · ")),
  );
}
