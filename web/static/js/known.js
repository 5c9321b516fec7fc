// Looking back: a figure by what was known at an earlier moment, as a report printed then says it. Marked while it is so.

import { config } from "./config.js";
import { dateField } from "./datefield.js";
import { button, element } from "./element.js";
import { line } from "./panel.js";
import { get, set } from "./state.js";
import { moment, t } from "./words.js";

/** The choice of the day; the figure is then of that day too, unless another one is chosen. */
export const knownChoice = () =>
  line(t("known.label"), dateField({ value: get("known_on").slice(0, 10), max: config.today, "aria-label": t("known.label"), onchange: (iso) => set({ known_on: iso, as_of: get("as_of") || iso }) }));

/** The mark above a figure of an earlier moment, with the way back; nothing for one of now. */
export const knownMark = ({ known_on: at }) =>
  at && element("p", { class: "small-note known-mark", role: "note" }, element("b", {}, t("known.mark", { at: moment(at) })), " ", t("known.note"), " ", button(t("known.now"), () => set({ known_on: "", as_of: "" }), { kind: "link", id: "known-now" }));

/** The words of the line of sources. */
export const knownWords = ({ known_on: at }) => (at ? t("known.mark", { at: moment(at) }) : "");
