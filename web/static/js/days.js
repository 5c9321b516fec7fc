// The days on which areas change, with the decisions behind them: days one can choose to look at.

import { getJSON } from "./request.js";
import { day, t } from "./words.js";

let asked = null;

/** [{on, kinds, decisions: [{draft, title, decision_number}], future}], in their order; none when they cannot be had. */
export function changeDays() {
  asked ??= getJSON("/api/v1/dates", { quiet: true }).catch(() => {
    asked = null;
    return [];
  });
  return asked;
}

/** A day of change in words: the day, what is decided for it, and that it is still to come. */
export function dayWords(one) {
  const titles = one.decisions.map(({ title, decision_number: number }) => [title, number].filter(Boolean).join(" ")).join("；");
  return [day(one.on), titles, one.future && t("days.future")].filter(Boolean).join(" · ");
}

/** The day before one, as YYYY-MM-DD. */
export function dayBefore(iso) {
  const date = new Date(`${iso}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - 1);
  return date.toISOString().slice(0, 10);
}
