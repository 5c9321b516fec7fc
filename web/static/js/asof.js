// The day everything is shown as of; another day than today is marked, so that no old figure passes for a new one.

import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { asOf, set, watch } from "./state.js";
import { t } from "./words.js";

export function startAsOf() {
  const holder = document.getElementById("as-of");
  const field = dateField({ value: asOf(), max: config.today, clearable: false, "aria-label": t("as_of"), onchange: (iso) => set({ as_of: iso === config.today ? "" : iso }) });
  holder.append(field);
  const draw = () => {
    field.show(asOf());
    holder.classList.toggle("past", asOf() !== config.today);
  };
  watch(["as_of"], draw);
  draw();
}
