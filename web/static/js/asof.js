// The day everything is shown as of, any day there is; another than today is marked, so that no figure passes for today's.

import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { changeDays, dayWords } from "./days.js";
import { button, element, replace } from "./element.js";
import { joinMenu } from "./menu.js";
import { asOf, set, watch } from "./state.js";
import { t } from "./words.js";

const choose = (iso) => set({ as_of: iso === config.today ? "" : iso });

export function startAsOf() {
  const holder = document.getElementById("as-of");
  const field = dateField({ value: asOf(), clearable: false, "aria-label": t("as_of"), onchange: choose });
  holder.append(field, daysMenu());
  const draw = () => {
    field.show(asOf());
    holder.classList.toggle("past", asOf() !== config.today);
  };
  watch(["as_of"], draw);
  draw();
}

/** A menu of today and the days on which areas change, the latest first; asked for when it is first opened. */
function daysMenu() {
  const list = element("div", { class: "menu-list days", hidden: true });
  const trigger = button("", () => {}, { kind: "plain", drawing: "down", "aria-label": t("days.choose"), title: t("days.choose"), "aria-expanded": "false", id: "change-days" });
  const entry = (iso, words) => element("button", { type: "button", "data-closes": true, "aria-current": String(iso === asOf()), onclick: () => choose(iso) }, words);
  const fill = async () => {
    const days = await changeDays();
    replace(list, element("p", { class: "menu-note" }, t("days.title")), entry(config.today, t("days.today")), [...days].reverse().map((one) => entry(one.on, dayWords(one))), !days.length && element("p", { class: "small-note" }, t("days.none")));
  };
  trigger.addEventListener("click", fill);
  joinMenu(trigger, list);
  return element("div", { class: "menu" }, trigger, list);
}
