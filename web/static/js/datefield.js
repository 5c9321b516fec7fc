// A date as YYYY-MM-DD whatever the browser's own language, with the browser's calendar behind a button.

import { button, element } from "./element.js";
import { t } from "./words.js";

/** A field holding `value`; `onchange(iso)` gets a whole date, or "" when it was cleared and `clearable`. */
export function dateField({ value = "", max = "", clearable = true, onchange, ...rest }) {
  const text = element("input", { type: "text", class: "form-control", value, placeholder: t("date.form"), maxlength: 10, autocomplete: "off", inputmode: "numeric", ...rest });
  const calendar = element("input", { type: "date", value, max: max || null, tabindex: -1, "aria-hidden": true });
  let last = value;
  const take = (given) => {
    const iso = given.trim().replace(/^(\d{4})[./年-]?(\d{1,2})[./月-]?(\d{1,2})日?$/, (_all, y, m, d) => `${y}-${m.padStart(2, "0")}-${d.padStart(2, "0")}`);
    const real = /^\d{4}-\d{2}-\d{2}$/.test(iso) && !Number.isNaN(Date.parse(iso)) && (!max || iso <= max);
    if (real || (iso === "" && clearable)) {
      last = iso;
      onchange(iso);
    }
    text.value = calendar.value = last;
  };
  text.addEventListener("change", () => take(text.value));
  calendar.addEventListener("change", () => take(calendar.value));
  const open = button("", () => (calendar.showPicker ? calendar.showPicker() : text.focus()), { kind: "", drawing: "calendar", "aria-label": t("date.choose") });
  const field = element("span", { class: "date-field" }, text, calendar, open);
  field.show = (iso) => {
    last = iso;
    text.value = calendar.value = iso;
  };
  return field;
}
