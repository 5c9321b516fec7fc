// Which area is selected (kept in the address), and whether a tool is collecting areas right now.

import { area } from "./redraw_draft.js";
import { get, set } from "./state.js";

let collecting = null;

export const selectedCode = () => {
  const code = /^grid:(.+)$/.exec(get("sel"))?.[1] ?? null;
  return code && area(code) ? code : null;
};

export const selectArea = (code, options) => set({ sel: code ? `grid:${code}` : "" }, options);

/** The tool that wants areas: {pick(code)}, or null. */
export function setCollecting(form) {
  collecting = form?.pick ? form : null;
}

export const hasPicks = () => Boolean(collecting);
export const pickFromList = (code) => collecting.pick(code);
