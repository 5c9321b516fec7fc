// The opened draft: its areas at full precision, its version, and every request that changes it. Each act is kept at once.

import { getJSON, send } from "./request.js";
import { toShapes } from "./shapes.js";
import { t } from "./words.js";

let held = null;
let queue = Promise.resolve();

export const draft = () => held?.facts ?? null;
export const areas = () => held?.areas ?? new Map();
export const area = (code) => held?.areas.get(code) ?? null;
export const savedAt = () => held?.savedAt ?? null;
export const isOpen = () => Boolean(held);
/** Whether drawing is possible now: a draft in the state "draft" of somebody who may draw in it. */
export const isEditable = () => Boolean(held && held.facts.state === "draft" && held.facts.may_edit !== false);
export const isLocked = (code) => Boolean(held?.facts.locked?.includes(code));

export function tell(what, more = {}) {
  document.dispatchEvent(new CustomEvent("draft", { detail: { what, ...more } }));
}

/** Call `then` with {what, ...} whenever the draft was opened, closed, drawn in or changed. */
export function onDraft(then) {
  document.addEventListener("draft", (event) => then(event.detail));
}

const at = (id, rest = "") => `/api/v1/drafts/${id}${rest}`;

export async function openDraft(id, options = {}) {
  const [facts, collection] = await Promise.all([
    getJSON(at(id), { label: t("busy.draft"), ...options }),
    getJSON(at(id, "/areas"), { label: t("busy.draft"), ...options }),
  ]);
  const fresh = held?.facts.id !== facts.id;
  const { problems = [], conflicts = [], conflict = "", snapped = null } = collection;
  held = { facts, areas: new Map(), base: new Map(), savedAt: facts.updated_at, problems, conflicts, conflict, snapped };
  take(collection.features);
  for (const one of own()) if (!one.properties.changed) held.base.set(one.code, one.properties);
  for (const properties of collection.before ?? []) held.base.set(properties.code, properties);
  tell(fresh ? "opened" : "redrawn");
}

/** Areas of the draft's own land, without those around it. */
export const own = () => [...areas().values()].filter((one) => one.own);
/** Figures of every area as it was before anything was drawn, by code. */
export const base = () => held?.base ?? new Map();
/** What is not in order: {problems, conflicts, conflict, snapped}. */
export const findings = () => held ?? { problems: [], conflicts: [], conflict: "", snapped: null };

/** Read facts and areas again: after a conflict, a rebase or a decision. */
export const reopen = () => openDraft(held.facts.id);

export function closeDraft() {
  if (!held) return;
  held = null;
  tell("closed");
}

function take(features) {
  const shapes = new Map(toShapes({ features }).map((shape) => [String(shape.id), shape]));
  for (const feature of features) {
    const code = String(feature.properties?.code ?? feature.id);
    if (!feature.geometry) held.areas.delete(code);
    else {
      const shape = shapes.get(String(feature.id ?? code));
      shape.id = code;
      held.areas.set(code, { code, name: feature.properties.name || code, geometry: feature.geometry, properties: feature.properties, shape, own: feature.properties.area_m2 !== undefined });
    }
  }
}

/** One write after the other, each with the version the last one left; a key makes a repeated one harmless. */
function write(method, rest, body = {}, label = t("busy.saving")) {
  const doing = queue.then(async () => {
    if (!held) return null;
    const { id, version } = held.facts;
    const address = rest.startsWith("/api/") ? rest : at(id, rest);
    const answer = await send(method, address, { version, ...body }, { label, headers: { "Idempotency-Key": newKey() } });
    if (answer?.areas && held?.facts.id === id && answer.results?.some((result) => result.ok)) await adopt(answer, "drawn");
    return answer;
  });
  queue = doing.catch(() => {});
  return doing;
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Perform operations; the answer of the server with one result for each. */
export const perform = (operations) => write("POST", "/operations", { operations });

/** Draw a point of a suggestion for evener grids, as the server keeps it. */
export const performPoint = (job, point) => write("POST", `/api/v1/balance/suggestions/${encodeURIComponent(job)}/apply`, { draft: held.facts.id, point });

/** What operations would change; nothing is kept. */
export function ask(operations, signal) {
  return send("POST", at(held.facts.id, "/operations"), { version: held.facts.version, operations, preview: true }, { signal, quiet: true });
}

export const step = (direction) => write("POST", `/${direction}`);

/** Put what an answer says into the model: changed areas, ended ones; then what can be undone, from the draft itself. */
async function adopt(answer, what) {
  held.facts = { ...held.facts, version: answer.version };
  take(answer.areas?.features ?? []);
  for (const code of answer.ended ?? []) held.areas.delete(String(code));
  const facts = await getJSON(at(held.facts.id), { quiet: true });
  // Somebody else's save in between is told by the next write, not hidden here.
  if (held && facts.version === answer.version) {
    held.facts = { ...held.facts, ...facts };
    held.savedAt = facts.updated_at;
  }
  if (held) tell(what, { answer });
}

/** Change title, reason, date, locks. */
export async function change(fields) {
  const answer = await write("PATCH", "", fields);
  if (answer) {
    held.facts = { ...held.facts, ...answer };
    held.savedAt = answer.updated_at ?? new Date().toISOString();
    tell("changed");
  }
  return answer;
}

/** Hand the draft on: submit, withdraw, send_back, review, approve, rebase, discard. */
export async function act(name, body = {}) {
  const answer = await write("POST", `/${name}`, body, t("busy.deciding"));
  if (answer && name !== "discard") await reopen();
  return answer;
}
