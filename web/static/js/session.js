// Who is signed in, where the place is, and which layers there are.

import { config } from "./config.js";
import { getJSON, query } from "./request.js";
import { get } from "./state.js";

// Both came with the page, the layers as of today.
const catalogues = new Map([["", Promise.resolve(config.layers)]]);

export async function session() {
  return config.session;
}

export const may = async (act) => (await session()).rights.includes(act);

/** The layers as of the day in the address. */
export function catalogue() {
  const asOf = get("as_of");
  if (!catalogues.has(asOf)) {
    const answer = getJSON(`/api/v1/layers${query({ as_of: asOf })}`);
    answer.catch(() => catalogues.delete(asOf));
    catalogues.set(asOf, answer);
  }
  return catalogues.get(asOf);
}

/** Ask again: something was imported or undone. */
export function forgetCatalogue() {
  catalogues.clear();
}
