// Words of the page in the reader's language, and numbers and dates as that language writes them.

import { config } from "./config.js";

export const language = config.language;
const locale = language === "zh" ? "zh-CN" : "en-GB";
const made = new Map();

/** A formatter, made when first needed: they take long to make. */
function numbers(options) {
  const key = JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.NumberFormat(locale, options));
  return made.get(key);
}

/** Whether the page has words for `key`. */
export const has = (key) => key in config.words;

/** The words of `key` with `{name}` filled in; values are text, so nothing in them is interpreted. */
export function t(key, values = {}) {
  if (!has(key)) console.error(`no words for ${key}`);
  let text = config.words[key] ?? key;
  for (const [name, value] of Object.entries(values)) text = text.split(`{${name}}`).join(String(value));
  return text;
}

/** The words of a {zh, en} pair, or the plain text it is. */
export function reading(both) {
  if (both === null || both === undefined) return "";
  return typeof both === "object" ? both[language] ?? both.zh ?? "" : String(both);
}

export const integer = (value) => (value === null || value === undefined ? "–" : numbers({ maximumFractionDigits: 0 }).format(value));
export const number = (value) => (value === null || value === undefined ? "–" : numbers({ maximumFractionDigits: 2 }).format(value));
export const share = (value) => (value === null || value === undefined ? "–" : numbers({ style: "percent", maximumFractionDigits: 1 }).format(value));

/** Between the members of a list. */
export const comma = language === "zh" ? "、" : ", ";

/** Several of a kind: villages, 个村; the kind's own label when there is no such word. */
export function many(kind, label) {
  return config.words[`many.${kind}`] ?? label ?? config.kinds[kind] ?? kind;
}

/** A day as people of the language write it: 2026年11月1日, 1 November 2026. */
export function day(iso) {
  const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(iso ?? "");
  if (!found) return iso ?? "";
  const date = new Date(Date.UTC(+found[1], found[2] - 1, +found[3]));
  return new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(date);
}

/** A moment in the office's time: 2026-11-01 14:05. */
export function moment(iso) {
  if (!iso) return "";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return String(iso);
  return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: "Asia/Shanghai" }).format(date);
}

export function bytes(count) {
  return count < 1024 * 1024 ? `${number(count / 1024)} kB` : `${number(count / 1048576)} MB`;
}

/** A length on the ground with the fitting unit. */
export function length(metres) {
  return metres < 1000 ? t("unit.m", { n: integer(metres) }) : t("unit.km", { n: number(metres / 1000) });
}

export function area(squareMetres) {
  if (squareMetres < 100000) return t("unit.m2", { n: integer(squareMetres) });
  return t("unit.km2", { n: number(squareMetres / 1e6) });
}
