// The day everything is shown as of; another day than today is marked, so that no old figure passes for a new one.

import { config } from "./config.js";
import { get, set, watch } from "./state.js";

export function startAsOf() {
  const input = document.getElementById("as-of");
  const draw = () => {
    input.value = get("as_of") || config.today;
    input.parentNode.classList.toggle("past", Boolean(get("as_of")) && get("as_of") !== config.today);
  };
  input.addEventListener("change", () => {
    const valid = /^\d{4}-\d{2}-\d{2}$/.test(input.value) && input.value <= config.today;
    if (!valid) return draw();
    return set({ as_of: input.value === config.today ? "" : input.value });
  });
  watch(["as_of"], draw);
  draw();
}

export const asOf = () => get("as_of") || config.today;
