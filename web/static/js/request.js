// Every request goes through here: token, errors in words, what is being waited for, cancelling.

import { config } from "./config.js";
import { button, element, replace } from "./element.js";
import { t } from "./words.js";

const SAY_AFTER_MS = 300;
const CANCEL_AFTER_MS = 3000;
const running = new Map();

/** What the server answered instead: what happened, where, what to do. */
export class Problem extends Error {
  constructor({ what, mend = "", code = "", where = "", status = 0, ...more }) {
    super(what);
    // Some errors say more, such as which areas changed or which piece of land is meant.
    Object.assign(this, { what, mend, code, where, status, more });
  }
}

/** A request that was given up because a newer one took its place or the reader cancelled. */
export const isCancelled = (error) => error?.name === "AbortError";

export async function getJSON(url, options = {}) {
  return (await ask(url, options)).json();
}

export async function getBytes(url, options = {}) {
  return (await ask(url, options)).arrayBuffer();
}

export async function getBlob(url, options = {}) {
  const response = await ask(url, options);
  const named = /filename\*=UTF-8''([^;]+)/i.exec(response.headers.get("Content-Disposition") ?? "");
  const plain = /filename="?([^";]+)/i.exec(response.headers.get("Content-Disposition") ?? "");
  return { blob: await response.blob(), name: named ? decodeURIComponent(named[1]) : plain?.[1] ?? "wangge" };
}

/** POST, PUT, PATCH or DELETE with a JSON body. */
export async function send(method, url, body = null, options = {}) {
  const response = await ask(url, {
    ...options,
    method,
    headers: { "Content-Type": "application/json", ...options.headers },
    body: JSON.stringify(body ?? {}),
  });
  return response.status === 204 ? null : response.json();
}

/** Upload one file with real progress (fetch has none). */
export function upload(url, file, { onprogress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name);
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", config.csrf);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onprogress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve(request.response) : reject(problemOf(request.status, request.response)));
    request.onerror = () => reject(new Problem({ what: t("error.network"), mend: t("error.network_mend") }));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** Parameters of an address without the empty ones. */
export function query(parameters) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && !value.length)) found.set(name, value);
  }
  const text = found.toString();
  return text ? `?${text}` : "";
}

async function ask(url, { signal, label = t("busy.data"), quiet = false, ...init } = {}) {
  const controller = new AbortController();
  signal?.addEventListener("abort", () => controller.abort());
  const end = quiet ? () => {} : begin(label, controller);
  try {
    const response = await (takeEarly(url, init) ?? fetch(url, {
      ...init,
      signal: controller.signal,
      headers: { Accept: "application/json, */*", "X-CSRFToken": config.csrf, ...init.headers },
    }));
    if (response.ok) return response;
    let facts = null;
    try {
      facts = await response.json();
    } catch {
      facts = null;
    }
    throw problemOf(response.status, facts);
  } catch (error) {
    if (error instanceof Problem || isCancelled(error)) throw error;
    throw new Problem({ what: t("error.network"), mend: t("error.network_mend") });
  } finally {
    end();
  }
}

/** An answer the page has been waiting for since its head; each serves once. */
function takeEarly(url, init) {
  const waiting = init.method ? null : window.early?.[url];
  if (waiting) delete window.early[url];
  return waiting;
}

function problemOf(status, facts) {
  if (status === 401) {
    const back = encodeURIComponent(location.pathname + location.search);
    location.assign(`/sign-in?next=${back}`);
  }
  return new Problem(facts?.what ? { ...facts, status } : { what: t("error.status", { status }), status });
}

function begin(label, controller) {
  const key = Symbol(label);
  const said = setTimeout(() => {
    running.set(key, { label, controller, cancel: false });
    show();
  }, SAY_AFTER_MS);
  const offered = setTimeout(() => {
    if (running.has(key)) running.get(key).cancel = true;
    show();
  }, CANCEL_AFTER_MS);
  return () => {
    clearTimeout(said);
    clearTimeout(offered);
    if (running.delete(key)) show();
  };
}

function show() {
  const box = document.getElementById("busy");
  const waits = [...running.values()];
  box.hidden = !waits.length;
  if (!waits.length) return;
  const late = waits.filter((wait) => wait.cancel);
  replace(
    box,
    element("span", {}, waits[0].label),
    late.length > 0 && element("progress", { "aria-label": waits[0].label }),
    late.length > 0 && button(t("cancel"), () => late.forEach((wait) => wait.controller.abort()), { kind: "" }),
  );
}
