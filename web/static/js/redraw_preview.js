// Consequences while the pointer moves: one question at a time, the latest drawing next, older answers never shown.

import { ask } from "./redraw_draft.js";
import { isCancelled, Problem } from "./request.js";

const PAUSE_MS = 90;
const GIVE_UP_MS = 600;

/** `show(answer)` hears of every current answer, `show(null, problem)` of a failure. */
export function makePreviewer(show) {
  let wanted = null;
  let running = null;
  let timer = null;
  let last = 0;

  async function go() {
    timer = null;
    if (!wanted) return;
    if (running && performance.now() - running.began < GIVE_UP_MS) return;
    running?.controller.abort();
    const operations = wanted;
    wanted = null;
    last = performance.now();
    const mine = { controller: new AbortController(), began: last };
    running = mine;
    try {
      const answer = await ask(operations, mine.controller.signal);
      if (running === mine) show(answer, null, operations);
    } catch (error) {
      if (running === mine && !isCancelled(error) && error instanceof Problem) show(null, error, operations);
    } finally {
      if (running === mine) running = null;
      plan();
    }
  }

  function plan() {
    if (wanted && !timer) timer = setTimeout(go, Math.max(0, PAUSE_MS - (performance.now() - last)));
  }

  return {
    ask(operations) {
      wanted = operations;
      plan();
    },
    stop() {
      clearTimeout(timer);
      timer = wanted = null;
      running?.controller.abort();
      running = null;
    },
  };
}
